// SPDX-License-Identifier: BSD-3-Clause
/*
 * The EL2 registers that govern a guest. They are in the normal world's reach while it runs, so
 * they are looked at before each guest, and are its, or the N-visor's again, after.
 * docs/registers.md has the reasons, one a register.
 */
#include "arch.h"
#include "has.h"
#include "guest.h"
#include "sysreg.h"
#include "world.h"

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
	 HCR_TWI | HCR_TID3 | HCR_TSC | HCR_TIDCP | HCR_TACR | HCR_RW)

/* What an N-VM may have trapped besides: TWE, TID1, TID2, TSW, TVM, TRVM */
#define HCR_MORE (1ULL << 14 | 1ULL << 16 | 1ULL << 17 | 1ULL << 22 | 1ULL << 26 | 1ULL << 30)

/* HCRX_EL2 (D24.2.49): 0 traps all that has state of its own. Memory copy has none. */
#define HCRX_MSCEN (1ULL << 11)

/* VTCR_EL2 (D24.2.195): level 0 start, inner shareable write-back walks, 4 KiB granule. */
#define VTCR_VS (1ULL << 19)
#define VTCR_WALK 0x80003580ULL

#define LEVEL0_BITS 44 /* least of them that allow this start (AArch64.S2InvalidSL) */

/* CPTR_EL2 (D24.2.34): SME, trace and activity monitors trap. The rest is RES1. */
#define CPTR 0x401032ffULL
#define CPTR_TSM (1ULL << 12)
#define CPTR_TFP (1ULL << 10)
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

/* Of a guest that does not count, EL0's accesses have to meet MDCR_EL2's trap as EL1's do. */
#define PMUSERENR_ALL 0xf

static uint64_t empty_table[TV_PAGE_SIZE / 8] __attribute__((aligned(TV_PAGE_SIZE)));

/* That table is the one whenever no guest is in: none of a guest's pages is ever seen under another
 * VMID. */
void guest_stage2_vmid(uint16_t vmid)
{
	write_sysreg(vttbr_el2, (uint64_t)vmid << 48 | (uint64_t)empty_table);
}

void guest_stage2(uint64_t root)
{
	world_stage2(root);
}

