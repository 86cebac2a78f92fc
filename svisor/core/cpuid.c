// SPDX-License-Identifier: BSD-3-Clause
#include "cpuid.h"
#include "esr.h"
#include "log.h"

/* Op0 = 3, Op1 = 0, CRn = 0, CRm = 1 to 7: registers of fields of four bits, each of which means
 * "at least" (DDI 0487 D24.1.3). CRm = 1 to 3 describe AArch32. */
#define ID(crm, op2) (8 * (crm) + (op2))
#define FIRST ID(1, 0)
#define AARCH64 ID(4, 0) /* from here on */
#define END ID(8, 0)

#define AA32DFR0 ID(1, 2)
#define PERFMON (0xfULL << 24)
#define AA64PFR0 ID(4, 0)
#define PFR0_SVE (0xfULL << 32)
#define AA64ZFR0 ID(4, 4)
#define AA64DFR0 ID(5, 0)
#define DFR0_PMU_SHIFT 8
#define DFR0_PMU (0xfULL << DFR0_PMU_SHIFT)
#define PMU_OTHER 0xf /* IMPLEMENTATION DEFINED: not PMUv3 */

#define ID_AA64PFR0_EL0 0xfULL
#define EL0_AARCH32 2

/*
 * The most that a guest gets of each field; what is not here, a later register or field too,
 * reads as not there. is_signed: a bit for each field in which 0xf is less than 0.
 */
static const struct rule {
	uint64_t most;
	uint16_t is_signed;
} rules[END] = {
	/* ID_PFR0 and 1: no AMU, RAS 1.0, CSV2 without SCXTNUM; no Security or Virtualization */
	[ID(1, 0)] = {0x1f01ffff, 0},
	[ID(1, 1)] = {0x100f0f0f, 0},
	/* ID_DFR0: Debug 8.8, PMUv3p5; 0xf is another PMU */
	[ID(1, 2)] = {0x0600000a, 1 << 6},
	/* ID_MMFR0-3 */
	[ID(1, 4)] = {0xffffffff, 0},
	[ID(1, 5)] = {0xffffffff, 0},
	[ID(1, 6)] = {0xffffffff, 0},
	[ID(1, 7)] = {0xffffffff, 0},
	/* ID_ISAR0-5, ID_MMFR4 without XNX and EVT, ID_ISAR6 */
	[ID(2, 0)] = {0xffffffff, 0},
	[ID(2, 1)] = {0xffffffff, 0},
	[ID(2, 2)] = {0xffffffff, 0},
	[ID(2, 3)] = {0xffffffff, 0},
	[ID(2, 4)] = {0xffffffff, 0},
	[ID(2, 5)] = {0xffffffff, 0},
	[ID(2, 6)] = {0x0ffff0ff, 0},
	[ID(2, 7)] = {0xffffffff, 0},
	/* MVFR0-2, ID_PFR2: CSV3 and SSBS, ID_MMFR5 */
	[ID(3, 0)] = {0xffffffff, 0},
	[ID(3, 1)] = {0xffffffff, 0},
	[ID(3, 2)] = {0xffffffff, 0},
	[ID(3, 4)] = {0x000000ff, 0},
	[ID(3, 6)] = {0x000000ff, 0},
	/* ID_AA64PFR0: EL0 and EL1 only, GICv3, RAS 1.0; no MPAM, AMU, RME; CSV2 without SCXTNUM.
	 * FP and AdvSIMD are signed. */
	[ID(4, 0)] = {0xf10f000111110012, 1 << 4 | 1 << 5},
	/* ID_AA64PFR1: BTI, SSBS; no MTE, SME, NMI, GCS, THE, PFAR; CSV2_1p1 */
	[ID(4, 1)] = {0x0000000100000021, 0},
	/* ID_AA64ZFR0: to SVE2.1 */
	[ID(4, 4)] = {0x0110110101210022, 0},
	/* ID_AA64DFR0: Debug 8.8, PMUv3p5; no trace, SPE, TRBE, BRBE. PMUVer (0xf: another PMU)
	 * and DoubleLock are signed. */
	[ID(5, 0)] = {0x000000f0f0f0f60a, 1 << 2 | 1 << 9},
	/* ID_AA64ISAR0-2: no TME, LS64, 128-bit registers, ATS1A; PAuth to FPACCOMBINE */
	[ID(6, 0)] = {0x1221111110312120, 0},
	[ID(6, 1)] = {0x0111221111311552, 0},
	[ID(6, 2)] = {0x0111000011115112, 0},
	/* ID_AA64MMFR0: 48 bits, one address space, no FGT; ECV without CNTPOFF. TGran4 and 64 are
	 * signed. */
	[ID(7, 0)] = {0x1000100000110125, 1 << 6 | 1 << 7},
	/* ID_AA64MMFR1: no VMIDs, VHE, LOR, XNX, TWED, HCX */
	[ID(7, 1)] = {0x1111102001302002, 0},
	/* ID_AA64MMFR2: no NV, FWB, EVT; break-before-make, since the conflicts that a guest
	 * without it may meet come to EL2 */
	[ID(7, 2)] = {0x1001001110111111, 0},
};

