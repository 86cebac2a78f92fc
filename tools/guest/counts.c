/* SPDX-License-Identifier: BSD-3-Clause */
/* counts: what a profiler needs of the PMU. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/perf_event.h>

#define PERIOD 10000000
#define SIGNALS 20
#define LIMIT 120 /* seconds */
#define LOOP 1000000UL
#define TRIES 50

static volatile sig_atomic_t signals;

static int event(uint64_t config, uint64_t period)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = config,
		.sample_period = period,
		.disabled = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static uint64_t value(int fd)
{
	uint64_t v = 0;

	return read(fd, &v, sizeof(v)) == sizeof(v) ? v : 0;
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Two instructions a turn. */
static void loop(uint64_t turns)
{
	__asm__ volatile("1: subs %0, %0, #1\n\tb.ne 1b" : "+r"(turns)::"cc");
}

static void overflowed(int signal)
{
	(void)signal;
	signals++;
}

/* A signal for each PERIOD cycles; some may be late and merge. */
static bool sampling(void)
{
	struct f_owner_ex owner = {F_OWNER_TID, gettid()};
	int fd = event(PERF_COUNT_HW_CPU_CYCLES, PERIOD);
	time_t limit = now() + LIMIT;
	uint64_t counted;

	signal(SIGUSR1, overflowed);
	if (fd < 0 || fcntl(fd, F_SETFL, O_ASYNC) || fcntl(fd, F_SETSIG, SIGUSR1) ||
	    fcntl(fd, F_SETOWN_EX, &owner) || ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		return false;
	while (signals < SIGNALS && now() < limit)
		loop(LOOP);
	ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
	counted = value(fd);
	close(fd);
	printf("guest: counts: %d overflows in %lu cycles\n", (int)signals, counted);
	return signals >= SIGNALS && counted >= SIGNALS * (uint64_t)PERIOD;
}

static bool rises(void)
{
	int fd = event(PERF_COUNT_HW_CPU_CYCLES, 0);
	uint64_t last = 0, v;
	bool good = fd >= 0 && ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) == 0;

	for (int i = 0; good && i < 1000; i++, last = v) {
		loop(LOOP / 100);
		v = value(fd);
		good = v > last;
	}
	close(fd);
	return good;
}

static uint64_t __attribute__((noipa)) instructions(int fd, uint64_t turns)
{
	ioctl(fd, PERF_EVENT_IOC_RESET, 0);
	ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
	loop(turns);
	ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
	return value(fd);
}

/* For the test to judge: not all CPUs have the event, and the emulator's counts some of a tick's
 * instructions as the user's, if one falls into it. */
static void exact(void)
{
	int fd = event(PERF_COUNT_HW_INSTRUCTIONS, 0), good = 0;

	if (fd < 0) {
		printf("guest: counts: no instructions\n");
		return;
	}
	for (int i = 0; i < TRIES; i++) {
		uint64_t turns = LOOP >> i % 8, once = instructions(fd, turns);

		good += instructions(fd, 3 * turns) - once == 2 * 2 * turns;
	}
	printf("guest: counts: instructions exact in %d of %d tries\n", good, TRIES);
	close(fd);
}

static bool report(const char *name, bool good)
{
	printf("guest: counts %s %s\n", name, good ? "ok" : "FAILED");
	return good;
}

int main(void)
{
	bool good = true;

	setvbuf(stdout, NULL, _IOLBF, 0);
	good &= report("sampling", sampling());
	good &= report("rises", rises());
	exact();
	printf("guest: counts %s\n", good ? "passed" : "FAILED");
	return !good;
}
