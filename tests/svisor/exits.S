/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest's entry, its vectors, and its exits. A function exit_...(uint64_t x[31]) fills
 * x0-x30 with GUEST_X, leaves for the S-visor, and stores what it finds then. Only SP says
 * where things are.
 */
#include "probe.h"

	.set	device, DEVICE
	.set	fresh_page, FRESH_PAGE
	.set	spins, SPINS
	.set	tag, TAG
	.set	cpu_off, CPU_OFF

	.section .text.start, "ax"
	.global	_start
_start:	b	first
	b	second
	b	third

/* The second vCPU: all that its neighbour has filled must be new here. */
second:	mov	x1, #0x300000		/* CPACR_EL1.FPEN */
	msr	cpacr_el1, x1
	isb
	mov	x1, x30
	.irp	name, sp_el0, mdscr_el1, tpidr_el0, tpidrro_el0, tpidr_el1, contextidr_el1, far_el1, \
		ttbr0_el1, ttbr1_el1, mair_el1, tcr_el1, s3_0_c2_c1_0, s3_0_c2_c3_1, \
		dbgbvr0_el1, dbgbvr1_el1, dbgwvr0_el1, s3_0_c12_c1_1, fpcr, fpsr
	mrs	x2, \name
	orr	x1, x1, x2
	.endr
	mov	x2, v0.d[0]
	orr	x1, x1, x2
	mov	x2, v31.d[1]
	orr	x1, x1, x2
	ldr	x0, =tag
	hvc	#0

third:	adr	x19, guest_length
	b	start
first:	adr	x19, guest
start:	adrp	x1, stack_end
	mov	sp, x1
	adrp	x1, trap_vectors
	add	x1, x1, :lo12:trap_vectors
	msr	vbar_el1, x1
	mov	x1, #0x330000		/* CPACR_EL1: FPEN, ZEN */
	msr	cpacr_el1, x1
	isb
	mov	x1, #0xf
	msr	s3_0_c1_c2_0, x1	/* ZCR_EL1 */
	isb
	blr	x19
1:	wfi
	b	1b

	.balign	2048
trap_vectors:
	.rept	16
	sub	sp, sp, #176
	stp	x0, x1, [sp]
	stp	x2, x3, [sp, #16]
	stp	x29, x30, [sp, #160]
	b	trapped
	.balign	128
	.endr
trapped:
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	str	x18, [sp, #144]
	mrs	x0, esr_el1
	mrs	x1, elr_el1
	bl	trap
	msr	elr_el1, x0
	ldp	x0, x1, [sp]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldr	x18, [sp, #144]
	ldp	x29, x30, [sp, #160]
	add	sp, sp, #176
	eret

	.macro	exit_function name, body
	.global	\name
\name:	stp	x19, x20, [sp, #-112]!
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	str	x0, [sp, #96]
	adrp	x30, pattern
	add	x30, x30, :lo12:pattern
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	ldr	x\n, [x30, #8 * \n]
	.endr
	\body
	b	keep
	.endm

	exit_function exit_hvc, "hvc #0x11"
	exit_function exit_smc, "smc #0x22"
	exit_function exit_wfi, "wfi"
	exit_function exit_mmio_read, "ldr x10, =device + 0x18; ldrsh x9, [x10]"
	exit_function exit_mmio_write, "ldr x10, =device + 0x20; str w9, [x10]"
	exit_function exit_fault, "ldr x10, =fresh_page + 0x678; ldr x9, [x10]"
	exit_function exit_sysreg_read, "mrs x9, actlr_el1"
	exit_function exit_sysreg_write, "msr s3_0_c12_c11_5, x9"
	exit_function exit_off, "ldr x0, =cpu_off; hvc #0"
	exit_function exit_irq, "mov x28, #spins; sub x28, x28, #1; cbnz x28, . - 4"

keep:	stp	x0, x1, [sp, #-16]!
	ldr	x0, [sp, #112]
	.irp	n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24
	str	x\n, [x0, #8 * \n]
	.endr
	.irp	n, 25, 26, 27, 28, 29, 30
	str	x\n, [x0, #8 * \n]
	.endr
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x0]
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	x19, x20, [sp], #112
	ret

	.data
	.balign	8
pattern:
	.set	n, 0
	.rept	31
	.quad	GUEST_X(n)
	.set	n, n + 1
	.endr

	.bss
	.balign	4096
	.space	16384
stack_end:
