// SPDX-License-Identifier: BSD-3-Clause
/* Devices that cannot be shadowed are not there (I7). */
#include "virtio.h"

#define TYPE 8
#define SLOT(n) (ECAM + ((n) << 15))

TEST(types_mmio, "virtio: a device that is given memory beside its queues is none, on virtio-mmio")
{
	static const unsigned barred[] = {16, 23, 24, 27}, good[] = {1, 2, 3, 4, 5, 8, 9, 19, 26};

	io_windows = 10;
	io_start(64);
	for (unsigned i = 0; i < sizeof(barred) / sizeof(barred[0]); i++)
		check_eq(guest_read_as(MMIO(0) + TYPE, 4, barred[i]), 0);
	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		check_eq(guest_read_as(MMIO(i) + TYPE, 4, good[i]), good[i]);
	io_end();
}

TEST(types_pci, "virtio: nor is it on PCI")
{
	io_start(64);
	check_eq(guest_read_as(SLOT(1), 4, 0x10021af4), 0x10021af4);
	check_eq(guest_read_as(SLOT(2), 4, 0x10571af4), 0xffffffff);
	check_eq(guest_read_as(SLOT(3), 4, 0x10501af4), 0xffffffff);
	check_eq(guest_read_as(SLOT(4), 4, 0x10421af4), 0x10421af4);
	check_eq(guest_read_as(SLOT(5), 4, 0x10011af4), 0x10011af4);
	check_eq(guest_read_as(SLOT(6), 4, 0x10028086), 0x10028086);
	io_end();
}
