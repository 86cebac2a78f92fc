// SPDX-License-Identifier: BSD-3-Clause
#include "bounce.h"
#include "devtree.h"
#include "esr.h"
#include "private.h"
#include "vm.h"

/* Registers: offsets in the ITS's window (IHI 0069 12.19), in a redistributor's (12.11). */
#define GITS_CTLR 0x0
#define GITS_CBASER 0x80
#define GITS_CWRITER 0x88
#define GITS_BASER 0x100
#define GITS_BASER_END 0x140
#define GICR_STRIDE 0x20000
#define GICR_PROPBASER 0x70
#define GICR_PENDBASER 0x78
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
#define PENDBASER_PTZ (1ULL << 62)
#define LPI_BITS 16 /* all that KVM has */
#define LPI_FIRST 8192

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
	struct its *its = &dt->vm->io.its;
	struct range r;

	if (dt_compatible(dt, node, "arm,gic-v3-its")) {
		if (dt_reg(dt, node, 0, &r) && window_ok(dt->vm, r))
			its->its = r;
	} else if (dt_compatible(dt, node, "arm,gic-v3")) {
		if (dt_reg(dt, node, 1, &r) && window_ok(dt->vm, r)) /* 0 is the distributor */
			its->rd = r;
	}
}

/* A guest's access to a 64-bit register, or to its half at offset + 4. */
struct its_reg {
	uint64_t offset;
	unsigned shift, bytes;
};

static uint64_t mask_of(const struct its_reg *r)
{
	return keep_bytes(~0ULL, r->bytes) << r->shift;
}

static uint64_t put(uint64_t old, const struct its_reg *r, uint64_t value)
{
	return (old & ~mask_of(r)) | (value << r->shift & mask_of(r));
}

static uint64_t part(uint64_t value, const struct its_reg *r)
{
	return (value & mask_of(r)) >> r->shift;
}

/* Room in bounce memory for a table of so many bytes. False: *need. */
static bool make_shadow(struct vm *vm, struct its_shadow *s, uint32_t bytes, enum queue_need *need)
{
	int ret;

	if (s->bytes == bytes)
		return true;
	its_drop(vm, s);
	if (!bytes)
		return true;
	ret = bounce_alloc(&vm->io.bounce, bytes, BOUNCE_ALIGN, &s->at);
	s->bytes = ret == TV_OK ? bytes : 0;
	vm->io.wanted = bytes + BOUNCE_ALIGN;
	if (ret == TV_AGAIN)
		*need = NEED_BOUNCE;
	return ret != TV_AGAIN; /* without: LPIs do not work */
}

/* What the N-visor sees of an address register. */
static uint64_t shadow_of(const struct vm *vm, const struct its_shadow *s, uint64_t reg,
			  uint64_t address)
{
	uint64_t at = s->bytes ? bounce_ipa(&vm->io.bounce, s->at) : 0;

	return (reg & ~address) | (at & address);
}

/* Copies [from, from + size) of a table of the guest's. What it has never touched is left out. */
static void copy(struct vm *vm, const struct its_shadow *s, uint64_t table, uint32_t from,
		 uint32_t size)
{
	for (uint32_t n; size; from += n, size -= n) {
		uint32_t left = TV_PAGE_SIZE - (table + from) % TV_PAGE_SIZE;

		n = size < left ? size : left;
		private_to_bounce(vm, table + from, s->at + from, n);
	}
}

/* New commands, from what was sent up to `to`; the queue is a ring. */
static void copy_commands(struct vm *vm, uint64_t to)
{
	struct its *its = &vm->io.its;
	uint64_t size = CBASER_SIZE(its->cbaser), base = its->cbaser & CBASER_ADDRESS;

	/* No queue, or the guest's mistake: the vITS ignores it. */
	if (!(its->cbaser & CBASER_VALID) || its->queue.bytes != size || to >= size ||
	    its->sent == to)
		return;
	if (to < its->sent) {
		copy(vm, &its->queue, base, its->sent, size - its->sent);
		its->sent = 0;
	}
	copy(vm, &its->queue, base, its->sent, to - its->sent);
	its->sent = to;
	its->due = true;
}

/*
 * Before the vITS acts on a write: commands up to `to`; properties if it reads them now, because
 * of the write itself (`reads`) or of commands. At other times the table may be long gone, and
 * its memory in other use.
 */
static void update(struct vm *vm, uint64_t to, bool reads)
{
	struct its *its = &vm->io.its;

	copy_commands(vm, to);
	if (!reads && !(its->due && its->enabled))
		return;
	its->due = its->due && !its->enabled;
	copy(vm, &its->table, its->propbaser & PROPBASER_ADDRESS, 0, its->table.bytes);
}

static enum write_fate write_cbaser(struct vm *vm, const struct its_reg *r, uint64_t *value,
				    enum queue_need *need)
{
	struct its *its = &vm->io.its;
	uint64_t new = put(its->cbaser, r, *value);

