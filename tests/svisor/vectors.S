/* SPDX-License-Identifier: BSD-3-Clause */
/* SVE registers to and from struct vectors. */
#include "probe.h"

	.arch	armv8-a+sve
	.macro	each op
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\op	z\n, [x0, #\n, mul vl]
	.endr
	.endm
	.macro	each_p op
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	\op	p\n, [x1, #\n, mul vl]
	.endr
	.endm

	.global	vectors_load
vectors_load:
	add	x1, x0, #32 * VECTOR_MAX
	ldr	p0, [x1, #16, mul vl]
	wrffr	p0.b
	each	ldr
	each_p	ldr
	ret

	.global	vectors_store
vectors_store:
	add	x1, x0, #32 * VECTOR_MAX
	each	str
	each_p	str
	rdffr	p0.b
	str	p0, [x1, #16, mul vl]
	ret

	.global	vector_length
vector_length:
	rdvl	x0, #1
	ret
