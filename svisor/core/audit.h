/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TV_AUDIT: does the S-visor's state keep I1, I2 and I9?
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

#endif
