// SPDX-License-Identifier: BSD-3-Clause
/* Split rings (virtio 1.2, 2.7). */
#include "virtio.h"

static struct card c;
static struct ring r;

static void start(uint64_t features, unsigned size)
{
	io_start(256);
	c = mmio_card(0);
	r = ring_start(&c, features, size);
}

/* ---- what works ----------------------------------------------------------- */

TEST(works, "split: a request goes out, its answer comes in, again and again")
{
	start(0, 16);
	for (unsigned i = 0; i < 40; i++)
		check_works(&r, i % 15, 1 + i * 250);
	io_end();
}

TEST(works_event_idx, "split: the same with event indices, directly and by tables")
{
	start(F_EVENT_IDX | F_INDIRECT, 16);
	for (unsigned i = 0; i < 40; i++) {
		check_works(&r, i % 15, 1 + i * 250);
		check_table_works(&r, i % 16, 1 + i * 250);
	}
	io_end();
}

TEST(sizes, "split: sizes from 1 to 1024, over the end of 16-bit indices")
{
	static const struct {
		unsigned size, rounds;
	} cases[] = {{1, 300}, {2, 300}, {256, 258}, {1024, 66}};

	start(0, 16);
	for (unsigned i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		r = ring_start(&c, i & 1 ? F_EVENT_IDX : 0, cases[i / 2].size);
		churn(&r, cases[i / 2].rounds, cases[i / 2].size);
	}
	io_end();
}

/* Four buffers of odd sizes that begin and end anywhere. */
static const struct buffer odd[] = {
	{DATA + 0xffd, 7, 0},
	{DATA + 0x3001, 4099, 0},
	{DATA + 0x5ffe, 3, WRITE},
	{DATA + 0x8fff, 4098, WRITE},
};

static void fill(uint64_t ipa, unsigned n, unsigned seed)
{
	for (unsigned i = 0; i < n; i++)
		private_put(ipa + i, &(uint8_t){seed + i % 251}, 1);
}

static void check_filled(uint64_t ipa, unsigned n, unsigned seed)
{
	for (unsigned i = 0; i < n; i++) {
		uint8_t got;

		back_get(ipa + i, &got, 1);
		check_eq(got, (uint8_t)(seed + i % 251));
	}
}

static void check_odd(const struct seen *s)
{
	check_eq(s->n, 4);
	for (unsigned i = 0; i < 4; i++) {
		check_eq(s->d[i].len, odd[i].len);
		check_eq(s->d[i].flags & WRITE, odd[i].flags);
		check(s->d[i].addr >= BOUNCE && s->d[i].addr < BOUNCE + PAGE(256));
	}
	check_filled(s->d[0].addr, 7, 1);
	check_filled(s->d[1].addr, 4099, 2);
}

/* The back end fills all it can, and says that it has written `len` bytes. */
static void use_odd(const struct seen *s, uint32_t len)
{
	static uint8_t in[4101];
	unsigned id;
	uint32_t told, first = len < 3 ? len : 3;

	memset(in, 0x77, sizeof(in));
	for (unsigned i = 0; i < 4; i++)
		back_put(s->d[i].addr, in, s->d[i].len);
	b_use(&r, s->id, len, 4);
	enter();
	check(g_used(&r, &id, &told, 4));
	check_eq(told, len);
	expect(odd[2].addr, in, first);
	expect(odd[3].addr, in, len - first);
	check_private();
}

TEST(odd_chains, "split: only what the device reads leaves, and only what it has written comes in")
{
	static const uint32_t lens[] = {4101, 4100, 4096, 100, 4, 3, 2, 1, 0};
	struct seen s;

	start(F_INDIRECT, 16);
	for (unsigned i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		fill(odd[0].addr, 7, 1);
		fill(odd[1].addr, 4099, 2);
		if (i & 1)
			post_table(&r, i, DATA + 0xaff8, odd, 4);
		else
			post(&r, i, odd, 4);
		kick(&r);
		check(b_next(&r, &s));
		check_odd(&s);
		use_odd(&s, lens[i]);
	}
	io_end();
}

