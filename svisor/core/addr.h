/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses as types, so that the compiler keeps them apart: a physical address
 * names a page of the machine, an intermediate one (IPA) a page as an S-VM sees
 * it. Neither can be used as a pointer.
 */
#ifndef ADDR_H
#define ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <twinvisor/abi.h>

typedef struct {
	uint64_t v;
} pa_t;

typedef struct {
	uint64_t v;
} ipa_t;

struct range {
	uint64_t base, size;
};

#define PA(x) ((pa_t){(x)})
#define IPA(x) ((ipa_t){(x)})

static inline bool page_aligned(uint64_t a)
{
	return (a & (TV_PAGE_SIZE - 1)) == 0;
}

static inline bool chunk_aligned(uint64_t a)
{
	return (a & (TV_CHUNK_SIZE - 1)) == 0;
}

/* True if [base, base + size) neither is empty, nor wraps, nor passes `limit`. */
static inline bool range_ok(uint64_t base, uint64_t size, uint64_t limit)
{
	return size != 0 && base < limit && size <= limit - base;
}

/* True if [a, a + n) and [b, b + m) share a byte; neither may wrap. */
static inline bool ranges_overlap(uint64_t a, uint64_t n, uint64_t b, uint64_t m)
{
	return a < b + m && b < a + n;
}

#endif
