// SPDX-License-Identifier: GPL-2.0-only
/*
 * A candidate becomes an S-VM: its RAM, what the VMM has put there, and its vCPUs
 * are handed to the S-visor, which measures them.
 */
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagewalk.h>
#include <linux/sched/signal.h>
#include <linux/xarray.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_mmu.h>
#include <asm/neon.h>

#include "twinvisor.h"

#define tv_call(svm, nr, a1, a2, a3, a4, out) \
	__tv_call(svm, #nr, nr, a1, a2, a3, a4, out)

/* The launch is over, and whoever started it is told why. */
static int tv_failed(struct tv_svm *svm, u64 nr, s64 code)
{
	svm->draft->call = nr;
	svm->draft->code = code;
	return tv_errno(code);
}

static int __tv_call(struct tv_svm *svm, const char *name, u64 nr,
		     u64 a1, u64 a2, u64 a3, u64 a4, u64 out[4])
{
	s64 code;

	do {
		kernel_neon_begin();	/* the S-visor hashes by vector registers */
		code = tv_smc(nr, a1, a2, a3, a4, out);
		kernel_neon_end();
	} while (code == TV_ENOHEAP && !tv_heap_grow());
	if (!code)
		return 0;
	pr_warn_ratelimited("twinvisor: VMM %d: %s(%#llx, %#llx, %#llx, %#llx) gave %lld\n",
			    svm->pid, name, a1, a2, a3, a4, code);
	return tv_failed(svm, nr, code);
}

static int tv_log_words(struct tv_svm *svm, const u64 *words, size_t size)
{
	return tv_log_add(&svm->draft, words, size);
}

/*
 * The image is what the first launch loaded: a reboot loads those pages again and
 * no others, since devices may have written to others by then. 32 pages an entry.
 */
#define TV_IMAGE_PAGES	32

static u32 tv_image_mask(struct tv_svm *svm, gfn_t gfn)
{
	return xa_to_value(xa_load(&svm->image, gfn / TV_IMAGE_PAGES));
}

static bool tv_image_has(struct tv_svm *svm, gfn_t gfn)
{
	return tv_image_mask(svm, gfn) & BIT(gfn % TV_IMAGE_PAGES);
}

static int tv_image_add(struct tv_svm *svm, gfn_t gfn)
{
	u32 mask = tv_image_mask(svm, gfn) | BIT(gfn % TV_IMAGE_PAGES);

	return xa_err(xa_store(&svm->image, gfn / TV_IMAGE_PAGES, xa_mk_value(mask),
			       GFP_KERNEL_ACCOUNT));
}

/* Does any page of [start, end) belong to it? */
bool tv_image_in(struct tv_svm *svm, gfn_t start, gfn_t end)
{
	unsigned long last = (end - 1) / TV_IMAGE_PAGES, at = start / TV_IMAGE_PAGES;
	void *entry;

	xa_for_each_range(&svm->image, at, entry, start / TV_IMAGE_PAGES, last)
		return true;
	return false;
}

/* One page of the shared view -> its private page, measured. Zeros need none. */
static int tv_load_page(struct tv_svm *svm, phys_addr_t ipa, struct page *from)
{
	u64 record[6] = { TV_MEASURE_PAGE, ipa };
	phys_addr_t page;
	bool asked;
	int err;

	if (!memchr_inv(page_address(from), 0, PAGE_SIZE))
		return 0;
	err = tv_image_add(svm, PHYS_PFN(ipa));
	if (err)
		return err;
	/* An S-VM that is being launched does not move. */
	mutex_lock(&svm->mem_lock);
	asked = tv_asked(svm, ipa, &page);
	mutex_unlock(&svm->mem_lock);
	if (WARN_ON(!asked))
		return -EIO;
	err = tv_call(svm, TV_VM_LOAD, svm->id, ipa, page_to_phys(from), page, record + 2);
	if (err)
		return err;
	svm->loaded++;
	return tv_log_words(svm, record, sizeof(record));
}

/* Which pages of one PMD's range have content */
#define TV_SPAN PMD_SIZE

struct tv_span {
	DECLARE_BITMAP(page, TV_SPAN / PAGE_SIZE);
};

static void tv_span_set(struct mm_walk *walk, unsigned long from, unsigned long to)
{
	struct tv_span *span = walk->private;

	bitmap_set(span->page, (from % TV_SPAN) >> PAGE_SHIFT, (to - from) >> PAGE_SHIFT);
}

/*
 * Not mapped, but content all the same where it is a file's: of shmem (memfd) what
 * its cache or swap holds, of other files anything, as get_dump_page() will tell.
 */
static int tv_see_hole(unsigned long addr, unsigned long next, int depth,
		       struct mm_walk *walk)
{
	struct vm_area_struct *vma = walk->vma;

	if (!vma || vma_is_anonymous(vma))
		return 0;
	for (; addr < next; addr += PAGE_SIZE)
		if (!vma_is_shmem(vma) || xa_load(&vma->vm_file->f_mapping->i_pages,
						  linear_page_index(vma, addr)))
			tv_span_set(walk, addr, addr + PAGE_SIZE);
	return 0;
}

static int tv_see_pmd(pmd_t *pmd, unsigned long addr, unsigned long next,
		      struct mm_walk *walk)
{
	if (pmd_leaf(pmdp_get_lockless(pmd))) {
		tv_span_set(walk, addr, next);
		walk->action = ACTION_CONTINUE;
	}
	return 0;
}

static int tv_see_pte(pte_t *pte, unsigned long addr, unsigned long next,
		      struct mm_walk *walk)
{
	if (!pte_none(ptep_get(pte)))
		tv_span_set(walk, addr, next);
	else
		tv_see_hole(addr, next, -1, walk);
	return 0;
}

static int tv_see_hugetlb(pte_t *pte, unsigned long hmask, unsigned long addr,
			  unsigned long next, struct mm_walk *walk)
{
	tv_span_set(walk, addr, next);
	return 0;
}

static const struct mm_walk_ops tv_see = {
	.pmd_entry = tv_see_pmd,
	.pte_entry = tv_see_pte,
	.pte_hole = tv_see_hole,
	.hugetlb_entry = tv_see_hugetlb,
	.walk_lock = PGWALK_RDLOCK,
};

/* Finds, without populating anything, the pages to load in [hva, end). */
static int tv_look(unsigned long hva, unsigned long end, struct tv_span *span)
{
	int err;

	bitmap_zero(span->page, TV_SPAN / PAGE_SIZE);
	if (mmap_read_lock_killable(current->mm))
		return -EINTR;
	err = walk_page_range(current->mm, hva, end, &tv_see, span);
	mmap_read_unlock(current->mm);
	return err;
}

static int tv_load_hva(struct tv_svm *svm, struct kvm_memory_slot *slot, phys_addr_t ipa,
		       unsigned long hva)
{
	struct page *page;
	int err;

	if (svm->launches && !tv_image_has(svm, PHYS_PFN(ipa)))
		return 0;
	/* First, since a new chunk may have to be emptied of this very page. */
	err = tv_back_patiently(svm, slot, ipa);
	if (err)
		return err;
	page = get_dump_page(hva);
	if (!page)
		return 0;
	err = tv_load_page(svm, ipa, page);
	put_page(page);
	return err;
}

/* [hva, end) lies within one span */
static int tv_load_span(struct tv_svm *svm, struct kvm_memory_slot *slot, phys_addr_t ipa,
			unsigned long hva, unsigned long end)
{
	struct tv_span span;
	int err = tv_look(hva, end, &span);

	for (; !err && hva < end; hva += PAGE_SIZE, ipa += PAGE_SIZE)
		if (test_bit((hva % TV_SPAN) >> PAGE_SHIFT, span.page))
			err = tv_load_hva(svm, slot, ipa, hva);
	cond_resched();
	if (fatal_signal_pending(current))
		err = -EINTR;
	return err;
}

static int tv_load_slot(struct tv_svm *svm, struct kvm_memory_slot *slot)
{
	unsigned long hva = slot->userspace_addr;
	unsigned long end = hva + slot->npages * PAGE_SIZE;
	phys_addr_t ipa = slot->base_gfn * PAGE_SIZE;
	int err = 0;

	while (!err && hva < end) {
		unsigned long to = min(end, ALIGN_DOWN(hva, TV_SPAN) + TV_SPAN);

		err = tv_load_span(svm, slot, ipa, hva, to);
		ipa += to - hva;
		hva = to;
	}
	return err;
}

/* In address order, and all ranges before all contents: as it is measured. */
static int tv_each_ram(struct tv_svm *svm,
		       int (*fn)(struct tv_svm *, struct kvm_memory_slot *))
{
	struct kvm_memslots *slots = kvm_memslots(svm->kvm);
	struct kvm_memslot_iter iter;
	int err = 0;

	kvm_for_each_memslot_in_gfn_range(&iter, slots, 0, U64_MAX) {
		if (!tv_slot_is_private(svm, iter.slot))
			continue;
		err = fn(svm, iter.slot);
		if (err)
			break;
	}
	return err;
}

/* Flash that the VM starts in holds its firmware, which is private and measured as RAM is. */
static void tv_find_firmware(struct tv_svm *svm)
{
	gfn_t pc = gpa_to_gfn(*vcpu_pc(kvm_get_vcpu(svm->kvm, 0)));
	struct kvm_memory_slot *slot = gfn_to_memslot(svm->kvm, pc);

	svm->firmware = slot && slot->flags & KVM_MEM_READONLY ? slot->base_gfn : ~0ULL;
}

static int tv_declare_slot(struct tv_svm *svm, struct kvm_memory_slot *slot)
{
	u64 record[] = {
		TV_MEASURE_RAM, slot->base_gfn * PAGE_SIZE, slot->npages * PAGE_SIZE
	};

	svm->ram += record[2];
	return tv_call(svm, TV_VM_RAM, svm->id, record[1], record[2], 0, NULL) ?:
	       tv_log_words(svm, record, sizeof(record));
}

static int tv_log_vcpu(struct tv_svm *svm, struct kvm_vcpu *vcpu)
{
	u64 record[4 + 31] = {
		TV_MEASURE_VCPU, kvm_vcpu_get_mpidr_aff(vcpu),
		kvm_arm_vcpu_stopped(vcpu) ? 0 : TV_VCPU_ON, *vcpu_pc(vcpu)
	};

	memcpy(record + 4, vcpu_gp_regs(vcpu)->regs, 31 * sizeof(u64));
	return tv_log_words(svm, record, sizeof(record));
}

/* Its registers go by the shared page of the CPU that this is. */
static s64 tv_smc_create_vcpu(struct tv_svm *svm, struct kvm_vcpu *vcpu, u64 out[4])
{
	u64 flags = kvm_arm_vcpu_stopped(vcpu) ? 0 : TV_VCPU_ON;
	struct tv_run *run;
	s64 code;

	preempt_disable();
	run = tv_share_page();
	memcpy(run->gpr, vcpu_gp_regs(vcpu)->regs, sizeof(run->gpr));
	run->pc = *vcpu_pc(vcpu);
	code = tv_smc(TV_VCPU_CREATE, svm->id, kvm_vcpu_get_mpidr_aff(vcpu), flags, 0, out);
	preempt_enable();
	return code;
}

static int tv_create_vcpu(struct tv_svm *svm, struct kvm_vcpu *vcpu)
{
	u64 out[4];
	s64 code;

	do
		code = tv_smc_create_vcpu(svm, vcpu, out);
	while (code == TV_ENOHEAP && !tv_heap_grow());
	if (code) {
		pr_warn_ratelimited("twinvisor: VMM %d: TV_VCPU_CREATE gave %lld\n",
				    svm->pid, code);
		return tv_failed(svm, TV_VCPU_CREATE, code);
	}
	return out[0] == vcpu->vcpu_idx ? tv_log_vcpu(svm, vcpu) : -EIO;
}

static int tv_create_vcpus(struct tv_svm *svm)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;
	int err;

	kvm_for_each_vcpu(i, vcpu, svm->kvm) {
		err = tv_create_vcpu(svm, vcpu);
		if (err)
			return err;
	}
	return 0;
}

