/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plant SEED: fills 1 MiB of anonymous memory with the secret, says so, and
 * keeps the secret in general and FP registers too, busy for part
 * of the time so that exits of the VM meet it there.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "registers.h"
#include "secret.h"

#define PAGES 256
#define WORDS 512 /* a page */

static void fill(uint64_t *page, uint64_t n, uint64_t seed)
{
	uint64_t word = secret_first(n, seed);

	for (int i = 0; i < WORDS; i++, word = secret_next(word, seed))
		page[i] = word;
}

static void keep(const uint64_t *words)
{
	const struct timespec pause = {.tv_nsec = 100000000};

	while (registers_keep(words, 500000))
		nanosleep(&pause, NULL);
	printf("guest: REGISTERS CHANGED\n");
	exit(1);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 16) : SECRET_SEED;
	uint64_t *pages = mmap(NULL, PAGES * WORDS * 8, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (pages == MAP_FAILED) {
		perror("plant");
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < PAGES; i++)
		fill(pages + i * WORDS, i, seed);
	printf("guest: secret planted, %d pages\n", PAGES);
	close(creat("/planted", 0600)); /* init waits for it */
	keep(pages);
}
