/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hog MIB: a VM that uses that much memory and checks it all the time, by hand. Run by tv run, an
 * S-VM. A line a round; ends with 1 if the memory has changed, with 3 if KVM has none for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tinyvm.h"

#define HOLE TINY_SIZE /* code is in the first block */

extern const uint8_t hog_guest[], hog_guest_end[], hog_guest_range[];

static uint32_t shown(const struct tinyvm *t)
{
	uint32_t value;

	memcpy(&value, t->run->mmio.data, sizeof(value));
	return value;
}

static void make(struct tinyvm *t, size_t bytes)
{
	uint64_t range[] = {TINY_RAM + HOLE, TINY_RAM + HOLE + bytes};

	tiny_make_big(t, hog_guest, hog_guest_end - hog_guest, 1, HOLE + bytes);
	memcpy(t->ram + (hog_guest_range - hog_guest), range, sizeof(range));
}

int main(int argc, char **argv)
{
	size_t mib = argc == 2 ? strtoul(argv[1], NULL, 0) : 0;
	struct tinyvm t;
	int error;

	if (!mib || mib % 2) {
		fprintf(stderr, "usage: hog MIB (even)\n");
		return 64;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	make(&t, mib << 20);
	while (!(error = tiny_run(&t)) && tiny_at_uart(&t) && shown(&t))
		printf("hog: round %u\n", shown(&t));
	if (error == EINTR)
		return 0;
	printf("hog: %s\n", error ? strerrorname_np(error) : "MEMORY CHANGED");
	return error == ENOMEM ? 3 : 1;
}
