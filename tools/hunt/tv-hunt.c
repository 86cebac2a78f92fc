/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tv-hunt: host root looks for the guests' secret, in all System RAM by /dev/mem and
 * in the memory of the VMM's processes. Exit status: 0 not found, 1 found, 2 trouble.
 */
#include <argp.h>
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../guest/secret.h"

#define PAGE 4096UL
#define PAGE_WORDS (PAGE / 8)
#define WINDOW (PAGE * 512)
#define MAX 8

struct hunt {
	uint64_t seed[MAX], found[MAX]; /* found: pages with the secret in them */
	pid_t pid[MAX];
	unsigned int seeds, pids;
};

struct tally {
	uint64_t read, refused;
};

static sigjmp_buf refused;

static void on_bus_error(int sig)
{
	(void)sig;
	siglongjmp(refused, 1);
}

static bool is_secret(const volatile uint64_t *words, uint64_t seed)
{
	for (int i = 1; i < SECRET_WORDS; i++)
		if (words[i] != secret_next(words[i - 1], seed))
			return false;
	return true;
}

/* A word is compared only if it is not 0: most of memory is. */
static bool page_has(const volatile uint64_t *page, uint64_t seed)
{
	for (unsigned int i = 0; i + SECRET_WORDS <= PAGE_WORDS; i++)
		if (page[i] && is_secret(page + i, seed))
			return true;
	return false;
}

static bool is_zero(const volatile uint64_t *page)
{
	uint64_t any = 0;

	for (unsigned int i = 0; i < PAGE_WORDS; i += 8)
		any |= page[i] | page[i + 1] | page[i + 2] | page[i + 3] | page[i + 4] |
		       page[i + 5] | page[i + 6] | page[i + 7];
	return !any;
}

static void look(struct hunt *h, const volatile uint64_t *page)
{
	if (is_zero(page))
		return;
	for (unsigned int i = 0; i < h->seeds; i++)
		h->found[i] += page_has(page, h->seed[i]);
}

/* A Secure page answers with an external abort, which Linux makes SIGBUS. */
static void look_at_window(struct hunt *h, struct tally *t, const uint8_t *p, size_t size)
{
	volatile size_t at = 0;

	if (sigsetjmp(refused, 1)) {
		t->refused++;
		at += PAGE;
	}
	for (; at < size; at += PAGE) {
		look(h, (const volatile uint64_t *)(p + at));
		t->read++;
	}
}

static void hunt_range(struct hunt *h, struct tally *t, int mem, uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at < to; at += WINDOW) {
		size_t size = to - at < WINDOW ? to - at : WINDOW;
		void *p = mmap(NULL, size, PROT_READ, MAP_SHARED, mem, at);

		if (p == MAP_FAILED)
			error(2, errno, "/dev/mem at %#" PRIx64, at);
		look_at_window(h, t, p, size);
		munmap(p, size);
	}
}

static void hunt_ram(struct hunt *h)
{
	FILE *iomem = fopen("/proc/iomem", "re");
	int mem = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	struct tally t = {0};
	uint64_t from, to;
	char line[256];

	if (!iomem || mem < 0)
		error(2, errno, "%s", iomem ? "/dev/mem" : "/proc/iomem");
	while (fgets(line, sizeof(line), iomem))
		if (*line != ' ' && strstr(line, "System RAM") &&
		    sscanf(line, "%" SCNx64 "-%" SCNx64, &from, &to) == 2)
			hunt_range(h, &t, mem, from, to + 1);
	fclose(iomem);
	close(mem);
	printf("ram: %" PRIu64 " pages read, %" PRIu64 " refused by hardware\n", t.read, t.refused);
}

static void hunt_mapping(struct hunt *h, struct tally *t, int mem, uint64_t from, uint64_t to)
{
	static uint64_t buffer[WINDOW / 8];

	for (; from < to; from += WINDOW) {
		size_t size = to - from < WINDOW ? to - from : WINDOW;
		ssize_t got = pread(mem, buffer, size, from);

		if (got < (ssize_t)size)
			t->refused += (size - (got > 0 ? got : 0)) / PAGE;
		for (ssize_t at = 0; at + (ssize_t)PAGE <= got; at += PAGE, t->read++)
			look(h, buffer + at / 8);
	}
	explicit_bzero(buffer, sizeof(buffer));
}

static void hunt_process(struct hunt *h, pid_t pid)
{
	char path[64], line[512], r;
	struct tally t = {0};
	uint64_t from, to;
	FILE *maps;
	int mem;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	if (!maps || mem < 0)
		error(2, errno, "process %d", pid);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %c", &from, &to, &r) == 3 && r == 'r' &&
		    !strstr(line, "[v"))
			hunt_mapping(h, &t, mem, from, to);
	fclose(maps);
	close(mem);
	printf("process %d: %" PRIu64 " pages read, %" PRIu64 " refused\n", pid, t.read, t.refused);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct hunt *h = state->input;

	if ((key == 's' && h->seeds == MAX) || (key == 'p' && h->pids == MAX))
		argp_error(state, "%d at most", MAX);
	if (key == 's')
		h->seed[h->seeds++] = strtoull(arg, NULL, 16);
	else if (key == 'p')
		h->pid[h->pids++] = atoi(arg);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp_option options[] = {
	{"seed", 's', "HEX", 0, "seed of a secret (tv.seed= of the guest); may be repeated", 0},
	{"pid", 'p', "PID", 0, "look in this process as well; may be repeated", 0},
	{0},
};

static const struct argp argp = {
	options, parse, NULL, "Hunt for guests' secrets with the powers of host root.",
	NULL,    NULL,  NULL,
};

int main(int argc, char **argv)
{
	struct hunt h = {0};
	uint64_t all = 0;

	argp_parse(&argp, argc, argv, 0, NULL, &h);
	if (!h.seeds)
		h.seed[h.seeds++] = SECRET_SEED;
	signal(SIGBUS, on_bus_error);
	hunt_ram(&h);
	for (unsigned int i = 0; i < h.pids; i++)
		hunt_process(&h, h.pid[i]);
	for (unsigned int i = 0; i < h.seeds; i++) {
		printf("secret %" PRIx64 ": found in %" PRIu64 " pages\n", h.seed[i], h.found[i]);
		all += h.found[i];
	}
	return all != 0;
}
