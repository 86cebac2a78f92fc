/* SPDX-License-Identifier: BSD-3-Clause */
/* Registers of the guest put to the test. */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define REGISTER_WORDS 64 /* of v0-v31 */

void hold_registers(const uint64_t words[64], uint64_t after[72], uint64_t spins);

/* True if v0-v31 and x19-x26 kept words[] over that many turns of a loop. */
static inline bool registers_keep(const uint64_t words[64], uint64_t spins)
{
	uint64_t after[72];

	hold_registers(words, after, spins);
	return !memcmp(after, words, 64 * 8) && !memcmp(after + 64, words, 8 * 8);
}

#endif
