// SPDX-License-Identifier: GPL-2.0-only
/*
 * Split CMA, normal end: pools of chunks set aside at boot and lent to the
 * buddy allocator for movable pages until S-VMs need them.
 *
 * The S-visor keeps the Secure part of a pool one run from the pool's start, so
 * that it costs one region of the TZC. The run grows by the chunk above it and
 * shrinks from its top; a chunk that an S-VM left stays in it, for the next. So
 * S-VMs get the lowest free chunk, and what is to shrink the run moves the
 * chunk at its top into a hole.
 */
#include <linux/cma.h>
#include <linux/gfp.h>
#include <linux/kvm_host.h>
#include <linux/memblock.h>
#include <linux/sched/signal.h>
#include <linux/pgtable.h>
#include <linux/set_memory.h>
#include <linux/shrinker.h>

#include <asm/tlbflush.h>

#include "trace.h"
#include "twinvisor.h"

struct tv_pool {
	phys_addr_t base;
	u64 id;			/* the S-visor's */
	u64 chunks;
	int nid;
	u64 run;		/* chunks in the run, never more than chunks */
	struct tv_chunk *chunk;	/* those in the run; zero above it */
};

/* Own what an S-VM had that the S-visor would not destroy, and what is the S-visor's */
static struct tv_svm tv_lost, tv_svisor;

/* tvpool=, in its order; those that were had come first in tv_pools */
static struct {
	phys_addr_t size;
	int nid;
} tv_wanted[TV_MAX_POOLS] __initdata;

static struct tv_pool tv_pools[TV_MAX_POOLS];
static unsigned int tv_nr_pools;

/*
 * Guards runs and owners. Inside tv_svms_lock and an S-VM's mem_lock; moving a
 * chunk wants its owner's, and only tries.
 */
static DEFINE_MUTEX(tv_pools_lock);

#define for_each_pool(pool) \
	for (pool = tv_pools; pool < tv_pools + tv_nr_pools; pool++)

/* ---- at boot -------------------------------------------------------------- */

/* tvpool=SIZE[@NODE][,SIZE[@NODE]]... */
static int __init tv_parse_pool(char *arg)
{
	unsigned int i;

	for (i = 0; arg && *arg && i < TV_MAX_POOLS; i++) {
		tv_wanted[i].size = ALIGN(memparse(arg, &arg), TV_CHUNK_SIZE);
		tv_wanted[i].nid = NUMA_NO_NODE;
		if (*arg == '@')
			tv_wanted[i].nid = simple_strtoul(arg + 1, &arg, 0);
		if (*arg == ',')
			arg++;
		else if (*arg)
			return -EINVAL;
	}
	return i ? 0 : -EINVAL;
}
early_param("tvpool", tv_parse_pool);

/* Aligned to its size, if that can be had: then it lies within 4 GiB, as the TZC wants. */
static struct cma __init *tv_declare(phys_addr_t size, int nid)
{
	phys_addr_t align = min_t(phys_addr_t, roundup_pow_of_two(size), SZ_4G);
	struct cma *cma;

	if (!cma_declare_contiguous_nid(0, size, 0, align, 0, false, "twinvisor", &cma, nid) ||
	    !cma_declare_contiguous_nid(0, size, 0, TV_CHUNK_SIZE, 0, false, "twinvisor",
					&cma, nid))
		return cma;
	return NULL;
}

void __init tv_pool_reserve(void)
{
	unsigned int i;

	for (i = 0; i < TV_MAX_POOLS && tv_wanted[i].size; i++) {
		struct tv_pool *pool = &tv_pools[tv_nr_pools];
		struct cma *cma = tv_declare(tv_wanted[i].size, tv_wanted[i].nid);

		if (!cma) {
			pr_warn("twinvisor: tvpool: no room for %pa\n", &tv_wanted[i].size);
			continue;
		}
		pool->base = cma_get_base(cma);
		pool->chunks = tv_wanted[i].size / TV_CHUNK_SIZE;
		tv_nr_pools++;
	}
}

static s64 __init tv_pool_add(struct tv_pool *pool)
{
	u64 out[4];
	s64 code;

	pool->nid = page_to_nid(phys_to_page(pool->base));
	pool->chunk = kvcalloc(pool->chunks, sizeof(*pool->chunk), GFP_KERNEL);
	if (!pool->chunk)
		return TV_ENOMEM;
	code = tv_smc(TV_POOL_ADD, pool->base, pool->chunks * TV_CHUNK_SIZE, 0, 0, out);
	if (code)
		kvfree(pool->chunk);
	pool->id = out[0];
	return code;
}

