// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "heap.h"
#include "ledger.h"
#include "log.h"
#include "platform.h"

struct ledger ledger;

void ledger_init(const struct tv_manifest *m)
{
	memset(&ledger, 0, sizeof(ledger));
	ledger.board = *m;
}

static size_t table_pages(uint64_t size)
{
	size_t bytes = (size >> TV_CHUNK_SHIFT) * sizeof(struct chunk);

	return (bytes + TV_PAGE_SIZE - 1) / TV_PAGE_SIZE;
}

bool ledger_in_dram(uint64_t base, uint64_t size)
{
	const struct tv_manifest *b = &ledger.board;

	for (unsigned i = 0; i < b->drams; i++) {
		/* Below the bank the difference wraps, and is too large. */
		if (range_ok(base - b->dram[i].base, size, b->dram[i].size))
			return !ranges_overlap(base, size, b->base, b->size);
	}
	return false;
}

struct pool *ledger_pool(uint64_t a)
{
	for (unsigned i = 0; i < ledger.pools; i++) {
		if (a - ledger.pool[i].base < ledger.pool[i].size)
			return &ledger.pool[i];
	}
	return NULL;
}

bool ledger_ordinary(pa_t page)
{
	const struct pool *p = ledger_pool(page.v);

	return ledger_in_dram(page.v, TV_PAGE_SIZE) && (!p || page.v >= p->top);
}

static bool has_pool(uint64_t base, uint64_t size)
{
	for (unsigned i = 0; i < ledger.pools; i++) {
		if (ranges_overlap(base, size, ledger.pool[i].base, ledger.pool[i].size))
			return true;
	}
	return false;
}

static bool has_kept(uint64_t base, uint64_t size)
{
	for (unsigned i = 0; i < TV_MAX_CPUS; i++) {
		if (ledger.kept[i].v && ledger.kept[i].v - base < size)
			return true;
	}
	return false;
}

int ledger_keep(unsigned cpu, pa_t page)
{
	bool ok;

	spin_lock(&ledger.lock);
	ok = ledger_in_dram(page.v, TV_PAGE_SIZE) && !ledger_pool(page.v);
	if (ok)
		ledger.kept[cpu] = page;
	spin_unlock(&ledger.lock);
	return ok ? TV_OK : TV_EINVAL;
}

static int pool_add_locked(uint64_t base, uint64_t size)
{
	struct pool *p = &ledger.pool[ledger.pools];
	struct chunk *chunks;

	assert_held(&ledger.lock);
	if (has_pool(base, size) || has_kept(base, size))
		return TV_EINVAL;
	if (ledger.pools == TV_MAX_POOLS || ledger.pools == protect_regions())
		return TV_ENOMEM;
	if (ledger.lent) /* in which chunks, nobody knows */
		return TV_EBUSY;
	chunks = heap_alloc(table_pages(size));
	if (!chunks)
		return TV_ENOHEAP;
	*p = (struct pool){.base = base, .size = size, .top = base, .chunks = chunks};
	ledger.pools++; /* from here on it is found */
	return TV_OK;
}

int ledger_pool_add(uint64_t base, uint64_t size, uint64_t *index)
{
	int ret;

	if (!chunk_aligned(base) || !chunk_aligned(size) || !ledger_in_dram(base, size) ||
	    !protect_fits(PA(base), size))
		return TV_EINVAL;
	spin_lock(&ledger.lock);
	ret = pool_add_locked(base, size);
	*index = ledger.pools - 1;
	spin_unlock(&ledger.lock);
	return ret;
}

/* The S-visor's own memory grows by this chunk, Secure and zero. */
static void make_heap(struct chunk *c, pa_t base)
{
	heap_free(c->records, RECORD_PAGES);
	*c = (struct chunk){.state = CHUNK_HEAP, .owner = NOBODY};
	heap_add(base, TV_CHUNK_SIZE);
}

/*
 * NORMAL -> NORMAL, its pool growing
 *   before: ordinary memory just above the run
 *   after:  the same, but nobody else changes the run
 *   why:    no dirty line of the normal world may be written back to what is Secure, and
 *           flushing is long
 */
static int begin_growing(struct pool *p, struct chunk *c, unsigned vm)
{
	uint64_t *records;

	assert_held(&ledger.lock);
	if (p->growing || c->lent)
		return TV_EBUSY;
	records = vm == NOBODY ? NULL : heap_alloc(RECORD_PAGES);
	if (!records && vm != NOBODY)
		return TV_ENOHEAP;
	*c = (struct chunk){.state = CHUNK_NORMAL, .owner = vm, .records = records};
	p->growing = true;
	return TV_AGAIN;
}

