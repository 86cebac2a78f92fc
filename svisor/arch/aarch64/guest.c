// SPDX-License-Identifier: BSD-3-Clause
/*
 * A guest on this CPU. docs/registers.md has the reasons, one a register.
 */
#include <string.h>

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
#define HCR_TEA (1ULL << 37)
#define HCR_APK (1ULL << 40)
#define HCR_API (1ULL << 41)
#define HCR \
	(HCR_VM | HCR_SWIO | HCR_PTW | HCR_FMO | HCR_IMO | HCR_AMO | HCR_FB | HCR_BSU_INNER | \
	 HCR_TWI | HCR_TID3 | HCR_TSC | HCR_TIDCP | HCR_TACR | HCR_RW | HCR_TLOR | HCR_TEA | \
	 HCR_APK | HCR_API)

/* Level 0 start, inner shareable write-back walks, 4 KiB granule (D24.2.195, D24.2.193). NSW and
 * NSA: Non-secure IPAs never reach Secure memory. */
#define VTCR_NSA (1ULL << 30)
#define VTCR_NSW (1ULL << 29)
#define VTCR_VS (1ULL << 19)
#define VTCR_WALK 0x80003580ULL
#define VSTCR 0x80000080ULL

/* No trap of FP, SIMD or SVE; of trace and activity monitors, yes. The rest is RES1. */
#define CPTR 0x401032ffULL
/* PMU, SPE, trace filter, debug registers, OS lock: trapped. HPMN stays. */
#define MDCR (1 << 5 | 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 14 | 1 << 19)
#define MDCR_HPMN 0x1f
/* CNTPCT_EL0 and CNTP_* are the guest's, as under KVM on such a core. */
#define CNTHCTL 3
#define MPIDR_RES1 (1ULL << 31)
#define SCTLR_EL1_RESET 0x30d00800ULL
#define HPFAR_NS (1ULL << 63)

#define PSTATE_EL1H 0x5
#define PSTATE_DAIF 0x3c0

static uint64_t empty_table[TV_PAGE_SIZE / 8] __attribute__((aligned(TV_PAGE_SIZE)));

/* The table goes first: none of a guest's pages is ever seen under another VMID. */
void guest_stage2_none(uint16_t vmid)
{
	write_sysreg(vsttbr_el2, (uint64_t)empty_table);
	isb();
	write_sysreg(vttbr_el2, (uint64_t)vmid << 48 | (uint64_t)empty_table);
	isb();
}

unsigned guest_address_bits(void)
{
	static const uint8_t bits[] = { 32, 36, 40, 42, 44, 48 };
	unsigned range = id_field(id_aa64mmfr0_el1, 0);

	return range < sizeof(bits) ? bits[range] : 48;
}

static uint64_t vtcr(void)
{
	uint64_t t0sz = 64 - guest_address_bits();
	uint64_t range = id_field(id_aa64mmfr0_el1, 0);
	uint64_t vmid16 = id_field(id_aa64mmfr1_el1, 4) == 2 ? VTCR_VS : 0;

	return VTCR_WALK | VTCR_NSA | VTCR_NSW | vmid16 | (range > 5 ? 5 : range) << 16 | t0sz;
}

/* Fine-grained traps and extended controls: all off, where they exist. */
static void extensions_init(void)
{
	if (id_field(id_aa64mmfr1_el1, 40))
		write_sysreg(HCRX_EL2, 0);
	if (!id_field(id_aa64mmfr0_el1, 56))
		return;
	write_sysreg(HFGRTR_EL2, 0);
	write_sysreg(HFGWTR_EL2, 0);
	write_sysreg(HFGITR_EL2, 0);
	write_sysreg(HDFGRTR_EL2, 0);
	write_sysreg(HDFGWTR_EL2, 0);
}

void guest_cpu_init(void)
{
	write_sysreg(hcr_el2, HCR);
	write_sysreg(vtcr_el2, vtcr());
	write_sysreg(vstcr_el2, VSTCR | (64 - guest_address_bits()));
	write_sysreg(cptr_el2, CPTR);
	write_sysreg(mdcr_el2, MDCR | (read_sysreg(mdcr_el2) & MDCR_HPMN));
	write_sysreg(cnthctl_el2, CNTHCTL);
	write_sysreg(hstr_el2, 0);
	write_sysreg(vpidr_el2, read_sysreg(midr_el1));
	extensions_init();
	guest_stage2_none(0);
}

void guest_reset(struct guest_regs *regs, uint64_t mpidr)
{
	memset(regs, 0, sizeof(*regs));
	regs->mpidr = mpidr;
	regs->pstate = PSTATE_EL1H | PSTATE_DAIF;
	regs->sys.sctlr_el1 = SCTLR_EL1_RESET;
}

#define PAUTH_KEYS(X) \
	X(0, apiakeylo_el1) X(1, apiakeyhi_el1) X(2, apibkeylo_el1) X(3, apibkeyhi_el1) \
	X(4, apdakeylo_el1) X(5, apdakeyhi_el1) X(6, apdbkeylo_el1) X(7, apdbkeyhi_el1) \
	X(8, apgakeylo_el1) X(9, apgakeyhi_el1)

