/* SPDX-License-Identifier: BSD-3-Clause */
/* A page of code for guests: each piece ends with an HVC. */
#include "guest.h"

	.section .rodata
	.balign	4096
	.global	guest_page
guest_page:

	.macro	piece name
	.balign	16
	.global	\name
\name:
	.endm

	piece	guest_hvc
	hvc	#0x11
	hvc	#0x12

	piece	guest_load			/* (address) */
	ldr	w1, [x0]
	hvc	#1

	piece	guest_store			/* (address, value) */
	str	w1, [x0]
	hvc	#2

	piece	guest_jump			/* (address) */
	br	x0

	piece	guest_wfi
	wfi
	hvc	#3

	piece	guest_context			/* (value) */
	msr	contextidr_el1, x0
	hvc	#5

	piece	guest_debug
	msr	mdscr_el1, x0
	hvc	#6

	piece	guest_spin			/* (value, address): says that it is there */
	str	x0, [x1]
	b	.

	piece	guest_follow			/* (from, to) */
	ldr	x2, [x0]
	str	x2, [x1]
	b	guest_follow

	piece	guest_irq				/* -> interrupt */
	mrs	x0, s3_0_c12_c12_0	/* ICC_IAR1_EL1 */
	hvc	#7

	piece	guest_who				/* -> MPIDR_EL1, MIDR_EL1, CurrentEL, CNTVCT_EL0 */
	mrs	x0, mpidr_el1
	mrs	x1, midr_el1
	mrs	x2, CurrentEL
	isb
	mrs	x3, cntvct_el0
	hvc	#8

	piece	guest_zero			/* (address): of what HCR_EL2 could trap, and does not */
	dc	civac, x0
	tlbi	vmalle1
	dsb	sy
	ic	iallu
	isb
	mrs	x1, ctr_el0
	hvc	#9

	piece	guest_gprs
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	add	x\n, x\n, #\n + 1
	.endr
	hvc	#10

	piece	guest_vectors
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	mvn	v\n\().16b, v\n\().16b
	.endr
	mrs	x0, fpcr
	mrs	x1, fpsr
	mov	x2, #0x1000000		/* FZ */
	msr	fpcr, x2
	mov	x2, #0x8000000		/* QC */
	msr	fpsr, x2
	hvc	#11

#define EXERCISE(field, name, in, mask) \
	mrs x9, name; str x9, [x0], #8; ldr x10, [x1], #8; eor x9, x9, x10; msr name, x9;
	piece	guest_state			/* (to, masks); SP, too */
	mov	x9, sp
	str	x9, [x0], #8
	add	sp, sp, #16
	STATE_REGS(EXERCISE)
	isb
	hvc	#12

/* Of an S-VM, called by its puppet: a secret in every register that it has, and out. */
#define FILL(field, name, in, mask) msr name, x0;
	piece	guest_fill
	mov	x19, x30
	mrs	x20, vbar_el1
	mrs	x21, sctlr_el1
	mrs	x22, cpacr_el1
	ldr	x0, =SECRET
	.irp	name, ttbr0_el1, ttbr1_el1, tcr_el1, mair_el1, contextidr_el1, esr_el1, far_el1, par_el1, \
		elr_el1, sp_el0, tpidr_el0, tpidrro_el0, tpidr_el1, cntkctl_el1, amair_el1, afsr0_el1, \
		afsr1_el1, dbgbvr0_el1, dbgbvr1_el1, dbgbvr5_el1, dbgwvr0_el1, dbgwvr3_el1
	msr	\name, x0
	.endr
	mov	x1, #2
	msr	csselr_el1, x1
	ldr	w1, =0xf0000005
	msr	spsr_el1, x1
	mov	x1, #0x1fe6
	msr	dbgbcr0_el1, x1
	msr	dbgwcr0_el1, x1
	mov	x1, #0xa000		/* MDE, KDE */
	msr	mdscr_el1, x1
	mov	sp, x0
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	dup	v\n\().2d, x0
	.endr
	mov	x1, #0x7c00000
	msr	fpcr, x1
	mov	x1, #0x8000000
	msr	fpsr, x1
	isb
	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,23,24,25,26,27,28,29,30
	mov	x\n, x0
	.endr
	ldr	w0, =0xc6000001
	mov	x1, xzr
	mov	x2, xzr
	mov	x3, xzr
	hvc	#0
	mov	x1, xzr
	msr	mdscr_el1, x1
	mov	x30, x19
	ret

/* -> PMCCNTR_EL0 over a loop of its own, by counters of its own */
	piece	guest_count
	mov	x1, #0x40		/* LC */
	msr	pmcr_el0, x1
	mov	x1, #1 << 31
	msr	pmccfiltr_el0, xzr
	ldr	x0, =SECRET
	msr	pmccntr_el0, x0
	msr	pmevcntr0_el0, x0
	msr	pmcntenset_el0, x1
	mov	x1, #0x41
	msr	pmcr_el0, x1
	isb
	ldr	w0, =0xc6000001
	mov	x1, xzr
	mov	x2, xzr
	mov	x3, xzr
	hvc	#0
	mov	x1, #0x40
	msr	pmcr_el0, x1
	mov	x0, xzr
	ret
	.ltorg
	.balign	4096
