/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TVD_PRIVATE_H
#define TVD_PRIVATE_H

#include <twinvisor/abi.h>

#include <lib/utils_def.h>

/* What tvd_enter() pushes: x19-x30 */
#define TVD_FRAME_SIZE 0x60

/*
 * Where a CPU's S-visor is. It runs only in BOOT, CALL and WIPE, so those are the
 * only states in which an SMC can come from the Secure world.
 */
#define TVD_OFF U(0)  /* not up on this CPU: calls are refused */
#define TVD_BOOT U(1) /* EL3 waits in tvd_boot() for TV_SVISOR_READY */
#define TVD_IDLE U(2) /* waits for a call */
#define TVD_CALL U(3) /* serves one; ends with TV_SVISOR_RETURN */
#define TVD_WIPE U(4) /* EL3 waits in tvd_wipe() for TV_SVISOR_RETURN */

/* Bits of tvd_fast.flags; 0: the fast switch does not do for this CPU */
#define TVD_FLAG_FAST 0
#define TVD_FLAG_MPAM 1

/* Of struct tvd_fast, counted from its end */
#define TVD_FAST_NORMAL -0xf0
#define TVD_FAST_SVISOR -0x80
#define TVD_FAST_STATE -0x10

#define TVD_SCR_NS 0

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <common/ep_info.h>
#include <context.h>
#include <lib/cassert.h>
#include <lib/psci/psci_lib.h>

/* What an EL2 runs on, and where it goes on, in the order in which tvd_fast.S takes it. */
struct tvd_el2 {
	u_register_t sctlr, tcr, ttbr0, mair, amair, vbar, hcr, tpidr, sp;
	u_register_t cptr_el3; /* does not change, nor does mpam3_el3 */
	u_register_t elr_el3, spsr_el3;
	u_register_t mpam3_el3, unused;
};

/* For tvd_fast.S. What the S-visor runs on is what it said READY with, for each call anew. */
struct tvd_fast {
	struct tvd_el2 normal, svisor;
	uint32_t state; /* TVD_* */
	uint32_t flags;
	uint64_t frame; /* EL3 stack pointer in tvd_enter() */
};

struct tvd_cpu {
	struct tvd_fast fast;
	cpu_context_t ctx; /* the Secure world, while the normal world runs */
};

CASSERT(offsetof(struct tvd_cpu, ctx) == sizeof(struct tvd_fast), assert_tvd_fast_is_adjacent);
CASSERT(offsetof(struct tvd_fast, normal) == sizeof(struct tvd_fast) + TVD_FAST_NORMAL,
	assert_tvd_fast_normal);
CASSERT(offsetof(struct tvd_fast, svisor) == sizeof(struct tvd_fast) + TVD_FAST_SVISOR,
	assert_tvd_fast_svisor);
CASSERT(offsetof(struct tvd_fast, state) == sizeof(struct tvd_fast) + TVD_FAST_STATE,
	assert_tvd_fast_state);

struct tvd_cpu *tvd_this_cpu(void);
int tvd_boot(uint64_t cold);
void tvd_wipe(void);

void tvd_context_init(struct tvd_cpu *cpu, entry_point_info_t *ep);
void tvd_context_to_svisor_first(struct tvd_cpu *cpu);
void tvd_context_from_svisor_first(struct tvd_cpu *cpu);
void tvd_context_switch(uint32_t from, uint32_t to);
void tvd_context_count(struct tvd_cpu *cpu, bool on);

int tvd_manifest_init(struct tv_manifest *m, const void *dt);

uint64_t tvd_enter(uint64_t *frame);
void __dead2 tvd_leave(uint64_t frame, uint64_t rc);

extern const spd_pm_ops_t tvd_pm;

#endif /* !__ASSEMBLER__ */
#endif /* TVD_PRIVATE_H */
