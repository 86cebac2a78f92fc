// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "heap.h"
#include "ledger.h"
#include "log.h"
#include "platform.h"

#define RECORD_PAGES (CHUNK_PAGES * sizeof(uint64_t) / TV_PAGE_SIZE)

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

/* [base, base + size) lies in one bank and apart from the S-visor's own memory. */
static bool in_dram(uint64_t base, uint64_t size)
{
	const struct tv_manifest *b = &ledger.board;

	for (unsigned i = 0; i < b->drams; i++) {
		/* Below the bank the difference wraps, and is too large. */
		if (range_ok(base - b->dram[i].base, size, b->dram[i].size))
			return !ranges_overlap(base, size, b->base, b->size);
	}
	return false;
}

static struct pool *find_pool(uint64_t a)
{
	for (unsigned i = 0; i < ledger.pools; i++) {
		if (a - ledger.pool[i].base < ledger.pool[i].size)
			return &ledger.pool[i];
	}
	return NULL;
}

bool ledger_ordinary(pa_t page)
{
	const struct pool *p;
	bool ordinary;

	if (!in_dram(page.v, TV_PAGE_SIZE))
		return false;
	spin_lock(&ledger.lock);
	p = find_pool(page.v);
	ordinary = !p || page.v >= p->top;
	spin_unlock(&ledger.lock);
	return ordinary;
}

static bool overlaps_pool(uint64_t base, uint64_t size)
{
	for (unsigned i = 0; i < ledger.pools; i++) {
		if (ranges_overlap(base, size, ledger.pool[i].base, ledger.pool[i].size))
			return true;
	}
	return false;
}

static int pool_add_locked(uint64_t base, uint64_t size)
{
	struct pool *p = &ledger.pool[ledger.pools];
	struct chunk *chunks;

	assert_held(&ledger.lock);
	if (overlaps_pool(base, size))
		return TV_EINVAL;
	if (ledger.pools == TV_MAX_POOLS || ledger.pools == protect_regions())
		return TV_ENOMEM;
	chunks = heap_alloc(table_pages(size));
	if (!chunks)
		return TV_ENOMEM;
	*p = (struct pool){.base = base, .size = size, .top = base, .chunks = chunks};
	ledger.pools++;
	return TV_OK;
}

int ledger_pool_add(uint64_t base, uint64_t size, uint64_t *index)
{
	int ret;

	if (!chunk_aligned(base) || !chunk_aligned(size) || !in_dram(base, size) ||
	    !protect_fits(PA(base), size))
		return TV_EINVAL;
	spin_lock(&ledger.lock);
	ret = pool_add_locked(base, size);
	*index = ledger.pools - 1;
	spin_unlock(&ledger.lock);
	return ret;
}

/*
 * NORMAL -> OWNED(vm)
 *   before: ordinary memory just above the run, perhaps in use, perhaps dirty in caches
 *   after:  Secure, in the run, old contents in place, no page given out
 *   why:    contents are zeroed page by page, as pages are given out
 */
static int chunk_secure(struct pool *p, struct chunk *c, unsigned vm)
{
	uint64_t *records = heap_alloc(RECORD_PAGES);
	pa_t base = PA(p->top);

	assert_held(&ledger.lock);
	if (!records)
		return TV_ENOMEM;
	ns_flush(base, TV_CHUNK_SIZE);
	p->top += TV_CHUNK_SIZE;
	protect_set(p - ledger.pool, PA(p->base), PA(p->top));
	chunk_map(base);
	*c = (struct chunk){CHUNK_OWNED, vm, records};
	return TV_OK;
}

/* Makes the chunk the S-VM's, if it is not and may be. */
static int chunk_take(struct pool *p, uint64_t a, unsigned vm)
{
	struct chunk *c = &p->chunks[chunk_number(p, a)];

	switch (c->state) {
	case CHUNK_OWNED:
		return c->owner == vm ? TV_OK : TV_EDENIED;
	case CHUNK_FREE:
		/*
		 * FREE -> OWNED(vm)
		 *   before: Secure, zero, all records 0
		 *   after:  the same, but the S-VM's
		 */
		c->state = CHUNK_OWNED;
		c->owner = vm;
		return TV_OK;
	default:
		if (chunk_number(p, a) != chunk_number(p, p->top))
			return TV_EDENIED;
		return chunk_secure(p, c, vm);
	}
}

