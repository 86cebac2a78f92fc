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

/* False past the last one. */
static bool get_vm(int fd, uint32_t index, struct twinvisor_vm *vm)
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
	printf(" %9llu %7llu %7llu %8llu %6llu\n", vm->refused, vm->private_pages, vm->loaded_pages,
	       vm->launches, vm->moved);
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

int cmd_stats(int argc, char **argv)
{
	struct twinvisor_info info;
	struct twinvisor_vm vm;
	int fd;

	no_arguments(argc, argv,
		     "Show secure memory in use, and the exits of each S-VM by class, the "
		     "entries that the S-visor refused, private pages, pages loaded at launch, "
		     "launches (a reboot is one more), chunks that were moved.");
	fd = device_open(O_RDONLY | O_CLOEXEC);
	if (ioctl(fd, TWINVISOR_INFO, &info))
		fail("no figures: %s", strerror(errno));
	printf("ABI %u.%u, %u S-VMs, %u pools, chunks of 8 MiB: %llu in use, %llu secure, %llu in "
	       "all\n",
	       info.abi_major, info.abi_minor, info.vms, info.pools, info.chunks_used,
	       info.chunks_secure, info.chunks_total);
	print_lost(fd);
	printf("S-VM %9s %9s %9s %9s %9s %9s %9s %9s %9s %9s %7s %7s %8s %6s\n", "IRQ", "WFX",
	       "FAULT", "MMIO", "CALL", "SYSREG", "SERROR", "OFF", "BOUNCE", "REFUSED", "PAGES",
	       "LOADED", "LAUNCHES", "MOVED");
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
