// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage-2 faults of S-VMs. The normal S2PT, KVM's own table, is only a request
 * to the S-visor: it names the private page for an IPA and maps nothing. So it
 * has nothing to do with the VMM's mappings, and MMU notifiers leave it alone.
 */
#include <linux/kvm_host.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>

#include "twinvisor.h"

/* Takes the next page of the S-VM's current chunk, a new chunk if it is full. */
int tv_page_take(struct tv_svm *svm, phys_addr_t *page)
{
	lockdep_assert_held(&svm->mem_lock);

	if (svm->next == svm->end) {
		int err = tv_chunk_claim(svm, &svm->next);

		if (err)
			return err;
		svm->end = svm->next + TV_CHUNK_SIZE;
	}
	*page = svm->next;
	svm->next += PAGE_SIZE;
	svm->pages++;
	return 0;
}

/* Undoes the last tv_page_take(). */
void tv_page_give_back(struct tv_svm *svm, phys_addr_t page)
{
	lockdep_assert_held(&svm->mem_lock);

	svm->next = page;
	svm->pages--;
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

static int tv_back(struct kvm_vcpu *vcpu, phys_addr_t ipa)
{
	struct tv_svm *svm = vcpu->kvm->arch.svm;
	phys_addr_t page;
	int err;

	mutex_lock(&svm->mem_lock);
	err = tv_page_take(svm, &page);
	if (!err) {
		read_lock(&vcpu->kvm->mmu_lock);
		err = tv_map(vcpu, ipa, page);
		read_unlock(&vcpu->kvm->mmu_lock);
		if (err)
			tv_page_give_back(svm, page);
	}
	mutex_unlock(&svm->mem_lock);
	/* Another vCPU was first: enter again, and let the S-visor look. */
	return err == -EEXIST || err == -EAGAIN ? 0 : err;
}

/*
 * A fault inside a memslot; called with kvm->srcu held, returns as exit handlers
 * do. A read-only slot is the VMM's, and never becomes private memory.
 */
int tv_handle_fault(struct kvm_vcpu *vcpu, phys_addr_t ipa,
		    struct kvm_memory_slot *slot)
{
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
	if (err)
		pr_warn_ratelimited("twinvisor: VMM %d: no memory for %pa: %d\n",
				    vcpu->kvm->arch.svm->pid, &ipa, err);
	return err ?: 1;
}
