// SPDX-License-Identifier: BSD-3-Clause
/* Back ends that break the rules, or whose memory goes away (I7). */
#include "virtio.h"

#define OUT DATA
#define IN (DATA + PAGE(3) - 16)

static const struct buffer pair[] = {{OUT, 16, 0}, {IN, 32, WRITE}};
static struct card c;
static struct ring r;
static struct seen s;

static void start(uint64_t features)
{
	r = mmio_ring(&c, 256, features);
}

/* The back end has chain 3, and has filled what it may. */
static void one_request(void)
{
	private_put(OUT, "nothing secret..", 16);
	post(&r, 3, pair, 2);
	kick(&r);
	check(b_next(&r, &s));
	back_put(s.d[1].addr, "This comes from the back end now", 32);
}

static void check_came(void)
{
	unsigned id;
	uint32_t len;

	enter();
	check(g_used(&r, &id, &len, 2));
	check_eq(id, 3);
	check_eq(len, 32);
	expect(IN, "This comes from the back end now", 32);
	check_private();
}

/* ---- used elements -------------------------------------------------------- */

static void index_is(uint16_t index)
{
	back_put16(r.back[DEVICE_PART] + 2, index);
}

static void never_offered(void)
{
	b_use(&r, 4, 32, 2);
}

static void beyond(void)
{
	b_use(&r, 16, 32, 2);
}

static void far_beyond(void)
{
	b_use(&r, 0xffffffff, 32, 2);
}

static void jumps(void)
{
	b_use(&r, 3, 32, 2);
	index_is(r.b_used + 1);
}

static void goes_back(void)
{
	index_is(r.b_used - 1);
}

static void half_way_round(void)
{
	index_is(r.b_used + 0x8000);
}

static void (*const bad[])(void) = {never_offered, beyond,    far_beyond,
				    jumps,         goes_back, half_way_round};

static void each_bad(uint64_t features, unsigned n)
{
	unsigned id;
	uint32_t len;

	start(features);
	for (unsigned i = 0; i < n; i++) {
		one_request();
		bad[i]();
		enter();
		check(!g_used(&r, &id, &len, 2));
		check_broken(&r);
	}
	io_end();
}

TEST(split_used, "split: a used element or index that cannot be breaks the queue")
{
	each_bad(0, sizeof(bad) / sizeof(bad[0]));
}

TEST(split_used_event, "split: the same with event indices")
{
	each_bad(F_EVENT_IDX, sizeof(bad) / sizeof(bad[0]));
}

TEST(packed_used, "packed: a used chain that cannot be breaks the queue")
{
	each_bad(F_PACKED, 3);
}

/* As QEMU's SCSI disks do, of which the guest gets to know nothing. */
static void check_too_long(uint64_t features)
{
	const uint32_t lens[] = {33, 48, 0xffffffff};

	start(features);
	for (unsigned i = 0; i < 3; i++) {
		one_request();
		b_use(&r, 3, lens[i], 2);
		check_came();
		check(!needs_reset(&c));
	}
	io_end();
}

TEST(too_long, "split, packed: of a length that is more than was offered, what was offered counts")
{
	check_too_long(0);
	check_too_long(F_EVENT_IDX);
	check_too_long(F_PACKED);
}

static void twice(uint64_t features)
{
	start(features);
	one_request();
	post(&r, 7, pair, 2);
	kick(&r);
	b_use(&r, 3, 32, 2);
	check_came();
	b_use(&r, 3, 32, 2);
	back_put(s.d[1].addr, "This is not what was there befor", 32);
	enter();
	check_broken(&r);
	io_end();
}

TEST(split_twice, "split: a chain comes back once")
{
	twice(0);
}

TEST(packed_twice, "packed: a chain comes back once")
{
	twice(F_PACKED);
}

static void uninvited(uint64_t features)
{
	unsigned id;
	uint32_t len;

	start(features);
	check_works(&r, 3, 16);
	b_use(&r, 3, 16, 2);
	enter();
	check(!g_used(&r, &id, &len, 2));
	check_private();
	io_end();
}

TEST(split_uninvited, "split: when nothing is in flight, nothing comes back")
{
	uninvited(0);
}

TEST(packed_uninvited, "packed: when nothing is in flight, nothing comes back")
{
	uninvited(F_PACKED);
}

TEST(packed_flags, "packed: what is not flagged as used in this round is not looked at")
{
	static const uint16_t flags[] = {0, 0x80, 0x8000};
	uint64_t at;
	unsigned id;
	uint32_t len;

	start(F_PACKED);
	one_request();
	for (unsigned i = 0; i < 3; i++) {
		at = r.back[DESC] + 16 * r.b_used;
		back_put(at + 8, &(uint32_t){0xffffffff}, 4);
		back_put16(at + 12, 0xffff);
		back_put16(at + 14, flags[i]);
		enter();
		check(!needs_reset(&c));
		check(!g_used(&r, &id, &len, 2));
		check_private();
	}
	b_use(&r, 3, 32, 2);
	check_came();
	io_end();
}

