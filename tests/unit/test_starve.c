// SPDX-License-Identifier: BSD-3-Clause
/* Bounce memory at its limit: chains wait till others come back, and the S-visor itself tells the
 * back end of them then. */
#include "virtio.h"

#define PAGES 16 /* in all */
#define MANY \
	11 /* chains of a page each, besides two rings: the next is the last but for the \
	    * reserve, a quarter */

static struct card card[2];
static struct ring a, b;

static void start(uint64_t features)
{
	io_start(PAGES);
	card[0] = mmio_card(0);
	card[1] = mmio_card(1);
	a = ring_start(&card[0], features, 16);
	negotiate(&card[1], features | F_VERSION_1);
	b = ring_new(&card[1], 0, 16, RINGS + PAGE(4), features & F_PACKED);
	put_reg(&card[1], STATUS, 15);
}

static void post_pages(struct ring *r, unsigned id, unsigned pages)
{
	post(r, id, &(struct buffer){DATA, PAGE(pages), WRITE}, 1);
}

static unsigned see_all(struct ring *r)
{
	struct seen s;
	unsigned n = 0;

	while (b_next(r, &s))
		n++;
	return n;
}

/* The vCPU leaves at once, by a write that no instruction makes. */
static void check_told(const struct ring *r, unsigned vcpu)
{
	uint64_t pc = guest_saw.pc;
	unsigned runs = guest_runs;

	check_eq(run(&io_vm, vcpu, 0), TV_OK);
	check_mmio_write(r->card->notify, 4, r->index);
	check_eq(guest_runs, runs);
	check_eq(guest_saw.pc, pc);
}

static void fill_up(void)
{
	for (unsigned i = 0; i < MANY + 2; i++)
		post_pages(&a, i, 1);
	check(kick(&a));
	check_eq(see_all(&a), MANY + 1);
	check(!needs_reset(&card[0]));
}

static void check_back(struct ring *r, unsigned id)
{
	unsigned got;
	uint32_t len;

	check(g_used(r, &got, &len, 1));
	check_eq(got, id);
}

static void waits(uint64_t features)
{
	start(features);
	fill_up();
	enter();
	check_eq(see_all(&a), 0);
	b_use(&a, 0, 0, 1);
	check_told(&a, 0);
	check_eq(see_all(&a), 1);
	check_back(&a, 0);
	enter();
	check_eq(see_all(&a), 0);
	io_end();
}

TEST(split_waits, "split: a chain waits for bounce memory, and goes out when another is back")
{
	waits(0);
}

TEST(packed_waits, "packed: a chain waits for bounce memory, and goes out when another is back")
{
	waits(F_PACKED);
}

TEST(no_step, "virtio: no instruction is stepped past after a notification of the S-visor's own")
{
	uint64_t pc;

	start(0);
	fill_up();
	b_use(&a, 0, 0, 1);
	check_told(&a, 0);
	pc = guest_saw.pc;
	check_eq(run(&io_vm, 0, TV_RUN_ABORT), TV_EINVAL);
	check_eq(run(&io_vm, 0, TV_RUN_UNDEF), TV_EINVAL);
	check_eq(run(&io_vm, 0, TV_RUN_DONE), TV_OK);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(guest_saw.pc, pc);
	check_eq(run(&io_vm, 0, 0), TV_OK);
	check_eq(guest_saw.pc, pc);
	check_back(&a, 0);
	io_end();
}

TEST(any_vcpu, "virtio: it comes from whichever vCPU enters first")
{
	start(0);
	fill_up();
	b_use(&a, 0, 0, 1);
	check_told(&a, 1);
	check_eq(run(&io_vm, 1, TV_RUN_DONE), TV_OK);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	enter();
	check_back(&a, 0);
	io_end();
}

TEST(untold, "virtio: there is none if the back end does not want it")
{
	start(0);
	fill_up();
	back_put16(a.back[DEVICE_PART], 1);
	b_use(&a, 0, 0, 1);
	check(!enter());
	check_eq(see_all(&a), 1);
	check_back(&a, 0);
	io_end();
}

TEST(reserve, "virtio: the last of it is for queues that have nothing in flight")
{
	start(0);
	fill_up();
	post_pages(&b, 0, 1);
	post_pages(&b, 1, 1);
	check(kick(&b));
	check_eq(see_all(&b), 1);
	check(!needs_reset(&card[1]));
	b_use(&b, 0, 0, 1);
	check_told(&b, 0);
	check_eq(see_all(&b), 1);
	check_eq(see_all(&a), 0);
	check_back(&b, 0);
	io_end();
}

