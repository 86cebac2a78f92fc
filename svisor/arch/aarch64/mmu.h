/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage 1 of S-EL2. Built once, with the MMU off; after that only chunks come and go in the
 * Secure window. W^X throughout.
 */
#ifndef MMU_H
#define MMU_H

#include "addr.h"

/* Cold boot, MMU off: maps the image, the rest of the S-visor's memory, its devices and both
 * windows (the Secure one empty), with tables from the memory after the image. */
void mmu_build(const struct tv_manifest *m);

/* The boot manifest: mmu_build's copy, since BL31's memory is not mapped. */
extern struct tv_manifest boot_manifest;

/* First byte behind the image and the tables. */
extern uint64_t mmu_free;

#endif
