// SPDX-License-Identifier: BSD-3-Clause
/* Busy queues: the guest is not asked to tell of each chain, for the S-visor looks by itself. */
#include "virtio.h"

#define SOON 61036 /* ns; a guest that tells again within them is busy */
#define PACKED_ENABLE 0

static const struct buffer in = {DATA, 16, WRITE};
static struct card c;
static struct ring r;

static void start(uint64_t features)
{
	r = mmio_ring(&c, 64, features);
}

/* Does the guest have to tell of the next chain? */
static bool asked(void)
{
	uint64_t at = r.part[DEVICE_PART] + (r.packed ? 2 : 4 + 8 * r.size);
	uint16_t value;

	private_get(at, &value, 2);
	expect_any(at, 2);
	return r.packed ? value == PACKED_ENABLE : value == r.avail;
}

static void post_one(unsigned id)
{
	post(&r, id, &in, 1);
}

static void make_busy(void)
{
	post_one(0);
	kick(&r);
	check(asked());
	post_one(1);
	kick_soon(&r);
	check(!asked());
}

static unsigned found(void)
{
	struct seen s;
	unsigned n = 0;

	while (b_next(&r, &s))
		n++;
	return n;
}

static void each_look(uint64_t features)
{
	start(features);
	make_busy();
	check_eq(found(), 2);
	for (unsigned i = 2; i < 8; i++) {
		post_one(i);
		enter();
		check(!asked());
		check_eq(found(), 1);
	}
	enter();
	check(!asked());
	host_counter += SOON;
	enter();
	check(asked());
	check(!found());
	io_end();
}

TEST(look, "busy: chains are found at entries; with none for a while, the guest is asked again")
{
	each_look(F_EVENT_IDX);
	each_look(F_PACKED);
	each_look(F_PACKED | F_EVENT_IDX);
}

static void idles(uint64_t features)
{
	start(features);
	make_busy();
	check_eq(found(), 2);
	b_ask(&r);
	post_one(2);
	io_idles = true;
	check_eq(run(&io_vm, 0, 0), TV_OK);
	check_mmio_write(c.notify, 4, 0); /* at the entry */
	check_eq(run(&io_vm, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_WFX);
	check_eq(found(), 1);
	io_idles = false;
	check(!asked());
	io_end();
}

TEST(idle, "busy: the back end is notified as it wants; then the guest idles on")
{
	idles(F_EVENT_IDX);
	idles(F_PACKED | F_EVENT_IDX);
}

static void post_at(uint64_t pa)
{
	(void)pa;
	host_ns_hook = NULL;
	post_one(3);
}

/* The guest posts while the S-visor looks at the entry, so it is for the look before WFI. */
static void check_before_idle(uint64_t features)
{
	start(features);
	make_busy();
	check_eq(found(), 2);
	post_one(2);
	io_idles = true;
	host_ns_hook = post_at;
	do {
		check_eq(run(&io_vm, 0, 0), TV_OK);
	} while (shared()->exit == TV_EXIT_MMIO); /* the back end is told */
	host_ns_hook = NULL;
	check_eq(shared()->exit, TV_EXIT_WFX);
	check_eq(found(), 2);
	io_idles = false;
	check(!asked());
	io_end();
}

TEST(before_idle, "busy: a CPU that is about to idle has not posted in vain")
{
	check_before_idle(F_EVENT_IDX);
	check_before_idle(F_PACKED);
}

static void check_slow(uint64_t features)
{
	start(features);
	for (unsigned i = 0; i < 8; i++) {
		host_counter += SOON;
		post_one(i);
		kick_soon(&r);
		check(asked());
	}
	io_end();
}

TEST(slow, "busy: a guest that tells now and then is always asked to")
{
	check_slow(F_EVENT_IDX);
	check_slow(F_PACKED);
}

TEST(no_index, "busy: without event indices a guest with split rings always tells")
{
	uint16_t value;

	start(0);
	post_one(0);
	kick(&r);
	post_one(1);
	kick_soon(&r);
	private_get(r.part[DEVICE_PART], &value, 2);
	check_eq(value, 0);
	io_end();
}

static void check_landed(uint64_t features)
{
	unsigned id;
	uint32_t len;

	start(features);
	make_busy();
	check_eq(found(), 2);
	b_use(&r, 0, 0, 1);
	b_use(&r, 1, 0, 1);
	enter();
	check(asked());
	check(g_used(&r, &id, &len, 1));
	check(g_used(&r, &id, &len, 1));
	io_end();
}

TEST(landed, "busy: no queue is, of which the back end has nothing")
{
	check_landed(F_EVENT_IDX);
	check_landed(F_PACKED);
}
