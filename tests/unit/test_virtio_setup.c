// SPDX-License-Identifier: BSD-3-Clause
/* How a driver sets queues up (virtio 1.2, 4.2.3.2), well and badly. */
#include "virtio.h"

static struct card c;
static struct ring r;

static void start(void)
{
	io_start(256);
	c = mmio_card(0);
}

TEST(size_most, "virtio: the largest size is no more than 1024, and of no queue too many")
{
	start();
	put_reg(&c, STATUS, 0);
	put_reg(&c, QUEUE, 3);
	check_eq(guest_read_as(c.base + 0x34, 4, 1025), 1024);
	check_eq(guest_read_as(c.base + 0x34, 4, 0xffffffff), 1024);
	check_eq(guest_read_as(c.base + 0x34, 4, 7), 7);
	put_reg(&c, QUEUE, 65);
	check_eq(guest_read_as(c.base + 0x34, 4, 64), 64);
	put_reg(&c, QUEUE, 66);
	check_eq(guest_read_as(c.base + 0x34, 4, 64), 0);
	put_reg(&c, QUEUE, 0xffffffff);
	check_eq(guest_read_as(c.base + 0x34, 4, 64), 0);
	check(!needs_reset(&c));
	io_end();
}

static void set_part(unsigned part, uint64_t at)
{
	put_reg(&c, PART + 2 * part, (uint32_t)at);
	put_reg(&c, PART + 2 * part + 1, at >> 32);
}

/* It does not start; the device works after a reset. */
static void check_refused(bool hidden)
{
	check_eq(put_reg(&c, READY, 1), !hidden);
	check(needs_reset(&c));
	check_private();
	r = ring_start(&c, 0, 16);
	check_works(&r, 0, 10);
	negotiate(&c, F_VERSION_1);
	put_reg(&c, QUEUE, 0);
}

TEST(size_bad, "virtio: a queue of no size that can be does not start")
{
	static const uint32_t bad[] = {0, 3, 1000, 1025, 2048, 0x8000, 0x10010, 0xffffffff};

	start();
	negotiate(&c, F_VERSION_1);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put_reg(&c, QUEUE, 0);
		put_reg(&c, SIZE, bad[i]);
		check(!put_reg(&c, PART, RINGS));
		check_refused(true);
	}
	io_end();
}

TEST(size_packed, "virtio: of a packed one, it need not be a power of 2")
{
	start();
	negotiate(&c, F_VERSION_1 | F_PACKED);
	put_reg(&c, SIZE, 1000);
	check(put_reg(&c, PART, RINGS));
	negotiate(&c, F_VERSION_1 | F_PACKED);
	put_reg(&c, SIZE, 1025);
	check(!put_reg(&c, PART, RINGS));
	check(needs_reset(&c));
	io_end();
}

TEST(size_changed, "virtio: a size that changes when the queue has its place breaks the device")
{
	start();
	negotiate(&c, F_VERSION_1);
	put_reg(&c, SIZE, 16);
	set_part(DESC, RINGS);
	put_reg(&c, SIZE, 16);
	check(!needs_reset(&c));
	put_reg(&c, SIZE, 32);
	check(needs_reset(&c));
	r = ring_start(&c, 0, 16);
	put_reg(&c, SIZE, 8);
	post(&r, 0, &(struct buffer){DATA, 8, WRITE}, 1);
	check_broken(&r);
	io_end();
}

TEST(no_place, "virtio: a queue without a place does not start")
{
	start();
	negotiate(&c, F_VERSION_1);
	put_reg(&c, SIZE, 16);
	check_refused(true);
	check(put_reg(&c, READY, 0));
	check(!needs_reset(&c));
	io_end();
}

