/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest that does one operation a few times, and then many times, with marks (mark.h) between:
 * what many cost more than few is theirs. micro.c says which operation and how often.
 */
	.arch	armv8.4-a
#include "mark.h"
#include "micro.h"

	.macro	mark label
	mov	x0, #\label
	hint	#MARK_HINT
	.endm

	/* \n: address of how often */
	.macro	repeat n
	ldr	x19, \n
1:	blr	x20
	subs	x19, x19, #1
	b.ne	1b
	.endm

	.global micro_guest, micro_guest_end, micro_guest_order
	.balign 8
micro_guest:
	mov	x9, #TINY_UART & 0xffff
	movk	x9, #TINY_UART >> 16, lsl #16
	movz	x10, #0x0800, lsl #16	/* distributor; 0x080a0000: redistributor */
	ldr	x0, operation
	adr	x1, operations
	ldr	w2, [x1, x0, lsl #2]
	add	x20, x1, w2, sxtw
	bl	interrupts_on
	repeat	few			/* first times cost more */
	mark	MARK_FEW
	repeat	few
	mark	MARK_MANY
	repeat	many
	mark	MARK_END
	str	xzr, [x9, #8]
	b	.

	.balign 4
operations:
	.word	nothing - operations, hypercall - operations, mmio_write - operations
	.word	mmio_read - operations, mmio_vgic - operations, sysreg - operations
	.word	id_register - operations, version - operations, use_fp - operations
	.word	timer - operations, wfi_wake - operations
	.word	touch - operations, vipi - operations

nothing:
	ret

/* One that nobody knows: the hypervisor says so. */
hypercall:
	movz	w0, #0x4b00, lsl #16
	hvc	#0
	ret

mmio_write:
	str	w9, [x9]
	ret

mmio_read:
	ldr	w1, [x9]
	ret

/* GICD_IIDR */
mmio_vgic:
	ldr	w1, [x10, #8]
	ret

sysreg:
	mrs	x1, oslsr_el1
	ret

id_register:
	mrs	x1, id_aa64pfr0_el1
	ret

/* PSCI_VERSION */
version:
	movz	w0, #0x8400, lsl #16
	hvc	#0
	ret

/* An exit, with a vector register in use before and after */
use_fp:
	mov	x1, #3 << 20
	msr	cpacr_el1, x1
	isb
	fmov	d0, x19
	str	w9, [x9]
	fmov	x1, d0
	ret

/* An interrupt of the virtual timer that is due at once */
timer:
	mov	x21, #0
	mov	x1, #1
	msr	cntv_tval_el0, x1
	msr	cntv_ctl_el0, x1
1:	cbz	x21, 1b
	ret

/* The same, some 13 us later, and till then the CPU waits. */
wfi_wake:
	mov	x21, #0
	mov	x1, #800
	msr	cntv_tval_el0, x1
	mov	x1, #1
	msr	daifset, #2
	msr	cntv_ctl_el0, x1
	isb
	wfi
	msr	daifclr, #2
1:	cbz	x21, 1b
	ret

/* The next page, from the second block of 2 MiB on; x22 is 0 at first. */
touch:
	cbnz	x22, 1f
	movz	x22, #0x4020, lsl #16	/* TINY_RAM + TINY_SIZE */
1:	str	x22, [x22]
	add	x22, x22, #4096
	ret

/* An SGI to the second CPU, till it has taken it. While one waits, it lets the emulator go on with
 * the other. */
vipi:
	cbnz	x22, 1f
	mov	x22, x30
	bl	second_on
	mov	x30, x22
1:	ldr	x1, taken
	add	x1, x1, #1
	mov	x2, #1 << 1		/* ICC_SGI1R_EL1: SGI 0 to affinity 0.0.0.1 */
	msr	icc_sgi1r_el1, x2
	isb
2:	yield
	ldr	x2, taken
	cmp	x1, x2
	b.ne	2b
	ret

/* PSCI CPU_ON of the second CPU, till it has its interrupts on */
second_on:
	movz	w0, #0xc400, lsl #16
	movk	w0, #3
	mov	x1, #1
	adr	x2, second
	mov	x3, x10
	hvc	#0
1:	yield
	ldr	x1, second_is_on
	cbz	x1, 1b
	ret

second:
	mov	x10, x0
	mov	x12, #0x20		/* its redistributor is 0x20000 further up */
	bl	interrupts_on_at
	adr	x2, second_is_on
	mov	x1, #1
	str	x1, [x2]
1:	yield
	b	1b

/* The virtual timer's, PPI 27, and SGI 0 */
interrupts_on:
	mov	x12, #0
interrupts_on_at:
	mov	w1, #0x12		/* GICD_CTLR: ARE, EnableGrp1 */
	str	w1, [x10]
	add	x11, x10, #0xa0, lsl #12
	add	x11, x11, x12, lsl #12
	str	wzr, [x11, #0x14]	/* GICR_WAKER */
	add	x11, x11, #0x10, lsl #12
	mov	w1, #-1
	str	w1, [x11, #0x80]	/* GICR_IGROUPR0 */
	mov	w1, #1 << 27
	orr	w1, w1, #1
	str	w1, [x11, #0x100]	/* GICR_ISENABLER0 */
	mov	x1, #7
	msr	icc_sre_el1, x1
	isb
	mov	x1, #0xff
	msr	icc_pmr_el1, x1
	mov	x1, #1
	msr	icc_igrpen1_el1, x1
	adr	x1, vectors
	msr	vbar_el1, x1
	isb
	msr	daifclr, #2
	ret

	.balign 2048
vectors:
	.skip	0x280
	mrs	x1, icc_iar1_el1	/* IRQ, current EL with SP_ELx */
	cbz	w1, 1f
	msr	cntv_ctl_el0, xzr
	isb
	msr	icc_eoir1_el1, x1
	mov	x21, #1
	eret
1:	ldr	x13, taken		/* SGI 0 */
	add	x13, x13, #1
	adr	x14, taken
	str	x13, [x14]
	msr	icc_eoir1_el1, x1
	eret

	.balign 8
taken:	.quad	0
second_is_on:
	.quad	0
micro_guest_order:
operation:
	.quad	0
few:	.quad	0
many:	.quad	0
micro_guest_end:
