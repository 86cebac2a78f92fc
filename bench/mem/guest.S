/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Touches memory that was never touched: from `first` to `last` in steps of 4 KiB, `batch` bytes at a
 * time. What each batch took, in ticks of CNTVCT_EL0, goes to the UART.
 */
	.global touch_guest, touch_guest_end, touch_guest_range
	.balign 8
touch_guest:
	ldr	x10, first
	ldr	x11, last
	ldr	x12, batch
	movz	x1, #0x0900, lsl #16	/* TINY_UART */
1:	add	x13, x10, x12
	isb
	mrs	x2, cntvct_el0
	isb
2:	str	x10, [x10]
	add	x10, x10, #4096
	cmp	x10, x13
	b.lo	2b
	isb
	mrs	x3, cntvct_el0
	sub	x3, x3, x2
	str	x3, [x1]
	cmp	x10, x11
	b.lo	1b
	str	xzr, [x1]
	b	.
	.balign 8
touch_guest_range:
first:	.quad 0
last:	.quad 0
batch:	.quad 0
touch_guest_end:
