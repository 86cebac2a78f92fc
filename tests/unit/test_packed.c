// SPDX-License-Identifier: BSD-3-Clause
/* Packed rings (virtio 1.2, 2.8). */
#include "virtio.h"

#define ENABLE 0
#define DISABLE 1
#define AT_DESC 2

static struct card c;
static struct ring r;

static void start(uint64_t features, unsigned size)
{
	io_start(256);
	c = mmio_card(0);
	r = ring_start(&c, F_PACKED | features, size);
}

/* ---- what works ----------------------------------------------------------- */

TEST(works, "packed: a request goes out, its answer comes in, again and again")
{
	start(0, 16);
	for (unsigned i = 0; i < 40; i++)
		check_works(&r, i % 16, 1 + i * 250);
	io_end();
}

TEST(works_event_idx, "packed: the same with event indices, directly and by tables")
{
	start(F_EVENT_IDX | F_INDIRECT, 16);
	for (unsigned i = 0; i < 40; i++) {
		check_works(&r, i % 16, 1 + i * 250);
		check_table_works(&r, i % 16, 1 + i * 250);
	}
	io_end();
}

TEST(sizes, "packed: sizes from 1 to 1024, over the end again and again")
{
	static const unsigned sizes[] = {1, 2, 3, 255, 256, 1000, 1024};

	start(0, 16);
	for (unsigned i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned size = sizes[i / 2];

		r = ring_start(&c, F_PACKED | (i & 1 ? F_EVENT_IDX : 0), size);
		churn(&r, 20, size);
		churn(&r, 20, size / 2 + 1);
	}
	io_end();
}

/* Chains of 1 to 4 buffers of which the last two bytes are for the device to write. */
static void post_chain(unsigned id, unsigned n)
{
	struct buffer b[4];

	for (unsigned i = 0; i < n; i++)
		b[i] = (struct buffer){DATA + PAGE(4 * id + i) - 1, 2, i + 1 == n ? WRITE : 0};
	for (unsigned i = 0; i < n; i++)
		private_put(b[i].addr, &(uint16_t){0x1100 + id}, 2);
	post(&r, id, b, n);
}

static void check_chain(const struct seen *s, unsigned id, unsigned n)
{
	check_eq(s->id, id);
	check_eq(s->n, n);
	for (unsigned i = 0; i + 1 < n; i++) {
		check_eq(s->d[i].len, 2);
		check_eq(s->d[i].flags & WRITE, 0);
		check_eq(back_get16(s->d[i].addr), 0x1100 + id);
	}
	check(s->d[n - 1].flags & WRITE);
}

static void chain_back(unsigned id, unsigned n, uint64_t to)
{
	unsigned got;
	uint16_t value = 0x2200 + id;
	uint32_t len;

	back_put16(to, value);
	b_use(&r, id, 2, n);
	enter();
	check(g_used(&r, &got, &len, n));
	check_eq(got, id);
	check_eq(len, 2);
	expect(DATA + PAGE(4 * id + n - 1) - 1, &value, 2);
	check_private();
}

TEST(chains, "packed: chains of several buffers, over the end of the ring, back in any order")
{
	static const unsigned order[] = {2, 0, 3, 1};
	struct seen s[4];

	start(0, 11);
	for (unsigned round = 0; round < 23; round++) {
		for (unsigned i = 0; i < 4; i++)
			post_chain(i, 1 + (i + round) % 4);
		check(kick(&r));
		for (unsigned i = 0; i < 4; i++) {
			check(b_next(&r, &s[i]));
			check_chain(&s[i], i, 1 + (i + round) % 4);
		}
		for (unsigned i = 0; i < 4; i++) {
			unsigned id = order[(i + round) % 4], n = 1 + (id + round) % 4;

			chain_back(id, n, s[id].d[n - 1].addr);
		}
	}
	io_end();
}

TEST(half_used, "packed: used chains are written over others that are still in flight")
{
	struct seen s[2];
	unsigned id;
	uint32_t len;

	start(0, 4);
	for (unsigned round = 0; round < 9; round++) {
		post_chain(0, 1);
		post_chain(1, 3);
		kick(&r);
		check(b_next(&r, &s[0]) && b_next(&r, &s[1]));
		chain_back(1, 3, s[1].d[2].addr); /* at the place of the other one */
		post_chain(1, 3);                 /* over its own */
		kick(&r);
		check(b_next(&r, &s[1]));
		chain_back(0, 1, s[0].d[0].addr);
		chain_back(1, 3, s[1].d[2].addr);
		check(!g_used(&r, &id, &len, 1));
	}
	io_end();
}

/* ---- notifications -------------------------------------------------------- */

