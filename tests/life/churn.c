/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * churn: many small VMs, by hand. Run by tv run.
 *
 *   churn turns PROCESSES TURNS   so many at once, so many times: a VM is made, runs, and goes in
 *                                 one of three ways; prints how many have run well
 *   churn crowd N ROUNDS          N VMMs at once, all of whose VMs run before any has run ROUNDS
 *                                 times; prints how many have run well
 *   churn limit                   VMs until one more does not run: how many, and the error
 *   churn vcpus N                 a VM of N vCPUs: the error, or 'none'
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tinyvm.h"

#define MOST 256 /* VMs of `churn limit` */

/* Counts in memory that was never written, and shows each number. */
static const uint32_t code[] = {
	0xd2a12001, /*		movz	x1, #0x0900, lsl #16	; TINY_UART */
	0xd2a80024, /*		movz	x4, #0x4001, lsl #16	; in TINY_RAM */
	0xb9400082, /* 1:	ldr	w2, [x4] */
	0x11000442, /*		add	w2, w2, #1 */
	0xb9000082, /*		str	w2, [x4] */
	0xb9000022, /*		str	w2, [x1] */
	0x17fffffc, /*		b	1b */
};

static void make(struct tinyvm *t, unsigned vcpus)
{
	tiny_make(t, code, sizeof(code), vcpus);
}

/* Runs to the next access to the UART, which must be a store of this. */
static bool shows(struct tinyvm *t, uint32_t value)
{
	return !tiny_run(t) && tiny_at_uart(t) && t->run->mmio.is_write &&
	       !memcmp(t->run->mmio.data, &value, sizeof(value));
}

/* From 1 on: the memory was zero, and is its own. */
static bool counts(struct tinyvm *t, uint32_t to)
{
	bool good = true;

	for (uint32_t i = 1; i <= to; i++)
		good = good && shows(t, i);
	return good;
}

/* The VMM closes all, or just ends, or is in KVM_RUN till it is killed. */
enum way { CLOSE, END, KILL, WAYS };

/* Tells its parent whether the guest has run well. */
static void vmm(enum way way, int tell)
{
	struct tinyvm t;
	char good;

	make(&t, 1);
	good = counts(&t, 2);
	if (way == CLOSE)
		tiny_close(&t);
	must(write(tell, &good, 1), "pipe");
	while (way == KILL)
		tiny_run(&t);
}

static bool one_turn(enum way way)
{
	int told[2];
	char good = 0;
	pid_t child;

	must(pipe(told), "pipe");
	child = fork();
	must(child, "fork");
	if (!child) {
		vmm(way, told[1]);
		_exit(0);
	}
	close(told[1]);
	good = read(told[0], &good, 1) == 1 && good;
	close(told[0]);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return good;
}

static int turns(unsigned processes, unsigned n)
{
	unsigned *good = mmap(NULL, processes * sizeof(*good), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned all = 0;

	for (unsigned i = 0; i < processes; i++) {
		pid_t child = fork();

		must(child, "fork");
		if (child)
			continue;
		for (unsigned j = 0; j < n; j++)
			good[i] += one_turn((i + j) % WAYS);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	for (unsigned i = 0; i < processes; i++)
		all += good[i];
	printf("%u of %u ran well\n", all, processes * n);
	return all != processes * n;
}

/* Shared by the VMMs of a crowd. */
struct crowd {
	pthread_barrier_t all;
	atomic_uint good;
};

static void member(struct crowd *c, uint32_t rounds)
{
	struct tinyvm t;
	bool good;

	make(&t, 1);
	good = shows(&t, 1);
	pthread_barrier_wait(&c->all);
	for (uint32_t i = 2; i <= rounds; i++)
		good = good && shows(&t, i);
	atomic_fetch_add(&c->good, good);
	pthread_barrier_wait(&c->all);
}

static struct crowd *make_crowd(unsigned n)
{
	struct crowd *c =
		mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_barrierattr_t attr;

	must(c == MAP_FAILED ? -1 : 0, "shared memory");
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&c->all, &attr, n);
	return c;
}

static int crowd(unsigned n, uint32_t rounds)
{
	struct crowd *c = make_crowd(n);
	unsigned good;

	for (unsigned i = 0; i < n; i++) {
		pid_t child = fork();

		must(child, "fork");
		if (child)
			continue;
		member(c, rounds);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	good = atomic_load(&c->good);
	printf("%u of %u ran well\n", good, n);
	return good != n;
}

static int limit(void)
{
	static struct tinyvm t[MOST];
	unsigned n = 0;
	int error = 0;

	while (n < MOST && !error) {
		make(&t[n], 1);
		error = tiny_run(&t[n]);
		n += !error;
	}
	printf("%u run, one more: %s\n", n, strerrorname_np(error));
	return 0;
}

static int vcpus(unsigned n)
{
	struct tinyvm t;
	int error;

	make(&t, n);
	error = tiny_run(&t);
	printf("%s\n", error ? strerrorname_np(error) : "none");
	return 0;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 4 && !strcmp(argv[1], "turns"))
		return turns(atoi(argv[2]), atoi(argv[3]));
	if (argc == 4 && !strcmp(argv[1], "crowd"))
		return crowd(atoi(argv[2]), atoi(argv[3]));
	if (argc == 2 && !strcmp(argv[1], "limit"))
		return limit();
	if (argc == 3 && !strcmp(argv[1], "vcpus"))
		return vcpus(atoi(argv[2]));
	return 64;
}