	if (!make_shadow(vm, &its->queue, CBASER_SIZE(new), need))
		return WRITE_AGAIN;
	its->cbaser = new;
	its->sent = 0; /* GITS_CREADR becomes 0 */
	*value = part(shadow_of(vm, &its->queue, new, CBASER_ADDRESS), r);
	return WRITE_SHOW;
}

static uint32_t table_bytes(uint64_t propbaser)
{
	unsigned bits = PROPBASER_BITS(propbaser);
	uint32_t lpis = 1U << (bits < LPI_BITS ? bits : LPI_BITS);

	return lpis > LPI_FIRST ? lpis - LPI_FIRST : 0;
}

static enum write_fate write_propbaser(struct vm *vm, const struct its_reg *r, uint64_t *value,
				       enum queue_need *need)
{
	struct its *its = &vm->io.its;
	uint64_t new = put(its->propbaser, r, *value);

	if (!make_shadow(vm, &its->table, table_bytes(new), need))
		return WRITE_AGAIN;
	its->propbaser = new;
	*value = part(shadow_of(vm, &its->table, new, PROPBASER_ADDRESS), r);
	return WRITE_SHOW;
}

static enum write_fate write_its(struct vm *vm, const struct its_reg *r, uint64_t *value,
				 enum queue_need *need)
{
	struct its *its = &vm->io.its;

	switch (r->offset) {
	case GITS_CTLR: /* commands written before count now */
		its->enabled = *value & CTLR_ENABLED;
		update(vm, its->sent, false);
		break;
	case GITS_CWRITER:
		if (!r->shift)
			update(vm, CWRITER_OFFSET(*value), false);
		break;
	case GITS_CBASER:
		return write_cbaser(vm, r, value, need);
	default: /* level-1 tables would be read: the guest is told that there are flat ones only */
		if (r->offset - GITS_BASER < GITS_BASER_END - GITS_BASER)
			*value &= ~part(BASER_INDIRECT, r);
	}
	return WRITE_SHOW;
}

/* Pending tables are all zero for the vITS, wherever the guest has them. */
static enum write_fate write_rd(struct vm *vm, const struct its_reg *r, uint64_t *value,
				enum queue_need *need)
{
	switch (r->offset) {
	case GICR_INVLPIR:
	case GICR_INVALLR:
		update(vm, vm->io.its.sent, true);
		break;
	case GICR_PROPBASER:
		return write_propbaser(vm, r, value, need);
	case GICR_PENDBASER:
		*value |= part(PENDBASER_PTZ, r);
		break;
	}
	return WRITE_SHOW;
}

bool its_at(const struct vm *vm, uint64_t addr)
{
	const struct its *its = &vm->io.its;

	return addr - its->its.base < its->its.size || addr - its->rd.base < its->rd.size;
}

static bool in_its(const struct its *its, uint64_t addr)
{
	return addr - its->its.base < its->its.size;
}

static struct its_reg reg_at(const struct its *its, uint64_t addr, unsigned bytes)
{
	uint64_t at =
		in_its(its, addr) ? addr - its->its.base : (addr - its->rd.base) % GICR_STRIDE;

	return (struct its_reg){at & ~7ULL, at & 4 ? 32 : 0, bytes};
}

/* Words and doublewords: the vITS ignores all else. */
static bool is_access(uint64_t addr, unsigned bytes)
{
	return bytes >= 4 && addr % bytes == 0;
}

enum write_fate its_write(struct vm *vm, uint64_t addr, unsigned bytes, uint64_t *value,
			  enum queue_need *need)
{
	struct its_reg r = reg_at(&vm->io.its, addr, bytes);

	assert_held(&vm->lock);
	if (!is_access(addr, bytes))
		return WRITE_SHOW;
	return in_its(&vm->io.its, addr) ? write_its(vm, &r, value, need)
					 : write_rd(vm, &r, value, need);
}

uint64_t its_read(const struct vm *vm, uint64_t addr, unsigned bytes, uint64_t value)
{
	const struct its *its = &vm->io.its;
	struct its_reg r = reg_at(its, addr, bytes);
	uint64_t address = 0, written = 0;

	if (in_its(its, addr) && r.offset == GITS_CBASER) {
		written = its->cbaser;
		address = CBASER_ADDRESS;
	} else if (!in_its(its, addr) && r.offset == GICR_PROPBASER) {
		written = its->propbaser;
		address = PROPBASER_ADDRESS;
	}
	if (!is_access(addr, bytes))
		return value;
	return (value & ~part(address, &r)) | part(written & address, &r);
}

void its_drop(struct vm *vm, struct its_shadow *s)
{
	if (s->bytes)
		bounce_free(&vm->io.bounce, s->at, s->bytes);
	s->bytes = 0;
}