static unsigned long tv_shrink_count(struct shrinker *shrinker, struct shrink_control *sc);
static unsigned long tv_shrink_scan(struct shrinker *shrinker, struct shrink_control *sc);

/* A pool that the S-visor does not take stays Linux's. */
int __init tv_pool_init(void)
{
	struct shrinker *shrinker;
	unsigned int i, n = 0;

	for (i = 0; i < tv_nr_pools; i++) {
		s64 code = tv_pool_add(&tv_pools[i]);

		if (code)
			pr_warn("twinvisor: TV_POOL_ADD(%pa) gave %lld\n", &tv_pools[i].base, code);
		else
			tv_pools[n++] = tv_pools[i];
	}
	tv_nr_pools = n;

	shrinker = shrinker_alloc(0, "twinvisor");
	if (!shrinker)
		return -ENOMEM;
	shrinker->count_objects = tv_shrink_count;
	shrinker->scan_objects = tv_shrink_scan;
	shrinker->batch = TV_CHUNK_PAGES;
	shrinker->seeks = DEFAULT_SEEKS;
	shrinker_register(shrinker);
	return 0;
}

/* ---- the run -------------------------------------------------------------- */

static phys_addr_t tv_chunk_base(struct tv_pool *pool, u64 i)
{
	return pool->base + i * TV_CHUNK_SIZE;
}

/*
 * An access by speculation, too, would be an error that nobody asked for. As
 * set_memory_valid() does for a page, but that takes as long as zeroing half of it.
 */
static void tv_set_linear_map(unsigned long pfn, bool valid)
{
	unsigned long start = (unsigned long)pfn_to_kaddr(pfn);
	unsigned long addr, end = start + TV_CHUNK_SIZE;
	pte_t *pte;
	int i;

	if (!can_set_direct_map())	/* then it is not mapped by pages */
		return;
	for (addr = start; addr < end; addr += PMD_SIZE) {
		pte = virt_to_kpte(addr);
		for (i = 0; i < PTRS_PER_PTE; i++)
			__set_pte_nosync(pte + i, __pte((pte_val(__ptep_get(pte + i)) &
							 ~PTE_VALID) |
							(valid ? PTE_VALID : 0)));
	}
	dsb(ishst);
	isb();
	if (!valid)
		flush_tlb_kernel_range(start, end);
}

/*
 * Linux's chunk above the run -> the run's top, free. -EBUSY: a page of it is
 * pinned, most likely for a moment; then the caller tries again, unlocked.
 */
static int tv_run_grow(struct tv_pool *pool)
{
	unsigned long pfn = PHYS_PFN(tv_chunk_base(pool, pool->run));
	int err;

	if (pool->run == pool->chunks)
		return -ENOMEM;
	/* One folio: thousands of single pages would cost as much as the migration */
	err = alloc_contig_range(pfn, pfn + TV_CHUNK_PAGES, MIGRATE_CMA,
				 GFP_KERNEL | __GFP_COMP | __GFP_NOWARN);
	if (err)
		return err;
	tv_set_linear_map(pfn, false);
	pool->run++;
	return 0;
}

/* Chunks from i to the run's top, ordinary for the S-visor -> Linux's. */
static u64 tv_run_cut(struct tv_pool *pool, u64 i)
{
	u64 n = pool->run - i;

	while (pool->run > i) {
		unsigned long pfn = PHYS_PFN(tv_chunk_base(pool, --pool->run));

		trace_tv_chunk(TV_CHUNK_GIVEN_BACK, 0, PFN_PHYS(pfn), 0);
		pool->chunk[pool->run].owner = NULL;
		tv_set_linear_map(pfn, true);
		free_contig_range(pfn, TV_CHUNK_PAGES);
	}
	return n;
}

static bool tv_run_free_above(struct tv_pool *pool, u64 i)
{
	while (++i < pool->run)
		if (pool->chunk[i].owner)
			return false;
	return true;
}

/*
 * The run's top, if free, or the S-visor's and not in use -> Linux's. The
 * S-visor's run is shorter than ours by what it would not take: that goes along.
 */
static u64 tv_run_shrink(struct tv_pool *pool)
{
	struct tv_svm *owner = pool->run ? pool->chunk[pool->run - 1].owner : &tv_lost;
	u64 out[4], top;

	if (owner && owner != &tv_svisor)
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
	return tv_run_free_above(pool, top) ? tv_run_cut(pool, top) : 0;
}

/* The lowest free chunk of the run, or its end */
static u64 tv_run_hole(struct tv_pool *pool)
{
	u64 i;

	for (i = 0; i < pool->run && pool->chunk[i].owner; i++)
		;
	return i;
}