/* Makes the chunk the S-VM's, if it is not and may be. */
static int reserve(struct pool *p, uint64_t a, unsigned vm)
{
	struct chunk *c = &p->chunks[chunk_number(p, a)];

	assert_held(&ledger.lock);
	switch (c->state) {
	case CHUNK_OWNED:
		return c->owner == vm ? TV_OK : TV_EDENIED;
	case CHUNK_FREE:
		/*
		 * FREE -> OWNED(vm), HEAP
		 *   before: Secure, zero, all records 0
		 *   after:  the same, but the S-VM's; or the S-visor's own
		 */
		c->state = CHUNK_OWNED;
		c->owner = vm;
		if (vm == NOBODY)
			make_heap(c, PA(a));
		return TV_OK;
	case CHUNK_NORMAL:
		return a == p->top ? begin_growing(p, c, vm) : TV_EDENIED;
	default:
		return TV_EDENIED;
	}
}

int ledger_reserve(unsigned vm, pa_t chunk)
{
	struct pool *p = ledger_pool(chunk.v);
	int ret;

	if (!chunk_aligned(chunk.v))
		return TV_EINVAL;
	if (!p)
		return TV_EDENIED;
	spin_lock(&ledger.lock);
	ret = reserve(p, chunk.v, vm);
	spin_unlock(&ledger.lock);
	return ret;
}

/*
 * NORMAL -> TAKEN(vm)
 *   before: ordinary memory just above the run, flushed, perhaps in use nevertheless
 *   after:  Secure, in the run, old contents in place
 */
static void grow(struct pool *p, struct chunk *c)
{
	pa_t base = PA(p->top);

	spin_lock(&ledger.lock);
	p->top += TV_CHUNK_SIZE;
	protect_set(p - ledger.pool, PA(p->base), PA(p->top));
	chunk_map(base);
	c->state = CHUNK_TAKEN;
	p->growing = false;
	spin_unlock(&ledger.lock);
}

/*
 * TAKEN(vm) -> OWNED(vm), HEAP
 *   before: Secure, now zero, all records 0; nobody could have a page of it
 *   after:  the same, and pages are given out
 */
static void end_taking(struct chunk *c, pa_t base)
{
	spin_lock(&ledger.lock);
	c->state = CHUNK_OWNED;
	if (c->owner == NOBODY)
		make_heap(c, base);
	spin_unlock(&ledger.lock);
}

void ledger_secure(pa_t chunk)
{
	struct pool *p = ledger_pool(chunk.v);
	struct chunk *c = &p->chunks[chunk_number(p, chunk.v)];

	ns_flush(chunk, TV_CHUNK_SIZE);
	grow(p, c);
	pages_zero(chunk, CHUNK_PAGES);
	end_taking(c, chunk);
}

/* `a` is in the pool and its chunk has records. */
static uint64_t *record_of(struct pool *p, uint64_t a)
{
	return &p->chunks[chunk_number(p, a)].records[(a & (TV_CHUNK_SIZE - 1)) >> TV_PAGE_SHIFT];
}

static struct chunk *find_chunk(uint64_t a)
{
	struct pool *p = ledger_pool(a);

	return p ? &p->chunks[chunk_number(p, a)] : NULL;
}

static bool is_owned(const struct chunk *c, unsigned vm)
{
	assert_held(&ledger.lock);
	return c && c->state == CHUNK_OWNED && c->owner == vm;
}

struct chunk *ledger_owned(unsigned vm, pa_t chunk)
{
	struct chunk *c = find_chunk(chunk.v);

	spin_lock(&ledger.lock);
	if (!is_owned(c, vm) || !chunk_aligned(chunk.v))
		c = NULL;
	spin_unlock(&ledger.lock);
	return c;
}

static uint64_t record_for(ipa_t ipa, size_t page)
{
	return (ipa.v + page * TV_PAGE_SIZE) | RECORD_USED;
}

static int claim_records(uint64_t *record, ipa_t ipa, size_t pages)
{
	assert_held(&ledger.lock);
#pragma GCC unroll 8
	for (size_t i = 0; i < pages; i++) {
		if (record[i] && record[i] != record_for(ipa, i))
			return TV_EDENIED;
	}
#pragma GCC unroll 8
	for (size_t i = 0; i < pages; i++)
		record[i] = record_for(ipa, i);
	return TV_OK;
}

int ledger_claim(unsigned vm, pa_t page, ipa_t ipa, size_t pages)
{
	struct pool *p = ledger_pool(page.v);
	int ret = TV_EDENIED;

	if (!p || !page_aligned(page.v))
		return TV_EDENIED;
	spin_lock(&ledger.lock);
	if (is_owned(find_chunk(page.v), vm))
		ret = claim_records(record_of(p, page.v), ipa, pages);
	spin_unlock(&ledger.lock);
	return ret;
}

void ledger_move_records(uint64_t *to, uint64_t *from, size_t n)
{
	spin_lock(&ledger.lock);
	for (size_t i = 0; i < n; i++) {
		if (from[i])
			to[i] = from[i];
		from[i] = 0;
	}
	spin_unlock(&ledger.lock);
}

void ledger_free(struct chunk *c)
{
	spin_lock(&ledger.lock);
	c->state = CHUNK_FREE;
	spin_unlock(&ledger.lock);
}

