/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables of stage 2, for those who walk them (DDI 0487 D8.3). */
#ifndef S2WALK_H
#define S2WALK_H

#include "arch.h"
#include "s2pt.h"

#define DESC_VALID 1ULL
#define DESC_TABLE 2ULL /* or page, at the last level */
#define DESC_ADDRESS 0x0000fffffffff000ULL
#define ENTRIES 512
#define BLOCK_LEVEL 2
#define LAST_LEVEL 3

/* Bytes below an entry of this level. */
static inline uint64_t level_size(unsigned level)
{
	return (uint64_t)TV_PAGE_SIZE << 9 * (LAST_LEVEL - level);
}

static inline uint64_t *entry_in(uint64_t *table, ipa_t ipa, unsigned level)
{
	return &table[(ipa.v / level_size(level)) & (ENTRIES - 1)];
}

static inline bool is_table(uint64_t desc, unsigned level)
{
	return level < LAST_LEVEL && (desc & DESC_VALID) && (desc & DESC_TABLE);
}

static inline uint64_t *next_table(uint64_t desc)
{
	return secure_ptr(PA(desc & DESC_ADDRESS));
}

/* Makes tables on the way to the entry of that level, unless a block ends it before. NULL: the heap
 * is empty. */
uint64_t *s2_make_entry(struct s2pt *s, ipa_t ipa, unsigned level);

#endif