/* ---- chunks for S-VMs ----------------------------------------------------- */

/* In the S-visor's books, too, while the pools are locked: a run grows in order. */
static s64 tv_chunk_take(struct tv_pool *pool, u64 i, struct tv_svm *svm)
{
	u64 id = svm == &tv_svisor ? TV_SVISOR : svm->id;
	s64 code = tv_smc(TV_CHUNK_TAKE, id, tv_chunk_base(pool, i), 0, 0, NULL);

	if (!code) {
		pool->chunk[i].owner = svm;
		trace_tv_chunk(TV_CHUNK_CLAIMED, svm->pid, tv_chunk_base(pool, i), 0);
	}
	return code;
}

/* A free chunk of the pool, the lowest one -> the S-VM's */
static int tv_claim_from(struct tv_pool *pool, struct tv_svm *svm, phys_addr_t *chunk)
{
	s64 code;
	u64 i;

	do {
		i = tv_run_hole(pool);
		if (i == pool->run) {
			int err = tv_run_grow(pool);

			if (err)
				return err;
		}
		code = tv_chunk_take(pool, i, svm);
		/* The S-visor has no room for its records: this one is its own then. */
	} while (code == TV_ENOHEAP && !tv_chunk_take(pool, i, &tv_svisor));
	*chunk = tv_chunk_base(pool, i);
	if (code)
		pr_warn_ratelimited("twinvisor: VMM %d: TV_CHUNK_TAKE(%pa) gave %lld\n",
				    svm->pid, chunk, code);
	return tv_errno(code);
}

/* From this CPU's node if it has a pool; the better error of two is that one can wait for. */
static int tv_claim(struct tv_svm *svm, phys_addr_t *chunk)
{
	int nid = numa_mem_id(), err = -ENOMEM, far;
	struct tv_pool *pool;

	lockdep_assert_held(&tv_pools_lock);
	for (far = 0; far < 2; far++) {
		for_each_pool(pool) {
			int got = -ENOMEM;

			if (far == (pool->nid != nid))
				got = tv_claim_from(pool, svm, chunk);
			if (!got)
				return 0;
			if (got != -ENOMEM)
				err = got;
		}
	}
	return err;
}

int tv_chunk_claim(struct tv_svm *svm, phys_addr_t *chunk)
{
	int err;

	if (mutex_lock_killable(&tv_pools_lock))
		return -EINTR;
	err = tv_claim(svm, chunk);
	if (!err)
		svm->chunks++;
	mutex_unlock(&tv_pools_lock);
	return err;
}

/* A chunk for the S-visor, which has answered TV_ENOHEAP */
int tv_heap_grow(void)
{
	phys_addr_t chunk;
	int err;

	if (mutex_lock_killable(&tv_pools_lock))
		return -EINTR;
	err = tv_claim(&tv_svisor, &chunk);
	mutex_unlock(&tv_pools_lock);
	return err;
}

static struct tv_chunk *tv_find_chunk(phys_addr_t addr)
{
	struct tv_pool *pool;

	for_each_pool(pool)
		if (addr - pool->base < pool->chunks * TV_CHUNK_SIZE)
			return &pool->chunk[(addr - pool->base) / TV_CHUNK_SIZE];
	return NULL;
}

/* Has the current chunk a block for these guest addresses? mem_lock keeps the chunk. */
bool tv_block_find(struct tv_svm *svm, phys_addr_t ipa, phys_addr_t *block)
{
	struct tv_chunk *c = svm->end ? tv_find_chunk(svm->end - 1) : NULL;

	for (*block = svm->end - TV_CHUNK_SIZE; c && *block < svm->next; *block += PMD_SIZE)
		if (c->ipa[*block % TV_CHUNK_SIZE / PMD_SIZE] == ipa)
			return true;
	return false;
}

/* The S-VM's block at this address is for that guest address; its mem_lock keeps the chunk. */
void tv_block_note(phys_addr_t block, phys_addr_t ipa)
{
	struct tv_chunk *c = tv_find_chunk(block);

	c->ipa[block % TV_CHUNK_SIZE / PMD_SIZE] = ipa;
}

/* An S-VM's chunk -> free, or lost */
static void tv_chunk_release(struct tv_pool *pool, u64 i, struct tv_svm *owner)
{
	trace_tv_chunk(TV_CHUNK_RELEASED, pool->chunk[i].owner->pid, tv_chunk_base(pool, i), 0);
	pool->chunk[i].owner = owner;
}

