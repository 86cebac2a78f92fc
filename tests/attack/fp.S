/* SPDX-License-Identifier: BSD-3-Clause */
/* long ioctl_fp(fd, request, arg, before, after): v0-v31 = before, ioctl, after = v0-v31 */
	.text
	.global	ioctl_fp
	.type	ioctl_fp, %function
ioctl_fp:
	sub	sp, sp, #64
	stp	d8, d9, [sp]
	stp	d10, d11, [sp, #16]
	stp	d12, d13, [sp, #32]
	stp	d14, d15, [sp, #48]
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	ldr	q\n, [x3, #16 * \n]
	.endr
	mov	x8, #29			/* __NR_ioctl */
	svc	#0
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	str	q\n, [x4, #16 * \n]
	.endr
	ldp	d8, d9, [sp]
	ldp	d10, d11, [sp, #16]
	ldp	d12, d13, [sp, #32]
	ldp	d14, d15, [sp, #48]
	add	sp, sp, #64
	ret
	.size	ioctl_fp, . - ioctl_fp
	.section .note.GNU-stack, "", %progbits
