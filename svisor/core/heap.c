// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "heap.h"
#include "spinlock.h"

/* A part of the heap; lies in its own first pages, which are not given out. */
struct part {
	struct part *next; /* a younger one */
	uint8_t *pages;
	size_t count, available;
	uint8_t used[]; /* one byte a page */
};

static struct {
	struct spinlock lock;
	struct part *first;
} heap;

void heap_init(pa_t base, uint64_t size)
{
	memset(&heap, 0, sizeof(heap));
	if (size < 2 * TV_PAGE_SIZE)
		panic("no room for a heap");
	memset(secure_ptr(base), 0, size);
	heap_add(base, size);
}

void heap_add(pa_t base, uint64_t size)
{
	size_t all = size / TV_PAGE_SIZE;
	size_t head = (sizeof(struct part) + all + TV_PAGE_SIZE - 1) / TV_PAGE_SIZE;
	struct part *p = secure_ptr(base);
	struct part **last = &heap.first;

	spin_lock(&heap.lock);
	p->pages = (uint8_t *)p + head * TV_PAGE_SIZE;
	p->count = p->available = all - head;
	while (*last)
		last = &(*last)->next;
	*last = p;
	spin_unlock(&heap.lock);
}

bool heap_remove(pa_t base)
{
	struct part *p = secure_ptr(base);
	struct part **link = &heap.first;
	bool empty;

	spin_lock(&heap.lock);
	while (*link && *link != p)
		link = &(*link)->next;
	if (!*link)
		panic("heap_remove of what was not added");
	empty = p->available == p->count;
	if (empty) {
		*link = p->next;
		memset(p, 0, p->pages - (uint8_t *)p);
	}
	spin_unlock(&heap.lock);
	return empty;
}

/* The first page of a free run of that length, or the part's count. */
static size_t find_run(const struct part *p, size_t pages)
{
	size_t run = 0;

	for (size_t i = 0; i < p->count; i++) {
		run = p->used[i] ? 0 : run + 1;
		if (run == pages)
			return i + 1 - pages;
	}
	return p->count;
}

static void *alloc_from(struct part *p, size_t pages)
{
	size_t first = p->available < pages ? p->count : find_run(p, pages);

	assert_held(&heap.lock);
	if (first == p->count)
		return NULL;
	memset(&p->used[first], 1, pages);
	p->available -= pages;
	return p->pages + first * TV_PAGE_SIZE;
}

void *heap_alloc(size_t pages)
{
	void *found = NULL;

	spin_lock(&heap.lock);
	for (struct part *p = heap.first; p && !found; p = p->next)
		found = alloc_from(p, pages);
	spin_unlock(&heap.lock);
	return found;
}

/* The part that `page` is in. */
static struct part *part_of(const void *page)
{
	struct part *p = heap.first;

	assert_held(&heap.lock);
	while (p && (uintptr_t)page - (uintptr_t)p->pages >= p->count * TV_PAGE_SIZE)
		p = p->next;
	return p;
}

void heap_free(void *page, size_t pages)
{
	struct part *p;
	size_t first;

	if (!page)
		return;
	memset(page, 0, pages * TV_PAGE_SIZE);
	spin_lock(&heap.lock);
	p = part_of(page);
	first = p ? ((uint8_t *)page - p->pages) / TV_PAGE_SIZE : 0;
	if (!p || first + pages > p->count || !p->used[first])
		panic("heap_free of what is not allocated");
	memset(&p->used[first], 0, pages);
	p->available += pages;
	spin_unlock(&heap.lock);
}

static void count_parts(size_t *all, size_t *available)
{
	assert_held(&heap.lock);
	*all = *available = 0;
	for (const struct part *p = heap.first; p; p = p->next) {
		*all += p->count;
		*available += p->available;
	}
}

bool heap_count(uint64_t deadline, size_t *all, size_t *available)
{
	if (!spin_try(&heap.lock, deadline))
		return false;
	count_parts(all, available);
	spin_unlock(&heap.lock);
	return true;
}

size_t heap_available(void)
{
	size_t all, n;

	spin_lock(&heap.lock);
	count_parts(&all, &n);
	spin_unlock(&heap.lock);
	return n;
}
