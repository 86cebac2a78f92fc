// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "bounce.h"
#include "heap.h"
#include "log.h"
#include "private.h"
#include "queue.h"
#include "vm.h"

static const struct ring *ring_of(const struct queue_setup *s)
{
	return s->packed ? &packed_ring : &split_ring;
}

static size_t heap_pages(unsigned size)
{
	size_t bytes = sizeof(struct queue) + size * (sizeof(struct flight) + sizeof(struct desc));

	return (bytes + TV_PAGE_SIZE - 1) / TV_PAGE_SIZE;
}

size_t queue_heap(const struct queue *q)
{
	return heap_pages(q->setup.size);
}

static uint32_t shadow_bytes(const struct queue_setup *s)
{
	return ring_of(s)->offset(s, PARTS);
}

static bool is_power(uint32_t n)
{
	return n && !(n & (n - 1));
}

static bool setup_ok(const struct queue_setup *s)
{
	return is_power(s->align) && s->align <= s->page && is_power(s->page) &&
	       s->page <= BOUNCE_ALIGN && s->size && s->size <= QUEUE_MOST &&
	       (is_power(s->size) || s->packed);
}

/* The back end finds an empty ring there. */
static bool clear(struct vm *vm, uint32_t at, uint32_t bytes)
{
	static const uint8_t none[256];
	bool ok = true;

	for (uint32_t n; ok && bytes; at += n, bytes -= n) {
		n = bytes < sizeof(none) ? bytes : sizeof(none);
		ok = bounce_write(&vm->io.bounce, at, none, n);
	}
	return ok;
}

static bool place_shadow(struct vm *vm, const struct queue_setup *s, uint32_t *at,
			 enum queue_need *need)
{
	uint32_t bytes = shadow_bytes(s);
	int ret = bounce_alloc(&vm->io.bounce, bytes, s->page, at);

	if (ret == TV_AGAIN) {
		vm->io.wanted = bytes;
		*need = NEED_BOUNCE;
	}
	if (ret != TV_OK)
		return false;
	if (clear(vm, *at, bytes))
		return true;
	bounce_free(&vm->io.bounce, *at, bytes);
	return false;
}

struct queue *queue_create(struct vm *vm, const struct queue_setup *setup, enum queue_need *need)
{
	struct queue *q;
	uint32_t at;

	if (!setup_ok(setup) || !place_shadow(vm, setup, &at, need))
		return NULL;
	q = heap_alloc(heap_pages(setup->size));
	if (!q) {
		bounce_free(&vm->io.bounce, at, shadow_bytes(setup));
		*need = NEED_HEAP;
		return NULL;
	}
	q->setup = *setup;
	q->record = (struct desc *)(q + 1);
	q->flight = (struct flight *)(q->record + setup->size);
	for (unsigned i = 0; i < PARTS; i++)
		q->shadow[i] = at + ring_of(setup)->offset(setup, i);
	return q;
}

void queue_destroy(struct vm *vm, struct queue *q)
{
	struct queue **link = &vm->io.live;

	while (*link && *link != q)
		link = &(*link)->next;
	if (*link)
		*link = q->next;
	for (unsigned i = 0; i < q->setup.size; i++) {
		if (q->flight[i].bytes)
			bounce_free(&vm->io.bounce, q->flight[i].at, q->flight[i].bytes);
	}
	bounce_free(&vm->io.bounce, q->shadow[PART_DESC], shadow_bytes(&q->setup));
	heap_free(q, heap_pages(q->setup.size));
}

static bool part_ok(const struct vm *vm, const struct queue_setup *s, enum queue_part part,
		    uint64_t at)
{
	static const uint8_t split[PARTS] = {16, 2, 4}, packed[PARTS] = {16, 4, 4};

	return !(at & ((s->packed ? packed : split)[part] - 1)) &&
	       vm_all_ram(vm, at, ring_of(s)->bytes(s, part));
}

bool queue_start(struct vm *vm, struct queue *q, const uint64_t part[PARTS], enum queue_need *need)
{
	for (unsigned i = 0; i < PARTS; i++) {
		if (!part_ok(vm, &q->setup, i, part[i]))
			return false;
		if (private_missing(vm, part[i], ring_of(&q->setup)->bytes(&q->setup, i),
				    &vm->io.page)) {
			*need = NEED_PAGE;
			return false;
		}
	}
	memcpy(q->setup.part, part, sizeof(q->setup.part));
	ring_of(&q->setup)->start(vm, q);
	q->live = true;
	q->next = vm->io.live;
	vm->io.live = q;
	return true;
}

#define BUSY_PER_SECOND 16384 /* so often something new has to come to a queue that is busy */

static bool is_busy(struct queue *q, bool some)
{
	uint64_t now = counter_now(), since = now - q->rung;

	if (some)
		q->rung = now;
	return since < counter_hz() / BUSY_PER_SECOND;
}

/* Guests always tell where they can only be asked to in general. */
void queue_rung(struct queue *q)
{
	q->busy = (q->setup.packed || q->setup.event_idx) && is_busy(q, true);
}

/* True: the guest has just been asked to tell of the next chain, which may be there already. */
static bool ask(struct vm *vm, struct queue *q, bool some)
{
	if (q->asked)
		return false;
	q->busy = q->busy && q->flying && is_busy(q, some);
	q->asked = !q->busy;
	ring_of(&q->setup)->ask(vm, q, q->asked);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return q->asked;
}

enum queue_need queue_push(struct vm *vm, struct queue *q)
{
	const struct ring *ring = ring_of(&q->setup);
	enum queue_need need = NEED_NOTHING;
	bool some = false;
	unsigned n;

	q->starved = false;
	do { /* no more than the ring holds, for each is in flight then */
		for (n = 0; !q->broken && ring->take(vm, q, &need); n++)
			;
		some |= n;
		q->asked &= !n;
		q->tell |= n && ring->publish(vm, q);
	} while (need == NEED_NOTHING && !q->broken && (n || ask(vm, q, some)));
	return need;
}

void queue_pull(struct vm *vm, struct queue *q)
{
	const struct ring *ring = ring_of(&q->setup);
	unsigned n;

	do { /* each of those in flight once */
		for (n = 0; !q->broken && q->flying && ring->finish(vm, q); n++)
			;
		if (n && ring->deliver)
			ring->deliver(vm, q);
	} while (n);
}

bool queue_is_late(struct vm *vm, struct queue *q)
{
	bool late = q->owed && !q->broken && ring_of(&q->setup)->waits(vm, q);

	q->owed = false;
	q->late |= late;
	return late;
}

void queue_break(struct vm *vm, struct queue *q, const char *who)
{
	q->stats.refused++;
	if (!q->broken)
		log_line("S-VM %u: queue broken by %s", vm_index(vm), who);
	q->broken = true;
}
