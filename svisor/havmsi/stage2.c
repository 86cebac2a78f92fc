// SPDX-License-Identifier: BSD-3-Clause
/*
 * The host's stage 2: every address is mapped to itself, lazily and in large blocks, but for what
 * is closed: the S-visor's own memory, and the runs of protected chunks. Its tables are all made at
 * boot, since the host must be able to go on when the heap is empty.
 */
#include "host.h"
#include "leaves.h"
#include "ledger.h"
#include "log.h"

#define BLOCK_LEVEL 2
#define GIB_LEVEL 1
#define GIB (1ULL << 30)
#define TABLE_SPAN (512 * GIB) /* of the blocks of 1 GiB */
/* AF, inner shareable, read, write, fetch; Normal write-back, unless stage 1 says Device */
#define RIGHTS (S2_AF | S2_INNER | S2_READ | S2_WRITE | 15 << 2)

static struct spinlock lock;
static struct s2pt s2;
static const struct tv_manifest *board;

/* What is closed by each region; read without the lock, too. */
static struct {
	_Atomic uint64_t base, top;
} closed[TV_MAX_POOLS];
static atomic_uint regions; /* those that have ever closed anything are below it */

/* Accesses of this CPU to ordinary memory, each in a line of its own. */
static struct {
	_Alignas(64) atomic_uint under_way;
} cpus[TV_MAX_CPUS];

static bool is_closed(uint64_t base, uint64_t size)
{
	for (unsigned i = 0, n = atomic_load(&regions); i < n; i++) {
		uint64_t from = atomic_load(&closed[i].base), to = atomic_load(&closed[i].top);

		if (from < to && ranges_overlap(base, size, from, to - from))
			return true;
	}
	return false;
}

static bool has_dram(uint64_t base, uint64_t size)
{
	for (unsigned i = 0; i < board->drams; i++) {
		if (ranges_overlap(base, size, board->dram[i].base, board->dram[i].size))
			return true;
	}
	return false;
}

/* Of DRAM blocks of 2 MiB, of which chunks are made; of all else 1 GiB. */
static void make_tables(uint64_t gib)
{
	unsigned level = has_dram(gib, GIB) ? BLOCK_LEVEL : GIB_LEVEL;

	if (level == GIB_LEVEL && gib % TABLE_SPAN)
		return;
	if (s2_reserve(&s2, IPA(gib), level) != TV_OK)
		panic("no memory for the host's stage 2");
}

void host_stage2_init(const struct tv_manifest *m)
{
	board = m;
	if ((m->base | m->size) & (BLOCK_SIZE - 1))
		panic("the S-visor's memory is not made of blocks");
	if (s2_init(&s2, HOST_VMID) != TV_OK)
		panic("no memory for the host's stage 2");
	for (uint64_t gib = 0; gib < 1ULL << guest_address_bits(); gib += GIB)
		make_tables(gib);
}

uint64_t host_stage2(void)
{
	return secure_pa(s2.root).v | (uint64_t)HOST_VMID << 48;
}

/*
 *   before: not mapped; closed, or not
 *   after:  mapped, if no byte of the block is closed
 *   why:    under the lock, so that what closes later finds the block
 */
static int map_locked(uint64_t ipa)
{
	unsigned level = has_dram(ipa & ~(GIB - 1), GIB) ? BLOCK_LEVEL : GIB_LEVEL;
	uint64_t size = level == BLOCK_LEVEL ? BLOCK_SIZE : GIB, base = ipa & ~(size - 1);

	assert_held(&lock);
	if (ranges_overlap(base, size, board->base, board->size) || is_closed(base, size))
		return TV_EDENIED;
	return s2_put(&s2, IPA(base), PA(base), level, RIGHTS);
}

int host_map(ipa_t ipa)
{
	int ret;

	if (ipa.v >> guest_address_bits())
		return TV_EDENIED;
	spin_lock(&lock);
	ret = map_locked(ipa.v);
	spin_unlock(&lock);
	return ret;
}

bool host_access(pa_t a, size_t bytes)
{
	atomic_store(&cpus[cpu_index()].under_way, 1);
	return !bytes || (ledger_in_dram(a.v, bytes) && !is_closed(a.v, bytes));
}

void host_accessed(void)
{
	atomic_store_explicit(&cpus[cpu_index()].under_way, 0, memory_order_release);
}

/* Each is short; those that begin now find what is closed. */
static void wait_for_accesses(void)
{
	for (unsigned i = 0; i < TV_MAX_CPUS; i++) {
		while (atomic_load(&cpus[i].under_way))
			cpu_relax();
	}
}

/* First closed, so that nothing begins; then what is mapped. */
static void close_locked(unsigned region, uint64_t base, uint64_t top)
{
	uint64_t old = atomic_load(&closed[region].top);

	assert_held(&lock);
	atomic_store(&closed[region].base, base);
	atomic_store(&closed[region].top, top);
	if (old < base)
		old = base;
	if (top <= old)
		return;
	if (region >= atomic_load(&regions))
		atomic_store(&regions, region + 1);
	for (uint64_t a = old; a < top; a += BLOCK_SIZE)
		s2_unmap(&s2, IPA(a));
	tlb_flush_vm(HOST_VMID);
}

/*
 *   before: the host may have [base, top) mapped, and TLBs may; copies from or to it are made
 *   after:  neither, and none begins
 */
void host_close(unsigned region, pa_t base, pa_t top)
{
	spin_lock(&lock);
	close_locked(region, base.v, top.v);
	spin_unlock(&lock);
	wait_for_accesses();
}

static uint64_t leaves_in(uint64_t base, uint64_t top)
{
	uint64_t found = 0;
	pa_t at;

	for (uint64_t a = base; a < top; a += BLOCK_SIZE)
		found += s2_lookup(&s2, IPA(a), &at);
	return found;
}

uint64_t host_audit(void)
{
	uint64_t found;

	spin_lock(&lock);
	found = leaves_in(board->base, board->base + board->size);
	for (unsigned i = 0; i < TV_MAX_POOLS; i++)
		found += leaves_in(atomic_load(&closed[i].base), atomic_load(&closed[i].top));
	spin_unlock(&lock);
	return found;
}

size_t host_tables(void)
{
	return s2.tables;
}
