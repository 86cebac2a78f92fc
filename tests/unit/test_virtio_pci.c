// SPDX-License-Identifier: BSD-3-Clause
/* virtio over PCI (virtio 1.2, 4.1): where its structures are, and who says so. */
#include "virtio.h"

#define CONFIG FUNCTION(0)
#define COMMON_CAP 0x50 /* in the model's configuration space */
#define NOTIFY_CAP 0x80

static struct card c;
static struct ring r;

static void start(void)
{
	io_start(256);
}

/* Is a write to where QUEUE_DESC would be at `base` followed? */
static bool is_followed(uint64_t base)
{
	uint64_t value;

	begin_write(base + 0x16, 2, 0);
	serve_all();
	begin_write(base + 0x18, 2, 16);
	serve_all();
	begin_write(base + 0x20, 4, (uint32_t)RINGS);
	while (shared()->exit == TV_EXIT_BOUNCE)
		serve();
	check_eq(shared()->exit, TV_EXIT_MMIO);
	value = shared()->gpr[5];
	serve_all();
	check(value == RINGS || value - BOUNCE < PAGE(256));
	return value != RINGS;
}

/* ---- what works ----------------------------------------------------------- */

TEST(works, "pci: requests go out and come back, of any kind of ring")
{
	static const uint64_t features[] = {0, F_EVENT_IDX, F_PACKED, F_PACKED | F_EVENT_IDX};

	start();
	c = pci_card(0);
	for (unsigned i = 0; i < 4; i++) {
		r = ring_start(&c, features[i] | F_INDIRECT, 16);
		for (unsigned n = 0; n < 20; n++) {
			check_works(&r, n % 15, 1 + n * 250);
			check_table_works(&r, n % 15, 1 + n * 250);
		}
	}
	io_end();
}

TEST(two, "pci: two functions, each with its own")
{
	struct card d;
	struct ring s;

	start();
	c = pci_card(0);
	d = pci_card(1);
	r = ring_start(&c, F_PACKED, 16);
	negotiate(&d, F_VERSION_1);
	s = ring_new(&d, 1, 32, RINGS + PAGE(4), false);
	for (unsigned i = 0; i < 9; i++) {
		check_works(&r, i, 100);
		check_works(&s, i, 100);
	}
	put_reg(&c, STATUS, 0);
	check_works(&s, 2, 100);
	io_end();
}

TEST(bar_32, "pci: structures in a 32-bit BAR, whatever the one behind it holds")
{
	start();
	vmm_config[0][0x20] = 0;
	c = pci_probe(0, BAR32);
	r = ring_start(&c, 0, 16);
	check_works(&r, 3, 100);
	guest_write(CONFIG + 0x24, 4, 0x77770000);
	vmm_config[0][0x26] = vmm_config[0][0x27] = 0; /* so for the model of the VMM */
	check_works(&r, 3, 100);
	io_end();
}

TEST(bar_high, "pci: both halves of a 64-bit BAR count")
{
	start();
	c = pci_probe(0, 0x12f0000000);
	check(is_followed(0x12f0000000));
	check(!is_followed(0xf0000000));
	check(!is_followed(0x1200000000));
	io_end();
}

TEST(bar_io, "pci: structures in an I/O BAR are not followed")
{
	start();
	vmm_config[0][0x20] = 1;
	c = pci_probe(0, BAR32);
	check(!is_followed(BAR32));
	check_eq(c.base, BAR32);
	io_end();
}

TEST(bar_moves, "pci: a BAR that the guest moves takes its structures along")
{
	start();
	c = pci_probe(0, BAR64);
	r = ring_start(&c, 0, 16);
	check_works(&r, 3, 100);
	guest_write(CONFIG + 0x20, 4, 0x40000);
	guest_write(CONFIG + 0x24, 4, 0x90);
	c.base += 0x9000040000 - BAR64;
	c.notify += 0x9000040000 - BAR64;
	check_works(&r, 3, 100);
	check(!needs_reset(&c));
	begin_write(BAR64 + 0x20, 4, 0x1234);
	check_mmio_write(BAR64 + 0x20, 4, 0x1234);
	serve_all();
	io_end();
}