void guest_stage2_none(void)
{
	world_stage2((uint64_t)empty_table);
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

/* What a CPU's registers are to hold while a guest runs on it. */
struct el2 {
	uint64_t vtcr, hcrx, vpidr, mdcr, hcr;
};

static struct el2 wanted[TV_MAX_CPUS];

/* The N-visor's, while a guest is in: those that it needs for itself. */
static struct {
	uint64_t cptr, mdcr, cnthctl, mdscr;
} normal[TV_MAX_CPUS];

/* Bits of later versions, which are reserved before */
static uint64_t mdcr(void)
{
	uint64_t value = MDCR;

	if (!id_field(id_aa64dfr0_el1, 32)) /* PMSVer */
		value &= ~MDCR_TPMS;
	if (!id_field(id_aa64dfr0_el1, 40)) /* TraceFilt */
		value &= ~MDCR_TTRF;
	if (id_field(id_aa64dfr0_el1, 8) < 4) /* PMUVer */
		value &= ~MDCR_HPMD;
	if (id_field(id_aa64dfr0_el1, 8) < 6)
		value &= ~MDCR_HCCD;
	return value;
}

static uint64_t vtcr(void)
{
	uint64_t t0sz = 64 - guest_address_bits();
	uint64_t range = id_field(id_aa64mmfr0_el1, 0);
	uint64_t vmid16 = id_field(id_aa64mmfr1_el1, 4) == 2 ? VTCR_VS : 0;

	return VTCR_WALK | WORLD_VTCR | vmid16 | (range > 5 ? 5 : range) << 16 | t0sz;
}

/* Is any not as wanted? Fine-grained traps of what is older than they are: off. What came later
 * has bits of the other sense (nTPIDR2_EL0, nPIR_EL1, nBRBDATA ...), and 0 traps it. */
static bool differs(const struct el2 *w)
{
	uint64_t wrong = (read_sysreg(vtcr_el2) ^ w->vtcr) | (read_sysreg(vpidr_el2) ^ w->vpidr) |
			 read_sysreg(hstr_el2);

	if (cpu_has.pmu)
		wrong |= read_sysreg(pmuserenr_el0) ^ PMUSERENR_ALL;
	if (cpu_has.hcx)
		wrong |= read_sysreg(HCRX_EL2) ^ w->hcrx;
	if (cpu_has.fgt)
		wrong |= read_sysreg(HFGRTR_EL2) | read_sysreg(HFGWTR_EL2) |
			 read_sysreg(HFGITR_EL2) | read_sysreg(HDFGRTR_EL2) |
			 read_sysreg(HDFGWTR_EL2);
	return wrong;
}

static void set(const struct el2 *w)
{
	write_sysreg(vtcr_el2, w->vtcr);
	write_sysreg(vpidr_el2, w->vpidr);
	write_sysreg(hstr_el2, 0);
	if (cpu_has.pmu)
		write_sysreg(pmuserenr_el0, PMUSERENR_ALL);
	if (cpu_has.hcx)
		write_sysreg(HCRX_EL2, w->hcrx);
	if (cpu_has.fgt) {
		write_sysreg(HFGRTR_EL2, 0);
		write_sysreg(HFGWTR_EL2, 0);
		write_sysreg(HFGITR_EL2, 0);
		write_sysreg(HDFGRTR_EL2, 0);
		write_sysreg(HDFGWTR_EL2, 0);
	}
}

bool guest_cpu_init(void)
{
	struct el2 *w = &wanted[cpu_index()];

	if (!has_find())
		return false;
	if (guest_address_bits() < LEVEL0_BITS)
		panic("too few physical address bits for a stage 2 of four levels");
	if (!id_field(id_aa64isar0_el1, 12))
		panic("the CPU has no SHA-256 instructions");
	w->vtcr = vtcr();
	w->hcrx = id_field(ID_AA64ISAR2_EL1, 16) ? HCRX_MSCEN : 0;
	w->vpidr = read_sysreg(midr_el1);
	w->hcr = HCR | (cpu_has.ras ? HCR_TERR | HCR_TEA : 0) | (cpu_has.lor ? HCR_TLOR : 0) |
		 (cpu_has.pauth ? HCR_APK | HCR_API : 0) | (cpu_has.fwb ? HCR_FWB : 0);
	w->mdcr = mdcr() | MDCR_TDA | MDCR_TPM | MDCR_TPMCR | pmu_counters() |
		  (cpu_has.fgt ? MDCR_TDCC : 0);
	world_init();
	write_sysreg(hcr_el2, w->hcr);
	set(w);
	guest_fp(true, true);
	guest_stage2_none();
	return true;
}

void guest_begin(void)
{
	unsigned cpu = cpu_index();

	normal[cpu].cptr = read_sysreg(cptr_el2);
	normal[cpu].mdcr = read_sysreg(mdcr_el2);
	normal[cpu].cnthctl = read_sysreg(cnthctl_el2);
	normal[cpu].mdscr = read_sysreg(mdscr_el1);
	world_begin(wanted[cpu].hcr);
	load_sysreg(cnthctl_el2, WORLD_CNTHCTL);
	load_sysreg(mdcr_el2, wanted[cpu].mdcr);
	if (differs(&wanted[cpu]))
		set(&wanted[cpu]);
}

/* What the last exception told is not the N-visor's to know. */
void guest_end(void)
{
	unsigned cpu = cpu_index();

	load_sysreg(cptr_el2, normal[cpu].cptr);
	load_sysreg(mdcr_el2, normal[cpu].mdcr);
	load_sysreg(cnthctl_el2, normal[cpu].cnthctl);
	load_sysreg(mdscr_el1, normal[cpu].mdscr);
	load_sysreg(esr_el2, 0);
	load_sysreg(far_el2, 0);
	load_sysreg(hpfar_el2, 0);
	load_sysreg(elr_el2, 0);
	load_sysreg(spsr_el2, 0);
	world_end();
}

void guest_traps(uint64_t more, bool vserror, bool debug, bool pmu)
{
	const struct el2 *w = &wanted[cpu_index()];

	write_sysreg(hcr_el2, w->hcr | (more & HCR_MORE) | (vserror ? HCR_VSE : 0));
	write_sysreg(mdcr_el2,
		     w->mdcr & ~((debug ? MDCR_TDA : 0) | (pmu ? MDCR_TPM | MDCR_TPMCR : 0)));
}

bool guest_took_vserror(void)
{
	return !(read_sysreg(hcr_el2) & HCR_VSE);
}

void guest_fp(bool fp, bool sve)
{
	write_sysreg(cptr_el2, CPTR | (fp ? 0 : CPTR_TFP) | (sve ? 0 : CPTR_TZ));
}

void guest_vectors_on(void)
{
	guest_streaming_off();
	guest_fp(true, true);
	isb();
}

/* A caller in streaming mode would have our vector instructions trapped: it ends, with ZA. */
void guest_streaming_off(void)
{
	if (!cpu_has.sme)
		return;
	write_sysreg(cptr_el2, CPTR & ~CPTR_TSM);
	isb();
	write_sysreg(SVCR, 0);
}