/* All chunks of an S-VM that the S-visor has destroyed -> free, Secure still; or lost. */
void tv_chunks_release(struct tv_svm *svm, bool lost)
{
	struct tv_pool *pool;
	u64 i;

	mutex_lock(&tv_pools_lock);
	for_each_pool(pool)
		for (i = 0; i < pool->run; i++)
			if (pool->chunk[i].owner == svm)
				tv_chunk_release(pool, i, lost ? &tv_lost : NULL);
	svm->chunks = 0;
	mutex_unlock(&tv_pools_lock);
}

/* ---- moving and giving back ----------------------------------------------- */

static s64 tv_chunk_move(struct tv_svm *svm, phys_addr_t from, phys_addr_t to)
{
	s64 code;

	do {
		code = tv_smc(TV_CHUNK_MOVE, svm->id, from, to, 0, NULL);
		cond_resched();
	} while (code == TV_AGAIN);
	return code;
}

/*
 * The S-VM's chunk -> the free one; its mem_lock is held. What is not done is undone,
 * unless the S-VM is no more: then both chunks go its way.
 */
static bool tv_move_locked(struct tv_pool *pool, u64 from, u64 to)
{
	struct tv_chunk *source = &pool->chunk[from], *target = &pool->chunk[to];
	phys_addr_t old = tv_chunk_base(pool, from), new = tv_chunk_base(pool, to);
	struct tv_svm *svm = source->owner;

	if (READ_ONCE(svm->state) != TV_RUNNING || !tv_blocks_hide(svm, source, old))
		return false;
	if (tv_chunk_take(pool, to, svm)) {
		tv_blocks_show(svm, source, old, old);
		return false;
	}
	if (tv_chunk_move(svm, old, new)) {
		tv_blocks_show(svm, source, old, old);
		if (!tv_chunk_move(svm, new, old))
			tv_chunk_release(pool, to, NULL);
		return false;
	}
	tv_blocks_show(svm, source, old, new);
	trace_tv_chunk(TV_CHUNK_MOVED, svm->pid, old, new);
	*target = *source;
	tv_chunk_release(pool, from, NULL);
	svm->moved++;
	return true;
}

/* The run's top, if an S-VM's, -> a hole below it. False: cannot be just now. */
static bool tv_run_compact(struct tv_pool *pool)
{
	u64 to = tv_run_hole(pool), from = pool->run - 1;
	struct tv_svm *svm;
	bool moved;

	if (to == pool->run || !pool->chunk[from].owner)
		return false;
	svm = pool->chunk[from].owner;
	if (svm == &tv_lost || svm == &tv_svisor || !mutex_trylock(&svm->mem_lock))
		return false;
	moved = tv_move_locked(pool, from, to);
	mutex_unlock(&svm->mem_lock);
	return moved;
}

/* The S-VM's chunk, none of whose pages it has any more -> free; mem_lock is held. */
static void tv_free_locked(struct tv_svm *svm, phys_addr_t base)
{
	struct tv_chunk *c = tv_find_chunk(base);

	if (!c || c->owner != svm || READ_ONCE(svm->state) != TV_RUNNING ||
	    !tv_blocks_hide(svm, c, base))
		return;
	/* Denied: the guest has come back to a page of it meanwhile. */
	if (tv_smc(TV_CHUNK_FREE, svm->id, base, 0, 0, NULL)) {
		tv_blocks_show(svm, c, base, base);
		return;
	}
	tv_blocks_drop(svm, c, base);
	c->owner = NULL;
	svm->chunks--;
	svm->returned++;
}

/* After TV_EXIT_UNUSED. Returns 0 or -EINTR. */
int tv_chunk_unused(struct tv_svm *svm, phys_addr_t chunk)
{
	int err;

	if (mutex_lock_killable(&svm->mem_lock))
		return -EINTR;
	err = mutex_lock_killable(&tv_pools_lock);
	if (!err) {
		tv_free_locked(svm, chunk);
		mutex_unlock(&tv_pools_lock);
	}
	mutex_unlock(&svm->mem_lock);
	return err;
}

/* At least that many chunks -> Linux's, if they can be had, by moving if need be */
static u64 tv_reclaim_from(struct tv_pool *pool, u64 chunks)
{
	u64 n = 0;

	lockdep_assert_held(&tv_pools_lock);
	while (n < chunks && !fatal_signal_pending(current)) {
		u64 got = tv_run_shrink(pool);

		if (!got && !tv_run_compact(pool))
			break;
		n += got;
	}
	return n;
}

static u64 tv_reclaim_locked(u64 chunks)
{
	struct tv_pool *pool;
	u64 n = 0;

	for_each_pool(pool)
		if (n < chunks)
			n += tv_reclaim_from(pool, chunks - n);
	return n;
}

