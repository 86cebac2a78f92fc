// SPDX-License-Identifier: BSD-3-Clause
/* What the guest writes while its chain is copied, and in what order a back end sees it. */
#include "virtio.h"

#define TABLE (DATA + 0x3fe0)
#define OUT DATA
#define IN (DATA + 0x2000)
#define UNIT 512 /* of bounce memory */
#define PAGES 8
#define UNUSED 0x77
#define FIRST_COPY 2 /* access of a doorbell; before it, that to the shared page */

static struct card c;
static struct ring r;

static void start(uint64_t features)
{
	io_start(PAGES);
	c = mmio_card(0);
	check_eq(give(PAGES), TV_OK);
	r = ring_start(&c, features, 16);
}

/* ---- in the midst --------------------------------------------------------- */

static unsigned accesses_left;
static void (*then)(void);

static void hook(uint64_t pa)
{
	(void)pa;
	if (accesses_left && !--accesses_left)
		then();
}

/* Before the n-th access to ordinary memory from now on. */
static void meanwhile(unsigned n, void (*fn)(void))
{
	accesses_left = n;
	then = fn;
	host_ns_hook = hook;
}

static void entry(unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	struct vdesc d = {addr, len, flags, next};

	if (r.packed)
		d = (struct vdesc){addr, len, 0, flags};
	private_put(TABLE + 16 * i, &d, sizeof(d));
}

static unsigned last = 1; /* descriptor of the table */

static void longer(void)
{
	entry(last, OUT, 0x10000, 0, 0);
}

static void far_longer(void)
{
	entry(last, OUT, 0xfffffff0, 0, 0);
}

static void first_longer(void)
{
	entry(0, OUT, 0x2000, NEXT, 1);
}

static void in_a_loop(void)
{
	entry(last, OUT, 16, NEXT, 0);
}

static void in_a_loop_of_nothing(void)
{
	entry(0, OUT, 0, NEXT, 0);
	entry(last, OUT, 0, NEXT, last);
}

static void beyond(void)
{
	entry(last, OUT, 16, NEXT, last + 1);
}

static void outside(void)
{
	entry(last, DEVICE, 16, 0, 0);
}

static void unmapped(void)
{
	entry(last, UNMAPPED, 16, 0, 0);
}

static void nested(void)
{
	entry(last, OUT, 16, INDIRECT, 0);
}

static void shorter(void)
{
	entry(0, OUT, 16, 0, 0);
}

static void turned(void)
{
	entry(last, OUT, 16, WRITE, 0);
}

static void (*const changes[])(void) = {
	longer,   far_longer, first_longer, in_a_loop, in_a_loop_of_nothing, beyond, outside,
	unmapped, nested,     shorter,      turned,
};

static void fill_unused(void)
{
	uint8_t junk[UNIT];

	memset(junk, UNUSED, sizeof(junk));
	for (uint64_t at = UNIT; at < PAGE(PAGES); at += UNIT)
		back_put(BOUNCE + at, junk, UNIT);
}

/* What was written there since is all in one unit: the ring has the first, the chain a second. */
static void check_room(void)
{
	uint64_t unit = 0;
	uint8_t byte;

	for (uint64_t at = UNIT; at < PAGE(PAGES); at++) {
		back_get(BOUNCE + at, &byte, 1);
		if (byte == UNUSED)
			continue;
		check(!unit || unit == at / UNIT);
		unit = at / UNIT;
	}
}

static void change_at(unsigned n, void (*change)(void))
{
	private_put(OUT, "sixteen bytes of", 16);
	entry(0, OUT, 16, NEXT, 1);
	entry(1, OUT, 16, 0, 0);
	entry(2, OUT, 16, 0, 0);
	fill_unused();
	post(&r, 3, &(struct buffer){TABLE, 32, INDIRECT}, 1);
	meanwhile(n, change);
	kick(&r);
	host_ns_hook = NULL;
	check_room();
	check_private();
	put_reg(&c, STATUS, 0);
	check_eq(trim(), 0);
	check_eq(give(PAGES), TV_OK);
	r = ring_start(&c, r.features, 16);
}

