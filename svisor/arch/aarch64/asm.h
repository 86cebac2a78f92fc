/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ASM_H
#define ASM_H

	.macro	func name
	.global	\name
	.type	\name, %function
	.balign	4
\name:
	.endm

	.macro	endfunc name
	.size	\name, . - \name
	.endm

	.macro	adr_l reg, symbol
	adrp	\reg, \symbol
	add	\reg, \reg, :lo12:\symbol
	.endm

	/* 32 bits that take two instructions */
	.macro	mov_w reg, value
	mov	\reg, #(\value) & 0xffff
	movk	\reg, #(\value) >> 16, lsl #16
	.endm

#endif
