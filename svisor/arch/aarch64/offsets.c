// SPDX-License-Identifier: BSD-3-Clause
/* Compiled to assembly, from which the build takes the numbers for offsets.h. */
#include <stddef.h>

#include "arch.h"

#define DEFINE(name, value) __asm__ volatile("\n@@ " #name " %0" ::"i"(value))

void offsets(void);

void offsets(void)
{
	DEFINE(GUEST_SYNC_KIND, GUEST_SYNC);
	DEFINE(GUEST_IRQ_KIND, GUEST_IRQ);
	DEFINE(GUEST_SERROR_KIND, GUEST_SERROR);
}
