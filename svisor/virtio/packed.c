// SPDX-License-Identifier: BSD-3-Clause
/*
 * Packed rings (virtio 1.2, 2.8): one ring of descriptors that both sides write. Both the guest's
 * and the shadow have a chain at the same place. A used descriptor may be written over others of
 * chains that are in flight; so records have places of their own, in a list of free ones.
 */
#include "bounce.h"
#include "private.h"
#include "queue.h"
#include "vm.h"

#define EVENT_BYTES 4 /* of the driver's and the device's part: */
struct event {
	uint16_t place, flags; /* bit 15 of the place: its wrap counter */
};
#define EVENT_ENABLE 0
#define EVENT_DISABLE 1
#define EVENT_DESC 2
#define WRAP 15

#define DESC_LEN 8 /* offsets in a descriptor */
#define DESC_FLAGS 14

/* The second half of a descriptor, which a device writes when it has used a chain */
struct used_desc {
	uint32_t len;
	uint16_t id, flags;
};

static uint32_t part_bytes(const struct queue_setup *s, enum queue_part part)
{
	return part == PART_DESC ? sizeof(struct desc) * s->size : EVENT_BYTES;
}

static uint32_t part_offset(const struct queue_setup *s, enum queue_part part)
{
	return part == PART_DESC ? 0 : sizeof(struct desc) * s->size + (part - 1) * EVENT_BYTES;
}

static uint64_t desc_at(unsigned place)
{
	return place * sizeof(struct desc);
}

static uint16_t wrap_flags(bool avail, bool used)
{
	return (avail ? DESC_AVAIL : 0) | (used ? DESC_USED : 0);
}

static bool is_flag(uint16_t flags, unsigned bit)
{
	return flags & bit;
}

/* Goes n places on. */
static void advance(const struct queue *q, uint16_t *place, bool *wrap, unsigned n)
{
	unsigned to = *place + n;

	if (to >= q->setup.size) {
		to -= q->setup.size;
		*wrap = !*wrap;
	}
	*place = to;
}

/* The driver's part of the shadow is all zero, EVENT_ENABLE, and stays so. */
static void start(struct vm *vm, struct queue *q)
{
	q->avail_wrap = q->used_wrap = true;
	for (unsigned i = 0; i < q->setup.size; i++)
		q->record[i].next = i + 1;
	private_store16(vm, q->setup.part[PART_DEVICE] + 2, EVENT_ENABLE);
}

static void ask(struct vm *vm, struct queue *q, bool tell)
{
	private_store16(vm, q->setup.part[PART_DEVICE] + 2, tell ? EVENT_ENABLE : EVENT_DISABLE);
}

/* The flags of a chain's first descriptor are written last, by take(). */
static bool put(struct vm *vm, struct queue *q, unsigned i, unsigned record, const struct desc *d)
{
	uint16_t place = q->avail;
	bool wrap = q->avail_wrap;
	struct desc shown = *d;

	(void)record;
	advance(q, &place, &wrap, i);
	shown.flags = q->put_id; /* where split rings have flags, packed ones have the id */
	shown.next = d->flags | wrap_flags(wrap, !wrap);
	if (!i)
		q->head_flags = shown.next;
	return bounce_write(&vm->io.bounce, q->shadow[PART_DESC] + desc_at(place), &shown,
			    i ? sizeof(shown) : DESC_FLAGS);
}

/* The chain's records go back to the free ones. */
static void free_records(struct queue *q, unsigned first, unsigned n)
{
	unsigned last = first;

	while (--n)
		last = q->record[last].next;
	q->record[last].next = q->spare;
	q->spare = first;
}

/* Copies the chain's descriptors into records. Their number, or 0: they are in error; -1: there is
 * no chain yet. *id = of the chain. */
