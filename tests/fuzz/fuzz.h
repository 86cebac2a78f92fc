/* SPDX-License-Identifier: BSD-3-Clause */
/* What the fuzzers share: calls of the S-visor, and what must hold after them. */
#ifndef FUZZ_H
#define FUZZ_H

#include "svisor.h"

#define REQUIRE(condition) \
	do { \
		if (!(condition)) \
			panic(#condition); \
	} while (0)

static inline struct tv_args smc(uint64_t function, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct tv_args args = {{function, a, b, c, d}};

	svisor_call(&args);
	return args;
}

#endif
