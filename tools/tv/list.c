/* SPDX-License-Identifier: BSD-3-Clause */
/* tv list, stats, audit: what the N-visor tells about S-VMs. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/twinvisor.h>

#include "tv.h"

static const char *state_name(uint32_t state)
{
	static const char *const names[] = {"launching", "running", "dead"};

	return state < sizeof(names) / sizeof(*names) ? names[state] : "unknown";
}

bool get_vm(int fd, uint32_t index, struct twinvisor_vm *vm)
{
	memset(vm, 0, sizeof(*vm));
	vm->index = index;
	if (!ioctl(fd, TWINVISOR_VM, vm))
		return true;
	if (errno != ENOENT)
		fail("the S-VMs cannot be listed: %s", strerror(errno));
	return false;
}

static void print_vm(const struct twinvisor_vm *vm)
{
	printf("%4u %7u %5u %-9s %4llu MiB %6llu  ", vm->index, vm->pid, vm->vcpus,
	       state_name(vm->state), vm->memory >> 20, vm->chunks);
	print_hex(vm->measurement, DIGEST);
	putchar('\n');
}

int cmd_list(int argc, char **argv)
{
	struct twinvisor_vm vm;
	int fd;

	no_arguments(argc, argv,
		     "List the S-VMs of this host: number, process of the VMM, vCPUs, state, "
		     "RAM, chunks of secure memory, launch measurement.");
	fd = device_open(O_RDONLY | O_CLOEXEC);
	printf("%4s %7s %5s %-9s %8s %6s  %s\n", "S-VM", "PID", "VCPUS", "STATE", "RAM", "CHUNKS",
	       "MEASUREMENT");
	for (uint32_t i = 0; get_vm(fd, i, &vm); i++)
		print_vm(&vm);
	return 0;
}

static void print_exits(const struct twinvisor_vm *vm)
{
	printf("%4u", vm->index);
	for (int i = 0; i < TWINVISOR_EXITS; i++)
		printf(" %9llu", vm->exits[i]);
	printf(" %9llu %7llu %7llu %8llu %6llu %8llu %6llu\n", vm->refused, vm->private_pages,
	       vm->loaded_pages, vm->launches, vm->moved, vm->returned, vm->late);
}

/* What the S-visor has in use, and what of it nobody will ever free. */
static void print_lost(int fd)
{
	struct twinvisor_stats stats;
	int tries;

	for (tries = 0; ioctl(fd, TWINVISOR_STATS, &stats); tries++)
		if (errno != EBUSY || tries == 10)
			fail("the S-visor's figures: %s",
			     errno == EBUSY ? "it keeps a lock for ever; see its log, save what "
					      "the S-VMs hold, restart the host"
					    : strerror(errno));
	printf("S-visor: S-VMs %llu, chunks owned %llu, secure %llu, heap pages used %llu of "
	       "%llu, %llu chunks of it from the pools\n",
	       stats.svisor_vms, stats.svisor_chunks, stats.svisor_secure,
	       stats.heap_pages - stats.heap_free, stats.heap_pages, stats.heap_chunks);
	printf("lost: %llu VMIDs, %llu chunks, %llu pages; all locks of the S-visor are free\n",
	       stats.lost_vms, stats.lost_chunks, stats.lost_pages);
}

static void print_queue(const struct twinvisor_queue *q)
{
	printf("%#14llx %5u %4u %9llu %13llu %13llu %9llu %9llu %9llu %6u %7llu%s\n", q->where,
	       q->queue, q->size, q->requests, q->bytes_out, q->bytes_in, q->copies, q->notified,
	       q->forwarded, q->flying, q->refused, q->broken ? " broken" : "");
}

/* The queues of one S-VM. */
static int queue_stats(int fd, uint32_t index)
{
	struct twinvisor_queue q = {.vm = index};
	struct twinvisor_vm vm;

	if (!get_vm(fd, index, &vm))
		fail("there is no S-VM %u: see tv list", index);
	printf("bounce memory: %llu of at most %llu KiB\n", vm.bounce_pages * 4,
	       vm.bounce_most * 4);
	printf("%14s %5s %4s %9s %13s %13s %9s %9s %9s %6s %7s\n", "NOTIFIED AT", "QUEUE", "SIZE",
	       "REQUESTS", "BYTES OUT", "BYTES IN", "COPIES", "NOTIFIED", "FORWARDED", "FLYING",
	       "REFUSED");
	for (; !ioctl(fd, TWINVISOR_QUEUE, &q); q.index++)
		print_queue(&q);
	if (errno != ENOENT)
		fail("the queues of S-VM %u: %s", index, strerror(errno));
	return 0;
}

static error_t parse_stats(int key, char *arg, struct argp_state *state)
{
	char *end;
	long *vm = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (*vm >= 0)
			argp_usage(state);
		*vm = strtol(arg, &end, 10);
		if (*end || *vm < 0 || *vm > UINT32_MAX)
			argp_error(state, "'%s' is no number of an S-VM (see tv list)", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int cmd_stats(int argc, char **argv)
{
	const struct argp argp = {
		.parser = parse_stats,
		.args_doc = "[S-VM]",
		.doc = "Show secure memory in use, and the exits of each S-VM by class, the "
		       "entries that the S-visor refused, private pages, pages loaded at launch, "
		       "launches (a reboot is one more), chunks that were moved, chunks "
		       "that its balloon gave back, interrupts of devices made anew since one "
		       "might have been lost. With a number of "
		       "tv list: the virtio queues of that S-VM.",
	};
	struct twinvisor_info info;
	struct twinvisor_vm vm;
	long one = -1;
	int fd;

	argp_parse(&argp, argc, argv, 0, NULL, &one);
	fd = device_open(O_RDONLY | O_CLOEXEC);
	if (one >= 0)
		return queue_stats(fd, one);
	if (ioctl(fd, TWINVISOR_INFO, &info))
		fail("no figures: %s", strerror(errno));
	printf("ABI %u.%u, %u S-VMs, %u pools, chunks of 8 MiB: %llu in use, %llu secure, %llu in "
	       "all\n",
	       info.abi_major, info.abi_minor, info.vms, info.pools, info.chunks_used,
	       info.chunks_secure, info.chunks_total);
	print_lost(fd);
	printf("S-VM %9s %9s %9s %9s %9s %9s %9s %9s %9s %9s %9s %7s %7s %8s %6s %8s %6s\n", "IRQ",
	       "WFX", "FAULT", "MMIO", "CALL", "SYSREG", "SERROR", "OFF", "BOUNCE", "UNUSED",
	       "REFUSED", "PAGES", "LOADED", "LAUNCHES", "MOVED", "RETURNED", "LATE");
	for (uint32_t i = 0; get_vm(fd, i, &vm); i++)
		print_exits(&vm);
	return 0;
}

int cmd_audit(int argc, char **argv)
{
	struct twinvisor_audit audit;
	int fd, tries;

	no_arguments(argc, argv,
		     "Have the S-visor check who owns each page against its tables and the "
		     "memory controller. Exit status 1 if it finds a violation.");
	fd = device_open(O_RDONLY | O_CLOEXEC);
	for (tries = 0; ioctl(fd, TWINVISOR_AUDIT, &audit); tries++)
		if (errno != EBUSY || tries == 100000)
			fail("no audit: %s", errno == EBUSY ? "a vCPU always runs; pause one S-VM"
							    : strerror(errno));
	printf("violations %llu, chunks %llu, S-VMs %llu, free pages of the S-visor %llu\n",
	       audit.violations, audit.chunks, audit.vms, audit.heap_free);
	return audit.violations != 0;
}
