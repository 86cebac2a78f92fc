// SPDX-License-Identifier: BSD-3-Clause
/* What a queue may have to wait for: pages of the guest's, bounce memory, the S-visor's own memory,
 * and its other chains. */
#include "heap.h"
#include "virtio.h"

static struct card c;
static struct ring r;

static void start(uint64_t features)
{
	r = mmio_ring(&c, 64, features);
}

static uint64_t bell(void)
{
	return c.notify;
}

/* The exit is for this page, that the guest has written nothing to. */
static void check_fault(uint64_t page)
{
	struct tv_run want = {.exit = TV_EXIT_FAULT,
			      .esr = EC(0x24) - (1 << 25) + ISS_WNR + FAULT_L3};

	want.hpfar = HPFAR(page);
	check(shows(&want));
}

static void check_wanted(uint64_t bytes)
{
	struct tv_run want = {.exit = TV_EXIT_BOUNCE, .size = bytes};

	check(shows(&want));
}

static int64_t entry(uint64_t flags)
{
	return run(&io_vm, 0, flags);
}

/* ---- pages ---------------------------------------------------------------- */

TEST(data_page, "virtio: a page of a buffer that is not there is a fault, and then the doorbell "
		"goes on")
{
	const struct buffer b[] = {{UNMAPPED + PAGE(20) - 8, 16, 0}, {UNMAPPED, 16, WRITE}};
	uint64_t pc;
	struct seen s;

	start(0);
	post(&r, 0, b, 2);
	pc = guest_saw.pc;
	begin_write(bell(), 4, 0);
	check_fault(UNMAPPED + PAGE(19));
	check_eq(entry(0), TV_OK); /* nothing was done about it */
	check_fault(UNMAPPED + PAGE(19));
	check_eq(entry(TV_RUN_ABORT), TV_EINVAL);
	check_eq(entry(TV_RUN_UNDEF), TV_EINVAL);
	back_page(UNMAPPED + PAGE(19));
	check_eq(entry(0), TV_OK);
	check_fault(UNMAPPED + PAGE(20));
	check(!b_next(&r, &s));
	back_page(UNMAPPED + PAGE(20));
	check_eq(entry(TV_RUN_DONE), TV_OK);
	check_fault(UNMAPPED);
	back_page(UNMAPPED);
	check_eq(entry(0), TV_OK);
	check_mmio_write(bell(), 4, 0);
	check_eq(guest_saw.pc, pc); /* it stands at the doorbell still */
	serve_all();
	check_eq(guest_saw.pc, pc + 4);
	check(b_next(&r, &s));
	io_end();
}

TEST(asked_page, "virtio: a page that the N-visor asks for already is no exit")
{
	start(0);
	check_eq(give(3), TV_OK);
	post(&r, 0, &(struct buffer){UNMAPPED, PAGE(3), WRITE}, 1);
	for (unsigned i = 0; i < 3; i++)
		back_page(UNMAPPED + PAGE(i));
	begin_write(bell(), 4, 0);
	check_mmio_write(bell(), 4, 0);
	serve_all();
	io_end();
}

TEST(denied_page, "virtio: a page that the N-visor may not give is refused, and can be mended")
{
	start(0);
	post(&r, 0, &(struct buffer){UNMAPPED, 8, WRITE}, 1);
	begin_write(bell(), 4, 0);
	npt_page(&io_vm.npt, UNMAPPED, CHUNK(0)); /* in use */
	check_eq(entry(0), TV_EDENIED);
	back_page(UNMAPPED);
	check_eq(entry(0), TV_OK);
	check_mmio_write(bell(), 4, 0);
	serve_all();
	io_end();
}

TEST(table_page, "virtio: the pages of an indirect table too")
{
	struct buffer b = {UNMAPPED + PAGE(1) - 16, 32, INDIRECT};
	struct seen s;
	uint32_t len;

	start(F_INDIRECT);
	post(&r, 0, &b, 1);
	begin_write(bell(), 4, 0);
	check_fault(UNMAPPED);
	back_page(UNMAPPED);
	check_eq(entry(0), TV_OK);
	check_fault(UNMAPPED + PAGE(1));
	back_page(UNMAPPED + PAGE(1));
	entry(0); /* zeros: a chain of no bytes, but with a table */
	check_mmio_write(bell(), 4, 0);
	serve_all();
	check(!needs_reset(&c));
	check(b_next(&r, &s));
	check_eq(s.n, 1);
	b_use(&r, 0, 0, 1);
	enter();
	check(g_used(&r, &s.id, &len, 1));
	check_works(&r, 4, 20);
	io_end();
}

TEST(ring_page, "virtio: the pages of a ring, when the queue is enabled")
{
	io_start(64);
	c = mmio_card(0);
	negotiate(&c, F_VERSION_1);
	put_reg(&c, QUEUE, 0);
	put_reg(&c, SIZE, 256);
	put_reg(&c, PART, UNMAPPED + 16);
	put_reg(&c, PART + 2, UNMAPPED + PAGE(5) - 2);
	put_reg(&c, PART + 4, UNMAPPED + PAGE(9));
	begin_write(c.base + 0x44, 4, 1);
	for (unsigned i = 0; i < 5; i++) {
		static const unsigned page[] = {0, 1, 4, 5, 9};

		check_fault(UNMAPPED + PAGE(page[i]));
		check_eq(c.back->queue[0][READY], 0);
		back_page(UNMAPPED + PAGE(page[i]));
		check_eq(entry(0), TV_OK);
	}
	check_mmio_write(c.base + 0x44, 4, 1);
	serve_all();
	check(!needs_reset(&c));
	io_end();
}

