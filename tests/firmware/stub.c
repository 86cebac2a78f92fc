/* SPDX-License-Identifier: BSD-3-Clause */
/* A stand-in for the S-visor (BL32): answers calls as probe.h says. */
#include "probe.h"
#include "record.h"

static struct {
	uint64_t entries, cold, calls, refuses;
} cpu[CPUS];
static const struct tv_manifest *manifest;
static volatile uint64_t wipes;
static volatile uint32_t *const uart = (void *)0x09040000;

void say_char(char c)
{
	*uart = c;
}

/* Is it in the firmware's memory, byte by byte, or as a number, lowest word first? */
static int left(const uint8_t secret[32])
{
	const volatile uint32_t *sram = (void *)0x0e000000;
	uint32_t bytes[8], number[8];

	for (int i = 0; i < 8; i++) {
		const uint8_t *p = secret + 4 * i;

		number[7 - i] = (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
		bytes[i] = __builtin_bswap32(number[7 - i]);
	}
	for (unsigned at = 0; at <= (0x100000 - 32) / 4; at++) {
		int is_bytes = 1, is_number = 1;

		for (int i = 0; i < 8 && (is_bytes || is_number); i++) {
			is_bytes &= sram[at + i] == bytes[i];
			is_number &= sram[at + i] == number[i];
		}
		if (is_bytes || is_number)
			return 1;
	}
	return 0;
}

/* For verified.py */
static void show_left(const struct tv_boot *boot)
{
	static const uint8_t secret[32] = {DEVICE_SECRET}, device[32] = {DEVICE_KEY};

	if (!boot)
		return;
	say("stub: left:");
	say(left(secret) ? " secret" : "");
	say(left(device) ? " device" : "");
	say(left(boot->key) ? " key" : "");
	say(left(boot->seal) ? " seal" : "");
	say(" nothing else\r\n");
}

void fatal(uint64_t esr, uint64_t elr)
{
	say("stub: exception");
	for (int i = 60; i >= 0; i -= 4)
		*uart = "0123456789abcdef"[esr >> i & 15];
	*uart = ' ';
	for (int i = 60; i >= 0; i -= 4)
		*uart = "0123456789abcdef"[elr >> i & 15];
	for (;;)
		;
}

/* What is ours again at each call; the MMU is off. They differ from CPU to CPU. */
/* clang-format off */
#define OWN(X, index) \
	X(tpidr_el2, LEAK + (index)) X(ttbr0_el2, ((index) + 1) << 12) X(mair_el2, (index) << 8 | 4) \
	X(tcr_el2, 0x80803510 + (index))
/* clang-format on */

static void set_own(uint64_t index)
{
#define X(name, value) write_reg(#name, value);
	OWN(X, index)
#undef X
}

static uint64_t own_changed(uint64_t index)
{
	uint64_t changed = 0;

#define X(name, value) changed = changed << 1 | (read_reg(#name) != (value));
	OWN(X, index)
#undef X
	return changed;
}

static void count(uint64_t on)
{
	uint64_t r[GPRS] = {TV_SVISOR_COUNT, on};

	smc(r);
}

static void spin(uint64_t ticks, uint64_t counted)
{
	uint64_t t = read_reg("cntpct_el0"), pmcr = read_reg("pmcr_el0");

	count(counted);
	if (counted)
		write_reg("pmcr_el0", pmcr | 1); /* E: the slow switch has another one for us */
	while (read_reg("cntpct_el0") - t < ticks)
		;
	write_reg("pmcr_el0", pmcr);
	count(0);
}

static uint64_t refused(uint32_t fid)
{
	uint64_t r[GPRS] = {fid};

	smc(r);
	return r[0] != (uint64_t)TV_ENOSYS;
}

static uint64_t longest_vector(void)
{
	write_reg("cptr_el2", 0x32ff); /* FP and SVE untrapped */
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
	say("stub: wiped\r\n");
	return TV_OK;
}

/* r0-r4, where the arguments were found one further on. */
static void answer(uint64_t index, uint64_t fid, uint64_t a, uint64_t b, uint64_t r[5])
{
	switch (fid) {
	case P_ECHO:
		return;
	case P_MANIFEST:
		r[0] = ((const uint64_t *)manifest)[a];
		return;
	case P_WHO:
		r[0] = index, r[1] = cpu[index].cold, r[2] = cpu[index].entries;
		r[3] = read_reg("currentel"), r[4] = cpu[index].calls;
		return;
	case P_GIC:
		r[0] = read_reg("s3_4_c12_c11_0"), r[1] = read_reg("s3_4_c12_c11_7");
		write_reg("s3_4_c12_c11_0", a);
		write_reg("s3_4_c12_c11_7", b);
		return;
	case P_REFUSED:
		r[0] = refused(TV_SVISOR_READY) | refused(TV_VERSION) << 1 |
		       refused(TV_SMC(TV_CALLS)) << 2 | refused(0xBF00FF01) << 3;
		return;
	case P_OWN:
		r[0] = own_changed(index);
		return;
	case P_FIQ:
		r[0] = read_reg("isr_el1");
		return;
	case P_SPIN:
		spin(a, b);
		return;
	case P_FP:
		r[0] = longest_vector();
		return;
	case TV_DISPATCH_WIPE:
		r[0] = wipe(index);
		return;
	case P_WIPES:
		r[0] = wipes;
		return;
	case P_REFUSE:
		cpu[index].refuses = 1;
		return;
	}
}

void gate(int64_t status);

void serve(uint64_t r[GPRS])
{
	uint64_t index = read_reg("mpidr_el1") & 0xff;
	uint64_t out[5] = {r[1], r[2], r[3], r[4], 0};

	cpu[index].calls++;
	answer(index, r[0], r[1], r[2], out);
	r[0] = TV_SVISOR_RETURN;
	for (int i = 1; i < 5; i++)
		r[i] = out[i];
	r[5] = out[0];
}

void start(const struct tv_manifest *m, uint64_t index, uint64_t cold)
{
	int fail = index == P_FAIL_CPU && cpu[index].entries == 0;

	manifest = m;
	if (cold) {
		show_left((const struct tv_boot *)m->boot);
		show_boot((const struct tv_boot *)m->boot);
	}
	cpu[index].entries++;
	cpu[index].cold = cold;
	set_own(index);
	gate(fail ? TV_ESTATE : TV_OK);
}
