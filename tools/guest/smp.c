/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * smp: what the CPUs of one machine have in common, again and again: a counter that never
 * goes back from one to another, interrupts that wake each other (SGIs out of WFI), timers
 * that are not early. A line a round; the host tests read them. CPUs may come and go.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MAX_CPUS 64
#define READINGS 20000
#define WAKEUPS 50
#define TIMERS 5

static long cpus;
static _Atomic uint64_t latest; /* the highest counter that any has seen */
static int token[MAX_CPUS][2];  /* a pipe into each thread */

static void fail(const char *what, long cpu)
{
	printf("guest: smp FAILED: %s, CPU %ld\n", what, cpu);
	exit(1);
}

/* Where it can: a CPU that is off just now leaves its thread to the others. */
static void pin(long cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Not before `seen` was read: a branch on it and an ISB keep the order (DDI 0487 B2.3). */
static uint64_t counter_after(uint64_t seen)
{
	uint64_t count;

	asm volatile("cbnz %1, 1f\n1:\tisb\n\tmrs %0, cntvct_el0" : "=r"(count) : "r"(seen));
	return count;
}

static void counter(long cpu)
{
	for (int i = 0; i < READINGS; i++) {
		uint64_t seen = atomic_load(&latest), count = counter_after(seen);

		if (count < seen)
			fail("the counter went back", cpu);
		while (count > seen && !atomic_compare_exchange_weak(&latest, &seen, count))
			;
	}
}

/* One token goes round: each thread sleeps until its neighbour wakes it. */
static void wakeups(long cpu)
{
	char byte = 1;

	for (int i = 0; i < WAKEUPS; i++) {
		if (read(token[cpu][0], &byte, 1) != 1 ||
		    write(token[(cpu + 1) % cpus][1], &byte, 1) != 1)
			fail("no token", cpu);
	}
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000UL + t.tv_nsec;
}

static void timers(long cpu)
{
	const struct timespec pause = {.tv_nsec = 5000000};

	for (int i = 0; i < TIMERS; i++) {
		uint64_t start = now();

		nanosleep(&pause, NULL);
		if (now() < start + pause.tv_nsec)
			fail("a timer came early", cpu);
	}
}

static void *one_cpu(void *arg)
{
	long cpu = (long)arg;

	pin(cpu);
	counter(cpu);
	wakeups(cpu);
	timers(cpu);
	return NULL;
}

static void one_round(void)
{
	pthread_t thread[MAX_CPUS];
	char byte = 0;

	for (long i = 0; i < cpus; i++) {
		if (pthread_create(&thread[i], NULL, one_cpu, (void *)i))
			fail("no thread", i);
	}
	if (write(token[0][1], &byte, 1) != 1)
		fail("no token", 0);
	for (long i = 0; i < cpus; i++)
		pthread_join(thread[i], NULL);
	if (read(token[0][0], &byte, 1) != 1)
		fail("the token is lost", 0);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	cpus = sysconf(_SC_NPROCESSORS_CONF);
	if (cpus > MAX_CPUS)
		cpus = MAX_CPUS;
	for (long i = 0; i < cpus; i++) {
		if (pipe(token[i]))
			fail("no pipe", i);
	}
	for (unsigned long round = 0;; round++) {
		one_round();
		printf("guest: smp round %lu\n", round);
	}
}
