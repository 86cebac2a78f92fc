// SPDX-License-Identifier: BSD-3-Clause
/* Registers of a virtio device written twice, in another order, or in vain. */
#include "virtio.h"

static struct card c;
static struct ring r;

static void start(void)
{
	io_start(64);
	c = mmio_card(0);
	negotiate(&c, F_VERSION_1);
}

TEST(ready, "virtio: a queue that is enabled again goes on, and one enabled by no 1 does not start")
{
	start();
	r = ring_new(&c, 0, 16, RINGS, false);
	put_reg(&c, READY, 1);
	put_reg(&c, READY, 1);
	check_works(&r, 3, 100);
	put_reg(&c, STATUS, 0);
	negotiate(&c, F_VERSION_1);
	put_reg(&c, QUEUE, 0);
	check(put_reg(&c, READY, 2)); /* without a place, it does no harm */
	check(!needs_reset(&c));
	io_end();
}

TEST(fresh, "virtio: what was said of a queue before a reset is forgotten")
{
	start();
	r = ring_new(&c, 0, 8, RINGS, false);
	put_reg(&c, STATUS, 0);
	negotiate(&c, F_VERSION_1);
	put_reg(&c, QUEUE, 0);
	for (unsigned i = 0; i < 6; i++)
		check_eq(get_reg(&c, PART + i), 0);
	c.back->queue[0][MOST] = 64;
	get_reg(&c, MOST);
	for (unsigned i = 0; i < 6; i++)
		put_reg(&c, PART + i, (uint32_t)(r.part[i / 2] >> 32 * (i & 1)));
	check_eq(c.back->queue[0][PART + 2] - c.back->queue[0][PART], 16 * 64);
	io_end();
}

TEST(size, "virtio: the largest size, read late, does not change the one that the guest has set")
{
	start();
	put_reg(&c, QUEUE, 0);
	put_reg(&c, SIZE, 8);
	check_eq(get_reg(&c, MOST), 1024);
	for (unsigned i = 0; i < 6; i++)
		put_reg(&c, PART + i, (uint32_t)((RINGS + PAGE(i / 2)) >> 32 * (i & 1)));
	check_eq(c.back->queue[0][PART + 2] - c.back->queue[0][PART], 16 * 8);
	io_end();
}

TEST(told_once, "virtio: what the back end has heard it does not hear again")
{
	start();
	r = ring_new(&c, 0, 16, RINGS, false);
	private_put(DATA, "open", 4);
	post(&r, 0, &(struct buffer){DATA, 4, 0}, 1);
	check(kick(&r));
	check(!enter());
	check(!enter());
	check_eq(c.back->kicks, 1);
	io_end();
}

TEST(broken_room, "virtio: where a ring cannot be made in bounce memory, the room is free again")
{
	start();
	check_eq(give(2), TV_OK);
	put_reg(&c, QUEUE, 0);
	put_reg(&c, SIZE, 16);
	host_broken_page = bounce_page(BOUNCE);
	check(!put_reg(&c, PART, (uint32_t)RINGS));
	host_broken_page = 1;
	check(needs_reset(&c));
	check_eq(trim(), 0);
	r = ring_start(&c, 0, 16);
	check_works(&r, 3, 100);
	io_end();
}

TEST(version_late, "virtio: legacy: a driver may write before it reads the version")
{
	io_start(64);
	guest_write(MMIO(0) + 0x70, 4, 0);
	c = legacy_card(0);
	put_reg(&c, GUEST_PAGE, 4096);
	negotiate(&c, F_INDIRECT);
	r = ring_legacy(&c, 0, 16, RINGS, 4096);
	put_reg(&c, STATUS, 7);
	check_works(&r, 3, 100);
	io_end();
}

TEST(odd_page, "virtio: legacy: pages of a size that is no power of 2 are none")
{
	static const uint32_t sizes[] = {0x1800, 0x3000, 0x1001, 0xfff0};

	io_start(64);
	c = legacy_card(0);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		put_reg(&c, GUEST_PAGE, sizes[i]);
		negotiate(&c, 0);
		put_reg(&c, QUEUE, 0);
		put_reg(&c, SIZE, 16);
		put_reg(&c, ALIGN, 16);
		check(!put_reg(&c, PFN, RINGS / sizes[i]));
		check(needs_reset(&c));
	}
	io_end();
}

TEST(share_page, "virtio: TV_BOUNCE_ADD, TV_QUEUE_STATS want a shared page that can be had")
{
	start();
	r = ring_new(&c, 0, 16, RINGS, false);
	check_eq(smc(TV_QUEUE_STATS, io_vm.handle, 0, 0, 0), TV_OK);
	host_broken_page = HOST_DRAM;
	check_eq(smc(TV_QUEUE_STATS, io_vm.handle, 0, 0, 0), TV_EFAULT);
	check_eq(smc(TV_BOUNCE_ADD, io_vm.handle, 1, 0, 0), TV_EFAULT);
	host_broken_page = 1;
	host_cpu(5);
	check_eq(smc(TV_QUEUE_STATS, io_vm.handle, 0, 0, 0), TV_EFAULT);
	check_eq(smc(TV_BOUNCE_ADD, io_vm.handle, 1, 0, 0), TV_EFAULT);
	host_cpu(0);
	check_works(&r, 3, 100);
	io_end();
}

TEST(moved, "virtio: rings and buffers are found where their chunk has gone")
{
	start();
	r = ring_new(&c, 0, 16, RINGS, false);
	put_reg(&c, READY, 1);
	check_works(&r, 3, 100);
	check_eq(take(&io_vm, 1), TV_OK);
	while (smc(TV_CHUNK_MOVE, io_vm.handle, CHUNK(0), CHUNK(1), 0) == TV_AGAIN)
		;
	check_works(&r, 4, 100);
	io_end();
}

TEST(aligned,
     "virtio: for the back end, buffers of a page and more start at pages, others are behind")
{
	const struct buffer b[] = {{DATA, 16, 0},
				   {DATA + 0x1010, 0x1001, 0},
				   {DATA + 0x4000, 512, 0},
				   {DATA + 0x5000, 0x2000, WRITE},
				   {DATA + 0x8000, 1, WRITE}};
	static const uint8_t none[0x1001];
	struct seen s;

	start();
	r = ring_new(&c, 0, 16, RINGS, false);
	put_reg(&c, READY, 1);
	for (unsigned i = 0; i < 3; i++)
		private_put(b[i].addr, none, b[i].len);
	post(&r, 0, b, 5);
	kick(&r);
	check(b_next(&r, &s));
	check_eq(s.n, 5);
	check_eq(s.d[1].addr % PAGE(1), 0);
	check_eq(s.d[3].addr - s.d[1].addr, PAGE(2));
	check_eq(s.d[0].addr - s.d[1].addr, PAGE(4));
	check_eq(s.d[2].addr - s.d[0].addr, 512);
	check_eq(s.d[4].addr - s.d[2].addr, 512);
	io_end();
}
