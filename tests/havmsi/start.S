/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entry of the host, on each CPU, as Linux's would be; and exceptions, of which none is expected
 * but under attempt().
 */
#include "bare.h"

	.section .text.start, "ax"
	.global	_start, _start_again
_start_again:				/* another entry for CPU_ON */
_start:	mrs	x9, mpidr_el1
	and	x9, x9, #0xff
	adrp	x10, entered
	add	x10, x10, :lo12:entered
	add	x10, x10, x9, lsl #6	/* struct entered */
	stp	x0, x1, [x10]
	stp	x2, x3, [x10, #16]
	mrs	x11, CurrentEL
	mrs	x12, sctlr_el1
	stp	x11, x12, [x10, #32]
	mrs	x11, daif
	ldr	x12, [x10, #56]
	add	x12, x12, #1
	stp	x11, x12, [x10, #48]
	adrp	x10, stacks
	add	x11, x9, #1
	add	x10, x10, x11, lsl #14
	mov	sp, x10
	adrp	x10, vectors
	msr	vbar_el1, x10
	mov	x10, #3 << 20		/* CPACR_EL1.FPEN */
	msr	cpacr_el1, x10
	isb
	mov	x0, x9
	bl	start
1:	wfi
	b	1b

	.balign	4096
vectors:
	.set	n, 0
	.rept	16
	mov	x1, #n
	b	caught
	.balign	128
	.set	n, n + 1
	.endr

	.macro	catcher to, tmp
	mrs	\tmp, mpidr_el1
	and	\tmp, \tmp, #0xff
	adrp	\to, catchers
	add	\to, \to, :lo12:catchers
	add	\to, \to, \tmp, lsl #3
	.endm

/* We stay in the exception, as it were: nothing tells it from where it came, and it is over. */
caught:	catcher	x9, x10
	ldr	x10, [x9]
	cbnz	x10, 1f
	mrs	x0, esr_el1
	mrs	x1, elr_el1
	mrs	x2, far_el1
	b	died
1:	mov	sp, x10
	ldr	x2, [sp, #96]
	mrs	x3, esr_el1
	mrs	x4, far_el1
	stp	x3, x4, [x2, #8]
	mrs	x3, elr_el1
	mrs	x4, spsr_el1
	stp	x3, x4, [x2, #24]
	str	x1, [x2, #40]
	mov	x0, #1
	b	2f

/* int attempt(struct caught *c, const void *function, x0, x1, x2) */
	.global	attempt
attempt:
	stp	x29, x30, [sp, #-112]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	str	x0, [sp, #96]
	catcher	x9, x10
	mov	x10, sp
	str	x10, [x9]
	mov	x9, x1
	mov	x0, x2
	mov	x1, x3
	mov	x2, x4
	blr	x9
	ldr	x1, [sp, #96]
	str	x0, [x1]
	mov	x0, #0
2:	catcher	x9, x10
	str	xzr, [x9]
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #112
	ret

	.bss
	.balign	4096
stacks:	.space	CPUS << 14
	.balign	64
	.global	entered
entered: .space	CPUS << 6
catchers: .space CPUS << 3
