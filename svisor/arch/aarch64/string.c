// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the compiler expects a freestanding program to have. Word by word where both sides are
 * aligned: pages are.
 */
#include <stddef.h>
#include <stdint.h>

#include "arch.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
void explicit_bzero(void *to, size_t n); /* mbedTLS's choice */
_Noreturn void __assert_fail(const char *what, const char *file, unsigned line,
			     const char *function);

static int aligned(const void *a, const void *b)
{
	return !(((uintptr_t)a | (uintptr_t)b) & 7);
}

#define RUN 8 /* words that are all loaded, then all stored: by pairs */

static void copy_run(uint64_t *restrict t, const uint64_t *restrict f)
{
	uint64_t word[RUN];

#pragma GCC unroll 8
	for (int i = 0; i < RUN; i++)
		word[i] = f[i];
#pragma GCC unroll 8
	for (int i = 0; i < RUN; i++)
		t[i] = word[i];
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	if (aligned(t, f)) {
		for (; n >= 8 * RUN; n -= 8 * RUN, t += 8 * RUN, f += 8 * RUN)
			copy_run((uint64_t *)t, (const uint64_t *)f);
		for (; n >= 8; n -= 8, t += 8, f += 8)
			*(uint64_t *)t = *(const uint64_t *)f;
	}
	while (n--)
		*t++ = *f++;
	return to;
}

static void set_run(uint64_t *t, uint64_t word)
{
#pragma GCC unroll 8
	for (int i = 0; i < RUN; i++)
		t[i] = word;
}

void *memset(void *to, int c, size_t n)
{
	uint64_t word = (uint8_t)c * 0x0101010101010101ULL;
	uint8_t *t = to;

	if (aligned(t, t)) {
		for (; n >= 8 * RUN; n -= 8 * RUN, t += 8 * RUN)
			set_run((uint64_t *)t, word);
		for (; n >= 8; n -= 8, t += 8)
			*(uint64_t *)t = word;
	}
	while (n--)
		*t++ = c;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (; n; n--, x++, y++) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}

void explicit_bzero(void *to, size_t n)
{
	memset(to, 0, n);
	__asm__ volatile("" ::"r"(to) : "memory");
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

/* Of libraries. */
_Noreturn void __assert_fail(const char *what, const char *file, unsigned line,
			     const char *function)
{
	(void)file;
	(void)line;
	(void)function;
	panic(what);
}
