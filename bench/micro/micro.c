// SPDX-License-Identifier: BSD-3-Clause
/*
 * micro: VMs that do one operation again and again, for a machine that counts instructions. Under
 * tv run they are S-VMs.
 *
 *   micro OPERATION FEW MANY    one VM; see guest.S
 *   micro switch FEW MANY       two VMs by turns, an exit each
 *   micro vipi FEW MANY         one VM of two vCPUs, each on a CPU of its own
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "mark.h"
#include "micro.h"
#include "tinyvm.h"

extern const uint8_t micro_guest[], micro_guest_end[], micro_guest_order[];

/* In the order of guest.S */
static const char *const names[] = {"nothing", "hypercall", "mmio_write", "mmio_read", "mmio_vgic",
				    "sysreg",  "id",        "version",    "fp",        "timer",
				    "wfi",     "touch",     "vipi"};
enum { OPERATIONS = sizeof(names) / sizeof(names[0]), MMIO_WRITE = 2, TOUCH = 11, VIPI = 12 };

static void mark(uint64_t label)
{
	register uint64_t x0 __asm__("x0") = label;

	__asm__ volatile("hint #%0" : : "i"(MARK_HINT), "r"(x0));
}

/* Its code is in the first block of 2 MiB. */
static size_t ram_for(uint64_t operation, uint64_t few, uint64_t many)
{
	size_t pages = operation == TOUCH ? 2 * few + many : 0;

	return TINY_SIZE + (pages * 4096 + TINY_SIZE - 1) / TINY_SIZE * TINY_SIZE;
}

static void make(struct tinyvm *t, uint64_t operation, uint64_t few, uint64_t many)
{
	uint64_t order[] = {operation, few, many};

	tiny_make_big(t, micro_guest, micro_guest_end - micro_guest, operation == VIPI ? 2 : 1,
		      ram_for(operation, few, many));
	memcpy(t->ram + (micro_guest_order - micro_guest), order, sizeof(order));
}

/* Till the next exit to here; false: it is at its end. */
static int step(struct tinyvm *t)
{
	must(tiny_run(t) ? -1 : 0, "KVM_RUN");
	return tiny_at_uart(t);
}

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(sched_setaffinity(0, sizeof(set), &set), "CPU");
}

/* The second vCPU; it ends with the process. */
static void *run_second(void *vm)
{
	const struct tinyvm *t = vm;

	stay_on(1);
	for (;;)
		ioctl(t->vcpu[1], KVM_RUN, 0);
	return NULL;
}

static int one(uint64_t operation, uint64_t few, uint64_t many)
{
	static struct tinyvm t;
	pthread_t second;

	make(&t, operation, few, many);
	if (operation == VIPI) {
		stay_on(0);
		must(-pthread_create(&second, NULL, run_second, &t), "thread");
	}
	while (step(&t))
		;
	return 0;
}

static void by_turns(struct tinyvm t[2], uint64_t rounds)
{
	while (rounds--) {
		step(&t[0]);
		step(&t[1]);
	}
}

static int two(uint64_t few, uint64_t many)
{
	struct tinyvm t[2];

	make(&t[0], MMIO_WRITE, 1UL << 40, 1);
	make(&t[1], MMIO_WRITE, 1UL << 40, 1);
	by_turns(t, few);
	mark(MARK_FEW);
	by_turns(t, few);
	mark(MARK_MANY);
	by_turns(t, many);
	mark(MARK_END);
	tiny_close(&t[0]);
	tiny_close(&t[1]);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t few = argc == 4 ? strtoull(argv[2], NULL, 0) : 0;
	uint64_t many = argc == 4 ? strtoull(argv[3], NULL, 0) : 0;

	if (few && many && !strcmp(argv[1], "switch"))
		return two(few, many);
	for (unsigned i = 0; few && many && i < OPERATIONS; i++) {
		if (!strcmp(argv[1], names[i]))
			return one(i, few, many);
	}
	return 64;
}
