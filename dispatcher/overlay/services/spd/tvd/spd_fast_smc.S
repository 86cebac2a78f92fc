/* SPDX-License-Identifier: BSD-3-Clause */
/* For runtime exception vectors, where SP is the CPU's context of the world that is left. */
#include <arch.h>
#include <context.h>

#include "tvd_private.h"

	/*
	 * Goes on at \next if this is the S-visor's way back, and else here. Only the
	 * S-visor is trusted; spd_fast_smc has no indirect branch.
	 */
	.macro	spd_fast_smc_needs_no_wa next
	str	x30, [sp, #CTX_GPREGS_OFFSET + CTX_GPREG_LR]
	mrs	x30, scr_el3
	tbnz	x30, #TVD_SCR_NS, 3f
	mov_imm	x30, TV_SVISOR_RETURN
	cmp	w0, w30
	ldr	x30, [sp, #CTX_GPREGS_OFFSET + CTX_GPREG_LR]
	b.eq	\next
3:	ldr	x30, [sp, #CTX_GPREGS_OFFSET + CTX_GPREG_LR]
	.endm