/* Of what KVM gives this vCPU, as much as the S-visor can */
static u64 tv_vcpu_features(struct kvm_vcpu *vcpu)
{
	u64 sve = vcpu_has_sve(vcpu) ? vcpu_sve_max_vq(vcpu) : 0;
	u64 features = min(sve, tv_features & TV_FEATURE_SVE);

	if (kvm_vcpu_has_pmu(vcpu))
		features |= tv_features & TV_FEATURE_PMU;
	return features;
}

/* What an S-VM cannot have, found in time to say so */
static int tv_check_vm(struct kvm *kvm)
{
	u64 features = tv_vcpu_features(kvm_get_vcpu(kvm, 0));
	struct kvm_vcpu *vcpu;
	unsigned long i;

	if (atomic_read(&kvm->online_vcpus) > TV_MAX_VCPUS)
		return -E2BIG;
	if (kvm->arch.vgic.vgic_model != KVM_DEV_TYPE_ARM_VGIC_V3 || kvm_has_mte(kvm) ||
	    test_bit(KVM_ARCH_FLAG_VM_COUNTER_OFFSET, &kvm->arch.flags))
		return -EOPNOTSUPP;
	kvm_for_each_vcpu(i, vcpu, kvm) {
		if (!kvm_vcpu_initialized(vcpu))
			return -ENOEXEC;
		if (vcpu_has_nv(vcpu) || vcpu_el1_is_32bit(vcpu))
			return -EOPNOTSUPP;
		if (tv_vcpu_features(vcpu) != features)
			return -EINVAL;
	}
	return 0;
}

