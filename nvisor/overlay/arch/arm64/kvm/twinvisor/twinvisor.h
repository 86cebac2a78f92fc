/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __KVM_TWINVISOR_H
#define __KVM_TWINVISOR_H

#include <linux/kvm_host.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/xarray.h>

#include <asm/kvm_twinvisor.h>
#include <asm/twinvisor_abi.h>
#include <uapi/linux/twinvisor.h>

#include <kvm/arm_arch_timer.h>

#define TV_CHUNK_PAGES	(TV_CHUNK_SIZE / PAGE_SIZE)
#define TV_CHUNK_BLOCKS	(TV_CHUNK_SIZE / PMD_SIZE)

/* A candidate was created under an armed process, or reset, and has not run yet. */
enum tv_life { TV_CANDIDATE, TV_LAUNCHING, TV_RUNNING, TV_DEAD };

/* Written by the vCPU's own thread only. */
struct tv_vcpu {
	s64 code;		/* of the last entry */
	u64 exit;		/* TV_EXIT_* of the last entry that was accepted */
	u64 exits[TWINVISOR_EXITS];
	u64 refused;
	u64 wanted;		/* of TV_EXIT_BOUNCE: bytes; of TV_EXIT_UNUSED: a chunk */
	u64 late;		/* TV_LATE_* of the last exit: dealt with before the next entry */
	u64 lates;		/* exits that had one */
	bool pmu_line;		/* the guest's PMU overflow interrupt is asserted */
	bool pmu_masked;	/* and this CPU's own kept out of the guest's run */
	unsigned long busy;	/* jiffies when a fault first met -EBUSY; 0: none waits ... */
	unsigned long tried;	/* ... and last */
	bool resetting;		/* waits in tv_reset(), and so is not in KVM_RUN */
};

/* One chunk of a pool; under the pools' lock, ipa[] under the owner's mem_lock */
struct tv_chunk {
	struct tv_svm *owner;			/* NULL: free */
	phys_addr_t ipa[TV_CHUNK_BLOCKS];	/* where its blocks are, those that are used */
};

/* How a launch went; who reads it has no part in it. */
struct tv_log {
	struct rcu_head rcu;
	refcount_t users;
	int err;		/* of the launch */
	s64 code;		/* of the S-visor's call that failed, or 0 ... */
	u32 call;		/* ... and its number */
	u8 measurement[32];
	size_t size;
	size_t room;
	u8 bytes[];		/* the records of the measurement */
};

struct tv_svm {
	struct kvm *kvm;
	struct list_head list;	/* all S-VMs; under tv_svms_lock */
	pid_t pid;
	enum tv_life state;	/* changes under kvm->slots_lock */
	bool created;		/* the S-visor knows it as id */
	u64 id;
	u64 ram;
	u64 loaded;
	struct tv_log *draft;	/* of the launch that is under way */
	struct tv_log *log;	/* of the last one, or NULL; under tv_svms_lock */
	u64 launches;
	gfn_t firmware;		/* the slot of flash that the first vCPU starts in, or ~0 */
	struct xarray image;	/* pages that the first launch loaded */

	/*
	 * All below, and what the normal S2PT asks for; outside kvm->mmu_lock. A
	 * block serves 512 pages, so it is taken too seldom for anything cleverer.
	 */
	struct mutex mem_lock;
	struct kvm_mmu_memory_cache cache;	/* for tables of the normal S2PT */
	phys_addr_t next;	/* free block of the current chunk, up to ... */
	phys_addr_t end;	/* ... here */
	u64 chunks;
	u64 pages;
	u64 moved;		/* chunks, by compaction */
	u64 returned;		/* chunks, by the guest's balloon */

	struct mutex bounce_lock;
	struct page **bounce;		/* pinned, bounce_pages of them */
	phys_addr_t bounce_base;
	u64 bounce_pages;
	u64 bounce_most;

	u64 policy_size;	/* 0: none */
	u8 policy[TV_RUN_DATA_SIZE];

	struct tv_vcpu vcpu[TV_MAX_VCPUS];
};

/* svm.c */
extern struct list_head tv_svms;
extern struct mutex tv_svms_lock;
int tv_stop(struct tv_svm *svm);

/* launch.c */
int tv_launch_locked(struct tv_svm *svm);
bool tv_image_in(struct tv_svm *svm, gfn_t start, gfn_t end);

