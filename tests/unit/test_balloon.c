// SPDX-License-Identifier: BSD-3-Clause
/* A balloon: pages that the guest gives up (virtio 1.2, 5.5; I1, I2, I9). */
#include "heap.h"
#include "ledger.h"
#include "s2pt.h"
#include "virtio.h"

#define TYPE 8
#define BALLOON 5
#define INFLATE 0
#define DEFLATE 1
#define STATISTICS 2
#define BLOCK(i) (RAM + (4 + (i)) * BLOCK_SIZE) /* guest addresses; four are all of CHUNK(1) */
#define WORD 0x7777777777777777
#define MOST 1024 /* numbers of a chain that count */

static struct card c;
static struct ring rings[3];

static void rings_of(const struct card *card, bool packed)
{
	rings[INFLATE] = ring_start(card, packed ? F_PACKED : 0, 16);
	rings[DEFLATE] = ring_new(card, DEFLATE, 16, RINGS + 0x4000, packed);
	rings[STATISTICS] = ring_new(card, STATISTICS, 16, RINGS + 0x8000, packed);
}

static void start(void)
{
	io_start(64);
	c = mmio_card(0);
	check_eq(guest_read_as(MMIO(0) + TYPE, 4, BALLOON), BALLOON);
	rings_of(&c, false);
	check_eq(take(&io_vm, 1), TV_OK);
	for (unsigned i = 0; i < 4; i++)
		*npt_entry(&io_vm.npt, BLOCK(i), 2) = (CHUNK(1) + i * BLOCK_SIZE) | 0x7fd;
}

static uint8_t *page_at(uint64_t ipa)
{
	return host_guest_mem(host_run.s2_root, ipa);
}

/* Enters till the back end has the chain that was posted. */
static struct seen pushed(struct ring *r)
{
	struct seen s;
	unsigned id;
	uint32_t len;

	kick(r);
	for (unsigned n = 0; !b_next(r, &s); n++) {
		check(n < 100);
		enter();
	}
	b_use(r, s.id, 0, 1);
	enter();
	check(g_used(r, &id, &len, 1));
	return s;
}

/* The guest has all of the block there, full of WORD. */
static void touch(unsigned block)
{
	post(&rings[STATISTICS], 0, &(struct buffer){BLOCK(block), 4, 0}, 1);
	pushed(&rings[STATISTICS]);
	check(page_at(BLOCK(block)));
	memset(page_at(BLOCK(block)), 0x77, BLOCK_SIZE);
}

static void put_frames(const uint32_t *frame, unsigned n)
{
	private_put(DATA, frame, n * sizeof(frame[0]));
}

static void post_frames(unsigned queue, const uint32_t *frame, unsigned n)
{
	put_frames(frame, n);
	post(&rings[queue], 0, &(struct buffer){DATA, n * sizeof(frame[0]), 0}, 1);
}

static void inflate(const uint32_t *frame, unsigned n)
{
	post_frames(INFLATE, frame, n);
	pushed(&rings[INFLATE]);
}

static void inflate_all(uint64_t ipa, unsigned pages)
{
	uint32_t frame[256];

	for (unsigned n = 0; pages; pages -= n) {
		n = pages < 256 ? pages : 256;
		for (unsigned i = 0; i < n; i++, ipa += TV_PAGE_SIZE)
			frame[i] = ipa / TV_PAGE_SIZE;
		inflate(frame, n);
	}
}

static int64_t free_chunk(unsigned chunk)
{
	return smc(TV_CHUNK_FREE, io_vm.handle, CHUNK(chunk), 0, 0);
}

