/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Spinlocks, and the only list of them. A CPU that holds one may take only those
 * that stand further down:
 *
 *   wipe    one CPU wipes, others that want it wait
 *   audit   TV_AUDIT or TV_STATS runs once at a time, and so may hold all S-VMs' locks
 *   vm      one an S-VM (struct vm); several at once only under `audit`, by rising index
 *   nvm     the same of an N-VM, where the S-visor has its stage 2 (havmsi)
 *   ledger  pools, chunk states, page records, protection controller
 *   host    the host's stage 2, and what is closed to it (havmsi)
 *   heap    the S-visor's free pages
 *   log     the console
 *
 * No lock is held while a guest runs, and none when svisor_call returns. IRQs are masked
 * throughout, so a holder is never preempted. Those that wait are served in no order: each call
 * takes a lock a few times and keeps it for a bounded time, so nobody is kept out for good; and a
 * CPU that does not run just now (of an emulated machine) does not keep the next one waiting.
 */
#ifndef SPINLOCK_H
#define SPINLOCK_H

#include <stdatomic.h>

#include "arch.h"

struct spinlock {
	atomic_uint holder; /* CPU + 1, or 0 */
};

static inline bool spin_take(struct spinlock *l)
{
	unsigned nobody = 0;

	return atomic_compare_exchange_strong_explicit(&l->holder, &nobody, cpu_index() + 1,
						       memory_order_acquire, memory_order_relaxed);
}

static inline void spin_lock(struct spinlock *l)
{
	while (!spin_take(l)) {
		while (atomic_load_explicit(&l->holder, memory_order_relaxed))
			cpu_relax();
	}
}

/* Takes the lock if it is free, or becomes so before counter_now() is `deadline`. */
static inline bool spin_try(struct spinlock *l, uint64_t deadline)
{
	while (!spin_take(l)) {
		if (counter_now() >= deadline)
			return false;
		cpu_relax();
	}
	return true;
}

static inline void spin_unlock(struct spinlock *l)
{
	atomic_store_explicit(&l->holder, 0, memory_order_release);
}

/* Functions that want a lock held say so by this. */
static inline void assert_held(struct spinlock *l)
{
	if (atomic_load_explicit(&l->holder, memory_order_relaxed) != cpu_index() + 1)
		panic("a lock is not held");
}

#endif
