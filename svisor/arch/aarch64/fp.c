// SPDX-License-Identifier: BSD-3-Clause
/*
 * FP, SIMD and SVE of a guest. Till it uses them it has none: they trap, and hold what the N-visor
 * has left there. From then on they are its own, till it leaves; after that, zero.
 */
#include "arch.h"
#include "esr.h"
#include "has.h"
#include "guest.h"
#include "sysreg.h"

/* fp.S */
void simd_save(void *q);
void simd_load(const void *q);
void simd_clear(void);
void sve_save(void *z, void *p);
void sve_load(const void *z, const void *p);
void sve_clear(void);
unsigned sve_bytes(void);

/* ZCR_EL2 is one register for both worlds, and Linux's own vector length (as ZCR_EL1, under
 * VHE): it is lent to the guest, whose vectors are kept to what it has room for. */
static uint64_t normal_zcr[TV_MAX_CPUS];

static void zcr_lend(unsigned length)
{
	normal_zcr[cpu_index()] = read_sysreg(ZCR_EL2);
	write_sysreg(ZCR_EL2, length - 1);
	isb();
}

static void zcr_return(void)
{
	write_sysreg(ZCR_EL2, normal_zcr[cpu_index()]);
	isb();
}

unsigned sve_length(unsigned most)
{
	unsigned length;

	if (!cpu_has.sve)
		return 0;
	zcr_lend(most);
	length = sve_bytes() / 16;
	zcr_return();
	return length;
}

/* CPTR_EL2 of a caller that runs no vCPU */
static uint64_t normal_cptr[TV_MAX_CPUS];

void vectors_begin(void)
{
	normal_cptr[cpu_index()] = read_sysreg(cptr_el2);
	guest_vectors_on();
}

void vectors_end(void)
{
	simd_clear();
	write_sysreg(cptr_el2, normal_cptr[cpu_index()]);
}

bool fp_wanted(const struct guest_regs *regs, uint64_t esr)
{
	return ESR_EC(esr) == EC_FP || (ESR_EC(esr) == EC_SVE && regs->features & TV_FEATURE_SVE);
}

void fp_load(const struct guest_regs *regs)
{
	unsigned length = regs->features & TV_FEATURE_SVE;

	guest_fp(true, length);
	isb();
	if (length) {
		zcr_lend(length);
		sve_load(regs->z, regs->p);
		write_sysreg(ZCR_EL1, regs->zcr_el1);
	} else {
		simd_load(regs->z);
	}
	write_sysreg(fpcr, regs->fpcr);
	write_sysreg(fpsr, regs->fpsr);
}

void fp_save(struct guest_regs *regs)
{
	unsigned length = regs->features & TV_FEATURE_SVE;

	guest_fp(true, true);
	isb();
	regs->fpcr = read_sysreg(fpcr);
	regs->fpsr = read_sysreg(fpsr);
	if (length) {
		regs->zcr_el1 = read_sysreg(ZCR_EL1);
		sve_save(regs->z, regs->p);
	} else {
		simd_save(regs->z);
	}
	if (cpu_has.sve) {
		sve_clear();
		write_sysreg(ZCR_EL1, 0);
	} else {
		simd_clear();
	}
	if (length)
		zcr_return();
	write_sysreg(fpcr, 0);
	write_sysreg(fpsr, 0);
}
