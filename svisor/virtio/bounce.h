/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bounce memory: ordinary memory of an S-VM's I/O, all that its back ends ever see. The N-visor
 * gives it page by page, pinned, as it is wanted; to back ends it is guest addresses
 * [base, base + most pages), of which the guest knows nothing. What lies in it belongs to nobody:
 * anything may change at any time.
 *
 * Places in it are offsets. All functions want the S-VM's lock.
 */
#ifndef BOUNCE_H
#define BOUNCE_H

#include "addr.h"

#define BOUNCE_SIZES 16  /* numbers of units that are looked after apart */
#define BOUNCE_FREED 256 /* places of each that are remembered: what a uint8_t counts */

struct bounce {
	uint64_t base;   /* guest address */
	unsigned most;   /* pages that there may be; 0: the S-VM has no bounce memory */
	unsigned pages;  /* that are there */
	unsigned lowest; /* no unit below it is free */
	unsigned used;   /* units */
	uint64_t *page; /* of the heap: the pages' addresses, then a bit for each unit in use ... */
	uint64_t *map;
	/* ... and first units of places that came back, of so many units, the last before top. They
	 * may be in use again, or gone. */
	uint16_t (*freed)[BOUNCE_FREED];
	uint8_t top[BOUNCE_SIZES];
};

#define BOUNCE_UNIT 512
#define BOUNCE_ALIGN 0x10000 /* of `base`: as good as any table of a device needs */
#define BOUNCE_MOST 8192     /* pages: 32 MiB */

/* Prepares for up to `most` pages (1 to BOUNCE_MOST) at `base`. TV_ENOHEAP. */
int bounce_init(struct bounce *b, uint64_t base, unsigned most);
void bounce_free_all(struct bounce *b);
/* Pages of the heap that it holds. */
size_t bounce_heap(const struct bounce *b);

/* One page more, which the caller has checked to be ordinary. False: `most` are there. */
bool bounce_add(struct bounce *b, pa_t page);
/* Forgets the pages behind the last one in use; gives how many are left. */
unsigned bounce_trim(struct bounce *b);

/* TV_OK: *at = `bytes` in a row, aligned to `align` (a power of 2, BOUNCE_UNIT or more); till
 * bounce_free. TV_AGAIN: none are free, but more pages may be given. TV_ENOMEM: they would be if
 * all was free; TV_EINVAL: not even then. */
int bounce_alloc(struct bounce *b, uint64_t bytes, uint32_t align, uint32_t *at);
void bounce_free(struct bounce *b, uint32_t at, uint64_t bytes);

/* Is there so little left that only what cannot wait may have it? */
bool bounce_scarce(const struct bounce *b);

/* Each byte is read or written once. False: the N-visor has made the page inaccessible. */
bool bounce_read(const struct bounce *b, uint32_t at, void *to, size_t size);
bool bounce_write(const struct bounce *b, uint32_t at, const void *from, size_t size);

static inline uint64_t bounce_ipa(const struct bounce *b, uint32_t at)
{
	return b->base + at;
}

#endif
