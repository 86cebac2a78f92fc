/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pages of the S-visor's own memory, Secure since reset: page records, shadow tables, vCPUs.
 * A free page is zero; any other is on the record of a pool or an S-VM (TV_STATS adds them up).
 */
#ifndef HEAP_H
#define HEAP_H

#include "addr.h"

/* Takes over [base, base + size), page aligned. Once, at boot. */
void heap_init(pa_t base, uint64_t size);

/* `pages` adjoining pages, all zero, or NULL if there are none. Takes the heap's lock. */
void *heap_alloc(size_t pages);

/* Zeroes and gives back what heap_alloc gave; nothing if `p` is NULL. Takes the heap's lock. */
void heap_free(void *p, size_t pages);

/* All pages, and those that are free now. False if the heap's lock cannot be had
 * before counter_now() is `deadline`. */
bool heap_count(uint64_t deadline, size_t *all, size_t *available);

/* Free pages now. Takes the heap's lock. */
size_t heap_available(void);

#endif
