// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "arch.h"
#include "private.h"
#include "vm.h"

/* Looks the page up, and remembers where it is. */
static uint8_t *near_page(struct vm *vm, uint64_t ipa)
{
	struct near *n = &vm->io.near;
	unsigned i = ipa / TV_PAGE_SIZE % NEAR;
	pa_t at;

	if (n->unmapped != vm->s2.unmapped)
		*n = (struct near){.unmapped = vm->s2.unmapped};
	if (!vm_is_ram(vm, ipa) || !s2_lookup(&vm->s2, IPA(ipa), &at))
		return NULL;
	n->page[i].ipa = ipa + 1;
	n->page[i].at = secure_ptr(at);
	return n->page[i].at;
}

/* Apart from private_ptr, as most of what is looked for is found there. */
static __attribute__((noinline)) void *look_up(struct vm *vm, uint64_t ipa, size_t size,
					       size_t *got)
{
	uint64_t offset = ipa % TV_PAGE_SIZE, left;
	pa_t at;

	if (size <= TV_PAGE_SIZE - offset) {
		uint8_t *page = near_page(vm, ipa - offset);

		*got = size;
		return page ? page + offset : NULL;
	}
	if (!vm_is_ram(vm, ipa))
		return NULL;
	left = s2_span(&vm->s2, IPA(ipa), &at);
	*got = size < left ? size : left;
	return left ? secure_ptr(at) : NULL;
}

void *private_ptr(struct vm *vm, uint64_t ipa, size_t size, size_t *got)
{
	const struct near *n = &vm->io.near;
	unsigned i = ipa / TV_PAGE_SIZE % NEAR;
	uint64_t offset = ipa % TV_PAGE_SIZE;

	if (size > TV_PAGE_SIZE - offset || n->unmapped != vm->s2.unmapped ||
	    n->page[i].ipa != (ipa - offset) + 1)
		return look_up(vm, ipa, size, got);
	*got = size;
	return n->page[i].at + offset;
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
