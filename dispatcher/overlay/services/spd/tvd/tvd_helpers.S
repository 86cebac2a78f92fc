/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Synchronous entry: tvd_enter() leaves EL3 for the context that was made next,
 * and returns when tvd_leave() is called while EL3 serves an SMC from there.
 */
#include <asm_macros.S>

#include "tvd_private.h"

	.globl	tvd_enter
	.globl	tvd_leave

/* uint64_t tvd_enter(uint64_t *frame) */
func tvd_enter
	stp	x29, x30, [sp, #-TVD_FRAME_SIZE]!
	stp	x27, x28, [sp, #0x10]
	stp	x25, x26, [sp, #0x20]
	stp	x23, x24, [sp, #0x30]
	stp	x21, x22, [sp, #0x40]
	stp	x19, x20, [sp, #0x50]
	mov	x1, sp
	str	x1, [x0]
	b	el3_exit
endfunc tvd_enter

/* void tvd_leave(uint64_t frame, uint64_t rc): tvd_enter() returns rc */
func tvd_leave
	mov	sp, x0
	mov	x0, x1
	ldp	x19, x20, [sp, #0x50]
	ldp	x21, x22, [sp, #0x40]
	ldp	x23, x24, [sp, #0x30]
	ldp	x25, x26, [sp, #0x20]
	ldp	x27, x28, [sp, #0x10]
	ldp	x29, x30, [sp], #TVD_FRAME_SIZE
	ret
endfunc tvd_leave
