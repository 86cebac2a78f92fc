/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TV_AUDIT: does the S-visor's state keep I1, I2 and I9? TV_STATS: how much of all is in use?
 */
#ifndef AUDIT_H
#define AUDIT_H

#include "addr.h"

struct audit {
	uint64_t violations, chunks, vms;
};

/* TV_EBUSY if a vCPU runs. Takes all locks down to the ledger's. Time is bounded by the Secure
 * memory there is: one lookup a page, and for FREE chunks one word a page, another one each
 * time. */
int audit_run(struct audit *a);

/* All of one moment. Pages are the heap's; `recorded` are those that pools, and S-VMs that are
 * not yet dying, say that they have: with `available` it makes `pages`, or some are lost. */
struct stats {
	uint64_t vms, owned, secure, heap_chunks;
	uint64_t recorded;
	size_t pages, available;
};

/* TV_EBUSY: a lock could not be had for seconds. Holds all VMs' locks and the ledger's for a
 * moment, vCPUs may run. */
int stats_run(struct stats *s);

#endif
