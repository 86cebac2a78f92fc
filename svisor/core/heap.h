/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pages of the S-visor's own memory: page records, shadow tables, vCPUs. At first what is left
 * of its image's memory; it grows by chunks of the pools, as the N-visor gives them.
 * A free page is zero; any other is on the record of a pool or an S-VM (TV_STATS adds them up).
 */
#ifndef HEAP_H
#define HEAP_H

#include "addr.h"

/* Takes over [base, base + size), page aligned. Once, at boot. */
void heap_init(pa_t base, uint64_t size);

/* Adds [base, base + size): page aligned, mapped, all zero. Takes the heap's lock. */
void heap_add(pa_t base, uint64_t size);

/* Takes back what heap_add was given at `base`, zero again. False: pages of it are in use.
 * Takes the heap's lock. */
bool heap_remove(pa_t base);

/* `pages` adjoining pages, all zero, or NULL if there are none; from the oldest part that has
 * them, so that the newest ones become free again. Takes the heap's lock. */
void *heap_alloc(size_t pages);

/* Zeroes and gives back what heap_alloc gave; nothing if `p` is NULL. Takes the heap's lock. */
void heap_free(void *p, size_t pages);

/* All pages, and those that are free now. False if the heap's lock cannot be had
 * before counter_now() is `deadline`. */
bool heap_count(uint64_t deadline, size_t *all, size_t *available);

/* Free pages now. Takes the heap's lock. */
size_t heap_available(void);

#endif
