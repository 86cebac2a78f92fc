/* SPDX-License-Identifier: BSD-3-Clause */
/* Data caches by address, to the point of coherency; complete when it returns. */
#ifndef CACHE_H
#define CACHE_H

#include <stddef.h>

/* Clean and invalidate; invalidate (what is dirty is lost). */
void cache_flush(const void *p, size_t size);
void cache_drop(const void *p, size_t size);

#endif
