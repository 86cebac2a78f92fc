/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ledger: who owns each page of the machine (I1, I2).
 *
 * A pool is a range of DRAM that the N-visor has set aside. Its Secure part is one run
 * from the pool's start, held by one region of the protection controller: pool i, region i.
 *
 *   state         owner       Secure  contents of pages       records
 *   CHUNK_NORMAL  N-visor     no      anything                none
 *   CHUNK_TAKEN   one S-VM    yes     being zeroed            all 0
 *   CHUNK_FREE    S-visor     yes     zero                    all 0
 *   CHUNK_OWNED   one S-VM    yes     zero if not given out   0: not given out, or IPA | 1
 *   CHUNK_HEAP    S-visor     yes     the S-visor's           none
 *
 * NORMAL chunks lie at and above the run's top, the others below it. A chunk that moves is OWNED,
 * as is the one it moves to: each page is in one of them, and both end with their S-VM.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include "spinlock.h"

#define CHUNK_PAGES (TV_CHUNK_SIZE / TV_PAGE_SIZE)
#define RECORD_PAGES (CHUNK_PAGES * sizeof(uint64_t) / TV_PAGE_SIZE) /* of the heap, a chunk */
#define RECORD_USED 1

enum chunk_state { CHUNK_NORMAL, CHUNK_TAKEN, CHUNK_FREE, CHUNK_OWNED, CHUNK_HEAP };

struct chunk {
	enum chunk_state state;
	unsigned owner;    /* TAKEN, OWNED: index of the S-VM, or NOBODY: it is to be HEAP */
	uint64_t *records; /* one a page; 0.2 % of the chunk */
	unsigned lent;     /* NORMAL: leaves of N-VMs' stage 2 in it (havmsi) */
};

#define NOBODY TV_MAX_VMS /* as a chunk's owner: the S-visor itself */

struct pool {
	uint64_t base, size;
	_Atomic uint64_t top; /* of the Secure run; read without the lock, too */
	struct chunk *chunks;
	bool growing; /* the chunk at the top is being flushed */
};

/* Guarded by `lock`, except that records and contents of an OWNED chunk change only under
 * its S-VM's lock as well. */
struct ledger {
	struct spinlock lock;
	struct tv_manifest board;
	struct pool pool[TV_MAX_POOLS];
	atomic_uint pools;      /* only grows; what is below it stays, but for `top` and chunks */
	pa_t kept[TV_MAX_CPUS]; /* see ledger_keep; 0: none */
	uint64_t lent;          /* leaves of N-VMs' stage 2 that are in no pool (havmsi) */
};

extern struct ledger ledger;

/* Takes over the board. Once, at boot. */
void ledger_init(const struct tv_manifest *m);

/* Is this page, now, ordinary memory: in DRAM, not the S-visor's, not in a Secure run? The
 * answer can age; the hardware then fails the access. Takes no lock. */
bool ledger_ordinary(pa_t page);

/* This page of a CPU is ordinary memory, and stays so: no pool has it, or will. The page before it
 * is released. TV_EINVAL: it is not, or a pool's. Takes the ledger's lock. */
int ledger_keep(unsigned cpu, pa_t page);

/* TV_POOL_ADD; *index is the new pool. Takes the ledger's lock. */
int ledger_pool_add(uint64_t base, uint64_t size, uint64_t *index);

/*
 * TV_CHUNK_TAKE in two steps, the second without the S-VM's lock, since it is long.
 * ledger_reserve: the FREE chunk is the S-VM's (TV_OK), or the one above the run will be once
 * ledger_secure has been called for it (TV_AGAIN). For NOBODY it is the heap's. TV_EBUSY: the pool
 * grows just now; TV_EDENIED, TV_ENOHEAP. `chunk` is its first byte. Both take the ledger's lock.
 */
int ledger_reserve(unsigned vm, pa_t chunk);
void ledger_secure(pa_t chunk);

/* The chunk at this address if it is OWNED by the S-VM, whose lock is held and keeps it so; or
 * NULL. Takes the ledger's lock. */
struct chunk *ledger_owned(unsigned vm, pa_t chunk);

/* Gives `pages` pages, all of one chunk, to the S-VM for the IPAs from `ipa`. They are zero, or
 * were given to it for that IPA before. TV_EDENIED: not in a chunk of it, or given out for another
 * IPA; nothing has changed then. The S-VM's lock is held; takes the ledger's. */
int ledger_claim(unsigned vm, pa_t page, ipa_t ipa, size_t pages);

/* Undoes ledger_claim of a page that was not mapped; zeroes it. Locks as there. */
void ledger_unclaim(pa_t page);

/* Those of n records at `from` that are used become to's: the pages moved. Locks as for
 * ledger_claim. */
void ledger_move_records(uint64_t *to, uint64_t *from, size_t n);

/* OWNED -> FREE; no page is given out any more. Locks as for ledger_claim. */
void ledger_free(struct chunk *c);

/* Zeroes and frees one chunk of the S-VM, none of whose pages is mapped any more. False if
 * it has none; true also if one is still TAKEN. The S-VM's lock is held; takes the ledger's. */
bool ledger_free_chunk(unsigned vm);

/* Does [base, base + size) lie in one bank and apart from the S-visor's own memory? */
bool ledger_in_dram(uint64_t base, uint64_t size);

/* The pool at this address, or NULL */
struct pool *ledger_pool(uint64_t a);

/* TV_CHUNK_RETURN; *base is the chunk's. Takes the ledger's lock. */
int ledger_return(uint64_t pool, uint64_t *base);

/* Zeroes every page of every Secure run, whatever is on record; gives the number of chunks. No
 * call is inside, so nobody writes there. Takes the ledger's lock. */
uint64_t ledger_wipe(void);

/* How many there are: chunks in Secure runs, those of S-VMs, those of the heap; pages of the heap
 * that all pools keep. The ledger's lock is held. */
struct ledger_counts {
	uint64_t secure, owned, heap, records;
};
struct ledger_counts ledger_count(void);

/* Chunk number of an address in the pool. */
static inline uint64_t chunk_number(const struct pool *p, uint64_t a)
{
	return (a - p->base) >> TV_CHUNK_SHIFT;
}

#endif
