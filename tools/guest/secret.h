/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The secret that guests plant and the host hunts: a chain of words, each made
 * from the one before it. Whoever hunts it tests a chain and need not hold it, so
 * it finds no copies of its own, and no image contains it.
 */
#ifndef SECRET_H
#define SECRET_H

#include <stdint.h>

#define SECRET_SEED 0x7477696e7669736fUL /* unless tv.seed= says otherwise */
#define SECRET_WORDS 8                   /* so many in a row are a find */

static inline uint64_t secret_next(uint64_t word, uint64_t seed)
{
	word = (word ^ seed) * 0x9e3779b97f4a7c15UL;
	return word ^ word >> 32;
}

static inline uint64_t secret_first(uint64_t n, uint64_t seed)
{
	return secret_next(n + 1, seed * 0xff51afd7ed558ccdUL);
}

#endif