u64 tv_pool_reclaim(u64 chunks)
{
	u64 n;

	mutex_lock(&tv_pools_lock);
	n = tv_reclaim_locked(chunks);
	mutex_unlock(&tv_pools_lock);
	return n;
}

static u64 tv_pool_free(struct tv_pool *pool)
{
	u64 i, n = 0;

	for (i = 0; i < pool->run; i++)
		n += !pool->chunk[i].owner;
	return n;
}

/* The locks are only tried: whoever holds them may be the one that wants memory. */
static unsigned long tv_shrink_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct tv_pool *pool;
	u64 n = 0;

	if (!mutex_trylock(&tv_pools_lock))
		return 0;
	for_each_pool(pool)
		n += tv_pool_free(pool);
	mutex_unlock(&tv_pools_lock);
	return n ? n * TV_CHUNK_PAGES : SHRINK_EMPTY;
}

static unsigned long tv_shrink_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	u64 n;

	if (!mutex_trylock(&tv_pools_lock))
		return SHRINK_STOP;
	n = tv_reclaim_locked(DIV_ROUND_UP(sc->nr_to_scan, TV_CHUNK_PAGES));
	mutex_unlock(&tv_pools_lock);
	sc->nr_scanned = n * TV_CHUNK_PAGES;
	return n ? n * TV_CHUNK_PAGES : SHRINK_STOP;
}

/* ---- for /dev/twinvisor --------------------------------------------------- */

static u64 tv_pool_used(struct tv_pool *pool)
{
	u64 i, used = 0;

	for (i = 0; i < pool->run; i++)
		used += pool->chunk[i].owner && pool->chunk[i].owner != &tv_svisor;
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

static s64 tv_stats_locked(struct twinvisor_stats *stats)
{
	struct tv_pool *pool;
	u64 vms[4], heap[4];
	s64 code;

	lockdep_assert_held(&tv_pools_lock);
	code = tv_smc(TV_STATS, TV_STATS_VMS, 0, 0, 0, vms);
	if (code)
		return code;
	code = tv_smc(TV_STATS, TV_STATS_HEAP, 0, 0, 0, heap);
	if (code)
		return code;
	for_each_pool(pool)
		stats->kvm_chunks += tv_pool_used(pool);
	stats->svisor_vms = vms[0];
	stats->svisor_chunks = vms[1];
	stats->svisor_secure = vms[2];
	stats->heap_chunks = vms[3];
	stats->heap_pages = heap[0];
	stats->heap_free = heap[1];
	stats->lost_pages = heap[0] - heap[1] - heap[2];
	tv_count_lost(stats);
	return TV_OK;
}

/* The S-VMs' list is locked, and the pools are: neither the S-visor's record nor ours changes. */
int tv_pool_stats(struct twinvisor_stats *stats)
{
	s64 code;

	mutex_lock(&tv_pools_lock);
	code = tv_stats_locked(stats);
	mutex_unlock(&tv_pools_lock);
	return tv_errno(code);
}

void tv_pool_info(struct twinvisor_info *info)
{
	struct tv_pool *pool;

	mutex_lock(&tv_pools_lock);
	info->pools = tv_nr_pools;
	for_each_pool(pool) {
		info->chunks_total += pool->chunks;
		info->chunks_secure += pool->run;
		info->chunks_used += tv_pool_used(pool);
	}
	mutex_unlock(&tv_pools_lock);
}

static s32 tv_owner(struct tv_pool *pool, u64 i)
{
	struct tv_svm *svm = pool->chunk[i].owner;

	if (i >= pool->run)
		return TWINVISOR_CHUNK_LINUX;
	if (!svm)
		return TWINVISOR_CHUNK_FREE;
	if (svm == &tv_svisor)
		return TWINVISOR_CHUNK_SVISOR;
	return svm == &tv_lost ? TWINVISOR_CHUNK_LOST : svm->pid;
}

/* A pool's shape; and the owners of its chunks, as many as there is room for. */
int tv_pool_map(struct twinvisor_pool *map, s32 *owners)
{
	struct tv_pool *pool;
	u64 i;

	if (map->index >= tv_nr_pools)
		return -ENOENT;
	pool = &tv_pools[map->index];
	mutex_lock(&tv_pools_lock);
	map->node = pool->nid;
	map->base = pool->base;
	map->chunks = pool->chunks;
	map->run = pool->run;
	for (i = 0; i < min(map->room, pool->chunks); i++)
		owners[i] = tv_owner(pool, i);
	mutex_unlock(&tv_pools_lock);
	return 0;
}
