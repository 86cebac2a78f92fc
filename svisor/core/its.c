// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "devtree.h"
#include "esr.h"
#include "share.h"
#include "vcpu.h"

/* Registers: offsets in the ITS's window (IHI 0069 12.19), in a redistributor's (12.11). */
#define GITS_CTLR 0x0
#define GITS_CBASER 0x80
#define GITS_CWRITER 0x88
#define GITS_BASER 0x100
#define GITS_BASER_END 0x140
#define GICR_STRIDE 0x20000
#define GICR_PROPBASER 0x70
#define GICR_INVLPIR 0xa0
#define GICR_INVALLR 0xb0

#define CTLR_ENABLED 1ULL
#define BASER_INDIRECT (1ULL << 62)
#define CBASER_VALID (1ULL << 63)
#define CBASER_ADDRESS 0xfffffffff0000ULL /* 64 KiB aligned */
#define CBASER_SIZE(r) ((((r) & 0xff) + 1) * TV_PAGE_SIZE)
#define CWRITER_OFFSET(r) ((r) & 0xfffe0)
#define PROPBASER_ADDRESS 0xffffffffff000ULL
#define PROPBASER_BITS(r) (((r) & 0x1f) + 1)
#define LPI_BITS 16 /* all that KVM has */
#define LPI_FIRST 8192

_Static_assert(ITS_PIECES *TV_RUN_DATA_SIZE == (1 << LPI_BITS) - LPI_FIRST, "all properties");

/* A guest's write of a register, or of its half at offset + 4. */
struct write {
	uint64_t offset, value;
	unsigned bytes;
};

static bool window_ok(const struct vm *vm, struct range r)
{
	if (!page_aligned(r.base | r.size) || !range_ok(r.base, r.size, 1ULL << vm->npt.bits))
		return false;
	for (unsigned i = 0; i < vm->rams; i++) {
		if (ranges_overlap(r.base, r.size, vm->ram[i].base, vm->ram[i].size))
			return false;
	}
	return true;
}

void its_find(const struct devtree *dt, const struct dt_node *node)
{
	struct its *its = &dt->vm->its;
	struct range r;

	if (dt_compatible(dt, node, "arm,gic-v3-its")) {
		if (dt_reg(dt, node, 0, &r) && window_ok(dt->vm, r))
			its->its = r;
	} else if (dt_compatible(dt, node, "arm,gic-v3")) {
		if (dt_reg(dt, node, 1, &r) && window_ok(dt->vm, r)) /* 0 is the distributor */
			its->rd = r;
	}
}

static void put(uint64_t *reg, const struct write *w)
{
	unsigned shift = 8 * (w->offset & 4);
	uint64_t mask = keep_bytes(~0ULL, w->bytes) << shift;

	*reg = (*reg & ~mask) | w->value << shift;
}

/* For seeing changes, not against forgery: two contents that differ in one word never have the
 * same sum, others hardly ever. */
static uint64_t sum_of(const uint64_t *data, size_t words)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < words; i++) {
		sum = (sum ^ data[i]) * 0x9e3779b97f4a7c15;
		sum ^= sum >> 32;
	}
	return sum;
}

/* Hands `size` bytes at `ipa`, all in one page, to the N-visor. False: it has them, by *sum, or
 * the guest's pointer leads out of RAM. */
static bool copy(struct vm *vm, struct vcpu *v, uint64_t ipa, uint64_t size, uint64_t *sum)
{
	uint64_t data[TV_RUN_DATA_SIZE / 8];

	if (!vm_is_ram(vm, ipa))
		return false;
	vm_read(vm, IPA(ipa), data, size);
	if (sum) {
		uint64_t now = sum_of(data, size / 8);

		if (now && now == *sum)
			return false;
		*sum = now;
	}
	share_data(data, size); /* if that fails, so will showing the exit */
	v->copy = IPA(ipa);
	v->copy_size = size;
	return true;
}

/* New commands, from what was sent up to `to`; the queue is a ring. */
static bool copy_commands(struct vm *vm, struct vcpu *v, uint64_t to)
{
	struct its *its = &vm->its;
	uint64_t size = CBASER_SIZE(its->cbaser);

	/* No queue, or the guest's mistake: the vITS ignores it. */
	if (!(its->cbaser & CBASER_VALID) || to >= size)
		return false;
	while (its->sent != to) {
		uint64_t from = its->sent;
		uint64_t n = (to > from ? to : size) - from;
		uint64_t left = TV_RUN_DATA_SIZE - from % TV_RUN_DATA_SIZE;

		n = n < left ? n : left;
		its->sent = (from + n) % size;
		its->due = true;
		if (copy(vm, v, (its->cbaser & CBASER_ADDRESS) + from, n, NULL))
			return true;
	}
	return false;
}

