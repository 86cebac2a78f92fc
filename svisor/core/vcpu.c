// SPDX-License-Identifier: BSD-3-Clause
#include "heap.h"
#include "log.h"
#include "pvtime.h"
#include "share.h"
#include "vcpu.h"
#include "wipe.h"

#define MPIDR_AFFINITY 0xff00ffffffULL

static bool mpidr_taken(const struct vm *vm, uint64_t mpidr)
{
	for (unsigned i = 0; i < vm->vcpus; i++) {
		if (vm->vcpu[i]->regs.mpidr == mpidr)
			return true;
	}
	return false;
}

static int create_locked(struct vm *vm, uint64_t mpidr, bool on, volatile const struct tv_run *page)
{
	struct vcpu *v;

	if (mpidr_taken(vm, mpidr))
		return TV_EINVAL;
	v = vm->vcpus < TV_MAX_VCPUS ? heap_alloc(VCPU_PAGES) : NULL;
	if (!v)
		return vm->vcpus < TV_MAX_VCPUS ? TV_ENOHEAP : TV_ENOMEM;
	guest_reset(&v->regs, mpidr, vm->features);
	for (unsigned i = 0; i < 31; i++)
		v->regs.x[i] = page->gpr[i];
	v->regs.pc = page->pc;
	v->index = vm->vcpus;
	v->state = on ? VCPU_ON : VCPU_OFF;
	v->exit = TV_EXIT_IRQ;
	vm->vcpu[vm->vcpus++] = v;
	return TV_OK;
}

int vcpu_create(uint64_t handle, uint64_t mpidr, uint64_t flags, uint64_t *index)
{
	volatile const struct tv_run *page = share_page();
	struct vm *vm;
	int ret;

	if ((mpidr & ~MPIDR_AFFINITY) || (flags & ~(uint64_t)TV_VCPU_ON))
		return TV_EINVAL;
	if (!page)
		return TV_EFAULT;
	vm = vm_lock_state(handle, VM_NEW, &ret);
	if (!vm)
		return ret;
	ret = create_locked(vm, mpidr, flags & TV_VCPU_ON, page);
	*index = vm->vcpus - 1;
	vm_unlock(vm);
	return ret;
}

void vcpu_free(struct vcpu *v)
{
	heap_free(v, VCPU_PAGES);
}

/* May the vCPU be run with this entry? TV_AGAIN: not before its fault is served. */
static int check_entry(struct vm *vm, struct vcpu *v, const struct entry *entry)
{
	int ret;

	assert_held(&vm->lock);
	if (v->state == VCPU_RUNNING)
		return TV_EBUSY;
	if (v->state == VCPU_OFF)
		return TV_ESTATE;
	ret = resume_check(v, entry->flags);
	if (ret != TV_OK)
		return ret;
	if (entry->cntvoff > entry->now || !guest_gic_take(entry->page))
		return TV_EINVAL;
	if (v->no_heap) { /* once; then it tries again */
		v->no_heap = false;
		return TV_ENOHEAP;
	}
	if (v->exit == TV_EXIT_FAULT && !(entry->flags & TV_RUN_ABORT))
		return fault_serve(vm, exit_page(v));
	return TV_OK;
}

/* vCPUs inside the gate share one offset; when none is, it may change, but CNTVCT_EL0 never
 * falls below what any has seen. */
static void set_cntvoff(struct vm *vm, const struct entry *entry)
{
	if (vm->running)
		return;
	vm->cntvoff = entry->cntvoff;
	if (entry->now - vm->cntvoff < vm->counter_seen)
		vm->cntvoff = entry->now - vm->counter_seen;
}

/* Stage-1 translations are a vCPU's own, but share the S-VM's VMID. */
static void flush_for(struct vm *vm, const struct vcpu *v)
{
	uint8_t *last = &vm->last_vcpu[cpu_index()];

	if (*last != v->index + 1)
		tlb_flush_local(vm->s2.vmid);
	*last = v->index + 1;
}

/* PENDING: the vCPU's registers become those that CPU_ON promised. */
static void start_vcpu(struct vcpu *v)
{
	guest_reset(&v->regs, v->regs.mpidr, v->regs.features);
	v->regs.pc = v->on_entry;
	v->regs.x[0] = v->on_context;
	v->regs.sys.sctlr_el1 |= v->on_endian; /* DEN 0022: as the caller's */
	v->on_by = NULL;
	v->vserror = false;
}

static void push_io(struct vm *vm, struct vcpu *v)
{
	enum queue_need need;
	struct queue *told;

	if (!io_push(vm, &told, &need))
		return;
	if (need == NEED_NOTHING)
		exit_notify(v, told);
	else
		exit_need(vm, v, need);
}

