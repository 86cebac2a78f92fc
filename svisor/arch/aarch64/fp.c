// SPDX-License-Identifier: BSD-3-Clause
/*
 * FP, SIMD and SVE of a guest: its own while it runs, zero before and after.
 */
#include "arch.h"
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

static bool has_sve(void)
{
	return id_field(id_aa64pfr0_el1, 32);
}

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

	if (!has_sve())
		return 0;
	zcr_lend(most);
	length = sve_bytes() / 16;
	zcr_return();
	return length;
}

void fp_load(const struct guest_regs *regs)
{
	unsigned length = regs->features & TV_FEATURE_SVE;

	guest_streaming_off();
	if (length) {
		zcr_lend(length);
		sve_load(regs->z, regs->p);
		write_sysreg(ZCR_EL1, regs->zcr_el1);
	} else {
		simd_load(regs->z);
	}
	guest_sve(length);
	write_sysreg(fpcr, regs->fpcr);
	write_sysreg(fpsr, regs->fpsr);
}

void fp_save(struct guest_regs *regs)
{
	unsigned length = regs->features & TV_FEATURE_SVE;

	guest_sve(true);
	isb();
	regs->fpcr = read_sysreg(fpcr);
	regs->fpsr = read_sysreg(fpsr);
	if (length) {
		regs->zcr_el1 = read_sysreg(ZCR_EL1);
		sve_save(regs->z, regs->p);
	} else {
		simd_save(regs->z);
	}
	if (has_sve()) {
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
