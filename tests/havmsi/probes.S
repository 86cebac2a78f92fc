/* SPDX-License-Identifier: BSD-3-Clause */
/* Accesses for attempt(): each begins with the instruction that may fault. */

	.macro	probe name, body:vararg
	.balign	16
	.global	\name
\name:	\body
	ret
	.endm

	.text
	probe	read_1, ldrb w0, [x0]
	probe	read_2, ldrh w0, [x0]
	probe	read_8, ldr x0, [x0]
	probe	read_pair, ldp x0, x1, [x0]
	probe	read_16, ldr q0, [x0]
	probe	read_exclusive, ldxr x0, [x0]
	probe	read_acquire, ldar x0, [x0]
	probe	write_1, strb w1, [x0]
	probe	write_8, str x1, [x0]
	probe	write_pair, stp x1, x1, [x0]
	probe	write_16, str q0, [x0]
	probe	write_release, stlr x1, [x0]
	probe	zero_line, dc zva, x0
	probe	clean_invalidate, dc civac, x0
	probe	clean, dc cvac, x0
	probe	invalidate, dc ivac, x0
	probe	prefetch, prfm pldl1keep, [x0]
	probe	jump, br x0

/* (address) -> PAR_EL1 */
	.balign	16
	.global	translate
translate:
	at	s1e1r, x0
	isb
	mrs	x0, par_el1
	ret

/* (address, ordinary address): a store whose reservation is another address's */
	.balign	16
	.global	write_exclusive
write_exclusive:
	ldxr	x2, [x1]
	stxr	w3, x2, [x0]
	mov	w0, w3
	ret

/* (SPSR, ELR): where that leads, the next instruction is the one after */
	.balign	16
	.global	return_to, returned
return_to:
	msr	spsr_el1, x0
	adr	x1, returned
	msr	elr_el1, x1
	isb
	eret
returned:
	mrs	x0, CurrentEL
	ret

/* (TTBR0_EL1, TCR_EL1, MAIR_EL1) */
	.balign	16
	.global	mmu_on
mmu_on:	msr	ttbr0_el1, x0
	msr	tcr_el1, x1
	msr	mair_el1, x2
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	mrs	x0, sctlr_el1
	mov	x1, #0x1005		/* I, C, M */
	orr	x0, x0, x1
	msr	sctlr_el1, x0
	isb
	ret

	.global	mmu_off
mmu_off: mrs	x0, sctlr_el1
	mov	x1, #0x1005
	bic	x0, x0, x1
	msr	sctlr_el1, x0
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	ret

/* SIMD registers, of 512 bytes */
	.macro	each_q op
	.irp	n, 0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30
	\op	\n
	.endr
	.endm
	.macro	put_q n
	str	q\n, [x0], #16
	.endm
	.global	vectors_store
vectors_store:
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	put_q	\n
	.endr
	ret
