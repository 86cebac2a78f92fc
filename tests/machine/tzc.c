// SPDX-License-Identifier: BSD-3-Clause
/* The TZC-400 as CPUs see it: registers, and what it does to their accesses. */
#include "tzc.h"

#define GICD_BASE 0x08000000ul
#define GICD_ISPENDR(n) (GICD_BASE + 0x200 + 4 * (n))
#define TZC_INTID 42 /* SPI 10 */

#define AREA (DRAM_BASE + 0x1000000)
#define AREA_TOP (AREA + 0x7fffff)
#define OPCODE_SMC0 0xd4000003u

static struct trap ns_read(uint64_t a)
{
	return run2(SCR_N, TO_EL2, p_read, a, 0);
}

static struct trap ns_write(uint64_t a, uint64_t v)
{
	return run2(SCR_N, TO_EL2, p_write, a, v);
}

static struct trap s_read(uint64_t a)
{
	return run2(SCR_S, TO_EL2, p_read, a, 0);
}

static bool aborted(struct trap t, unsigned ec, uint64_t far)
{
	return t.el == 2 && esr_ec(t.esr) == ec && esr_fsc(t.esr) == FSC_EXTERNAL && t.far == far;
}

static bool read_aborted(uint64_t a)
{
	struct trap t = ns_read(a);

	return aborted(t, EC_DABT, a) && !(t.esr & ESR_WNR);
}

static bool read_gave(struct trap t, uint64_t v)
{
	return t.el == 0 && t.x0 == v;
}

static void forget_failures(void)
{
	write32(TZC_INT_CLEAR, 0xf);
}

static void protect_area(void)
{
	tzc_region(1, AREA, AREA_TOP, ATTR_S_RW | ATTR_FILTERS, 0);
}

static void test_reset(void)
{
	unsigned r, bad = 0;

	check_eq(read32(TZC_BUILD_CONFIG), 0x03002f08,
		 "BUILD_CONFIG: 4 filters, 48 bits, 9 regions");
	check_eq(read32(TZC_ACTION), 0, "ACTION after reset");
	check_eq(read32(TZC_GATE_KEEPER), 0, "GATE_KEEPER after reset");
	check_eq(read32(TZC_INT_STATUS), 0, "INT_STATUS after reset");
	check_eq(read32(TZC_REGION(0) + TOP_LOW), 0xffffffff, "region 0 top low");
	check_eq(read32(TZC_REGION(0) + TOP_HIGH), 0xffff, "region 0 top high");
	check_eq(read32(TZC_REGION(0) + ATTRIBUTES), 0xf, "region 0 lets nobody in after reset");
	check_eq(read32(TZC_REGION(0) + ID_ACCESS), 0, "region 0 NSAID access after reset");
	for (r = 1; r <= 8; r++)
		bad += read32(TZC_REGION(r) + ATTRIBUTES) || read32(TZC_REGION(r) + ID_ACCESS) ||
		       read32(TZC_REGION(r) + BASE_LOW) || read32(TZC_REGION(r) + TOP_LOW) != 0xfff;
	check_eq(bad, 0, "regions 1-8 are off after reset");
	check_eq(read32(TZC_PID0) | read32(TZC_PID0 + 4) << 8, 0xb460, "peripheral ID");
}

static void test_registers(void)
{
	write32(TZC_REGION(0) + BASE_LOW, 0x1000);
	check_eq(read32(TZC_REGION(0) + BASE_LOW), 0, "region 0 base is fixed");
	tzc_region(8, 0x123456789abcul, 0xffff23456789abcul, ATTR_S_RW | 0x5, 0x00120034);
	check_eq(read32(TZC_REGION(8) + BASE_LOW), 0x56789000, "base low has 4 KiB granularity");
	check_eq(read32(TZC_REGION(8) + BASE_HIGH), 0x1234, "base high");
	check_eq(read32(TZC_REGION(8) + TOP_LOW), 0x56789fff, "top low has 4 KiB granularity");
	check_eq(read32(TZC_REGION(8) + TOP_HIGH), 0xf234, "top high has 16 bits");
	check_eq(read32(TZC_REGION(8) + ATTRIBUTES), ATTR_S_RW | 0x5, "attributes");
	check_eq(read32(TZC_REGION(8) + ID_ACCESS), 0x00120034, "NSAID access");
	tzc_off(8);
	write32(TZC_SPECULATION_CTRL, 0xff);
	check_eq(read32(TZC_SPECULATION_CTRL), 3, "SPECULATION_CTRL");
	write32(TZC_ACTION, 0xfffffffd);
	check_eq(read32(TZC_ACTION), ACTION_DECERR, "ACTION");
}

