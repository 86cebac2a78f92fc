/* SPDX-License-Identifier: BSD-3-Clause */
	.global	smc
smc:	stp	x29, x30, [sp, #-112]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	str	x0, [sp, #96]
	mov	x30, x0
	.irp	n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26
	ldr	x\n, [x30, #8 * \n]
	.endr
	.irp	n, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27
	ldr	x\n, [x30, #8 * \n]
	.endr
	ldp	x28, x29, [x30, #8 * 28]
	ldr	x30, [x30, #8 * 30]
	smc	#0
	stp	x29, x30, [sp, #-16]!
	ldr	x30, [sp, #112]		/* regs: 96, below the pair just pushed */
	.irp	n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28
	str	x\n, [x30, #8 * \n]
	.endr
	.irp	n, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27
	str	x\n, [x30, #8 * \n]
	.endr
	ldp	x0, x1, [sp], #16
	stp	x0, x1, [x30, #8 * 29]
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #112
	ret

	.global	memset
memset:	mov	x3, x0
1:	cbz	x2, 2f
	strb	w1, [x3], #1
	sub	x2, x2, #1
	b	1b
2:	ret