/* Before an interrupt is delivered, what it is about. */
static void enter_io(struct vm *vm, struct vcpu *v)
{
	io_pull(vm);
	push_io(vm, v);
}

/* Then the guest waits again, as WFI is not over. */
static void idle_io(struct vm *vm, struct vcpu *v)
{
	spin_lock(&vm->lock);
	if (vm->state == VM_LIVE)
		push_io(vm, v);
	spin_unlock(&vm->lock);
}

/* ON, PENDING -> RUNNING. All checks are done; cannot fail. */
static void enter(struct vm *vm, struct vcpu *v, const struct entry *entry)
{
	assert_held(&vm->lock);
	guest_begin();
	if (v->state == VCPU_PENDING)
		start_vcpu(v);
	resume_apply(vm, v, entry);
	set_cntvoff(vm, entry);
	pvtime_enter(vm, v, entry->stolen);
	flush_for(vm, v);
	enter_io(vm, v);
	v->state = VCPU_RUNNING;
	vm->running++;
}

/* RUNNING -> ON, or OFF if the guest asked for it. The S-VM may go once this is done. */
static void leave(struct vm *vm, struct vcpu *v, volatile struct tv_run *page)
{
	uint64_t now = counter_now();

	exit_show(v, page);
	spin_lock(&vm->lock);
	v->left = now;
	page->late = io_late(vm, v->exit == TV_EXIT_WFX);
	v->state = v->exit == TV_EXIT_OFF ? VCPU_OFF : VCPU_ON;
	if (v->exit == TV_EXIT_OFF)
		v->exit = TV_EXIT_IRQ;
	if (--vm->running == 0)
		vm->counter_seen = now - vm->cntvoff;
	spin_unlock(&vm->lock);
	guest_end();
	guest_gic_give(page);
}

/* Is the fault over, because the normal S2PT asks for a page there already? */
static bool serve_here(struct vm *vm, struct vcpu *v)
{
	int ret = TV_ESTATE;

	if (v->exit != TV_EXIT_FAULT)
		return false;
	spin_lock(&vm->lock);
	if (vm->state == VM_LIVE)
		ret = fault_serve(vm, exit_page(v));
	if (ret == TV_OK && v->made) { /* what waited for it goes on */
		v->made = false;
		enter_io(vm, v);
	}
	spin_unlock(&vm->lock);
	return ret == TV_OK && !v->made;
}

/* After an exit that is not the N-visor's. */
static bool goes_on(struct vm *vm)
{
	if (gate_quiet())
		return true;
	atomic_fetch_add(&vm->answered, 1);
	return !gate_closed();
}

/* Till something is the N-visor's. An interrupt for the normal world ends it at the latest; a
 * guest that takes none, and faults for ever, does not delay the wipe. */
static void run_guest(struct vm *vm, struct vcpu *v)
{
	bool seen = v->made; /* else there is something to do first */

	do {
		if (!seen)
			guest_run(&v->regs, secure_pa(vm->s2.root), vm->s2.vmid, vm->cntvoff,
				  &v->vserror, &v->hw);
		seen = (seen || exit_decide(vm, v)) && !serve_here(vm, v);
		if (seen && v->exit == TV_EXIT_WFX)
			idle_io(vm, v);
	} while (!seen && goes_on(vm));
}

/* Lets the vCPU in and locks it against others. Where the N-visor is told of a page instead,
 * the page says so: TV_AGAIN, nothing backs it yet; TV_EDENIED. */
static int try_enter(struct vm *vm, uint64_t index, volatile struct tv_run *page)
{
	struct entry entry = {page->flags, page->cntvoff, page->stolen, counter_now(), page};
	struct vcpu *v;
	int ret;

	if (index >= vm->vcpus)
		return TV_ENOENT;
	v = vm->vcpu[index];
	ret = check_entry(vm, v, &entry);
	if (ret == TV_OK)
		enter(vm, v, &entry);
	else if (ret == TV_AGAIN || ret == TV_EDENIED)
		exit_show(v, page);
	return ret;
}

int vcpu_run(uint64_t handle, uint64_t index)
{
	volatile struct tv_run *page = share_page();
	struct vm *vm;
	int ret;

	if (!page)
		return TV_EFAULT;
	vm = vm_lock_state(handle, VM_LIVE, &ret);
	if (!vm)
		return ret;
	ret = try_enter(vm, index, page);
	vm_unlock(vm);
	if (ret != TV_OK)
		return ret == TV_AGAIN ? TV_OK : ret;
	run_guest(vm, vm->vcpu[index]);
	leave(vm, vm->vcpu[index], page);
	return TV_OK;
}