static int tv_create(struct tv_svm *svm)
{
	struct kvm_s2_mmu *mmu = &svm->kvm->arch.mmu;
	u64 head[] = { TV_MEASURE_HEAD, TV_MEASURE_CPU, 0 };
	u64 out[4];
	int err;

	err = tv_check_vm(svm->kvm);
	if (err)
		return err;
	head[2] = tv_vcpu_features(kvm_get_vcpu(svm->kvm, 0));
	mutex_lock(&tv_svms_lock);
	err = tv_call(svm, TV_VM_CREATE, mmu->pgd_phys, mmu->pgt->ia_bits,
		      mmu->pgt->start_level, head[2], out);
	if (!err) {
		svm->id = out[0];
		svm->created = true;
	}
	mutex_unlock(&tv_svms_lock);
	return err ?: tv_log_words(svm, head, sizeof(head));
}

/* By the shared page of the CPU that this is */
static s64 tv_smc_policy(struct tv_svm *svm)
{
	s64 code;

	kernel_neon_begin();
	preempt_disable();
	memcpy((void *)tv_share_page() + TV_RUN_DATA, svm->policy, svm->policy_size);
	code = tv_smc(TV_VM_POLICY, svm->id, svm->policy_size, 0, 0, NULL);
	preempt_enable();
	kernel_neon_end();
	return code;
}

