/* SPDX-License-Identifier: BSD-3-Clause */
/* Non-secure EL2: calls the stub on every CPU, and says in TAP what it saw. */
#include <stdbool.h>

#include "ns.h"
#include "probe.h"

#define PSCI_CPU_OFF 0x84000002
#define PSCI_CPU_ON 0xc4000003
#define PSCI_AFFINITY_INFO 0xc4000004
#define PSCI_MIGRATE_INFO_TYPE 0x84000006
#define PSCI_SYSTEM_OFF 0x84000008
#define PSCI_SYSTEM_RESET 0x84000009
#define PSCI_SYSTEM_RESET2 0xc4000012
#define PSCI_CPU_SUSPEND 0xc4000001
#define PSCI_SYSTEM_SUSPEND 0xc400000e

#define UNTOUCHED(i) (0xa5a5000000000000 + (i))

static void ok(int good, const char *name, uint64_t cpu)
{
	char who[] = "CPU 0: ";

	who[4] += cpu;
	put_result(good, who, name);
}

/* r[0] and r[1]-r[4] are arguments, all else a pattern. */
static void call(uint64_t r[GPRS], uint64_t fid, uint64_t a, uint64_t b)
{
	for (int i = 0; i < GPRS; i++)
		r[i] = UNTOUCHED(i);
	r[0] = fid;
	r[1] = a;
	r[2] = b;
	smc(r);
}

static uint64_t call1(uint64_t fid, uint64_t a, uint64_t b)
{
	uint64_t r[GPRS];

	call(r, fid, a, b);
	return r[0];
}

static int untouched(const uint64_t r[GPRS], int from)
{
	for (int i = from; i < GPRS; i++)
		if (r[i] != UNTOUCHED(i))
			return 0;
	return 1;
}

static void test_general(uint64_t cpu)
{
	uint64_t r[GPRS];

	call(r, P_ECHO, 11, 22);
	ok(r[0] == 11 && r[1] == 22 && r[2] == UNTOUCHED(3) && r[3] == UNTOUCHED(4),
	   "x1-x4 go in, x0-x3 come out", cpu);
	ok(untouched(r, 18), "x18-x30 are preserved", cpu);
	call(r, P_REFUSED, 0, 0);
	ok(r[0] == 0, "the Secure world is refused what is not for it to call", cpu);
	call(r, P_FP, 0, 0);
	ok(r[0] == 0xf, "FP, SVE of full length and PAuth work at S-EL2", cpu);
}

/* Some refused, some just not there; the S-visor must not see any. */
static void test_refused(uint64_t cpu)
{
	static const uint32_t bad[] = {TV_SVISOR_READY,  TV_SVISOR_RETURN, TV_SMC(TV_CALLS),
				       TV_DISPATCH_WIPE, TV_SMC(0xffff),   0xB2000000,
				       0x72000000,       0xF3000000,       0xFF00FFFF,
				       0xF2020000};
	uint64_t r[GPRS], before, good = 1;

	call(r, P_WHO, 0, 0);
	before = r[4];
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		call(r, bad[i], 1, 2);
		good &= r[0] == (uint64_t)TV_ENOSYS && r[1] == 1 && r[2] == 2 && untouched(r, 3);
	}
	ok(good, "unknown and reserved numbers give -1 and change nothing else", cpu);
	call(r, P_WHO, 0, 0);
	ok(r[4] == before + 1, "none of them reached the S-visor", cpu);
}