static void test_gates(void)
{
	check(aborted(s_read(DRAM_BASE), EC_DABT, DRAM_BASE), "closed gate: no access to DRAM");
	tzc_open();
	check_eq(read32(TZC_GATE_KEEPER), 0x000f000f, "GATE_KEEPER opens");
	check_eq(read32(DRAM_BASE), 0xedfe0dd0, "DRAM holds the device tree loaded at reset");
	check_eq(read32(AREA + 0x1000), 0x600dc0de, "DRAM holds data loaded at reset");
	low_ns_copy();
	check(read_gave(ns_read(AREA + 0x1000), 0x600dc0de), "open to the Non-secure world");
}

static void test_secure_only(void)
{
	uint64_t reg = TZC_REGION(1) + TOP_LOW;
	uint32_t old = read32(reg);
	struct trap t;

	t = run2(SCR_N, TO_EL2, p_read32, reg, 0);
	check(aborted(t, EC_DABT, reg), "Non-secure read of a register aborts");
	t = run2(SCR_N, TO_EL2, p_write32, reg, 0x12345fff);
	check(aborted(t, EC_DABT, reg), "Non-secure write of a register aborts");
	check_eq(read32(reg), old, "Non-secure write of a register changes nothing");
}

static void test_protection(void)
{
	uint64_t a = AREA + 0x2340;
	struct trap t;

	write64(a, 0x5ec2e7);
	write32(AREA + 0x5000, OPCODE_SMC0);
	t = run2(SCR_N, TO_EL2, p_call, AREA + 0x5000, 0);
	check(t.el == 0, "Non-secure fetch from an ordinary page");

	protect_area();
	check(read_aborted(a), "Non-secure read of a Secure page aborts");
	t = ns_write(a, 0xbad);
	check(aborted(t, EC_DABT, a) && t.esr & ESR_WNR,
	      "Non-secure write of a Secure page aborts");
	t = run2(SCR_N, TO_EL2, p_call, AREA + 0x5000, 0);
	check(aborted(t, EC_IABT, AREA + 0x5000), "Non-secure fetch from a Secure page aborts");
	t = run2(SCR_N, TO_EL2, p_pair, a, 0xbad);
	check(aborted(t, EC_DABT, a), "Non-secure store pair aborts");
	t = run2(SCR_N, TO_EL2, p_ldadd, a, 0xbad);
	check(aborted(t, EC_DABT, a), "Non-secure atomic aborts");
	check_eq(read64(a), 0x5ec2e7, "the Secure page is unchanged");
	check(read_gave(s_read(a), 0x5ec2e7), "S-EL2 reads the Secure page");
	t = run2(SCR_S, TO_EL2, p_write, a, 0x2ec2e7);
	check(t.el == 0 && read64(a) == 0x2ec2e7, "S-EL2 writes the Secure page");
}

static void test_bounds(void)
{
	check(ns_read(AREA - 8).el == 0, "the page below the region is ordinary");
	check(ns_read(AREA_TOP + 1).el == 0, "the page above the region is ordinary");
	check(read_aborted(AREA), "the first word of the region is Secure");
	check(read_aborted(AREA_TOP - 7), "the last word of the region is Secure");
}

