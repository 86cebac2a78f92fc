// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "audit.h"
#include "heap.h"
#include "ledger.h"
#include "nvm.h"
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

/* As far as a few words tell, others each time. */
static bool is_zero(uint64_t pa)
{
	const uint64_t *page = secure_ptr(PA(pa));

	return !page[0] && !page[turn] && !page[PAGE_WORDS - 1];
}

static uint64_t audit_owned(const struct chunk *c, uint64_t base)
{
	uint64_t bad = 0;

	if (c->owner >= TV_MAX_VMS || vms[c->owner].state == VM_NONE || !c->records)
		return 1;
	for (uint64_t i = 0; i < CHUNK_PAGES; i++) {
		uint64_t page = base + i * TV_PAGE_SIZE;

		recorded[c->owner] += c->records[i] != 0;
		bad += c->records[i] ? !record_ok(c->owner, c->records[i], page) : !is_zero(page);
	}
	return bad;
}

static uint64_t audit_free(const struct chunk *c, uint64_t base)
{
	uint64_t bad = 0;

	if (!c->records)
		return 1;
	for (uint64_t i = 0; i < CHUNK_PAGES; i++)
		bad += c->records[i] || !is_zero(base + i * TV_PAGE_SIZE);
	return bad;
}

static uint64_t audit_chunk(const struct pool *p, uint64_t i)
{
	const struct chunk *c = &p->chunks[i];
	uint64_t base = p->base + (i << TV_CHUNK_SHIFT);

	if (base >= p->top)
		return c->state != CHUNK_NORMAL || (c->records && !(p->growing && base == p->top));
	switch (c->state) {
	case CHUNK_OWNED:
		return audit_owned(c, base);
	case CHUNK_FREE:
		return audit_free(c, base);
	case CHUNK_HEAP:
		return c->records != NULL;
	default:
		return c->state != CHUNK_TAKEN;
	}
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
			bad += s2_count(&vm->s2) !=
				       recorded[vm_index(vm)] + !!vm->pvtime + vm->io.flash.count ||
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
	a->chunks = ledger_count().secure;
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
	if (!running)
		a->violations += nvm_audit();
	spin_unlock(&lock);
	return running ? TV_EBUSY : TV_OK;
}

/* How long TV_STATS waits for all locks: longer than anybody keeps one */
#define PATIENCE_SECONDS 4

static void count(struct stats *s)
{
	struct ledger_counts n = ledger_count();

	*s = (struct stats){
		.owned = n.owned,
		.secure = n.secure,
		.heap_chunks = n.heap,
		.recorded = n.records + nvm_tables(),
	};
	for (const struct vm *vm = vms; vm < vms + TV_MAX_VMS; vm++) {
		s->vms += vm->state != VM_NONE;
		if (vm->state != VM_DYING)
			s->recorded +=
				vm->s2.tables + vm->vcpus * VCPU_PAGES + !!vm->pvtime + io_heap(vm);
	}
}

/* All VMs' locks are held, so nobody but the ledger's users may allocate. */
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
	if (n == TV_MAX_VMS && nvm_hold(deadline)) {
		done = count_locked(s, deadline);
		nvm_let_go();
	}
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
