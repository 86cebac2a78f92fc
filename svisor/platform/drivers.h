/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRIVERS_H
#define DRIVERS_H

#include <stdint.h>

/* `base`: address of the registers, mapped as device memory; 0: there is none. */
void pl011_init(uint64_t base);
/* Panics if `base` is 0: without a controller nothing can be protected. */
void tzc400_init(uint64_t base);

#endif
