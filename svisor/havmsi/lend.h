/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LEND_H
#define LEND_H

#include "addr.h"

/* Of an N-VM's stage 2, where that is the S-visor's: a leaf of ordinary memory, aligned and of at
 * most a block. While it is lent, its chunk cannot be taken. False: not all of it is ordinary, or
 * its chunk is being taken. Take the ledger's lock. */
bool lend(pa_t at, uint64_t size);
void take_back(pa_t at, uint64_t size);

#endif
