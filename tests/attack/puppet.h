/* SPDX-License-Identifier: BSD-3-Clause */
/* What the puppet (guest.S) and its host agree on. */
#ifndef PUPPET_H
#define PUPPET_H

#define RAM 0x40000000UL   /* an attack VM's RAM: CHUNK bytes from here */
#define SECOND (RAM + 4)   /* the puppet's entry that tells x0 */
#define SPINNING (RAM + 8) /* and one that never gets anywhere */
#define TAG 0xc6007476UL   /* what the puppet's HVC says */
#define TRAPPED (1UL << 63)

/* Commands of the puppet, in the order of its table. */
enum op {
	OP_READ,
	OP_WRITE,
	OP_CHECK,
	OP_WFI,
	OP_CALL,
	OP_WAIT,
	OP_TCR,
	OP_SCTLR,
	OP_VBAR,
	OP_PSTATE,
	OP_MPIDR,
	OP_COUNT,
	OP_SMC,
	OP_READ1,
	OP_SUM,
	OP_FILL,
	OP_SPIN,
	OP_TTBR0,
	OP_MAIR,
	OP_EXEC,
};

#endif
