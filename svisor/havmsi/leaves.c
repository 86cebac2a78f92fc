// SPDX-License-Identifier: BSD-3-Clause
#include "heap.h"
#include "leaves.h"
#include "s2walk.h"

int s2_reserve(struct s2pt *s, ipa_t ipa, unsigned level)
{
	return s2_make_entry(s, ipa, level) ? TV_OK : TV_ENOHEAP;
}

static bool is_empty(const uint64_t *table)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		if (table[i])
			return false;
	}
	return true;
}

/* A leaf in place of an empty table: walks may be cached. */
static void drop_table(struct s2pt *s, uint64_t *entry)
{
	uint64_t *table = next_table(*entry);

	s2_write(entry, 0);
	tlb_flush_vm(s->vmid);
	heap_free(table, 1);
	s->tables--;
}

int s2_put(struct s2pt *s, ipa_t ipa, pa_t at, unsigned level, uint64_t rights)
{
	uint64_t desc =
		at.v | (rights & S2_RIGHTS) | DESC_VALID | (level == LAST_LEVEL ? DESC_TABLE : 0);
	uint64_t *entry = s2_make_entry(s, ipa, level);

	if (!entry)
		return TV_ENOHEAP;
	if (is_table(*entry, level) && is_empty(next_table(*entry)))
		drop_table(s, entry);
	if (*entry)
		return *entry == desc ? TV_OK : TV_EDENIED;
	s2_write(entry, desc);
	return TV_OK;
}

/* What is done with each entry, no table's, that is not 0. How many it was. */
typedef size_t entry_fn(uint64_t *entry, unsigned level, void (*gone)(pa_t at, uint64_t size));

/* Invalid, and still to be found */
static size_t hide(uint64_t *entry, unsigned level, void (*gone)(pa_t at, uint64_t size))
{
	(void)level;
	(void)gone;
	s2_write(entry, *entry & ~DESC_VALID);
	return 1;
}

static size_t forget(uint64_t *entry, unsigned level, void (*gone)(pa_t at, uint64_t size))
{
	gone(PA(*entry & DESC_ADDRESS), level_size(level));
	s2_write(entry, 0);
	return 1;
}

static size_t show(uint64_t *entry, unsigned level, void (*fn)(pa_t at, uint64_t size))
{
	fn(PA(*entry & DESC_ADDRESS), level_size(level));
	return 1;
}

/* [from, to) counts from the table's first byte. */
static size_t each_in(uint64_t *table, unsigned level, uint64_t from, uint64_t to, entry_fn *fn,
		      void (*gone)(pa_t at, uint64_t size))
{
	uint64_t size = level_size(level);
	size_t n = 0;

	for (uint64_t i = from / size; i < ENTRIES && i * size < to; i++) {
		uint64_t base = i * size;

		if (is_table(table[i], level))
			n += each_in(next_table(table[i]), level + 1, from > base ? from - base : 0,
				     to - base < size ? to - base : size, fn, gone);
		else if (table[i])
			n += fn(&table[i], level, gone);
	}
	return n;
}

void s2_each(struct s2pt *s, void (*fn)(pa_t at, uint64_t size))
{
	each_in(s->root, 0, 0, UINT64_MAX, show, fn);
}

size_t s2_remove(struct s2pt *s, ipa_t from, ipa_t to, void (*gone)(pa_t at, uint64_t size))
{
	size_t n = each_in(s->root, 0, from.v, to.v, hide, gone);

	if (!n)
		return 0;
	s->unmapped++;
	tlb_flush_vm(s->vmid);
	each_in(s->root, 0, from.v, to.v, forget, gone);
	return n;
}