TEST(too_large_now, "virtio: a chain too large for what is free waits till it fits")
{
	start(0);
	post_pages(&a, 0, 6);
	post_pages(&a, 1, 5);
	check(kick(&a));
	check_eq(see_all(&a), 2);
	post_pages(&b, 0, 12);
	check(!kick(&b));
	b_use(&a, 0, 0, 1);
	check(!enter());
	check_back(&a, 0);
	b_use(&a, 1, 0, 1);
	check_told(&b, 0);
	check_eq(see_all(&b), 1);
	check_back(&a, 1);
	io_end();
}

TEST(reset, "virtio: a queue that waits is given up by a reset")
{
	start(0);
	fill_up();
	put_reg(&card[0], STATUS, 0);
	check(!enter());
	check_eq(trim(), 2);
	a = ring_start(&card[0], 0, 16);
	check_works(&a, 3, 100);
	io_end();
}

/* ---- and more is needed when it goes on ----------------------------------- */

TEST(page_then, "virtio: a chain that waited behind it may need a page first")
{
	start(0);
	fill_up();
	post(&a, MANY + 2, &(struct buffer){UNMAPPED, 16, WRITE}, 1);
	check(!kick(&a));
	b_use(&a, 0, 0, 1);
	b_use(&a, 1, 0, 1);
	check_eq(run(&io_vm, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_FAULT);
	check_eq(shared()->hpfar, HPFAR(UNMAPPED));
	back_page(UNMAPPED);
	check_told(&a, 0);
	check_eq(see_all(&a), 2);
	check_back(&a, 0);
	check_back(&a, 1);
	io_end();
}

TEST(page_there, "virtio: ... which the N-visor asks for already")
{
	start(0);
	fill_up();
	post(&a, MANY + 2, &(struct buffer){UNMAPPED, 16, WRITE}, 1);
	check(!kick(&a));
	b_use(&a, 0, 0, 1);
	b_use(&a, 1, 0, 1);
	back_page(UNMAPPED);
	check_told(&a, 0); /* the guest does not run before */
	check_eq(see_all(&a), 2);
	check_back(&a, 0);
	check_back(&a, 1);
	io_end();
}

TEST(bounce_then, "virtio: what waited may need more bounce memory yet")
{
	start(0);
	for (unsigned i = 0; i < MANY + 1; i++)
		post_pages(&a, i, 1);
	check(kick(&a));
	post_pages(&a, MANY + 1, 2);
	check(!kick(&a));
	check_eq(see_all(&a), MANY + 1);
	b_use(&a, 0, 0, 1);
	check_eq(run(&io_vm, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_BOUNCE);
	check_eq(shared()->size, PAGE(2));
	check_eq(give(2), TV_OK);
	check_told(&a, 0);
	check_eq(see_all(&a), 1);
	check_back(&a, 0);
	io_end();
}

TEST(others_first, "virtio: what other queues' back ends have done is there before the guest runs")
{
	start(0);
	post_pages(&b, 0, 1);
	check(kick(&b));
	check_eq(see_all(&b), 1);
	for (unsigned i = 0; i < MANY; i++)
		post_pages(&a, i, 1);
	check(kick(&a));
	post(&a, MANY, &(struct buffer){DATA, 16, WRITE}, 1);
	post(&a, MANY + 1, &(struct buffer){UNMAPPED, 16, WRITE}, 1);
	check(!kick(&a));
	check_eq(see_all(&a), MANY);
	for (unsigned i = 0; i < 2; i++) {
		struct ring *other = i ? &a : &b;

		b_use(other, 0, 0, 1);
	}
	back_page(UNMAPPED);
	for (unsigned runs = guest_runs; guest_runs == runs;)
		check_eq(run(&io_vm, 0, 0), TV_OK);
	check_back(&a, 0);
	check_back(&b, 0);
	io_end();
}

TEST(posted, "virtio: buffers that wait for input take no more than 1 MiB of bounce memory a queue")
{
	const struct buffer in = {DATA, 0x10000, WRITE};
	const struct buffer both[] = {{DATA, 16, 0}, {DATA + 16, 0x10000, WRITE}};

	io_start(2048);
	card[0] = mmio_card(0);
	a = ring_start(&card[0], 0, 64);
	private_put(DATA, "nothing secret..", 16);
	for (unsigned i = 0; i < 20; i++)
		post(&a, i, &in, 1);
	check(kick(&a));
	check_eq(see_all(&a), 16);
	for (unsigned i = 0; i < 2; i++) {
		b_use(&a, i, 0, 1);
		check_told(&a, 0);
		check_eq(see_all(&a), 1);
		check_back(&a, i);
	}
	check(!enter());
	check_eq(see_all(&a), 0);
	put_reg(&card[0], STATUS, 0);
	a = ring_start(&card[0], 0, 64);
	for (unsigned i = 0; i < 40; i += 2)
		post(&a, i, both, 2);
	check(kick(&a));
	check_eq(see_all(&a), 20);
	io_end();
}
