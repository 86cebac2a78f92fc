/* SPDX-License-Identifier: BSD-3-Clause */
/* What the two halves of the probe agree on: a stand-in for the S-visor, and a
 * caller at Non-secure EL2. */
#ifndef PROBE_H
#define PROBE_H

#include "bare.h"

/* The stub takes the numbers of real calls, and does something else. */
#define P_ECHO TV_SMC(0)     /* (a, b, c, d) -> a, b, c, d */
#define P_WHO TV_SMC(1)      /* -> index, x2 of the entry, entries on this CPU, CurrentEL, calls */
#define P_MANIFEST TV_SMC(2) /* (i) -> its 64-bit word i */
#define P_GIC TV_SMC(3)      /* (hcr, vmcr) -> ICH_*_EL2 found; leaves the arguments there */
#define P_REFUSED TV_SMC(4)  /* -> mask of SMCs that the Secure world was not refused */
#define P_OWN TV_SMC(5)      /* -> mask of own EL2 registers that are not as at READY */
#define P_FIQ TV_SMC(6)      /* -> ISR_EL1 */
#define P_SPIN TV_SMC(7)     /* (ticks, counted) returns when so much of CNTPCT_EL0 has passed */
#define P_FP TV_SMC(8)       /* -> ZCR_EL2 with the longest vector; uses FP, SVE and PAuth */
#define P_WIPES TV_SMC(9)    /* -> how often TV_DISPATCH_WIPE came, on any CPU */
#define P_REFUSE TV_SMC(10)  /* this CPU answers TV_DISPATCH_WIPE with an error */
#define P_FAIL_CPU 3         /* here the stub does not come up the first time */

#define LEAK 0x5ec7e75ec7e75ec7

#ifndef __ASSEMBLER__
#include <twinvisor/abi.h>
#endif

#endif