static void post_some(unsigned n)
{
	private_put(DATA, "nothing secret..", 16);
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

TEST(kick_flags, "packed: the back end hears of new chains unless it has disabled that")
{
	start(0, 16);
	for (unsigned i = 0; i < 8; i++) {
		back_put16(r.back[DEVICE_PART], 0x8003);
		back_put16(r.back[DEVICE_PART] + 2, i % 4); /* AT_DESC was not negotiated */
		post_some(1 + i);
		check_eq(kick(&r), i % 4 != DISABLE);
		check(!kick(&r));
		use_all();
	}
	io_end();
}

TEST(kick_event_idx, "packed: with event indices, only of the place that it waits for")
{
	unsigned old = 0;

	start(F_EVENT_IDX, 16);
	for (unsigned round = 0; round < 8; round++) {
		for (int event = -4; event < 10; event++, old += 5) {
			unsigned at = old + 64 + event;

			post_some(5);
			back_put16(r.back[DEVICE_PART], at % 16 | (~at / 16 & 1) << 15);
			back_put16(r.back[DEVICE_PART] + 2, AT_DESC);
			check_eq(kick(&r), event >= 0 && event < 5);
			use_all();
		}
	}
	back_put16(r.back[DEVICE_PART] + 2, DISABLE);
	post_some(5);
	check(!kick(&r));
	io_end();
}

TEST(asks, "packed: guest and back end are always asked to tell")
{
	uint16_t value;

	for (unsigned event = 0; event < 2; event++) {
		start(event ? F_EVENT_IDX : 0, 8);
		for (unsigned i = 1; i < 40; i++) {
			private_put(r.part[DRIVER] + 2, &(uint16_t){DISABLE}, 2);
			post_some(1);
			kick(&r);
			private_get(r.part[DEVICE_PART] + 2, &value, 2);
			check_eq(value, ENABLE);
			use_all();
			check_eq(back_get16(r.back[DRIVER] + 2), ENABLE);
		}
		io_end();
	}
}

TEST(asks_first, "packed: what the guest's ring says of notifications at first does not count")
{
	uint16_t value;

	start(0, 8);
	put_reg(&c, READY, 0);
	private_put(r.part[DEVICE_PART] + 2, &(uint16_t){DISABLE}, 2);
	put_reg(&c, QUEUE, 0);
	put_reg(&c, SIZE, 8);
	for (unsigned i = 0; i < 6; i++)
		put_reg(&c, PART + i, (uint32_t)(r.part[i / 2] >> 32 * (i & 1)));
	put_reg(&c, READY, 1);
	private_get(r.part[DEVICE_PART] + 2, &value, 2);
	check_eq(value, ENABLE);
	expect_any(r.part[DEVICE_PART] + 2, 2);
	io_end();
}

/* ---- a guest in error ----------------------------------------------------- */

static void one(uint64_t addr, uint32_t len, unsigned id, uint16_t flags)
{
	post(&r, id, &(struct buffer){addr, len, flags}, 1);
}

static void id_beyond(void)
{
	one(DATA, 16, 16, WRITE);
}

static void id_far_beyond(void)
{
	one(DATA, 16, 0xffff, WRITE);
}

static void endless(void)
{
	for (unsigned i = 0; i < 16; i++)
		one(DATA, 16, 0, WRITE | NEXT);
}

static void outside(void)
{
	one(DEVICE, 4, 0, 0);
}

static void partly_outside(void)
{
	one(RAM + RAM_SIZE - 4, 8, 0, WRITE);
}

static void around(void)
{
	one(-16UL, 32, 0, WRITE);
}

static void second_outside(void)
{
	one(DATA, 16, 0, NEXT | WRITE);
	one(BAR64, 16, 0, WRITE);
}

static void empty_chain(void)
{
	one(DATA, 0, 0, 0);
}

static void too_large(void)
{
	one(RAM, PAGE(256) + 1, 0, WRITE);
}

static void not_negotiated(void)
{
	one(DATA, 16, 0, INDIRECT);
}

TEST(guest_in_error, "packed: chains that make no sense break the queue, till the device is reset")
{
	static void (*const bad[])(void) = {
		id_beyond, id_far_beyond,  endless,     outside,   partly_outside,
		around,    second_outside, empty_chain, too_large, not_negotiated,
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

TEST(id_in_flight, "packed: an id that the device has already breaks the queue")
{
	start(0, 16);
	one(DATA, 16, 5, WRITE);
	check(kick(&r));
	one(DATA, 16, 5, WRITE);
	check(!kick(&r));
	check_broken(&r);
	io_end();
}

TEST(too_many, "packed: more descriptors than the ring has break the queue")
{
	start(0, 16);
	for (unsigned i = 0; i < 9; i++)
		one(DATA, 16, 1, WRITE | (i < 8 ? NEXT : 0));
	check(kick(&r));
	for (unsigned i = 0; i < 8; i++)
		one(DATA, 16, 2, WRITE | (i < 7 ? NEXT : 0));
	check(!kick(&r));
	check_broken(&r);
	io_end();
}