static bool copy_properties(struct vm *vm, struct vcpu *v)
{
	struct its *its = &vm->its;
	unsigned bits = PROPBASER_BITS(its->propbaser);
	uint64_t lpis = 1ULL << (bits < LPI_BITS ? bits : LPI_BITS);

	while (LPI_FIRST + its->at * TV_RUN_DATA_SIZE < lpis) {
		unsigned i = its->at++;

		if (copy(vm, v, (its->propbaser & PROPBASER_ADDRESS) + i * TV_RUN_DATA_SIZE,
			 TV_RUN_DATA_SIZE, &its->sum[i]))
			return true;
	}
	return false;
}

/*
 * Before the vITS acts on a write: commands up to `to`; properties if it reads them now, because
 * of the write itself (`reads`) or of commands. At other times the table may be long gone, and
 * its memory in other use. One vCPU at a time: what another has found unchanged would else be on
 * its way still.
 */
static uint64_t update(struct vm *vm, struct vcpu *v, uint64_t to, bool reads)
{
	struct its *its = &vm->its;

	if (its->owner && its->owner != v->index + 1)
		return TV_EXIT_IRQ;
	its->owner = v->index + 1;
	if (copy_commands(vm, v, to))
		return TV_EXIT_COPY;
	if ((reads || (its->due && its->enabled)) && copy_properties(vm, v))
		return TV_EXIT_COPY;
	its->due = its->due && !its->enabled;
	its->owner = its->at = 0;
	return TV_EXIT_MMIO;
}

/* Level-1 tables would be read: the guest is told that there are flat ones only. */
static void hide_indirect(struct vcpu *v, const struct write *w)
{
	uint64_t seen = 0;

	put(&seen, &(struct write){w->offset, keep_bytes(~0ULL, w->bytes), w->bytes});
	v->shown &= ~((seen & BASER_INDIRECT) >> 8 * (w->offset & 4));
}

static uint64_t write_its(struct vm *vm, struct vcpu *v, const struct write *w)
{
	struct its *its = &vm->its;

	switch (w->offset) {
	case GITS_CTLR: /* commands written before count now */
		its->enabled = w->value & CTLR_ENABLED;
		return update(vm, v, its->sent, false);
	case GITS_CWRITER:
		return update(vm, v, CWRITER_OFFSET(w->value), false);
	case GITS_CBASER:
	case GITS_CBASER + 4:
		put(&its->cbaser, w);
		its->sent = 0; /* GITS_CREADR becomes 0 */
		break;
	default:
		if (w->offset - GITS_BASER < GITS_BASER_END - GITS_BASER)
			hide_indirect(v, w);
	}
	return TV_EXIT_MMIO;
}

static uint64_t write_rd(struct vm *vm, struct vcpu *v, const struct write *w)
{
	struct its *its = &vm->its;
	uint64_t old = its->propbaser;

	switch (w->offset) {
	case GICR_INVLPIR:
	case GICR_INVALLR:
		return update(vm, v, its->sent, true);
	case GICR_PROPBASER:
	case GICR_PROPBASER + 4:
		put(&its->propbaser, w);
		if ((old ^ its->propbaser) & PROPBASER_ADDRESS)
			memset(its->sum, 0, sizeof(its->sum));
		break;
	}
	return TV_EXIT_MMIO;
}

uint64_t its_access(struct vm *vm, struct vcpu *v, uint64_t addr, bool write, unsigned bytes)
{
	const struct its *its = &vm->its;
	bool in_its = addr - its->its.base < its->its.size;
	struct write w = {.bytes = bytes, .value = v->shown};

	assert_held(&vm->lock);
	if (!in_its && addr - its->rd.base >= its->rd.size)
		return TV_EXIT_MMIO;
	/* Words and doublewords: the vITS ignores all else. */
	if (!write || bytes < 4 || addr % bytes)
		return TV_EXIT_MMIO;
	w.offset = in_its ? addr - its->its.base : (addr - its->rd.base) % GICR_STRIDE;
	return in_its ? write_its(vm, v, &w) : write_rd(vm, v, &w);
}
