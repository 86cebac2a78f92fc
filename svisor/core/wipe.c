// SPDX-License-Identifier: BSD-3-Clause
#include "ledger.h"
#include "log.h"
#include "vm.h"
#include "wipe.h"

#define CACHE_LINE 64

static struct spinlock lock; /* held until all is wiped */
/* 0: closed, before and after */
#define OPEN 2
#define QUIET 1
static atomic_uint gate;
/* Calls inside, by CPU; each writes its own line only. */
static struct {
	_Alignas(CACHE_LINE) atomic_uint calls;
} inside[TV_MAX_CPUS];

void gate_open(void)
{
	atomic_store(&gate, OPEN | QUIET);
}

/* Counted first, then looked: either the wipe sees the call, or the call sees the wipe. All of
 * it sequentially consistent, for these are two variables. */
bool gate_enter(void)
{
	atomic_fetch_add(&inside[cpu_index()].calls, 1);
	if (atomic_load(&gate))
		return true;
	gate_leave();
	return false;
}

void gate_leave(void)
{
	atomic_fetch_sub(&inside[cpu_index()].calls, 1);
}

/* Does not open it again. */
void gate_watch(bool on)
{
	unsigned was = on ? OPEN | QUIET : OPEN;

	atomic_compare_exchange_strong(&gate, &was, was ^ QUIET);
}

bool gate_quiet(void)
{
	return atomic_load(&gate) & QUIET;
}

bool gate_closed(void)
{
	return !atomic_load(&gate);
}

static void wait_for_calls(void)
{
	for (unsigned i = 0; i < TV_MAX_CPUS; i++) {
		while (atomic_load(&inside[i].calls))
			cpu_relax();
	}
}

int wipe_run(void)
{
	spin_lock(&lock);
	if (atomic_exchange(&gate, 0)) {
		vm_stop_all();
		wait_for_calls();
		attest_wipe();
		log_line("going down: %lu chunks wiped", (unsigned long)ledger_wipe());
	}
	spin_unlock(&lock);
	return TV_OK;
}
