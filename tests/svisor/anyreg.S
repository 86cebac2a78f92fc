/* SPDX-License-Identifier: BSD-3-Clause */
/* Accesses to any system register, there or not: through code made by hunt.c. */

	/* struct access any_reg(const void *code, uint64_t value): calls it with x0 = value;
	 * what it left in x0, and in x1 whether it was Undefined */
	.global	any_reg
any_reg:
	stp	x29, x30, [sp, #-16]!
	mrs	x10, vbar_el2
	adr	x11, undefined_vectors
	msr	vbar_el2, x11
	isb
	mov	x2, x0
	mov	x0, x1
	mov	x1, #0
	blr	x2
	isb
	msr	vbar_el2, x10
	isb
	ldp	x29, x30, [sp], #16
	ret

	.balign	2048
undefined_vectors:
	.rept	16
	mov	x0, #0
	mov	x1, #1
	mrs	x9, elr_el2
	add	x9, x9, #4
	msr	elr_el2, x9
	eret
	.balign	128
	.endr