static void test_failures(void)
{
	uint64_t a = AREA + 0x3458;
	unsigned f = tzc_filter(a);

	forget_failures();
	check_eq(read32(TZC_INT_STATUS), 0, "INT_CLEAR clears INT_STATUS");
	ns_write(a, 0);
	check_eq(read32(TZC_INT_STATUS), BIT(f), "INT_STATUS names the filter unit");
	check_eq(read32(TZC_FAIL_ADDRESS_LOW(f)), a, "FAIL_ADDRESS");
	check_eq(read32(TZC_FAIL_CONTROL(f)), FAIL_WRITE | FAIL_NON_SECURE | FAIL_PRIVILEGED,
		 "FAIL_CONTROL of a Non-secure privileged write");
	check_eq(read32(TZC_FAIL_ID(f)), NSAID_CPU, "FAIL_ID of a CPU");
	ns_read(a + 8);
	check_eq(read32(TZC_INT_STATUS), BIT(f) | BIT(8 + f), "INT_STATUS tells the overrun");
	check_eq(read32(TZC_FAIL_ADDRESS_LOW(f)), a, "the first failure stays on record");
	ns_read(a + 0x1000);
	check_eq(read32(TZC_INT_STATUS), BIT(f) | BIT(8 + f) | BIT((f + 1) % 4),
		 "filter units record on their own");
	write32(TZC_INT_CLEAR, BIT(f));
	check_eq(read32(TZC_INT_STATUS), BIT((f + 1) % 4), "INT_CLEAR works by filter unit");
}

static bool interrupt_pending(void)
{
	return read32(GICD_ISPENDR(TZC_INTID / 32)) & BIT(TZC_INTID % 32);
}

static void test_action(void)
{
	uint64_t a = AREA + 0x2340;

	write64(a, 0x5ec2e7);
	forget_failures();
	write32(TZC_ACTION, 0);
	check(read_gave(ns_read(a), 0), "ACTION 0: a blocked read gives zero");
	check(ns_write(a, 0xbad).el == 0 && read64(a) == 0x5ec2e7,
	      "ACTION 0: a blocked write is ignored");
	check(!interrupt_pending(), "ACTION 0: no interrupt");
	forget_failures();
	write32(TZC_ACTION, ACTION_INT);
	check(read_gave(ns_read(a), 0) && interrupt_pending(), "ACTION 2: interrupt, no abort");
	forget_failures();
	check(!interrupt_pending(), "INT_CLEAR lowers the interrupt");
	write32(TZC_ACTION, ACTION_INT | ACTION_DECERR);
	check(read_aborted(a) && interrupt_pending(), "ACTION 3: interrupt and abort");
	forget_failures();
	write32(TZC_ACTION, ACTION_DECERR);
}

static void test_permissions(void)
{
	uint64_t a = AREA + 0x2340;

	tzc_region(1, AREA, AREA_TOP, ATTR_FILTERS, BIT(NSAID_CPU));
	check(ns_read(a).el == 0, "NSAID read enable lets the Non-secure CPU read");
	check(ns_write(a, 1).el == 2, "without the write enable it cannot write");
	check(aborted(s_read(a), EC_DABT, a), "without s_rd_en the Secure CPU cannot read");
	tzc_region(1, AREA, AREA_TOP, ATTR_FILTERS, 0xffffffff & ~(BIT(NSAID_CPU) * 0x10001));
	check(read_aborted(a), "enables of other NSAIDs do not count");
	tzc_region(1, AREA, AREA_TOP, ATTR_FILTERS | BIT(30), NSAID_ALL);
	check(s_read(a).el == 0, "s_rd_en lets the Secure CPU read");
	check(run2(SCR_S, TO_EL2, p_write, a, 1).el == 2, "without s_wr_en it cannot write");
	check(run2(SCR_N, TO_EL2, p_write, a, 7).el == 0 && read_gave(ns_read(a), 7),
	      "the Non-secure CPU meanwhile can");
}

static void test_filters(void)
{
	uint64_t a = AREA, b = AREA + 0x1000;

	tzc_region(1, AREA, AREA_TOP, ATTR_S_RW | BIT(tzc_filter(a)), 0);
	check(read_aborted(a), "a region is in force in the filter units it names");
	check(ns_read(b).el == 0, "and not in others");
	tzc_region(1, AREA, AREA_TOP, ATTR_S_RW | ATTR_FILTERS, 0);
	forget_failures();
	tzc_region(2, AREA_TOP - 0xfff, AREA_TOP + 0x1000, ATTR_FILTERS, NSAID_ALL);
	check(ns_read(AREA_TOP - 7).el == 2, "where regions overlap nobody may pass");
	check_eq(read32(TZC_INT_STATUS), BIT(3) | BIT(16 + 3), "INT_STATUS tells the overlap");
	check(ns_read(AREA_TOP + 1).el == 0, "outside the overlap access is as programmed");
	tzc_off(2);
	forget_failures();
}

