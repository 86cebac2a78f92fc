// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bounce memory: pages of the VMM's, in which the back ends of an S-VM's devices
 * find rings and buffers, and to which the S-visor copies. They are at guest
 * addresses that lie in RAM, for else neither VMM nor vhost would know them; what the
 * guest has there itself is private and elsewhere. Pinned while they are in use.
 */
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched/mm.h>

#include "trace.h"
#include "twinvisor.h"

/* The most that an S-VM may have, in KiB; and no more than an eighth of its RAM */
static unsigned int tv_bounce_kib = 16384;
module_param(tv_bounce_kib, uint, 0644);

#define TV_BOUNCE_ALIGN	(SZ_64K / PAGE_SIZE)	/* as the S-visor has it */
#define TV_BOUNCE_STEP	64	/* pages: less is not worth an exit */
#define TV_BOUNCE_CALL	(TV_RUN_DATA_SIZE / sizeof(u64))

/* The lowest address of the highest `pages` pages of the slot that no image lies in and
 * no line of 4 GiB; or 0 */
static phys_addr_t tv_bounce_in(struct tv_svm *svm, struct kvm_memory_slot *slot, u64 pages)
{
	gfn_t end = round_down(slot->base_gfn + slot->npages, TV_BOUNCE_ALIGN);

	for (; end >= slot->base_gfn + pages; end -= pages)
		if (!tv_image_in(svm, end - pages, end) &&
		    (end - pages) >> (32 - PAGE_SHIFT) == (end - 1) >> (32 - PAGE_SHIFT))
			return gfn_to_gpa(end - pages);
	return 0;
}

static u64 tv_bounce_size(struct kvm_memory_slot *slot)
{
	u64 most = min_t(u64, READ_ONCE(tv_bounce_kib) * 1024ULL / PAGE_SIZE, TV_MAX_BOUNCE);

	return round_down(min_t(u64, most, slot->npages / 8), TV_BOUNCE_ALIGN);
}

/**
 * tv_bounce_slot - consider a slot for the bounce memory
 * @svm: the S-VM, whose image is known
 * @slot: RAM; the largest is taken
 */
int tv_bounce_slot(struct tv_svm *svm, struct kvm_memory_slot *slot)
{
	u64 pages = slot->flags & KVM_MEM_READONLY ? 0 : tv_bounce_size(slot);
	phys_addr_t base = pages ? tv_bounce_in(svm, slot, pages) : 0;

	if (base && pages > svm->bounce_most) {
		svm->bounce_base = base;
		svm->bounce_most = pages;
	}
	return 0;
}

/* Room for the addresses of all pages that there may be */
int tv_bounce_init(struct tv_svm *svm)
{
	svm->bounce = kvcalloc(svm->bounce_most, sizeof(*svm->bounce), GFP_KERNEL_ACCOUNT);
	return svm->bounce ? 0 : -ENOMEM;
}

/* The S-visor has all but the last `pages` of them no longer. */
static void tv_bounce_unpin(struct tv_svm *svm, u64 pages)
{
	if (pages >= svm->bounce_pages)
		return;
	unpin_user_pages_dirty_lock(svm->bounce + pages, svm->bounce_pages - pages, true);
	svm->bounce_pages = pages;
}

/* The S-visor does not know the S-VM any more. */
void tv_bounce_free(struct tv_svm *svm)
{
	mutex_lock(&svm->bounce_lock);
	tv_bounce_unpin(svm, 0);
	kvfree(svm->bounce);
	svm->bounce = NULL;
	svm->bounce_most = 0;
	mutex_unlock(&svm->bounce_lock);
}

/* Pins up to `pages` more; gives how many, or an error. */
static long tv_bounce_pin(struct tv_svm *svm, u64 pages)
{
	gfn_t gfn = gpa_to_gfn(svm->bounce_base) + svm->bounce_pages;
	unsigned long hva;
	int idx;

	idx = srcu_read_lock(&svm->kvm->srcu);
	hva = gfn_to_hva(svm->kvm, gfn);
	srcu_read_unlock(&svm->kvm->srcu, idx);
	if (kvm_is_error_hva(hva))
		return -EFAULT;
	return pin_user_pages_fast(hva, pages, FOLL_WRITE | FOLL_LONGTERM,
				   svm->bounce + svm->bounce_pages);
}

/* By the shared page of the CPU that this is */
static s64 tv_bounce_smc(struct tv_svm *svm, u64 pages)
{
	u64 *list;
	s64 code;
	u64 i;

	preempt_disable();
	list = (void *)tv_share_page() + TV_RUN_DATA;
	for (i = 0; i < pages; i++)
		list[i] = page_to_phys(svm->bounce[svm->bounce_pages + i]);
	code = tv_smc(TV_BOUNCE_ADD, svm->id, pages, 0, 0, NULL);
	preempt_enable();
	return code;
}

static int tv_bounce_step(struct tv_svm *svm, u64 pages)
{
	long pinned = tv_bounce_pin(svm, min(pages, TV_BOUNCE_CALL));
	s64 code;

	if (pinned <= 0)
		return pinned ?: -EFAULT;
	code = tv_bounce_smc(svm, pinned);
	svm->bounce_pages += pinned;
	if (code)
		tv_bounce_unpin(svm, svm->bounce_pages - pinned);
	return tv_errno(code);
}

/**
 * tv_bounce_grow - gives an S-VM more bounce memory, after TV_EXIT_BOUNCE
 * @svm: the S-VM, of the calling process
 * @bytes: how much is wanted in a row
 *
 * Returns 0, also if it has all that it may have, or an error.
 */
int tv_bounce_grow(struct tv_svm *svm, u64 bytes)
{
	u64 pages = max_t(u64, DIV_ROUND_UP(min_t(u64, bytes, SZ_1G), PAGE_SIZE), TV_BOUNCE_STEP);
	int err = 0;
	u64 end;

	mutex_lock(&svm->bounce_lock);
	end = min(svm->bounce_pages + pages, svm->bounce_most);
	while (!err && svm->bounce_pages < end)
		err = tv_bounce_step(svm, end - svm->bounce_pages);
	trace_tv_bounce(svm, bytes);
	mutex_unlock(&svm->bounce_lock);
	if (err)
		pr_warn_ratelimited("twinvisor: VMM %d: no bounce memory: %d\n", svm->pid, err);
	return err;
}

/* Lets go of what is not in use. */
void tv_bounce_trim(struct tv_svm *svm)
{
	u64 out[4];

	mutex_lock(&svm->bounce_lock);
	if (svm->bounce_pages && !tv_smc(TV_BOUNCE_TRIM, svm->id, 0, 0, 0, out))
		tv_bounce_unpin(svm, out[0]);
	trace_tv_bounce(svm, 0);
	mutex_unlock(&svm->bounce_lock);
}
