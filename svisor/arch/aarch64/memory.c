// SPDX-License-Identifier: BSD-3-Clause
/*
 * Caches, pages and ordinary memory.
 */
#include <string.h>

#include "arch.h"
#include "cache.h"
#include "layout.h"
#include "sysreg.h"

/* CTR_EL0.DminLine: log2 of words (DDI 0487 D24.2.35) */
static uintptr_t line_size(void)
{
	return 4UL << (read_sysreg(ctr_el0) >> 16 & 0xf);
}

#define each_line(op, p, size) \
	do { \
		uintptr_t line_ = line_size(), end_ = (uintptr_t)(p) + (size); \
		for (uintptr_t a_ = (uintptr_t)(p) & ~(line_ - 1); a_ < end_; a_ += line_) \
			__asm__ volatile("dc " #op ", %0" ::"r"(a_) : "memory"); \
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

static void *ns_ptr(pa_t a)
{
	return (void *)(NS_WINDOW + a.v);
}

bool ns_read64(pa_t a, uint64_t *out)
{
	return ns_load(ns_ptr(a), out);
}

bool ns_read(void *to, pa_t from, size_t bytes)
{
	return ns_copy(to, ns_ptr(from), bytes);
}

bool ns_write(pa_t to, const void *from, size_t bytes)
{
	return ns_copy(ns_ptr(to), from, bytes);
}

void ns_flush(pa_t base, size_t size)
{
	cache_flush(ns_ptr(base), size);
}

/* Stage 2 leaves cacheability to the guest, which starts with its caches off. */
void page_zero(pa_t page)
{
	memset(secure_ptr(page), 0, TV_PAGE_SIZE);
	cache_flush(secure_ptr(page), TV_PAGE_SIZE);
}

void page_publish(pa_t page)
{
	cache_flush(secure_ptr(page), TV_PAGE_SIZE);
	__asm__ volatile("ic ialluis" ::: "memory");
	dsb(ish);
	isb();
}
