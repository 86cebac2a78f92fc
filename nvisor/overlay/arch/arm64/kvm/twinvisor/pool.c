// SPDX-License-Identifier: GPL-2.0-only
/*
 * Split CMA, normal end: a pool of chunks set aside at boot and lent to the
 * buddy allocator for movable pages until S-VMs need them.
 *
 * The S-visor keeps the Secure part of a pool one run from the pool's start, so
 * that it costs one region of the TZC. The run grows by the chunk above it and
 * shrinks from its top; a chunk that an S-VM left stays in it, for the next.
 */
#include <linux/cma.h>
#include <linux/gfp.h>
#include <linux/kvm_host.h>
#include <linux/memblock.h>
#include <linux/set_memory.h>

#include "twinvisor.h"

struct tv_pool {
	phys_addr_t base;
	u64 id;			/* the S-visor's */
	u64 chunks;		/* none: there is no pool */
	struct mutex lock;	/* all below */
	u64 run;		/* chunks in the run, never more than chunks */
	struct tv_svm **owner;	/* of each chunk in the run; NULL: free */
};

/* Owns what an S-VM had that the S-visor would not destroy. */
static struct tv_svm tv_lost;

static phys_addr_t tv_pool_size __initdata;

static struct tv_pool tv_pool = {
	.lock = __MUTEX_INITIALIZER(tv_pool.lock),
};

static int __init tv_parse_pool(char *arg)
{
	if (!arg)
		return -EINVAL;
	tv_pool_size = ALIGN(memparse(arg, NULL), TV_CHUNK_SIZE);
	return 0;
}
early_param("tvpool", tv_parse_pool);

void __init tv_pool_reserve(void)
{
	struct cma *cma;

	if (!tv_pool_size)
		return;
	if (cma_declare_contiguous(0, tv_pool_size, 0, TV_CHUNK_SIZE, 0, false,
				   "twinvisor", &cma)) {
		pr_warn("twinvisor: no room for tvpool=%pa\n", &tv_pool_size);
		return;
	}
	tv_pool.base = cma_get_base(cma);
	tv_pool.chunks = tv_pool_size / TV_CHUNK_SIZE;
}

int __init tv_pool_init(void)
{
	struct tv_pool *pool = &tv_pool;
	u64 out[4];
	s64 code;

	if (!pool->chunks)
		return 0;
	pool->owner = kvcalloc(pool->chunks, sizeof(*pool->owner), GFP_KERNEL);
	code = pool->owner ? tv_smc(TV_POOL_ADD, pool->base,
				    pool->chunks * TV_CHUNK_SIZE, 0, 0, out) : TV_ENOMEM;
	if (code) {
		pr_warn("twinvisor: TV_POOL_ADD gave %lld\n", code);
		pool->chunks = 0;
		return tv_errno(code);
	}
	pool->id = out[0];
	return 0;
}

static unsigned long tv_chunk_pfn(struct tv_pool *pool, u64 i)
{
	return PHYS_PFN(pool->base + i * TV_CHUNK_SIZE);
}

/* An access by speculation, too, would be an error that nobody asked for. */
static void tv_set_linear_map(unsigned long pfn, bool valid)
{
	if (can_set_direct_map())
		WARN_ON(set_memory_valid((unsigned long)pfn_to_kaddr(pfn),
					 TV_CHUNK_PAGES, valid));
}

/*
 * Linux's chunk above the run -> the run's top, free. -EBUSY: a page of it is
 * pinned, most likely for a moment; then the caller tries again, unlocked.
 */
static int tv_run_grow(struct tv_pool *pool)
{
	unsigned long pfn = tv_chunk_pfn(pool, pool->run);
	int err;

	if (pool->run == pool->chunks)
		return -ENOMEM;
	err = alloc_contig_range(pfn, pfn + TV_CHUNK_PAGES, MIGRATE_CMA, GFP_KERNEL);
	if (err)
		return err;
	tv_set_linear_map(pfn, false);
	pool->run++;
	return 0;
}

static bool tv_run_free_from(struct tv_pool *pool, u64 i)
{
	for (; i < pool->run; i++)
		if (pool->owner[i])
			return false;
	return true;
}

/* Chunks from i to the run's top, ordinary for the S-visor -> Linux's. */
static u64 tv_run_cut(struct tv_pool *pool, u64 i)
{
	u64 n = pool->run - i;

	while (pool->run > i) {
		unsigned long pfn = tv_chunk_pfn(pool, --pool->run);

		tv_set_linear_map(pfn, true);
		free_contig_range(pfn, TV_CHUNK_PAGES);
	}
	return n;
}

/*
 * The run's top, if free -> Linux's. The S-visor's run is shorter than ours by
 * chunks that were claimed and then never used: those go along.
 */
