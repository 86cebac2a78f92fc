// SPDX-License-Identifier: BSD-3-Clause
/*
 * micro: VMs that do one operation again and again, for a machine that counts instructions. Under
 * tv run they are S-VMs.
 *
 *   micro OPERATION FEW MANY    one VM; see guest.S
 *   micro switch FEW MANY       two VMs by turns, an exit each
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mark.h"
#include "micro.h"
#include "tinyvm.h"

extern const uint8_t micro_guest[], micro_guest_end[], micro_guest_order[];

/* In the order of guest.S */
static const char *const names[] = {"nothing",   "hypercall", "mmio_write", "mmio_read",
				    "mmio_vgic", "sysreg",    "id",         "version",
				    "fp",        "timer",     "wfi"};
enum { OPERATIONS = sizeof(names) / sizeof(names[0]), MMIO_WRITE = 2 };

static void mark(uint64_t label)
{
	register uint64_t x0 __asm__("x0") = label;

	__asm__ volatile("hint #%0" : : "i"(MARK_HINT), "r"(x0));
}

static void make(struct tinyvm *t, uint64_t operation, uint64_t few, uint64_t many)
{
	uint64_t order[] = {operation, few, many};

	tiny_make(t, micro_guest, micro_guest_end - micro_guest, 1);
	memcpy(t->ram + (micro_guest_order - micro_guest), order, sizeof(order));
}

/* Till the next exit to here; false: it is at its end. */
static int step(struct tinyvm *t)
{
	must(tiny_run(t) ? -1 : 0, "KVM_RUN");
	return tiny_at_uart(t);
}

static int one(uint64_t operation, uint64_t few, uint64_t many)
{
	struct tinyvm t;

	make(&t, operation, few, many);
	while (step(&t))
		;
	tiny_close(&t);
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
