// SPDX-License-Identifier: BSD-3-Clause
#include "bounce.h"
#include "fwcfg.h"
#include "private.h"
#include "vcpu.h"

#define DMA_HIGH 0x10 /* registers, big-endian */
#define DMA_LOW 0x14

#define CONTROL_ERROR 1u
#define CONTROL_READ 2u
#define CONTROL_SKIP 4u
#define CONTROL_SELECT 8u
#define CONTROL_WRITE 16u
#define CONTROL_DATA (CONTROL_READ | CONTROL_WRITE)
#define CONTROL_KEY 0xffff0000u

#define PIECE 0x40000u /* bytes */

struct request { /* big-endian */
	uint32_t control, length;
	uint64_t address;
};

#define BUFFER BOUNCE_UNIT /* offset of a piece's buffer behind its request */

static uint32_t be32(uint32_t x)
{
	return __builtin_bswap32(x);
}

static uint64_t be64(uint64_t x)
{
	return __builtin_bswap64(x);
}

/* What the guest finds when it is over. */
static void answer(struct vm *vm, uint64_t request, uint32_t control)
{
	control = be32(control);
	private_write(vm, request, &control, sizeof(control));
}

/* Takes the guest's request. False: it makes no sense, or *need. */
static bool begin(struct vm *vm, unsigned owner, uint64_t at, enum queue_need *need)
{
	struct fwcfg *f = &vm->io.fwcfg;
	struct request r;

	if (!vm_all_ram(vm, at, sizeof(r)) || !private_read(vm, at, &r, sizeof(r)))
		return false;
	f->request = at;
	f->buffer = be64(r.address);
	f->control = be32(r.control);
	f->left = be32(r.length);
	if ((f->control & CONTROL_DATA) && f->left) {
		if (!vm_all_ram(vm, f->buffer, f->left))
			return false;
		if (private_missing(vm, f->buffer, f->left, &vm->io.page)) {
			*need = NEED_PAGE;
			return false;
		}
	}
	f->owner = owner;
	return true;
}

static bool put_piece(struct vm *vm, const struct fwcfg *f, uint32_t length)
{
	struct bounce *b = &vm->io.bounce;
	struct request r = {be32(f->control), be32(length), be64(bounce_ipa(b, f->at + BUFFER))};

	if (bounce_write(b, f->at, &r, sizeof(r)) &&
	    (!(f->control & CONTROL_WRITE) ||
	     private_to_bounce(vm, f->buffer, f->at + BUFFER, f->piece)))
		return true;
	bounce_free(b, f->at, BUFFER + f->piece);
	return false;
}

/* The piece that the N-visor has, if there is one, is no longer. */
static void drop_piece(struct vm *vm)
{
	struct fwcfg *f = &vm->io.fwcfg;

	if (f->shown)
		bounce_free(&vm->io.bounce, f->at, BUFFER + f->piece);
	f->shown = false;
}

/* The next piece of it, in bounce memory. False: not now. */
static bool make_piece(struct vm *vm, enum queue_need *need)
{
	struct fwcfg *f = &vm->io.fwcfg;
	bool data = f->control & CONTROL_DATA;
	uint32_t length = data && f->left > PIECE ? PIECE : f->left;
	int ret;

	drop_piece(vm);
	f->piece = data ? length : 0;
	ret = bounce_alloc(&vm->io.bounce, BUFFER + f->piece, BOUNCE_UNIT, &f->at);
	vm->io.wanted = BUFFER + f->piece;
	if (ret == TV_AGAIN)
		*need = NEED_BOUNCE;
	else if (ret == TV_ENOMEM)
		*need = NEED_TIME;
	if (ret != TV_OK)
		return false;
	f->shown = put_piece(vm, f, length);
	return f->shown;
}

static void end(struct vm *vm, uint32_t result)
{
	struct fwcfg *f = &vm->io.fwcfg;

	answer(vm, f->request, result);
	f->owner = 0;
}

static enum write_fate go_on(struct vm *vm, const struct vcpu *v, uint64_t at, uint64_t *shown,
			     enum queue_need *need)
{
	struct fwcfg *f = &vm->io.fwcfg;

	*need = NEED_NOTHING;
	if (f->owner && f->owner != v->index + 1)
		*need = NEED_TIME;
	else if (!f->owner && !begin(vm, v->index + 1, at, need) && *need == NEED_NOTHING)
		answer(vm, at, CONTROL_ERROR);
	if (!f->owner || *need != NEED_NOTHING)
		return *need == NEED_NOTHING ? WRITE_OVER : WRITE_AGAIN;
	if (!make_piece(vm, need)) {
		if (*need != NEED_NOTHING)
			return WRITE_AGAIN;
		end(vm, CONTROL_ERROR);
		return WRITE_OVER;
	}
	*shown = bounce_ipa(&vm->io.bounce, f->at);
	return WRITE_SHOW;
}

bool fwcfg_is_request(uint64_t offset, unsigned bytes)
{
	return (offset == DMA_HIGH && bytes == 8) || (offset == DMA_LOW && bytes == 4);
}

enum write_fate fwcfg_write(struct vm *vm, const struct vcpu *v, uint64_t offset, unsigned bytes,
			    uint64_t *value, enum queue_need *need)
{
	struct fwcfg *f = &vm->io.fwcfg;
	enum write_fate fate;
	uint64_t shown = 0;

	if (offset == DMA_HIGH && bytes == 8) {
		fate = go_on(vm, v, be64(*value), &shown, need);
		*value = be64(shown);
	} else if (offset == DMA_LOW && bytes == 4) {
		fate = go_on(vm, v, (uint64_t)f->high << 32 | be32(*value), &shown, need);
		*value = be32(shown);
	} else if (offset == DMA_HIGH && bytes == 4) { /* all bounce memory is in the same 4 GiB */
		f->high = be32(*value);
		*value = be32(vm->io.bounce.base >> 32);
		fate = WRITE_SHOW;
	} else {
		fate = offset < DMA_HIGH ? WRITE_SHOW : WRITE_OVER;
	}
	return fate;
}

bool fwcfg_written(struct vm *vm, const struct vcpu *v)
{
	struct fwcfg *f = &vm->io.fwcfg;
	uint32_t control = be32(CONTROL_ERROR);

	if (f->owner != v->index + 1 || !f->shown)
		return true;
	if (!bounce_read(&vm->io.bounce, f->at, &control, sizeof(control)) ||
	    ((f->control & CONTROL_READ) &&
	     !bounce_to_private(vm, f->at + BUFFER, f->buffer, f->piece)))
		control = be32(CONTROL_ERROR);
	drop_piece(vm);
	f->control &= ~(CONTROL_SELECT | CONTROL_KEY);
	f->buffer += f->piece;
	f->left -= f->piece;
	if (f->left && f->piece && !(control & be32(CONTROL_ERROR)))
		return false;
	end(vm, be32(control) & CONTROL_ERROR);
	return true;
}
