/* SPDX-License-Identifier: BSD-3-Clause */
/* A stand-in for the S-visor (BL32): answers calls as probe.h says. */
#include "probe.h"

static struct {
	uint64_t entries, cold, calls, tpidr, vttbr, refuses;
} cpu[CPUS];
static volatile uint64_t wipes;
static volatile uint32_t *const uart = (void *)0x09040000;

static void put(const char *s)
{
	for (; *s; s++)
		*uart = *s;
}

void fatal(uint64_t esr, uint64_t elr)
{
	put("stub: exception");
	for (int i = 60; i >= 0; i -= 4)
		*uart = "0123456789abcdef"[esr >> i & 15];
	*uart = ' ';
	for (int i = 60; i >= 0; i -= 4)
		*uart = "0123456789abcdef"[elr >> i & 15];
	for (;;)
		;
}

/* Our values differ from call to call and from CPU to CPU. */
static void set_own(uint64_t index)
{
	cpu[index].tpidr = LEAK + (index << 8) + cpu[index].calls;
	cpu[index].vttbr = (index + 1) << 48 | cpu[index].calls << 12;
	write_reg("tpidr_el2", cpu[index].tpidr);
	write_reg("vttbr_el2", cpu[index].vttbr);
}

static uint64_t own_changed(uint64_t index)
{
	return (read_reg("tpidr_el2") != cpu[index].tpidr) |
	       (read_reg("vttbr_el2") != cpu[index].vttbr) << 1 | (read_reg("mdscr_el1") != 0) << 2;
}

static uint64_t refused(uint32_t fid)
{
	uint64_t r[GPRS] = {fid};

	smc(r);
	return r[0] != (uint64_t)TV_ENOSYS;
}

static uint64_t longest_vector(void)
{
	__asm__ volatile(".arch armv8.3-a+sve\n\tfmov d0, xzr\n\tpacia x9, x9\n\t"
			 "msr apiakeylo_el1, xzr" ::
				 : "x9");
	write_reg("s3_4_c1_c2_0", 0xf); /* ZCR_EL2 */
	__asm__ volatile(".arch armv8-a+sve\n\tptrue p0.b");
	return read_reg("s3_4_c1_c2_0");
}

static int64_t wipe(uint64_t index)
{
	wipes++;
	if (cpu[index].refuses)
		return TV_ESTATE;
	put("stub: wiped\r\n");
	return TV_OK;
}

static void serve(uint64_t r[GPRS], uint64_t index)
{
	uint64_t a = r[1], b = r[2], t = read_reg("cntpct_el0");

	switch (r[0]) {
	case P_ECHO:
		for (t = 6; t < 18; t++)
			r[5] |= r[t];
		return;
	case P_WHO:
		r[1] = index, r[2] = cpu[index].cold, r[3] = cpu[index].entries;
		r[4] = read_reg("currentel"), r[5] = cpu[index].calls;
		return;
	case P_GIC:
		r[1] = read_reg("s3_4_c12_c11_0"), r[2] = read_reg("s3_4_c12_c11_7");
		write_reg("s3_4_c12_c11_0", a);
		write_reg("s3_4_c12_c11_7", b);
		return;
	case P_REFUSED:
		r[1] = refused(TV_SVISOR_READY) | refused(TV_VERSION) << 1 |
		       refused(TV_SMC(TV_CALLS)) << 2 | refused(0xBF00FF01) << 3;
		return;
	case P_OWN:
		r[1] = own_changed(index);
		return;
	case P_FIQ:
		r[1] = read_reg("isr_el1");
		return;
	case P_SPIN:
		while (read_reg("cntpct_el0") - t < a)
			;
		return;
	case P_FP:
		r[1] = longest_vector();
		return;
	case TV_DISPATCH_WIPE:
		r[1] = wipe(index);
		return;
	case P_WIPES:
		r[1] = wipes;
		return;
	case P_REFUSE:
		cpu[index].refuses = 1;
		return;
	}
}

void start(const struct tv_manifest *m, uint64_t index, uint64_t cold)
{
	int fail = index == P_FAIL_CPU && cpu[index].entries == 0;
	uint64_t r[GPRS] = {TV_SVISOR_READY, fail ? TV_ESTATE : TV_OK};

	write_reg("cptr_el2", 0x32ff); /* FP and SVE untrapped */
	cpu[index].entries++;
	cpu[index].cold = cold;
	set_own(index);
	for (;;) {
		smc(r);
		cpu[index].calls++;
		if (r[0] == P_MANIFEST)
			r[1] = ((const uint64_t *)m)[r[1]];
		else
			serve(r, index);
		set_own(index);
		r[0] = TV_SVISOR_RETURN;
		for (int i = 6; i < GPRS; i++)
			r[i] = LEAK;
	}
}
