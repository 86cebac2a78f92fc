/* SPDX-License-Identifier: BSD-3-Clause */
/* check: what a kernel and its users expect of a CPU and its memory. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#include "registers.h"

#define MEMORY (64UL << 20)
#define PAGE 4096UL

static bool registers(void)
{
	uint64_t words[REGISTER_WORDS];

	for (int i = 0; i < REGISTER_WORDS; i++)
		words[i] = 0x0123456789abcdefUL * (i + 1);
	return registers_keep(words, 50000000);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000UL + t.tv_nsec;
}

static bool timer(void)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	uint64_t start = now(), last = start;

	for (int i = 0; i < 10; i++) {
		nanosleep(&pause, NULL);
		if (now() < last + pause.tv_nsec)
			return false;
		last = now();
	}
	return last - start < 20000000000UL;
}

static bool counter(void)
{
	uint64_t last = 0, count;

	for (int i = 0; i < 1000000; i++, last = count) {
		asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(count));
		if (count < last)
			return false;
	}
	return true;
}

static bool memory(void)
{
	uint64_t *m =
		mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool good = m != MAP_FAILED;

	for (uint64_t i = 0; good && i < MEMORY / 8; i += PAGE / 8)
		good = !m[i];
	for (uint64_t i = 0; good && i < MEMORY / 8; i++)
		m[i] = i * 0x9e3779b97f4a7c15UL;
	for (uint64_t i = 0; good && i < MEMORY / 8; i++)
		good = m[i] == i * 0x9e3779b97f4a7c15UL;
	return good;
}

static bool report(const char *name, bool good)
{
	printf("guest: check %s %s\n", name, good ? "ok" : "FAILED");
	return good;
}

int main(void)
{
	bool good = true;

	setvbuf(stdout, NULL, _IOLBF, 0);
	good &= report("registers", registers());
	good &= report("timer", timer());
	good &= report("counter", counter());
	good &= report("memory", memory());
	printf("guest: checks %s\n", good ? "passed" : "FAILED");
	return !good;
}