static void each_change(uint64_t features)
{
	start(features | F_INDIRECT);
	for (unsigned n = FIRST_COPY; n < 8; n++) {
		for (unsigned i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
			change_at(n, changes[i]);
	}
	check_works(&r, 3, 100);
	io_end();
}

TEST(split_changes, "split: a table that changes while it is copied harms no other chain")
{
	each_change(0);
}

TEST(packed_changes, "packed: a table that changes while it is copied harms no other chain")
{
	each_change(F_PACKED);
}

/* Of a table that is too long to be read at once, the last descriptor changes. */
static void check_change(uint64_t features, void (*change)(void), bool breaks)
{
	start(features | F_INDIRECT);
	last = 5;
	for (unsigned i = 0; i <= last; i++)
		entry(i, OUT, 16, i < last ? NEXT : 0, i + 1);
	post(&r, 3, &(struct buffer){TABLE, 16 * (last + 1), INDIRECT}, 1);
	private_put(OUT, "sixteen bytes of", 16);
	meanwhile(FIRST_COPY, change);
	kick(&r);
	host_ns_hook = NULL;
	check_eq(needs_reset(&c), breaks);
	if (breaks)
		check_broken(&r);
	expect_any(TABLE, 16 * (last + 1));
	last = 1;
}

TEST(changed_breaks, "split, packed: one that does not fit any more breaks the queue")
{
	check_change(0, longer, true);
	check_change(0, in_a_loop, true);
	check_change(0, in_a_loop_of_nothing, true);
	check_change(0, beyond, true);
	check_change(0, shorter, false);
	check_change(F_PACKED, longer, true);
	check_change(F_PACKED, shorter, false);
}

/* ---- order ---------------------------------------------------------------- */

static const struct buffer three[] = {{OUT, 600, 0}, {OUT + 0x800, 40, 0}, {IN, 600, WRITE}};

/* The chain, once it can be found, is whole. */
static void find(uint64_t pa)
{
	struct ring there = r;
	struct seen s;
	uint8_t byte;

	(void)pa;
	if (!b_next(&there, &s))
		return;
	check_eq(s.n, 3);
	for (unsigned i = 0; i < 3; i++) {
		check_eq(s.d[i].len, three[i].len);
		check_eq(s.d[i].flags & WRITE, three[i].flags);
		back_get(s.d[i].addr + s.d[i].len - 1, &byte, 1);
		check(i == 2 || byte == 'x');
	}
}

static void in_order(uint64_t features, bool by_table)
{
	uint8_t x[600];
	unsigned id;
	uint32_t len;
	struct seen s;

	memset(x, 'x', sizeof(x));
	start(features | F_INDIRECT);
	private_put(OUT, x, 600);
	private_put(OUT + 0x800, x, 40);
	for (unsigned i = 0; i < 40; i++) {
		fill_unused();
		if (by_table)
			post_table(&r, i % 16, TABLE, three, 3);
		else
			post(&r, i % 16, three, 3);
		host_ns_hook = find;
		kick(&r);
		host_ns_hook = NULL;
		check(b_next(&r, &s));
		b_use(&r, s.id, 0, by_table ? 1 : 3);
		enter();
		check(g_used(&r, &id, &len, by_table ? 1 : 3));
	}
	io_end();
}

TEST(split_order, "split: a back end finds a chain when all of it is there")
{
	in_order(0, false);
	in_order(0, true);
	in_order(F_EVENT_IDX, false);
}

TEST(packed_order, "packed: a back end finds a chain when all of it is there")
{
	in_order(F_PACKED, false);
	in_order(F_PACKED, true);
	in_order(F_PACKED | F_EVENT_IDX, false);
}

/* ---- what has been broken ------------------------------------------------- */

static void broken_by_guest(uint64_t features)
{
	struct seen s;

	start(features);
	post(&r, r.packed ? 16 : 3, &(struct buffer){OUT, 16, WRITE}, 1);
	if (!r.packed)
		private_put(r.part[DRIVER] + 4, &(uint16_t){16}, 2);
	check(!kick(&r));
	check(needs_reset(&c));
	if (r.packed)
		private_put(r.part[DESC] + 12, &(uint16_t){3}, 2);
	else
		private_put(r.part[DRIVER] + 4, &(uint16_t){3}, 2);
	check(!kick(&r));
	enter();
	check(!b_next(&r, &s));
	check(needs_reset(&c));
	io_end();
}

TEST(guest_mends, "split, packed: a queue that the guest has broken is not mended by its ring")
{
	broken_by_guest(0);
	broken_by_guest(F_PACKED);
}

static void broken_by_back_end(uint64_t features)
{
	unsigned id;
	uint32_t len;

	start(features);
	post(&r, 3, &(struct buffer){IN, 16, WRITE}, 1);
	post(&r, 4, &(struct buffer){IN, 16, WRITE}, 1);
	kick(&r);
	b_use(&r, 9, 16, 1);
	enter();
	check(needs_reset(&c));
	r.b_used = 0;
	b_use(&r, 3, 16, 1);
	enter();
	check(!g_used(&r, &id, &len, 1));
	check(needs_reset(&c));
	check_private();
	io_end();
}

TEST(back_end_mends, "split, packed: nor is one that the back end has broken")
{
	broken_by_back_end(0);
	broken_by_back_end(F_PACKED);
}

/* ---- what counts, and what does not --------------------------------------- */

static void check_part(uint64_t features, bool by_table)
{
	const struct buffer b[] = {{IN, 100, WRITE}, {IN + 0x800, 100, WRITE}};
	static const uint32_t lens[] = {0, 1, 99, 100, 101, 150, 199};
	uint8_t in[200];
	unsigned id;
	uint32_t len;
	struct seen s;

	start(features | F_INDIRECT);
	for (unsigned i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		memset(in, i + 1, sizeof(in));
		if (by_table)
			post_table(&r, 3, TABLE, b, 2);
		else
			post(&r, 3, b, 2);
		kick(&r);
		check(b_next(&r, &s));
		back_put(s.d[0].addr, in, 100);
		back_put(s.d[1].addr, in, 100);
		b_use(&r, 3, lens[i], by_table ? 1 : 2);
		enter();
		check(g_used(&r, &id, &len, by_table ? 1 : 2));
		expect(IN, in, lens[i] < 100 ? lens[i] : 100);
		expect(IN + 0x800, in, lens[i] < 100 ? 0 : lens[i] - 100);
		check_private();
	}
	io_end();
}

TEST(only_used, "split, packed: of what the device may write, as much comes in as it says it has")
{
	check_part(0, false);
	check_part(0, true);
	check_part(F_PACKED, false);
	check_part(F_PACKED, true);
}

TEST(split_flags, "split: flags of descriptors that mean nothing stay inside")
{
	struct seen s;

	start(F_INDIRECT);
	put_desc(&r, 3, (struct vdesc){IN, 16, 0xfff8 | WRITE | NEXT, 5});
	put_desc(&r, 5, (struct vdesc){IN, 16, 0xfff8 | WRITE, 7});
	put_avail(&r, 3);
	check(kick(&r));
	check(b_next(&r, &s));
	check_eq(s.n, 2);
	check_eq(s.d[0].flags, WRITE | NEXT);
	check_eq(s.d[1].flags, WRITE);
	io_end();
}

TEST(packed_flags, "packed: flags that mean nothing stay where they are; NEXT, in a table, is none")
{
	struct seen s;
	unsigned id;
	uint32_t len;
	uint16_t flags;

	start(F_PACKED | F_INDIRECT);
	post(&r, 3, &(struct buffer){IN, 16, 0x7f78 | WRITE}, 1);
	check(kick(&r));
	check(b_next(&r, &s));
	check_eq(s.d[0].flags, WRITE | 0x80);
	b_use(&r, 3, 0, 1);
	back_put16(r.back[DESC] + 14, 0xffff);
	enter();
	check(g_used(&r, &id, &len, 1));
	private_get(r.part[DESC] + 14, &flags, 2);
	check_eq(flags, 0x8080 | WRITE);
	entry(0, IN, 16, WRITE | NEXT, 0);
	entry(1, IN, 16, WRITE | NEXT, 0);
	post(&r, 4, &(struct buffer){TABLE, 32, INDIRECT}, 1);
	check(kick(&r));
	check(b_next(&r, &s));
	check_eq(s.n, 2);
	check(!needs_reset(&c));
	io_end();
}

TEST(packed_used_already, "packed: what the guest has flagged as used is not available")
{
	struct seen s;

	start(F_PACKED);
	put_desc(&r, 0, (struct vdesc){IN, 16, 3, 0x8080 | WRITE});
	kick(&r);
	check(!b_next(&r, &s));
	check(!needs_reset(&c));
	put_desc(&r, 0, (struct vdesc){IN, 16, 3, 0x8000 | WRITE});
	kick(&r);
	check(!b_next(&r, &s));
	io_end();
}

TEST(table_end, "split: a chain does not go on behind its table, whatever is there")
{
	struct seen s;

	start(F_INDIRECT);
	entry(0, IN, 16, WRITE | NEXT, 2);
	entry(2, IN, 16, WRITE, 0);
	post(&r, 3, &(struct buffer){TABLE, 32, INDIRECT}, 1);
	check(!kick(&r));
	check(!b_next(&r, &s));
	check_broken(&r);
	io_end();
}

/* A descriptor behind the ring's, where the guest's ring would have it, is copied nowhere. */
TEST(ring_end, "split: nor behind the ring")
{
	static const char sign[] = "behind it";

	start(0);
	private_put(r.part[DESC] + 16 * 300, sign, sizeof(sign));
	put_desc(&r, 3, (struct vdesc){IN, 16, NEXT | WRITE, 300});
	put_avail(&r, 3);
	check(!kick(&r));
	for (uint64_t at = 0; at < HOST_SVISOR_SIZE; at += 8)
		check(memcmp(host_mem(HOST_SVISOR + at), sign, 8));
	check_broken(&r);
	io_end();
}
