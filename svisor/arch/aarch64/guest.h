/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GUEST_H
#define GUEST_H

#include "regs.h"

/* Each CPU, at boot: every EL2 register that governs EL1 and that no guest_run changes. */
void guest_cpu_init(void);

/* Stage 2 with an empty table, under this VMID: nothing can be reached, or cached, by
 * speculation while EL1 registers are half one guest's. */
void guest_stage2_none(uint16_t vmid);

/* FP, SIMD and SVE: load all; save all and clear them from the CPU. */
void fp_load(const struct guest_regs *regs);
void fp_save(struct guest_regs *regs);

#endif