TEST(bar_widths, "pci: a BAR is set by aligned writes of 32 bits only")
{
	start();
	c = pci_probe(0, BAR64);
	guest_write(CONFIG + 0x20, 2, 0);
	guest_write(CONFIG + 0x22, 2, 0x10);
	guest_write(CONFIG + 0x23, 1, 0x10);
	check(is_followed(BAR64));
	check(!is_followed(BAR64 + 0x100000));
	io_end();
}

/* ---- capabilities --------------------------------------------------------- */

TEST(caps_unread, "pci: what the guest has not read does not count")
{
	start();
	guest_read(CONFIG, 4);
	guest_write(CONFIG + 0x20, 4, 0);
	guest_write(CONFIG + 0x24, 4, BAR64 >> 32);
	check(!is_followed(BAR64));
	guest_read(CONFIG + COMMON_CAP, 4);
	for (unsigned i = 4; i < 16; i += 4)
		guest_read(CONFIG + COMMON_CAP + i, 4);
	check(!is_followed(BAR64)); /* nothing leads there */
	guest_read(CONFIG + 0x34, 1);
	check(!is_followed(BAR64));
	guest_read(CONFIG + 0x40, 2);
	guest_read(CONFIG + 0x20, 4);
	check(is_followed(BAR64));
	io_end();
}

/* All of it, word by word, as lspci would. */
static void read_all(void)
{
	for (unsigned at = 0; at < 256; at += 4)
		guest_read(CONFIG + at, 4);
}

/* The list has this link at this place; it ends, and there is no common structure but there. */
static void check_list(unsigned at, uint8_t link, bool followed)
{
	start();
	vmm_config[0][at] = link;
	read_all();
	guest_write(CONFIG + 0x20, 4, 0);
	guest_write(CONFIG + 0x24, 4, BAR64 >> 32);
	read_all();
	check_eq(is_followed(BAR64), followed);
	check_audit();
	check_eq(svm_destroy(io_vm.handle), TV_OK);
}

TEST(caps_list, "pci: lists of capabilities that end nowhere, or lead nowhere")
{
	check_list(0x41, 0x40, false);          /* itself */
	check_list(0x41, 0x50, true);           /* as it should be */
	check_list(0x41, 0x53, true);           /* the low bits count nothing */
	check_list(NOTIFY_CAP + 1, 0x40, true); /* round and round */
	check_list(0x34, 0, false);
	check_list(0x34, 0x10, false);
	check_list(0x34, 0x34, false);
	check_list(0x34, 0xf4, false);
	check_list(0x34, 0xff, false);
	check_list(0x34, COMMON_CAP, true);
	check_list(COMMON_CAP, 8, false);     /* no vendor's */
	check_list(COMMON_CAP + 3, 5, false); /* another structure */
	check_list(COMMON_CAP + 4, 6, false); /* a BAR that there is not */
	check_list(COMMON_CAP + 4, 255, false);
	check_list(COMMON_CAP + 4, 0, false); /* of no address */
}

TEST(caps_second, "pci: a structure without a BAR is passed over")
{
	start();
	memcpy(&vmm_config[0][0xa0], &vmm_config[0][COMMON_CAP], 16);
	vmm_config[0][0xa1] = 0;
	vmm_config[0][NOTIFY_CAP + 1] = 0xa0;
	vmm_config[0][COMMON_CAP + 4] = 7;
	read_all();
	guest_write(CONFIG + 0x20, 4, 0);
	guest_write(CONFIG + 0x24, 4, BAR64 >> 32);
	check(is_followed(BAR64));
	io_end();
}

