/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ioctls: what KVM refuses to the VMM of an S-VM, and with which error. Run by tv run.
 * The guest: one page, which waits for interrupts for ever.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define RAM 0x40000000UL
#define SIZE 0x200000UL
#define UART 0x09000000UL
#define CORE_PC \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(regs.pc))

static int count, failed;
static int vm, vcpu;
static struct kvm_run *run;

static void ok(bool good, const char *what, const char *detail)
{
	failed += !good;
	printf("%s %d - %s%s%s\n", good ? "ok" : "not ok", ++count, what, *detail ? ": " : "",
	       detail);
}

static void must(int result, const char *what)
{
	if (result >= 0)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(2);
}

static void refused(int fd, unsigned long request, void *arg, int error, const char *what)
{
	int result = ioctl(fd, request, arg);
	int got = result < 0 ? errno : 0;

	ok(got == error, what, strerror(got));
}

static void make_gic(void)
{
	struct kvm_create_device gic = {.type = KVM_DEV_TYPE_ARM_VGIC_V3};
	uint64_t dist = 0x08000000, redist = 0x080a0000;
	struct kvm_device_attr attr = {.group = KVM_DEV_ARM_VGIC_GRP_ADDR};

	must(ioctl(vm, KVM_CREATE_DEVICE, &gic), "GICv3");
	attr.attr = KVM_VGIC_V3_ADDR_TYPE_DIST;
	attr.addr = (uint64_t)&dist;
	must(ioctl(gic.fd, KVM_SET_DEVICE_ATTR, &attr), "distributor");
	attr.attr = KVM_VGIC_V3_ADDR_TYPE_REDIST;
	attr.addr = (uint64_t)&redist;
	must(ioctl(gic.fd, KVM_SET_DEVICE_ATTR, &attr), "redistributors");
	attr = (struct kvm_device_attr){.group = KVM_DEV_ARM_VGIC_GRP_CTRL,
					.attr = KVM_DEV_ARM_VGIC_CTRL_INIT};
	must(ioctl(gic.fd, KVM_SET_DEVICE_ATTR, &attr), "GIC init");
}

/* movz x1, #0x0900, lsl 16; str wzr, [x1]; wfi; b .-4 : one MMIO exit tells that it runs */
static const uint32_t code[] = {0xd2a12001, 0xb900003f, 0xd503207f, 0x17ffffff};

static struct kvm_userspace_memory_region region;

static void make_vm(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int file = memfd_create("ram", 0);
	uint8_t *ram;

	must(kvm, "/dev/kvm");
	must(ftruncate(file, SIZE), "memory file");
	ram = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	memcpy(ram, code, sizeof(code));
	/* As reclaim would: the content is the file's, and none of it mapped. */
	must(madvise(ram, SIZE, MADV_DONTNEED), "unmapping");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	must(vm, "KVM_CREATE_VM");
	region = (struct kvm_userspace_memory_region){
		.guest_phys_addr = RAM, .memory_size = SIZE, .userspace_addr = (uint64_t)ram};
	must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "memory");
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	must(vcpu, "vCPU");
	run = mmap(NULL, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE, MAP_SHARED,
		   vcpu, 0);
}

static struct kvm_vcpu_init init;

static void set_pc(uint64_t pc, const char *what)
{
	struct kvm_one_reg reg = {.id = CORE_PC, .addr = (uint64_t)&pc};

	must(ioctl(vcpu, KVM_SET_ONE_REG, &reg), what);
}

static void start(void)
{
	must(ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init), "target");
	init.features[0] |= 1 << KVM_ARM_VCPU_PSCI_0_2;
	must(ioctl(vcpu, KVM_ARM_VCPU_INIT, &init), "init");
	make_gic();
	set_pc(RAM, "PC");
	must(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
	ok(run->exit_reason == KVM_EXIT_MMIO && run->mmio.phys_addr == UART,
	   "an S-VM made by hand runs", "");
}

static void refuse_memory(void)
{
	struct kvm_userspace_memory_region change = region;
	struct kvm_userspace_memory_region more = region;

	change.memory_size = 0;
	refused(vm, KVM_SET_USER_MEMORY_REGION, &change, EPERM, "deleting RAM");
	change = region;
	change.userspace_addr = (uint64_t)mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
					       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	change.flags = KVM_MEM_LOG_DIRTY_PAGES;
	refused(vm, KVM_SET_USER_MEMORY_REGION, &change, EINVAL, "logging dirty pages");
	more.slot = 1;
	more.guest_phys_addr = RAM + (1 << 30);
	refused(vm, KVM_SET_USER_MEMORY_REGION, &more, EPERM, "adding RAM");
}

static void refuse_cpu(void)
{
	struct kvm_guest_debug debug = {.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP};

	refused(vm, KVM_CREATE_VCPU, (void *)1, EBUSY, "a vCPU after launch");
	refused(vcpu, KVM_ARM_VCPU_INIT, &init, EPERM, "resetting a vCPU");
	refused(vcpu, KVM_SET_GUEST_DEBUG, &debug, EINVAL, "debugging the guest");
}

/* Writes are taken, since VMMs make them, and have no effect: the guest goes on where it was. */
static void ignore_registers(void)
{
	set_pc(RAM + 0x1000, "PC after launch");
	must(ioctl(vcpu, KVM_RUN, 0) < 0 && errno != EINTR ? -1 : 0, "KVM_RUN");
	ok(run->exit_reason == KVM_EXIT_INTR, "a PC written by the VMM has no effect", "");
}

static void nothing(int sig)
{
	(void)sig;
}

int main(void)
{
	struct sigaction wake = {.sa_handler = nothing};

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGALRM, &wake, NULL);
	make_vm();
	start();
	refuse_memory();
	refuse_cpu();
	alarm(2); /* the guest waits for ever: this ends KVM_RUN */
	ignore_registers();
	printf("1..%d\n", count);
	return failed != 0;
}
