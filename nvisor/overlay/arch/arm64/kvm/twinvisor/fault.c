// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage-2 faults of S-VMs. The normal S2PT, KVM's own table, is only a request
 * to the S-visor: it names the private page for an IPA and maps nothing. So it
 * has nothing to do with the VMM's mappings, and MMU notifiers leave it alone.
 */
#include <linux/jiffies.h>
#include <linux/kvm_host.h>
#include <linux/sched/signal.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>

#include "twinvisor.h"

/* Somebody's short pin of a page that must move ends by itself; this is long. */
#define TV_PATIENCE	(10 * HZ)

/* Makes sure of a free page in the S-VM's current chunk: a new chunk if it is full. */
int tv_page_reserve(struct tv_svm *svm)
{
	int err;

	lockdep_assert_held(&svm->mem_lock);
	if (svm->next != svm->end)
		return 0;
	err = tv_chunk_claim(svm, &svm->next);
	svm->end = err ? svm->next : svm->next + TV_CHUNK_SIZE;
	return err;
}

/* For the launch, which must not be left half done. Not called with a page held. */
int tv_page_reserve_patiently(struct tv_svm *svm)
{
	unsigned long end = jiffies + TV_PATIENCE;
	int err;

	do {
		cond_resched();
		mutex_lock(&svm->mem_lock);
		err = tv_page_reserve(svm);
		mutex_unlock(&svm->mem_lock);
	} while (err == -EBUSY && time_before(jiffies, end) &&
		 !fatal_signal_pending(current));
	return err;
}

/* Takes a page that was reserved. */
phys_addr_t tv_page_take(struct tv_svm *svm)
{
	phys_addr_t page = svm->next;

	lockdep_assert_held(&svm->mem_lock);
	svm->next += PAGE_SIZE;
	svm->pages++;
	return page;
}

static int tv_map(struct kvm_vcpu *vcpu, phys_addr_t ipa, phys_addr_t page)
{
	struct kvm_pgtable *pgt = vcpu->arch.hw_mmu->pgt;
	kvm_pte_t pte;
	s8 level;
	int err;

	err = kvm_pgtable_get_leaf(pgt, ipa, &pte, &level);
	if (err)
		return err;
	if (kvm_pte_valid(pte))
		return -EEXIST;
	/* No cache maintenance: the page is Secure, its address not for us. */
	return kvm_pgtable_stage2_map(pgt, ipa, PAGE_SIZE, page,
				      KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_W |
				      KVM_PGTABLE_PROT_X,
				      &vcpu->arch.mmu_page_cache,
				      KVM_PGTABLE_WALK_HANDLE_FAULT |
				      KVM_PGTABLE_WALK_SHARED |
				      KVM_PGTABLE_WALK_SKIP_CMO);
}

static int tv_unmap_leaf(const struct kvm_pgtable_visit_ctx *ctx,
			 enum kvm_pgtable_walk_flags visit)
{
	if (!kvm_pte_valid(ctx->old))
		return 0;
	WRITE_ONCE(*ctx->ptep, 0);
	ctx->mm_ops->put_page(ctx->ptep);
	return 0;
}

/*
 * Nothing is asked for any more, and the S-VM has no chunk. Not by KVM's own unmapping,
 * which would clean the caches of pages that are not for us; nor is there a TLB to flush.
 */
void tv_unmap_all(struct tv_svm *svm)
{
	struct kvm_pgtable *pgt = svm->kvm->arch.mmu.pgt;
	struct kvm_pgtable_walker walker = {
		.cb = tv_unmap_leaf,
		.flags = KVM_PGTABLE_WALK_LEAF,
	};
	u64 ipa;

	mutex_lock(&svm->mem_lock);
	write_lock(&svm->kvm->mmu_lock);
	for (ipa = 0; ipa < BIT(pgt->ia_bits); ipa += SZ_1G) {
		WARN_ON(kvm_pgtable_walk(pgt, ipa, SZ_1G, &walker));
		cond_resched_rwlock_write(&svm->kvm->mmu_lock);
	}
	write_unlock(&svm->kvm->mmu_lock);
	svm->next = 0;
	svm->end = 0;
	svm->pages = 0;
	mutex_unlock(&svm->mem_lock);
}

static int tv_back(struct kvm_vcpu *vcpu, phys_addr_t ipa)
{
	struct tv_svm *svm = vcpu->kvm->arch.svm;
	int err;

	if (mutex_lock_killable(&svm->mem_lock))
		return -EINTR;
	err = tv_page_reserve(svm);
	if (!err) {
		read_lock(&vcpu->kvm->mmu_lock);
		err = tv_map(vcpu, ipa, svm->next);
		read_unlock(&vcpu->kvm->mmu_lock);
		if (!err)
			tv_page_take(svm);
	}
	mutex_unlock(&svm->mem_lock);
	/* Another vCPU was first: enter again, and let the S-visor look. */
	return err == -EEXIST || err == -EAGAIN ? 0 : err;
}

/*
 * May the fault be tried again? Then the vCPU goes round KVM's loop, which heeds
 * signals and the scheduler, and meets the same fault.
 */
static bool tv_try_again(struct tv_vcpu *tvcpu, int err)
{
	if (err != -EBUSY) {
		tvcpu->busy = 0;
		return false;
	}
	/* Anew, if it has been paused, or has had no need to ask, since. */
	if (!tvcpu->busy || time_after(jiffies, tvcpu->tried + HZ))
		tvcpu->busy = jiffies ?: 1;
	tvcpu->tried = jiffies;
	return time_before(jiffies, tvcpu->busy + TV_PATIENCE);
}

/*
 * A fault inside a memslot; called with kvm->srcu held, returns as exit handlers
 * do. A read-only slot is the VMM's, and never becomes private memory.
 */
int tv_handle_fault(struct kvm_vcpu *vcpu, phys_addr_t ipa,
		    struct kvm_memory_slot *slot)
{
	struct tv_svm *svm = vcpu->kvm->arch.svm;
	int err;

	if (slot->flags & KVM_MEM_READONLY) {
		if (kvm_vcpu_trap_is_iabt(vcpu))
			kvm_inject_pabt(vcpu, kvm_vcpu_get_hfar(vcpu));
		else
			kvm_inject_dabt(vcpu, kvm_vcpu_get_hfar(vcpu));
		return 1;
	}
	err = kvm_mmu_topup_memory_cache(&vcpu->arch.mmu_page_cache,
					 kvm_mmu_cache_min_pages(vcpu->arch.hw_mmu));
	if (!err)
		err = tv_back(vcpu, ipa);
	if (tv_try_again(&svm->vcpu[vcpu->vcpu_idx], err))
		return 1;
	if (err && err != -EINTR)
		pr_warn_ratelimited("twinvisor: VMM %d: no memory for %pa: %d\n",
				    svm->pid, &ipa, err);
	return err ?: 1;
}
