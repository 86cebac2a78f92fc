/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * S-VMs. A handle is generation << 8 | index, so that a stale one finds nothing.
 *
 *   VM_NONE     the slot is free; no chunk, table or vCPU hangs on it
 *   VM_NEW      being launched; no vCPU has run
 *   VM_LIVE     sealed: RAM ranges, first contents and vCPUs are fixed and measured
 *   VM_STOPPED  sealed, and the guest has switched itself off: no vCPU starts again
 *   VM_DYING    no tables, no vCPUs; its chunks are being zeroed
 *
 * NONE -> NEW -> LIVE -> STOPPED -> DYING -> NONE; DYING may follow any but NONE.
 */
#ifndef VM_H
#define VM_H

#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>

#include "attest.h"
#include "io.h"
#include "npt.h"
#include "s2pt.h"
#include "spinlock.h"

enum vm_state { VM_NONE, VM_NEW, VM_LIVE, VM_STOPPED, VM_DYING };

struct vcpu;

/* All guarded by `lock`, but `answered`. */
struct vm {
	struct spinlock lock;
	enum vm_state state;
	uint64_t generation;
	unsigned running; /* vCPUs inside the gate; more than 0 keeps the S-VM from dying */
	struct npt npt;
	struct s2pt s2;
	uint64_t features; /* TV_FEATURE_* */

	unsigned rams, vcpus;
	struct range ram[TV_MAX_RAM];
	struct vcpu *vcpu[TV_MAX_VCPUS];
	uint8_t last_vcpu[TV_MAX_CPUS]; /* index + 1 of the vCPU that ran last there, or 0 */

	mbedtls_sha256_context hash;
	bool loading;       /* RAM ranges are hashed and fixed */
	uint64_t next_load; /* lowest IPA that may be loaded next */
	uint8_t measurement[32];
	struct attest attest;

	struct io io;

	uint64_t cntvoff;      /* of all vCPUs inside the gate */
	void *pvtime;          /* the page of stolen time, or NULL */
	uint64_t counter_seen; /* no vCPU has seen a higher CNTVCT_EL0; set while none runs */

	atomic_ulong answered; /* exits that went no further than here, while somebody watched */
};

extern struct vm vms[TV_MAX_VMS];

/* The S-VM with its lock held, or NULL if the handle names none. */
struct vm *vm_lock(uint64_t handle);
/* The same, but only in that state; else *ret = TV_ENOENT or TV_ESTATE. */
struct vm *vm_lock_state(uint64_t handle, enum vm_state state, int *ret);
void vm_unlock(struct vm *vm);

static inline unsigned vm_index(const struct vm *vm)
{
	return vm - vms;
}

/* Never 0, and not used again before its translations are flushed. */
static inline uint16_t vm_vmid(const struct vm *vm)
{
	return vm_index(vm) + 1;
}

/* Is the page all inside a RAM range? The S-VM's lock is held, or it is sealed. */
bool vm_is_ram(const struct vm *vm, uint64_t ipa);
/* The same of [ipa, ipa + size): inside one of them. */
bool vm_all_ram(const struct vm *vm, uint64_t ipa, uint64_t size);

/* Reads private memory as the guest sees it; what is not mapped, or not RAM, reads as zero. The
 * lock is held. */
void vm_read(struct vm *vm, ipa_t ipa, void *to, size_t size);

/* Gives `page` to the S-VM for `ipa`, page aligned in RAM. TV_EDENIED: `ipa` is mapped or the
 * page may not be had; TV_ENOHEAP. On TV_OK it is zero, and s2_map must follow. The lock is
 * held; takes the ledger's and the heap's. */
int vm_claim_page(struct vm *vm, ipa_t ipa, pa_t page);

/* TV_VM_BOUNCE, TV_BOUNCE_ADD, TV_BOUNCE_TRIM */
int vm_bounce(uint64_t handle, uint64_t base, uint64_t pages);
int vm_bounce_add(uint64_t handle, uint64_t count, uint64_t *pages);
int vm_bounce_trim(uint64_t handle, uint64_t *pages);
/* TV_VM_ANSWERED, TV_QUEUE_STATS, TV_VM_SHOW */
int vm_answered(uint64_t handle, uint64_t *exits);
int vm_queue_stats(uint64_t handle, uint64_t n);
int vm_show(uint64_t handle, ipa_t ipa, pa_t from);

/* The calls; each takes the S-VM's lock. Errors as in abi.h. */
int vm_create(const struct npt *npt, uint64_t features, uint64_t *handle);
int vm_ram(uint64_t handle, uint64_t base, uint64_t size);
int vm_take_chunk(uint64_t handle, pa_t chunk);
int vm_destroy(uint64_t handle);
uint64_t vm_live_count(void);

/* For the wipe. No vCPU of any S-VM enters again, and those that run soon leave. Takes each
 * S-VM's lock. */
void vm_stop_all(void);

/* fault.c: makes sure that `ipa`, page aligned in RAM, is mapped, with what the normal S2PT asks
 * for (I3). TV_AGAIN: it asks for nothing; TV_EDENIED, TV_ENOHEAP. The lock is held; takes the
 * ledger's and the heap's. */
int fault_serve(struct vm *vm, ipa_t ipa);

/* move.c: TV_CHUNK_MOVE */
int vm_move_chunk(uint64_t handle, pa_t from, pa_t to);

#define DROP_MOST 64 /* pages at once */

/* drop.c: gives up pages of these numbers, as far as they are the guest's and mapped: up to
 * DROP_MOST, all of one chunk. How many; more may be left, but if there were none. *unused: the
 * chunk, if no page of it is given out any more; or 0. TV_ENOHEAP. The lock is held; takes the
 * ledger's and the heap's. */
int vm_drop(struct vm *vm, const uint32_t *frame, unsigned n, pa_t *unused);

/* drop.c: TV_CHUNK_FREE */
int vm_free_chunk(uint64_t handle, pa_t chunk);

/* launch.c */
int launch_load(uint64_t handle, ipa_t ipa, pa_t from, pa_t page, uint64_t digest[4]);
int launch_seal(uint64_t handle);
int launch_measurement(uint64_t handle, uint64_t words[4]);

#endif
