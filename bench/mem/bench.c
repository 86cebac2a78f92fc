/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench: what memory of VMs costs, in ns of CNTVCT_EL0: instructions, on a machine that counts
 * them. Under tv run the VMs are S-VMs.
 *
 *   bench touch MIB    a VM touches MIB of memory for the first time: a line each 2 MiB
 *   bench return N     takes N chunks back, which S-VMs above must move into; 0: one free chunk
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/twinvisor.h>

#include "tinyvm.h"

#define BLOCK TINY_SIZE
#define CHUNK (8UL << 20)

extern const uint8_t touch_guest[], touch_guest_end[], touch_guest_range[];

static uint64_t shown(struct tinyvm *t)
{
	uint64_t value;

	must(tiny_run(t) || !tiny_at_uart(t) ? -1 : 0, "the guest");
	memcpy(&value, t->run->mmio.data, sizeof(value));
	return value;
}

/* Its code and the page tables' own cost are in the first block; the others are touched. */
static void make(struct tinyvm *t, size_t bytes)
{
	uint64_t range[] = {TINY_RAM + BLOCK, TINY_RAM + BLOCK + bytes, BLOCK};

	tiny_make_big(t, touch_guest, touch_guest_end - touch_guest, 1, BLOCK + bytes);
	memcpy(t->ram + (touch_guest_range - touch_guest), range, sizeof(range));
}

static uint64_t ns(uint64_t ticks)
{
	uint64_t hz;

	__asm__("mrs %0, cntfrq_el0" : "=r"(hz));
	return ticks * 1000000000 / hz;
}

static int touch(size_t bytes)
{
	struct tinyvm t;
	uint64_t ticks;

	make(&t, bytes);
	while ((ticks = shown(&t)))
		printf("%lu\n", ns(ticks));
	tiny_close(&t);
	return 0;
}

/* A VM that has so many chunks. */
static void use(struct tinyvm *t, unsigned chunks)
{
	make(t, chunks * CHUNK - BLOCK);
	while (shown(t))
		;
}

static uint64_t now(void)
{
	uint64_t ticks;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(ticks)::"memory");
	return ticks;
}

static uint64_t reclaim(int fd, __u64 chunks)
{
	uint64_t begin = now(), end;
	__u64 got = chunks;

	must(ioctl(fd, TWINVISOR_RECLAIM, &got), "TWINVISOR_RECLAIM");
	end = now();
	if (got != chunks) {
		printf("Bail out! %llu chunks came back, not %llu\n", got, chunks);
		exit(2);
	}
	return end - begin;
}

static int give_back(unsigned moves)
{
	int fd = open("/dev/twinvisor", O_RDWR | O_CLOEXEC);
	struct tinyvm low, high;

	must(fd, "/dev/twinvisor");
	use(&low, moves ? moves : 1);
	if (moves)
		use(&high, moves);
	tiny_close(&low);
	printf("%lu\n", ns(reclaim(fd, moves ? moves : 1)));
	if (moves)
		tiny_close(&high);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long n = argc == 3 ? strtoul(argv[2], NULL, 0) : 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && !strcmp(argv[1], "touch") && n)
		return touch(n << 20);
	if (argc == 3 && !strcmp(argv[1], "return"))
		return give_back(n);
	return 64;
}
