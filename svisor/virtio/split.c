// SPDX-License-Identifier: BSD-3-Clause
/* Split rings (virtio 1.2, 2.7). Records have the places that descriptors have in the ring. */
#include "bounce.h"
#include "private.h"
#include "queue.h"
#include "vm.h"

#define RING_INDEX 2 /* offsets in the driver's and in the device's part: flags, index, ring */
#define RING 4
#define NO_NOTIFY 1 /* flags of the device's part */

struct used_elem {
	uint32_t id, len;
};

static uint64_t avail_at(const struct queue *q, uint16_t index)
{
	return RING + sizeof(uint16_t) * (index % q->setup.size);
}

static uint64_t used_at(const struct queue *q, uint16_t index)
{
	return RING + sizeof(struct used_elem) * (index % q->setup.size);
}

/* Behind the ring: which used element the driver waits for ... */
static uint32_t used_event(const struct queue *q)
{
	return RING + sizeof(uint16_t) * q->setup.size;
}

/* ... and which available one the device does. */
static uint32_t avail_event(const struct queue *q)
{
	return RING + sizeof(struct used_elem) * q->setup.size;
}

static uint32_t part_bytes(const struct queue_setup *s, enum queue_part part)
{
	switch (part) {
	case PART_DESC:
		return sizeof(struct desc) * s->size;
	case PART_DRIVER:
		return RING + sizeof(uint16_t) * (s->size + 1);
	default:
		return RING + sizeof(struct used_elem) * s->size + sizeof(uint16_t);
	}
}

static uint32_t part_offset(const struct queue_setup *s, enum queue_part part)
{
	uint32_t driver = part_bytes(s, PART_DESC);
	uint32_t device = (driver + part_bytes(s, PART_DRIVER) + s->align - 1) & ~(s->align - 1);

	switch (part) {
	case PART_DESC:
		return 0;
	case PART_DRIVER:
		return driver;
	case PART_DEVICE:
		return device;
	default:
		return device + part_bytes(s, PART_DEVICE);
	}
}

/* Without avail_event, the guest tells of each new chain. */
static void start(struct vm *vm, struct queue *q)
{
	private_store16(vm, q->setup.part[PART_DEVICE], 0);
	if (q->setup.event_idx)
		private_store16(vm, q->setup.part[PART_DEVICE] + avail_event(q), 0);
}

static bool put(struct vm *vm, struct queue *q, unsigned i, unsigned record, const struct desc *d)
{
	(void)i;
	return bounce_write(&vm->io.bounce, q->shadow[PART_DESC] + record * sizeof(*d), d,
			    sizeof(*d));
}

/* Copies the chain's descriptors into records. Their number, or 0: they are in error. */
static unsigned record_chain(struct vm *vm, struct queue *q, unsigned at)
{
	unsigned n = 0;
	struct desc *d;

	do {
		if (at >= q->setup.size || n == q->setup.size)
			return 0;
		d = &q->record[at];
		if (!private_read(vm, q->setup.part[PART_DESC] + at * sizeof(*d), d, sizeof(*d)))
			return 0;
		if ((d->flags & DESC_INDIRECT) && (n || !indirect_ok(vm, q, d)))
			return 0;
		at = d->next;
		n++;
	} while (d->flags & DESC_NEXT);
	return n;
}

static bool take(struct vm *vm, struct queue *q, enum queue_need *need)
{
	uint64_t driver = q->setup.part[PART_DRIVER];
	unsigned n = 0;
	uint16_t head;

	if (!q->posted)
		q->posted = private_load16(vm, driver + RING_INDEX) - q->avail;
	if (!q->posted)
		return false;
	head = private_load16(vm, driver + avail_at(q, q->avail));
	if (q->posted <= q->setup.size && head < q->setup.size && !q->flight[head].bytes)
		n = record_chain(vm, q, head);
	if (!n) {
		queue_break(vm, q, "guest: no such chain");
		return false;
	}
	if (!chain_out(vm, q, head, head, n, put, need))
		return false;
	if (!bounce_write(&vm->io.bounce, q->shadow[PART_DRIVER] + avail_at(q, q->avail), &head,
			  sizeof(head))) {
		queue_break(vm, q, NO_BOUNCE);
		return false;
	}
	q->avail++;
	q->posted--;
	q->added++;
	return true;
}

/* An avail_event that lies behind asks for nothing, till the index has gone round. */
static void ask(struct vm *vm, struct queue *q, bool tell)
{
	if (tell && q->setup.event_idx)
		private_store16(vm, q->setup.part[PART_DEVICE] + avail_event(q), q->avail);
}

/* bounce_write and bounce_read are barriers, as a driver needs them here. */
static bool publish(struct vm *vm, struct queue *q)
{
	uint32_t device = q->shadow[PART_DEVICE];
	uint16_t said = NO_NOTIFY, added = q->added;

	q->added = 0;
	if (!bounce_write(&vm->io.bounce, q->shadow[PART_DRIVER] + RING_INDEX, &q->avail,
			  sizeof(q->avail)) ||
	    !bounce_read(&vm->io.bounce, device + (q->setup.event_idx ? avail_event(q) : 0), &said,
			 sizeof(said)))
		queue_break(vm, q, NO_BOUNCE);
	if (!q->setup.event_idx)
		return !(said & NO_NOTIFY);
	return (uint16_t)(q->avail - said - 1) < added;
}

static bool finish(struct vm *vm, struct queue *q)
{
	uint32_t device = q->shadow[PART_DEVICE];
	uint16_t index = q->used;
	struct used_elem e = {0};

	if (!q->done) {
		if (!bounce_read(&vm->io.bounce, device + RING_INDEX, &index, sizeof(index)))
			queue_break(vm, q, NO_BOUNCE);
		q->done = index - q->used;
	}
	if (!q->done)
		return false;
	if (q->broken || q->done > q->flying ||
	    !bounce_read(&vm->io.bounce, device + used_at(q, q->used), &e, sizeof(e)) ||
	    e.id >= q->setup.size || !q->flight[e.id].bytes || !chain_in(vm, q, e.id, &e.len)) {
		queue_break(vm, q, NOT_IN_FLIGHT);
		return false;
	}
	private_write(vm, q->setup.part[PART_DEVICE] + used_at(q, q->used), &e, sizeof(e));
	if (q->setup.event_idx && !q->owed) {
		q->owed = true;
		q->owed_from = q->used;
		q->since = counter_now();
	}
	q->used++;
	q->done--;
	return true;
}

static void deliver(struct vm *vm, struct queue *q)
{
	private_store16(vm, q->setup.part[PART_DEVICE] + RING_INDEX, q->used);
	if (q->setup.event_idx &&
	    !bounce_write(&vm->io.bounce, q->shadow[PART_DRIVER] + used_event(q), &q->used,
			  sizeof(q->used)))
		queue_break(vm, q, NO_BOUNCE);
}

static bool waits(struct vm *vm, const struct queue *q)
{
	uint16_t event = private_load16(vm, q->setup.part[PART_DRIVER] + used_event(q));

	return (uint16_t)(event - q->owed_from) < (uint16_t)(q->used - q->owed_from);
}

const struct ring split_ring = {
	.offset = part_offset,
	.bytes = part_bytes,
	.start = start,
	.take = take,
	.ask = ask,
	.publish = publish,
	.finish = finish,
	.deliver = deliver,
	.waits = waits,
};
