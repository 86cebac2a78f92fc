/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LPIs (GICv3, IHI 0069). KVM's vITS reads two things in guest memory: the command queue and the
 * table of LPI properties. In an S-VM they are private. So the vITS is told of others, in bounce
 * memory, and before a write of a register that makes it read, what is new in the guest's is copied
 * there (I7).
 *
 * Where the registers are comes from the measured device tree; where the tables are, from the
 * guest's own writes to the registers. Nothing ever enters. All functions want the S-VM's lock.
 */
#ifndef ITS_H
#define ITS_H

#include "queue.h"

struct devtree;
struct dt_node;
enum write_fate;

/* A table in bounce memory; bytes 0: there is none. */
struct its_shadow {
	uint32_t at, bytes;
};

struct its {
	struct range its, rd;           /* windows, fixed at sealing: the ITS, the redistributors */
	uint64_t cbaser, propbaser;     /* as the guest wrote them */
	struct its_shadow queue, table; /* what the vITS has instead */
	uint64_t sent;                  /* commands up to here, as GITS_CWRITER counts, are there */
	bool enabled;                   /* GITS_CTLR.Enabled as the guest wrote it */
	bool due;                       /* commands that the vITS has not read yet */
};

/* Takes a window from its node. At sealing. */
void its_find(const struct devtree *dt, const struct dt_node *node);

/* Is the address in one of the windows? */
bool its_at(const struct vm *vm, uint64_t addr);
/* The guest's write there: what the N-visor is to see, when what it makes the vITS read is ready.
 */
enum write_fate its_write(struct vm *vm, uint64_t addr, unsigned bytes, uint64_t *value,
			  enum queue_need *need);
/* What the guest reads there, of what the N-visor gave. */
uint64_t its_read(const struct vm *vm, uint64_t addr, unsigned bytes, uint64_t value);

void its_drop(struct vm *vm, struct its_shadow *s);

#endif