TEST(out_of_order, "split: chains may come back in any order, some of them")
{
	static const unsigned order[] = {3, 0, 4, 2, 1};
	unsigned id;
	uint32_t len;

	start(0, 16);
	for (unsigned i = 0; i < 5; i++)
		post(&r, i, &(struct buffer){DATA + PAGE(i), 64, WRITE}, 1);
	check(kick(&r));
	for (unsigned i = 0; i < 5; i++) {
		b_use(&r, order[i], 0, 1);
		enter();
		check(g_used(&r, &id, &len, 1));
		check_eq(id, order[i]);
		check(!g_used(&r, &id, &len, 1));
	}
	io_end();
}

/* ---- notifications -------------------------------------------------------- */

static void post_some(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		post(&r, i, &(struct buffer){DATA, 16, 0}, 1);
}

static void use_all(void)
{
	struct seen s;
	unsigned id;
	uint32_t len;

	while (b_next(&r, &s))
		b_use(&r, s.id, 0, 1);
	enter();
	while (g_used(&r, &id, &len, 1))
		;
}

TEST(kick_flags, "split: the back end hears of new chains unless its flags forbid it")
{
	start(0, 16);
	private_put(DATA, "nothing secret..", 16);
	for (unsigned i = 0; i < 8; i++) {
		back_put16(r.back[DEVICE_PART], i & 1);
		post_some(1 + i);
		check_eq(kick(&r), !(i & 1));
		check(!kick(&r)); /* nothing is new */
		use_all();
	}
	io_end();
}

TEST(kick_event_idx, "split: with event indices, only of the one that it waits for")
{
	start(F_EVENT_IDX, 16);
	private_put(DATA, "nothing secret..", 16);
	for (int event = -4; event < 12; event++) {
		uint16_t at = r.avail + event, old = r.avail;

		post_some(7);
		back_put16(r.back[DEVICE_PART], 1); /* flags mean nothing then */
		back_put16(r.back[DEVICE_PART] + 4 + 8 * 16, at);
		check_eq(kick(&r), (uint16_t)(r.avail - at - 1) < (uint16_t)(r.avail - old));
		use_all();
	}
	io_end();
}

TEST(asks, "split: guest and back end are always asked to tell")
{
	uint16_t value;

	start(F_EVENT_IDX, 8);
	private_put(DATA, "nothing secret..", 16);
	for (unsigned i = 1; i < 10; i++) {
		private_put(r.part[DRIVER], &(uint16_t){1}, 2);
		private_put(r.part[DRIVER] + 4 + 2 * 8, &(uint16_t){i + 100}, 2);
		post_some(1);
		kick(&r);
		private_get(r.part[DEVICE_PART] + 4 + 8 * 8, &value, 2);
		check_eq(value, i);
		private_get(r.part[DEVICE_PART], &value, 2);
		check_eq(value, 0);
		use_all();
		check_eq(back_get16(r.back[DRIVER]), 0);
		check_eq(back_get16(r.back[DRIVER] + 4 + 2 * 8), i);
	}
	io_end();
}

TEST(asks_first, "split: what the guest's ring says of notifications at first does not count")
{
	uint16_t value;

	start(F_EVENT_IDX, 8);
	put_reg(&c, STATUS, 0);
	negotiate(&c, F_EVENT_IDX | F_VERSION_1);
	put_reg(&c, QUEUE, 0);
	put_reg(&c, SIZE, 8);
	private_put(r.part[DEVICE_PART], &(uint16_t){1}, 2);
	private_put(r.part[DEVICE_PART] + 4 + 8 * 8, &(uint16_t){5}, 2);
	for (unsigned i = 0; i < 6; i++)
		put_reg(&c, PART + i, (uint32_t)(r.part[i / 2] >> 32 * (i & 1)));
	put_reg(&c, READY, 1);
	private_get(r.part[DEVICE_PART], &value, 2);
	check_eq(value, 0);
	private_get(r.part[DEVICE_PART] + 4 + 8 * 8, &value, 2);
	check_eq(value, 0);
	expect_any(r.part[DEVICE_PART], 2);
	expect_any(r.part[DEVICE_PART] + 4 + 8 * 8, 2);
	io_end();
}