/* clang-format off */
#define EL2_REGISTERS(X) \
	X(vttbr_el2, 0x1234000040000000) X(hcr_el2, 0x80000039ull | 1 << 18) \
	X(tpidr_el2, 0xabcdef0123456789) X(mair_el2, 0x44bbff0400) X(tcr_el2, 0x80803518) \
	X(ttbr0_el2, 0x41000000) X(cptr_el2, 0x133ff) X(hstr_el2, 0x2) X(mdcr_el2, 0x60) \
	X(vtcr_el2, 0x80023559) X(vpidr_el2, 0x411fd490) X(vmpidr_el2, 0x80000a0b) \
	X(cnthctl_el2, 3) X(cntvoff_el2, 0x7777) X(esr_el2, 0x5a000001) X(elr_el2, 0x60601234) \
	X(spsr_el2, 0x600003c5) X(far_el2, 0x1122334455667788) X(hpfar_el2, 0x4567890) \
	X(s3_4_c13_c0_1, 0x99) X(s3_4_c2_c0_1, 0x42000000) X(sp_el0, 0x4300) \
	X(mdscr_el1, 0xb000) X(pmcr_el0, 0x40) X(s3_4_c12_c9_5, 0x7)
/* clang-format on */

#define COUNT(name, value) +1
#define SAVE(name, value) old[n++] = read_reg(#name);
#define WRITE(name, value) write_reg(#name, value);
#define READ(name, value) found[n++] = read_reg(#name);
#define RESTORE(name, value) write_reg(#name, old[n++]);

static void test_el2(uint64_t cpu)
{
	enum { N = 0 EL2_REGISTERS(COUNT) };
	uint64_t old[N], put_in[N], found[N], differ = 0, own;
	uint64_t *p = found;
	int n = 0;

	EL2_REGISTERS(SAVE)
	EL2_REGISTERS(WRITE)
	n = 0;
	EL2_REGISTERS(READ)
	for (n = 0; n < N; n++)
		put_in[n] = p[n];
	own = call1(P_OWN, 0, 0);
	n = 0;
	EL2_REGISTERS(READ)
	n = 0;
	EL2_REGISTERS(RESTORE)
	for (n = 0; n < N; n++)
		differ |= (uint64_t)(found[n] != put_in[n]) << n;
	if (differ) {
		put("# differ: ");
		put_hex(differ);
		put("\r\n");
	}
	ok(differ == 0, "EL2 registers are what they were before a call", cpu);
	ok(own == 0, "so are the S-visor's, and it sees none of ours", cpu);
}

/* As KVM has it: a host at EL2 with HCR_EL2.{E2H, TGE} set. */
static void test_vhe(uint64_t cpu)
{
	uint64_t hcr = read_reg("hcr_el2"), vhe = 1ull << 34 | 1ull << 31 | 1ull << 27, r[GPRS],
		 found;

	write_reg("hcr_el2", vhe);
	call(r, P_OWN, 0, 0);
	found = read_reg("hcr_el2");
	write_reg("hcr_el2", hcr);
	ok(r[0] == 0 && found == vhe && untouched(r, 18), "a caller in VHE mode is served too",
	   cpu);
}

static void test_gic_inherited(uint64_t cpu)
{
	uint64_t r[GPRS], vmcr;

	write_reg("s3_4_c12_c11_7", 0xf8000002);
	write_reg("s3_4_c12_c11_0", 1);
	vmcr = read_reg("s3_4_c12_c11_7");
	call(r, P_GIC, 0x5, 0x40000003);
	ok(r[0] == 1 && r[1] == vmcr, "ICH_HCR_EL2 and ICH_VMCR_EL2 go in", cpu);
	ok(read_reg("s3_4_c12_c11_0") == 5 && read_reg("s3_4_c12_c11_7") >> 24 == 0x40,
	   "and come out", cpu);
	write_reg("s3_4_c12_c11_0", 0);
}

