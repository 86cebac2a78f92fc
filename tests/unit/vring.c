// SPDX-License-Identifier: BSD-3-Clause
/* Both ends of a virtqueue: the guest's driver, and the back end on its own view of the ring. */
#include "virtio.h"

#define AVAIL 0x80 /* flags of a packed descriptor */
#define USED 0x8000

#define OUT_AT (DATA + 0xff8) /* of check_works */
#define IN_AT (DATA + 0x5ff0)
#define TABLE_AT (DATA + 0xaff0)

void negotiate(const struct card *c, uint64_t features)
{
	uint64_t offered;

	put_reg(c, STATUS, 0);
	put_reg(c, STATUS, 1);
	put_reg(c, STATUS, 3);
	put_reg(c, OFFERED_SELECT, 0);
	offered = get_reg(c, OFFERED);
	put_reg(c, OFFERED_SELECT, 1);
	offered |= get_reg(c, OFFERED) << 32;
	for (unsigned half = 0; half < 2; half++) {
		put_reg(c, ACCEPTED_SELECT, half);
		put_reg(c, ACCEPTED, (uint32_t)((features & offered) >> 32 * half));
	}
	put_reg(c, STATUS, 11);
}

static uint64_t told(const struct ring *r, unsigned part)
{
	const uint32_t *q = r->card->back->queue[r->index];

	return q[PART + 2 * part] | (uint64_t)q[PART + 2 * part + 1] << 32;
}

static void ring_clear(const struct ring *r)
{
	static const uint8_t zero[0x8000];

	private_put(r->part[DESC], zero, 16 * r->size);
	private_put(r->part[DRIVER], zero, r->packed ? 4 : 6 + 2 * r->size);
	private_put(r->part[DEVICE_PART], zero, r->packed ? 4 : 6 + 8 * r->size);
}

struct ring ring_new(const struct card *c, unsigned index, unsigned size, uint64_t at, bool packed)
{
	uint64_t desc = (16 * size + 0xfff) & ~0xfffUL;
	struct ring r = {.card = c, .index = index, .size = size, .packed = packed};

	r.avail_wrap = r.used_wrap = r.b_avail_wrap = r.b_used_wrap = true;
	r.part[DESC] = at;
	r.part[DRIVER] = at + desc;
	r.part[DEVICE_PART] = at + desc + 0x1000;
	ring_clear(&r);
	put_reg(c, QUEUE, index);
	put_reg(c, SIZE, size);
	for (unsigned i = 0; i < 6; i++)
		put_reg(c, PART + i, (uint32_t)(r.part[i / 2] >> 32 * (i & 1)));
	put_reg(c, READY, 1);
	for (unsigned i = 0; i < 3; i++)
		r.back[i] = told(&r, i);
	return r;
}

struct ring ring_start(const struct card *c, uint64_t features, unsigned size)
{
	struct ring r;

	negotiate(c, features | F_VERSION_1);
	r = ring_new(c, 0, size, RINGS, features & F_PACKED);
	r.event_idx = features & F_EVENT_IDX;
	r.features = features;
	put_reg(c, STATUS, 15);
	check(!needs_reset(c));
	return r;
}

struct ring mmio_ring(struct card *c, unsigned most, uint64_t features)
{
	io_start(most);
	*c = mmio_card(0);
	return ring_start(c, features, 16);
}

struct ring ring_legacy(const struct card *c, unsigned index, unsigned size, uint64_t at,
			uint32_t align)
{
	struct ring r = {.card = c, .index = index, .size = size, .part = {at}};
	uint64_t back;

	put_reg(c, QUEUE, index);
	put_reg(c, SIZE, size);
	r.part[DRIVER] = at + 16 * size;
	r.part[DEVICE_PART] = (at + 18 * size + 6 + align - 1) & -(uint64_t)align;
	ring_clear(&r);
	put_reg(c, ALIGN, align);
	put_reg(c, PFN, at / c->back->reg[GUEST_PAGE]);
	back = (uint64_t)c->back->queue[index][PFN] * c->back->reg[GUEST_PAGE];
	for (unsigned i = 0; i < 3; i++)
		r.back[i] = back + r.part[i] - at;
	return r;
}

bool needs_reset(const struct card *c)
{
	return get_reg(c, STATUS) & NEEDS_RESET;
}

/* ---- the guest ------------------------------------------------------------ */

static void step(uint16_t *at, bool *wrap, unsigned size, unsigned n)
{
	for (; n; n--) {
		if (++*at == size) {
			*at = 0;
			*wrap = !*wrap;
		}
	}
}

void put_desc(const struct ring *r, unsigned i, struct vdesc d)
{
	private_put(r->part[DESC] + 16 * i, &d, sizeof(d));
}

void put_avail(struct ring *r, unsigned head)
{
	uint16_t value = head;

	private_put(r->part[DRIVER] + 4 + 2 * (r->avail % r->size), &value, 2);
	value = ++r->avail;
	private_put(r->part[DRIVER] + 2, &value, 2);
}

