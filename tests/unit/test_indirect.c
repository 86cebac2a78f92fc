// SPDX-License-Identifier: BSD-3-Clause
/* Indirect tables (virtio 1.2, 2.7.5.3 and 2.8.7), of both kinds of ring. */
#include "virtio.h"

#define TABLE (DATA + PAGE(8) - 24) /* across a page */
#define IN (DATA + PAGE(2) - 8)

static struct card c;
static struct ring r;
static bool packed;

static void begin(bool is_packed)
{
	packed = is_packed;
	io_start(256);
	c = mmio_card(0);
	r = ring_start(&c, F_INDIRECT | (packed ? F_PACKED : 0), 16);
}

/* The i-th descriptor of the table */
static void entry(unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	struct vdesc d = {addr, len, flags, next};

	if (packed)
		d = (struct vdesc){addr, len, 0, flags & ~NEXT};
	private_put(TABLE + 16 * i, &d, sizeof(d));
}

/* A head that names `len` bytes of it */
static void head(uint64_t table, uint32_t len, uint16_t flags)
{
	struct buffer b = {table, len, INDIRECT | flags};

	if (packed) {
		post(&r, 0, &b, 1);
		return;
	}
	put_desc(&r, 0, (struct vdesc){table, len, b.flags, 1});
	put_desc(&r, 1, (struct vdesc){DATA, 16, WRITE, 0});
	put_avail(&r, 0);
}

static void good(void)
{
	entry(0, DATA, 16, WRITE | NEXT, 1);
	entry(1, IN, 16, WRITE, 0);
}

/* ---- errors --------------------------------------------------------------- */

static void no_table(void)
{
	head(TABLE, 0, 0);
}

static void half_a_descriptor(void)
{
	good();
	head(TABLE, 8, 0);
}

static void more_than_one(void)
{
	good();
	head(TABLE, 17, 0);
}

static void too_long(void)
{
	good();
	head(TABLE, 16 * 1025, 0);
}

static void far_too_long(void)
{
	good();
	head(TABLE, 0xfffffff0, 0);
}

static void outside(void)
{
	head(DEVICE, 32, 0);
}

static void partly_outside(void)
{
	head(RAM + RAM_SIZE - 16, 32, 0);
}

static void around(void)
{
	head(-16UL, 32, 0);
}

static void and_next(void)
{
	good();
	head(TABLE, 32, NEXT);
}

static void nested(void)
{
	entry(0, DATA, 16, INDIRECT, 0);
	head(TABLE, 16, 0);
}

static void nested_later(void)
{
	good();
	entry(1, DATA, 16, INDIRECT, 0);
	head(TABLE, 32, 0);
}

static void as_second(void)
{
	good();
	if (packed) {
		post(&r, 0, &(struct buffer){DATA, 16, NEXT}, 1);
		head(TABLE, 32, 0);
		return;
	}
	put_desc(&r, 0, (struct vdesc){DATA, 16, NEXT, 1});
	put_desc(&r, 1, (struct vdesc){TABLE, 32, INDIRECT, 0});
	put_avail(&r, 0);
}

static void buffer_outside(void)
{
	good();
	entry(1, BAR32, 16, WRITE, 0);
	head(TABLE, 32, 0);
}

static void buffers_too_large(void)
{
	entry(0, RAM, RAM_SIZE, WRITE | NEXT, 1);
	entry(1, RAM, RAM_SIZE, WRITE, 0);
	head(TABLE, 32, 0);
}

/* Split only */

static void loop(void)
{
	good();
	entry(1, IN, 16, WRITE | NEXT, 0);
	head(TABLE, 32, 0);
}

static void next_beyond(void)
{
	good();
	entry(1, IN, 16, WRITE | NEXT, 2);
	head(TABLE, 32, 0);
}

static void (*const bad[])(void) = {
	no_table,     half_a_descriptor, more_than_one,  too_long,          far_too_long,
	outside,      partly_outside,    around,         and_next,          nested,
	nested_later, as_second,         buffer_outside, buffers_too_large, loop,
	next_beyond,
};

