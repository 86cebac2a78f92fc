// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "arch.h"
#include "private.h"
#include "vm.h"

/* Apart from private_ptr, as most of what is looked for is found there. */
static __attribute__((noinline)) void *look_up(struct vm *vm, uint64_t ipa, size_t size,
					       size_t *got)
{
	struct near *n = &vm->io.near;
	uint64_t left, offset;
	bool block;
	pa_t at;

	if (n->unmapped != vm->s2.unmapped)
		*n = (struct near){.unmapped = vm->s2.unmapped};
	if (!vm_is_ram(vm, ipa))
		return NULL;
	left = s2_span(&vm->s2, IPA(ipa), &at);
	if (!left)
		return NULL;
	block = left > TV_PAGE_SIZE;
	offset = ipa % (block ? BLOCK_SIZE : TV_PAGE_SIZE);
	*(block ? &n->block[ipa / BLOCK_SIZE % NEAR] : &n->page[ipa / TV_PAGE_SIZE % NEAR]) =
		(struct near_leaf){ipa - offset + 1, (uint8_t *)secure_ptr(at) - offset};
	*got = size < left ? size : left;
	return secure_ptr(at);
}

static const uint8_t *in_leaf(const struct near_leaf *l, uint64_t ipa, uint64_t leaf, size_t size)
{
	uint64_t offset = ipa % leaf;

	return l->ipa == ipa - offset + 1 && size <= leaf - offset ? l->at + offset : NULL;
}

void *private_ptr(struct vm *vm, uint64_t ipa, size_t size, size_t *got)
{
	const struct near *n = &vm->io.near;
	const uint8_t *at;

	if (n->unmapped != vm->s2.unmapped)
		return look_up(vm, ipa, size, got);
	at = in_leaf(&n->block[ipa / BLOCK_SIZE % NEAR], ipa, BLOCK_SIZE, size);
	if (!at)
		at = in_leaf(&n->page[ipa / TV_PAGE_SIZE % NEAR], ipa, TV_PAGE_SIZE, size);
	if (!at)
		return look_up(vm, ipa, size, got);
	*got = size;
	return (void *)at;
}

bool private_read(struct vm *vm, uint64_t ipa, void *to, size_t size)
{
	uint8_t *t = to;

	for (size_t n; size; ipa += n, t += n, size -= n) {
		const void *p = private_ptr(vm, ipa, size, &n);

		if (!p)
			return false;
		memcpy(t, p, n);
	}
	return true;
}

bool private_write(struct vm *vm, uint64_t ipa, const void *from, size_t size)
{
	const uint8_t *f = from;

	for (size_t n; size; ipa += n, f += n, size -= n) {
		void *p = private_ptr(vm, ipa, size, &n);

		if (!p)
			return false;
		memcpy(p, f, n);
	}
	return true;
}

bool private_to_bounce(struct vm *vm, uint64_t ipa, uint32_t at, size_t size)
{
	for (size_t n; size; ipa += n, at += n, size -= n) {
		const void *p = private_ptr(vm, ipa, size, &n);

		if (!p || !bounce_write(&vm->io.bounce, at, p, n))
			return false;
	}
	return true;
}

bool bounce_to_private(struct vm *vm, uint32_t at, uint64_t ipa, size_t size)
{
	for (size_t n; size; ipa += n, at += n, size -= n) {
		void *p = private_ptr(vm, ipa, size, &n);

		if (!p)
			return true;
		if (!bounce_read(&vm->io.bounce, at, p, n))
			return false;
	}
	return true;
}

uint16_t private_load16(struct vm *vm, uint64_t ipa)
{
	size_t n;
	const uint16_t *p = private_ptr(vm, ipa, sizeof(*p), &n);

	return p ? __atomic_load_n(p, __ATOMIC_ACQUIRE) : 0;
}

void private_store16(struct vm *vm, uint64_t ipa, uint16_t value)
{
	size_t n;
	uint16_t *p = private_ptr(vm, ipa, sizeof(*p), &n);

	if (p)
		__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

bool private_missing(struct vm *vm, uint64_t ipa, uint64_t size, ipa_t *page)
{
	for (size_t n; size; ipa += n, size -= n) {
		if (private_ptr(vm, ipa, size, &n))
			continue;
		*page = IPA(ipa & ~(TV_PAGE_SIZE - 1UL));
		return true;
	}
	return false;
}
