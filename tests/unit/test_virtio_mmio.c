// SPDX-License-Identifier: BSD-3-Clause
/* The registers of virtio-mmio (virtio 1.2, 4.2.2), as guest and N-visor see them. */
#include "virtio.h"

static struct card c;
static struct ring r;

static void start(void)
{
	io_start(256);
	c = mmio_card(0);
}

/* The guest writes the register, and the N-visor sees something else, or (~0) nothing. */
static void check_seen(enum field f, uint32_t value, uint32_t seen)
{
	c.back->reg[f] = 0;
	check_eq(put_reg(&c, f, value), seen != ~0u);
	if (seen != ~0u)
		check_eq(f < MOST ? c.back->reg[f] : c.back->queue[c.back->reg[QUEUE]][f], seen);
}

/* ---- features ------------------------------------------------------------- */

static uint64_t known_features(void)
{
	static const uint8_t bits[] = {27, 28, 29, 32, 33, 34, 36};
	uint64_t known = 0xffffff | ~0UL << 50; /* the device's own */

	for (unsigned i = 0; i < sizeof(bits); i++)
		known |= 1UL << bits[i];
	return known;
}

TEST(offered, "virtio: of the features offered, only those that the S-visor knows are seen")
{
	static const unsigned more[] = {2, 3, 32, 0x80000000, 0xffffffff};

	start();
	put_reg(&c, STATUS, 0);
	for (unsigned half = 0; half < 2; half++) {
		put_reg(&c, OFFERED_SELECT, half);
		check_eq(guest_read_as(c.base + 0x10, 4, 0xffffffff),
			 (uint32_t)(known_features() >> 32 * half));
		check_eq(guest_read_as(c.base + 0x10, 4, 0), 0);
	}
	for (unsigned i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		put_reg(&c, OFFERED_SELECT, more[i]);
		check_eq(guest_read_as(c.base + 0x10, 4, 0xffffffff), 0);
	}
	io_end();
}

TEST(accepted, "virtio: of the features accepted, only those are seen")
{
	start();
	for (unsigned half = 0; half < 4; half++) {
		put_reg(&c, ACCEPTED_SELECT, half);
		check_seen(ACCEPTED, 0xffffffff, half < 2 ? known_features() >> 32 * half : 0);
		check_seen(ACCEPTED, 0, 0);
	}
	put_reg(&c, ACCEPTED_SELECT, 0xffffffff);
	check_seen(ACCEPTED, 0xffffffff, 0);
	io_end();
}

TEST(more_features, "virtio: features beyond 64 change none below")
{
	start();
	negotiate(&c, F_VERSION_1 | F_PACKED | F_INDIRECT);
	for (unsigned select = 2; select < 4; select++) {
		put_reg(&c, ACCEPTED_SELECT, select);
		put_reg(&c, ACCEPTED, 0);
	}
	r = ring_new(&c, 0, 16, RINGS, true);
	check_works(&r, 1, 10);
	check_table_works(&r, 1, 10);
	io_end();
}

TEST(renegotiated, "virtio: what was accepted before a reset does not count")
{
	start();
	r = ring_start(&c, F_PACKED | F_INDIRECT | F_EVENT_IDX, 16);
	check_works(&r, 1, 10);
	put_reg(&c, STATUS, 0);
	r = ring_new(&c, 0, 16, RINGS, false);
	check_works(&r, 1, 10);
	post_table(&r, 2, DATA + PAGE(8), &(struct buffer){DATA, 8, WRITE}, 1);
	check(!kick(&r));
	check(needs_reset(&c));
	io_end();
}

/* ---- version -------------------------------------------------------------- */

TEST(version, "virtio: the version that the guest has read first it reads ever after")
{
	io_start(64);
	check_eq(guest_read_as(MMIO(0) + 4, 4, 2), 2);
	check_eq(guest_read_as(MMIO(0) + 4, 4, 1), 2);
	check_eq(guest_read_as(MMIO(1) + 4, 4, 1), 1);
	check_eq(guest_read_as(MMIO(1) + 4, 4, 2), 1);
	vmm[1].reg[VERSION] = 1;
	c = mmio_card(0);
	r = ring_start(&c, 0, 16);
	check_eq(guest_read_as(MMIO(0) + 4, 4, 1), 2);
	check_works(&r, 1, 10);
	io_end();
}

TEST(version_late, "virtio: it may be read after the driver's first write, but not changed then")
{
	io_start(64);
	vmm[0].reg[VERSION] = 1;
	vmm[0].offered &= 0xffffffff;
	guest_write(MMIO(0) + 0x70, 4, 0);
	guest_write(MMIO(0) + 0x28, 4, 4096);
	c = legacy_card(0);
	put_reg(&c, GUEST_PAGE, 4096);
	negotiate(&c, 0);
	r = ring_legacy(&c, 0, 16, RINGS, 4096);
	check_works(&r, 3, 100);
	io_end();
}

/* ---- status --------------------------------------------------------------- */

TEST(status, "virtio: of the status, only that a reset is needed is the S-visor's to say")
{
	start();
	r = ring_start(&c, 0, 16);
	for (unsigned i = 0; i < 256; i++)
		check_eq(guest_read_as(c.base + 0x70, 4, i), i);
	put_avail(&r, 99);
	check(!kick(&r));
	for (unsigned i = 0; i < 256; i++)
		check_eq(guest_read_as(c.base + 0x70, 4, i), i | NEEDS_RESET);
	put_reg(&c, STATUS, 0x80);
	check(needs_reset(&c));
	check(put_reg(&c, STATUS, 0));
	check(!needs_reset(&c));
	io_end();
}