/* log.c */
struct tv_log *tv_log_new(void);
int tv_log_add(struct tv_log **logp, const void *bytes, size_t size);
void tv_log_put(struct tv_log *log);

/* gate.c */
DECLARE_PER_CPU(struct tv_run *, tv_page);
s64 tv_smc(u64 nr, u64 a1, u64 a2, u64 a3, u64 a4, u64 out[4]);
int tv_errno(s64 code);
int tv_share_init(void);
struct tv_run *tv_share_page(void);
void tv_share_cpu(void);

/* pool.c */
int tv_pool_init(void);
int tv_chunk_claim(struct tv_svm *svm, phys_addr_t *chunk);
bool tv_block_find(struct tv_svm *svm, phys_addr_t ipa, phys_addr_t *block);
void tv_block_note(phys_addr_t block, phys_addr_t ipa);
void tv_chunks_release(struct tv_svm *svm, bool lost);
int tv_heap_grow(void);
int tv_chunk_unused(struct tv_svm *svm, phys_addr_t chunk);
u64 tv_pool_reclaim(u64 chunks);
void tv_pool_info(struct twinvisor_info *info);
int tv_pool_stats(struct twinvisor_stats *stats);
int tv_pool_map(struct twinvisor_pool *map, s32 *owners);

/* fault.c */
bool tv_asked(struct tv_svm *svm, phys_addr_t ipa, phys_addr_t *page);
int tv_back_patiently(struct tv_svm *svm, struct kvm_memory_slot *slot, phys_addr_t ipa);
bool tv_blocks_hide(struct tv_svm *svm, struct tv_chunk *c, phys_addr_t chunk);
void tv_blocks_show(struct tv_svm *svm, struct tv_chunk *c, phys_addr_t old,
		    phys_addr_t new);
void tv_blocks_drop(struct tv_svm *svm, struct tv_chunk *c, phys_addr_t chunk);
void tv_unmap_all(struct tv_svm *svm);

/* bounce.c */
int tv_bounce_slot(struct tv_svm *svm, struct kvm_memory_slot *slot);
int tv_bounce_init(struct tv_svm *svm);
int tv_bounce_grow(struct tv_svm *svm, u64 bytes);
void tv_bounce_trim(struct tv_svm *svm);
void tv_bounce_free(struct tv_svm *svm);

/* hosted.c */
int tv_nvm_launch(struct kvm_vcpu *vcpu);
int tv_nvm_refused(struct kvm_vcpu *vcpu);

/* dev.c */
extern u32 tv_abi;	/* the S-visor's; 0: there is none */
extern u64 tv_features;	/* TV_FEATURE_*: the most that an S-VM can have */
void tv_tell_launch(struct tv_log *log);
void tv_take_policy(struct tv_svm *svm);

/* What the VMM may not write once it is launched */
static inline bool tv_slot_is_private(struct tv_svm *svm, const struct kvm_memory_slot *slot)
{
	return slot && slot->npages &&
	       (!(slot->flags & KVM_MEM_READONLY) || slot->base_gfn == svm->firmware);
}

/* Do VMs that the calling process creates become S-VMs? */
static inline bool tv_armed(void)
{
	return task_twinvisor(current);
}

/*
 * TV_VCPU_RUN or TV_NVM_RUN, the call itself. SP_EL0 is "current" here and may come
 * back as the guest's, so nothing that the compiler adds may run between the SMC and
 * its restoring.
 */
static __always_inline s64 tv_cross(u64 nr, u64 vm, u64 vcpu)
{
	register u64 x0 asm("x0") = nr;
	register u64 x1 asm("x1") = vm;
	register u64 x2 asm("x2") = vcpu;
	u64 sp_el0;

	asm volatile("mrs	%[sp_el0], sp_el0\n"
		     "smc	#0\n"
		     "msr	sp_el0, %[sp_el0]\n"
		     : [sp_el0] "=&r" (sp_el0), "+r" (x0), "+r" (x1), "+r" (x2)
		     :
		     : "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
		       "x12", "x13", "x14", "x15", "x16", "x17", "cc", "memory");
	return x0;
}

static __always_inline u64 tv_cntvoff(struct arch_timer_context *timer)
{
	struct arch_timer_offset *offset = &timer->offset;

	return (offset->vm_offset ? *offset->vm_offset : 0) +
	       (offset->vcpu_offset ? *offset->vcpu_offset : 0);
}

#endif /* __KVM_TWINVISOR_H */
