// SPDX-License-Identifier: BSD-3-Clause
/*
 * The TRNG firmware interface (DEN 0098), answered from the CPU's own generator: randomness
 * that the N-visor gives is none.
 */
#include <string.h>

#include "vcpu.h"

#define TRNG_VERSION 0x84000050
#define TRNG_FEATURES 0x84000051
#define TRNG_GET_UUID 0x84000052
#define TRNG_RND32 0x84000053
#define TRNG_RND64 0xc4000053

#define VERSION_1_0 0x10000
#define NOT_SUPPORTED -1
#define INVALID_PARAMETERS -2
#define NO_ENTROPY -3

static bool known(uint32_t id)
{
	return (id >= TRNG_VERSION && id <= TRNG_RND32) || id == TRNG_RND64;
}

/* `bits` random bits, in words of `width`, the lowest in x3, then x2 and x1. */
static bool fill(uint64_t x[4], uint64_t bits, unsigned width)
{
	for (unsigned i = 3; bits; i--) {
		unsigned take = bits < width ? bits : width;
		uint64_t random;

		if (!random64(&random))
			return false;
		x[i] = random >> (64 - take);
		bits -= take;
	}
	return true;
}

static void random_bits(uint64_t x[4], unsigned width)
{
	uint64_t bits = width == 32 ? (uint32_t)x[1] : x[1];

	memset(x, 0, 4 * sizeof(x[0]));
	if (bits == 0 || bits > 3 * width) {
		x[0] = INVALID_PARAMETERS;
	} else if (!fill(x, bits, width)) {
		memset(x, 0, 4 * sizeof(x[0]));
		x[0] = NO_ENTROPY;
	}
}

static void uuid(uint64_t x[4])
{
	static const uint64_t words[4] = {0x6ad3e0f1, 0x4f4c9b27, 0xb1a7d58e, 0x20c6934d};

	memcpy(x, words, sizeof(words));
}

bool trng_call(struct vcpu *v)
{
	uint64_t *x = v->regs.x;

	switch ((uint32_t)x[0]) {
	case TRNG_VERSION:
		x[0] = VERSION_1_0;
		return true;
	case TRNG_FEATURES:
		x[0] = known(x[1]) ? 0 : NOT_SUPPORTED;
		return true;
	case TRNG_GET_UUID:
		uuid(x);
		return true;
	case TRNG_RND32:
		random_bits(x, 32);
		return true;
	case TRNG_RND64:
		random_bits(x, 64);
		return true;
	default:
		return false;
	}
}
