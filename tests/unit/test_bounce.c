// SPDX-License-Identifier: BSD-3-Clause
/* Bounce memory: the calls that give it, and who gets what of it. */
#include "bounce.h"
#include "heap.h"
#include "virtio.h"

static int64_t bounce(uint64_t base, uint64_t pages)
{
	return smc(TV_VM_BOUNCE, io_vm.handle, base, pages, 0);
}

static struct tv_args add(const uint64_t *page, unsigned n)
{
	memcpy((uint8_t *)shared() + TV_RUN_DATA, page, n * sizeof(page[0]));
	return call(TV_BOUNCE_ADD, io_vm.handle, n, 0, 0);
}

/* ---- the calls ------------------------------------------------------------ */

TEST(place, "bounce: TV_VM_BOUNCE wants pages of guest addresses, once, before sealing")
{
	uint64_t end = 1UL << NPT_BITS;

	io_prepare();
	check_eq(bounce(BOUNCE + 8, 1), TV_EINVAL);
	check_eq(bounce(BOUNCE + PAGE(8), 1), TV_EINVAL); /* 64 KiB */
	check_eq(bounce(BOUNCE, 0), TV_EINVAL);
	check_eq(bounce(BOUNCE, TV_MAX_BOUNCE + 1), TV_EINVAL);
	check_eq(bounce(BOUNCE, -1UL), TV_EINVAL);
	check_eq(bounce(BOUNCE, 1UL << 52 | 1), TV_EINVAL);
	check_eq(bounce(end - PAGE(16), 17), TV_EINVAL);
	check_eq(bounce(end, 1), TV_EINVAL);
	check_eq(bounce(-PAGE(16), 16), TV_EINVAL);
	check_eq(bounce(0x100000000 - PAGE(16), 17), TV_EINVAL);
	check_eq(smc(TV_VM_BOUNCE, io_vm.handle + 0x100, BOUNCE, 1, 0), TV_ENOENT);
	check_eq(bounce(end - PAGE(TV_MAX_BOUNCE), TV_MAX_BOUNCE), TV_OK);
	check_eq(bounce(BOUNCE, 1), TV_ESTATE);
	check_audit();
	io_seal();
	check_eq(bounce(BOUNCE, 1), TV_ESTATE);
	io_end();
}

TEST(place_sealed, "bounce: not after sealing")
{
	io_prepare();
	io_seal();
	check_eq(bounce(BOUNCE, 1), TV_ESTATE);
	io_end();
}

static void *hoard[4096];
static unsigned hoarded;

static void use_up_heap(void)
{
	do {
		hoard[hoarded] = heap_alloc(1);
	} while (hoard[hoarded++]);
}

static void free_heap(unsigned leave)
{
	while (hoarded > leave)
		heap_free(hoard[--hoarded], 1);
}

TEST(place_heap, "bounce: without memory for its record there is none, and none is lost")
{
	io_prepare();
	use_up_heap();
	check_eq(bounce(BOUNCE, 64), TV_ENOHEAP);
	for (unsigned n = 1; n < 4; n++) {
		free_heap(hoarded - (n == 1 ? 2 : 1));
		check_eq(heap_available(), n);
		check_eq(bounce(BOUNCE, 64), TV_ENOHEAP);
	}
	free_heap(0);
	check_eq(bounce(BOUNCE, 64), TV_OK);
	io_seal();
	io_end();
}

TEST(add_state, "bounce: TV_BOUNCE_ADD is for a sealed S-VM that may have more")
{
	uint64_t page[4] = {ORDINARY, ORDINARY + PAGE(1), ORDINARY + PAGE(2), ORDINARY + PAGE(3)};

	io_prepare();
	check_eq(bounce(BOUNCE, 3), TV_OK);
	check_eq(add(page, 1).x[0], TV_ESTATE);
	check_eq(smc(TV_BOUNCE_TRIM, io_vm.handle, 0, 0, 0), TV_ESTATE);
	io_seal();
	check_eq(smc(TV_BOUNCE_ADD, io_vm.handle + 0x100, 1, 0, 0), TV_ENOENT);
	check_eq(smc(TV_BOUNCE_TRIM, io_vm.handle + 0x100, 1, 0, 0), TV_ENOENT);
	check_eq(add(page, 4).x[0], TV_ENOMEM);
	check_eq(add(page, 2).x[1], 2);
	check_eq(add(page, 2).x[0], TV_ENOMEM);
	check_eq(add(page + 2, 1).x[1], 3);
	check_eq(trim(), 0);
	check_eq(add(page, 3).x[1], 3);
	io_end();
}

TEST(add_none, "bounce: an S-VM without bounce memory gets no pages")
{
	uint64_t page = ORDINARY;

	io_prepare();
	io_seal();
	check_eq(add(&page, 1).x[0], TV_ENOMEM);
	check_eq(trim(), 0);
	io_end();
}

