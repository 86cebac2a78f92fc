// SPDX-License-Identifier: BSD-3-Clause
/*
 * Chains of descriptors, and the bytes that they name. What a chain has in bounce memory is in a
 * row: its large buffers in order, each at a page; its table, if it is indirect; its other buffers
 * in order. Where each lies follows from the lengths, and is worked out again when the chain comes
 * back. By then the guest may have changed an indirect table, to its own harm: all is held to what
 * was set aside for the chain.
 */
#include "bounce.h"
#include "private.h"
#include "queue.h"
#include "vm.h"

/* Back ends may want sectors to be aligned, and pages: what is not they copy once more. */
#define LARGE TV_PAGE_SIZE
#define SECTOR 512
#define ALIGN_SMALL 16 /* just to hold numbers */

#define AHEAD 4 /* descriptors of a table that are read at once */

struct walk {
	struct vm *vm;
	const struct queue *q;
	const struct flight *flight;
	uint64_t table; /* 0: q->record */
	uint32_t size, at, left;
	bool more;
	uint64_t large, small;     /* behind the last of both sorts, from the start of each */
	uint32_t read_from, reads; /* descriptors of the table that are in read[] */
	struct desc read[AHEAD];
};

/* From its start; what was read ahead is not read again. */
static void walk_again(struct walk *w)
{
	const struct desc *d = &w->q->record[w->flight->first];

	w->at = w->table ? 0 : w->flight->first;
	w->small = w->table ? d->len : 0;
	w->large = 0;
	w->left = w->size;
	w->more = true;
}

static void walk_start(struct walk *w, struct vm *vm, const struct queue *q, const struct flight *f)
{
	const struct desc *d = &q->record[f->first];

	w->vm = vm;
	w->q = q;
	w->flight = f;
	w->table = d->flags & DESC_INDIRECT ? d->ipa : 0;
	w->size = w->table ? d->len / sizeof(*d) : q->setup.size;
	w->reads = 0;
	walk_again(w);
}

bool indirect_ok(const struct vm *vm, const struct queue *q, const struct desc *d)
{
	return q->setup.indirect && !(d->flags & DESC_NEXT) && d->len && !(d->len % sizeof(*d)) &&
	       d->len <= QUEUE_MOST * sizeof(*d) && vm_all_ram(vm, d->ipa, d->len);
}

static bool read_table(struct walk *w, struct desc *d)
{
	uint32_t n = w->size - w->at < AHEAD ? w->size - w->at : AHEAD;

	if (w->at - w->read_from >= w->reads) {
		if (!private_read(w->vm, w->table + w->at * sizeof(*d), w->read, n * sizeof(*d)))
			return false;
		w->read_from = w->at;
		w->reads = n;
	}
	*d = w->read[w->at - w->read_from];
	return true;
}

/* Has the guest changed its table meanwhile, so that the chain needs more? */
static bool has_grown(const struct walk *w)
{
	return w->large > w->flight->large || w->small > w->flight->bytes - w->flight->large;
}

/* The next descriptor, and its place. False: there is none; or one in error, with w->more set. */
static bool walk_next(struct walk *w, struct desc *d, uint64_t *place)
{
	uint64_t *behind, align;

	if (!w->more || w->at >= w->size || !w->left--)
		return false;
	if (!w->table)
		*d = w->q->record[w->at];
	else if (!read_table(w, d))
		return false;
	if (w->table && w->q->setup.packed) { /* id and flags; all of the table is the chain */
		d->flags = d->next & ~DESC_NEXT;
		d->next = w->at + 1;
		d->flags |= d->next < w->size ? DESC_NEXT : 0;
	}
	w->more = d->flags & DESC_NEXT;
	w->at = d->next;
	align = d->len >= LARGE ? LARGE : d->len >= SECTOR ? SECTOR : ALIGN_SMALL;
	behind = d->len >= LARGE ? &w->large : &w->small;
	*place = (*behind + align - 1) & ~(align - 1);
	*behind = *place + d->len;
	if (d->len < LARGE)
		*place += w->flight->large;
	return true;
}

/* All of the chain: how much it needs, and whether it is all there. False: it is in error. */
static bool measure(struct walk *w, struct flight *f, ipa_t *missing, bool *all_there)
{
	uint64_t in = 0, out = 0, place;
	struct desc d;

	*all_there = !w->table || !private_missing(w->vm, w->table, w->small, missing);
	if (!*all_there)
		return true;
	while (walk_next(w, &d, &place)) {
		if (d.len && !vm_all_ram(w->vm, d.ipa, d.len))
			return false;
		if (w->table && (d.flags & DESC_INDIRECT))
			return false;
		if (*all_there && private_missing(w->vm, d.ipa, d.len, missing))
			*all_there = false;
		*(d.flags & DESC_WRITE ? &in : &out) += d.len;
	}
	w->large = (w->large + SECTOR - 1) & ~(SECTOR - 1UL);
	f->large = w->large;
	f->bytes = w->large + w->small;
	f->in = in;
	f->posted = !out;
	return !w->more && w->large + w->small - 1 < (uint64_t)BOUNCE_MOST * TV_PAGE_SIZE;
}

/* Bounce memory for a queue of chains that the device is to write to some day, so that it is not
 * all with such: a console or a network card gets as many as its ring holds. */
#define POSTED_MOST 0x100000

/* The last of all is for queues that would else not go on. */
bool queue_may_go_on(const struct vm *vm, const struct queue *q)
{
	if (!q->flying)
		return true;
	return !bounce_scarce(&vm->io.bounce) && (!q->posts || q->held + q->needs <= POSTED_MOST);
}

