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

static bool has_sve(void)
{
	return id_field(id_aa64pfr0_el1, 32);
}

/* ZCR_EL2 is one register for both worlds, and Linux's own vector length (as ZCR_EL1, under
 * VHE): it is lent to the guest, whose vectors are kept to the room there is for them. */
static uint64_t normal_zcr[TV_MAX_CPUS];

static void zcr_lend(void)
{
	normal_zcr[cpu_index()] = read_sysreg(ZCR_EL2);
	write_sysreg(ZCR_EL2, SVE_MAX_BYTES / 16 - 1);
	isb();
}

void fp_load(const struct guest_regs *regs)
{
	guest_streaming_off();
	if (has_sve()) {
		zcr_lend();
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
	regs->fpcr = read_sysreg(fpcr);
	regs->fpsr = read_sysreg(fpsr);
	if (has_sve()) {
		regs->zcr_el1 = read_sysreg(ZCR_EL1);
		sve_save(regs->z, regs->p);
		sve_clear();
		write_sysreg(ZCR_EL1, 0);
		write_sysreg(ZCR_EL2, normal_zcr[cpu_index()]);
	} else {
		simd_save(regs->z);
		simd_clear();
	}
	write_sysreg(fpcr, 0);
	write_sysreg(fpsr, 0);
}
