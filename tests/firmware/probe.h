/* SPDX-License-Identifier: BSD-3-Clause */
/* What the two halves of the probe agree on: a stand-in for the S-visor, and a
 * caller at Non-secure EL2. */
#ifndef PROBE_H
#define PROBE_H

#define CPUS 4
#define STACK_SHIFT 12
#define GPRS 31

/* The stub takes the numbers of real calls, and does something else. */
#define P_ECHO TV_SMC(0)     /* (a, b, c, d) -> a, b, c, d, OR of x5-x17 as found */
#define P_WHO TV_SMC(1)      /* -> index, x2 of the entry, entries on this CPU, CurrentEL, calls */
#define P_MANIFEST TV_SMC(2) /* (i) -> its 64-bit word i */
#define P_GIC TV_SMC(3)      /* (hcr, vmcr) -> ICH_*_EL2 found; leaves the arguments there */
#define P_REFUSED TV_SMC(4)  /* -> mask of SMCs that the Secure world was not refused */
#define P_OWN TV_SMC(5)      /* -> mask of own EL2 registers that changed since the last call */
#define P_FIQ TV_SMC(6)      /* -> ISR_EL1 */
#define P_SPIN TV_SMC(7)     /* (ticks) returns when so much of CNTPCT_EL0 has passed */
#define P_FP TV_SMC(8)       /* -> ZCR_EL2 with the longest vector; uses FP, SVE and PAuth */
#define P_FAIL_CPU 3         /* here the stub does not come up the first time */

#define LEAK 0x5ec7e75ec7e75ec7

#ifndef __ASSEMBLER__
#include <stdint.h>
#include <twinvisor/abi.h>

/* Loads x0-x30 from regs[], executes SMC, and stores x0-x30 there. */
void smc(uint64_t regs[GPRS]);

#define read_reg(name)                                                                             \
	({                                                                                         \
		uint64_t v_;                                                                       \
		__asm__ volatile("mrs %0, " name : "=r"(v_));                                      \
		v_;                                                                                \
	})
#define write_reg(name, v) __asm__ volatile("msr " name ", %0\n\tisb" ::"r"((uint64_t)(v)))
#endif

#endif
