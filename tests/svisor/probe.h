/* SPDX-License-Identifier: BSD-3-Clause */
/* What the two halves of the probe agree on: an N-visor of a few hundred lines at Non-secure
 * EL2, and the guest that it starts as an S-VM. */
#ifndef SVISOR_PROBE_H
#define SVISOR_PROBE_H

/* The guest's memory: RAM_SIZE bytes at RAM, of which its image fills the start. */
#define RAM 0x40000000
#define RAM_SIZE 0x800000
#define SECOND (RAM + 4)      /* where the second vCPU starts */
#define THIRD (RAM + 8)       /* where other S-VMs start, to try their vectors */
#define FRESH_PAGE 0x40400000 /* not loaded: the first access faults */
#define DEVICE 0x09000000

/*
 * What the guest keeps in its registers: each half names itself as a secret, so that what is
 * left of one in a register of 32 bits, or in memory, is still told for what it is, with its
 * class and number.
 */
#define SECRET_MARK 0x5ec7a000
#define SECRET(class, n) (0x5ec7a0005ec7a000 + ((class) << 8 | (n)) * 0x100000001)
#define SECRET_X 0
#define SECRET_SYSREG 1 /* n: in GUEST_REGS, then SWITCHED_REGS, plus the exit's number */
#define SECRET_VECTOR 2

/* What is in x<n> when the guest leaves, unless the exit needs something else there. */
#define GUEST_X(n) SECRET(SECRET_X, n)
/* What the N-visor answers in x<n>, and has there itself. */
#define HOST_X(n) (0xa5a500007e57fe00 + (n))

/* x0 of a guest's HVC that tells the outcome: x1 = exit, x2 = what changed, x3 = detail */
#define TAG 0xc6007476

/* The kinds of exits, in the order in which the guest makes them. */
#define KIND_HVC 0
#define KIND_SMC 1
#define KIND_WFI 2
#define KIND_MMIO_READ 3
#define KIND_MMIO_WRITE 4
#define KIND_FAULT 5
#define KIND_SYSREG_READ 6
#define KIND_SYSREG_WRITE 7
#define KIND_IRQ 8
#define KINDS 9
#define KIND_OFF 9         /* an exit too, and the guest's last */
#define KIND_BREAKPOINT 10 /* not an exit: the guest's own breakpoint fires */
#define KIND_NS 11         /* an access by NS = 1 is aborted */
#define KIND_TRAP 12       /* an exception that the guest does not expect */
#define KIND_ID 13         /* x2: which ID register, x3: what the guest reads there */
#define KIND_WORK 14       /* a round of work, till x0 of the answer is ENOUGH */
#define KIND_SHOWN 16      /* the page of stolen time can be read, not written */
#define KIND_LENGTH 15     /* x2: bytes of a vector, x3: Undefined exceptions */
#define KIND_COUNT 16      /* the guest counts cycles; what the N-visor does meanwhile is none */
#define KIND_OVERFLOW 17   /* its counter has overflowed */
#define KIND_QUIET 18      /* it has seen to that */

#define ENOUGH 0xe0e0

#define CPU_OFF 0x84000002

/* Bits of x2 of a report */
#define CHANGED_X 1
#define CHANGED_SYSREG 2
#define CHANGED_VECTOR 4
#define CHANGED_OTHER 8

#define SPINS (1 << 26) /* enough for a late timer of a busy emulator */
#define PAUSE 1         /* second that the N-visor takes over KIND_COUNT */

#define VECTOR_MAX 256 /* bytes */

#ifndef __ASSEMBLER__
#include <stdint.h>

/* Z0-Z31, then P0-P15 and FFR, each as long as the vector length says. */
struct vectors {
	uint8_t z[32 * VECTOR_MAX];
	uint8_t p[17 * VECTOR_MAX / 8];
};

/* vectors.S */
void vectors_load(const struct vectors *v);
void vectors_store(struct vectors *v);
uint64_t vector_length(void);

struct reg {
	const char *name;
	uint64_t (*read)(void);
	void (*write)(uint64_t value);
};

/* Functions and a table's line for a register; `as` is what the assembler calls it. */
#define REG_FUNCTIONS(name, as) \
	static uint64_t read_##name(void) \
	{ \
		uint64_t v_; \
		__asm__ volatile("mrs %0, " as : "=r"(v_)); \
		return v_; \
	} \
	static void write_##name(uint64_t v_) \
	{ \
		__asm__ volatile("msr " as ", %0\n\tisb" ::"r"(v_)); \
	}
#define REG_LINE(name, as) {#name, read_##name, write_##name},