/* `a` is in the pool and its chunk has records. */
static uint64_t *record_of(struct pool *p, uint64_t a)
{
	return &p->chunks[chunk_number(p, a)].records[(a & (TV_CHUNK_SIZE - 1)) >> TV_PAGE_SHIFT];
}

int ledger_take(unsigned vm, pa_t chunk)
{
	struct pool *p;
	int ret;

	if (!chunk_aligned(chunk.v))
		return TV_EINVAL;
	spin_lock(&ledger.lock);
	p = find_pool(chunk.v);
	ret = p ? chunk_take(p, chunk.v, vm) : TV_EDENIED;
	spin_unlock(&ledger.lock);
	return ret;
}

static int claim_locked(unsigned vm, pa_t page, ipa_t ipa)
{
	struct pool *p = find_pool(page.v);
	uint64_t *record;
	int ret;

	assert_held(&ledger.lock);
	if (!p || !page_aligned(page.v))
		return TV_EDENIED;
	ret = chunk_take(p, page.v, vm);
	if (ret != TV_OK)
		return ret;
	record = record_of(p, page.v);
	if (*record)
		return TV_EDENIED;
	*record = ipa.v | RECORD_USED;
	return TV_OK;
}

int ledger_claim(unsigned vm, pa_t page, ipa_t ipa)
{
	int ret;

	spin_lock(&ledger.lock);
	ret = claim_locked(vm, page, ipa);
	spin_unlock(&ledger.lock);
	return ret;
}

void ledger_unclaim(pa_t page)
{
	struct pool *p;

	page_zero(page);
	spin_lock(&ledger.lock);
	p = find_pool(page.v);
	if (p && *record_of(p, page.v))
		*record_of(p, page.v) = 0;
	else
		panic("unclaim of a page that nobody has");
	spin_unlock(&ledger.lock);
}

/* The first chunk of the S-VM and its base, or NULL. */
static struct chunk *find_owned(unsigned vm, pa_t *base)
{
	for (struct pool *p = ledger.pool; p < ledger.pool + ledger.pools; p++) {
		for (uint64_t i = 0; i < chunk_number(p, p->top); i++) {
			struct chunk *c = &p->chunks[i];

			*base = PA(p->base + (i << TV_CHUNK_SHIFT));
			if (c->state == CHUNK_OWNED && c->owner == vm)
				return c;
		}
	}
	return NULL;
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
	struct chunk *c;
	pa_t base;

	spin_lock(&ledger.lock);
	c = find_owned(vm, &base);
	spin_unlock(&ledger.lock);
	if (!c)
		return false;
	for (uint64_t a = 0; a < TV_CHUNK_SIZE; a += TV_PAGE_SIZE)
		page_zero(PA(base.v + a));
	spin_lock(&ledger.lock);
	memset(c->records, 0, CHUNK_PAGES * sizeof(uint64_t));
	c->state = CHUNK_FREE;
	spin_unlock(&ledger.lock);
	return true;
}

/*
 * FREE -> NORMAL
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
	if (c->state != CHUNK_FREE)
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
	for (const struct pool *p = ledger.pool; p < ledger.pool + ledger.pools; p++) {
		for (uint64_t a = p->base; a < p->top; a += TV_PAGE_SIZE)
			page_zero(PA(a));
	}
	chunks = ledger_secure_chunks();
	spin_unlock(&ledger.lock);
	return chunks;
}

uint64_t ledger_owned_chunks(void)
{
	uint64_t n = 0;

	assert_held(&ledger.lock);
	for (const struct pool *p = ledger.pool; p < ledger.pool + ledger.pools; p++) {
		for (uint64_t i = 0; i < chunk_number(p, p->top); i++)
			n += p->chunks[i].state == CHUNK_OWNED;
	}
	return n;
}

uint64_t ledger_heap_pages(void)
{
	uint64_t n = ledger_secure_chunks() * RECORD_PAGES;

	for (const struct pool *p = ledger.pool; p < ledger.pool + ledger.pools; p++)
		n += table_pages(p->size);
	return n;
}

uint64_t ledger_secure_chunks(void)
{
	uint64_t n = 0;

	assert_held(&ledger.lock);
	for (const struct pool *p = ledger.pool; p < ledger.pool + ledger.pools; p++)
		n += chunk_number(p, p->top);
	return n;
}
