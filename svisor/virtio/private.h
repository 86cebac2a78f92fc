/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest's memory, as a device of its would reach it: RAM that is mapped, and nothing else. All
 * functions want the S-VM's lock; the guest may write the same bytes at any time.
 */
#ifndef PRIVATE_H
#define PRIVATE_H

#include "addr.h"

struct vm;

#define NEAR 32 /* a power of two */

/* Where blocks and pages are that were looked for before, till anything at all is unmapped. */
struct near {
	uint64_t unmapped; /* s2pt.unmapped then */
	struct near_leaf {
		uint64_t ipa; /* of its start, plus 1; 0: none */
		uint8_t *at;
	} block[NEAR], page[NEAR];
};

/* The memory at `ipa`, in a row for *got bytes, 1 to `size`. NULL: it is not mapped, or no RAM. */
void *private_ptr(struct vm *vm, uint64_t ipa, size_t size, size_t *got);

/* False: not all of it is mapped RAM; some of it may have been written then. */
bool private_read(struct vm *vm, uint64_t ipa, void *to, size_t size);
bool private_write(struct vm *vm, uint64_t ipa, const void *from, size_t size);

/* Copies between it and the S-VM's bounce memory. False: there is none such, as above; but what is
 * no longer mapped when bytes come in is the guest's affair, which gave it back. */
bool private_to_bounce(struct vm *vm, uint64_t ipa, uint32_t at, size_t size);
bool bounce_to_private(struct vm *vm, uint32_t at, uint64_t ipa, size_t size);

/* Single-copy atomic, of an aligned address. A load is ordered before what follows, a store behind
 * what was before it. A load of what is not there gives 0. */
uint16_t private_load16(struct vm *vm, uint64_t ipa);
void private_store16(struct vm *vm, uint64_t ipa, uint16_t value);

/* The first page of [ipa, ipa + size), all RAM, that is not mapped yet. False: all are. */
bool private_missing(struct vm *vm, uint64_t ipa, uint64_t size, ipa_t *page);

#endif
