/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ledger: who owns each page of the machine (I1, I2).
 *
 * A pool is a range of DRAM that the N-visor has set aside. Its Secure part is one run
 * from the pool's start, held by one region of the protection controller: pool i, region i.
 *
 *   state         owner       Secure  contents            records
 *   CHUNK_NORMAL  N-visor     no      anything            none
 *   CHUNK_FREE    S-visor     yes     zero                all 0
 *   CHUNK_OWNED   one S-VM    yes     the S-VM's          0: not given out, or IPA | 1
 *
 * NORMAL chunks lie at and above the run's top, the others below it.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include "spinlock.h"

#define CHUNK_PAGES (TV_CHUNK_SIZE / TV_PAGE_SIZE)
#define RECORD_USED 1

enum chunk_state { CHUNK_NORMAL, CHUNK_FREE, CHUNK_OWNED };

struct chunk {
	enum chunk_state state;
	unsigned owner;    /* OWNED: index of the S-VM */
	uint64_t *records; /* one a page; 0.2 % of the chunk */
};

struct pool {
	uint64_t base, size;
	uint64_t top; /* of the Secure run */
	struct chunk *chunks;
};

/* Guarded by `lock`, except that records and contents of an OWNED chunk change only under
 * its S-VM's lock as well. */
struct ledger {
	struct spinlock lock;
	struct tv_manifest board;
	struct pool pool[TV_MAX_POOLS];
	unsigned pools;
};

extern struct ledger ledger;

/* Takes over the board. Once, at boot. */
void ledger_init(const struct tv_manifest *m);

/* Is this page, now, ordinary memory: in DRAM, not the S-visor's, not in a Secure run? The
 * answer can age; the hardware then fails the access. Takes the ledger's lock. */
bool ledger_ordinary(pa_t page);

/* TV_POOL_ADD; *index is the new pool. Takes the ledger's lock. */
int ledger_pool_add(uint64_t base, uint64_t size, uint64_t *index);

/* Gives the page to the S-VM for this IPA, making its chunk the S-VM's if it is FREE or just
 * above the run. TV_EDENIED: not in a pool, another's, given out already, or above the run;
 * TV_ENOMEM: no room for records. The page's old contents are still there. The S-VM's lock
 * is held; takes the ledger's. */
int ledger_claim(unsigned vm, pa_t page, ipa_t ipa);

/* TV_CHUNK_TAKE for this S-VM; `chunk` is the chunk's first byte. Errors and locks as for
 * ledger_claim, whose first half it is. */
int ledger_take(unsigned vm, pa_t chunk);

/* Undoes ledger_claim of a page that was not mapped; zeroes it. Locks as there. */
void ledger_unclaim(pa_t page);

/* Zeroes and frees one chunk of the S-VM, none of whose pages is mapped any more. False if
 * it has none. The S-VM's lock is held; takes the ledger's. */
bool ledger_free_chunk(unsigned vm);

/* TV_CHUNK_RETURN; *base is the chunk's. Takes the ledger's lock. */
int ledger_return(uint64_t pool, uint64_t *base);

/* Zeroes every page of every Secure run, whatever is on record; gives the number of chunks. No
 * call is inside, so nobody writes there. Takes the ledger's lock. */
uint64_t ledger_wipe(void);

/* Chunks below the runs' tops. The ledger's lock is held. */
uint64_t ledger_secure_chunks(void);

/* Chunks that are OWNED, and pages of the heap that all pools keep. The ledger's lock is held. */
uint64_t ledger_owned_chunks(void);
uint64_t ledger_heap_pages(void);

/* Chunk number of an address in the pool. */
static inline uint64_t chunk_number(const struct pool *p, uint64_t a)
{
	return (a - p->base) >> TV_CHUNK_SHIFT;
}

#endif
