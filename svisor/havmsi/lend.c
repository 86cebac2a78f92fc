// SPDX-License-Identifier: BSD-3-Clause
#include "ledger.h"
#include "lend.h"

/* Nothing of it is in a Secure run, or in the chunk that is about to be. */
static bool may_lend(const struct pool *p, uint64_t at)
{
	return at >= p->top + (p->growing ? TV_CHUNK_SIZE : 0);
}

static void count(struct pool *p, uint64_t at, int n)
{
	assert_held(&ledger.lock);
	if (p)
		p->chunks[chunk_number(p, at)].lent += n;
	else
		ledger.lent += n;
}

/* Pools are looked for under the lock: while anything else is lent none is added. */
bool lend(pa_t at, uint64_t size)
{
	struct pool *p;
	bool ok;

	spin_lock(&ledger.lock);
	p = ledger_pool(at.v);
	ok = ledger_in_dram(at.v, size) && (!p || may_lend(p, at.v)); /* it is in one chunk */
	if (ok)
		count(p, at.v, 1);
	spin_unlock(&ledger.lock);
	return ok;
}

void take_back(pa_t at, uint64_t size)
{
	(void)size;
	spin_lock(&ledger.lock);
	count(ledger_pool(at.v), at.v, -1);
	spin_unlock(&ledger.lock);
}
