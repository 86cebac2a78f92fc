/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The page that each CPU shares with the N-visor. Used only by its own CPU: no lock.
 */
#ifndef SHARE_H
#define SHARE_H

#include "addr.h"

/* TV_CPU_SHARE of the calling CPU. Takes the ledger's lock. */
int share_set(pa_t page);

/* The page, or NULL: none is set. Accesses do not fail, as it stays ordinary memory. The N-visor
 * may change it at any time: what is read is read once. */
volatile struct tv_run *share_page(void);
/* Copies `size` bytes, at most TV_RUN_DATA_SIZE, of TV_RUN_DATA of the page in, once, or out.
 * False: none is set. */
bool share_read_data(void *to, size_t size);
bool share_write_data(const void *from, size_t size);

#endif