/* ---- its ring ------------------------------------------------------------- */

TEST(split_scribble, "split: what the back end writes into descriptors and available ring is "
		     "without effect")
{
	static uint8_t junk[4096];

	start(F_EVENT_IDX);
	memset(junk, 0xff, sizeof(junk));
	for (unsigned i = 0; i < 20; i++) {
		one_request();
		back_put(r.back[DESC], junk, 16 * 16);
		back_put(r.back[DRIVER], junk, 2 * 16 + 6);
		b_use(&r, 3, 32, 2);
		check_came();
		check_works(&r, 1, 30);
	}
	io_end();
}

TEST(packed_scribble, "packed: what it writes into a chain that it has is without effect")
{
	static const uint8_t junk[14] = {0xff, 0xff, 0xff};

	start(F_PACKED);
	for (unsigned i = 0; i < 20; i++) {
		uint16_t place = r.b_used;

		one_request();
		back_put(r.back[DESC] + 16 * place, junk, 14);
		back_put(r.back[DESC] + 16 * (place + 1), junk, 14);
		b_use(&r, 3, 32, 2);
		check_came();
		check_works(&r, 1, 30);
	}
	io_end();
}

TEST(table_scribble, "split, packed: what it writes into a table is without effect")
{
	static uint8_t junk[32];

	start(F_INDIRECT);
	memset(junk, 0xff, sizeof(junk));
	for (unsigned i = 0; i < 2; i++) {
		unsigned id;
		uint32_t len;

		r = ring_start(&c, i ? F_INDIRECT | F_PACKED : F_INDIRECT, 16);
		private_put(OUT, "nothing secret..", 16);
		post_table(&r, 3, DATA + PAGE(8), pair, 2);
		kick(&r);
		check(b_next(&r, &s));
		back_put(s.d[1].addr, "This comes from the back end now", 32);
		back_put(s.d[0].addr & -512UL, junk, sizeof(junk)); /* the table is before it */
		b_use(&r, 3, 32, 1);
		enter();
		check(g_used(&r, &id, &len, 1));
		expect(IN, "This comes from the back end now", 32);
		check_private();
	}
	io_end();
}

/* ---- its memory ----------------------------------------------------------- */

static unsigned countdown;

/* The page of this access is the last that is accessed: from then on it is not. */
static void break_page(uint64_t pa)
{
	if (pa - ORDINARY < TV_CHUNK_SIZE && countdown && !--countdown)
		host_broken_page = pa & -4096UL;
}

/* All that a queue goes through, as far as it gets. */
static void whole_life(uint64_t features)
{
	struct seen seen;
	bool packed = features & F_PACKED;

	negotiate(&c, features | F_VERSION_1);
	r = ring_new(&c, 0, 16, RINGS, packed);
	for (unsigned i = 0; i < 2; i++) {
		private_put(OUT, "nothing secret..", 16);
		if (features & F_INDIRECT)
			post_table(&r, 3, DATA + PAGE(8), pair, 2);
		else
			post(&r, 3, pair, 2);
		kick(&r);
		if (!r.back[DESC] || !b_next(&r, &seen))
			return;
		b_use(&r, 3, 32, features & F_INDIRECT ? 1 : 2);
		enter();
	}
}

static void fail_each(uint64_t features)
{
	bool failed = true;

	io_start(256);
	c = mmio_card(0);
	host_ns_hook = break_page;
	for (unsigned n = 1; failed; n++) {
		countdown = n;
		whole_life(features);
		failed = host_broken_page != 1;
		countdown = 0;
		host_broken_page = 1;
		check_eq(needs_reset(&c), failed);
		expect_any(RINGS, PAGE(3));
		expect_any(IN, 32);
		r = ring_start(&c, features, 16);
		check_works(&r, 2, 5000);
		check(n < 200);
	}
	io_end();
}

TEST(fails_split, "split: bounce memory that fails, at whatever access, breaks the queue only")
{
	fail_each(F_EVENT_IDX | F_INDIRECT);
	fail_each(0);
}

TEST(fails_packed, "packed: bounce memory that fails, at whatever access, breaks the queue only")
{
	fail_each(F_EVENT_IDX | F_PACKED | F_INDIRECT);
	fail_each(F_PACKED);
}

TEST(becomes_secure, "bounce: a page that has become Secure is not touched")
{
	uint64_t *list;

	io_start(256);
	c = mmio_card(0);
	list = (uint64_t *)((uint8_t *)shared() + TV_RUN_DATA);
	list[0] = CHUNK(1);
	check_eq(smc(TV_BOUNCE_ADD, io_vm.handle, 1, 0, 0), TV_OK);
	check_eq(take(&io_vm, 1), TV_OK);
	negotiate(&c, F_VERSION_1);
	put_reg(&c, QUEUE, 0);
	put_reg(&c, SIZE, 16);
	check(!put_reg(&c, PART, RINGS));
	check(needs_reset(&c));
	check(all_words(CHUNK(1), TV_CHUNK_SIZE, 0));
	io_end();
}
