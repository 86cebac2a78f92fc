/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TVD_PRIVATE_H
#define TVD_PRIVATE_H

/* What tvd_enter() pushes: x19-x30 */
#define TVD_FRAME_SIZE 0x60

#ifndef __ASSEMBLER__

#include <stdint.h>

#include <twinvisor/abi.h>

#include <common/ep_info.h>
#include <context.h>
#include <lib/psci/psci_lib.h>

/*
 * Where a CPU's S-visor is. It runs only in BOOT, CALL and WIPE, so those are the
 * only states in which an SMC can come from the Secure world.
 */
enum tvd_state {
	TVD_OFF,  /* not up on this CPU: calls are refused */
	TVD_BOOT, /* EL3 waits in tvd_boot() for TV_SVISOR_READY */
	TVD_IDLE, /* waits for a call */
	TVD_CALL, /* serves one; ends with TV_SVISOR_RETURN */
	TVD_WIPE, /* EL3 waits in tvd_wipe() for TV_SVISOR_RETURN */
};

struct tvd_cpu {
	cpu_context_t ctx;     /* the Secure world, while the normal world runs */
	uint64_t frame;        /* EL3 stack pointer in tvd_enter() */
	u_register_t mdscr[2]; /* MDSCR_EL1 of the world that does not run */
	enum tvd_state state;
};

struct tvd_cpu *tvd_this_cpu(void);
int tvd_boot(uint64_t cold);
void tvd_wipe(void);

void tvd_context_init(struct tvd_cpu *cpu, entry_point_info_t *ep);
void tvd_context_to_svisor_first(struct tvd_cpu *cpu);
void tvd_context_from_svisor_first(void);
void tvd_context_switch(struct tvd_cpu *cpu, uint32_t from, uint32_t to);

int tvd_manifest_init(struct tv_manifest *m, const void *dt);

uint64_t tvd_enter(uint64_t *frame);
void __dead2 tvd_leave(uint64_t frame, uint64_t rc);

extern const spd_pm_ops_t tvd_pm;

#endif /* !__ASSEMBLER__ */
#endif /* TVD_PRIVATE_H */
