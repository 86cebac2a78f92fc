// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage-2 faults of S-VMs. The normal S2PT, KVM's own table, is only a request
 * to the S-visor: it names the private page for an IPA and maps nothing. So it
 * has nothing to do with the VMM's mappings, and MMU notifiers leave it alone.
 */
#include <linux/jiffies.h>
#include <linux/kvm_host.h>
#include <linux/moduleparam.h>
#include <linux/sched/signal.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>

#include "twinvisor.h"

/* Somebody's short pin of a page that must move ends by itself; this is long. */
#define TV_PATIENCE	(10 * HZ)

/* To compare with: one page a fault, as if there were no blocks */
static bool tv_pagewise;
module_param(tv_pagewise, bool, 0644);

/* The page that the normal S2PT asks for; mem_lock is held. False: nothing yet. */
bool tv_asked(struct tv_svm *svm, phys_addr_t ipa, phys_addr_t *page)
{
	kvm_pte_t pte;
	s8 level;

	lockdep_assert_held(&svm->mem_lock);
	if (kvm_pgtable_get_leaf(svm->kvm->arch.mmu.pgt, ipa, &pte, &level) ||
	    !kvm_pte_valid(pte))
		return false;
	*page = kvm_pte_to_phys(pte) + (ipa & (kvm_granule_size(level) - 1));
	return true;
}

/* Asks for [start, end), within one block of guest addresses, to be in this block. */
static int tv_ask(struct tv_svm *svm, phys_addr_t start, phys_addr_t end, phys_addr_t block)
{
	int err;

	read_lock(&svm->kvm->mmu_lock);
	/* No cache maintenance: the page is Secure, its address not for us. */
	err = kvm_pgtable_stage2_map(svm->kvm->arch.mmu.pgt, start, end - start,
				     block + start % PMD_SIZE,
				     KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_W |
				     KVM_PGTABLE_PROT_X, &svm->cache,
				     KVM_PGTABLE_WALK_HANDLE_FAULT |
				     KVM_PGTABLE_WALK_SHARED |
				     KVM_PGTABLE_WALK_SKIP_CMO);
	read_unlock(&svm->kvm->mmu_lock);
	return err;
}

/* A fresh block for these guest addresses, of the S-VM's current chunk or of a new one */
static int tv_take_block(struct tv_svm *svm, phys_addr_t ipa, phys_addr_t *block)
{
	int err;

	if (svm->next == svm->end) {
		err = tv_chunk_claim(svm, &svm->next);
		svm->end = err ? svm->next : svm->next + TV_CHUNK_SIZE;
		if (err)
			return err;
	}
	*block = svm->next;
	svm->next += PMD_SIZE;
	tv_block_note(*block, ipa);
	return 0;
}

/*
 * Backs all of the slot in the block of guest addresses around ipa with one block.
 * The S-visor maps a whole one by one entry; of another it takes page by page what
 * it is asked for.
 */
static int tv_back(struct tv_svm *svm, struct kvm_memory_slot *slot, phys_addr_t ipa)
{
	phys_addr_t base = ALIGN_DOWN(ipa, PMD_SIZE);
	phys_addr_t start = max(base, slot->base_gfn * PAGE_SIZE);
	phys_addr_t end = min(base + PMD_SIZE, (slot->base_gfn + slot->npages) * PAGE_SIZE);
	phys_addr_t page, block;
	int err;

	if (tv_asked(svm, ipa, &page))
		return 0;
	err = kvm_mmu_topup_memory_cache(&svm->cache,
					 kvm_mmu_cache_min_pages(&svm->kvm->arch.mmu));
	if (err)
		return err;
	if (READ_ONCE(tv_pagewise)) {
		start = ipa & PAGE_MASK;
		end = start + PAGE_SIZE;
	}
	if (!READ_ONCE(tv_pagewise) || !tv_block_find(svm, base, &block)) {
		err = tv_take_block(svm, base, &block);
		if (err)
			return err;
	}
	err = tv_ask(svm, start, end, block);
	if (!err)
		svm->pages += (end - start) / PAGE_SIZE;
	return err;
}

/* For the launch, which must not be left half done. Not called with a page held. */
int tv_back_patiently(struct tv_svm *svm, struct kvm_memory_slot *slot, phys_addr_t ipa)
{
	unsigned long end = jiffies + TV_PATIENCE;
	int err;

	do {
		cond_resched();
		mutex_lock(&svm->mem_lock);
		err = tv_back(svm, slot, ipa);
		mutex_unlock(&svm->mem_lock);
	} while (err == -EBUSY && time_before(jiffies, end) &&
		 !fatal_signal_pending(current));
	return err;
}

/* ---- chunks that move ----------------------------------------------------- */

struct tv_shift {
	phys_addr_t old, new;
	bool valid;
	bool drop;
	u64 pages;		/* that were dropped */
};

static int tv_shift_leaf(const struct kvm_pgtable_visit_ctx *ctx,
			 enum kvm_pgtable_walk_flags visit)
{
	struct tv_shift *shift = ctx->arg;
	phys_addr_t offset = kvm_pte_to_phys(ctx->old) - shift->old;
	kvm_pte_t pte = ctx->old & ~(KVM_PTE_ADDR_MASK | KVM_PTE_VALID);