TEST(pages, "balloon: the pages that a guest names are unmapped and zero, all others as they were")
{
	uint32_t first = BLOCK(0) / TV_PAGE_SIZE;
	const uint32_t frame[] = {
		first + 3,
		0,
		first + 4,
		first + 3, /* again */
		UINT32_MAX,
		(RAM + RAM_SIZE) / TV_PAGE_SIZE,
		RAM / TV_PAGE_SIZE - 1,
		UNMAPPED / TV_PAGE_SIZE + 8, /* never touched */
		BOUNCE / TV_PAGE_SIZE,       /* likewise, but there is bounce memory */
		BLOCK(1) / TV_PAGE_SIZE,
		first + 511,
	};

	start();
	touch(0);
	inflate(frame, sizeof(frame) / sizeof(frame[0]));
	for (unsigned i = 0; i < BLOCK_PAGES; i++) {
		bool gone = i == 3 || i == 4 || i == 511;
		uint64_t at = CHUNK(1) + PAGE(i);

		check(page_at(BLOCK(0) + PAGE(i)) == (gone ? NULL : host_mem(at)));
		check(all_words(at, TV_PAGE_SIZE, gone ? 0 : WORD));
	}
	check(!io_unused);
	check(!needs_reset(&c));
	io_end();
}

TEST(packed, "balloon: the same with packed rings")
{
	start();
	rings_of(&c, true);
	for (unsigned i = 0; i < 4; i++)
		touch(i);
	inflate_all(BLOCK(0), CHUNK_PAGES);
	check_eq(io_unused, 1);
	check(all_words(CHUNK(1), TV_CHUNK_SIZE, 0));
	check(!page_at(BLOCK(0)) && !page_at(BLOCK(3) + BLOCK_SIZE - TV_PAGE_SIZE));
	check(!needs_reset(&c));
	io_end();
}

TEST(names, "balloon: the back end gets as much as there was, and no number of a page")
{
	const uint32_t frame[] = {1, 2, 3, BLOCK(0) / TV_PAGE_SIZE};
	uint8_t bytes[sizeof(frame)];

	start();
	for (unsigned queue = INFLATE; queue <= DEFLATE; queue++) {
		struct seen s;

		touch(0);
		post_frames(queue, frame, 4);
		s = pushed(&rings[queue]);
		check_eq(s.n, 1);
		check_eq(s.d[0].len, sizeof(bytes));
		back_get(s.d[0].addr, bytes, sizeof(bytes));
		for (unsigned i = 0; i < sizeof(bytes); i++)
			check_eq(bytes[i], 0xff);
		check(!page_at(BLOCK(0)) == (queue == INFLATE));
	}
	io_end();
}

TEST(statistics, "balloon: its statistics are a buffer as any")
{
	const uint32_t frame[] = {BLOCK(0) / TV_PAGE_SIZE};
	struct seen s;
	uint32_t out;

	start();
	touch(0);
	post_frames(STATISTICS, frame, 1);
	s = pushed(&rings[STATISTICS]);
	back_get(s.d[0].addr, &out, sizeof(out));
	check_eq(out, frame[0]);
	check(page_at(BLOCK(0)));
	io_end();
}

static unsigned flushed, zeroed;

/* A page is zeroed when nobody reaches it: not by tables, not by TLBs. */
static void see_order(enum host_op op, uint64_t what)
{
	if (op == HOST_TLB_VM && !page_at(BLOCK(1) + PAGE(3)) && page_at(BLOCK(1)))
		flushed++;
	if (op != HOST_PAGE_ZERO || what != CHUNK(1) + BLOCK_SIZE + PAGE(3))
		return;
	check(flushed);
	check(!page_at(BLOCK(1) + PAGE(3)));
	zeroed++;
}

/* What breaks the block is flushed when none of it is mapped. */
static void see_split(enum host_op op, uint64_t what)
{
	static bool broken;

	(void)what;
	if (op == HOST_S2_WRITE && !broken) {
		check(!page_at(BLOCK(0)));
		broken = true;
	} else if (op == HOST_TLB_VM && !flushed++) {
		check(broken && !page_at(BLOCK(0)));
	}
}