/* Room for the chain in bounce memory. */
static bool reserve(struct vm *vm, struct queue *q, struct flight *f, enum queue_need *need)
{
	int ret = TV_ENOMEM;

	q->needs = f->bytes;
	q->posts = f->posted;
	if (queue_may_go_on(vm, q))
		ret = bounce_alloc(&vm->io.bounce, f->bytes, f->large ? LARGE : BOUNCE_UNIT,
				   &f->at);
	if (ret == TV_EINVAL)
		queue_break(vm, q, "guest: a chain larger than all bounce memory");
	q->starved = ret == TV_ENOMEM;
	if (ret == TV_AGAIN) {
		vm->io.wanted = f->bytes;
		*need = NEED_BOUNCE;
	}
	return ret == TV_OK;
}

/* The i-th descriptor of the chain as the back end gets to see it. */
static bool show(struct vm *vm, struct queue *q, const struct walk *w, const struct flight *f,
		 unsigned i, unsigned slot, const struct desc *d, put_desc_fn *put)
{
	struct desc shown = *d;

	shown.flags &= DESC_NEXT | DESC_WRITE;
	if (!w->table)
		return put(vm, q, i, slot, &shown);
	shown.next = i + 1;
	if (q->setup.packed) {
		shown.next = shown.flags & DESC_WRITE;
		shown.flags = 0;
	}
	return bounce_write(&vm->io.bounce, f->at + f->large + i * sizeof(shown), &shown,
			    sizeof(shown));
}

static bool copy_out(struct vm *vm, const struct queue *q, const struct desc *d, uint32_t at)
{
	return q->setup.frames ? balloon_show(vm, at, d->len)
			       : private_to_bounce(vm, d->ipa, at, d->len);
}

static bool copy_chain(struct vm *vm, struct queue *q, struct walk *w, const struct flight *f,
		       put_desc_fn *put)
{
	unsigned i = 0, slot = f->first;
	struct desc d;
	uint64_t place;
	bool ok = true;

	walk_again(w);
	for (; ok && walk_next(w, &d, &place); slot = w->at, i++) {
		if (has_grown(w))
			return false;
		ok = (d.flags & DESC_WRITE) || copy_out(vm, q, &d, f->at + place);
		if (!(d.flags & DESC_WRITE)) {
			q->stats.bytes_out += d.len;
			q->stats.copies++;
		}
		d.ipa = bounce_ipa(&vm->io.bounce, f->at + place);
		ok = ok && show(vm, q, w, f, i, slot, &d, put);
	}
	if (ok && w->table) {
		d = (struct desc){.ipa = bounce_ipa(&vm->io.bounce, f->at + f->large),
				  .len = i * sizeof(d),
				  .flags = DESC_INDIRECT};
		ok = put(vm, q, 0, f->first, &d);
	}
	return ok && !w->more;
}

/* More than any driver puts into a chain: bounds the work. */
#define FRAMES_BYTES (1024 * sizeof(uint32_t))

static bool drop_frames(struct vm *vm, struct walk *w, enum queue_need *need)
{
	uint32_t left = FRAMES_BYTES;
	uint64_t place;
	struct desc d;

	walk_again(w);
	while (left && walk_next(w, &d, &place)) {
		uint32_t n = d.len < left ? d.len : left;

		if (!(d.flags & DESC_WRITE) && !balloon_take(vm, d.ipa, n, need))
			return false;
		left -= n;
	}
	return true;
}

bool chain_out(struct vm *vm, struct queue *q, unsigned id, unsigned first, unsigned descs,
	       put_desc_fn *put, enum queue_need *need)
{
	struct flight f = {.first = first, .descs = descs};
	bool all_there;
	struct walk w;

	walk_start(&w, vm, q, &f);
	if (!measure(&w, &f, &vm->io.page, &all_there)) {
		queue_break(vm, q, "guest: a chain that is not whole");
		return false;
	}
	if (!all_there) {
		*need = NEED_PAGE;
		return false;
	}
	if (q->setup.drops && !drop_frames(vm, &w, need))
		return false;
	if (!reserve(vm, q, &f, need))
		return false;
	if (!copy_chain(vm, q, &w, &f, put)) {
		bounce_free(&vm->io.bounce, f.at, f.bytes);
		queue_break(vm, q, "a chain that changed");
		return false;
	}
	q->flight[id] = f;
	q->held += f.bytes;
	q->flying++;
	q->stats.requests++;
	return true;
}

bool chain_in(struct vm *vm, struct queue *q, unsigned id, uint32_t *len)
{
	struct flight *f = &q->flight[id];
	uint32_t left;
	struct walk w;
	struct desc d;
	uint64_t place;
	bool ok = true;

	if (*len > f->in)
		*len = f->in;
	left = *len;
	walk_start(&w, vm, q, f);
	while (ok && left && walk_next(&w, &d, &place) && !has_grown(&w)) {
		uint32_t n = left < d.len ? left : d.len;

		if (!(d.flags & DESC_WRITE))
			continue;
		ok = bounce_to_private(vm, f->at + place, d.ipa, n);
		left -= n;
		q->stats.copies++;
	}
	q->stats.bytes_in += *len - left;
	bounce_free(&vm->io.bounce, f->at, f->bytes);
	q->held -= f->bytes;
	f->bytes = 0;
	q->flying--;
	return ok;
}
