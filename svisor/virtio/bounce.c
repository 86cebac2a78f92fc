// SPDX-License-Identifier: BSD-3-Clause
#include "arch.h"
#include "bounce.h"
#include "heap.h"

#define UNITS_A_PAGE (TV_PAGE_SIZE / BOUNCE_UNIT)
#define WORD 64
#define FREED_PAGES (BOUNCE_SIZES * BOUNCE_FREED * sizeof(uint16_t) / TV_PAGE_SIZE)
#define MANY 256 /* bytes from which on ns_*_many are faster */

_Static_assert(BOUNCE_MOST *UNITS_A_PAGE <= UINT16_MAX + 1, "a unit's number is 16 bits");

static size_t heap_pages(uint64_t bytes)
{
	return (bytes + TV_PAGE_SIZE - 1) / TV_PAGE_SIZE;
}

static size_t page_bytes(const struct bounce *b)
{
	return b->most * sizeof(b->page[0]);
}

static size_t map_bytes(const struct bounce *b)
{
	return (b->most * UNITS_A_PAGE + WORD - 1) / WORD * sizeof(b->map[0]);
}

int bounce_init(struct bounce *b, uint64_t base, unsigned most)
{
	struct bounce fresh = {.base = base, .most = most};

	fresh.page = heap_alloc(heap_pages(page_bytes(&fresh)));
	fresh.map = heap_alloc(heap_pages(map_bytes(&fresh)));
	fresh.freed = heap_alloc(FREED_PAGES);
	if (!fresh.page || !fresh.map || !fresh.freed) {
		bounce_free_all(&fresh);
		return TV_ENOHEAP;
	}
	*b = fresh;
	return TV_OK;
}

void bounce_free_all(struct bounce *b)
{
	heap_free(b->page, heap_pages(page_bytes(b)));
	heap_free(b->map, heap_pages(map_bytes(b)));
	heap_free(b->freed, FREED_PAGES);
	*b = (struct bounce){0};
}

size_t bounce_heap(const struct bounce *b)
{
	return heap_pages(page_bytes(b)) + heap_pages(map_bytes(b)) + (b->most ? FREED_PAGES : 0);
}

bool bounce_add(struct bounce *b, pa_t page)
{
	if (b->pages == b->most)
		return false;
	b->page[b->pages++] = page.v;
	return true;
}

static bool in_use(const struct bounce *b, unsigned unit)
{
	return b->map[unit / WORD] >> unit % WORD & 1;
}

unsigned bounce_trim(struct bounce *b)
{
	unsigned units = b->pages * UNITS_A_PAGE;

	while (units && !in_use(b, units - 1))
		units--;
	while (b->pages > (units + UNITS_A_PAGE - 1) / UNITS_A_PAGE)
		b->page[--b->pages] = 0;
	return b->pages;
}

static void mark(struct bounce *b, unsigned from, unsigned n, bool use)
{
	while (n) {
		unsigned bit = from % WORD, some = n < WORD - bit ? n : WORD - bit;
		uint64_t mask = (some == WORD ? ~0ULL : (1ULL << some) - 1) << bit;

		b->map[from / WORD] = (b->map[from / WORD] & ~mask) | (use ? mask : 0);
		from += some;
		n -= some;
	}
}

/* The first unit from `from` on, below `end`, that is in use or not, as wanted; or `end`. */
static unsigned next_unit(const struct bounce *b, unsigned from, unsigned end, bool use)
{
	while (from < end) {
		uint64_t word = use ? b->map[from / WORD] : ~b->map[from / WORD];

		word >>= from % WORD;
		if (word) {
			from += __builtin_ctzll(word);
			break;
		}
		from += WORD - from % WORD;
	}
	return from < end ? from : end;
}

/* The first place between `from` and `end` for n units; or `end`. */
static unsigned find(const struct bounce *b, unsigned from, unsigned end, uint64_t n, unsigned step)
{
	while (n <= end && from <= end - n) {
		unsigned stop;

		from = (from + step - 1) & ~(step - 1);
		if (from > end - n)
			break;
		stop = next_unit(b, from, from + n, true);
		if (stop == from + n)
			return from;
		from = next_unit(b, stop, end, false);
	}
	return end;
}

/* The place for n units that came back last, if it is one still; or `end`. */
static unsigned take_freed(struct bounce *b, unsigned end, uint64_t n, unsigned step)
{
	unsigned from;

	if (n >= BOUNCE_SIZES)
		return end;
	from = b->freed[n][--b->top[n]];
	if (from % step || from + n > end || next_unit(b, from, from + n, true) < from + n)
		return end;
	return from;
}

/* Else first fit, so that what is in use stays together. */
int bounce_alloc(struct bounce *b, uint64_t bytes, uint32_t align, uint32_t *at)
{
	uint64_t n = (bytes + BOUNCE_UNIT - 1) / BOUNCE_UNIT;
	unsigned step = align / BOUNCE_UNIT, end = b->pages * UNITS_A_PAGE, from;

	if (n > b->most * UNITS_A_PAGE)
		return TV_EINVAL;
	from = take_freed(b, end, n, step);
	if (from == end) {
		b->lowest = next_unit(b, b->lowest, end, false);
		from = find(b, b->lowest, end, n, step);
	}
	if (from == end)
		return b->pages < b->most ? TV_AGAIN : TV_ENOMEM;
	mark(b, from, n, true);
	b->used += n;
	*at = from * BOUNCE_UNIT;
	return TV_OK;
}

void bounce_free(struct bounce *b, uint32_t at, uint64_t bytes)
{
	unsigned from = at / BOUNCE_UNIT, n = (bytes + BOUNCE_UNIT - 1) / BOUNCE_UNIT;

	mark(b, from, n, false);
	b->used -= n;
	if (from < b->lowest)
		b->lowest = from;
	if (n < BOUNCE_SIZES)
		b->freed[n][b->top[n]++] = from;
}

bool bounce_scarce(const struct bounce *b)
{
	return b->used >= b->most * UNITS_A_PAGE / 4 * 3;
}

static size_t in_page(uint32_t at, size_t size)
{
	size_t left = TV_PAGE_SIZE - at % TV_PAGE_SIZE;

	return size < left ? size : left;
}

static pa_t place(const struct bounce *b, uint32_t at)
{
	return PA(b->page[at / TV_PAGE_SIZE] + at % TV_PAGE_SIZE);
}

bool bounce_read(const struct bounce *b, uint32_t at, void *to, size_t size)
{
	uint8_t *t = to;
	bool ok = true;

	for (size_t n; ok && size; at += n, t += n, size -= n) {
		n = in_page(at, size);
		ok = n < MANY ? ns_read(t, place(b, at), n) : ns_read_many(t, place(b, at), n);
	}
	return ok;
}

bool bounce_write(const struct bounce *b, uint32_t at, const void *from, size_t size)
{
	const uint8_t *f = from;
	bool ok = true;

	for (size_t n; ok && size; at += n, f += n, size -= n) {
		n = in_page(at, size);
		ok = n < MANY ? ns_write(place(b, at), f, n) : ns_write_many(place(b, at), f, n);
	}
	return ok;
}
