// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of an S-VM: a candidate from its creation under an armed process,
 * launched at its first KVM_RUN, a candidate again when the VMM resets it, gone
 * with its struct kvm. And what KVM's interfaces refuse for it.
 */
#include <linux/jiffies.h>
#include <linux/kvm_host.h>
#include <linux/sched/signal.h>
#include <linux/xarray.h>

#include <asm/kvm_emulate.h>

#include "twinvisor.h"

LIST_HEAD(tv_svms);
/*
 * Guards the list, and with it that what is on the list stays; and that an S-VM is
 * `created` just if the S-visor has it. Outside the pool's lock.
 */
DEFINE_MUTEX(tv_svms_lock);

int tv_init_vm(struct kvm *kvm)
{
	struct tv_svm *svm;

	if (!tv_armed())
		return 0;
	svm = kvzalloc(sizeof(*svm), GFP_KERNEL_ACCOUNT);
	if (!svm)
		return -ENOMEM;
	svm->kvm = kvm;
	svm->pid = task_tgid_nr(current);
	xa_init_flags(&svm->image, XA_FLAGS_ACCOUNT);
	mutex_init(&svm->mem_lock);
	mutex_init(&svm->bounce_lock);
	svm->cache.gfp_zero = __GFP_ZERO;
	tv_take_policy(svm);
	mutex_lock(&tv_svms_lock);
	list_add_tail(&svm->list, &tv_svms);
	mutex_unlock(&tv_svms_lock);
	kvm->arch.svm = svm;
	return 0;
}

/*
 * The S-visor destroys piece by piece. Busy can only mean that somebody else
 * runs one of its vCPUs, which no KVM does; that is not waited for without end.
 */
static s64 tv_destroy(struct tv_svm *svm)
{
	unsigned long end = jiffies + 10 * HZ;
	s64 code;

	do {
		mutex_lock(&tv_svms_lock);
		code = tv_smc(TV_VM_DESTROY, svm->id, 0, 0, 0, NULL);
		svm->created = code != TV_OK;
		mutex_unlock(&tv_svms_lock);
		cond_resched();
	} while (code == TV_AGAIN || (code == TV_EBUSY && time_before(jiffies, end)));
	return code;
}

/* Gives up all that the S-visor holds of it. If that holds on, its chunks stay its own. */
int tv_stop(struct tv_svm *svm)
{
	s64 code = svm->created ? tv_destroy(svm) : TV_OK;

	if (code)
		pr_warn_ratelimited("twinvisor: VMM %d: TV_VM_DESTROY gave %lld, %llu chunks are stuck\n",
				    svm->pid, code, svm->chunks);
	else
		tv_chunks_release(svm, false);
	tv_bounce_free(svm);
	return tv_errno(code);
}

void tv_destroy_vm(struct kvm *kvm)
{
	struct tv_svm *svm = kvm->arch.svm;

	if (!svm)
		return;
	WRITE_ONCE(svm->state, TV_DEAD);
	if (tv_stop(svm))
		tv_chunks_release(svm, true);
	mutex_lock(&tv_svms_lock);
	list_del(&svm->list);
	mutex_unlock(&tv_svms_lock);
	tv_log_put(svm->log);
	xa_destroy(&svm->image);
	kvm_mmu_free_memory_cache(&svm->cache);
	kvm->arch.svm = NULL;
	kvfree(svm);
}

bool tv_launched(struct kvm *kvm)
{
	return kvm->arch.svm && READ_ONCE(kvm->arch.svm->state) != TV_CANDIDATE;
}

/*
 * At each KVM_RUN that means to run; the first of all launches, the others wait.
 * slots_lock keeps the memslots as they are, and vcpu->mutex is held outside it.
 */
int tv_launch(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;
	struct tv_svm *svm = kvm->arch.svm;
	int err = 0;

	if (tv_hosted() && !svm)
		return tv_nvm_launch(vcpu);
	/* Pairs with the launch's end: what it has set is seen. */
	if (!svm || !vcpu->wants_to_run || smp_load_acquire(&svm->state) == TV_RUNNING)
		return 0;
	if (mutex_lock_killable(&kvm->slots_lock))
		return -EINTR;
	if (svm->state == TV_CANDIDATE)
		err = tv_launch_locked(svm);
	else if (svm->state == TV_DEAD)
		err = -EIO;
	mutex_unlock(&kvm->slots_lock);
	return err;
}

/* ---- reset ---------------------------------------------------------------- */

/* How long a VMM may take to get its vCPUs out of KVM_RUN */
#define TV_QUIET	(2 * HZ)

static void tv_unlock_vcpus(struct kvm *kvm, unsigned long *locked)
{
	unsigned long i;

	for_each_set_bit(i, locked, TV_MAX_VCPUS)
		mutex_unlock(&kvm_get_vcpu(kvm, i)->mutex);
}

/*
 * Nobody is in KVM_RUN then: each vCPU's mutex is held here, or by an ioctl that
 * waits for slots_lock in tv_reset(), as the caller's own does.
 */
static bool tv_trylock_vcpus(struct kvm *kvm, unsigned long *locked)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;

	bitmap_zero(locked, TV_MAX_VCPUS);
	kvm_for_each_vcpu(i, vcpu, kvm) {
		if (READ_ONCE(kvm->arch.svm->vcpu[i].resetting))
			continue;
		if (!mutex_trylock(&vcpu->mutex)) {
			tv_unlock_vcpus(kvm, locked);
			return false;
		}
		__set_bit(i, locked);
	}
	return true;
}

