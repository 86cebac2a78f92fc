// SPDX-License-Identifier: BSD-3-Clause
/* PCI configuration space of virtio functions that is odd, and accesses to it that are. */
#include "virtio.h"

#define CONFIG FUNCTION(0)
#define COMMON_CAP 0x50 /* in the model's configuration space */
#define NOTIFY_CAP 0x80

static struct card c;
static struct ring r;

static void put_cap(unsigned at, unsigned next, unsigned type, unsigned bar)
{
	const uint8_t cap[16] = {9, next, 16, type, bar, [12] = 0x38};

	memcpy(&vmm_config[0][at], cap, sizeof(cap));
}

/* The guest reads all of it and sets BARs 4 and 5: to BAR64 if there is one of 64 bits. */
static void read_all(void)
{
	for (unsigned at = 0; at < 256; at += 4)
		guest_read(CONFIG + at, 4);
	guest_write(CONFIG + 0x20, 4, 0);
	guest_write(CONFIG + 0x24, 4, BAR64 >> 32);
	for (unsigned at = 0; at < 256; at += 4)
		guest_read(CONFIG + at, 4);
}

/* A write of a 64-bit register there is shown with another value. */
static bool is_followed(uint64_t base)
{
	bool followed;

	guest_write(base + 0x16, 2, 0);
	guest_write(base + 0x18, 2, 16);
	begin_write(base + 0x20, 4, (uint32_t)RINGS);
	while (shared()->exit == TV_EXIT_BOUNCE)
		serve();
	check_eq(shared()->exit, TV_EXIT_MMIO);
	followed = shared()->gpr[5] != RINGS;
	serve_all();
	return followed;
}

TEST(cap_at_end, "pci: a capability that would lead out of configuration space is none")
{
	io_start(64);
	memcpy(&vmm_config[0][0xf4], &(uint8_t[]){9, 0, 16, 1, 4}, 5);
	vmm_config[0][0x34] = 0xf4;
	read_all();
	check(!is_followed(BAR64));
	io_end();
	io_start(64);
	put_cap(0xf0, 0, 1, 4);
	vmm_config[0][0x34] = 0xf0;
	read_all();
	check(is_followed(BAR64));
	io_end();
}

TEST(cap_loop, "pci: a list without end has no more than what is in it")
{
	io_start(64);
	vmm_config[0][0x34] = NOTIFY_CAP;
	vmm_config[0][NOTIFY_CAP + 1] = NOTIFY_CAP;
	read_all();
	check(!is_followed(BAR64));
	guest_write(BAR64 + 0x3000 + 0x16, 2, 0); /* doorbells, and no common structure */
	guest_write(BAR64 + 0x3000 + 0x18, 2, 16);
	begin_write(BAR64 + 0x3000 + 0x20, 4, (uint32_t)RINGS);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	io_end();
}

TEST(last_bar, "pci: the last BAR has no upper half")
{
	io_start(64);
	put_cap(COMMON_CAP, NOTIFY_CAP, 1, 5);
	vmm_config[0][0x24] = 4;
	for (unsigned at = 0; at < 256; at += 4)
		guest_read(CONFIG + at, 4);
	guest_write(CONFIG + 0x24, 4, BAR32);
	check(is_followed(BAR32));
	io_end();
}

TEST(no_bar, "pci: a BAR that is not set is nowhere")
{
	io_start(64);
	for (unsigned at = 0; at < 256; at += 4)
		guest_read(CONFIG + at, 4);
	check(!is_followed(0));
	io_end();
}

TEST(odd_writes, "pci: a BAR keeps its address at writes that are not of all of it")
{
	io_start(64);
	c = pci_card(0);
	for (unsigned bytes = 1; bytes <= 8; bytes *= 2) {
		for (unsigned at = 0x1c; at < 0x28; at++) {
			if (at % 4 == 0 && bytes == 4)
				continue;
			begin_write(CONFIG + at, bytes, 0x4040404040404040);
			check_eq(shared()->exit, TV_EXIT_MMIO);
			check_eq(run(&io_vm, 0, TV_RUN_DONE), TV_OK);
		}
	}
	check(is_followed(BAR64));
	io_end();
}

TEST(others_own, "pci: what a capability of no virtio structure says may change")
{
	io_start(64);
	c = pci_card(0);
	for (unsigned at = 0x42; at < 0x50; at++)
		guest_read(CONFIG + at, 1);
	r = ring_start(&c, 0, 16);
	for (unsigned at = 0x42; at < 0x50; at++)
		check_eq(guest_read_as(CONFIG + at, 1, 0xa5), 0xa5);
	check_eq(guest_read_as(CONFIG + 0x40, 2, 0xa5a5), 0x5011); /* but what leads on */
	io_end();
}

TEST(function_0, "pci: a function at the very start is no virtio-mmio device")
{
	struct card m;

	io_start(64);
	m = mmio_card(0);
	negotiate(&m, F_VERSION_1);
	check_eq(guest_read_as(ECAM, 4, 0x12345678), 0x12345678);
	check_eq(guest_read_as(ECAM, 4, 0x87654321), 0x87654321);
	check_eq(guest_read_as(ECAM, 4, 0x10421af4), 0x10421af4);
	io_end();
}

TEST(subsystem, "pci: virtio's number at another place means nothing")
{
	io_start(64);
	check_eq(guest_read_as(CONFIG + 0x2c, 4, 0x11001af4), 0x11001af4);
	check_eq(guest_read_as(CONFIG, 4, 0x00081b36), 0x00081b36);
	check_eq(guest_read_as(CONFIG + 0x2c, 4, 0x11001af4), 0x11001af4);
	check_eq(guest_read_as(CONFIG + 0x2c, 4, 0x1af4), 0x1af4);
	io_end();
}

/* The back end does not even know of it. */
static void check_nothing(uint64_t at, unsigned bytes, uint64_t value)
{
	begin_write(c.base + at, bytes, value);
	check_mmio_write(c.base + at, bytes, value);
	check_eq(run(&io_vm, 0, TV_RUN_DONE), TV_OK);
	check_works(&r, 3, 100);
}

TEST(odd_registers, "pci: accesses that no register has change nothing")
{
	io_start(64);
	c = pci_card(0);
	r = ring_start(&c, 0, 16);
	check_nothing(0x14, 2, 0);
	check_nothing(0x14, 4, 0);
	check_nothing(0x16, 1, 7);
	check_nothing(0x16, 4, 7);
	check_nothing(0x18, 4, 8);
	check_nothing(0x1c, 4, 0);
	check_nothing(0x22, 4, RINGS);
	check_nothing(0x21, 4, RINGS);
	check_nothing(0x24, 8, RINGS);
	check_nothing(0x20, 2, 0x1234);
	check_nothing(0x28, 1, 0x12);
	io_end();
}