TEST(others, "virtio: one device that is broken is no other's affair")
{
	struct card d;
	struct ring s;

	start();
	d = mmio_card(1);
	r = ring_start(&c, 0, 16);
	negotiate(&d, F_VERSION_1);
	s = ring_new(&d, 0, 16, RINGS + PAGE(4), false);
	put_avail(&r, 99);
	check(!kick(&r));
	check_works(&s, 4, 100);
	check(!needs_reset(&d));
	check_broken(&r);
	check_works(&s, 4, 100);
	io_end();
}

/* ---- accesses ------------------------------------------------------------- */

TEST(widths, "virtio: accesses that no register has are nothing to the S-visor")
{
	start();
	negotiate(&c, F_VERSION_1);
	put_reg(&c, SIZE, 16);
	for (unsigned bytes = 1; bytes <= 8; bytes *= 2) {
		if (bytes == 4)
			continue;
		begin_write(c.base + 0x80, bytes, 0x41);
		check_mmio_write(c.base + 0x80, bytes, 0x41);
		serve_all();
	}
	begin_write(c.base + 0x82, 4, 0x41);
	check_mmio_write(c.base + 0x82, 4, 0x41);
	serve_all();
	begin_write(c.base + 0x180, 4, 0x41); /* the device's own */
	check_mmio_write(c.base + 0x180, 4, 0x41);
	serve_all();
	check_eq(guest_read_as(c.base + 0x180, 4, 0x4321), 0x4321);
	check_eq(get_reg(&c, PART), 0);
	check(!put_reg(&c, READY, 1)); /* so there is no place */
	io_end();
}

TEST(zero_register, "virtio: a write of XZR is shown as of another register, if the value is not 0")
{
	start();
	negotiate(&c, F_VERSION_1);
	put_reg(&c, SIZE, 16);
	check_eq(give(1), TV_OK);
	io_register = 31;
	begin_write(c.base + 0x80, 4, 0);
	check_mmio_write(c.base + 0x80, 4, BOUNCE);
	check_eq(shared()->esr >> 16 & 31, 0);
	serve_all();
	begin_write(c.base + 0x84, 4, 0);
	check_mmio_write(c.base + 0x84, 4, 0);
	check_eq(shared()->esr >> 16 & 31, 31);
	serve_all();
	io_register = 5;
	check_eq(get_reg(&c, PART), 0);
	io_end();
}

TEST(big_endian, "virtio: a guest whose data are big-endian turns registers round")
{
	io_big_endian = true;
	start();
	r = ring_start(&c, F_EVENT_IDX | F_INDIRECT, 16);
	check_works(&r, 3, 100);
	check_table_works(&r, 3, 100);
	io_end();
}

TEST(windows, "virtio: 64 windows and 32 devices are followed")
{
	io_windows = 65;
	io_start(64);
	for (unsigned i = 0; i < 65; i++) {
		begin_write(MMIO(i) + 0x20, 4, 0xffffffff);
		if (i < 32)
			check_mmio_write(MMIO(i) + 0x20, 4, (uint32_t)known_features());
		else if (i < 64) /* a device that cannot be followed hears nothing */
			check_eq(shared()->exit, TV_EXIT_IRQ);
		else
			check_mmio_write(MMIO(i) + 0x20, 4, 0xffffffff);
		serve_all();
	}
	check_audit();
	check_eq(svm_destroy(io_vm.handle), TV_OK);
	check_audit();
}

TEST(without, "virtio: without bounce memory there is no queue")
{
	io_prepare();
	io_seal();
	c = mmio_card(0);
	negotiate(&c, F_VERSION_1);
	put_reg(&c, SIZE, 16);
	check(!put_reg(&c, PART, RINGS));
	check(needs_reset(&c));
	io_end();
}

TEST(stats, "virtio: TV_QUEUE_STATS says what each live queue has done, and no more")
{
	struct tv_queue want = {.where = MMIO(0) + 0x50, .size = 16, .requests = 5};
	struct tv_queue *got;

	start();
	check_eq(smc(TV_QUEUE_STATS, io_vm.handle, 0, 0, 0), TV_ENOENT);
	r = ring_start(&c, 0, 16);
	for (unsigned i = 0; i < 4; i++)
		check_works(&r, i, 100);
	post(&r, 0, &(struct buffer){DATA, 8, WRITE}, 1);
	kick(&r);
	want.flying = 1;
	want.bytes_in = want.bytes_out = 400;
	want.copies = 8;
	want.notified = want.forwarded = 5;
	got = (struct tv_queue *)((uint8_t *)shared() + TV_RUN_DATA);
	check_eq(smc(TV_QUEUE_STATS, io_vm.handle, 0, 0, 0), TV_OK);
	check(!memcmp(got, &want, sizeof(want)));
	put_avail(&r, 77);
	kick(&r);
	want.broken = want.refused = 1;
	want.notified++;
	check_eq(smc(TV_QUEUE_STATS, io_vm.handle, 0, 0, 0), TV_OK);
	check(!memcmp(got, &want, sizeof(want)));
	check_eq(smc(TV_QUEUE_STATS, io_vm.handle, 1, 0, 0), TV_ENOENT);
	check_eq(smc(TV_QUEUE_STATS, io_vm.handle, -1UL, 0, 0), TV_ENOENT);
	check_eq(smc(TV_QUEUE_STATS, io_vm.handle + 0x100, 0, 0, 0), TV_ENOENT);
	put_reg(&c, STATUS, 0);
	check_eq(smc(TV_QUEUE_STATS, io_vm.handle, 0, 0, 0), TV_ENOENT);
	io_end();
	check_eq(smc(TV_QUEUE_STATS, io_vm.handle, 0, 0, 0), TV_ENOENT);
}
