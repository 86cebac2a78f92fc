// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "heap.h"
#include "spinlock.h"

static struct {
	struct spinlock lock;
	uint8_t *used; /* one byte a page, at the heap's start */
	uint8_t *pages;
	size_t count, available;
} heap;

void heap_init(pa_t base, uint64_t size)
{
	size_t count = size / TV_PAGE_SIZE;
	size_t map_pages = (count + TV_PAGE_SIZE - 1) / TV_PAGE_SIZE;

	memset(&heap, 0, sizeof(heap));
	if (count <= map_pages)
		panic("no room for a heap");
	heap.used = secure_ptr(base);
	memset(heap.used, 0, size);
	heap.pages = heap.used + map_pages * TV_PAGE_SIZE;
	heap.count = heap.available = count - map_pages;
}

/* The first page of a free run of that length, or heap.count. */
static size_t find_run(size_t pages)
{
	size_t run = 0;

	for (size_t i = 0; i < heap.count; i++) {
		run = heap.used[i] ? 0 : run + 1;
		if (run == pages)
			return i + 1 - pages;
	}
	return heap.count;
}

void *heap_alloc(size_t pages)
{
	void *p = NULL;
	size_t first;

	spin_lock(&heap.lock);
	first = find_run(pages);
	if (first < heap.count) {
		memset(&heap.used[first], 1, pages);
		heap.available -= pages;
		p = heap.pages + first * TV_PAGE_SIZE;
	}
	spin_unlock(&heap.lock);
	return p;
}

void heap_free(void *p, size_t pages)
{
	size_t first;

	if (!p)
		return;
	first = ((uint8_t *)p - heap.pages) / TV_PAGE_SIZE;
	memset(p, 0, pages * TV_PAGE_SIZE);
	spin_lock(&heap.lock);
	if (first + pages > heap.count || !heap.used[first])
		panic("heap_free of what is not allocated");
	memset(&heap.used[first], 0, pages);
	heap.available += pages;
	spin_unlock(&heap.lock);
}

bool heap_count(uint64_t deadline, size_t *all, size_t *available)
{
	if (!spin_try(&heap.lock, deadline))
		return false;
	*all = heap.count;
	*available = heap.available;
	spin_unlock(&heap.lock);
	return true;
}

size_t heap_available(void)
{
	size_t n;

	spin_lock(&heap.lock);
	n = heap.available;
	spin_unlock(&heap.lock);
	return n;
}
