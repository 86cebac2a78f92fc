/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * void gate(int64_t status): READY with it, and then calls for ever, each of which comes back here:
 * serve(regs) takes x0-x30 as they are found, and makes them what RETURN has.
 */
#include <twinvisor/abi.h>

	.global	gate
gate:	sub	sp, sp, #256
	mov	x5, x0
	ldr	w0, =TV_SVISOR_READY
1:	smc	#0
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, \
		23, 24, 25, 26, 27, 28, 29, 30
	str	x\n, [sp, #8 * \n]
	.endr
	mov	x0, sp
	bl	serve
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, \
		23, 24, 25, 26, 27, 28, 29, 30
	ldr	x\n, [sp, #8 * \n]
	.endr
	b	1b
