// SPDX-License-Identifier: BSD-3-Clause
/*
 * What a guest's registers become without its doing: reset, and exceptions (DDI 0487 J1.1.2).
 */
#include <string.h>

#include "arch.h"
#include "guest.h"
#include "sysreg.h"

#define PSTATE_MODE 0xf
#define PSTATE_SPSEL (1ULL << 0)
#define PSTATE_EL1H 0x5
#define PSTATE_AARCH32 (1ULL << 4)
#define PSTATE_DAIF 0x3c0
#define PSTATE_SSBS (1ULL << 12)
#define PSTATE_ALLINT (1ULL << 13)
#define PSTATE_PAN (1ULL << 22)
#define PSTATE_DIT (1ULL << 24)
#define PSTATE_TCO (1ULL << 25)
#define PSTATE_NZCV (0xfULL << 28)
#define SCTLR_SPAN (1ULL << 23)
#define SCTLR_DSSBS (1ULL << 44)
#define SCTLR_SPINTMASK (1ULL << 62)

void guest_reset(struct guest_regs *regs, uint64_t mpidr, uint64_t features)
{
	memset(regs, 0, sizeof(*regs));
	regs->mpidr = mpidr;
	regs->features = features;
	regs->pstate = PSTATE_EL1H | PSTATE_DAIF;
	regs->sys.sctlr_el1 = SCTLR_EL1_RESET;
}

/* Offset of the synchronous vector, by where the exception comes from (D1.3.1.5). */
static uint64_t vector(uint64_t pstate)
{
	if (pstate & PSTATE_AARCH32)
		return 0x600;
	if ((pstate & PSTATE_MODE) <= PSTATE_SPSEL)
		return 0x400;
	return pstate & PSTATE_SPSEL ? 0x200 : 0;
}

/* PSTATE after TakeException() to EL1: flags and DIT stay; SS, IL, BTYPE and UAO clear. */
static uint64_t pstate_taken(const struct guest_regs *regs)
{
	uint64_t p = regs->pstate & (PSTATE_NZCV | PSTATE_DIT | PSTATE_PAN);

	if (id_field(id_aa64mmfr1_el1, 20) && !(regs->sys.sctlr_el1 & SCTLR_SPAN))
		p |= PSTATE_PAN;
	if (regs->sys.sctlr_el1 & SCTLR_DSSBS)
		p |= PSTATE_SSBS;
	if (id_field(id_aa64pfr1_el1, 8) >= 2)
		p |= PSTATE_TCO;
	if (id_field(id_aa64pfr1_el1, 36) && !(regs->sys.sctlr_el1 & SCTLR_SPINTMASK))
		p |= PSTATE_ALLINT;
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