/* ID registers 3, 0, C0, C1 to C7, 0 to 7: 8 * CRm + Op2 */
#define ID_FIRST 8
#define ID_END 64
#define ID_CASE(crm, op2) \
	case 8 * crm + op2: \
		__asm__ volatile("mrs %0, s3_0_c0_c" #crm "_" #op2 : "=r"(v)); \
		break;
#define ID_CASES(crm) \
	ID_CASE(crm, 0) \
	ID_CASE(crm, 1) \
	ID_CASE(crm, 2) \
	ID_CASE(crm, 3) ID_CASE(crm, 4) ID_CASE(crm, 5) ID_CASE(crm, 6) ID_CASE(crm, 7)

static inline uint64_t read_id(uint64_t reg)
{
	uint64_t v = 0;

	switch (reg) {
		ID_CASES(1) ID_CASES(2) ID_CASES(3) ID_CASES(4) ID_CASES(5) ID_CASES(6) ID_CASES(7)
	}
	return v;
}

/* clang-format off */
/* EL1 and EL0 registers that are the guest's alone: 0 for the N-visor. */
#define GUEST_REGS(X) \
	X(ttbr1_el1, "ttbr1_el1") X(amair_el1, "amair_el1") X(contextidr_el1, "contextidr_el1") \
	X(esr_el1, "esr_el1") X(afsr0_el1, "afsr0_el1") X(afsr1_el1, "afsr1_el1") \
	X(far_el1, "far_el1") X(par_el1, "par_el1") X(elr_el1, "elr_el1") \
	X(spsr_el1, "spsr_el1") X(tpidr_el0, "tpidr_el0") X(tpidrro_el0, "tpidrro_el0") \
	X(tpidr_el1, "tpidr_el1") X(csselr_el1, "csselr_el1") X(cntkctl_el1, "cntkctl_el1") \
	X(apiakeylo_el1, "s3_0_c2_c1_0") X(apiakeyhi_el1, "s3_0_c2_c1_1") \
	X(apibkeylo_el1, "s3_0_c2_c1_2") X(apibkeyhi_el1, "s3_0_c2_c1_3") \
	X(apdakeylo_el1, "s3_0_c2_c2_0") X(apdakeyhi_el1, "s3_0_c2_c2_1") \
	X(apdbkeylo_el1, "s3_0_c2_c2_2") X(apdbkeyhi_el1, "s3_0_c2_c2_3") \
	X(apgakeylo_el1, "s3_0_c2_c3_0") X(apgakeyhi_el1, "s3_0_c2_c3_1") \
	X(fpcr, "fpcr") X(fpsr, "fpsr") X(sp_el0, "sp_el0")
/* The same, but the guest needs what it has there. */
#define GUEST_LIVE_REGS(X) \
	X(cpacr_el1, "cpacr_el1") X(ttbr0_el1, "ttbr0_el1") X(tcr_el1, "tcr_el1") \
	X(mair_el1, "mair_el1") X(vbar_el1, "vbar_el1")
/* Both have them, and neither sees the other's. */
#define SWITCHED_REGS(X) \
	X(mdscr_el1, "mdscr_el1") X(dbgbvr0, "dbgbvr0_el1") \
	X(dbgbvr1, "dbgbvr1_el1") X(dbgbvr5, "dbgbvr5_el1") X(dbgbcr0, "dbgbcr0_el1") \
	X(dbgbcr1, "dbgbcr1_el1") X(dbgbcr5, "dbgbcr5_el1") X(dbgwvr0, "dbgwvr0_el1") \
	X(dbgwvr3, "dbgwvr3_el1") X(dbgwcr0, "dbgwcr0_el1") X(dbgwcr3, "dbgwcr3_el1")
/* As much of the PMU; of the registers of bits, writing sets. */
#define PMU_REGS(X) \
	X(pmevtyper0, "pmevtyper0_el0") X(pmevtyper2, "pmevtyper2_el0") \
	X(pmevtyper5, "pmevtyper5_el0") X(pmccfiltr, "pmccfiltr_el0") \
	X(pmevcntr0, "pmevcntr0_el0") X(pmevcntr2, "pmevcntr2_el0") \
	X(pmevcntr5, "pmevcntr5_el0") X(pmccntr, "pmccntr_el0") \
	X(pmselr, "pmselr_el0") X(pmuserenr, "pmuserenr_el0") X(pmcntenset, "pmcntenset_el0") \
	X(pmintenset, "pmintenset_el1") X(pmovsset, "pmovsset_el0") X(pmcr, "pmcr_el0")
/* clang-format on */
#endif

#endif