static void test_fiq(uint64_t cpu)
{
	volatile uint32_t *gicd = (void *)0x08000000;
	volatile uint32_t *gicr = (void *)(0x080a0000 + (cpu << 17));
	uint64_t before = call1(P_FIQ, 0, 0);

	gicd[0] |= 0x12; /* GICD_CTLR: ARE_NS, EnableGrp1A */
	gicr[0x10100 / 4] = 2;
	write_reg("s3_0_c4_c6_0", 0xff);                 /* ICC_PMR_EL1 */
	write_reg("s3_0_c12_c12_7", 1);                  /* ICC_IGRPEN1_EL1 */
	write_reg("s3_0_c12_c11_5", 1 << 24 | 1 << cpu); /* ICC_SGI1R_EL1: SGI 1, to itself */
	while (!(read_reg("isr_el1") & 0x80))
		;
	ok((before & 0xc0) == 0 && (call1(P_FIQ, 0, 0) & 0xc0) == 0x40,
	   "a Non-secure interrupt is an FIQ at S-EL2", cpu);
	write_reg("s3_0_c12_c12_1", read_reg("s3_0_c12_c12_0")); /* ICC_EOIR1 := ICC_IAR1 */
}

/* Cycles that the counter sees while this world, or the Secure one, spins for `ticks`; that one
 * says whether it is counted. */
static uint64_t cycles(uint64_t ticks, bool secure, bool counted)
{
	uint64_t t = read_reg("cntpct_el0"), c = read_reg("pmccntr_el0");

	if (secure)
		call1(P_SPIN, ticks, counted);
	while (read_reg("cntpct_el0") - t < ticks)
		;
	return read_reg("pmccntr_el0") - c;
}

/* PMCCNTR_EL0 at all ELs; a control says that it counts here. What the call itself costs, and
 * a busy emulator, is noise: the least of some tries has little of it, the most of some enough. */
static void test_pmu(uint64_t cpu)
{
	uint64_t ticks = read_reg("cntfrq_el0") / 100, here = -1ull, counted = 0, there = -1ull;

	write_reg("pmccfiltr_el0", 1 << 27);
	write_reg("pmcntenset_el0", 1ull << 31);
	write_reg("pmcr_el0", 0x41);
	for (int i = 0; i < 5; i++) {
		uint64_t c = cycles(ticks, false, true);

		here = c < here ? c : here;
	}
	for (int i = 0; i < 10 && there >= here / 2; i++) {
		uint64_t c = cycles(ticks, true, false);

		there = c < there ? c : there;
	}
	for (int i = 0; i < 10 && counted <= here / 2; i++) {
		uint64_t c = cycles(ticks, true, true);

		counted = c > counted ? c : counted;
	}
	write_reg("pmcr_el0", 0);
	ok(here != 0 && there < here / 2, "the Secure world's cycles are not counted", cpu);
	ok(counted > here / 2, "but if the S-visor says so", cpu);
}

void _start(void);

/* What a CPU or the machine would come back from without its S-visor, or its Secure memory. */
static void test_suspend(uint64_t cpu)
{
	static const uint32_t states[] = {0x10002, 0x1010022, 0x1000022, 0x10000, 0x3010022, ~0u};
	int good = 1;

	for (unsigned int i = 0; i < sizeof(states) / sizeof(*states); i++)
		good &= call1(PSCI_CPU_SUSPEND, states[i], (uint64_t)_start) == (uint64_t)-2;
	ok(good, "no state of CPU_SUSPEND powers a CPU down", cpu);
	ok(call1(PSCI_SYSTEM_SUSPEND, (uint64_t)_start, 0) == ~0ull, "there is no SYSTEM_SUSPEND",
	   cpu);
}

static void test_identity(uint64_t cpu, uint64_t entries)
{
	uint64_t r[GPRS];

	call(r, P_WHO, 0, 0);
	ok(r[0] == cpu && r[3] == 2 << 2, "the S-visor is at EL2, and knows the CPU's index", cpu);
	ok(r[1] == (cpu == 0) && r[2] == entries, "it was entered here as often as expected", cpu);
}

static void test_cpu(uint64_t cpu, uint64_t entries)
{
	test_identity(cpu, entries);
	test_general(cpu);
	test_refused(cpu);
	test_el2(cpu);
	test_vhe(cpu);
	test_gic_inherited(cpu);
	test_fiq(cpu);
	test_pmu(cpu);
	test_suspend(cpu);
}

