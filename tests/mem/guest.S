/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hog's guest: writes a word into each page from `first` to `last`, another one each round, after
 * having found the one of the round before (at first: zero). Each round's number goes to the UART; 0:
 * the memory has changed.
 */
	.global hog_guest, hog_guest_end, hog_guest_range
	.balign 8
hog_guest:
	ldr	x10, first
	ldr	x11, last
	movz	x1, #0x0900, lsl #16	/* TINY_UART */
	movz	x9, #0x9e37, lsl #48	/* so that rounds differ in high bits, too */
	mov	x2, #0
1:	mov	x3, x10
	mul	x6, x2, x9
	add	x7, x6, x9
2:	add	x4, x3, x6
	cmp	x2, #0
	csel	x4, xzr, x4, eq
	ldr	x5, [x3]
	cmp	x4, x5
	b.ne	3f
	add	x4, x3, x7
	str	x4, [x3]
	add	x3, x3, #4096
	cmp	x3, x11
	b.lo	2b
	add	x2, x2, #1
	str	w2, [x1]
	b	1b
3:	str	wzr, [x1]
	b	3b
	.balign 8
hog_guest_range:
first:	.quad 0
last:	.quad 0
hog_guest_end:
