/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ticket spinlocks, and the only list of them. A CPU that holds one may take only those
 * that stand further down:
 *
 *   wipe    one CPU wipes, others that want it wait
 *   audit   TV_AUDIT runs once at a time, and so may hold all S-VMs' locks
 *   vm      one an S-VM (struct vm); several at once only under `audit`, by rising index
 *   ledger  pools, chunk states, page records, protection controller
 *   heap    the S-visor's free pages
 *   log     the console
 *
 * No lock is held while a guest runs, and none when svisor_call returns. IRQs are masked
 * throughout, so a holder is never preempted.
 */
#ifndef SPINLOCK_H
#define SPINLOCK_H

#include <stdatomic.h>

#include "arch.h"

struct spinlock {
	atomic_uint next, serving;
	atomic_uint holder; /* CPU + 1, or 0 */
};

static inline void spin_lock(struct spinlock *l)
{
	unsigned ticket = atomic_fetch_add_explicit(&l->next, 1, memory_order_relaxed);

	while (atomic_load_explicit(&l->serving, memory_order_acquire) != ticket)
		cpu_relax();
	atomic_store_explicit(&l->holder, cpu_index() + 1, memory_order_relaxed);
}

static inline void spin_unlock(struct spinlock *l)
{
	unsigned serving = atomic_load_explicit(&l->serving, memory_order_relaxed);

	atomic_store_explicit(&l->holder, 0, memory_order_relaxed);
	atomic_store_explicit(&l->serving, serving + 1, memory_order_release);
}

/* Functions that want a lock held say so by this. */
static inline void assert_held(struct spinlock *l)
{
	if (atomic_load_explicit(&l->holder, memory_order_relaxed) != cpu_index() + 1)
		panic("a lock is not held");
}

#endif
