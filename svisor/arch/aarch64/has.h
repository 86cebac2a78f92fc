/* SPDX-License-Identifier: BSD-3-Clause */
/* What a guest's way in and out asks of its CPU. The first CPU's; no other one runs guests that has
 * not the same. */
#ifndef HAS_H
#define HAS_H

#include <stdbool.h>

extern struct cpu_has {
	bool pauth; /* any of the three algorithms; those of the generic key come with them */
	bool ras, sve, sme, fgt, hcx, pmu, lor;
	bool fwb; /* guests see memory through the caches because stage 2 says so */
} cpu_has;

/* At boot of each CPU, the first one's before any other's. False: it has not what the first has. */
bool has_find(void);

#endif
