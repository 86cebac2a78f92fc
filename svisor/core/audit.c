// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "audit.h"
#include "heap.h"
#include "ledger.h"
#include "platform.h"
#include "pvtime.h"
#include "vcpu.h"

#define PAGE_WORDS (TV_PAGE_SIZE / sizeof(uint64_t))

static struct spinlock lock;
static uint64_t turn; /* which word of free pages is looked at; under `lock` */

/* Pages on record of each S-VM; under `lock`. */
static size_t recorded[TV_MAX_VMS];

/* A page given out is mapped at its record's IPA; an S-VM that is dying has no tables. */
static bool record_ok(unsigned owner, uint64_t record, uint64_t page)
{
	const struct vm *vm = &vms[owner];
	uint64_t ipa = record & ~(uint64_t)RECORD_USED;
	pa_t mapped;

	if (vm->state == VM_DYING)
		return true;
	return (record & RECORD_USED) && vm_is_ram(vm, ipa) &&
	       s2_lookup(&vm->s2, IPA(ipa), &mapped) && mapped.v == page;
}

static uint64_t audit_owned(const struct chunk *c, uint64_t base)
{
	uint64_t bad = 0;

	if (c->owner >= TV_MAX_VMS || vms[c->owner].state == VM_NONE || !c->records)
		return 1;
	for (uint64_t i = 0; i < CHUNK_PAGES; i++) {
		if (!c->records[i])
			continue;
		recorded[c->owner]++;
		bad += !record_ok(c->owner, c->records[i], base + i * TV_PAGE_SIZE);
	}
	return bad;
}

static uint64_t audit_free(const struct chunk *c, uint64_t base)
{
	uint64_t bad = 0;

	if (!c->records)
		return 1;
	for (uint64_t i = 0; i < CHUNK_PAGES; i++) {
		const uint64_t *page = secure_ptr(PA(base + i * TV_PAGE_SIZE));

		bad += c->records[i] || page[0] || page[turn] || page[PAGE_WORDS - 1];
	}
	return bad;
}

static uint64_t audit_chunk(const struct pool *p, uint64_t i)
{
	const struct chunk *c = &p->chunks[i];
	uint64_t base = p->base + (i << TV_CHUNK_SHIFT);

	if (base >= p->top)
		return c->state != CHUNK_NORMAL || c->records;
	if (c->state == CHUNK_OWNED)
		return audit_owned(c, base);
	return c->state == CHUNK_FREE ? audit_free(c, base) : 1;
}

/* The controller protects the run, and no more. */
static bool region_ok(unsigned region, const struct pool *p)
{
	pa_t base, top;

	protect_get(region, &base, &top);
	if (p->top == p->base)
		return base.v == top.v;
	return base.v == p->base && top.v == p->top;
}

static uint64_t audit_pools(void)
{
	uint64_t bad = 0;

	assert_held(&ledger.lock);
	for (unsigned i = 0; i < ledger.pools; i++) {
		const struct pool *p = &ledger.pool[i];

		bad += !region_ok(i, p);
		for (uint64_t j = 0; j < p->size >> TV_CHUNK_SHIFT; j++)
			bad += audit_chunk(p, j);
	}
	return bad;
}

/* Each record has its leaf; with equal numbers, each leaf has its record, or shows stolen time. */
static uint64_t audit_vms(void)
{
	uint64_t bad = 0;

	for (const struct vm *vm = vms; vm < vms + TV_MAX_VMS; vm++) {
		if (vm->state != VM_DYING)
			bad += s2_count(&vm->s2) != recorded[vm_index(vm)] + !!vm->pvtime ||
			       !pvtime_audit(vm);
		else
			bad += vm->s2.root != NULL;
	}
	return bad;
}

static void audit_locked(struct audit *a)
{
	memset(recorded, 0, sizeof(recorded));
	turn = (turn + 1) % PAGE_WORDS;
	spin_lock(&ledger.lock);
	a->violations = audit_pools() + audit_vms();
	a->chunks = ledger_secure_chunks();
	spin_unlock(&ledger.lock);
	a->vms = vm_live_count();
}

int audit_run(struct audit *a)
{
	unsigned running = 0;

	spin_lock(&lock);
	for (struct vm *vm = vms; vm < vms + TV_MAX_VMS; vm++) {
		spin_lock(&vm->lock);
		running += vm->running;
	}
	if (!running)
		audit_locked(a);
	for (struct vm *vm = vms; vm < vms + TV_MAX_VMS; vm++)
		spin_unlock(&vm->lock);
	spin_unlock(&lock);
	return running ? TV_EBUSY : TV_OK;
}

/* How long TV_STATS waits for all locks: longer than anybody keeps one */
#define PATIENCE_SECONDS 4

static void count(struct stats *s)
{
	assert_held(&ledger.lock);
	*s = (struct stats){
		.owned = ledger_owned_chunks(),
		.secure = ledger_secure_chunks(),
		.recorded = ledger_heap_pages(),
	};
	for (const struct vm *vm = vms; vm < vms + TV_MAX_VMS; vm++) {
		s->vms += vm->state != VM_NONE;
		if (vm->state != VM_DYING)
			s->recorded += vm->s2.tables + vm->vcpus * VCPU_PAGES + !!vm->pvtime;
	}
}

/* The S-VMs' locks are held, so nobody but the ledger's users may allocate. */
static bool count_locked(struct stats *s, uint64_t deadline)
{
	bool done;

	if (!spin_try(&ledger.lock, deadline))
		return false;
	count(s);
	done = heap_count(deadline, &s->pages, &s->available);
	spin_unlock(&ledger.lock);
	return done;
}

static bool count_vms(struct stats *s, uint64_t deadline)
{
	bool done = false;
	unsigned n = 0;

	while (n < TV_MAX_VMS && spin_try(&vms[n].lock, deadline))
		n++;
	if (n == TV_MAX_VMS)
		done = count_locked(s, deadline);
	while (n)
		spin_unlock(&vms[--n].lock);
	return done;
}

int stats_run(struct stats *s)
{
	uint64_t deadline = counter_now() + PATIENCE_SECONDS * counter_hz();
	bool done;

	if (!spin_try(&lock, deadline))
		return TV_EBUSY;
	done = count_vms(s, deadline);
	spin_unlock(&lock);
	return done ? TV_OK : TV_EBUSY;
}
