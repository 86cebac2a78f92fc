// SPDX-License-Identifier: BSD-3-Clause
/* counted CPU SECONDS: what the host's own counters, which leave out nothing, see of a CPU in that
 * time. Prints cycles, instructions (0 where the CPU cannot count them) and nanoseconds. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/perf_event.h>

static int event(uint64_t config, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = config,
	};

	return syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static uint64_t value(int fd)
{
	uint64_t v;

	return read(fd, &v, sizeof(v)) == sizeof(v) ? v : 0;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000UL + t.tv_nsec;
}

int main(int argc, char **argv)
{
	int cpu = argc == 3 ? atoi(argv[1]) : 0, cycles = event(PERF_COUNT_HW_CPU_CYCLES, cpu),
	    instructions = event(PERF_COUNT_HW_INSTRUCTIONS, cpu);
	uint64_t begin = now(), c = value(cycles), i = value(instructions);

	if (argc != 3 || cycles < 0) {
		perror("counted");
		return 1;
	}
	sleep(atoi(argv[2]));
	c = value(cycles) - c;
	i = value(instructions) - i;
	printf("counted: cycles %lu instructions %lu ns %lu\n", c, i, now() - begin);
	return 0;
}
