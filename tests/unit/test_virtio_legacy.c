// SPDX-License-Identifier: BSD-3-Clause
/* Legacy virtio-mmio (virtio 1.2, 4.2.4): all parts of a ring in a row, from a page on. */
#include "virtio.h"

static struct card c;
static struct ring r;

static void start(uint32_t page)
{
	io_start(256);
	c = legacy_card(0);
	put_reg(&c, GUEST_PAGE, page);
	negotiate(&c, F_INDIRECT | F_EVENT_IDX);
	put_reg(&c, QUEUE, 0);
}

static void set_up(unsigned size, uint64_t at, uint32_t align)
{
	r = ring_legacy(&c, 0, size, at, align);
	r.event_idx = true;
	put_reg(&c, STATUS, 7);
	check(!needs_reset(&c));
}

TEST(works, "virtio: legacy: requests go out and come back")
{
	start(4096);
	set_up(16, RINGS, 4096);
	for (unsigned i = 0; i < 40; i++) {
		check_works(&r, i % 15, 1 + i * 250);
		check_table_works(&r, i % 16, 1 + i * 250);
	}
	io_end();
}

TEST(sizes, "virtio: legacy: sizes from 1 to 1024, alignments from 4 bytes to a page")
{
	static const unsigned sizes[] = {1, 2, 256, 1024};

	start(4096);
	for (uint32_t align = 4; align <= 4096; align *= 8) {
		for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			put_reg(&c, STATUS, 0);
			negotiate(&c, F_EVENT_IDX);
			set_up(sizes[i], RINGS, align == 2048 ? 4096 : align);
			churn(&r, 4, sizes[i]);
		}
	}
	io_end();
}

TEST(default_size, "virtio: legacy: a guest may leave the size as it is")
{
	start(4096);
	c.back->queue[0][MOST] = 64;
	check_eq(get_reg(&c, MOST), 64);
	put_reg(&c, ALIGN, 4096);
	check(put_reg(&c, PFN, RINGS / 4096));
	check(!needs_reset(&c));
	expect_any(RINGS + 4096, 4 + 8 * 64 + 2); /* flags and event index, as they are at first */
	io_end();
}

TEST(large_pages, "virtio: legacy: pages of 64 KiB: the shadow begins where one does")
{
	struct seen s;
	unsigned id;
	uint32_t len;

	start(0x10000);
	negotiate(&c, 0);
	set_up(16, RINGS, 0x10000);
	r.event_idx = false;
	check(r.back[DESC] % 0x10000 == 0);
	check_eq(r.part[DEVICE_PART], DATA);
	post(&r, 2, &(struct buffer){UNMAPPED - 8, 8, WRITE}, 1);
	check(kick(&r));
	check(b_next(&r, &s));
	back_put(s.d[0].addr, "eight in", 8);
	b_use(&r, 2, 8, 1);
	enter();
	check(g_used(&r, &id, &len, 1));
	expect(UNMAPPED - 8, "eight in", 8);
	io_end();
}

TEST(again, "virtio: legacy: a reset leaves the page size, and the queue is set up anew")
{
	start(4096);
	set_up(16, RINGS, 4096);
	check_works(&r, 3, 100);
	put_reg(&c, PFN, 0);
	check(!kick(&r));
	set_up(32, RINGS + PAGE(4), 4096);
	check_works(&r, 3, 100);
	negotiate(&c, F_EVENT_IDX);
	set_up(16, RINGS, 4096);
	check_works(&r, 3, 100);
	io_end();
}

/* What must not be, with what it takes to get there. */
static void check_refused(uint32_t page, unsigned size, uint32_t align, uint64_t pfn)
{
	put_reg(&c, GUEST_PAGE, page);
	put_reg(&c, SIZE, size);
	put_reg(&c, ALIGN, align);
	check(!put_reg(&c, PFN, pfn));
	check(needs_reset(&c));
	check_private();
	put_reg(&c, GUEST_PAGE, 4096);
	negotiate(&c, F_EVENT_IDX);
	set_up(16, RINGS, 4096);
	check_works(&r, 3, 100);
	negotiate(&c, F_EVENT_IDX);
}

TEST(bad, "virtio: legacy: what makes no sense breaks the device, till it is reset")
{
	uint64_t pfn = RINGS / 4096;

	start(4096);
	check_refused(0, 16, 4096, pfn);
	check_refused(3000, 16, 4096, pfn);
	check_refused(0x20000, 16, 4096, RINGS / 0x20000);
	check_refused(4096, 0, 4096, pfn);
	check_refused(4096, 15, 4096, pfn);
	check_refused(4096, 2048, 4096, pfn);
	check_refused(4096, 16, 1, pfn);
	check_refused(4096, 16, 3, pfn);
	check_refused(4096, 16, 5000, pfn);
	check_refused(4096, 16, 8192, pfn); /* the parts would be where the address says */
	check_refused(4096, 16, 0x10000, pfn);
	check_refused(4096, 16, 0x20000, pfn);
	check_refused(4096, 16, 0xffffffff, pfn);
	check_refused(4096, 16, 4096, DEVICE / 4096);
	check_refused(4096, 16, 4096, (RAM + RAM_SIZE) / 4096 - 1);
	check_refused(4096, 16, 4096, RAM / 4096 - 1);
	check_refused(4096, 16, 4096, 0xffffffff);
	check_refused(0x80000000, 16, 4096, 0xffffffff);
	io_end();
}

TEST(no_queue, "virtio: legacy: of a queue that is not there the N-visor learns nothing")
{
	start(4096);
	put_reg(&c, QUEUE, 66);
	check(!put_reg(&c, PFN, RINGS / 4096));
	check(needs_reset(&c));
	io_end();
}

TEST(features, "virtio: legacy: features that are not known are hidden from it too")
{
	io_start(256);
	c = legacy_card(0);
	put_reg(&c, STATUS, 0);
	put_reg(&c, OFFERED_SELECT, 1);
	check_eq(guest_read_as(c.base + 0x10, 4, 0xffffffff) & 0x3e8, 0); /* 35, 37-41 */
	put_reg(&c, OFFERED_SELECT, 0);
	check_eq(guest_read_as(c.base + 0x10, 4, 0xffffffff), 0x38ffffff);
	io_end();
}

TEST(modern, "virtio: legacy: registers that only a modern device has are nothing to the S-visor")
{
	start(4096);
	put_reg(&c, SIZE, 16);
	for (unsigned i = 0; i < 6; i++)
		put_reg(&c, PART + i, (uint32_t)(RINGS >> 32 * (i & 1)));
	check(put_reg(&c, READY, 1));
	check(!guest_write(c.notify, 4, 0));
	check(!needs_reset(&c));
	io_end();
}

TEST(page, "virtio: legacy: a page of the ring that is not there is a fault, and then it goes on")
{
	start(4096);
	put_reg(&c, SIZE, 16);
	put_reg(&c, ALIGN, 4096);
	check_eq(give(2), TV_OK);
	begin_write(c.base + 0x40, 4, UNMAPPED / 4096);
	for (unsigned i = 0; i < 2; i++) {
		check_eq(shared()->exit, TV_EXIT_FAULT);
		check_eq(shared()->hpfar, HPFAR(UNMAPPED + PAGE(i)));
		back_page(UNMAPPED + PAGE(i));
		check_eq(run(&io_vm, 0, 0), TV_OK);
	}
	check_mmio_write(c.base + 0x40, 4, BOUNCE / 4096);
	serve_all();
	io_end();
}
