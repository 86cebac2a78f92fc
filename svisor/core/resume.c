// SPDX-License-Identifier: BSD-3-Clause
/*
 * Entries: what the N-visor may change in a vCPU. The table is in abi.h.
 */
#include "esr.h"
#include "vcpu.h"

#define ANSWERS (TV_RUN_DONE | TV_RUN_UNDEF | TV_RUN_ABORT) /* one of them, or none */

/* The answers that may follow an exit; all may make an SError pending, and say that they are over.
 */
static const uint8_t answers[] = {
	[TV_EXIT_CALL] = TV_RUN_UNDEF,  [TV_EXIT_SYSREG] = TV_RUN_UNDEF,
	[TV_EXIT_FAULT] = TV_RUN_ABORT, [TV_EXIT_MMIO] = TV_RUN_ABORT,
	[TV_EXIT_UNUSED] = 0, /* the last */
};

int resume_check(const struct vcpu *v, uint64_t flags)
{
	uint64_t answer = flags & ANSWERS;
	uint64_t allowed = TV_RUN_SERROR | TV_RUN_DONE | (v->made ? 0 : answers[v->exit]);

	if (flags & ~allowed)
		return TV_EINVAL;
	return answer & (answer - 1) ? TV_EINVAL : TV_OK;
}

static uint64_t extend_sign(uint64_t value, unsigned bytes)
{
	uint64_t sign = 1ULL << (8 * bytes - 1);

	return (value ^ sign) - sign;
}

/* The value a load leaves in its register, from what the device gave. */
static uint64_t load_value(const struct vcpu *v, uint64_t value)
{
	uint64_t esr = v->hw.esr;

	value = bus_order(v, value);
	if (esr & ESR_ABT_SSE)
		value = extend_sign(value, abort_bytes(esr));
	return esr & ESR_ABT_SF ? value : keep_bytes(value, 4);
}

static void finish_mmio(struct vm *vm, struct vcpu *v, volatile const struct tv_run *page)
{
	uint64_t esr = v->hw.esr;
	unsigned rt = ESR_ABT_SRT(esr);

	if ((esr & ESR_ABT_WNR) && !io_written(vm, v))
		return;
	if (!(esr & ESR_ABT_WNR) && rt != RT_ZERO)
		v->regs.x[rt] =
			load_value(v, io_read(vm, v, keep_bytes(page->gpr[rt], abort_bytes(esr))));
	step_instruction(v);
}

static void finish_sysreg(struct vcpu *v, volatile const struct tv_run *page)
{
	unsigned rt = ESR_SYS_RT(v->hw.esr);

	if ((v->hw.esr & ESR_SYS_READ) && rt != RT_ZERO)
		v->regs.x[rt] = page->gpr[rt];
	step_instruction(v);
}

static void finish_call(struct vcpu *v, volatile const struct tv_run *page)
{
	for (unsigned i = 0; i < CALL_REGISTERS; i++)
		v->regs.x[i] = page->gpr[i];
	if (ESR_EC(v->hw.esr) == EC_SMC64)
		step_instruction(v);
}

/* The results of the last exit; those without any are just over. */
static void finish(struct vm *vm, struct vcpu *v, volatile const struct tv_run *page)
{
	if (v->exit == TV_EXIT_MMIO)
		finish_mmio(vm, v, page);
	else if (v->exit == TV_EXIT_SYSREG)
		finish_sysreg(v, page);
	else if (v->exit == TV_EXIT_CALL)
		finish_call(v, page);
}

/* By HVC it is over in any case but that of an exception: it is stepped past. */
static bool call_over(const struct vcpu *v, uint64_t flags)
{
	return (flags & TV_RUN_DONE) || (ESR_EC(v->hw.esr) == EC_HVC64 && !(flags & TV_RUN_UNDEF));
}

void resume_apply(struct vm *vm, struct vcpu *v, const struct entry *entry)
{
	uint64_t flags = entry->flags;

	if ((flags & TV_RUN_DONE) && !v->made)
		finish(vm, v, entry->page);
	if (v->exit == TV_EXIT_CALL)
		psci_answer(vm, v, call_over(v, flags));
	if (flags & TV_RUN_UNDEF)
		inject_undefined(v);
	if (flags & TV_RUN_ABORT)
		inject_abort(v);
	if (flags & TV_RUN_SERROR)
		v->vserror = true;
	v->made = false;
}
