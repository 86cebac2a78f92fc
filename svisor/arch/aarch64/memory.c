// SPDX-License-Identifier: BSD-3-Clause
/*
 * Caches, pages and ordinary memory.
 */
#include <string.h>

#include "arch.h"
#include "cache.h"
#include "guest.h"
#include "layout.h"
#include "has.h"
#include "sysreg.h"
#include "world.h"

/* CTR_EL0.DminLine: log2 of words (DDI 0487 D24.2.35) */
static uintptr_t line_size(void)
{
	return 4UL << (read_sysreg(ctr_el0) >> 16 & 0xf);
}

#define DC(op, a) __asm__ volatile("dc " #op ", %0" ::"r"(a) : "memory")

/* One instruction for each `step` bytes of [a, end), many at a time: most of what a chunk costs
 * when it becomes Secure is this. */
#define each_step(op, a, end, step) \
	do { \
		while ((end) - (a) >= 64 * (step)) { \
			_Pragma("GCC unroll 64") for (unsigned i_ = 0; i_ < 64; \
						      i_++, (a) += (step)) DC(op, a); \
		} \
		for (; (a) < (end); (a) += (step)) \
			DC(op, a); \
	} while (0)

#define each_line(op, p, size) \
	do { \
		uintptr_t line_ = line_size(), end_ = (uintptr_t)(p) + (size); \
		uintptr_t a_ = (uintptr_t)(p) & ~(line_ - 1); \
		each_step(op, a_, end_, line_); \
		dsb(sy); \
	} while (0)

void cache_flush(const void *p, size_t size)
{
	each_line(civac, p, size);
}

void cache_drop(const void *p, size_t size)
{
	dsb(sy);
	each_line(ivac, p, size);
}

/* entry.S */
bool ns_load(const void *va, uint64_t *out);
bool ns_copy(void *to, const void *from, size_t bytes);
bool ns_copy_rows(void *to, const void *from, size_t bytes);
/* fp.S */
void simd_clear_few(void);

static void *ns_ptr(pa_t a)
{
	return (void *)(NS_WINDOW + a.v);
}

void *ns_kept_ptr(pa_t page)
{
	return ns_ptr(page);
}

/* An access, if it may be made, and between world_access and world_accessed */
#define ACCESS(a, bytes, access) \
	({ \
		bool ok_ = world_access(a, bytes) && (access); \
		world_accessed(); \
		ok_; \
	})

bool ns_read64(pa_t a, uint64_t *out)
{
	return ACCESS(a, sizeof(*out), ns_load(ns_ptr(a), out));
}

bool ns_read(void *to, pa_t from, size_t bytes)
{
	return ACCESS(from, bytes, ns_copy(to, ns_ptr(from), bytes));
}

bool ns_write(pa_t to, const void *from, size_t bytes)
{
	return ACCESS(to, bytes, ns_copy(ns_ptr(to), from, bytes));
}

#define ROW 128 /* bytes that vector registers copy at once */

static bool copy_many(void *to, const void *from, size_t bytes)
{
	size_t rows = bytes / ROW * ROW;
	bool ok = true;

	if (rows) {
		guest_vectors_on();
		ok = ns_copy_rows(to, from, rows);
		simd_clear_few();
	}
	return ok && (rows == bytes ||
		      ns_copy((char *)to + rows, (const char *)from + rows, bytes - rows));
}

bool ns_read_many(void *to, pa_t from, size_t bytes)
{
	return ACCESS(from, bytes, copy_many(to, ns_ptr(from), bytes));
}

bool ns_write_many(pa_t to, const void *from, size_t bytes)
{
	return ACCESS(to, bytes, copy_many(ns_ptr(to), from, bytes));
}

void ns_flush(pa_t base, size_t size)
{
	cache_flush(ns_ptr(base), size);
}

/* DCZID_EL0.BS: log2 of words (DDI 0487 D24.2.37); DZP never binds S-EL2 */
static uintptr_t zero_size(void)
{
	return 4UL << (read_sysreg(dczid_el0) & 0xf);
}

/* With FWB stage 2 has guests see memory through the caches, always. */
void pages_zero(pa_t page, size_t pages)
{
	uintptr_t a = (uintptr_t)secure_ptr(page), end = a + pages * TV_PAGE_SIZE;
	uintptr_t step = zero_size();

	each_step(zva, a, end, step);
	dsb(ishst);
	if (!cpu_has.fwb)
		cache_flush(secure_ptr(page), pages * TV_PAGE_SIZE);
}

/* There may be code among it. */
static void publish(const void *p, size_t size)
{
	cache_flush(p, size);
	__asm__ volatile("ic ialluis" ::: "memory");
	dsb(ish);
	isb();
}

void pages_copy(pa_t to, pa_t from, size_t pages)
{
	memcpy(secure_ptr(to), secure_ptr(from), pages * TV_PAGE_SIZE);
	publish(secure_ptr(to), pages * TV_PAGE_SIZE);
}

void page_publish(pa_t page)
{
	publish(secure_ptr(page), TV_PAGE_SIZE);
}
