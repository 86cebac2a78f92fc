/* SPDX-License-Identifier: BSD-3-Clause */
/* void hvc(uint64_t regs[GPRS]): as smc() */
#define smc hvc
#define memset memset_of_hvc
#include "smc.S"
