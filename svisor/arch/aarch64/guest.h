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

/* guest.S: in at ELR_EL2 with these registers, which are as they were left at the next exception to
 * EL2, GUEST_* by kind. */
unsigned guest_enter(uint64_t x[31]);

/* Says how this CPU's boot went, if that is somebody's to know, and serves the N-visor for ever. */
_Noreturn void serve(int64_t status);

/* el2.c */

/* At boot: every EL2 register that governs EL1. False: the CPU is not like the first one. */
bool guest_cpu_init(void);
/* HCR_EL2 and MDCR_EL2, which are after guest_begin as for (0, false, false, false). `more`: what
 * an N-VM traps besides; `vserror`: one is pending; `debug`, `pmu`: breakpoints, counters are the
 * guest's. */
void guest_traps(uint64_t more, bool vserror, bool debug, bool pmu);
/* Since guest_traps(..., true, ...): has the guest taken its virtual SError? */
bool guest_took_vserror(void);
/* The VMID of stage 2. Its table is an empty one but between guest_stage2 and guest_stage2_none:
 * nothing can be reached, or cached, by speculation while EL1 registers are half one guest's. An
 * ISB is to follow. */
void guest_stage2_vmid(uint16_t vmid);
void guest_stage2(uint64_t root);
void guest_stage2_none(void);
/* Out of streaming mode, if that exists; ZA and the vectors are lost. guest_fp must follow. */
void guest_streaming_off(void);

/* May FP and SIMD, and SVE, be used, by the guest and here? After an ISB, or in the guest. */
void guest_fp(bool fp, bool sve);

/* From now on they may be used here, whatever the caller was at. */
void guest_vectors_on(void);

/* gic.c, at the cold boot */
void gic_init(const struct tv_manifest *m);

/* fp.c: FP, SIMD and SVE. What a guest has of them is loaded when it uses any; saved and cleared
 * from the CPU when it leaves then. */

/* Is this exit the first use? Only while they are not loaded. */
bool fp_wanted(const struct guest_regs *regs, uint64_t esr);
void fp_load(const struct guest_regs *regs);
void fp_save(struct guest_regs *regs);

/* debug.c: breakpoints and watchpoints, if the guest uses them; afterwards the N-visor's are
 * back. `sys` is saved before. */
void debug_load(const struct guest_regs *regs);
void debug_save(struct guest_regs *regs);
/* Was this exit, by an access to a register, the guest's first to them? Then it has them when it
 * runs next. */
bool debug_wanted(struct guest_regs *regs, const struct guest_exit *exit);

/* pmu.c: performance monitors, in the same way. Nothing counts at S-EL2. */
void pmu_load(const struct guest_regs *regs);
void pmu_save(struct guest_regs *regs);
bool pmu_wanted(struct guest_regs *regs, const struct guest_exit *exit);
/* MDCR_EL2.HPMN for all counters to be the guest's. */
unsigned pmu_counters(void);

#endif
