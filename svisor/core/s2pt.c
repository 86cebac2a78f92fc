// SPDX-License-Identifier: BSD-3-Clause
#include "arch.h"
#include "heap.h"
#include "s2pt.h"
#include "s2walk.h"

/* AF, inner shareable, read and write, Normal */
#define DESC_BLOCK (0x7c1ULL | s2_normal())
#define DESC_PAGE (DESC_BLOCK | DESC_TABLE)
#define DESC_SHOWN ((1ULL << 54 | DESC_PAGE) & ~(1ULL << 7)) /* XN; S2AP: read */
int s2_init(struct s2pt *s, uint16_t vmid)
{
	s->vmid = vmid;
	s->root = heap_alloc(1);
	s->tables = s->root ? 1 : 0;
	return s->root ? TV_OK : TV_ENOHEAP;
}

/* Where the walk for `ipa` ends, not below level `last`: the entry and its level. */
static uint64_t *walk(const struct s2pt *s, ipa_t ipa, unsigned last, unsigned *level)
{
	uint64_t *entry = entry_in(s->root, ipa, 0);

	for (*level = 0; *level < last && is_table(*entry, *level); ++*level)
		entry = entry_in(next_table(*entry), ipa, *level + 1);
	return entry;
}

uint64_t *s2_make_entry(struct s2pt *s, ipa_t ipa, unsigned level)
{
	unsigned at;
	uint64_t *entry = walk(s, ipa, level, &at);

	for (; at < level && !(*entry & DESC_VALID); at++) {
		uint64_t *next = heap_alloc(1);

		if (!next)
			return NULL;
		s->tables++;
		s2_write(entry, secure_pa(next).v | DESC_TABLE | DESC_VALID);
		entry = entry_in(next, ipa, at + 1);
	}
	return entry;
}

int s2_prepare(struct s2pt *s, ipa_t ipa)
{
	const uint64_t *entry = s2_make_entry(s, ipa, LAST_LEVEL);

	if (!entry)
		return TV_ENOHEAP;
	return *entry & DESC_VALID ? TV_EDENIED : TV_OK;
}

static void map(struct s2pt *s, ipa_t ipa, uint64_t desc)
{
	unsigned level;
	uint64_t *entry = walk(s, ipa, LAST_LEVEL, &level);

	if (level != LAST_LEVEL || (*entry & DESC_VALID))
		panic("s2_map without s2_prepare");
	s2_write(entry, desc);
}

void s2_map(struct s2pt *s, ipa_t ipa, pa_t page)
{
	map(s, ipa, page.v | DESC_PAGE);
}

void s2_map_shown(struct s2pt *s, ipa_t ipa, pa_t page)
{
	map(s, ipa, page.v | DESC_SHOWN);
}

/* Does each page of the table map what the block would, if anything? */
static bool is_part_of(const uint64_t *table, pa_t block)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		if (table[i] && table[i] != (block.v + i * TV_PAGE_SIZE) + DESC_PAGE)
			return false;
	}
	return true;
}

int s2_prepare_block(struct s2pt *s, ipa_t ipa, pa_t block)
{
	const uint64_t *entry = s2_make_entry(s, ipa, BLOCK_LEVEL);

	if (!entry)
		return TV_ENOHEAP;
	if (!*entry)
		return TV_OK;
	return is_table(*entry, BLOCK_LEVEL) && is_part_of(next_table(*entry), block) ? TV_OK
										      : TV_EDENIED;
}

/* A block in place of a table: break before make (DDI 0487 D8.16.1). */
void s2_map_block(struct s2pt *s, ipa_t ipa, pa_t block)
{
	unsigned level;
	uint64_t *entry = walk(s, ipa, BLOCK_LEVEL, &level);
	uint64_t old = *entry;

	if (old) {
		s2_write(entry, 0);
		s->unmapped++;
		tlb_flush_vm(s->vmid);
		heap_free(next_table(old), 1);
		s->tables--;
	}
	s2_write(entry, block.v | DESC_BLOCK);
}

/* A table in place of a block: break before make, too. */
int s2_split(struct s2pt *s, ipa_t ipa)
{
	unsigned level;
	uint64_t *entry = walk(s, ipa, LAST_LEVEL, &level);
	uint64_t block = *entry & DESC_ADDRESS, *table;

	if (level != BLOCK_LEVEL || !(*entry & DESC_VALID))
		return TV_OK;
	table = heap_alloc(1);
	if (!table)
		return TV_ENOHEAP;
	for (unsigned i = 0; i < ENTRIES; i++)
		table[i] = (block + i * TV_PAGE_SIZE) | DESC_PAGE;
	s2_write(entry, 0);
	s->unmapped++;
	tlb_flush_vm(s->vmid);
	s2_write(entry, secure_pa(table).v | DESC_TABLE | DESC_VALID);
	s->tables++;
	return TV_OK;
}

uint64_t s2_unmap(struct s2pt *s, ipa_t ipa)
{
	unsigned level;
	uint64_t *entry = walk(s, ipa, LAST_LEVEL, &level);

	if (!(*entry & DESC_VALID))
		return 0;
	s2_write(entry, 0);
	s->unmapped++;
	return level_size(level);
}

uint64_t s2_span(const struct s2pt *s, ipa_t ipa, pa_t *at)
{
	unsigned level;
	uint64_t desc = *walk(s, ipa, LAST_LEVEL, &level);
	uint64_t offset = ipa.v & (level_size(level) - 1);

	if (!(desc & DESC_VALID))
		return 0;
	*at = PA((desc & DESC_ADDRESS) + offset);
	return level_size(level) - offset;
}

bool s2_lookup(const struct s2pt *s, ipa_t ipa, pa_t *page)
{
	return s2_span(s, IPA(ipa.v & ~(TV_PAGE_SIZE - 1UL)), page);
}

static size_t count_in(const uint64_t *table, unsigned level)
{
	size_t n = 0;

	for (unsigned i = 0; i < ENTRIES; i++) {
		if (is_table(table[i], level))
			n += count_in(next_table(table[i]), level + 1);
		else if (table[i] & DESC_VALID)
			n += level_size(level) / TV_PAGE_SIZE;
	}
	return n;
}

size_t s2_count(const struct s2pt *s)
{
	return s->root ? count_in(s->root, 0) : 0;
}

void s2_empty(struct s2pt *s)
{
	s->unmapped++;
	for (unsigned i = 0; i < ENTRIES; i++) {
		if (s->root[i])
			s2_write(&s->root[i], 0);
	}
}

static void free_tables(uint64_t *table, unsigned level)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		if (is_table(table[i], level))
			free_tables(next_table(table[i]), level + 1);
	}
	heap_free(table, 1);
}

void s2_free(struct s2pt *s)
{
	s->unmapped++;
	if (s->root)
		free_tables(s->root, 0);
	s->root = NULL;
	s->tables = 0;
}
