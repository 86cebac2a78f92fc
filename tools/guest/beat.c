/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * beat: proves, five times a second, that this VM runs and that its memory and
 * registers are its own: rewrites 8 MiB with a new pattern after having found the
 * old one whole. The host tests read its lines.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "registers.h"

#define WORDS (8u << 17)

static uint64_t memory[WORDS];

static uint64_t pattern(uint64_t beat, uint64_t i)
{
	return (beat + 1) * 0x9e3779b97f4a7c15UL + i;
}

static void check(uint64_t beat)
{
	for (uint64_t i = 0; i < WORDS; i++) {
		if (memory[i] == pattern(beat, i))
			continue;
		printf("guest: MEMORY CHANGED: word %lu is %#lx\n", i, memory[i]);
		exit(1);
	}
}

static void write(uint64_t beat)
{
	for (uint64_t i = 0; i < WORDS; i++)
		memory[i] = pattern(beat, i);
}

int main(void)
{
	const struct timespec pause = {.tv_nsec = 200000000};

	setvbuf(stdout, NULL, _IOLBF, 0);
	write(0);
	for (uint64_t beat = 0;; beat++) {
		check(beat);
		write(beat + 1);
		if (!registers_keep(memory, 100000)) {
			printf("guest: REGISTERS CHANGED\n");
			return 1;
		}
		printf("guest: beat %lu\n", beat);
		nanosleep(&pause, NULL);
	}
}
