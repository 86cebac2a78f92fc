/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LPIs (GICv3, IHI 0069). KVM's vITS reads two things in guest memory: the command queue and the
 * table of LPI properties. In an S-VM they are private. So before the guest's write of a register
 * that makes the vITS read is shown as MMIO, what is new in both leaves by TV_EXIT_COPY, for the
 * N-visor to write it where the vITS will look: into the shared view at the same address (I7).
 *
 * Where the registers are comes from the measured device tree; where the tables are, from the
 * guest's own writes to the registers. Nothing ever enters.
 */
#ifndef ITS_H
#define ITS_H

#include "addr.h"

struct vm;
struct vcpu;
struct devtree;
struct dt_node;

#define ITS_PIECES 28 /* TV_RUN_DATA_SIZE each: properties of LPIs 8192 to 65535, a byte each */

/* `its`, `rd`: fixed when the S-VM is sealed. All else is guarded by its lock. */
struct its {
	struct range its, rd;       /* windows: the ITS, the redistributors; size 0: none */
	uint64_t cbaser, propbaser; /* as the guest wrote them */
	uint64_t sent;              /* commands up to here, as GITS_CWRITER counts, have left */
	bool enabled;               /* GITS_CTLR.Enabled as the guest wrote it */
	bool due;                   /* commands have left that the vITS has not read yet */
	unsigned owner;             /* index + 1 of the vCPU whose write waits for copies, or 0 */
	unsigned at;                /* ... and the piece of properties that it looks at next */
	uint64_t sum[ITS_PIECES];   /* of the properties that have left; 0: none have */
};

/* Takes a window from its node. At sealing; the S-VM's lock is held. */
void its_find(const struct devtree *dt, const struct dt_node *node);

/* What the access to a device, a write of v->shown or a read, is to be shown as: TV_EXIT_MMIO; or
 * TV_EXIT_COPY first, after which it is asked about again; or TV_EXIT_IRQ, that is to be tried
 * again, as another vCPU is copying. The S-VM's lock is held. */
uint64_t its_access(struct vm *vm, struct vcpu *v, uint64_t addr, bool write, unsigned bytes);

#endif
