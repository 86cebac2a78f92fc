/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Probes run at EL3 from flash, with data in Secure SRAM and the MMU off.
 * run() (probe.h) drops to a lower exception level and returns at the next
 * exception that reaches EL3.
 */
	.section .text.start, "ax"
	.globl	_start
_start:
	adr	x0, el3_vectors
	msr	vbar_el3, x0
	mov	x0, #0x30d0		/* SCTLR_EL3: RES1 bits, SA */
	movk	x0, #0x30c5, lsl #16
	bic	x0, x0, #(1 << 12)	/* caches and MMU off */
	msr	sctlr_el3, x0
	isb
	mrs	x19, mpidr_el1
	and	x19, x19, #0xff
	ldr	x0, =stacks_end
	lsl	x1, x19, #12
	sub	x0, x0, x1
	mov	sp, x0
	cbnz	x19, secondary
	bl	main
	bl	finish

secondary:
	wfe
	ldr	x0, =secondary_fn
	ldr	x1, [x0]
	cbz	x1, secondary
	mov	x0, x19
	blr	x1
1:	wfi
	b	1b

/* void run_entry(struct entry *e) */
	.globl	run_entry
run_entry:
	stp	x29, x30, [sp, #-112]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	str	x0, [sp, #96]
	ldp	x1, x2, [x0]
	ldr	x3, [x0, #16]
	msr	scr_el3, x1
	msr	spsr_el3, x2
	msr	elr_el3, x3
	isb
	add	x15, x0, #24
	ldp	x0, x1, [x15]
	ldp	x2, x3, [x15, #16]
	eret

	.macro	el3_vector, kind, to
	.balign	0x80
	stp	x14, x15, [sp, #-16]!
	mov	x15, #\kind
	b	\to
	.endm

	.balign	0x800
el3_vectors:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	el3_vector \n, el3_panic
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	el3_vector \n, el3_from_lower
	.endr

el3_panic:
	mrs	x0, esr_el3
	mrs	x1, elr_el3
	mrs	x2, far_el3
	b	panic

el3_from_lower:
	ldr	x14, [sp, #16 + 96]
	str	x15, [x14, #24]
	add	x14, x14, #32
	stp	x0, x1, [x14]
	stp	x2, x3, [x14, #16]
	stp	x4, x5, [x14, #32]
	stp	x6, x7, [x14, #48]
	stp	x8, x9, [x14, #64]
	stp	x10, x11, [x14, #80]
	stp	x12, x13, [x14, #96]
	mrs	x0, esr_el3
	mrs	x1, far_el3
	mrs	x2, elr_el3
	stp	x0, x1, [x14, #112]
	str	x2, [x14, #128]
	add	sp, sp, #16
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #112
	ret

/* void semihost(op, arg) */
	.globl	semihost
semihost:
	hlt	#0xf000
	ret

	.bss
	.balign	16
	.skip	0x4000
stacks_end:

/*
 * What runs below EL3: position independent, because the Non-secure world
 * runs a copy of it in DRAM (low_ns()). Vectors pass the syndrome on to EL3.
 */
	.macro	low_vectors, el, hpfar
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	.balign	0x80
	mrs	x9, esr_el\el
	mrs	x10, far_el\el
	.if	\hpfar
	mrs	x11, hpfar_el2
	.endif
	mrs	x12, elr_el\el
	mov	x13, #\n
	smc	#\el
	.endr
	.endm

	.macro	payload, name
	.globl	\name
\name:
	.endm

	.section .low, "ax"
	.balign	0x800
	.globl	low_start, low_end
low_start:
payload	el2_vectors
	low_vectors 2, 1
	.balign	0x800
payload	el1_vectors
	low_vectors 1, 0

payload	p_read
	ldr	x0, [x0]
	smc	#0
payload	p_read32
	ldr	w0, [x0]
	smc	#0
payload	p_write
	str	x1, [x0]
	smc	#0
payload	p_write32
	str	w1, [x0]
	smc	#0
payload	p_pair
	stp	x1, x1, [x0]
	smc	#0
payload	p_ldadd
	.arch_extension lse
	ldadd	x1, x0, [x0]
	smc	#0
payload	p_call
	blr	x0
	smc	#0
payload	p_spin
	b	p_spin

/* Reads [x0] until it holds x1; counts in [x2]. */
payload	p_watch
	mov	x4, #0
1:	ldr	x3, [x0]
	cmp	x3, x1
	b.eq	2f
	add	x4, x4, #1
	str	x4, [x2]
	b	1b
2:	mov	x0, x3
	smc	#0

/* Moves what TZC register x0 holds to x1, at once writes x3 to [x2]. */
payload	p_protect_and_write
	str	w1, [x0]
	dsb	sy
	str	x3, [x2]
	smc	#0

payload	p_iar1
	mrs	x0, s3_0_c12_c12_0
	smc	#0
payload	p_iar0
	mrs	x0, s3_0_c12_c8_0
	smc	#0
payload	p_eoir1
	msr	s3_0_c12_c12_1, x0
	smc	#0
payload	p_dir
	msr	s3_0_c12_c11_1, x0
	smc	#0
payload	p_pmr
	msr	s3_0_c4_c6_0, x0
	smc	#0
low_end:
