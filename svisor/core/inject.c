// SPDX-License-Identifier: BSD-3-Clause
#include "esr.h"
#include "vcpu.h"

#define PSTATE_SS (1ULL << 21)
#define PSTATE_BTYPE (3ULL << 10)
#define ABT_FNV (1ULL << 10)

/* Past the instruction, as if it had been executed: no software step, no branch type pending. */
void step_instruction(struct vcpu *v)
{
	bool aarch32 = v->regs.pstate & PSTATE_AARCH32;

	v->regs.pc += aarch32 && !(v->hw.esr & ESR_IL) ? 2 : 4;
	v->regs.pstate &= ~PSTATE_SS;
	if (!aarch32)
		v->regs.pstate &= ~PSTATE_BTYPE;
}

/* An HVC traps behind the instruction, an SMC at it. */
void call_again(struct vcpu *v)
{
	if (ESR_EC(v->hw.esr) == EC_HVC64)
		v->regs.pc -= 4;
}

/* An Undefined exception names the instruction. */
void inject_undefined(struct vcpu *v)
{
	call_again(v);
	guest_inject(&v->regs, ESR_IL, 0, false);
}

void inject_abort(struct vcpu *v)
{
	uint64_t ec = ESR_EC(v->hw.esr);
	uint64_t esr = ESR_IL | FSC_EXTERNAL;

	if (ec == EC_DABT_LOWER)
		esr |= v->hw.esr & ESR_ABT_WNR;
	if (v->regs.pstate & PSTATE_EL)
		ec += EC_ABT_SAME;
	guest_inject(&v->regs, ec << ESR_EC_SHIFT | esr, v->hw.far, !(v->hw.esr & ABT_FNV));
}