TEST(order,
     "balloon: a block breaks before its pages are made; TLBs forget a page before it is zeroed")
{
	uint32_t frame = BLOCK(0) / TV_PAGE_SIZE + 3;

	start();
	touch(0);
	host_op_hook = see_split;
	post_frames(INFLATE, &frame, 1);
	pushed(&rings[INFLATE]);
	check_eq(flushed, 2);
	host_op_hook = NULL;
	touch(1);
	frame += BLOCK_PAGES;
	flushed = 0;
	host_op_hook = see_order;
	inflate(&frame, 1);
	host_op_hook = NULL;
	check_eq(zeroed, 1);
	io_end();
}

TEST(again, "balloon: a page that is touched again is zero, and its block one again")
{
	uint32_t frame = BLOCK(0) / TV_PAGE_SIZE;

	start();
	touch(0);
	inflate(&frame, 1);
	post(&rings[STATISTICS], 0, &(struct buffer){BLOCK(0), 4, 0}, 1);
	pushed(&rings[STATISTICS]);
	check(page_at(BLOCK(0)) == host_mem(CHUNK(1)));
	check(all_words(CHUNK(1), TV_PAGE_SIZE, 0));
	check(all_words(CHUNK(1) + TV_PAGE_SIZE, BLOCK_SIZE - TV_PAGE_SIZE, WORD));
	check_audit();
	io_end();
}

TEST(chunk,
     "balloon: a chunk whose last page goes is the N-visor's to free, and ordinary memory then")
{
	start();
	for (unsigned i = 0; i < 4; i++)
		touch(i);
	inflate_all(BLOCK(0) + TV_PAGE_SIZE, CHUNK_PAGES - 1);
	check_eq(io_unused, 0);
	check_eq(free_chunk(1), TV_EDENIED);
	inflate_all(BLOCK(0), 1);
	check_eq(io_unused, 1);
	check(all_words(CHUNK(1), TV_CHUNK_SIZE, 0));
	check(host_secure(CHUNK(1)));
	check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_EBUSY);
	check_eq(free_chunk(1), TV_OK);
	check_eq(free_chunk(1), TV_EDENIED);
	check_audit();
	check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_OK);
	check(!host_secure(CHUNK(1)));
	io_end();
}

TEST(chunks, "balloon: of pages of several chunks, too, the one that is empty is told")
{
	const uint32_t frame[] = {BLOCK(0) / TV_PAGE_SIZE, BLOCK(5) / TV_PAGE_SIZE,
				  BLOCK(0) / TV_PAGE_SIZE + 1};

	start();
	check_eq(take(&io_vm, 2), TV_OK);
	npt_page(&io_vm.npt, BLOCK(5), CHUNK(2));
	touch(0);
	post(&rings[STATISTICS], 0, &(struct buffer){BLOCK(5), 4, 0}, 1);
	pushed(&rings[STATISTICS]);
	inflate(frame, 3);
	check_eq(io_unused, 1);
	check_eq(free_chunk(2), TV_OK);
	check_eq(free_chunk(1), TV_EDENIED);
	check(!page_at(BLOCK(0)) && !page_at(BLOCK(0) + TV_PAGE_SIZE));
	io_end();
}

TEST(written, "balloon: numbers are in what the device reads")
{
	uint32_t frame = BLOCK(0) / TV_PAGE_SIZE;

	start();
	touch(0);
	put_frames(&frame, 1);
	post(&rings[INFLATE], 0, &(struct buffer){DATA, sizeof(frame), WRITE}, 1);
	pushed(&rings[INFLATE]);
	check(page_at(BLOCK(0)));
	io_end();
}

TEST(told, "balloon: which chunk is said once; a page that is touched before it is freed keeps it")
{
	uint32_t frame = BLOCK(0) / TV_PAGE_SIZE;

	start();
	touch(0);
	inflate_all(BLOCK(0) + TV_PAGE_SIZE, BLOCK_PAGES - 1);
	post_frames(INFLATE, &frame, 1);
	begin_write(c.notify, 4, INFLATE);
	check_eq(shared()->exit, TV_EXIT_UNUSED);
	check_eq(shared()->size, CHUNK(1));
	check_eq(shared()->esr | shared()->far | shared()->hpfar, 0);
	check_eq(run(&io_vm, 0, TV_RUN_ABORT), TV_EINVAL);
	enter(); /* the chain goes out, the N-visor has not cared */
	check_eq(io_unused, 0);
	touch(0);
	check_eq(free_chunk(1), TV_EDENIED);
	check(all_words(CHUNK(1), BLOCK_SIZE, WORD));
	io_end();
}

