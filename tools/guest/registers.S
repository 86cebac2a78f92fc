/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * void hold_registers(const uint64_t words[64], uint64_t after[72], uint64_t spins)
 * v0-v31 get words[0..63], x19-x26 words[0..7]; after `spins` turns of a loop they
 * are stored to after[]: v0-v31, then x19-x26.
 */
	.text
	.global	hold_registers
	.type	hold_registers, %function
hold_registers:
	sub	sp, sp, #128
	stp	x19, x20, [sp]
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	d8, d9, [sp, #64]
	stp	d10, d11, [sp, #80]
	stp	d12, d13, [sp, #96]
	stp	d14, d15, [sp, #112]
	ldp	x19, x20, [x0]
	ldp	x21, x22, [x0, #16]
	ldp	x23, x24, [x0, #32]
	ldp	x25, x26, [x0, #48]
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	ldr	q\n, [x0, #16 * \n]
	.endr
0:	subs	x2, x2, #1
	b.ne	0b
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	str	q\n, [x1, #16 * \n]
	.endr
	add	x1, x1, #512
	stp	x19, x20, [x1]
	stp	x21, x22, [x1, #16]
	stp	x23, x24, [x1, #32]
	stp	x25, x26, [x1, #48]
	ldp	d8, d9, [sp, #64]
	ldp	d10, d11, [sp, #80]
	ldp	d12, d13, [sp, #96]
	ldp	d14, d15, [sp, #112]
	ldp	x19, x20, [sp]
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	add	sp, sp, #128
	ret
	.size	hold_registers, . - hold_registers
	.section .note.GNU-stack, "", %progbits
