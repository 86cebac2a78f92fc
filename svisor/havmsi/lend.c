// SPDX-License-Identifier: BSD-3-Clause
#include "ledger.h"
#include "lend.h"

/* Nothing of it is in a Secure run, or in the chunk that is about to be. */
static bool may_lend(const struct pool *p, uint64_t at)
{
	return at >= p->top + (p->growing ? TV_CHUNK_SIZE : 0);
}

bool lend(pa_t at, uint64_t size)
{
	struct pool *p = ledger_pool(at.v);
	bool ok = ledger_in_dram(at.v, size);

	spin_lock(&ledger.lock);
	if (p)
		ok = ok && may_lend(p, at.v);
	else
		ok = ok && !ledger_has_pool(at.v, size);
	if (ok && p)
		p->chunks[chunk_number(p, at.v)].lent++;
	spin_unlock(&ledger.lock);
	return ok;
}

void take_back(pa_t at, uint64_t size)
{
	struct pool *p = ledger_pool(at.v);

	(void)size;
	if (!p)
		return;
	spin_lock(&ledger.lock);
	p->chunks[chunk_number(p, at.v)].lent--;
	spin_unlock(&ledger.lock);
}