static void each_bad(bool is_packed, unsigned n)
{
	struct seen s;

	begin(is_packed);
	for (unsigned i = 0; i < n; i++) {
		bad[i]();
		check(!kick(&r));
		check(!b_next(&r, &s));
		check_broken(&r);
	}
	io_end();
}

TEST(split_bad, "split: tables that make no sense break the queue, till the device is reset")
{
	each_bad(false, sizeof(bad) / sizeof(bad[0]));
}

TEST(packed_bad, "packed: tables that make no sense break the queue, till the device is reset")
{
	each_bad(true, sizeof(bad) / sizeof(bad[0]) - 2);
}

/* ---- what works ----------------------------------------------------------- */

static void use_head(uint32_t len)
{
	unsigned id;
	uint32_t told;

	b_use(&r, 0, len, 1);
	enter();
	check(g_used(&r, &id, &told, 1));
	check_eq(told, len);
	check(!needs_reset(&c));
}

static void longest(bool is_packed)
{
	begin(is_packed);
	for (unsigned i = 0; i < 1024; i++)
		entry(i, UNMAPPED - 4, 4, i < 1023 ? NEXT : WRITE, i + 1);
	private_put(UNMAPPED - 4, "open", 4);
	head(TABLE, 16 * 1024, 0);
	check(kick(&r));
	use_head(0);
	check_private();
	io_end();
}

TEST(split_longest, "split: a table of 1024 descriptors in a ring of 16")
{
	longest(false);
}

TEST(packed_longest, "packed: a table of 1024 descriptors in a ring of 16")
{
	longest(true);
}

TEST(split_part, "split: a chain need not take all of its table, nor in order")
{
	struct seen s;

	begin(false);
	entry(0, DATA, 4, NEXT, 2);
	entry(1, 0, 0xffffffff, INDIRECT, 9);
	entry(2, IN, 16, WRITE, 0);
	private_put(DATA, "open", 4);
	head(TABLE, 48, 0);
	check(kick(&r));
	check_eq(back_get16(r.back[DESC] + 12), INDIRECT);
	check_eq(back_get16(r.back[DESC] + 8), 32);
	check(b_next(&r, &s));
	check_eq(s.n, 2);
	back_put(s.d[1].addr, "sixteen bytes in", 16);
	use_head(16);
	expect(IN, "sixteen bytes in", 16);
	check_private();
	io_end();
}

TEST(write_flag, "split, packed: that a table is for the device to write means nothing")
{
	for (unsigned i = 0; i < 2; i++) {
		struct seen s;

		begin(i);
		good();
		head(TABLE, 32, WRITE);
		check(kick(&r));
		check(b_next(&r, &s));
		check_eq(s.n, 2);
		use_head(0);
		check_private();
		io_end();
	}
}

/* ---- a table that changes ------------------------------------------------- */

/* After the doorbell it says this; the back end fills all it may. */
static void change(bool is_packed, uint64_t addr, uint32_t len, uint16_t flags)
{
	struct seen s;

	begin(is_packed);
	good();
	head(TABLE, 32, 0);
	check(kick(&r));
	check(b_next(&r, &s));
	entry(0, addr, len, flags, 1);
	back_put(s.d[0].addr, "first sixteen by", 16);
	back_put(s.d[1].addr, "then sixteen mor", 16);
	use_head(32);
}

TEST(grows, "split, packed: a table that names more than it did gets no more than was set aside")
{
	for (unsigned i = 0; i < 2; i++) {
		change(i, RAM + PAGE(8), 0x100000, WRITE | NEXT);
		check_private();
		io_end();
		change(i, DATA, 0xfffffff0, WRITE | NEXT);
		check_private();
		io_end();
	}
}

TEST(turns, "split, packed: what a table has turned away from writing is not written")
{
	for (unsigned i = 0; i < 2; i++) {
		change(i, DATA, 16, NEXT);
		expect_any(IN, 16);
		check_private();
		io_end();
	}
}

TEST(leaves, "split, packed: buffers that have moved out of RAM get nothing")
{
	for (unsigned i = 0; i < 2; i++) {
		change(i, DEVICE, 16, WRITE | NEXT);
		expect_any(IN, 16);
		check_private();
		io_end();
	}
}
