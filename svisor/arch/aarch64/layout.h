/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Virtual addresses of S-EL2. The S-visor's own memory and its devices are mapped where they
 * are; DRAM appears in two windows, at its physical address plus the window's base.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#define VA_BITS 48
#define NS_WINDOW 0x100000000000     /* all of DRAM, NS = 1 */
#define SECURE_WINDOW 0x200000000000 /* chunks that are Secure, NS = 0 */
#define DRAM_LIMIT 0x100000000000    /* physical addresses end below */

/* One stack a CPU, its lowest page left unmapped. */
#define STACK_SIZE 0x4000
#define STACK_GUARD 0x1000

#endif
