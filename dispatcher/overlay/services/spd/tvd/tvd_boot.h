/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TVD_BOOT_H
#define TVD_BOOT_H

#include <stddef.h>
#include <stdint.h>

#include <platform_def.h>
#include <twinvisor/abi.h>

/* struct tv_boot, for the S-visor */
#define TVD_BOOT_BASE (BL32_LIMIT - TV_BOOT_SIZE)

#if TVD_HAVMSI
/* struct tv_manifest, where the S-visor can read it: in the page below */
#define TVD_MANIFEST_BASE (TVD_BOOT_BASE - TV_PAGE_SIZE)
#define TVD_IMAGE_LIMIT TVD_MANIFEST_BASE
#else
#define TVD_IMAGE_LIMIT TVD_BOOT_BASE
#endif

/*
 * In BL2: the secret of this device, 32 bytes that nobody else knows and no other
 * device has; 0 or an error. A platform that keeps it in fuses or in a secure
 * element defines it, and locks them before it returns.
 */
int tvd_device_secret(uint8_t secret[32]);

/* In BL2, when all images are checked and measured: makes struct tv_boot. */
void tvd_boot_finish(const uint8_t *log, size_t size);

#endif /* TVD_BOOT_H */
