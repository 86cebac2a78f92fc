/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * List registers are the N-visor's to fill, and interrupts it makes up harm nobody but its guest.
 * One thing more is in its reach: ICH_LR<n>_EL2.HW ties a virtual interrupt to a physical one,
 * which is deactivated when the guest ends the other (IHI 0069, ICH_LR<n>_EL2). The guest does so
 * in its own Security state, where that is not held to what the N-visor itself may do.
 */
#ifndef GIC_H
#define GIC_H

#include "sysreg.h"

#define ICC_SRE 1 /* bit 0 */
#define LR_HW (1ULL << 61)
#define LR_PINTID(lr) ((unsigned)((lr) >> 32) & 0x1fff)
#define VTR_LISTS(vtr) (((unsigned)(vtr) & 0x1f) + 1)
#define VTR_PRIORITIES(vtr) (((unsigned)((vtr) >> 26) & 7) + 1) /* bits of preemption */

/* clang-format off */
#define GIC_LISTS(X) \
	X(0, c12_0) X(1, c12_1) X(2, c12_2) X(3, c12_3) X(4, c12_4) X(5, c12_5) X(6, c12_6) \
	X(7, c12_7) X(8, c13_0) X(9, c13_1) X(10, c13_2) X(11, c13_3) X(12, c13_4) X(13, c13_5) \
	X(14, c13_6) X(15, c13_7)
/* clang-format on */

/* Tied to no physical interrupt but an EL1 timer's. `timers`: tv_manifest.timers */
static inline bool gic_harmless(uint64_t lr, uint32_t timers)
{
	unsigned ppi = LR_PINTID(lr) - 16; /* wraps for SGIs */

	return !(lr & LR_HW) || (ppi < 16 && timers >> ppi & 1);
}

#endif
