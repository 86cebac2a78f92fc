/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where BL31 enters, on each CPU: x0 = manifest, x1 = index of the CPU, x2 = 1 on the cold
 * boot. MMU and caches are off, exceptions masked.
 */
#include <twinvisor/abi.h>

#include "asm.h"
#include "layout.h"

	.section .text.entry, "ax"
func entry
	mov	x19, x0
	mov	x20, x1
	mov	x21, x2
	adr_l	x3, vectors
	msr	vbar_el2, x3
	adr_l	x3, stacks
	mov	x4, #STACK_SIZE
	add	x5, x20, #1
	madd	x3, x5, x4, x3
	mov	sp, x3
	isb
	cbz	x21, 2f

	adr_l	x3, bss_start
	adr_l	x4, bss_end
1:	stp	xzr, xzr, [x3], #16
	cmp	x3, x4
	b.lo	1b
	mov	x0, x19
	bl	mmu_build

2:	bl	mmu_on
	mov	x0, x20
	mov	x1, x21
	bl	boot
	/* boot() does not return */
	b	.
endfunc entry

/*
 * void mmu_on(void): from mmu_regs, which the cold boot filled (DDI 0487 D8.1, D24.2).
 */
func mmu_on
	adr_l	x0, mmu_regs
	ldp	x1, x2, [x0]
	ldp	x3, x4, [x0, #16]
	msr	mair_el2, x1
	msr	tcr_el2, x2
	msr	ttbr0_el2, x3
	isb
	/* A CPU that was off missed broadcasts; what reset leaves in TLBs is up to the CPU. */
	tlbi	alle2
	tlbi	alle1
	ic	iallu
	dsb	nsh
	isb
	msr	sctlr_el2, x4
	isb
	ret
endfunc mmu_on

/*
 * Accesses to ordinary memory. The machine may abort any of them: the vector then resumes at
 * ns_access_fixup. So they are leaves that keep nothing on the stack.
 */
	.global	ns_access_begin, ns_access_end, ns_access_fixup
ns_access_begin:
/* bool ns_load(const void *va, uint64_t *out) */
func ns_load
	ldr	x2, [x0]
	str	x2, [x1]
	mov	x0, #1
	ret
endfunc ns_load

/* bool ns_copy_rows(void *to, const void *from, size_t bytes): rows of 128 bytes; leaves some in Q0-Q7 */
	.arch_extension fp
func ns_copy_rows
1:	ldp	q0, q1, [x1], #32
	ldp	q2, q3, [x1], #32
	ldp	q4, q5, [x1], #32
	ldp	q6, q7, [x1], #32
	stp	q0, q1, [x0], #32
	stp	q2, q3, [x0], #32
	stp	q4, q5, [x0], #32
	stp	q6, q7, [x0], #32
	subs	x2, x2, #128
	b.ne	1b
	b	ns_accessed
endfunc ns_copy_rows
	.arch_extension nofp

/*
 * bool ns_copy(void *to, const void *from, size_t bytes): of any alignment; 8, 4 or 2 bytes that
 * are aligned on both sides at once.
 */
func ns_copy
	subs	x2, x2, #64
	b.lo	2f
1:	ldp	x3, x4, [x1], #16
	ldp	x5, x6, [x1], #16
	ldp	x7, x8, [x1], #16
	ldp	x9, x10, [x1], #16
	stp	x3, x4, [x0], #16
	stp	x5, x6, [x0], #16
	stp	x7, x8, [x0], #16
	stp	x9, x10, [x0], #16
	subs	x2, x2, #64
	b.hs	1b
2:	adds	x2, x2, #56	/* 8 less than what is left */
	b.mi	4f
3:	ldr	x3, [x1], #8
	str	x3, [x0], #8
	subs	x2, x2, #8
	b.pl	3b
4:	tbz	x2, #2, 5f
	ldr	w3, [x1], #4
	str	w3, [x0], #4
5:	tbz	x2, #1, 6f
	ldrh	w3, [x1], #2
	strh	w3, [x0], #2
6:	tbz	x2, #0, 7f
	ldrb	w3, [x1]
	strb	w3, [x0]
7:
ns_accessed:
	/*
	 * A store's abort may come late and as an SError (DDI 0487 D1.3.4.6): it is let in
	 * here, before EL3 sees it pending. ESB does so with RAS, and is a NOP without.
	 */
	dsb	sy
	msr	daifclr, #4
	esb
	isb
	msr	daifset, #4
	mov	x0, #1
	ret
endfunc ns_copy
ns_access_end:

ns_access_fixup:
	msr	daifset, #4
	mov	x0, #0
	ret