/* The next packed descriptor. */
static void put_packed(struct ring *r, struct vdesc d)
{
	d.next |= r->avail_wrap ? AVAIL : USED;
	put_desc(r, r->avail, d);
	step(&r->avail, &r->avail_wrap, r->size, 1);
}

void post(struct ring *r, unsigned id, const struct buffer *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint16_t flags = b[i].flags | (i + 1 < n ? NEXT : 0);

		if (r->packed)
			put_packed(r, (struct vdesc){b[i].addr, b[i].len, id, flags});
		else
			put_desc(
				r, (id + i) % r->size,
				(struct vdesc){b[i].addr, b[i].len, flags, (id + i + 1) % r->size});
	}
	if (!r->packed)
		put_avail(r, id);
}

void post_table(struct ring *r, unsigned id, uint64_t table, const struct buffer *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint16_t flags = b[i].flags | (!r->packed && i + 1 < n ? NEXT : 0);
		struct vdesc d = {b[i].addr, b[i].len, flags, i + 1};

		if (r->packed)
			d = (struct vdesc){b[i].addr, b[i].len, 0, flags};
		private_put(table + 16 * i, &d, sizeof(d));
	}
	if (r->packed) {
		put_packed(r, (struct vdesc){table, 16 * n, id, INDIRECT});
		return;
	}
	put_desc(r, id, (struct vdesc){table, 16 * n, INDIRECT, 0});
	put_avail(r, id);
}

bool kick(const struct ring *r)
{
	host_counter += 1000000; /* not a busy queue's */
	return kick_soon(r);
}

bool kick_soon(const struct ring *r)
{
	bool heard = guest_write(r->card->notify + (r->card->pci ? 4 * r->index : 0),
				 r->card->pci ? 2 : 4, r->index);

	if (r->event_idx && !r->packed) /* avail_event */
		expect_any(r->part[DEVICE_PART] + 4 + 8 * r->size, 2);
	return heard;
}

static bool packed_used(struct ring *r, unsigned *id, uint32_t *len, unsigned descs)
{
	struct vdesc d;

	private_get(r->part[DESC] + 16 * r->used, &d, sizeof(d));
	if (!!(d.next & AVAIL) != r->used_wrap || !!(d.next & USED) != r->used_wrap)
		return false;
	*id = d.flags;
	*len = d.len;
	expect(r->part[DESC] + 16 * r->used, &d, sizeof(d));
	step(&r->used, &r->used_wrap, r->size, descs);
	return true;
}

bool g_used(struct ring *r, unsigned *id, uint32_t *len, unsigned descs)
{
	uint64_t at = r->part[DEVICE_PART] + 4 + 8 * (r->used % r->size);
	uint16_t index;

	if (r->packed)
		return packed_used(r, id, len, descs);
	private_get(r->part[DEVICE_PART] + 2, &index, 2);
	if (index == r->used)
		return false;
	private_get(at, id, 4);
	private_get(at + 4, len, 4);
	expect_any(at, 8);
	r->used++;
	expect(r->part[DEVICE_PART] + 2, &r->used, 2);
	return true;
}

/* ---- the back end --------------------------------------------------------- */

static struct vdesc b_desc(uint64_t table, unsigned i)
{
	struct vdesc d;

	back_get(table + 16 * i, &d, sizeof(d));
	return d;
}

static void see_table(struct ring *r, struct seen *s, struct vdesc head)
{
	unsigned n = head.len / 16;

	check_eq(head.len % 16, 0);
	for (unsigned i = 0; i < n; i++) {
		struct vdesc d = b_desc(head.addr, i);

		check(s->n < 64);
		if (!r->packed) {
			check_eq(!!(d.flags & NEXT), i + 1 < n);
			check(i + 1 == n || d.next == i + 1);
		}
		s->d[s->n++] = r->packed ? (struct vdesc){d.addr, d.len, d.next, 0} : d;
	}
}

static bool packed_next(struct ring *r, struct seen *s)
{
	struct vdesc d = b_desc(r->back[DESC], r->b_avail);

	if (!!(d.next & AVAIL) != r->b_avail_wrap || !!(d.next & USED) == r->b_avail_wrap)
		return false;
	do {
		d = b_desc(r->back[DESC], r->b_avail);
		s->id = d.flags;
		if (d.next & INDIRECT)
			see_table(r, s, d);
		else
			s->d[s->n++] = (struct vdesc){d.addr, d.len, d.next, 0};
		step(&r->b_avail, &r->b_avail_wrap, r->size, 1);
	} while (d.next & NEXT);
	return true;
}

bool b_next(struct ring *r, struct seen *s)
{
	struct vdesc d;
	unsigned i;

	s->n = 0;
	if (r->packed)
		return packed_next(r, s);
	if (back_get16(r->back[DRIVER] + 2) == r->b_avail)
		return false;
	i = s->id = back_get16(r->back[DRIVER] + 4 + 2 * (r->b_avail++ % r->size));
	do {
		d = b_desc(r->back[DESC], i);
		if (d.flags & INDIRECT)
			see_table(r, s, d);
		else
			s->d[s->n++] = d;
		i = d.next;
	} while (d.flags & NEXT);
	return true;
}

