/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of the bare N-visor use of each other. */
#ifndef SVISOR_NVISOR_H
#define SVISOR_NVISOR_H

#include <stdint.h>

#include <twinvisor/abi.h>

#include "ns.h"
#include "probe.h"

#define POOL 0x80000000
#define POOL_SIZE (8 * TV_CHUNK_SIZE)
#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

/* MRS and MSR of a system register, as op0 to op2 name it */
#define SYSREG(op0, op1, crn, crm, op2) \
	(((op0) & 1) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
#define SYSREGS (1 << 15)

/* nvisor.c */
/* The page shared with the S-visor: all of it is looked at. */
extern union shared {
	struct tv_run run;
	uint64_t words[TV_PAGE_SIZE / 8];
} shared;
#define page shared.run
extern uint64_t vm;
uint64_t call(uint64_t fid, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t *x1);
void must(uint64_t status, const char *what);
void say(const char *what, const char *name, uint64_t value);
void timer(uint64_t ticks);
void quiet(void);
uint64_t violations(void); /* the audit's */

/* hunt.c: for what the guest has planted, wherever the normal world can look */

/* Finds out which system registers there are. Before any guest runs. */
void hunt_begin(void);
int reg_exists(uint64_t reg);
uint64_t reg_read(uint64_t reg);
void reg_write(uint64_t reg, uint64_t value);
/* Each says what it finds, where, and whose it was; the number of finds. The first of all may
 * run into exceptions, which change ELR, SPSR, ESR and FAR of EL2. */
uint64_t hunt_sysregs(void);
uint64_t hunt_words(const char *where, const uint64_t *words, uint64_t n);
/* All of DRAM but this image and, from POOL to `secure_end`, what is Secure. */
uint64_t hunt_memory(uint64_t secure_end);

/* hostile.c */
void test_hostile_registers(void);
#endif