TEST(free_args, "balloon: TV_CHUNK_FREE is for a chunk of the S-VM's, while it lives")
{
	struct svm other;

	start();
	other = svm_launch(2, 1, 1);
	check_eq(free_chunk(0), TV_EDENIED);
	check_eq(free_chunk(2), TV_EDENIED);
	check_eq(free_chunk(3), TV_EDENIED);
	check_eq(smc(TV_CHUNK_FREE, io_vm.handle, CHUNK(1) + PAGE(1), 0, 0), TV_EDENIED);
	check_eq(smc(TV_CHUNK_FREE, io_vm.handle, ORDINARY, 0, 0), TV_EDENIED);
	check_eq(smc(TV_CHUNK_FREE, io_vm.handle, -1, 0, 0), TV_EDENIED);
	check_eq(smc(TV_CHUNK_FREE, other.handle, CHUNK(1), 0, 0), TV_EDENIED);
	check_eq(smc(TV_CHUNK_FREE, TV_SVISOR, CHUNK(1), 0, 0), TV_ENOENT);
	check_eq(smc(TV_VM_DESTROY, io_vm.handle, 0, 0, 0), TV_AGAIN);
	check_eq(free_chunk(1), TV_ESTATE);
	check_eq(svm_destroy(io_vm.handle), TV_OK);
	check_eq(free_chunk(1), TV_ENOENT);
	check_audit();
}

TEST(work, "balloon: an entry does a bounded part, a chain names no more pages than a driver would")
{
	static uint32_t frame[MOST + 8];
	unsigned entries = 0;
	struct seen s;

	start();
	for (unsigned i = 0; i < 3; i++)
		touch(i);
	for (unsigned i = 0; i < MOST + 8; i++)
		frame[i] = BLOCK(0) / TV_PAGE_SIZE + i;
	put_frames(frame, MOST + 8);
	post(&rings[INFLATE], 0,
	     (struct buffer[]){{DATA, 4 * (MOST - 8), 0}, {DATA + 4 * (MOST - 8), 64, 0}}, 2);
	host_forget();
	kick(&rings[INFLATE]);
	for (; !b_next(&rings[INFLATE], &s); entries++) {
		check(host_count[HOST_PAGE_ZERO] <= 128);
		host_forget();
		enter();
	}
	check(entries >= 8);
	check(!page_at(BLOCK(0)) && !page_at(BLOCK(0) + PAGE(MOST - 1)));
	check(page_at(BLOCK(0) + PAGE(MOST)));
	io_end();
}

TEST(no_heap, "balloon: a block that cannot be divided waits for memory of the S-visor's")
{
	static void *hoard[4096];
	unsigned n = 0;
	uint32_t frame = BLOCK(0) / TV_PAGE_SIZE;
	struct seen s;

	start();
	touch(0);
	post_frames(INFLATE, &frame, 1);
	while ((hoard[n] = heap_alloc(1)))
		n++;
	begin_write(c.notify, 4, INFLATE);
	check_eq(run(&io_vm, 0, 0), TV_ENOHEAP);
	check(all_words(CHUNK(1), BLOCK_SIZE, WORD));
	while (n)
		heap_free(hoard[--n], 1);
	for (unsigned i = 0; !b_next(&rings[INFLATE], &s); i++) {
		check(i < 10);
		enter();
	}
	check(!page_at(BLOCK(0)));
	io_end();
}

