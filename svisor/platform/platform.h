/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a board provides. Addresses come from the boot manifest alone.
 */
#ifndef PLATFORM_H
#define PLATFORM_H

#include "../core/addr.h"

/* Takes the devices' addresses. Once, at boot, before all else here. */
void platform_init(const struct tv_manifest *m);

/*
 * Memory protection controller. Region `i` makes [base, top) Secure; an empty range
 * switches the region off. Driven under the ledger's lock. First back end: TZC-400
 * (DDI 0504); page-granular ones (GPT) can come behind the same interface.
 */

/* Regions the caller may set: 0 to protect_regions() - 1. */
unsigned protect_regions(void);
/* Can one region grow and shrink anywhere in [base, base + size), in steps that never expose
 * or take away what is not meant? */
bool protect_fits(pa_t base, uint64_t size);
/* Takes effect before it returns: no master makes a Non-secure access to the range
 * after that. base and top page aligned, base <= top, inside one DRAM bank. While a
 * region grows or shrinks, memory in both old and new range stays Secure throughout. */
void protect_set(unsigned region, pa_t base, pa_t top);
/* Reads the range back from the controller itself. */
void protect_get(unsigned region, pa_t *base, pa_t *top);

/* One character to the Secure console; waits for room in the FIFO. Nothing if there is
 * no Secure UART. */
void console_putc(char c);

#endif