TEST(add_pages, "bounce: only ordinary pages, 1 to 256 at once; all or none")
{
	const uint64_t bad[] = {
		CHUNK(0),    /* an S-VM's */
		HOST_SVISOR, /* the S-visor's */
		DEVICE,      /* no memory */
		ORDINARY + 8, HOST_DRAM + HOST_DRAM_SIZE, -PAGE(1), 1UL << 52 | ORDINARY,
	};
	uint64_t page[256];

	io_start(512);
	for (unsigned i = 0; i < 256; i++)
		page[i] = ORDINARY + PAGE(i);
	check_eq(smc(TV_BOUNCE_ADD, io_vm.handle, 0, 0, 0), TV_EINVAL);
	check_eq(smc(TV_BOUNCE_ADD, io_vm.handle, 257, 0, 0), TV_EINVAL);
	check_eq(smc(TV_BOUNCE_ADD, io_vm.handle, -1UL, 0, 0), TV_EINVAL);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		page[255] = bad[i];
		check_eq(add(page, 256).x[0], TV_EINVAL);
	}
	page[255] = CHUNK(3); /* of the pool, but ordinary yet */
	check_eq(add(page, 256).x[1], 256);
	host_broken_page = HOST_DRAM; /* the shared page */
	check_eq(smc(TV_BOUNCE_ADD, io_vm.handle, 1, 0, 0), TV_EFAULT);
	host_broken_page = 1;
	check_eq(add(page, 1).x[1], 257);
	io_end();
}

TEST(trim_used, "bounce: TV_BOUNCE_TRIM keeps what is in use, and all before it")
{
	struct card c;
	struct ring r;
	struct seen s;
	unsigned id;
	uint32_t len;

	io_start(64);
	check_eq(give(40), TV_OK);
	check_eq(trim(), 0);
	check_eq(give(40), TV_OK);
	c = mmio_card(0);
	r = ring_start(&c, 0, 16);
	check_eq(trim(), 1);
	check_eq(give(40), TV_OK);
	post(&r, 0, &(struct buffer){DATA, PAGE(3), WRITE}, 1);
	post(&r, 1, &(struct buffer){DATA, PAGE(3), WRITE}, 1);
	check(kick(&r));
	check_eq(trim(), 7);
	check(b_next(&r, &s));
	b_use(&r, 0, 0, 1);
	enter();
	check(g_used(&r, &id, &len, 1));
	check_eq(trim(), 7); /* the second is behind it */
	b_use(&r, 1, 0, 1);
	enter();
	check(g_used(&r, &id, &len, 1));
	check_eq(trim(), 1);
	begin_write(c.base + 0x70, 4, 0);
	check_eq(trim(), 1); /* the device has it till it has seen the reset */
	serve_all();
	check_eq(trim(), 0);
	io_end();
}

/* ---- allocation ----------------------------------------------------------- */

#define MOST 48
#define UNITS (MOST * TV_PAGE_SIZE / BOUNCE_UNIT)

static bool model[UNITS]; /* in use */
static struct piece {
	uint32_t at;
	uint64_t bytes;
} pieces[UNITS];
static unsigned count;
static struct bounce b;
static uint64_t seed = 1;

static unsigned some(unsigned n)
{
	seed = seed * 6364136223846793005 + 1442695040888963407;
	return (seed >> 33) % n;
}

static unsigned units(uint64_t bytes)
{
	return (bytes + BOUNCE_UNIT - 1) / BOUNCE_UNIT;
}

static bool is_free(unsigned from, unsigned n)
{
	for (unsigned i = from; i < from + n; i++) {
		if (i >= b.pages * TV_PAGE_SIZE / BOUNCE_UNIT || model[i])
			return false;
	}
	return true;
}

/* A place there is, or UNITS. */
static unsigned a_fit(unsigned n, unsigned step)
{
	for (unsigned at = 0; at + n <= UNITS; at += step) {
		if (is_free(at, n))
			return at;
	}
	return UNITS;
}

static void try_alloc(void)
{
	uint64_t bytes = 1 + some(some(8) ? 9000 : 250000);
	uint32_t align = BOUNCE_UNIT << some(8), at = 0;
	unsigned n = units(bytes), fit = a_fit(n, align / BOUNCE_UNIT);
	int ret = bounce_alloc(&b, bytes, align, &at);

	if (fit == UNITS) {
		check_eq(ret, n > UNITS ? TV_EINVAL : b.pages < MOST ? TV_AGAIN : TV_ENOMEM);
		return;
	}
	check_eq(ret, TV_OK);
	check_eq(at % align, 0);
	check(is_free(at / BOUNCE_UNIT, n));
	for (unsigned i = 0; i < n; i++)
		model[at / BOUNCE_UNIT + i] = true;
	pieces[count++] = (struct piece){at, bytes};
}

