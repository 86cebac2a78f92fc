// SPDX-License-Identifier: BSD-3-Clause
/*
 * The EL2 registers that govern a guest. Those set here once keep their values: the dispatcher
 * switches them between the worlds, or the normal world cannot reach them. docs/registers.md
 * has the reasons, one a register.
 */
#include "arch.h"
#include "guest.h"
#include "sysreg.h"

/* HCR_EL2 (DDI 0487 D24.2.48) */
#define HCR_VM (1ULL << 0)
#define HCR_SWIO (1ULL << 1)
#define HCR_PTW (1ULL << 2)
#define HCR_FMO (1ULL << 3)
#define HCR_IMO (1ULL << 4)
#define HCR_AMO (1ULL << 5)
#define HCR_VSE (1ULL << 8)
#define HCR_FB (1ULL << 9)
#define HCR_BSU_INNER (1ULL << 10)
#define HCR_TWI (1ULL << 13)
#define HCR_TID3 (1ULL << 18)
#define HCR_TSC (1ULL << 19)
#define HCR_TIDCP (1ULL << 20)
#define HCR_TACR (1ULL << 21)
#define HCR_RW (1ULL << 31)
#define HCR_TLOR (1ULL << 35)
#define HCR_TERR (1ULL << 36)
#define HCR_TEA (1ULL << 37)
#define HCR_APK (1ULL << 40)
#define HCR_API (1ULL << 41)
#define HCR_FWB (1ULL << 46)
/* Clear, and so trapped as well: NV, FIEN, EnSCXT, ATA. */
#define HCR \
	(HCR_VM | HCR_SWIO | HCR_PTW | HCR_FMO | HCR_IMO | HCR_AMO | HCR_FB | HCR_BSU_INNER | \
	 HCR_TWI | HCR_TID3 | HCR_TSC | HCR_TIDCP | HCR_TACR | HCR_RW | HCR_TLOR | HCR_TEA | \
	 HCR_APK | HCR_API | HCR_FWB)

/* HCRX_EL2 (D24.2.49): 0 traps all that has state of its own. Memory copy has none. */
#define HCRX_MSCEN (1ULL << 11)

/* VTCR_EL2 and VSTCR_EL2 (D24.2.195, D24.2.193): level 0 start, inner shareable write-back
 * walks, 4 KiB granule. NSW and NSA: Non-secure IPAs never reach Secure memory. */
#define VTCR_NSA (1ULL << 30)
#define VTCR_NSW (1ULL << 29)
#define VTCR_VS (1ULL << 19)
#define VTCR_WALK 0x80003580ULL
#define VSTCR 0x80000080ULL

#define LEVEL0_BITS 44 /* least of them that allow this start (AArch64.S2InvalidSL) */

/* CPTR_EL2 (D24.2.34): no trap of FP and SIMD, of SVE if the guest has none; of SME, trace and
 * activity monitors, yes. The rest is RES1. */
#define CPTR 0x401032ffULL
#define CPTR_TSM (1ULL << 12)
#define CPTR_TZ (1ULL << 8)

/* MDCR_EL2 (D24.3.17): profiling and its buffers, trace filter, OS lock, debug channel trapped,
 * PMU and debug registers till they are used. All counters are the guest's (HPMN; HPME = 0) and
 * do not count here. */
#define MDCR_TPMCR (1ULL << 5)
#define MDCR_TPM (1ULL << 6)
#define MDCR_TDA (1ULL << 9)
#define MDCR_TDOSA (1ULL << 10)
#define MDCR_TDRA (1ULL << 11)
#define MDCR_TPMS (1ULL << 14)
#define MDCR_HPMD (1ULL << 17)
#define MDCR_TTRF (1ULL << 19)
#define MDCR_HCCD (1ULL << 23) /* with FEAT_PMUv3p5 */
#define MDCR_TDCC (1ULL << 27) /* with FEAT_FGT */
#define MDCR (MDCR_TDOSA | MDCR_TDRA | MDCR_TPMS | MDCR_TTRF | MDCR_HPMD | MDCR_HCCD)