static int record_chain(struct vm *vm, struct queue *q, uint16_t *id)
{
	uint16_t place = q->avail, at = q->spare, flags;
	bool wrap = q->avail_wrap;
	int n = 0;

	do {
		uint64_t ipa = q->setup.part[PART_DESC] + desc_at(place);
		struct desc d;

		flags = private_load16(vm, ipa + DESC_FLAGS);
		if (!n && (is_flag(flags, DESC_AVAIL) != wrap || is_flag(flags, DESC_USED) == wrap))
			return -1;
		if (at >= q->setup.size || !private_read(vm, ipa, &d, sizeof(d)))
			return 0;
		*id = d.flags;
		d.flags = flags & (DESC_NEXT | DESC_WRITE | DESC_INDIRECT);
		d.next = q->record[at].next;
		if ((d.flags & DESC_INDIRECT) && (n || !indirect_ok(vm, q, &d)))
			return 0;
		q->record[at] = d;
		at = d.next;
		advance(q, &place, &wrap, 1);
		n++;
	} while (flags & DESC_NEXT);
	return n;
}

static bool take(struct vm *vm, struct queue *q, enum queue_need *need)
{
	uint32_t ring = q->shadow[PART_DESC];
	unsigned first = q->spare, last = first;
	int n = record_chain(vm, q, &q->put_id);

	if (n < 0)
		return false;
	if (!n || q->put_id >= q->setup.size || q->flight[q->put_id].bytes) {
		queue_break(vm, q, "guest: no such chain");
		return false;
	}
	if (!chain_out(vm, q, q->put_id, first, n, put, need))
		return false;
	for (int i = 1; i < n; i++)
		last = q->record[last].next;
	q->spare = q->record[last].next;
	if (!bounce_write(&vm->io.bounce, ring + desc_at(q->avail) + DESC_FLAGS, &q->head_flags,
			  sizeof(q->head_flags))) {
		queue_break(vm, q, NO_BOUNCE);
		return false;
	}
	advance(q, &q->avail, &q->avail_wrap, n);
	q->added += n;
	return true;
}

static bool publish(struct vm *vm, struct queue *q)
{
	struct event e = {.flags = EVENT_DISABLE};
	uint16_t added = q->added, place;

	q->added = 0;
	if (!bounce_read(&vm->io.bounce, q->shadow[PART_DEVICE], &e, sizeof(e)))
		queue_break(vm, q, NO_BOUNCE);
	if (e.flags != EVENT_DESC || !q->setup.event_idx)
		return e.flags != EVENT_DISABLE;
	place = e.place & ((1 << WRAP) - 1);
	if (e.place >> WRAP != q->avail_wrap)
		place -= q->setup.size;
	return (uint16_t)(q->avail - place - 1) < added;
}

static bool finish(struct vm *vm, struct queue *q)
{
	uint64_t at = desc_at(q->used) + DESC_LEN;
	struct used_desc u = {.flags = wrap_flags(!q->used_wrap, !q->used_wrap)};
	uint64_t ipa = q->setup.part[PART_DESC] + at;
	unsigned first, n;

	if (!bounce_read(&vm->io.bounce, q->shadow[PART_DESC] + at, &u, sizeof(u)))
		queue_break(vm, q, NO_BOUNCE);
	if (!q->flying || is_flag(u.flags, DESC_USED) != q->used_wrap ||
	    is_flag(u.flags, DESC_AVAIL) != q->used_wrap)
		return false;
	if (u.id >= q->setup.size || !q->flight[u.id].bytes) {
		queue_break(vm, q, NOT_IN_FLIGHT);
		return false;
	}
	first = q->flight[u.id].first;
	n = q->flight[u.id].descs;
	if (!chain_in(vm, q, u.id, &u.len)) {
		queue_break(vm, q, NOT_IN_FLIGHT);
		return false;
	}
	free_records(q, first, n);
	private_write(vm, ipa, &u, sizeof(u) - sizeof(u.flags));
	private_store16(vm, ipa + sizeof(u) - sizeof(u.flags),
			wrap_flags(q->used_wrap, q->used_wrap) | (u.flags & DESC_WRITE));
	advance(q, &q->used, &q->used_wrap, n);
	return true;
}

const struct ring packed_ring = {
	.offset = part_offset,
	.bytes = part_bytes,
	.start = start,
	.take = take,
	.ask = ask,
	.publish = publish,
	.finish = finish,
};
