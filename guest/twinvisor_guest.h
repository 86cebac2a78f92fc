/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an S-VM's kernel module twinvisor_guest (guest/module) offers its root, beside
 * configfs-tsm and the measurements in sysfs.
 */
#ifndef TWINVISOR_GUEST_H
#define TWINVISOR_GUEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define TWINVISOR_GUEST_DEVICE "/dev/twinvisor_guest"

/* A key that only this guest, as it was launched, gets for this label: TV_GUEST_SEAL (abi.h). */
struct twinvisor_guest_seal {
	__u8 label[32];
	__u8 key[32];
};

#define TWINVISOR_GUEST_SEAL _IOWR('t', 0x54, struct twinvisor_guest_seal)

#endif