void b_use(struct ring *r, unsigned id, uint32_t len, unsigned descs)
{
	uint64_t at = r->back[DESC] + 16 * r->b_used + 8;
	uint32_t e[2] = {id, len};

	if (r->packed) {
		back_put(at, &len, 4);
		back_put16(at + 4, id);
		back_put16(at + 6, r->b_used_wrap ? AVAIL | USED : 0);
		step(&r->b_used, &r->b_used_wrap, r->size, descs);
		return;
	}
	back_put(r->back[DEVICE_PART] + 4 + 8 * (r->b_used % r->size), e, sizeof(e));
	back_put16(r->back[DEVICE_PART] + 2, ++r->b_used);
}

void b_ask(const struct ring *r)
{
	if (!r->event_idx)
		return;
	if (!r->packed) {
		back_put16(r->back[DEVICE_PART] + 4 + 8 * r->size, r->b_avail);
		return;
	}
	back_put16(r->back[DEVICE_PART], r->b_avail | r->b_avail_wrap << 15);
	back_put16(r->back[DEVICE_PART] + 2, 2);
}

/* ---- both ----------------------------------------------------------------- */

static void fill(uint8_t *p, uint32_t n, unsigned seed)
{
	for (uint32_t i = 0; i < n; i++)
		p[i] = seed + i / 7;
}

static void serve_request(struct ring *r, unsigned id, const uint8_t *out, const uint8_t *in,
			  uint32_t n, unsigned descs)
{
	static uint8_t got[0x4000];
	struct seen s;

	check(b_next(r, &s));
	check_eq(s.id, id);
	check_eq(s.n, 2);
	check_eq(s.d[0].flags & (WRITE | INDIRECT), 0);
	check_eq(s.d[1].flags & (WRITE | INDIRECT), WRITE);
	check_eq(s.d[0].len, n);
	check_eq(s.d[1].len, n);
	back_get(s.d[0].addr, got, n);
	check(!memcmp(got, out, n));
	back_put(s.d[1].addr, in, n);
	check(!b_next(r, &s));
	b_use(r, id, n, descs);
}

static void round_trip(struct ring *r, unsigned id, uint32_t n, uint64_t table)
{
	const struct buffer b[] = {{OUT_AT, n, 0}, {IN_AT, n, WRITE}};
	unsigned descs = table ? 1 : 2;
	static uint8_t out[0x4000], in[0x4000];
	unsigned used;
	uint32_t len;

	fill(out, n, id);
	fill(in, n, id + 0x55);
	private_put(OUT_AT, out, n);
	b_ask(r);
	if (table)
		post_table(r, id, table, b, 2);
	else
		post(r, id, b, 2);
	check(kick(r));
	serve_request(r, id, out, in, n, descs);
	check(!g_used(r, &used, &len, descs));
	enter();
	check(g_used(r, &used, &len, descs));
	check_eq(used, id);
	check_eq(len, n);
	expect(IN_AT, in, n);
	check_private();
}

void check_works(struct ring *r, unsigned id, uint32_t n)
{
	round_trip(r, id, n, 0);
}

void check_table_works(struct ring *r, unsigned id, uint32_t n)
{
	round_trip(r, id, n, TABLE_AT);
}

void check_broken(struct ring *r)
{
	check(needs_reset(r->card));
	check(!kick(r));
	enter();
	check_private();
	*r = ring_start(r->card, r->features, r->size);
	check_works(r, 0, 100);
}

#define SPOT(i) (DATA + 24UL * (i)) /* of churn */

static void answer(struct ring *r, uint64_t value)
{
	struct seen s;

	for (; b_next(r, &s); value += s.n) {
		check_eq(s.n, 1);
		check_eq(s.d[0].len, 16);
		back_put(s.d[0].addr, &value, 8);
		b_use(r, s.id, 8, 1);
	}
}

void churn(struct ring *r, unsigned rounds, unsigned batch)
{
	unsigned id;
	uint32_t len;

	for (uint64_t n = 0; n < (uint64_t)rounds * batch; n += batch) {
		for (unsigned i = 0; i < batch; i++)
			post(r, i, &(struct buffer){SPOT(i), 16, WRITE}, 1);
		b_ask(r);
		check(kick(r));
		answer(r, n);
		enter();
		for (uint64_t i = 0, value, want; i < batch; i++) {
			check(g_used(r, &id, &len, 1));
			check_eq(id, i);
			check_eq(len, 8);
			private_get(SPOT(i), &value, 8);
			want = n + i;
			check_eq(value, want);
			expect(SPOT(i), &want, 8);
		}
		check(!g_used(r, &id, &len, 1));
	}
	check_private();
}