TEST(ring_bad, "virtio: a ring that is not aligned, or not all in RAM, does not start")
{
	static const struct {
		unsigned part;
		uint64_t at;
	} bad[] = {
		{DESC, RINGS + 8},
		{DESC, RINGS + 1},
		{DRIVER, RINGS + 1},
		{DEVICE_PART, RINGS + 2},
		{DESC, DEVICE},
		{DRIVER, 0},
		{DEVICE_PART, RAM + RAM_SIZE},
		{DESC, RAM + RAM_SIZE - 16 * 15},
		{DRIVER, RAM + RAM_SIZE - 36},
		{DEVICE_PART, RAM + RAM_SIZE - 132},
		{DESC, -16UL},
		{DRIVER, -2UL},
		{DEVICE_PART, BAR64},
		{DESC, RAM - 16},
		{DESC, 1UL << 48 | RINGS},
	};

	start();
	negotiate(&c, F_VERSION_1);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put_reg(&c, SIZE, 16);
		for (unsigned part = 0; part < 3; part++)
			set_part(part, RINGS + PAGE(part));
		set_part(bad[i].part, bad[i].at);
		check_refused(true);
	}
	io_end();
}

TEST(ring_end, "virtio: a ring may end where RAM does")
{
	start();
	negotiate(&c, F_VERSION_1);
	put_reg(&c, SIZE, 16);
	set_part(DESC, RAM + RAM_SIZE - PAGE(1));
	set_part(DRIVER, RAM + RAM_SIZE - 38);
	set_part(DEVICE_PART, RAM + RAM_SIZE - PAGE(1) + 256);
	check(put_reg(&c, READY, 1));
	check(!needs_reset(&c));
	io_end();
}

TEST(place, "virtio: the N-visor is told of places in bounce memory, the guest reads its own")
{
	uint64_t shown[3];

	start();
	negotiate(&c, F_VERSION_1);
	put_reg(&c, SIZE, 16);
	for (unsigned i = 0; i < 3; i++)
		set_part(i, 0x1234567000000000 | (RINGS + PAGE(i)));
	for (unsigned i = 0; i < 6; i++) {
		uint64_t at = 0x1234567000000000 | (RINGS + PAGE(i / 2));

		check_eq(get_reg(&c, PART + i), (uint32_t)(at >> 32 * (i & 1)));
		((uint32_t *)shown)[i] = c.back->queue[0][PART + i];
	}
	check_eq(shown[DESC], BOUNCE);
	check_eq(shown[DRIVER], BOUNCE + 256);
	check_eq(shown[DEVICE_PART], BOUNCE + 256 + 40);
	put_reg(&c, QUEUE, 1);
	check_eq(get_reg(&c, PART), 0);
	io_end();
}

TEST(given_up, "virtio: a queue is given up when its READY is 0, and can be set up anew")
{
	start();
	r = ring_start(&c, 0, 16);
	check_works(&r, 0, 5000);
	check_eq(trim(), 1);
	put_reg(&c, READY, 0);
	check(!kick(&r));
	check_eq(trim(), 0);
	r = ring_new(&c, 0, 32, RINGS, false);
	check_works(&r, 0, 5000);
	io_end();
}

TEST(many_queues, "virtio: queues up to 65 work, none beyond is there")
{
	static const unsigned index[] = {0, 1, 31, 64, 65};
	static const uint32_t beyond[] = {66, 79, 0xffff, 0x10000, 0xffffffff};

	start();
	negotiate(&c, F_VERSION_1);
	for (unsigned i = 0; i < sizeof(index) / sizeof(index[0]); i++) {
		r = ring_new(&c, index[i], 4, RINGS + PAGE(3 * i), false);
		check_works(&r, 1, 40);
	}
	for (unsigned i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
		put_reg(&c, QUEUE, beyond[i]);
		check(!put_reg(&c, PART, RINGS));
		check(!put_reg(&c, PART + 3, RINGS));
		check(!guest_write(c.notify, 4, beyond[i]));
		check(!needs_reset(&c));
	}
	check(!put_reg(&c, READY, 1));
	check(needs_reset(&c));
	io_end();
}

TEST(bell, "virtio: doorbells of queues that are not there are heard by nobody")
{
	start();
	check(!guest_write(c.notify, 4, 0));
	r = ring_start(&c, 0, 16);
	check(!guest_write(c.notify, 4, 1));
	post(&r, 0, &(struct buffer){DATA, 8, WRITE}, 1);
	check(kick(&r));
	put_reg(&c, STATUS, 0);
	check(!guest_write(c.notify, 4, 0));
	io_end();
}
