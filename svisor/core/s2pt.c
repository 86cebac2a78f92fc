// SPDX-License-Identifier: BSD-3-Clause
#include "arch.h"
#include "heap.h"
#include "s2pt.h"

#define DESC_VALID 1ULL
#define DESC_TABLE 3ULL
#define DESC_ADDRESS 0x0000fffffffff000ULL
/* Page: AF, inner shareable, read and write, Normal write-back (DDI 0487 D8.5.5, FWB = 0). */
#define DESC_PAGE 0x7ffULL
#define DESC_SHOWN ((1ULL << 54 | DESC_PAGE) & ~(1ULL << 7)) /* XN; S2AP: read */
#define ENTRIES 512
#define LAST_LEVEL 3

static uint64_t *entry_in(uint64_t *table, ipa_t ipa, unsigned level)
{
	return &table[(ipa.v >> (TV_PAGE_SHIFT + 9 * (LAST_LEVEL - level))) & (ENTRIES - 1)];
}

static uint64_t *next_table(uint64_t desc)
{
	return secure_ptr(PA(desc & DESC_ADDRESS));
}

int s2_init(struct s2pt *s)
{
	s->root = heap_alloc(1);
	s->tables = s->root ? 1 : 0;
	return s->root ? TV_OK : TV_ENOMEM;
}

/* The leaf entry for `ipa`, or NULL if a table on the way is missing. */
static uint64_t *find_leaf(const struct s2pt *s, ipa_t ipa)
{
	uint64_t *table = s->root;

	for (unsigned level = 0; level < LAST_LEVEL; level++) {
		uint64_t desc = *entry_in(table, ipa, level);

		if (!(desc & DESC_VALID))
			return NULL;
		table = next_table(desc);
	}
	return entry_in(table, ipa, LAST_LEVEL);
}

int s2_prepare(struct s2pt *s, ipa_t ipa)
{
	uint64_t *table = s->root;

	for (unsigned level = 0; level < LAST_LEVEL; level++) {
		uint64_t *entry = entry_in(table, ipa, level);

		if (!(*entry & DESC_VALID)) {
			void *next = heap_alloc(1);

			if (!next)
				return TV_ENOMEM;
			s->tables++;
			s2_write(entry, secure_pa(next).v | DESC_TABLE);
		}
		table = next_table(*entry);
	}
	return *entry_in(table, ipa, LAST_LEVEL) & DESC_VALID ? TV_EDENIED : TV_OK;
}

static void map(struct s2pt *s, ipa_t ipa, uint64_t desc)
{
	uint64_t *leaf = find_leaf(s, ipa);

	if (!leaf || (*leaf & DESC_VALID))
		panic("s2_map without s2_prepare");
	s2_write(leaf, desc);
}

void s2_map(struct s2pt *s, ipa_t ipa, pa_t page)
{
	map(s, ipa, page.v | DESC_PAGE);
}

void s2_map_shown(struct s2pt *s, ipa_t ipa, pa_t page)
{
	map(s, ipa, page.v | DESC_SHOWN);
}

bool s2_lookup(const struct s2pt *s, ipa_t ipa, pa_t *page)
{
	const uint64_t *leaf = find_leaf(s, ipa);

	if (!leaf || !(*leaf & DESC_VALID))
		return false;
	*page = PA(*leaf & DESC_ADDRESS);
	return true;
}

static size_t count_in(const uint64_t *table, unsigned level)
{
	size_t n = 0;

	for (unsigned i = 0; i < ENTRIES; i++) {
		if (table[i] & DESC_VALID)
			n += level == LAST_LEVEL ? 1 : count_in(next_table(table[i]), level + 1);
	}
	return n;
}

size_t s2_count(const struct s2pt *s)
{
	return s->root ? count_in(s->root, 0) : 0;
}

void s2_empty(struct s2pt *s)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		if (s->root[i])
			s2_write(&s->root[i], 0);
	}
}

static void free_tables(uint64_t *table, unsigned level)
{
	for (unsigned i = 0; level < LAST_LEVEL && i < ENTRIES; i++) {
		if (table[i] & DESC_VALID)
			free_tables(next_table(table[i]), level + 1);
	}
	heap_free(table, 1);
}

void s2_free(struct s2pt *s)
{
	if (s->root)
		free_tables(s->root, 0);
	s->root = NULL;
	s->tables = 0;
}
