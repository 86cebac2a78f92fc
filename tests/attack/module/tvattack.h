/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The powers of a hostile host kernel, for the attack tests. One batch is one
 * uninterrupted stretch on the calling CPU: share a struct tv_run, change EL2
 * registers, make SMCs, put everything back.
 */
#ifndef TVATTACK_H
#define TVATTACK_H

#include <linux/ioctl.h>
#include <linux/types.h> /* uint64_t: in the kernel; from the includer elsewhere */
#include <twinvisor/abi.h>

#define TVA_CALLS 8
#define TVA_REGS 8

struct tva_call {
	uint64_t x[8];    /* arguments, x0-x7 */
	uint64_t r[5];    /* results, x0-x4 */
	uint64_t changed; /* bit n: xn, which the call must keep, was changed */
};

enum tva_reg_id {
	TVA_ELR_EL2,
	TVA_SPSR_EL2,
	TVA_HCR_EL2,
	TVA_VTTBR_EL2,
	TVA_VTCR_EL2,
	TVA_TCR_EL1,
	TVA_SCTLR_EL1,
	TVA_TTBR0_EL1,
	TVA_VBAR_EL1,
	TVA_MAIR_EL1,
	TVA_MDCR_EL2,
	TVA_HSTR_EL2,
	TVA_VMPIDR_EL2,
	TVA_VPIDR_EL2,
	TVA_CNTVOFF_EL2,
	TVA_ICH_HCR_EL2,
	TVA_ICH_VMCR_EL2,
	TVA_ICH_AP1R0_EL2,
	TVA_ICH_LR0_EL2,
	TVA_ICH_LR1_EL2,
	TVA_CPTR_EL2,
	TVA_CNTHCTL_EL2,
	TVA_CNTKCTL_EL1,
	TVA_PMUSERENR_EL0,
	TVA_ZCR_EL2,
	TVA_VSESR_EL2,
	TVA_REG_IDS
};

/* Those that a host at EL1 has too: by the shared page, or because they are EL1's and of no use to
 * the kernel. (That it has no others is a test of its own.) */
#define TVA_HOSTED(id) \
	(((id) >= TVA_ICH_HCR_EL2 && (id) <= TVA_ICH_LR1_EL2) || (id) == TVA_CNTKCTL_EL1 || \
	 (id) == TVA_PMUSERENR_EL0)

struct tva_reg {
	uint64_t id;
	uint64_t value;
};

#define TVA_OWN_SHARE 1 /* name the module's shared page before, the kernel's after */

struct tva_batch {
	uint64_t flags;
	uint64_t ncalls, nregs;
	struct tva_call call[TVA_CALLS];
	struct tva_reg reg[TVA_REGS];
	struct tv_run run; /* struct tv_run: in before the calls, out after */
	uint8_t data[TV_RUN_DATA_SIZE]; /* TV_RUN_DATA, the same */
};

/* Contiguous memory, the same for all who ask: its lower half is a pool of Split CMA. */
struct tva_pool {
	uint64_t base, size;    /* in: size; out: both. mmap offset = base */
	uint64_t status, index; /* out: what TV_POOL_ADD said */
};

#define TVA_BATCH _IOWR('a', 0, struct tva_batch)
#define TVA_POOL _IOWR('a', 1, struct tva_pool)

#endif
