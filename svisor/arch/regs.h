/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All register state of a vCPU that the S-visor keeps while the guest is out. It is
 * plain data, the same on both twins; only arch/ gives the system registers meaning.
 */
#ifndef REGS_H
#define REGS_H

#include <stdbool.h>
#include <stdint.h>

#include <twinvisor/abi.h>

/* Longest SVE vector kept, in bytes; ZCR_EL2 holds the guest to what its features say. */
#define SVE_MAX_BYTES (16 * TV_MAX_SVE)

/* EL1 and EL0 system registers saved and restored at every switch; X-macro so that the list
 * exists once. docs/registers.md has those that are not here, each with its reason. */
/* clang-format off */
#define GUEST_SYSREGS(X) \
	X(sctlr_el1) X(cpacr_el1) X(ttbr0_el1) X(ttbr1_el1) X(tcr_el1) X(mair_el1) \
	X(amair_el1) X(vbar_el1) X(contextidr_el1) X(esr_el1) X(afsr0_el1) X(afsr1_el1) \
	X(far_el1) X(par_el1) X(elr_el1) X(spsr_el1) X(sp_el0) X(sp_el1) X(tpidr_el0) \
	X(tpidrro_el0) X(tpidr_el1) X(csselr_el1) X(mdscr_el1) X(cntkctl_el1)
/* clang-format on */

struct guest_sysregs {
#define X(name) uint64_t name;
	GUEST_SYSREGS(X)
#undef X
};

#define DEBUG_MAX 16 /* breakpoints, and as many watchpoints */

struct guest_debug {
	uint64_t bvr[DEBUG_MAX], bcr[DEBUG_MAX];
	uint64_t wvr[DEBUG_MAX], wcr[DEBUG_MAX];
};

#define PMU_MAX 31 /* event counters */

struct guest_pmu {
	uint64_t pmcr, cnten, inten, ovs, selr, userenr, ccntr, ccfiltr;
	uint64_t evcntr[PMU_MAX], evtyper[PMU_MAX];
};

struct guest_regs {
	uint64_t x[31];
	uint64_t pc;
	uint64_t pstate;
	uint64_t mpidr;
	uint64_t features; /* TV_FEATURE_* */
	struct guest_sysregs sys;
	uint64_t pauth[10];  /* APIA, APIB, APDA, APDB, APGA: low, high */
	uint64_t vdisr;      /* DISR_EL1 as the guest sees it; with RAS */
	uint64_t debug_used; /* the guest's breakpoints are live: `debug` is switched too */
	struct guest_debug debug;
	uint64_t pmu_used; /* the guest's counters are live: `pmu` is switched too */
	uint64_t pmu_line; /* its overflow interrupt was asserted at the last exit */
	struct guest_pmu pmu;
	uint64_t traps; /* of an N-VM: more of HCR_EL2 */
	bool ordinary;  /* an N-VM's: what its debug and PMU registers are is KVM's to say */
	uint64_t zcr_el1;
	uint64_t fpcr, fpsr;
	uint8_t p[17][SVE_MAX_BYTES / 8]; /* P0-P15, FFR */
	uint8_t z[32][SVE_MAX_BYTES] __attribute__((aligned(16)));
};

#endif
