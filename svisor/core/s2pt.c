// SPDX-License-Identifier: BSD-3-Clause
#include "arch.h"
#include "heap.h"
#include "s2pt.h"

#define DESC_VALID 1ULL
#define DESC_TABLE 2ULL /* or page, at the last level */
#define DESC_ADDRESS 0x0000fffffffff000ULL
/* AF, inner shareable, read and write, Normal */
#define DESC_BLOCK (0x7c1ULL | s2_normal())
#define DESC_PAGE (DESC_BLOCK | DESC_TABLE)
#define DESC_SHOWN ((1ULL << 54 | DESC_PAGE) & ~(1ULL << 7)) /* XN; S2AP: read */
#define ENTRIES 512
#define BLOCK_LEVEL 2
#define LAST_LEVEL 3

/* Bytes below an entry of this level. */
static uint64_t level_size(unsigned level)
{
	return (uint64_t)TV_PAGE_SIZE << 9 * (LAST_LEVEL - level);
}

static uint64_t *entry_in(uint64_t *table, ipa_t ipa, unsigned level)
{
	return &table[(ipa.v / level_size(level)) & (ENTRIES - 1)];
}

static bool is_table(uint64_t desc, unsigned level)
{
	return level < LAST_LEVEL && (desc & DESC_VALID) && (desc & DESC_TABLE);
}

static uint64_t *next_table(uint64_t desc)
{
	return secure_ptr(PA(desc & DESC_ADDRESS));
}

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

/* Makes tables on the way to the entry of that level, unless a block ends it before. */
static uint64_t *make_entry(struct s2pt *s, ipa_t ipa, unsigned level)
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
	const uint64_t *entry = make_entry(s, ipa, LAST_LEVEL);

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
	const uint64_t *entry = make_entry(s, ipa, BLOCK_LEVEL);

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

int s2_reserve(struct s2pt *s, ipa_t ipa, unsigned level)
{
	return make_entry(s, ipa, level) ? TV_OK : TV_ENOHEAP;
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
	uint64_t desc = at.v | (rights & S2_RIGHTS) | DESC_VALID |
			(level == LAST_LEVEL ? DESC_TABLE : 0);
	uint64_t *entry = make_entry(s, ipa, level);

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
