/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage 2 of others than S-VMs, over the same tables: leaves have rights, and a size of 4 KiB, 2
 * MiB or 1 GiB. Locks are as for s2pt.h.
 */
#ifndef LEAVES_H
#define LEAVES_H

#include "s2pt.h"

/* Rights of a leaf (DDI 0487 D8.3.1.2) */
#define S2_READ (1ULL << 6)
#define S2_WRITE (1ULL << 7)
#define S2_INNER (3ULL << 8) /* shareable */
#define S2_AF (1ULL << 10)
#define S2_XN (3ULL << 53)
#define S2_RIGHTS (S2_XN | 0x7fcULL) /* with MemAttr */

/* Makes the tables that a leaf of that level, 1 to 3, needs at `ipa`. TV_ENOHEAP. */
int s2_reserve(struct s2pt *s, ipa_t ipa, unsigned level);

/* Maps a leaf of that level; `ipa` and `at` are aligned to it. TV_EDENIED: some of it is mapped to
 * something else; TV_ENOHEAP. */
int s2_put(struct s2pt *s, ipa_t ipa, pa_t at, unsigned level, uint64_t rights);

/* Takes out all leaves that map any of [from, to); when no TLB holds them any more, each goes to
 * gone(). How many there were. */
size_t s2_remove(struct s2pt *s, ipa_t from, ipa_t to, void (*gone)(pa_t at, uint64_t size));

/* Calls fn() for each leaf. */
void s2_each(struct s2pt *s, void (*fn)(pa_t at, uint64_t size));

#endif
