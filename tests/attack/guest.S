/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The puppet: a guest that asks the host what to do next, by HVC, and answers
 * with what it got. Commands are in x0 (enum op of puppet.h), operands in x1-x3,
 * the answer goes out in x1. x8-x30 and v0-v31 hold canaries from the first
 * instruction on: OP_CHECK counts those that changed. SECOND (puppet.h) is where a vCPU starts
 * that CPU_ON has turned on, with the context as its first answer; at SPINNING it stays.
 */
	.arch	armv8.2-a
	.section .rodata
	.balign	4096
	.global	puppet, puppet_end
puppet:
	b	first
	b	second			/* SECOND */
	b	.			/* SPINNING */
first:	mov	x0, #0
second:	mov	x1, #3 << 20		/* CPACR_EL1.FPEN */
	msr	cpacr_el1, x1
	adr	x1, vectors
	msr	vbar_el1, x1
	isb
	bl	plant
next:
	mov	x1, x0
	movz	x0, #0xc600, lsl #16
	movk	x0, #0x7476
	mov	x2, #0
	mov	x3, #0
	hvc	#0
	adr	x4, table
	add	x4, x4, x0, lsl #5
	br	x4

	.macro	op
	.balign	32
	.endm
	.balign	32
table:
	op				/* OP_READ (address) */
	ldr	x0, [x1]
	b	next
	op				/* OP_WRITE (address, value) */
	str	x2, [x1]
	mov	x0, #0
	b	next
	op				/* OP_CHECK () -> canaries changed */
	b	check
	op				/* OP_WFI () */
	wfi
	mov	x0, #0
	b	next
	op				/* OP_CALL (x0, x1, x2 = x3) -> x0 of an HVC */
	mov	x0, x1
	mov	x1, x2
	mov	x2, x3
	hvc	#0
	b	next
	op				/* OP_WAIT (address): until it is not 0 */
	ldr	x0, [x1]
	cbz	x0, .-4
	b	next
	op				/* OP_TCR () */
	mrs	x0, tcr_el1
	b	next
	op				/* OP_SCTLR () */
	mrs	x0, sctlr_el1
	b	next
	op				/* OP_VBAR () -> less its own place: 0 */
	mrs	x0, vbar_el1
	adr	x1, vectors
	sub	x0, x0, x1
	b	next
	op				/* OP_PSTATE () -> CurrentEL, DAIF, SPSel, NZCV */
	b	pstate
	op				/* OP_MPIDR () */
	mrs	x0, mpidr_el1
	b	next
	op				/* OP_COUNT () */
	isb
	mrs	x0, cntvct_el0
	b	next
	op				/* OP_SMC (x0) */
	mov	x0, x1
	smc	#0
	b	next
	op				/* OP_READ1 (address): one signed byte */
	ldrsb	x0, [x1]
	b	next
	op				/* OP_SUM (from, to) -> sum of the words */
	b	sum
	op				/* OP_FILL (from, to, value) */
	b	fill
	op				/* OP_SPIN (n) */
	subs	x1, x1, #1
	b.ne	.-4
	mov	x0, #0
	b	next
	op				/* OP_TTBR0 () */
	mrs	x0, ttbr0_el1
	b	next
	op				/* OP_MAIR () */
	mrs	x0, mair_el1
	b	next
	op				/* OP_EXEC (address, value): a function of it */
	mov	x0, x2
	ic	iallu
	dsb	nsh
	isb
	blr	x1
	b	next

pstate:
	mrs	x0, CurrentEL
	mrs	x1, daif
	orr	x0, x0, x1
	mrs	x1, spsel
	orr	x0, x0, x1
	b	next

sum:
	mov	x0, #0
0:	ldr	x3, [x1], #8
	add	x0, x0, x3
	cmp	x1, x2
	b.lo	0b
	b	next

fill:
	mov	x0, #0
0:	str	x3, [x1], #8
	cmp	x1, x2
	b.lo	0b
	b	next

	.macro	canary reg, n
	movz	\reg, #0xc0de, lsl #48
	movk	\reg, #0x7ea5, lsl #16
	movk	\reg, #\n
	.endm

	.macro	count n
	canary	x4, \n
	cmp	x4, x\n
	cinc	x0, x0, ne
	.endm

	.macro	countv n
	canary	x4, 0x100 + \n
	mov	x5, v\n\().d[0]
	mov	x6, v\n\().d[1]
	cmp	x4, x5
	cinc	x0, x0, ne
	cmp	x4, x6
	cinc	x0, x0, ne
	.endm

check:
	mov	x0, #0
	.irp	n, 8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	count	\n
	.endr
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	countv	\n
	.endr
	b	next

plant:
	mov	x7, x30
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	canary	x4, 0x100 + \n
	dup	v\n\().2d, x4
	.endr
	.irp	n, 8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	canary	x\n, \n
	.endr
	br	x7

/* An exception is an answer too: ESR_EL1 with bit 63 set. */
	.balign	2048
vectors:
	.rept	16
	mrs	x0, esr_el1
	orr	x0, x0, #1 << 63
	b	next
	.balign	128
	.endr
	.balign	4096
puppet_end:
	.section .note.GNU-stack, "", %progbits