	if (!ctx->old || offset >= TV_CHUNK_SIZE)
		return 0;
	if (shift->drop) {
		WRITE_ONCE(*ctx->ptep, 0);
		ctx->mm_ops->put_page(ctx->ptep);
		shift->pages += kvm_granule_size(ctx->level) / PAGE_SIZE;
		return 0;
	}
	pte |= kvm_phys_to_pte(shift->new + offset);
	WRITE_ONCE(*ctx->ptep, pte | (shift->valid ? KVM_PTE_VALID : 0));
	return 0;
}

/* Every entry that names a page of the chunk. No hardware walks this table: no TLB has it. */
static bool tv_shift(struct tv_svm *svm, struct tv_chunk *c, struct tv_shift *shift)
{
	struct kvm_pgtable_walker walker = {
		.cb = tv_shift_leaf,
		.arg = shift,
		.flags = KVM_PGTABLE_WALK_LEAF,
	};
	struct kvm_pgtable *pgt;
	int i;

	lockdep_assert_held(&svm->mem_lock);
	write_lock(&svm->kvm->mmu_lock);
	pgt = svm->kvm->arch.mmu.pgt;
	for (i = 0; pgt && i < TV_CHUNK_BLOCKS; i++)
		if (shift->old + i * PMD_SIZE != svm->next || svm->next == svm->end)
			WARN_ON(kvm_pgtable_walk(pgt, c->ipa[i], PMD_SIZE, &walker));
		else
			break;	/* this one and those behind it are not used yet */
	write_unlock(&svm->kvm->mmu_lock);
	return pgt;
}

/*
 * A chunk that is about to move is asked for no more: whoever needs a page of it
 * then that it does not have yet faults, and waits for mem_lock. False: the S-VM is ending.
 */
bool tv_blocks_hide(struct tv_svm *svm, struct tv_chunk *c, phys_addr_t chunk)
{
	return tv_shift(svm, c, &(struct tv_shift) { chunk, chunk, false });
}

/* And again, where it has moved to or has stayed. */
void tv_blocks_show(struct tv_svm *svm, struct tv_chunk *c, phys_addr_t old,
		    phys_addr_t new)
{
	tv_shift(svm, c, &(struct tv_shift) { old, new, true });
	if (svm->end == old + TV_CHUNK_SIZE) {
		svm->next += new - old;
		svm->end += new - old;
	}
}

/* What was hidden is gone: whoever needs an address of it gets another page. */
void tv_blocks_drop(struct tv_svm *svm, struct tv_chunk *c, phys_addr_t chunk)
{
	struct tv_shift shift = { .old = chunk, .drop = true };

	tv_shift(svm, c, &shift);
	svm->pages -= shift.pages;
	if (svm->end == chunk + TV_CHUNK_SIZE)
		svm->next = svm->end = 0;
}

/* ---- the end -------------------------------------------------------------- */

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

/* ---- faults --------------------------------------------------------------- */

static int tv_back_vcpu(struct kvm_vcpu *vcpu, struct kvm_memory_slot *slot, phys_addr_t ipa)
{
	struct tv_svm *svm = vcpu->kvm->arch.svm;
	int err;

	if (mutex_lock_killable(&svm->mem_lock))
		return -EINTR;
	err = tv_back(svm, slot, ipa);
	mutex_unlock(&svm->mem_lock);
	return err == -EAGAIN ? 0 : err;
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

/* Flash that can be read as memory just now: the guest is shown what it holds. */
static int tv_show_flash(struct kvm_vcpu *vcpu, phys_addr_t ipa,
			 struct kvm_memory_slot *slot)
{
	unsigned long hva = gfn_to_hva_memslot_prot(slot, gpa_to_gfn(ipa), NULL);
	struct page *page;
	s64 code;

	if (kvm_vcpu_trap_is_iabt(vcpu)) {
		kvm_inject_pabt(vcpu, kvm_vcpu_get_hfar(vcpu));
		return 1;
	}
	if (get_user_pages_fast(hva, 1, 0, &page) != 1)
		return -EFAULT;
	do
		code = tv_smc(TV_VM_SHOW, vcpu->kvm->arch.svm->id, ipa & PAGE_MASK,
			      page_to_phys(page), 0, NULL);
	while (code == TV_ENOHEAP && !tv_heap_grow());
	put_page(page);
	if (code)
		kvm_inject_dabt(vcpu, kvm_vcpu_get_hfar(vcpu));
	return 1;
}

/*
 * A fault inside a memslot; called with kvm->srcu held, returns as exit handlers
 * do. A read-only slot other than the firmware's is the VMM's, and never becomes
 * private memory.
 */
int tv_handle_fault(struct kvm_vcpu *vcpu, phys_addr_t ipa,
		    struct kvm_memory_slot *slot)
{
	struct tv_svm *svm = vcpu->kvm->arch.svm;
	int err;

	if (!tv_slot_is_private(svm, slot))
		return tv_show_flash(vcpu, ipa, slot);
	err = tv_back_vcpu(vcpu, slot, ipa);
	if (tv_try_again(&svm->vcpu[vcpu->vcpu_idx], err))
		return 1;
	if (err && err != -EINTR)
		pr_warn_ratelimited("twinvisor: VMM %d: no memory for %pa: %d\n",
				    svm->pid, &ipa, err);
	return err ?: 1;
}