void ledger_unclaim(pa_t page)
{
	struct pool *p;

	pages_zero(page, 1);
	spin_lock(&ledger.lock);
	p = ledger_pool(page.v);
	if (p && *record_of(p, page.v))
		*record_of(p, page.v) = 0;
	else
		panic("unclaim of a page that nobody has");
	spin_unlock(&ledger.lock);
}

/* The first chunk of the S-VM and its base, or NULL. */
static struct chunk *find_chunk_of(unsigned vm, pa_t *base)
{
	for (struct pool *p = ledger.pool; p < ledger.pool + ledger.pools; p++) {
		for (uint64_t i = 0; i < chunk_number(p, p->top + p->growing * TV_CHUNK_SIZE);
		     i++) {
			struct chunk *c = &p->chunks[i];

			*base = PA(p->base + (i << TV_CHUNK_SHIFT));
			if (c->records && c->state != CHUNK_FREE && c->owner == vm)
				return c;
		}
	}
	return NULL;
}

static void zero_used(const struct chunk *c, pa_t base)
{
	for (size_t i = 0; i < CHUNK_PAGES; i++) {
		if (c->records[i])
			pages_zero(PA(base.v + i * TV_PAGE_SIZE), 1);
	}
}

/*
 * OWNED(vm) -> FREE
 *   before: Secure, the S-VM's contents, mapped by nobody any more
 *   after:  Secure, zero, all records 0
 *   why:    stays Secure for the next S-VM; zeroing is long, so the ledger is not locked
 *           meanwhile: the S-VM's lock keeps the chunk as it is
 */
bool ledger_free_chunk(unsigned vm)
{
	enum chunk_state state = CHUNK_FREE;
	struct chunk *c;
	pa_t base;

	spin_lock(&ledger.lock);
	c = find_chunk_of(vm, &base);
	if (c)
		state = c->state;
	spin_unlock(&ledger.lock);
	if (state !=
	    CHUNK_OWNED) /* a call on another CPU is about to make it so, or there is none */
		return c;
	zero_used(c, base);
	spin_lock(&ledger.lock);
	memset(c->records, 0, CHUNK_PAGES * sizeof(uint64_t));
	c->state = CHUNK_FREE;
	spin_unlock(&ledger.lock);
	return true;
}

/*
 * FREE, HEAP -> NORMAL
 *   before: Secure, zero, topmost of the run
 *   after:  ordinary memory above the run, zero, no alias, no records
 */
static void chunk_release(struct pool *p, struct chunk *c)
{
	assert_held(&ledger.lock);
	p->top -= TV_CHUNK_SIZE;
	chunk_unmap(PA(p->top));
	protect_set(p - ledger.pool, PA(p->base), PA(p->top));
	heap_free(c->records, RECORD_PAGES);
	*c = (struct chunk){.state = CHUNK_NORMAL};
}

/* A chunk of the heap may go once no page of it is in use. */
static bool may_release(const struct chunk *c, pa_t base)
{
	assert_held(&ledger.lock);
	return c->state == CHUNK_FREE || (c->state == CHUNK_HEAP && heap_remove(base));
}

static int return_locked(uint64_t pool, uint64_t *base)
{
	struct chunk *c;
	struct pool *p;

	if (pool >= ledger.pools)
		return TV_ENOENT;
	p = &ledger.pool[pool];
	if (p->top == p->base)
		return TV_ENOENT;
	c = &p->chunks[chunk_number(p, p->top) - 1];
	if (p->growing || !may_release(c, PA(p->top - TV_CHUNK_SIZE)))
		return TV_EBUSY;
	chunk_release(p, c);
	*base = p->top;
	return TV_OK;
}

int ledger_return(uint64_t pool, uint64_t *base)
{
	int ret;

	spin_lock(&ledger.lock);
	ret = return_locked(pool, base);
	spin_unlock(&ledger.lock);
	return ret;
}

uint64_t ledger_wipe(void)
{
	uint64_t chunks;

	spin_lock(&ledger.lock);
	for (const struct pool *p = ledger.pool; p < ledger.pool + ledger.pools; p++)
		pages_zero(PA(p->base), (p->top - p->base) / TV_PAGE_SIZE);
	chunks = ledger_count().secure;
	spin_unlock(&ledger.lock);
	return chunks;
}

static void count_chunk(const struct chunk *c, struct ledger_counts *n)
{
	n->secure += c->state != CHUNK_NORMAL;
	n->owned += c->state == CHUNK_OWNED || (c->state == CHUNK_TAKEN && c->owner != NOBODY);
	n->heap += c->state == CHUNK_HEAP;
	n->records += c->records ? RECORD_PAGES : 0;
}

struct ledger_counts ledger_count(void)
{
	struct ledger_counts n = {0};

	assert_held(&ledger.lock);
	for (const struct pool *p = ledger.pool; p < ledger.pool + ledger.pools; p++) {
		n.records += table_pages(p->size);
		for (uint64_t i = 0; i < p->size >> TV_CHUNK_SHIFT; i++)
			count_chunk(&p->chunks[i], &n);
	}
	return n;
}
