// SPDX-License-Identifier: BSD-3-Clause
/* Leaves with rights, of three sizes: put where nothing else is, and removed in two steps. */
#include "leaves.h"
#include "unit_nvm.h"

#define VMID 99
#define ATTRS (S2_AF | S2_READ | S2_WRITE)
#define GIB (1UL << 30)

static struct s2pt s;
static unsigned gone_leaves;
static uint64_t gone_bytes;

static void start(void)
{
	boot();
	check_eq(s2_init(&s, VMID), TV_OK);
	host_forget();
}

static int put(uint64_t ipa, uint64_t at, unsigned level)
{
	return s2_put(&s, IPA(ipa), PA(at), level, ATTRS);
}

static uint64_t leaf(uint64_t ipa, uint64_t *size)
{
	return leaf_in(secure_pa(s.root).v, ipa, size);
}

static bool has(uint64_t ipa)
{
	uint64_t size;

	return leaf(ipa, &size);
}

/* No TLB has it any more, and the table neither. */
static void gone(pa_t at, uint64_t size)
{
	check_eq(host_count[HOST_TLB_VM], 1);
	check_eq(host_what[HOST_TLB_VM], VMID);
	check(!has(at.v));
	gone_leaves++;
	gone_bytes += size;
}

TEST(three, "leaves: a page, a block, a GiB")
{
	uint64_t size;

	start();
	check_eq(put(RAM, ORDINARY, 3), TV_OK);
	check_eq(leaf(RAM, &size), ORDINARY | ATTRS | 3);
	check_eq(size, TV_PAGE_SIZE);
	check_eq(put(RAM + BLOCK, ORDINARY, 2), TV_OK);
	check_eq(leaf(RAM + BLOCK, &size), ORDINARY | ATTRS | 1);
	check_eq(size, BLOCK);
	check_eq(put(RAM + GIB, 0, 1), TV_OK);
	check_eq(leaf(RAM + GIB, &size), ATTRS | 1);
	check_eq(size, GIB);
}

TEST(taken_already, "leaves: where something else is mapped nothing is put, and the same is")
{
	uint64_t size;

	start();
	check_eq(put(RAM, ORDINARY, 3), TV_OK);
	check_eq(put(RAM, ORDINARY, 3), TV_OK);
	check_eq(put(RAM, ORDINARY + PAGE(1), 3), TV_EDENIED);
	check_eq(s2_put(&s, IPA(RAM), PA(ORDINARY), 3, ATTRS & ~S2_WRITE), TV_EDENIED);
	check_eq(put(RAM, ORDINARY, 2), TV_EDENIED); /* a table with a page in it */
	check_eq(put(RAM, 0, 1), TV_EDENIED);
	check_eq(leaf(RAM, &size), ORDINARY | ATTRS | 3);
	check_eq(put(RAM + BLOCK, ORDINARY, 2), TV_OK);
	check_eq(put(RAM + BLOCK, ORDINARY, 3), TV_EDENIED);
	check_eq(leaf(RAM + BLOCK, &size), ORDINARY | ATTRS | 1);
	check_eq(host_count[HOST_TLB_VM], 0);
}

TEST(over_empty, "leaves: a block in place of an empty table, which TLBs forget and the heap gets")
{
	uint64_t tables;

	start();
	check_eq(put(RAM, ORDINARY, 3), TV_OK);
	tables = s.tables;
	check_eq(s2_remove(&s, IPA(RAM), IPA(RAM + 1), gone), 1);
	host_forget();
	check_eq(put(RAM, ORDINARY, 2), TV_OK);
	check_eq(host_count[HOST_TLB_VM], 1);
	check_eq(host_count[HOST_S2_WRITE], 2);
	check(host_when[HOST_TLB_VM] < host_when[HOST_S2_WRITE]);
	check_eq(s.tables, tables - 1);
	s2_free(&s);
	check_audit();
}

TEST(two_steps, "leaves: nobody is told that one is gone before all are, out of all TLBs")
{
	start();
	check_eq(put(ORDINARY, ORDINARY, 3), TV_OK);
	check_eq(put(ORDINARY + PAGE(1), ORDINARY + PAGE(1), 3), TV_OK);
	check_eq(put(ORDINARY + BLOCK, ORDINARY + BLOCK, 2), TV_OK);
	host_forget();
	check_eq(s2_remove(&s, IPA(ORDINARY), IPA(ORDINARY + 2 * BLOCK), gone), 3);
	check_eq(gone_leaves, 3);
	check_eq(gone_bytes, PAGE(2) + BLOCK);
	check_eq(s2_remove(&s, IPA(0), IPA(1UL << 48), gone), 0);
	check_eq(gone_leaves, 3);
	s2_free(&s);
	check_audit();
}

static unsigned flushes;

static void look(enum host_op op, uint64_t what)
{
	if (op != HOST_TLB_VM || what != VMID)
		return;
	flushes++;
	check(!has(ORDINARY) && !has(ORDINARY + PAGE(1)));
	check(has(ORDINARY + PAGE(2)));
}

TEST(hidden, "leaves: by the time of the flush none of them is there, and the others are")
{
	start();
	for (unsigned i = 0; i < 3; i++)
		check_eq(put(ORDINARY + PAGE(i), ORDINARY + PAGE(i), 3), TV_OK);
	host_forget();
	host_op_hook = look;
	check_eq(s2_remove(&s, IPA(ORDINARY + 1), IPA(ORDINARY + PAGE(1) + 1), gone), 2);
	check_eq(flushes, 1);
	check_eq(gone_leaves, 2);
}

static uint64_t found[4];
static unsigned finds;

static void find(pa_t at, uint64_t size)
{
	check(finds < 4);
	found[finds++] = at.v + size;
}

TEST(each, "leaves: all are found, at both ends too")
{
	start();
	check_eq(put(0, ORDINARY, 3), TV_OK);
	check_eq(put(GIB - BLOCK, CHUNK(0), 2), TV_OK);
	check_eq(put((1UL << 48) - GIB, 4 * GIB, 1), TV_OK);
	s2_each(&s, find);
	check_eq(finds, 3);
	check_eq(found[0], ORDINARY + PAGE(1));
	check_eq(found[1], CHUNK(0) + BLOCK);
	check_eq(found[2], 5 * GIB);
}

TEST(gib_part, "leaves: of a GiB a part is removed with all of it")
{
	start();
	check_eq(put(RAM, RAM, 1), TV_OK);
	host_forget();
	check_eq(s2_remove(&s, IPA(RAM + GIB - 1), IPA(RAM + GIB), gone), 1);
	check_eq(gone_bytes, GIB);
	check(!has(RAM));
}