static int tv_lock_vcpus(struct kvm *kvm, unsigned long *locked)
{
	unsigned long end = jiffies + TV_QUIET;

	while (!tv_trylock_vcpus(kvm, locked)) {
		if (time_after(jiffies, end))
			return -EBUSY;
		schedule_timeout_killable(1);
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/* What an exit of the old S-VM left to be done is not for the new one. */
static void tv_forget_exits(struct kvm *kvm)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;

	kvm_for_each_vcpu(i, vcpu, kvm) {
		struct tv_vcpu *tvcpu = &kvm->arch.svm->vcpu[i];

		tvcpu->pmu_line = false;
		tvcpu->busy = 0;
		*vcpu_hcr(vcpu) &= ~HCR_VSE;
		vcpu->mmio_needed = false;
		memset(&vcpu->arch.fault, 0, sizeof(vcpu->arch.fault));
		vcpu_clear_flag(vcpu, PENDING_EXCEPTION);
		vcpu_clear_flag(vcpu, EXCEPT_MASK);
		vcpu_clear_flag(vcpu, INCREMENT_PC);
	}
}

/*
 * Running -> candidate: the S-VM and all its memory are gone, the next KVM_RUN
 * launches it from what the VMM has mapped then.
 */
static int tv_reset_locked(struct tv_svm *svm)
{
	int err = tv_stop(svm);

	if (err) {
		WRITE_ONCE(svm->state, TV_DEAD);
		kvm_vm_dead(svm->kvm);
		return err;
	}
	tv_unmap_all(svm);
	tv_forget_exits(svm->kvm);
	svm->ram = 0;
	svm->loaded = 0;
	WRITE_ONCE(svm->state, TV_CANDIDATE);
	return 0;
}

static int tv_reset_quiet(struct tv_svm *svm)
{
	DECLARE_BITMAP(locked, TV_MAX_VCPUS);
	int err;

	if (svm->state != TV_RUNNING)
		return svm->state == TV_DEAD ? -EIO : 0;
	err = tv_lock_vcpus(svm->kvm, locked);
	if (err)
		return err;
	err = tv_reset_locked(svm);
	tv_unlock_vcpus(svm->kvm, locked);
	return err;
}

/*
 * At KVM_ARM_VCPU_INIT, by which a VMM resets a vCPU. There is no such thing for
 * one vCPU of an S-VM: its state was measured, and is the S-visor's. So the first
 * ends the whole S-VM, and those of the other vCPUs find a candidate.
 */
int tv_reset(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;
	struct tv_vcpu *tvcpu;
	int err;

	if (!tv_launched(kvm))
		return 0;
	if (vcpu->vcpu_idx >= TV_MAX_VCPUS)
		return -EIO;
	tvcpu = &kvm->arch.svm->vcpu[vcpu->vcpu_idx];
	WRITE_ONCE(tvcpu->resetting, true);
	err = mutex_lock_killable(&kvm->slots_lock);
	if (err) {
		WRITE_ONCE(tvcpu->resetting, false);
		return err;
	}
	err = tv_reset_quiet(kvm->arch.svm);
	WRITE_ONCE(tvcpu->resetting, false);
	mutex_unlock(&kvm->slots_lock);
	return err;
}

/* ---- what is refused ------------------------------------------------------ */

/*
 * Capabilities that an S-VM does without, or all VMs of a hosted kernel, or but its
 * N-VMs. They are hidden from an armed process altogether, since a VMM asks /dev/kvm
 * for many of them before there is a VM.
 */
bool tv_hides_cap(struct kvm *kvm, long cap)
{
	bool svm = kvm ? kvm_vm_is_svm(kvm) : tv_armed();

	switch (cap) {
	case KVM_CAP_ARM_PMU_V3:
	case KVM_CAP_ARM_USER_IRQ:
		return tv_hosted() && !svm;
	case KVM_CAP_ARM_MTE:
	case KVM_CAP_ARM_NISV_TO_USER:
	case KVM_CAP_ARM_INJECT_EXT_DABT:
	case KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE:
	case KVM_CAP_STEAL_TIME:
		return svm;
	case KVM_CAP_ARM_EL1_32BIT:
	case KVM_CAP_COUNTER_OFFSET:
	case KVM_CAP_SET_GUEST_DEBUG:
	case KVM_CAP_SET_GUEST_DEBUG2:
	case KVM_CAP_GUEST_DEBUG_HW_BPS:
	case KVM_CAP_GUEST_DEBUG_HW_WPS:
		return svm || tv_hosted();
	default:
		return false;
	}
}

/* RAM is sealed at launch; what the S-VM writes is never the VMM's to log. */
int tv_prepare_memslot(struct kvm *kvm, const struct kvm_memory_slot *old,
		       const struct kvm_memory_slot *new)
{
	if (!kvm_vm_is_svm(kvm))
		return 0;
	if (new && new->flags & KVM_MEM_LOG_DIRTY_PAGES)
		return -EINVAL;
	if (tv_launched(kvm) && (tv_slot_is_private(kvm->arch.svm, old) ||
				 tv_slot_is_private(kvm->arch.svm, new)))
		return -EPERM;
	return 0;
}
