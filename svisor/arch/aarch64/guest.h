/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of a guest's way in and out, for guest.c. All of them concern the calling CPU, and
 * no guest runs on it meanwhile.
 */
#ifndef GUEST_H
#define GUEST_H

#include "arch.h"

/* RES1 of SCTLR_EL1 where none of its extensions is used (DDI 0487 D24.2.154). */
#define SCTLR_EL1_RESET 0x30d00800ULL

bool has_ras(void);

/* el2.c */

/* At boot: every EL2 register that governs EL1. */
void guest_cpu_init(void);
/* HCR_EL2 and MDCR_EL2. `vserror`: one is pending; `debug`, `pmu`: breakpoints, counters are the
 * guest's. */
void guest_traps(bool vserror, bool debug, bool pmu);
/* Since guest_traps(true, ...): has the guest taken its virtual SError? */
bool guest_took_vserror(void);
/* Stage 2 with an empty table, under this VMID: nothing can be reached, or cached, by
 * speculation while EL1 registers are half one guest's. */
void guest_stage2_none(uint16_t vmid);
/* Out of streaming mode, if that exists; ZA and the vectors are lost. */
void guest_streaming_off(void);

/* May SVE be used, by the guest and here? After an ISB, or in the guest. */
void guest_sve(bool has);

/* gic.c, at the cold boot */
void gic_init(const struct tv_manifest *m);

/* fp.c: FP, SIMD and SVE. Load all; save all and clear them from the CPU. */
void fp_load(const struct guest_regs *regs);
void fp_save(struct guest_regs *regs);

/* debug.c: breakpoints and watchpoints, if the guest uses them; afterwards the N-visor's are
 * back. `sys` is saved before. */
void debug_load(const struct guest_regs *regs);
void debug_save(struct guest_regs *regs);
/* Was this exit the guest's first access to them? Then it has them when it runs next. */
bool debug_wanted(struct guest_regs *regs, const struct guest_exit *exit);

/* pmu.c: performance monitors, in the same way. Nothing counts at S-EL2. */
void pmu_load(const struct guest_regs *regs);
void pmu_save(struct guest_regs *regs);
bool pmu_wanted(struct guest_regs *regs, const struct guest_exit *exit);
/* MDCR_EL2.HPMN for all counters to be the guest's. */
unsigned pmu_counters(void);

#endif
