/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Into the guest and back. While it runs, the stack holds guest_enter's frame:
 * x, (padding), x19-x30.
 */
#include "asm.h"
#include "offsets.h"

#define FRAME 112
#define PANIC_STACK_SIZE 2048

	.text
/* unsigned guest_enter(uint64_t x[31]): the kind of exception that ended it */
func guest_enter
	stp	x0, xzr, [sp, #-FRAME]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	stp	x29, x30, [sp, #96]
	ldp	x2, x3, [x0, #16]
	ldp	x4, x5, [x0, #32]
	ldp	x6, x7, [x0, #48]
	ldp	x8, x9, [x0, #64]
	ldp	x10, x11, [x0, #80]
	ldp	x12, x13, [x0, #96]
	ldp	x14, x15, [x0, #112]
	ldp	x16, x17, [x0, #128]
	ldp	x18, x19, [x0, #144]
	ldp	x20, x21, [x0, #160]
	ldp	x22, x23, [x0, #176]
	ldp	x24, x25, [x0, #192]
	ldp	x26, x27, [x0, #208]
	ldp	x28, x29, [x0, #224]
	ldr	x30, [x0, #240]
	ldp	x0, x1, [x0]
	eret
	dsb	nsh		/* nothing is speculated past the ERET */
	isb
endfunc guest_enter

	.macro	guest_vector kind
	.balign	0x80
	stp	x0, x1, [sp, #-16]!
	mov	x1, #\kind
	b	guest_left
	.endm

/* x1 = kind; on the stack the guest's x0, x1, below the frame */
func guest_left
	ldr	x0, [sp, #16]
	stp	x2, x3, [x0, #16]
	stp	x4, x5, [x0, #32]
	stp	x6, x7, [x0, #48]
	stp	x8, x9, [x0, #64]
	stp	x10, x11, [x0, #80]
	stp	x12, x13, [x0, #96]
	stp	x14, x15, [x0, #112]
	stp	x16, x17, [x0, #128]
	stp	x18, x19, [x0, #144]
	stp	x20, x21, [x0, #160]
	stp	x22, x23, [x0, #176]
	stp	x24, x25, [x0, #192]
	stp	x26, x27, [x0, #208]
	stp	x28, x29, [x0, #224]
	str	x30, [x0, #240]
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x0]
	mov	x0, x1
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp, #96]
	add	sp, sp, #FRAME
	ret
endfunc guest_left

	.macro	own_vector target=own_exception
	.balign	0x80
	b	\target
	.endm

/* DDI 0487 D1.3.1.5 */
	.balign	0x800
	.global	vectors
vectors:
	.rept	4			/* current EL with SP_EL0: never used */
	own_vector
	.endr
	own_vector own_synchronous	/* current EL */
	own_vector
	own_vector
	own_vector own_access
	.rept	2			/* lower EL, AArch64 and AArch32 */
	guest_vector GUEST_SYNC_KIND
	guest_vector GUEST_IRQ_KIND
	guest_vector GUEST_IRQ_KIND
	guest_vector GUEST_SERROR_KIND
	.endr

/*
 * An external abort of an access to ordinary memory is its result; all else is a bug. The
 * stack may be what went wrong; those accesses leave x9 and x10 alone.
 */
func own_synchronous
	mrs	x9, esr_el2
	lsr	x10, x9, #26
	cmp	x10, #0x25		/* data abort, same EL */
	b.ne	own_exception
	and	x9, x9, #0x3f
	cmp	x9, #0x10		/* synchronous external abort, not on a walk */
	b.ne	own_exception
	b	own_access
endfunc own_synchronous

/* Also where an SError comes */
func own_access
	mrs	x9, elr_el2
	adr_l	x10, ns_access_begin
	cmp	x9, x10
	b.lo	own_exception
	adr_l	x10, ns_access_end
	cmp	x9, x10
	b.hs	own_exception
	adr_l	x9, ns_access_fixup
	msr	elr_el2, x9
	eret
	dsb	nsh
	isb
endfunc own_access

/* On a stack that is good: this one may be what went wrong. */
func own_exception
	mrs	x0, esr_el2
	mrs	x1, elr_el2
	mrs	x2, far_el2
	adr_l	x3, panic_stack + PANIC_STACK_SIZE
	mov	sp, x3
	b	unexpected
endfunc own_exception

	.bss
	.balign	16
panic_stack:
	.skip	PANIC_STACK_SIZE
