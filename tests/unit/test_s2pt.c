// SPDX-License-Identifier: BSD-3-Clause
/* The shadow S2PT by itself (I3). */
#include "fixture.h"
#include "s2pt.h"

#define IPA_A IPA(RAM)
#define IPA_B IPA(RAM + (1UL << 47)) /* shares no table but the root */

static struct s2pt s2;

static void mapped(ipa_t ipa, pa_t page)
{
	check_eq(s2_prepare(&s2, ipa), TV_OK);
	s2_map(&s2, ipa, page);
}

TEST(map_lookup, "s2pt: what is mapped is found there alone, by core and hardware alike")
{
	pa_t page;

	boot();
	check_eq(s2_init(&s2, 7), TV_OK);
	check(!s2_lookup(&s2, IPA_A, &page));
	mapped(IPA_A, PA(POOL));
	mapped(IPA_B, PA(POOL + PAGE(1)));
	check_eq(s2_count(&s2), 2);
	check(s2_lookup(&s2, IPA_A, &page) && page.v == POOL);
	check(s2_lookup(&s2, IPA_B, &page) && page.v == POOL + PAGE(1));
	check(!s2_lookup(&s2, IPA(RAM + PAGE(1)), &page));
	check(host_guest_mem(secure_pa(s2.root).v, RAM + 8) == host_mem(POOL + 8));
}

TEST(map_twice, "s2pt: an address that is mapped is refused")
{
	boot();
	check_eq(s2_init(&s2, 7), TV_OK);
	mapped(IPA_A, PA(POOL));
	check_eq(s2_prepare(&s2, IPA_A), TV_EDENIED);
	check_eq(s2_prepare(&s2, IPA(RAM + PAGE(1))), TV_OK);
}

TEST(free_all, "s2pt: freeing gives back all tables")
{
	uint64_t before;

	boot();
	before = audit().x[4];
	check_eq(s2_init(&s2, 7), TV_OK);
	mapped(IPA_A, PA(POOL));
	mapped(IPA_B, PA(POOL + PAGE(1)));
	check_eq(audit().x[4], before - 7);
	check_eq(s2.tables, 7);
	s2_free(&s2);
	check_eq(audit().x[4], before);
	check(!s2.root && !s2.tables);
	s2_free(&s2);
}

TEST(block_twice,
     "s2pt: a block, or a page of one, that is mapped is refused; pages make way for theirs")
{
	pa_t page;

	boot();
	check_eq(s2_init(&s2, 7), TV_OK);
	mapped(IPA(RAM + PAGE(3)), PA(POOL + PAGE(3)));
	check_eq(s2_prepare_block(&s2, IPA_A, PA(POOL + BLOCK_SIZE)), TV_EDENIED);
	check_eq(s2_prepare_block(&s2, IPA_A, PA(POOL)), TV_OK);
	s2_map_block(&s2, IPA_A, PA(POOL));
	check_eq(s2.tables, 3);
	check_eq(s2_prepare_block(&s2, IPA_A, PA(POOL)), TV_EDENIED);
	check_eq(s2_prepare(&s2, IPA(RAM + PAGE(3))), TV_EDENIED);
	check(s2_lookup(&s2, IPA(RAM + PAGE(511)), &page) && page.v == POOL + PAGE(511));
	check_eq(s2_count(&s2), BLOCK_PAGES);
	check_eq(s2_unmap(&s2, IPA(RAM + PAGE(9))), BLOCK_SIZE);
	check_eq(s2_unmap(&s2, IPA_A), 0);
	check_eq(s2_prepare_block(&s2, IPA_A, PA(POOL)), TV_OK);
}
