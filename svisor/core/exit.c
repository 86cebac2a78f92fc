// SPDX-License-Identifier: BSD-3-Clause
/*
 * Exits: which the N-visor sees, and what of them. The table is in abi.h.
 */
#include "cpuid.h"
#include "esr.h"
#include "pvtime.h"
#include "vcpu.h"

#define ESR_LOW 0xffffffffULL

ipa_t exit_page(const struct vcpu *v)
{
	return HPFAR_IPA(v->hw.hpfar);
}

static bool is_big_endian(const struct guest_regs *regs)
{
	if (regs->pstate & PSTATE_AARCH32)
		return regs->pstate & PSTATE_E;
	return regs->sys.sctlr_el1 & (regs->pstate & PSTATE_EL ? SCTLR_EE : SCTLR_E0E);
}

uint64_t bus_order(const struct vcpu *v, uint64_t value)
{
	unsigned bytes = abort_bytes(v->hw.esr);

	value = keep_bytes(value, bytes);
	return is_big_endian(&v->regs) ? __builtin_bswap64(value) >> (64 - 8 * bytes) : value;
}

/* The data abort that a guest's access of these bytes would be. */
static struct guest_exit made_abort(uint64_t addr, uint64_t access)
{
	return (struct guest_exit){
		.kind = GUEST_SYNC,
		.esr = (uint64_t)EC_DABT_LOWER << ESR_EC_SHIFT | ESR_IL | access | FSC_LEVEL_3,
		.far = addr & (TV_PAGE_SIZE - 1),
		.hpfar = addr >> 8 & HPFAR_FIPA,
	};
}

void exit_need(struct vm *vm, struct vcpu *v, enum queue_need need)
{
	assert_held(&vm->lock);
	v->made = true;
	v->exit = TV_EXIT_IRQ;
	if (need == NEED_PAGE) {
		v->exit = TV_EXIT_FAULT;
		v->hw = made_abort(vm->io.page.v, ESR_ABT_WNR);
	} else if (need == NEED_BOUNCE) {
		v->exit = TV_EXIT_BOUNCE;
		v->wanted = vm->io.wanted;
	} else if (need == NEED_CHUNK) {
		v->exit = TV_EXIT_UNUSED;
		v->wanted = vm->io.unused.v;
	} else {
		v->no_heap = need == NEED_HEAP;
	}
}

void exit_notify(struct vcpu *v, const struct queue *q)
{
	uint64_t size = __builtin_ctz(q->bell_bytes);

	v->made = true;
	v->exit = TV_EXIT_MMIO;
	v->hw = made_abort(q->doorbell, ESR_ABT_ISV | size << ESR_ABT_SAS_SHIFT | ESR_ABT_WNR);
	v->shown = q->index;
}

/* The S-visor follows some of a guest's devices, and may deal with an access by itself. */
static bool decide_locked(struct vm *vm, struct vcpu *v)
{
	uint64_t addr = exit_page(v).v | (v->hw.far & (TV_PAGE_SIZE - 1));
	bool write = v->hw.esr & ESR_ABT_WNR;
	unsigned rt = ESR_ABT_SRT(v->hw.esr), bytes = abort_bytes(v->hw.esr);
	enum queue_need need;

	v->shown = write && rt != RT_ZERO ? bus_order(v, v->regs.x[rt]) : 0;
	v->exit = TV_EXIT_MMIO;
	switch (io_access(vm, v, addr, write, bytes, &v->shown, &need)) {
	case WRITE_OVER:
		step_instruction(v);
		return false;
	case WRITE_AGAIN:
		exit_need(vm, v, need);
		return true;
	default:
		return true;
	}
}

static bool decide_mmio(struct vm *vm, struct vcpu *v)
{
	bool seen;

	spin_lock(&vm->lock);
	seen = decide_locked(vm, v);
	spin_unlock(&vm->lock);
	return seen;
}

/* A write to flash that is shown: it is shown no more, and the write is tried again, now MMIO. */
static bool write_to_shown(struct vm *vm, uint64_t esr)
{
	bool was = false;

	if (FSC_IS_PERMISSION(esr & ESR_ABT_FSC) && (esr & ESR_ABT_WNR)) {
		spin_lock(&vm->lock);
		was = flash_forget(vm);
		spin_unlock(&vm->lock);
	}
	return was;
}

/*
 * RAM is never shown as MMIO, for its value would leak; what is outside is never memory. An
 * access that cannot be emulated from its syndrome gets what a bus without a device gives.
 */
static bool decide_abort(struct vm *vm, struct vcpu *v)
{
	uint64_t esr = v->hw.esr;
	bool data = ESR_EC(esr) == EC_DABT_LOWER && !(esr & ESR_ABT_S1PTW);

	if (!FSC_HAS_IPA(esr & ESR_ABT_FSC)) {
		if (!write_to_shown(vm, esr))
			inject_abort(v);
		return false;
	}
	if (vm_is_ram(vm, exit_page(v).v)) {
		v->exit = TV_EXIT_FAULT;
		return true;
	}
	if (data && (esr & ESR_ABT_CM)) { /* nothing outside RAM is cached */
		step_instruction(v);
		return false;
	}
	if (data && (esr & ESR_ABT_ISV))
		return decide_mmio(vm, v);
	if (data && !(esr & ESR_ABT_WNR) && flash_is(vm, exit_page(v).v)) {
		v->exit = TV_EXIT_FAULT;
		return true;
	}
	inject_abort(v);
	return false;
}

