/* SPDX-License-Identifier: BSD-3-Clause */
/* Entry of both images; x0-x3 go to start() as they are, on the CPU's own stack. */
#include "bare.h"

	.section .text.start, "ax"
	.global	_start
_start:	mrs	x9, mpidr_el1
	and	x9, x9, #0xff
	adrp	x10, stacks
	add	x9, x9, #1
	add	x10, x10, x9, lsl #STACK_SHIFT
	mov	sp, x10
	adrp	x10, vectors
	msr	vbar_el2, x10
	isb
	bl	start
1:	wfi
	b	1b

	/* No exception is expected: say so and stop. */
	.balign	2048
vectors:
	.rept	16
	mrs	x0, esr_el2
	mrs	x1, elr_el2
	b	fatal
	.balign	128
	.endr

	.bss
	.balign	4096
stacks:	.space	CPUS << STACK_SHIFT