static bool has_pauth(void)
{
	return read_sysreg(id_aa64isar1_el1) & 0xff0;
}

static void keys_load(const uint64_t *keys)
{
	if (!has_pauth())
		return;
#define X(i, name) write_sysreg(name, keys[i]);
	PAUTH_KEYS(X)
#undef X
}

static void keys_save(uint64_t *keys)
{
	static const uint64_t none[10];

	if (!has_pauth())
		return;
#define X(i, name) keys[i] = read_sysreg(name);
	PAUTH_KEYS(X)
#undef X
	keys_load(none);
}

static void sysregs_load(const struct guest_sysregs *s)
{
#define X(name) write_sysreg(name, s->name);
	GUEST_SYSREGS(X)
#undef X
}

/* What is left behind is what a CPU has that never ran a guest. */
static void sysregs_save(struct guest_sysregs *s)
{
	static const struct guest_sysregs none = { .sctlr_el1 = SCTLR_EL1_RESET };

#define X(name) s->name = read_sysreg(name);
	GUEST_SYSREGS(X)
#undef X
	sysregs_load(&none);
}

static void load(const struct guest_regs *regs, uint64_t cntvoff, bool vserror)
{
	write_sysreg(vmpidr_el2, regs->mpidr | MPIDR_RES1);
	write_sysreg(cntvoff_el2, cntvoff);
	sysregs_load(&regs->sys);
	keys_load(regs->pauth);
	fp_load(regs);
	if (id_field(id_aa64pfr0_el1, 28))
		write_sysreg(vsesr_el2, 0);
	write_sysreg(hcr_el2, HCR | (vserror ? HCR_VSE : 0));
	write_sysreg(elr_el2, regs->pc);
	write_sysreg(spsr_el2, regs->pstate);
}

static void save(struct guest_regs *regs, bool *vserror)
{
	regs->pc = read_sysreg(elr_el2);
	regs->pstate = read_sysreg(spsr_el2);
	*vserror = read_sysreg(hcr_el2) & HCR_VSE;
	write_sysreg(hcr_el2, HCR);
	sysregs_save(&regs->sys);
	keys_save(regs->pauth);
	fp_save(regs);
}

/* guest.S */
unsigned guest_enter(struct guest_regs *regs);

void guest_run(struct guest_regs *regs, pa_t s2_root, uint16_t vmid, uint64_t cntvoff,
	       bool *vserror, struct guest_exit *out)
{
	load(regs, cntvoff, *vserror);
	isb(); /* stage 1 is whole before stage 2 lets anything through */
	guest_stage2_none(vmid);
	write_sysreg(vsttbr_el2, s2_root.v);
	out->kind = guest_enter(regs);
	guest_stage2_none(0);
	out->esr = read_sysreg(esr_el2);
	out->far = read_sysreg(far_el2);
	out->hpfar = read_sysreg(hpfar_el2) & ~HPFAR_NS;
	save(regs, vserror);
	isb();
}

#define PSTATE_MODE 0xf
#define PSTATE_AARCH32 (1ULL << 4)
#define PSTATE_SPSEL (1ULL << 0)
#define PSTATE_PAN (1ULL << 22)
#define PSTATE_SSBS (1ULL << 12)
#define PSTATE_DIT (1ULL << 24)
#define PSTATE_NZCV (0xfULL << 28)
#define SCTLR_SPAN (1ULL << 23)
#define SCTLR_DSSBS (1ULL << 44)

/* Offset of the synchronous vector, by where the exception comes from (D1.3.1.5). */
static uint64_t vector(uint64_t pstate)
{
	if (pstate & PSTATE_AARCH32)
		return 0x600;
	if ((pstate & PSTATE_MODE) <= PSTATE_SPSEL)
		return 0x400;
	return pstate & PSTATE_SPSEL ? 0x200 : 0;
}

/* PSTATE after TakeException() to EL1: flags and DIT stay, SS, IL, BTYPE and UAO clear. */
static uint64_t pstate_taken(const struct guest_regs *regs)
{
	uint64_t p = regs->pstate & (PSTATE_NZCV | PSTATE_DIT | PSTATE_PAN);

	if (id_field(id_aa64mmfr1_el1, 20) && !(regs->sys.sctlr_el1 & SCTLR_SPAN))
		p |= PSTATE_PAN;
	if (regs->sys.sctlr_el1 & SCTLR_DSSBS)
		p |= PSTATE_SSBS;
	return p | PSTATE_EL1H | PSTATE_DAIF;
}

void guest_inject(struct guest_regs *regs, uint64_t esr, uint64_t far, bool far_valid)
{
	regs->sys.elr_el1 = regs->pc;
	regs->sys.spsr_el1 = regs->pstate;
	regs->sys.esr_el1 = esr;
	if (far_valid)
		regs->sys.far_el1 = far;
	regs->pc = regs->sys.vbar_el1 + vector(regs->pstate);
	regs->pstate = pstate_taken(regs);
}
