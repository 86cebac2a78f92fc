// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "arch.h"
#include "private.h"
#include "vm.h"

void *private_ptr(const struct vm *vm, uint64_t ipa, size_t size, size_t *got)
{
	uint64_t left;
	pa_t at;

	if (!vm_is_ram(vm, ipa))
		return NULL;
	left = s2_span(&vm->s2, IPA(ipa), &at);
	*got = size < left ? size : left;
	return left ? secure_ptr(at) : NULL;
}

bool private_read(const struct vm *vm, uint64_t ipa, void *to, size_t size)
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

bool private_write(const struct vm *vm, uint64_t ipa, const void *from, size_t size)
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

bool private_to_bounce(const struct vm *vm, uint64_t ipa, uint32_t at, size_t size)
{
	for (size_t n; size; ipa += n, at += n, size -= n) {
		const void *p = private_ptr(vm, ipa, size, &n);

		if (!p || !bounce_write(&vm->io.bounce, at, p, n))
			return false;
	}
	return true;
}

bool bounce_to_private(const struct vm *vm, uint32_t at, uint64_t ipa, size_t size)
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

uint16_t private_load16(const struct vm *vm, uint64_t ipa)
{
	size_t n;
	const uint16_t *p = private_ptr(vm, ipa, sizeof(*p), &n);

	return p ? __atomic_load_n(p, __ATOMIC_ACQUIRE) : 0;
}

void private_store16(const struct vm *vm, uint64_t ipa, uint16_t value)
{
	size_t n;
	uint16_t *p = private_ptr(vm, ipa, sizeof(*p), &n);

	if (p)
		__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

bool private_missing(const struct vm *vm, uint64_t ipa, uint64_t size, ipa_t *page)
{
	uint64_t end = ipa + size;
	pa_t at;

	for (uint64_t n; ipa < end; ipa += n) {
		n = s2_span(&vm->s2, IPA(ipa), &at);
		if (!n) {
			*page = IPA(ipa & ~(TV_PAGE_SIZE - 1UL));
			return true;
		}
	}
	return false;
}