static u64 tv_run_shrink(struct tv_pool *pool)
{
	u64 out[4], top;

	if (!pool->run || pool->owner[pool->run - 1])
		return 0;
	switch (tv_smc(TV_CHUNK_RETURN, pool->id, 0, 0, 0, out)) {
	case TV_OK:
		top = (out[0] - pool->base) / TV_CHUNK_SIZE;
		break;
	case TV_ENOENT:
		top = 0;
		break;
	default:
		return 0;
	}
	return tv_run_free_from(pool, top) ? tv_run_cut(pool, top) : 0;
}

/* In the S-visor's books, too, while the pool is locked: its run grows in order. */
static int tv_chunk_take(struct tv_svm *svm, phys_addr_t chunk)
{
	s64 code = tv_smc(TV_CHUNK_TAKE, svm->id, chunk, 0, 0, NULL);

	if (code)
		pr_warn_ratelimited("twinvisor: VMM %d: TV_CHUNK_TAKE(%pa) gave %lld\n",
				    svm->pid, &chunk, code);
	return tv_errno(code);
}

/* A free chunk, the lowest one -> the S-VM's. */
int tv_chunk_claim(struct tv_svm *svm, phys_addr_t *chunk)
{
	struct tv_pool *pool = &tv_pool;
	int err = 0;
	u64 i;

	if (mutex_lock_killable(&pool->lock))
		return -EINTR;
	for (i = 0; i < pool->run && pool->owner[i]; i++)
		;
	if (i == pool->run)
		err = tv_run_grow(pool);
	if (!err) {
		*chunk = PFN_PHYS(tv_chunk_pfn(pool, i));
		err = tv_chunk_take(svm, *chunk);
	}
	if (!err) {
		pool->owner[i] = svm;
		svm->chunks++;
	}
	mutex_unlock(&pool->lock);
	return err;
}

/* All chunks of an S-VM that the S-visor has destroyed -> free, Secure still; or lost. */
void tv_chunks_release(struct tv_svm *svm, bool lost)
{
	struct tv_pool *pool = &tv_pool;
	u64 i;

	mutex_lock(&pool->lock);
	for (i = 0; i < pool->run; i++)
		if (pool->owner[i] == svm)
			pool->owner[i] = lost ? &tv_lost : NULL;
	svm->chunks = 0;
	mutex_unlock(&pool->lock);
}

u64 tv_pool_reclaim(u64 chunks)
{
	struct tv_pool *pool = &tv_pool;
	u64 n = 0, got = 1;

	mutex_lock(&pool->lock);
	while (n < chunks && got) {
		got = tv_run_shrink(pool);
		n += got;
	}
	mutex_unlock(&pool->lock);
	return n;
}

static u64 tv_pool_used(struct tv_pool *pool)
{
	u64 i, used = 0;

	lockdep_assert_held(&pool->lock);
	for (i = 0; i < pool->run; i++)
		used += !!pool->owner[i];
	return used;
}

/* Lost, too, is what is marked as an S-VM's of which no S-VM knows. */
static void tv_count_lost(struct twinvisor_stats *stats)
{
	u64 claimed = 0;
	struct tv_svm *svm;

	lockdep_assert_held(&tv_svms_lock);
	list_for_each_entry(svm, &tv_svms, list) {
		stats->kvm_vms += svm->created;
		claimed += svm->chunks;
	}
	stats->lost_vms = stats->svisor_vms - min(stats->svisor_vms, stats->kvm_vms);
	/* An S-VM that is being destroyed has more chunks here than there. */
	stats->lost_chunks = stats->svisor_chunks -
			     min(stats->svisor_chunks, stats->kvm_chunks) +
			     stats->kvm_chunks - claimed;
}

/* The S-VMs' list is locked, and the pool is: neither the S-visor's record nor ours changes. */
int tv_pool_stats(struct twinvisor_stats *stats)
{
	struct tv_pool *pool = &tv_pool;
	u64 vms[4], heap[4];
	s64 code;

	mutex_lock(&pool->lock);
	code = tv_smc(TV_STATS, TV_STATS_VMS, 0, 0, 0, vms);
	if (code == TV_OK) {
		stats->svisor_vms = vms[0];
		stats->svisor_chunks = vms[1];
		stats->svisor_secure = vms[2];
		stats->kvm_chunks = tv_pool_used(pool);
		tv_count_lost(stats);
		code = tv_smc(TV_STATS, TV_STATS_HEAP, 0, 0, 0, heap);
	}
	mutex_unlock(&pool->lock);
	if (code)
		return tv_errno(code);
	stats->heap_pages = heap[0];
	stats->heap_free = heap[1];
	stats->lost_pages = heap[0] - heap[1] - heap[2];
	return 0;
}

void tv_pool_info(struct twinvisor_info *info)
{
	struct tv_pool *pool = &tv_pool;

	mutex_lock(&pool->lock);
	info->pools = !!pool->chunks;
	info->chunks_total = pool->chunks;
	info->chunks_secure = pool->run;
	info->chunks_used = tv_pool_used(pool);
	mutex_unlock(&pool->lock);
}
