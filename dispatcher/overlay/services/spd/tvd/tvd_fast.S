/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fast world switch: straight from the vector, for calls and their ends. It
 * switches what both hypervisors run on, and leaves all else in place: the S-visor
 * checks, sets and gives back what governs its guests (docs/registers.md).
 *
 * On entry SP is the context of the world that calls; that of the other one is in
 * the CPU's data. Of a struct tvd_cpu, the Secure context comes right behind struct
 * tvd_fast, whose offsets are negative here.
 */
#include <arch.h>
#include <asm_macros.S>
#include <context.h>
#include <lib/el3_runtime/cpu_data.h>

#include "tvd_private.h"

	.globl	spd_fast_smc

#define SECURE_CONTEXT 0
#define NORMAL_CONTEXT 8

	/* x5, x6 are lost. In the order of struct tvd_el2. */
	.macro	save_el2 base, at
	mrs	x5, sctlr_el2
	mrs	x6, tcr_el2
	stp	x5, x6, [\base, #\at]
	mrs	x5, ttbr0_el2
	mrs	x6, mair_el2
	stp	x5, x6, [\base, #\at + 0x10]
	mrs	x5, amair_el2
	mrs	x6, vbar_el2
	stp	x5, x6, [\base, #\at + 0x20]
	mrs	x5, hcr_el2
	mrs	x6, tpidr_el2
	stp	x5, x6, [\base, #\at + 0x30]
	mrs	x5, sp_el2
	str	x5, [\base, #\at + 0x40]
	mrs	x5, elr_el3
	mrs	x6, spsr_el3
	stp	x5, x6, [\base, #\at + 0x50]
	.endm

	.macro	load_el2 base, at
	ldp	x5, x6, [\base, #\at]
	msr	sctlr_el2, x5
	msr	tcr_el2, x6
	ldp	x5, x6, [\base, #\at + 0x10]
	msr	ttbr0_el2, x5
	msr	mair_el2, x6
	ldp	x5, x6, [\base, #\at + 0x20]
	msr	amair_el2, x5
	msr	vbar_el2, x6
	ldp	x5, x6, [\base, #\at + 0x30]
	msr	hcr_el2, x5
	msr	tpidr_el2, x6
	ldp	x5, x6, [\base, #\at + 0x40]
	msr	sp_el2, x5
	msr	cptr_el3, x6
	ldp	x5, x6, [\base, #\at + 0x50]
	msr	elr_el3, x5
	msr	spsr_el3, x6
	.endm

	/* \flags: a W register */
	.macro	load_mpam base, at, flags
	tbz	\flags, #TVD_FLAG_MPAM, 5f
	ldr	x5, [\base, #\at + 0x60]
	msr	MPAM3_EL3, x5
5:
	.endm

	/* From the context at SP: the rights of that world. */
	.macro	load_rights
	ldr	x5, [sp, #CTX_EL3STATE_OFFSET + CTX_SCR_EL3]
	ldr	x6, [sp, #CTX_EL3STATE_OFFSET + CTX_MDCR_EL3]
	msr	scr_el3, x5
	msr	mdcr_el3, x6
	.endm

/* x30 is saved in the context, and free as the flags are; x5-x17 of calls are, too. */
func spd_fast_smc
	mov	w30, #TV_SMC(0)
	sub	w30, w0, w30
	cmp	w30, #TV_CALLS
	b.hs	fast_return
	mrs	x30, scr_el3
	tbz	x30, #TVD_SCR_NS, sync_handler64
	mrs	x30, tpidr_el3
	ldr	x30, [x30, #SECURE_CONTEXT]
	cbz	x30, sync_handler64
	ldp	w5, w7, [x30, #TVD_FAST_STATE]
	cmp	w5, #TVD_IDLE
	ccmp	w7, wzr, #4, eq
	b.eq	sync_handler64

	mov	w5, #TVD_CALL
	str	w5, [x30, #TVD_FAST_STATE]
	save_el2 x30, TVD_FAST_NORMAL
	mov	sp, x30
	load_el2 x30, TVD_FAST_SVISOR
	load_mpam x30, TVD_FAST_SVISOR, w7
	load_rights
	exception_return

fast_return:
	cmp	w30, #(TV_SVISOR_RETURN - TV_SMC(0))
	b.ne	sync_handler64
	mrs	x30, scr_el3
	tbnz	x30, #TVD_SCR_NS, sync_handler64
	mov	x30, sp
	ldp	w6, w7, [x30, #TVD_FAST_STATE]
	cmp	w6, #TVD_CALL
	ccmp	w7, wzr, #4, eq
	b.eq	sync_handler64

	mov	x0, x5
	mov	w6, #TVD_IDLE
	str	w6, [x30, #TVD_FAST_STATE]
	load_el2 x30, TVD_FAST_NORMAL
	load_mpam x30, TVD_FAST_NORMAL, w7
	mrs	x5, tpidr_el3
	ldr	x5, [x5, #NORMAL_CONTEXT]
	mov	sp, x5
	load_rights
	ldr	x30, [sp, #CTX_GPREGS_OFFSET + CTX_GPREG_LR]
	exception_return
endfunc spd_fast_smc
