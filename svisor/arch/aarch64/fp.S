/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * FP, SIMD and SVE registers. Of the rest of the S-visor only ns_copy_rows and SHA-256 use any.
 */
#include "asm.h"

	.arch	armv8-a+sve
	.text

	.altmacro
	.macro	each op, from, to	/* \op n for n = from ... to */
	.set	n, \from
	.rept	\to - \from + 1
	\op	%n
	.set	n, n + 1
	.endr
	.endm

	.macro	save_q n
	str	q\n, [x0, #16 * \n]
	.endm
	.macro	load_q n
	ldr	q\n, [x0, #16 * \n]
	.endm
	.macro	save_z n
	str	z\n, [x0, #\n, mul vl]
	.endm
	.macro	load_z n
	ldr	z\n, [x0, #\n, mul vl]
	.endm
	.macro	save_p n
	str	p\n, [x1, #\n, mul vl]
	.endm
	.macro	load_p n
	ldr	p\n, [x1, #\n, mul vl]
	.endm
	.macro	zero_q n
	movi	v\n\().2d, #0
	.endm
	.macro	zero_p n
	pfalse	p\n\().b
	.endm

/* void simd_save(void *q), void simd_load(const void *q): 32 x 16 bytes */
func simd_save
	each	save_q, 0, 31
	ret
endfunc simd_save

func simd_load
	each	load_q, 0, 31
	ret
endfunc simd_load

/* What ns_copy_rows uses */
func simd_clear_few
	each	zero_q, 0, 7
	ret
endfunc simd_clear_few

/* Clears the vectors whole: a write of Vn zeroes the rest of Zn (DDI 0487 B1.2.2). */
func simd_clear
	each	zero_q, 0, 31
	ret
endfunc simd_clear

/* void sve_save(void *z, void *p), void sve_load(const void *z, const void *p):
 * z: Z0-Z31, p: P0-P15 and FFR, each one vector or predicate apart */
func sve_save
	each	save_z, 0, 31
	each	save_p, 0, 15
	rdffr	p0.b
	str	p0, [x1, #16, mul vl]
	ret
endfunc sve_save

func sve_load
	ldr	p0, [x1, #16, mul vl]
	wrffr	p0.b
	each	load_z, 0, 31
	each	load_p, 0, 15
	ret
endfunc sve_load

/* unsigned sve_bytes(void): of a vector, now */
func sve_bytes
	rdvl	x0, #1
	ret
endfunc sve_bytes

func sve_clear
	each	zero_q, 0, 31
	each	zero_p, 0, 15
	wrffr	p0.b
	ret
endfunc sve_clear
