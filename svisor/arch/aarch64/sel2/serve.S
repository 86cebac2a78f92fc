/* SPDX-License-Identifier: BSD-3-Clause */
#include <twinvisor/abi.h>

#include "asm.h"

#define CALL_FRAME 144 /* struct tv_args, x18-x30 */

	.text
/*
 * _Noreturn void serve(int64_t status): says READY, then serves calls for ever. Each comes back
 * from this SMC with this SP, and the caller's x5-x30, of which those from x18 on are its to have
 * again, and none of ours.
 */
func serve
	mov	x5, x0
	mov_w	w0, TV_SVISOR_READY
1:	smc	#0
	sub	sp, sp, #CALL_FRAME
	stp	x0, x1, [sp]
	stp	x2, x3, [sp, #16]
	stp	x4, x18, [sp, #32]
	stp	x19, x20, [sp, #48]
	stp	x21, x22, [sp, #64]
	stp	x23, x24, [sp, #80]
	stp	x25, x26, [sp, #96]
	stp	x27, x28, [sp, #112]
	stp	x29, x30, [sp, #128]
	mov	x0, sp
	bl	svisor_call
	ldp	x5, x1, [sp]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x18, [sp, #32]
	ldp	x19, x20, [sp, #48]
	ldp	x21, x22, [sp, #64]
	ldp	x23, x24, [sp, #80]
	ldp	x25, x26, [sp, #96]
	ldp	x27, x28, [sp, #112]
	ldp	x29, x30, [sp, #128]
	add	sp, sp, #CALL_FRAME
	mov_w	w0, TV_SVISOR_RETURN
	.irp	n, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17
	mov	x\n, xzr
	.endr
	b	1b
endfunc serve