TEST(own_ring, "balloon: a guest that gives up its own numbers or rings harms itself")
{
	uint32_t frame[] = {(BLOCK(0) + 0x1000) / TV_PAGE_SIZE, BLOCK(0) / TV_PAGE_SIZE};

	start();
	touch(0);
	memcpy(page_at(BLOCK(0)), frame, sizeof(frame));
	post(&rings[INFLATE], 0, &(struct buffer){BLOCK(0), sizeof(frame), 0}, 1);
	pushed(&rings[INFLATE]);
	check(all_words(CHUNK(1), PAGE(2), 0));
	check(!needs_reset(&c));
	io_end();
}

/* ---- which devices are one ------------------------------------------------ */

/* Does the device, whose first queue names a page, take it? */
static bool takes(const struct card *card)
{
	uint32_t frame = BLOCK(0) / TV_PAGE_SIZE;

	rings_of(card, false);
	touch(0);
	inflate(&frame, 1);
	return !page_at(BLOCK(0));
}

TEST(types_mmio,
     "balloon: on virtio-mmio, what the guest was told first it is, and is told ever after")
{
	start();
	c = mmio_card(1);
	check_eq(guest_read_as(MMIO(1) + TYPE, 4, 2), 2);
	check_eq(guest_read_as(MMIO(1) + TYPE, 4, BALLOON), 2);
	check(!takes(&c));
	c = mmio_card(2);
	check(!takes(&c)); /* it does not know */
	check_eq(guest_read_as(MMIO(2) + TYPE, 4, BALLOON), BALLOON);
	check_eq(guest_read_as(MMIO(2) + TYPE, 4, 2), BALLOON);
	check(takes(&c));
	io_end();
}

static void put_ids(unsigned n, uint16_t id, uint16_t subsystem)
{
	memcpy(&vmm_config[n][2], &id, 2);
	memcpy(&vmm_config[n][0x2e], &subsystem, 2);
}

static struct card pci_with(unsigned n, uint16_t id, uint16_t subsystem)
{
	put_ids(n, id, subsystem);
	guest_read(FUNCTION(n), 4);
	guest_read(FUNCTION(n) + 0x2c, 4);
	return pci_card(n);
}

TEST(types_pci, "balloon: on PCI, by its ID, or of a transitional device both IDs")
{
	start();
	c = pci_with(0, 0x1045, 0x1100);
	check(takes(&c));
	c = pci_with(1, 0x1002, 5);
	check(takes(&c));
	put_ids(1, 0x1002, 2); /* too late: it is 5 to the guest */
	check_eq(guest_read(FUNCTION(1) + 0x2e, 2), 5);
	check(takes(&c));
	io_end();
	start();
	c = pci_with(0, 0x1002, 2);
	check(!takes(&c));
	c = pci_with(1, 0x1001, 5);
	check(!takes(&c));
	io_end();
}

TEST(types_unread, "balloon: the second ID of a transitional one must have been read")
{
	start();
	put_ids(0, 0x1002, 5);
	c = pci_card(0);
	check(!takes(&c));
	io_end();
}

TEST(types_replaced,
     "balloon: one that takes another device's place is none, for a driver may know that")
{
	start();
	c = pci_with(0, 0x1042, 0x1100);
	put_reg(&c, STATUS, 0);
	c = pci_with(0, 0x1045, 0x1100);
	check_eq(guest_read(FUNCTION(0), 4), 0x10451af4);
	check(!takes(&c));
	io_end();
}

TEST(features, "balloon: hints, poison and reports, of pages by their address, it has not")
{
	start();
	put_reg(&c, STATUS, 0);
	put_reg(&c, OFFERED_SELECT, 0);
	check_eq(get_reg(&c, OFFERED) & 0xff, 0xc7);
	put_reg(&c, ACCEPTED_SELECT, 0);
	put_reg(&c, ACCEPTED, 0xff);
	check_eq(c.back->accepted & 0xff, 0xc7);
	c = mmio_card(1);
	put_reg(&c, OFFERED_SELECT, 0);
	check_eq(get_reg(&c, OFFERED) & 0xff, 0xff);
	io_end();
}
