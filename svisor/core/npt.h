/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The normal S2PT: KVM's stage-2 table for an S-VM, in ordinary memory, read as a request
 * and never walked by hardware for the S-VM (I3). It may change under our eyes.
 */
#ifndef NPT_H
#define NPT_H

#include "addr.h"

struct npt {
	uint64_t root;
	uint64_t bits;  /* of a guest address */
	uint64_t level; /* where the walk starts: 0 or 1 */
};

/* TV_OK, or TV_EINVAL: level and bits do not go together (DDI 0487 D8.2.2), or the root is
 * misaligned or not all in ordinary memory. */
int npt_check(const struct npt *n);

/* *page = what the table asks for at `ipa`, *size = bytes of the page or block that says so, in
 * which `ipa` and *page have the same offset. TV_ENOENT: nothing, or `ipa` has more bits;
 * TV_EDENIED: a table is not in ordinary memory. At most four reads; each descriptor is read once.
 * Says nothing about whether the page may be had. */
int npt_walk(const struct npt *n, ipa_t ipa, pa_t *page, uint64_t *size);

/* The same, and *rights = the leaf's attributes, as they are in the table. */
int npt_leaf(const struct npt *n, ipa_t ipa, pa_t *page, uint64_t *size, uint64_t *rights);

#endif