/* Of the services that the S-visor knows: Arm architecture, standard secure, standard hypervisor
 * (DEN 0028, 6.1). */
static bool may_be_ours(uint32_t call)
{
	unsigned owner = call >> 24 & 0x3f;

	return owner == 0 || owner == 4 || owner == 5 || call == TV_GUEST_SEAL;
}

static bool decide_call(struct vm *vm, struct vcpu *v)
{
	v->exit = TV_EXIT_CALL;
	v->call = CALL_PLAIN;
	if (!may_be_ours(v->regs.x[0]) ||
	    (!trng_call(v) && !pvtime_call(vm, v) && !attest_call(vm, v) && !psci_call(vm, v)))
		return true;
	if (v->made)
		return true;
	v->exit = TV_EXIT_IRQ;
	if (ESR_EC(v->hw.esr) == EC_SMC64)
		step_instruction(v);
	return false;
}

static bool decide_sync(struct vm *vm, struct vcpu *v)
{
	switch (ESR_EC(v->hw.esr)) {
	case EC_WFX:
		v->exit = TV_EXIT_WFX;
		step_instruction(v);
		return true;
	case EC_HVC64:
	case EC_SMC64:
		return decide_call(vm, v);
	case EC_SYSREG:
		if (cpuid_read(v))
			return false;
		v->exit = TV_EXIT_SYSREG;
		return true;
	case EC_IABT_LOWER:
	case EC_DABT_LOWER:
		return decide_abort(vm, v);
	default:
		inject_undefined(v);
		return false;
	}
}

bool exit_decide(struct vm *vm, struct vcpu *v)
{
	v->exit = TV_EXIT_IRQ;
	switch (v->hw.kind) {
	case GUEST_SYNC:
		return decide_sync(vm, v);
	case GUEST_SERROR:
		v->exit = TV_EXIT_SERROR;
		return true;
	default:
		return true;
	}
}

/* A timed wait is shown as WFE: the N-visor cannot see its limit, and after WFE it never
 * sleeps for long. */
static void show_wfx(const struct vcpu *v, volatile struct tv_run *page)
{
	uint64_t esr = v->hw.esr;
	bool yield = esr & (ESR_WFX_TI | ESR_WFX_TIMED);

	page->esr = (esr & ESR_EC_MASK) | (yield ? ESR_WFX_TI : 0);
}

static void show_fault(const struct vcpu *v, volatile struct tv_run *page)
{
	page->esr = v->hw.esr & (ESR_EC_MASK | ESR_ABT_WNR | ESR_ABT_FSC);
	page->hpfar = v->hw.hpfar & HPFAR_FIPA;
}

static void show_mmio(const struct vcpu *v, volatile struct tv_run *page)
{
	uint64_t esr = v->hw.esr;
	unsigned rt = ESR_ABT_SRT(esr);

	page->hpfar = v->hw.hpfar & HPFAR_FIPA;
	page->far = v->hw.far & (TV_PAGE_SIZE - 1);
	if ((esr & ESR_ABT_WNR) && rt == RT_ZERO && v->shown) {
		rt = 0; /* not what XZR holds: of another register, then */
		esr &= ~ESR_ABT_SRT_MASK;
	}
	page->esr = esr & (ESR_EC_MASK | ESR_ABT_MMIO);
	if ((esr & ESR_ABT_WNR) && rt != RT_ZERO)
		page->gpr[rt] = v->shown;
}

static void show_call(const struct vcpu *v, volatile struct tv_run *page)
{
	page->esr = v->hw.esr & (ESR_EC_MASK | ESR_IMM);
	for (unsigned i = 0; i < CALL_REGISTERS; i++)
		page->gpr[i] = v->regs.x[i];
}

static void show_sysreg(const struct vcpu *v, volatile struct tv_run *page)
{
	unsigned rt = ESR_SYS_RT(v->hw.esr);

	page->esr = v->hw.esr & ESR_LOW;
	if (!(v->hw.esr & ESR_SYS_READ) && rt != RT_ZERO)
		page->gpr[rt] = v->regs.x[rt];
}

/* How bad it is: the machine's words, not the guest's. */
static void show_serror(const struct vcpu *v, volatile struct tv_run *page)
{
	page->esr = v->hw.esr & (ESR_EC_MASK | ESR_SERROR);
}

void exit_show(const struct vcpu *v, volatile struct tv_run *page)
{
	page->exit = v->exit;
	page->esr = page->far = page->hpfar = 0;
	page->size = 0;
	page->lines = v->regs.pmu_line ? TV_LINE_PMU : 0;
	page->late = 0;
	switch (v->exit) {
	case TV_EXIT_WFX:
		show_wfx(v, page);
		break;
	case TV_EXIT_FAULT:
		show_fault(v, page);
		break;
	case TV_EXIT_MMIO:
		show_mmio(v, page);
		break;
	case TV_EXIT_CALL:
		show_call(v, page);
		break;
	case TV_EXIT_SYSREG:
		show_sysreg(v, page);
		break;
	case TV_EXIT_SERROR:
		show_serror(v, page);
		break;
	case TV_EXIT_BOUNCE:
	case TV_EXIT_UNUSED:
		page->size = v->wanted;
		break;
	default: /* IRQ, OFF: nothing more */
		break;
	}
}
