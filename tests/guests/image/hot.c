/* SPDX-License-Identifier: BSD-3-Clause */
/* hot: spends nearly all its time in one function: which, a profiler has to find out. */
#include <stdint.h>
#include <stdio.h>

#define ROUNDS 60
#define LOOPS 1000000

__attribute__((noinline)) static uint64_t hot_spot(uint64_t x)
{
	for (int i = 0; i < LOOPS; i++) {
		x = (x ^ x >> 29) * 0x9e3779b97f4a7c15UL;
		asm volatile("" : "+r"(x)); /* each round is done */
	}
	return x;
}

__attribute__((noinline)) static uint64_t cold_spot(uint64_t x)
{
	for (int i = 0; i < LOOPS / 20; i++) {
		x = (x ^ x >> 31) * 0xff51afd7ed558ccdUL;
		asm volatile("" : "+r"(x));
	}
	return x;
}

int main(void)
{
	uint64_t x = 1;

	for (int i = 0; i < ROUNDS; i++)
		x = cold_spot(hot_spot(x));
	printf("guest: hot %#lx\n", x);
	return 0;
}