static void test_gate_closes(void)
{
	write32(TZC_GATE_KEEPER, 0);
	check(aborted(s_read(AREA), EC_DABT, AREA), "closing the gates takes effect at once");
	write32(TZC_GATE_KEEPER, 0xf);
}

static void test_run_time(void)
{
	uint64_t a = AREA + 0x400000;
	struct trap t;

	tzc_region(1, AREA, a - 1, ATTR_S_RW | ATTR_FILTERS, 0);
	check(ns_read(a).el == 0, "above the top: ordinary");
	t = run2(SCR_S, TO_EL2, p_write32, TZC_REGION(1) + TOP_LOW, a + 0xfff);
	check(t.el == 0 && read_aborted(a), "S-EL2 raises the top: Secure at once");
	run2(SCR_S, TO_EL2, p_write32, TZC_REGION(1) + TOP_LOW, a - 1);
	check(ns_read(a).el == 0, "S-EL2 lowers the top: ordinary at once");
}

static void test_page_walk(void)
{
	uint64_t table = DRAM_BASE + 0x200000, secure_table = AREA + 0x10000;
	uint64_t gib = 0x40000000;
	struct trap t;

	write64(table + 8, gib | 0x701);
	write64(table + 16, secure_table | 0x3);
	write64(secure_table, gib | 0x701);
	sysreg_write(ttbr0_el1, table);
	sysreg_write(tcr_el1, 25ul | BIT(23) | 5ul << 32);
	sysreg_write(sctlr_el1, 0x30d00801);
	asm volatile("tlbi alle1; dsb sy; isb" ::: "memory");
	t = run2(SCR_N, TO_EL1, p_read, 2 * gib, 0);
	check(t.el == 1 && esr_ec(t.esr) == EC_DABT && esr_fsc(t.esr) == FSC_EXTERNAL_WALK2,
	      "a Non-secure table walk cannot read a Secure page");
	sysreg_write(sctlr_el1, 0x30d00800);
}

/* CPU 1 keeps a translation in use while CPU 0 makes the page Secure. */
#define ROUNDS 100
#define WATCHED (AREA + 0x700000)
#define COUNTER (AREA_TOP + 0x10001)
#define SECRET 0x5ec2e7ul

static volatile uint64_t go, ended;
static struct trap cpu1_trap;

static void cpu1(unsigned cpu)
{
	uint64_t round = 0;

	if (cpu != 1)
		return;
	for (;;) {
		while (go == round)
			;
		round = go;
		cpu1_trap = run(SCR_N, TO_EL2, p_watch, WATCHED, SECRET, COUNTER, 0);
		asm volatile("dsb sy" ::: "memory");
		ended = round;
	}
}

static bool watcher_stopped(uint64_t round)
{
	write64(WATCHED, 0);
	write64(COUNTER, 0);
	go = round;
	while (read64(COUNTER) < 1000)
		;
	run(SCR_S, TO_EL2, p_protect_and_write, TZC_REGION(1) + TOP_LOW, (uint32_t)AREA_TOP,
	    WATCHED, SECRET);
	while (ended != round)
		;
	write64(WATCHED, 0);
	write32(TZC_REGION(1) + TOP_LOW, WATCHED - 1);
	return aborted(cpu1_trap, EC_DABT, WATCHED);
}

static void test_other_cpu(void)
{
	uint64_t round, leaks = 0;

	tzc_region(1, AREA, WATCHED - 1, ATTR_S_RW | ATTR_FILTERS, 0);
	release_secondaries(cpu1);
	for (round = 1; round <= ROUNDS; round++)
		leaks += !watcher_stopped(round);
	check_eq(leaks, 0, "another CPU loses the page before the register write completes");
}

void main(void)
{
	sysreg_write(scr_el3, SCR_S);
	sysreg_write(hcr_el2, HCR_RW);
	test_reset();
	test_registers();
	test_gates();
	test_secure_only();
	test_protection();
	test_bounds();
	test_failures();
	test_action();
	test_permissions();
	test_filters();
	test_gate_closes();
	test_run_time();
	test_page_walk();
	test_other_cpu();
}
