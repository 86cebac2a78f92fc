// SPDX-License-Identifier: BSD-3-Clause
/* HPFAR_EL2 of stage-2 faults taken from Secure EL1 (DDI 0487, HPFAR_EL2). */
#include "probe.h"

#define TABLE_BYTES 4096
#define HPFAR_NS BIT(63)

/* Stage 2: 39-bit IPA, walk from level 1; Non-secure IPAs stay Non-secure. */
#define VTCR 0xe0023559ul
#define VSTCR 0x80000059ul
#define S2_BLOCK (0x1 | 0xful << 2 | 0x3ul << 6 | 0x3ul << 8 | BIT(10))

/* Stage 1: 39-bit VA, walk from level 1. */
#define TCR (25ul | BIT(23) | 5ul << 32)
#define S1_BLOCK (0x1 | BIT(10) | 0x3ul << 8)
#define S1_NS BIT(5)
#define S1_TABLE 0x3ul
#define S1_NSTABLE BIT(63)

#define GIB 0x40000000ul

static uint64_t s2_secure[512] __attribute__((aligned(TABLE_BYTES)));
static uint64_t s2_nonsecure[512] __attribute__((aligned(TABLE_BYTES)));
static uint64_t s1[512] __attribute__((aligned(TABLE_BYTES)));

static void flush_and_set(uint64_t vttbr, uint64_t ttbr, uint64_t sctlr)
{
	sysreg_write(vttbr_el2, vttbr);
	sysreg_write(ttbr0_el1, ttbr);
	sysreg_write(sctlr_el1, 0x30d00800 | sctlr);
	asm volatile("dsb sy; tlbi alle1; dsb sy; isb" ::: "memory");
}

static void expect(struct trap t, uint64_t s1ptw, uint64_t hpfar, const char *name)
{
	check(t.el == 2 && esr_ec(t.esr) == EC_DABT_LOWER && (t.esr & ESR_S1PTW) == s1ptw, name);
	check_eq(t.hpfar, hpfar, name);
}

static void test_secure_ipa(void)
{
	flush_and_set((uint64_t)s2_nonsecure, 0, 0);
	expect(run2(SCR_S, TO_EL1, p_read, GIB + 0x5678, 0), 0, (GIB + 0x5000) >> 8,
	       "stage-2 fault on a Secure IPA");
}

static void test_stage1_output(void)
{
	s1[1] = GIB | S1_BLOCK;
	s1[2] = GIB | S1_BLOCK | S1_NS;
	flush_and_set((uint64_t)s2_nonsecure, (uint64_t)s1, 1);
	expect(run2(SCR_S, TO_EL1, p_read, GIB + 0x6678, 0), 0, (GIB + 0x6000) >> 8,
	       "stage-2 fault on a Secure IPA out of stage 1");
	expect(run2(SCR_S, TO_EL1, p_read, 2 * GIB + 0x5678, 0), 0, HPFAR_NS | (GIB + 0x5000) >> 8,
	       "stage-2 fault on a Non-secure IPA");
}

static void test_walks(void)
{
	s1[3] = GIB | 0x7000 | S1_TABLE;
	s1[4] = GIB | 0x7000 | S1_TABLE | S1_NSTABLE;
	flush_and_set((uint64_t)s2_nonsecure, (uint64_t)s1, 1);
	expect(run2(SCR_S, TO_EL1, p_read, 3 * GIB, 0), ESR_S1PTW, (GIB + 0x7000) >> 8,
	       "stage-2 fault on a stage-1 table at a Secure IPA");
	expect(run2(SCR_S, TO_EL1, p_read, 4 * GIB, 0), ESR_S1PTW, HPFAR_NS | (GIB + 0x7000) >> 8,
	       "stage-2 fault on a stage-1 table at a Non-secure IPA");
}

static void test_nonsecure_state(void)
{
	uint64_t table = DRAM_BASE + 0x200000; /* a Non-secure walk reads no Secure memory */

	low_ns_copy();
	write64(table + 8, DRAM_BASE | S2_BLOCK);
	flush_and_set(table, 0, 0);
	expect(run2(SCR_N, TO_EL1, p_read, 2 * GIB + 0x5678, 0), 0, (2 * GIB + 0x5000) >> 8,
	       "stage-2 fault in Non-secure state");
}

void main(void)
{
	sysreg_write(scr_el3, SCR_S);
	sysreg_write(hcr_el2, HCR_RW | HCR_VM);
	sysreg_write(vtcr_el2, VTCR);
	sysreg_write(s3_4_c2_c6_2, VSTCR);
	sysreg_write(s3_4_c2_c6_0, s2_secure);
	sysreg_write(mair_el1, 0xff);
	sysreg_write(tcr_el1, TCR);
	s2_secure[0] = S2_BLOCK;
	s1[0] = S1_BLOCK;

	test_secure_ipa();
	test_stage1_output();
	test_walks();
	test_nonsecure_state();
}
