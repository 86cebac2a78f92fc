/* SPDX-License-Identifier: BSD-3-Clause */
/* What the two halves of the probe of cores without Secure EL2 agree on: a stand-in for the
 * S-visor, at EL2, and one for the kernel, at EL1. */
#ifndef HAVMSI_H
#define HAVMSI_H

#include "ns.h"

#include <twinvisor/abi.h>

#define PSCI_CPU_ON 0xc4000003
#define PSCI_SYSTEM_OFF 0x84000008

#define TZC_REGION(n) (0x100 + 0x20 * (n)) /* its base, low word */
#define PATTERN 0x12345000

/* What the kernel's stand-in has done, at EL1, for a CPU at EL2 to judge. */
#define HOST_HAS_TRIED ((volatile uint64_t *)0x60200000)
#define JUDGED ((volatile uint64_t *)0x60200008)
/* Where the TZC-400 is: nobody else tells the kernel. */
#define HOST_TZC ((volatile uint64_t *)0x60200010)
#define HOST_UART ((volatile uint64_t *)0x60200018)

#endif
