/* SPDX-License-Identifier: BSD-3-Clause */
/* Entry of an image at EL1: start.S has the same for EL2. */
#include "bare.h"

	.section .text.start, "ax"
	.global	_start
_start:	adrp	x9, stack_end
	mov	sp, x9
	adrp	x9, vectors
	msr	vbar_el1, x9
	isb
	bl	start
1:	wfi
	b	1b

	.balign	2048
vectors:
	.rept	16
	mrs	x0, esr_el1
	mrs	x1, elr_el1
	b	fatal
	.balign	128
	.endr

	.bss
	.balign	4096
	.space	1 << STACK_SHIFT
stack_end:
