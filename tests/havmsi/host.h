/* SPDX-License-Identifier: BSD-3-Clause */
/* A bare host at EL1 that trusts nobody: what its parts use of each other. */
#ifndef HAVMSI_HOST_H
#define HAVMSI_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include <twinvisor/abi.h>

#include "ns.h"

#define PAGE 4096UL
#define BLOCK 0x200000UL
#define GIB (1UL << 30)
#define CHUNK ((uint64_t)TV_CHUNK_SIZE)
#define SVISOR_SIZE 0x1000000UL /* from SVISOR on, which the driver names */
#define POOL 0x80000000UL
#define POOL_SIZE (8 * CHUNK)
#define RAM_END 0x100000000UL
#define UART 0x09000000UL

#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

#define PSCI_CPU_SUSPEND 0xc4000001
#define PSCI_CPU_OFF 0x84000002
#define PSCI_CPU_ON 0xc4000003
#define PSCI_CPU_ON_32 0x84000003
#define PSCI_AFFINITY_INFO 0xc4000004
#define PSCI_SYSTEM_OFF 0x84000008
#define PSCI_INVALID -2
#define PSCI_ALREADY_ON -4

/* MRS and MSR of a system register, SYSL and SYS, as op0 to op2 name it */
#define SYSREG(op0, op1, crn, crm, op2) \
	((uint32_t)(op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

#define EC(esr) ((esr) >> 26 & 0x3f)
#define EC_UNKNOWN 0x00
#define EC_WFX 0x01
#define EC_ILLEGAL 0x0e
#define EC_HVC 0x16
#define EC_SYSREG 0x18
#define EC_IABT_GUEST 0x20
#define EC_IABT 0x21
#define EC_DABT_GUEST 0x24
#define EC_DABT 0x25
#define ESR_IL (1UL << 25)
#define ESR_CM (1UL << 8)
#define ESR_WNR (1UL << 6)
#define FSC(esr) ((esr) & 0x3f)
#define FSC_EXTERNAL 0x10
#define FSC_EXTERNAL_WALK 0x14 /* and the level */
#define FSC_TRANSLATION 0x04   /* and the level */
#define FSC_PERMISSION 0x0c    /* and the level */
#define VECTOR_SYNC 4          /* same EL, SP_EL1 */

/* ---- start.S, hvc.S, probes.S ---------------------------------------------------- */

/* How each CPU was entered last, and how often. */
struct entered {
	uint64_t x[4], el, sctlr, daif, times;
};
extern volatile struct entered entered[CPUS];

void _start(void);

/* Calls it: 0, and its result in value; or 1, and the exception that ended it. */
struct caught {
	uint64_t value, esr, far, elr, spsr, vector;
};
int attempt(struct caught *c, const void *function, ...);

void hvc(uint64_t regs[GPRS]);

/* ---- host.c ---------------------------------------------------------------------- */

uint64_t call(uint64_t fid, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t *x1);
void must(uint64_t status, const char *what);
void say(const char *name, uint64_t value);
/* A line of TAP */
void ok(bool good, const char *name);
void result(bool good, const char *a, const char *b, const char *c);
/* The audit finds nothing */
void audit(const char *group);

uint64_t this_cpu(void);
/* What CNTVCT_EL0 is behind CNTPCT_EL0, and a little more */
uint64_t counter_offset(void);
/* Turns them on, as host.c's own; off again. */
int64_t turn_on(uint64_t call, uint64_t cpu, uint64_t context);
bool is_off(uint64_t cpu);
void turn_off(uint64_t cpu);
/* Has another CPU call function(arg): starts that; waits till it is over, and gives its result. */
void begin_on(uint64_t cpu, uint64_t (*function)(uint64_t arg), uint64_t arg);
uint64_t end_on(uint64_t cpu);
/* On all CPUs, this one first: the sum of results */
uint64_t on_each(uint64_t (*function)(uint64_t arg), uint64_t arg);

/* The calling CPU's interrupts: of its timer, in so many ticks, and of others' kick(). They are
 * taken by nobody here; quiet() ends them. */
void interrupts_on(void);
void timer(uint64_t ticks);
void kick(uint64_t cpu);
void quiet(void);

/* memory.c: fw_cfg's DMA of some bytes to there; 0, or what the device says of an error. */
uint32_t device_writes(uint64_t address);

/* Code of one instruction, made by number */
const void *code_of(uint32_t instruction);
int reg_read(uint32_t reg, uint64_t *value);

/* ---- the groups ------------------------------------------------------------------- */

void test_level(void);
void test_memory(void);
void test_ordinary(void);
void test_svms(void);
#endif