/* ---- a guest in error ----------------------------------------------------- */

static void desc(unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	put_desc(&r, i, (struct vdesc){addr, len, flags, next});
}

static void head_beyond(void)
{
	put_avail(&r, 16);
}

static void head_far_beyond(void)
{
	put_avail(&r, 0xffff);
}

static void index_jumps(void)
{
	desc(0, DATA, 1, 0, 0);
	r.avail += 16;
	put_avail(&r, 0);
}

static void index_goes_back(void)
{
	desc(0, DATA, 1, 0, 0);
	r.avail -= 2;
	put_avail(&r, 0);
}

static void loop_of_one(void)
{
	desc(2, DATA, 1, NEXT, 2);
	put_avail(&r, 2);
}

static void loop_of_two(void)
{
	desc(0, DATA, 1, NEXT, 1);
	desc(1, DATA, 1, NEXT, 0);
	put_avail(&r, 0);
}

static void next_beyond(void)
{
	desc(0, DATA, 1, NEXT, 16);
	put_avail(&r, 0);
}

static void outside(void)
{
	desc(0, DEVICE, 4, 0, 0);
	put_avail(&r, 0);
}

static void partly_outside(void)
{
	desc(0, RAM + RAM_SIZE - 4, 8, WRITE, 0);
	put_avail(&r, 0);
}

static void from_below(void)
{
	desc(0, RAM - 4, 8, 0, 0);
	put_avail(&r, 0);
}

static void around(void)
{
	desc(0, -16UL, 32, WRITE, 0);
	put_avail(&r, 0);
}

static void all_of_it(void)
{
	desc(0, RAM, 0xffffffff, WRITE, 0);
	put_avail(&r, 0);
}

static void second_outside(void)
{
	desc(0, DATA, 16, NEXT, 1);
	desc(1, BAR64, 16, WRITE, 0);
	put_avail(&r, 0);
}

static void empty_chain(void)
{
	desc(0, DATA, 0, 0, 0);
	put_avail(&r, 0);
}

static void too_large(void)
{
	desc(0, RAM, PAGE(256) + 1, WRITE, 0);
	put_avail(&r, 0);
}

/* Larger than what is counted in. */
static void far_too_large(void)
{
	for (unsigned i = 0; i < 16; i++)
		desc(i, RAM, RAM_SIZE, WRITE | (i < 15 ? NEXT : 0), i + 1);
	put_avail(&r, 0);
}

static void not_negotiated(void)
{
	desc(0, DATA, 16, INDIRECT, 0);
	put_avail(&r, 0);
}

TEST(guest_in_error, "split: chains that make no sense break the queue, till the device is reset")
{
	static void (*const bad[])(void) = {
		head_beyond,    head_far_beyond, index_jumps, index_goes_back, loop_of_one,
		loop_of_two,    next_beyond,     outside,     partly_outside,  from_below,
		around,         all_of_it,       too_large,   second_outside,  empty_chain,
		not_negotiated, far_too_large,
	};
	struct seen s;

	start(0, 16);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		bad[i]();
		check(!kick(&r));
		check(!b_next(&r, &s));
		check_broken(&r);
	}
	io_end();
}

TEST(head_in_flight, "split: a head that the device has already breaks the queue")
{
	start(0, 16);
	desc(4, DATA, 16, WRITE, 0);
	put_avail(&r, 4);
	check(kick(&r));
	put_avail(&r, 4);
	check(!kick(&r));
	check_broken(&r);
	io_end();
}