/* ---- bounce memory -------------------------------------------------------- */

TEST(bounce_wanted, "virtio: bounce memory is asked for when it is needed, and then it goes on")
{
	struct seen s;

	io_start(64);
	c = mmio_card(0);
	negotiate(&c, F_VERSION_1);
	put_reg(&c, QUEUE, 0);
	put_reg(&c, SIZE, 1024);
	begin_write(c.base + 0x80, 4, (uint32_t)RINGS);
	check_wanted(26638); /* 1024 * 16 + 6 + 1024 * 2, aligned to 4, + 6 + 1024 * 8 */
	check_eq(entry(0), TV_OK);
	check_wanted(26638);
	check_eq(entry(TV_RUN_ABORT), TV_EINVAL);
	check_eq(entry(TV_RUN_DONE), TV_OK);
	check_wanted(26638);
	check_eq(give(6), TV_OK);
	check_eq(entry(0), TV_OK);
	check_wanted(26638);
	check_eq(give(1), TV_OK);
	check_eq(entry(0), TV_OK);
	check_mmio_write(c.base + 0x80, 4, BOUNCE);
	serve_all();
	r = ring_new(&c, 0, 1024, RINGS, false);
	private_put(DATA, "open", 4);
	post(&r, 0, &(struct buffer){DATA, 4, 0}, 1);
	post(&r, 1, &(struct buffer){DATA, 5000, WRITE}, 1);
	begin_write(bell(), 4, 0);
	check_wanted(5120);    /* in sectors */
	check(b_next(&r, &s)); /* the first is out, but the back end was not told */
	check(!b_next(&r, &s));
	check_eq(give(2), TV_OK);
	check_eq(entry(0), TV_OK);
	check_mmio_write(bell(), 4, 0);
	serve_all();
	check(b_next(&r, &s));
	io_end();
}

TEST(given_up, "virtio: an S-VM that waits for bounce memory can be destroyed")
{
	io_start(64);
	c = mmio_card(0);
	negotiate(&c, F_VERSION_1);
	put_reg(&c, SIZE, 16);
	begin_write(c.base + 0x80, 4, (uint32_t)RINGS);
	check_eq(shared()->exit, TV_EXIT_BOUNCE);
	io_end();
}

TEST(in_flight, "virtio: so can one whose devices are at work")
{
	struct card more[3];
	struct ring rings[3];

	io_start(64);
	for (unsigned i = 0; i < 3; i++) {
		more[i] = mmio_card(i + 1);
		rings[i] = ring_start(&more[i], i == 1 ? F_PACKED : 0, 16);
		post(&rings[i], 0, &(struct buffer){DATA, 4000, WRITE}, 1);
		kick(&rings[i]);
	}
	io_end();
}

/* ---- the S-visor's own memory --------------------------------------------- */

static void *hoard[4096];

static unsigned use_up_heap(void)
{
	unsigned n = 0;

	while ((hoard[n] = heap_alloc(1)))
		n++;
	return n;
}

static void free_heap(unsigned n)
{
	while (n)
		heap_free(hoard[--n], 1);
}

/* The write, or (~0) the read, waits for it, and is made when there is some. */
static void check_heap_wanted(uint64_t addr, uint64_t value)
{
	unsigned n = use_up_heap();
	uint64_t pc = guest_saw.pc;

	if (value == ~0UL)
		begin_read(addr, 4);
	else
		begin_write(addr, 4, value);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(entry(0), TV_ENOHEAP);
	check_eq(entry(0), TV_OK); /* once; then it tries again */
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(entry(0), TV_ENOHEAP);
	free_heap(n);
	check_eq(entry(0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_MMIO);
	serve_all();
	check_eq(guest_saw.pc, pc + 4);
}

TEST(heap, "virtio: a device and a queue wait for memory of the S-visor's, and are there then")
{
	io_start(64);
	c = mmio_card(0);
	check_heap_wanted(c.base + 0x70, 0);
	negotiate(&c, F_VERSION_1);
	put_reg(&c, QUEUE, 0);
	put_reg(&c, SIZE, 16);
	check_eq(give(1), TV_OK);
	check_heap_wanted(c.base + 0x80, (uint32_t)RINGS);
	check_eq(trim(), 1);
	check_eq(give(1), TV_OK);
	r = ring_new(&c, 0, 16, RINGS, false);
	check_works(&r, 3, 70);
	io_end();
}

TEST(heap_pci, "virtio: so does a function that is looked for, and nothing else that it is asked")
{
	unsigned n;

	io_start(64);
	n = use_up_heap();
	guest_read(FUNCTION(0) + 4, 4);
	guest_write(FUNCTION(0) + 4, 4, 0);
	free_heap(n);
	check_heap_wanted(FUNCTION(0), ~0UL);
	n = use_up_heap();
	guest_read(FUNCTION(0), 4); /* it is followed already */
	free_heap(n);
	check_heap_wanted(FUNCTION(1), ~0UL);
	n = use_up_heap();
	guest_write(FUNCTION(0) + 0x20, 4, 0);
	guest_read(FUNCTION(1) + 4, 4);
	free_heap(n);
	io_end();
}