static uint64_t baseline[END];
static unsigned baseline_sve; /* bit n: vectors of n * 16 bytes */

static int field(uint64_t value, unsigned i, const struct rule *r)
{
	int f = value >> (4 * i) & 0xf;

	return (r->is_signed >> i & 1) && f > 7 ? f - 16 : f;
}

/* Field by field the lower one. */
static uint64_t lowest(uint64_t a, uint64_t b, const struct rule *r)
{
	uint64_t out = 0;

	for (unsigned i = 0; i < 16; i++)
		out |= (field(a, i, r) < field(b, i, r) ? a : b) & 0xfULL << (4 * i);
	return out;
}

/* As this CPU has it. Registers that describe AArch32 have no meaning where there is none. */
static uint64_t offered(unsigned reg)
{
	uint64_t value = lowest(id_register(reg / 8, reg % 8), rules[reg].most, &rules[reg]);

	if (reg < AARCH64 && (offered(AA64PFR0) & ID_AA64PFR0_EL0) < EL0_AARCH32)
		return 0;
	return value;
}

static unsigned sve_lengths(void)
{
	unsigned lengths = 0;

	for (unsigned n = 1; n <= TV_MAX_SVE; n++)
		lengths |= (sve_length(n) == n) << n;
	return lengths;
}

void cpuid_init(void)
{
	baseline_sve = sve_lengths();
	for (unsigned reg = FIRST; reg < END; reg++)
		baseline[reg] = offered(reg);
}

int cpuid_check(void)
{
	for (unsigned reg = FIRST; reg < END; reg++) {
		uint64_t value = offered(reg);

		if (lowest(value, baseline[reg], &rules[reg]) != baseline[reg]) {
			log_line("CPU %u: ID register C0, C%u, %u is %lx, not %lx", cpu_index(),
				 reg / 8, reg % 8, (unsigned long)value,
				 (unsigned long)baseline[reg]);
			return TV_EINVAL;
		}
	}
	return sve_lengths() == baseline_sve ? TV_OK : TV_EINVAL;
}

static uint64_t pmu_feature(void)
{
	uint64_t version = (baseline[AA64DFR0] & DFR0_PMU) >> DFR0_PMU_SHIFT;

	return version && version != PMU_OTHER ? TV_FEATURE_PMU : 0;
}

uint64_t cpuid_features(void)
{
	unsigned n = TV_MAX_SVE;

	while (n && !(baseline_sve >> n & 1))
		n--;
	return n | pmu_feature();
}

bool cpuid_allows(uint64_t features)
{
	uint64_t sve = features & TV_FEATURE_SVE;

	if (features & ~(TV_FEATURE_SVE | pmu_feature()))
		return false;
	return !sve || (sve <= TV_MAX_SVE && (baseline_sve >> sve & 1));
}

/* The fields that a guest with these features does not have. */
static uint64_t hidden(unsigned reg, uint64_t features)
{
	if (!(features & TV_FEATURE_SVE) && (reg == AA64PFR0 || reg == AA64ZFR0))
		return reg == AA64PFR0 ? PFR0_SVE : ~0ULL;
	if (!(features & TV_FEATURE_PMU) && (reg == AA64DFR0 || reg == AA32DFR0))
		return reg == AA64DFR0 ? DFR0_PMU : PERFMON;
	return 0;
}

bool cpuid_read(struct vcpu *v)
{
	uint64_t esr = v->hw.esr;
	unsigned reg = ID(ESR_SYS_CRM(esr), ESR_SYS_OP2(esr));
	unsigned rt = ESR_SYS_RT(esr);

	if ((esr & ESR_SYS_IDS) != ESR_SYS_ID_READ || reg < FIRST || reg >= END)
		return false;
	if (rt != RT_ZERO)
		v->regs.x[rt] = baseline[reg] & ~hidden(reg, v->regs.features);
	step_instruction(v);
	return true;
}