/* First of all, so that one that is wrong costs no launch. */
static int tv_give_policy(struct tv_svm *svm)
{
	s64 code;

	if (!svm->policy_size)
		return 0;
	do
		code = tv_smc_policy(svm);
	while (code == TV_AGAIN || (code == TV_ENOHEAP && !tv_heap_grow()));
	if (!code)
		return 0;
	pr_warn_ratelimited("twinvisor: VMM %d: TV_VM_POLICY gave %lld\n", svm->pid, code);
	return tv_failed(svm, TV_VM_POLICY, code);
}

/* An S-VM too small for any just has no virtio devices. */
static int tv_give_bounce(struct tv_svm *svm)
{
	int err = tv_each_ram(svm, tv_bounce_slot);

	if (err || !svm->bounce_most)
		return err;
	return tv_bounce_init(svm) ?: tv_call(svm, TV_VM_BOUNCE, svm->id, svm->bounce_base,
					      svm->bounce_most, 0, NULL);
}

/* What its policy refuses has a measurement all the same. */
static int tv_seal(struct tv_svm *svm)
{
	int err = tv_call(svm, TV_VM_SEAL, svm->id, 0, 0, 0, NULL);
	u64 out[4];
	s64 code = tv_smc(TV_VM_MEASUREMENT, svm->id, 0, 0, 0, out);

	if (!code)
		memcpy(svm->draft->measurement, out, sizeof(svm->draft->measurement));
	return err ?: tv_errno(code);
}

/* The draft becomes what everybody can read. */
static void tv_log_done(struct tv_svm *svm, int err)
{
	struct tv_log *old;

	svm->draft->err = err;
	tv_tell_launch(svm->draft);
	mutex_lock(&tv_svms_lock);
	old = svm->log;
	svm->log = svm->draft;
	mutex_unlock(&tv_svms_lock);
	svm->draft = NULL;
	tv_log_put(old);
}

/*
 * Candidate -> running, or dead: it never runs, but registers can be read, which
 * QEMU does to say where it failed. kvm->slots_lock is held.
 */
int tv_launch_locked(struct tv_svm *svm)
{
	int err;

	svm->draft = tv_log_new();
	if (!svm->draft)
		return -ENOMEM;
	WRITE_ONCE(svm->state, TV_LAUNCHING);
	err = tv_create(svm);
	tv_find_firmware(svm);
	if (!err)
		err = tv_give_policy(svm);
	if (!err)
		err = tv_each_ram(svm, tv_declare_slot);
	if (!err)
		err = tv_each_ram(svm, tv_load_slot);
	if (!err)
		err = tv_give_bounce(svm);
	if (!err)
		err = tv_create_vcpus(svm);
	if (!err)
		err = tv_seal(svm);
	if (err) {
		pr_warn_ratelimited("twinvisor: VMM %d: launch failed: %d\n", svm->pid, err);
		tv_stop(svm);
	} else {
		svm->launches++;
	}
	tv_log_done(svm, err);
	smp_store_release(&svm->state, err ? TV_DEAD : TV_RUNNING);
	return err;
}