TEST(caps_places, "pci: structures are where offset and length say")
{
	uint32_t offset = 0x800, length = 0x1d;

	start();
	memcpy(&vmm_config[0][COMMON_CAP + 8], &offset, 4);
	memcpy(&vmm_config[0][COMMON_CAP + 12], &length, 4);
	c = pci_probe(0, BAR64);
	check_eq(c.base, BAR64 + 0x800);
	check(!is_followed(c.base)); /* QUEUE_DESC is beyond its end */
	begin_write(c.base + 0x1c, 2, 1);
	check_eq(shared()->exit, TV_EXIT_IRQ); /* READY is not */
	check(!is_followed(BAR64));
	check_eq(guest_read_as(c.base + 0x14, 1, 0) & NEEDS_RESET, NEEDS_RESET);
	io_end();
}

/* ---- what is read twice --------------------------------------------------- */

TEST(sticky, "pci: while the device is in use, what led to its structures is read as before")
{
	static const unsigned fixed[] = {0,    2,    0x34, COMMON_CAP, COMMON_CAP + 3,
					 0x54, 0x58, 0x59, 0x5c,       NOTIFY_CAP + 8};

	start();
	c = pci_card(0);
	r = ring_start(&c, 0, 16);
	for (unsigned i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		check_eq(guest_read_as(CONFIG + fixed[i], 1, 0xa5), vmm_config[0][fixed[i]]);
	check_eq(guest_read_as(CONFIG, 4, 0xffffffff), 0x10421af4);
	check_eq(guest_read_as(CONFIG + 0x58, 8, ~0UL), 0x38UL << 32);
	check_eq(guest_read_as(CONFIG + 0x06, 2, 0x1234), 0x1234); /* status */
	check_eq(guest_read_as(CONFIG + 0x20, 4, 0x8000), 0x8000); /* BAR: the guest wrote it */
	check_eq(guest_read_as(CONFIG + 0x42, 2, 0x1234), 0x1234); /* MSI-X: the device's own */
	check_eq(guest_read_as(CONFIG + 0x100, 4, 0x1234), 0x1234);
	check_works(&r, 3, 100);
	io_end();
}

TEST(unused, "pci: so it is when it is looked at between two drivers, but not if it is another")
{
	start();
	c = pci_card(0);
	r = ring_start(&c, 0, 16);
	check_works(&r, 3, 100);
	put_reg(&c, STATUS, 0);
	guest_read(CONFIG, 4); /* and not what follows */
	r = ring_start(&c, 0, 16);
	check_works(&r, 3, 100);
	put_reg(&c, STATUS, 0);
	vmm_config[0][2] = 0x41; /* another device, with its structures elsewhere */
	memcpy(&vmm_config[0][COMMON_CAP + 8], &(uint32_t){0x1000}, 4);
	check_eq(guest_read(CONFIG, 4), 0x10411af4);
	check(!is_followed(BAR64));
	c = pci_card(0);
	check_eq(c.base, BAR64 + 0x1000);
	check(is_followed(c.base));
	io_end();
}

TEST(not_other, "pci: another device in the place of one that is in use is not seen")
{
	start();
	c = pci_card(0);
	r = ring_start(&c, 0, 16);
	vmm_config[0][2] = 0x41;
	memcpy(&vmm_config[0][COMMON_CAP + 8], &(uint32_t){0x1000}, 4);
	check_eq(guest_read(CONFIG, 4), 0x10421af4);
	read_all();
	check(!is_followed(BAR64 + 0x1000));
	check_works(&r, 3, 100);
	io_end();
}

/* ---- who is there --------------------------------------------------------- */

TEST(vendors, "pci: functions of other vendors are not followed")
{
	start();
	vmm_config[0][0] = 0xf5;
	read_all();
	guest_write(CONFIG + 0x20, 4, 0);
	guest_write(CONFIG + 0x24, 4, BAR64 >> 32);
	check(!is_followed(BAR64));
	vmm_config[0][0] = 0xf4;
	vmm_config[0][2] = 0xff; /* of virtio, whatever the device */
	read_all();
	guest_write(CONFIG + 0x20, 4, 0);
	guest_write(CONFIG + 0x24, 4, BAR64 >> 32);
	check(is_followed(BAR64));
	io_end();
}

TEST(most, "pci: 32 virtio functions are followed; others the guest does not find")
{
	start();
	for (unsigned i = 0; i < 40; i++) {
		uint64_t at = ECAM + PAGE(i), seen = i < 32 ? 0x10421af4 : 0xffffffff;

		check_eq(guest_read_as(at, 4, 0xffffffff), 0xffffffff);
		check_eq(guest_read_as(at, 4, 0x12345678), 0x12345678);
		check_eq(guest_read_as(at, 4, 0x10421af4), seen);
	}
	check_eq(guest_read_as(ECAM + PAGE(39), 2, 0x1af4), 0xffff);
	check_eq(guest_read_as(ECAM + PAGE(31), 2, 0x1af4), 0x1af4);
	io_end();
}

TEST(config, "pci: what is written to configuration space is seen as it is")
{
	start();
	c = pci_card(0);
	for (unsigned at = 0; at < 0x1000; at += 4) {
		begin_write(CONFIG + at, 4, 0x12345678);
		check_mmio_write(CONFIG + at, 4, 0x12345678);
		check_eq(run(&io_vm, 0, TV_RUN_DONE), TV_OK);
	}
	io_end();
}

/* ---- registers ------------------------------------------------------------ */

TEST(widths, "pci: each register has its width; one of 64 bits may be written at once")
{
	uint64_t seen;

	start();
	c = pci_card(0);
	negotiate(&c, F_VERSION_1);
	put_reg(&c, QUEUE, 0);
	begin_write(c.base + 0x18, 4, 0x10010);
	check_mmio_write(c.base + 0x18, 4, 0x10010);
	check_eq(run(&io_vm, 0, TV_RUN_DONE), TV_OK);
	check_eq(guest_read_as(c.base + 0x18, 2, 16), 16);
	check_eq(give(1), TV_OK);
	begin_write(c.base + 0x20, 8, RINGS);
	check_mmio_write(c.base + 0x20, 8, BOUNCE);
	check_eq(run(&io_vm, 0, TV_RUN_DONE), TV_OK);
	check_eq(guest_read_as(c.base + 0x20, 8, 7), RINGS);
	check_eq(guest_read_as(c.base + 0x24, 4, 7), RINGS >> 32);
	seen = 0x1111111122222222;
	begin_write(c.base + 0x28, 8, seen);
	check_mmio_write(c.base + 0x28, 8, BOUNCE + 256);
	check_eq(run(&io_vm, 0, TV_RUN_DONE), TV_OK);
	check_eq(guest_read_as(c.base + 0x28, 4, 7), 0x22222222);
	check_eq(guest_read_as(c.base + 0x2c, 4, 7), 0x11111111);
	check_eq(guest_read_as(c.base + 0x14, 4, 0), 0);
	io_end();
}

TEST(bells, "pci: a doorbell may be anywhere among the notifications, of any width")
{
	start();
	c = pci_card(0);
	r = ring_start(&c, 0, 16);
	private_put(DATA, "open", 4);
	for (unsigned bytes = 2; bytes <= 8; bytes *= 2) {
		struct seen s;

		post(&r, bytes, &(struct buffer){DATA, 4, 0}, 1);
		begin_write(c.notify + 0x100 * bytes, bytes, 0);
		while (shared()->exit == TV_EXIT_BOUNCE)
			serve();
		check_mmio_write(c.notify + 0x100 * bytes, bytes, 0);
		serve_all();
		check(b_next(&r, &s));
	}
	check(!guest_write(c.notify, 2, 66));
	check(!guest_write(c.notify, 2, 0xffff));
	check(!guest_write(c.notify, 4, 0x10000));
	io_end();
}

TEST(no_index, "pci: a queue that is not there has no size, and cannot be set up")
{
	start();
	c = pci_card(0);
	negotiate(&c, F_VERSION_1);
	put_reg(&c, QUEUE, 66);
	check_eq(guest_read_as(c.base + 0x18, 2, 64), 0);
	check(!guest_write(c.base + 0x20, 8, RINGS));
	check(!put_reg(&c, READY, 1));
	check(needs_reset(&c));
	io_end();
}