static void test_queries(void)
{
	uint64_t r[GPRS];

	call(r, 0xBF00FF01, 0, 0);
	ok(r[0] != (uint64_t)TV_ENOSYS && r[3] >> 32 == 0, "there is a UID", 0);
	ok(call1(0xBF00FF03, 0, 0) == TV_ABI_MAJOR, "the revision is the ABI's", 0);
	ok(call1(0xBF00FF00, 0, 0) == TV_CALLS + 3, "the call count is right", 0);
	ok(call1(PSCI_MIGRATE_INFO_TYPE, 0, 0) == 2, "PSCI says that nothing needs migrating", 0);
}

static void print_manifest(void)
{
	uint64_t r[GPRS];

	put("# manifest");
	for (uint64_t i = 0; i < sizeof(struct tv_manifest) / 8; i++) {
		call(r, P_MANIFEST, i, 0);
		put(" ");
		put_hex(r[0]);
	}
	put("\r\n");
}

static volatile uint64_t boots[CPUS];

/* Memory that no image is in keeps this over a reset. */
#define AGAIN 0xa6a1a6a1a6a1a6a1
static volatile uint64_t *const mark = (void *)0x70000000;

#define REFUSED_ROUND 3

static void secondary(uint64_t cpu)
{
	if (boots[cpu] == REFUSED_ROUND) {
		call1(P_REFUSE, 0, 0);
		call1(PSCI_SYSTEM_RESET, 0, 0);
		ok(0, "SYSTEM_RESET came back", cpu);
	}
	if (cpu == P_FAIL_CPU && boots[cpu] == 1)
		ok(call1(P_ECHO, 0, 0) == (uint64_t)TV_ENOSYS && call1(0xBF00FF01, 0, 0) == ~0ull,
		   "no S-visor came up: calls are refused", cpu);
	else
		test_cpu(cpu, boots[cpu]);
	call1(PSCI_CPU_OFF, 0, 0);
	ok(0, "CPU_OFF came back", cpu);
}

static void turn_on(uint64_t cpu)
{
	boots[cpu]++;
	ok(call1(PSCI_CPU_ON, cpu, (uint64_t)_start) == 0, "CPU_ON", cpu);
	while (call1(PSCI_AFFINITY_INFO, cpu, 0) != 1)
		;
}

/* That CPU stops in firmware, and the machine goes on for as long as anyone cares to look. */
static void test_refused_wipe(uint64_t cpu)
{
	uint64_t t;

	boots[cpu] = REFUSED_ROUND;
	call1(PSCI_CPU_ON, cpu, (uint64_t)_start);
	while (call1(P_WIPES, 0, 0) == 0)
		;
	t = read_reg("cntpct_el0");
	while (read_reg("cntpct_el0") - t < read_reg("cntfrq_el0") / 10)
		;
	ok(call1(P_WIPES, 0, 0) == 1, "there is no reset without the S-visor's consent", cpu);
}

static void after_reset(void)
{
	*mark = 0;
	ok(call1(P_WIPES, 0, 0) == 0, "the machine was reset, and the S-visor is new", 0);
	ok(call1(PSCI_SYSTEM_RESET2, 0, 0) == ~0ull, "there is no SYSTEM_RESET2", 0);
	put("# end\r\n");
	call1(PSCI_SYSTEM_OFF, 0, 0);
}

void start(void)
{
	uint64_t cpu = read_reg("mpidr_el1") & 0xff;

	write_reg("cptr_el2", 0x33ff);
	if (cpu != 0)
		secondary(cpu);
	if (*mark == AGAIN)
		after_reset();
	test_cpu(0, 1);
	test_queries();
	print_manifest();
	for (int round = 0; round < 2; round++)
		for (cpu = 1; cpu < CPUS; cpu++)
			turn_on(cpu);
	ok(call1(P_ECHO, 5, 0) == 5, "still answers", 0);
	test_refused_wipe(CPUS - 1);
	*mark = AGAIN;
	call1(PSCI_SYSTEM_RESET, 0, 0);
}