static void free_some(void)
{
	unsigned i = some(count);

	bounce_free(&b, pieces[i].at, pieces[i].bytes);
	for (unsigned j = 0; j < units(pieces[i].bytes); j++)
		model[pieces[i].at / BOUNCE_UNIT + j] = false;
	pieces[i] = pieces[--count];
}

static void trim_some(void)
{
	unsigned last = b.pages * TV_PAGE_SIZE / BOUNCE_UNIT;

	while (last && !model[last - 1])
		last--;
	check_eq(bounce_trim(&b), (last * BOUNCE_UNIT + TV_PAGE_SIZE - 1) / TV_PAGE_SIZE);
}

static void check_count(void)
{
	unsigned used = 0;

	for (unsigned i = 0; i < UNITS; i++)
		used += model[i];
	check_eq(b.used, used);
	check_eq(bounce_scarce(&b), used >= UNITS / 4 * 3);
}

TEST(allocation,
     "bounce: in any order of taking and giving back, a place that is free if there is one")
{
	boot();
	check_eq(bounce_init(&b, BOUNCE, MOST), TV_OK);
	for (unsigned i = 0; i < 100000; i++) {
		unsigned what = some(20);
		bool room = b.pages < MOST;

		if (what < 9)
			try_alloc();
		else if (what < 18 && count)
			free_some();
		else if (what == 18)
			check_eq(bounce_add(&b, PA(ORDINARY)), room);
		else if (!some(10))
			trim_some();
		check_count();
	}
	bounce_free_all(&b);
	check_audit();
}

static uint32_t place_of(uint64_t bytes, uint32_t align)
{
	uint32_t at = -1;

	check_eq(bounce_alloc(&b, bytes, align, &at), TV_OK);
	return at;
}

TEST(remembered,
     "bounce: what came back last of its size is found first, while it is free and there")
{
	uint32_t place[4];

	boot();
	check_eq(bounce_init(&b, BOUNCE, MOST), TV_OK);
	for (unsigned i = 0; i < 4; i++)
		check(bounce_add(&b, PA(ORDINARY + PAGE(i))));
	for (unsigned i = 0; i < 4; i++)
		place[i] = place_of(3 * BOUNCE_UNIT, BOUNCE_UNIT);
	for (unsigned i = 0; i < 3; i++)
		bounce_free(&b, place[i], 3 * BOUNCE_UNIT);
	check_eq(place_of(BOUNCE_UNIT, BOUNCE_UNIT),
		 place[0]); /* of another size: the first there is */
	check_eq(place_of(3 * BOUNCE_UNIT, BOUNCE_UNIT), place[2]);
	check_eq(place_of(3 * BOUNCE_UNIT, BOUNCE_UNIT), place[1]);
	check_eq(place_of(3 * BOUNCE_UNIT, BOUNCE_UNIT),
		 4 * 3 * BOUNCE_UNIT); /* place[0] is taken */
	bounce_free(&b, place[1], 3 * BOUNCE_UNIT);
	check_eq(place_of(3 * BOUNCE_UNIT, TV_PAGE_SIZE), TV_PAGE_SIZE * 2); /* it is not aligned */
	bounce_free(&b, TV_PAGE_SIZE * 2, 3 * BOUNCE_UNIT);
	check_eq(bounce_trim(&b), 2);
	check_eq(place_of(3 * BOUNCE_UNIT, BOUNCE_UNIT), BOUNCE_UNIT); /* that of page 2 is gone */
	bounce_free_all(&b);
	check_audit();
}

TEST(ends, "bounce: reads and writes over its pages, wherever these are")
{
	static uint8_t to[3 * TV_PAGE_SIZE], from[3 * TV_PAGE_SIZE];

	boot();
	guest_begin();
	check_eq(bounce_init(&b, BOUNCE, 4), TV_OK);
	for (unsigned i = 0; i < 4; i++)
		check(bounce_add(&b, PA(ORDINARY + PAGE(2 * (3 - i)))));
	check(!bounce_add(&b, PA(ORDINARY)));
	for (unsigned i = 0; i < sizeof(from); i++)
		from[i] = 1 + i % 199;
	check(bounce_write(&b, 4095, from, sizeof(from)));
	check_eq(*(uint8_t *)host_mem(ORDINARY + PAGE(6) + 4095), from[0]);
	check_eq(*(uint8_t *)host_mem(ORDINARY + PAGE(4)), from[1]);
	check(bounce_read(&b, 4095, to, sizeof(to)));
	check(!memcmp(to, from, sizeof(to)));
	host_broken_page = ORDINARY + PAGE(2);
	check(!bounce_write(&b, 4095, from, sizeof(from)));
	check(!bounce_read(&b, 4095, to, sizeof(to)));
	check(bounce_read(&b, 0, to, 2 * TV_PAGE_SIZE));
	check(all_words(ORDINARY + PAGE(1), TV_PAGE_SIZE, 0));
	check(all_words(ORDINARY + PAGE(3), TV_PAGE_SIZE, 0));
	guest_end();
	bounce_free_all(&b);
	check_audit();
}
