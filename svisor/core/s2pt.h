/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shadow S2PT, which the hardware walks for an S-VM (I3). All functions want the S-VM's
 * lock, and take the heap's. Leaves are 4 KiB pages and 2 MiB blocks.
 */
#ifndef S2PT_H
#define S2PT_H

#include "addr.h"

#define BLOCK_SIZE 0x200000UL /* a chunk has a whole number of them */
#define BLOCK_PAGES (BLOCK_SIZE / TV_PAGE_SIZE)

struct s2pt {
	uint64_t *root;    /* level 0; NULL before s2_init and after s2_free */
	size_t tables;     /* pages of the heap */
	uint64_t unmapped; /* changes when what s2_span said may no longer be so */
	uint16_t vmid;     /* under which TLBs may keep translations */
};

/* An empty table. TV_ENOHEAP. */
int s2_init(struct s2pt *s, uint16_t vmid);

/* Makes the tables that a mapping of a page at `ipa` needs. TV_EDENIED: it is mapped; TV_ENOHEAP.
 */
int s2_prepare(struct s2pt *s, ipa_t ipa);

/* Maps one page: Normal memory, all access. s2_prepare said TV_OK, so it cannot fail. Nothing
 * was there, so no TLB holds a translation. */
void s2_map(struct s2pt *s, ipa_t ipa, pa_t page);

/* The same, to be read only: no writes, no instruction fetches. */
void s2_map_shown(struct s2pt *s, ipa_t ipa, pa_t page);

/* Makes ready for a block; `ipa` and `block` are aligned to its size. TV_EDENIED: a page of it is
 * mapped to something else than the block would; TV_ENOHEAP. */
int s2_prepare_block(struct s2pt *s, ipa_t ipa, pa_t block);

/* Maps the block, instead of what pages of it are mapped; s2_prepare_block said TV_OK. */
void s2_map_block(struct s2pt *s, ipa_t ipa, pa_t block);

/* Maps the pages of the block around `ipa`, if it is one, by themselves. TV_ENOHEAP. */
int s2_split(struct s2pt *s, ipa_t ipa);

/* Takes out the leaf that maps `ipa`, and gives its size, or 0: there is none. Tables stay, so that
 * the same can be mapped again without preparation; TLBs are the caller's. */
uint64_t s2_unmap(struct s2pt *s, ipa_t ipa);

/* *at = the address that `ipa` is mapped to; gives the bytes from there to the end of the leaf, or
 * 0: it is not mapped. */
uint64_t s2_span(const struct s2pt *s, ipa_t ipa, pa_t *at);

/* *page = what is mapped at `ipa`, a page's address; false if nothing is. */
bool s2_lookup(const struct s2pt *s, ipa_t ipa, pa_t *page);

/* Pages mapped in the whole table. */
size_t s2_count(const struct s2pt *s);

/* Nothing is mapped any more, in one step a table entry; TLBs are the caller's. The tables below
 * the root are lost: for the end of everything. */
void s2_empty(struct s2pt *s);

/* Frees all tables; no vCPU runs, and the TLBs have forgotten the VMID. */
void s2_free(struct s2pt *s);

#endif
