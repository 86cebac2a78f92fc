/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shadow S2PT, which the hardware walks for an S-VM (I3). All functions want the S-VM's
 * lock, and take the heap's. Leaves are 4 KiB pages.
 */
#ifndef S2PT_H
#define S2PT_H

#include "addr.h"

struct s2pt {
	uint64_t *root; /* level 0; NULL before s2_init and after s2_free */
	size_t tables;  /* pages of the heap */
};

/* An empty table. TV_ENOMEM. */
int s2_init(struct s2pt *s);

/* Makes the tables that a mapping at `ipa` needs. TV_EDENIED: it is mapped; TV_ENOMEM. */
int s2_prepare(struct s2pt *s, ipa_t ipa);

/* Maps one page: Normal memory, all access. s2_prepare said TV_OK, so it cannot fail. Nothing
 * was there, so no TLB holds a translation. */
void s2_map(struct s2pt *s, ipa_t ipa, pa_t page);

/* The same, to be read only: no writes, no instruction fetches. */
void s2_map_shown(struct s2pt *s, ipa_t ipa, pa_t page);

/* *page = what is mapped at `ipa`; false if nothing is. */
bool s2_lookup(const struct s2pt *s, ipa_t ipa, pa_t *page);

/* Leaves in the whole table. */
size_t s2_count(const struct s2pt *s);

/* Nothing is mapped any more, in one step a table entry; TLBs are the caller's. The tables below
 * the root are lost: for the end of everything. */
void s2_empty(struct s2pt *s);

/* Frees all tables; no vCPU runs, and the TLBs have forgotten the VMID. */
void s2_free(struct s2pt *s);

#endif