/* CNTHCTL_EL2: CNTPCT_EL0 and CNTP_* are the guest's, as under KVM on such a core. */
#define CNTHCTL 3

static uint64_t empty_table[TV_PAGE_SIZE / 8] __attribute__((aligned(TV_PAGE_SIZE)));

/* The table goes first: none of a guest's pages is ever seen under another VMID. */
void guest_stage2_none(uint16_t vmid)
{
	write_sysreg(vsttbr_el2, (uint64_t)empty_table);
	isb();
	write_sysreg(vttbr_el2, (uint64_t)vmid << 48 | (uint64_t)empty_table);
	isb();
}

/* The first CPU's; one that comes later has as many at least (cpuid_check). */
unsigned guest_address_bits(void)
{
	static const uint8_t bits[] = {32, 36, 40, 42, 44, 48};
	static unsigned first;
	unsigned range;

	if (!first) {
		range = id_field(id_aa64mmfr0_el1, 0);
		first = range < sizeof(bits) ? bits[range] : 48;
	}
	return first;
}

static uint64_t vtcr(void)
{
	uint64_t t0sz = 64 - guest_address_bits();
	uint64_t range = id_field(id_aa64mmfr0_el1, 0);
	uint64_t vmid16 = id_field(id_aa64mmfr1_el1, 4) == 2 ? VTCR_VS : 0;

	return VTCR_WALK | VTCR_NSA | VTCR_NSW | vmid16 | (range > 5 ? 5 : range) << 16 | t0sz;
}

static bool has_fgt(void)
{
	return id_field(id_aa64mmfr0_el1, 56);
}

/* Fine-grained traps of what is older than they are: off. What came later has bits of the
 * other sense (nTPIDR2_EL0, nPIR_EL1, nBRBDATA ...), and 0 traps it. */
static void extensions_init(void)
{
	if (id_field(id_aa64mmfr1_el1, 40))
		write_sysreg(HCRX_EL2, id_field(ID_AA64ISAR2_EL1, 16) ? HCRX_MSCEN : 0);
	if (!has_fgt())
		return;
	write_sysreg(HFGRTR_EL2, 0);
	write_sysreg(HFGWTR_EL2, 0);
	write_sysreg(HFGITR_EL2, 0);
	write_sysreg(HDFGRTR_EL2, 0);
	write_sysreg(HDFGWTR_EL2, 0);
}

void guest_cpu_init(void)
{
	if (guest_address_bits() < LEVEL0_BITS)
		panic("too few physical address bits for a stage 2 of four levels");
	write_sysreg(vtcr_el2, vtcr());
	write_sysreg(vstcr_el2, VSTCR | (64 - guest_address_bits()));
	write_sysreg(cptr_el2, CPTR);
	write_sysreg(cnthctl_el2, CNTHCTL);
	write_sysreg(hstr_el2, 0);
	write_sysreg(vpidr_el2, read_sysreg(midr_el1));
	extensions_init();
	guest_traps(false, false, false);
	guest_stage2_none(0);
}

void guest_traps(bool vserror, bool debug, bool pmu)
{
	uint64_t hcr = HCR | (has_ras() ? HCR_TERR : 0) | (vserror ? HCR_VSE : 0);
	uint64_t mdcr = MDCR | pmu_counters() | (has_fgt() ? MDCR_TDCC : 0);

	write_sysreg(hcr_el2, hcr);
	write_sysreg(mdcr_el2, mdcr | (debug ? 0 : MDCR_TDA) | (pmu ? 0 : MDCR_TPM | MDCR_TPMCR));
}

bool guest_took_vserror(void)
{
	return !(read_sysreg(hcr_el2) & HCR_VSE);
}

void guest_sve(bool has)
{
	write_sysreg(cptr_el2, CPTR | (has ? 0 : CPTR_TZ));
}

/* A caller in streaming mode would have our vector instructions trapped: it ends, with ZA. */
void guest_streaming_off(void)
{
	if (!id_field(id_aa64pfr1_el1, 24))
		return;
	write_sysreg(cptr_el2, CPTR & ~CPTR_TSM);
	isb();
	write_sysreg(SVCR, 0);
	write_sysreg(cptr_el2, CPTR);
	isb();
}
