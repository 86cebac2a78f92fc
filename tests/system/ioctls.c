/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ioctls: what KVM refuses to the VMM of an S-VM, and with which error. Run by tv run.
 * The guest: one page, which waits for interrupts for ever.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/twinvisor.h>
#include <pthread.h>
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

#include "tinyvm.h"

static int count, failed;
static struct tinyvm t;

static void ok(bool good, const char *what, const char *detail)
{
	failed += !good;
	printf("%s %d - %s%s%s\n", good ? "ok" : "not ok", ++count, what, *detail ? ": " : "",
	       detail);
}

static void refused(int fd, unsigned long request, void *arg, int error, const char *what)
{
	int result = ioctl(fd, request, arg);
	int got = result < 0 ? errno : 0;

	ok(got == error, what, strerror(got));
}

/* movz x1, #0x0900, lsl 16; str wzr, [x1]; wfi; b .-4 : one MMIO exit tells that it runs */
static const uint32_t code[] = {0xd2a12001, 0xb900003f, 0xd503207f, 0x17ffffff};

static void start(void)
{
	tiny_make(&t, code, sizeof(code), 1);
	must(-tiny_run(&t), "KVM_RUN");
	ok(tiny_at_uart(&t), "an S-VM made by hand runs", "");
}

static void refuse_memory(void)
{
	struct kvm_userspace_memory_region change = t.region;
	struct kvm_userspace_memory_region more = t.region;

	change.memory_size = 0;
	refused(t.vm, KVM_SET_USER_MEMORY_REGION, &change, EPERM, "deleting RAM");
	change = t.region;
	change.userspace_addr = (uint64_t)mmap(NULL, TINY_SIZE, PROT_READ | PROT_WRITE,
					       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	change.flags = KVM_MEM_LOG_DIRTY_PAGES;
	refused(t.vm, KVM_SET_USER_MEMORY_REGION, &change, EINVAL, "logging dirty pages");
	more.slot = 1;
	more.guest_phys_addr = TINY_RAM + (1 << 30);
	refused(t.vm, KVM_SET_USER_MEMORY_REGION, &more, EPERM, "adding RAM");
}

static void refuse_cpu(void)
{
	struct kvm_guest_debug debug = {.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP};

	refused(t.vm, KVM_CREATE_VCPU, (void *)1, EBUSY, "a vCPU after launch");
	refused(t.vcpu[0], KVM_SET_GUEST_DEBUG, &debug, EINVAL, "debugging the guest");
}

/* Writes are taken, since VMMs make them, and have no effect: the guest goes on where it was. */
static void ignore_registers(void)
{
	tiny_set_pc(&t, TINY_RAM + 0x1000);
	ok(tiny_run(&t) == EINTR && t.run->exit_reason == KVM_EXIT_INTR,
	   "a PC written by the VMM has no effect", "");
}

/* This S-VM as tv list shows it, the only one on the host. */
static struct twinvisor_vm look(void)
{
	struct twinvisor_vm seen = {.index = 0};
	int dev = open("/dev/twinvisor", O_RDWR | O_CLOEXEC);

	must(ioctl(dev, TWINVISOR_VM, &seen), "TWINVISOR_VM");
	close(dev);
	return seen;
}

/* A reset is a launch of its own: the guest is at its start again, told by the MMIO exit. */
static struct twinvisor_vm reset(const char *what)
{
	must(ioctl(t.vcpu[0], KVM_ARM_VCPU_INIT, &t.init), "init again");
	tiny_set_pc(&t, TINY_RAM);
	must(-tiny_run(&t), "KVM_RUN after reset");
	ok(tiny_at_uart(&t), what, "");
	return look();
}

static bool same(const struct twinvisor_vm *a, const struct twinvisor_vm *b)
{
	return !memcmp(a->measurement, b->measurement, sizeof(a->measurement));
}

static void resets(void)
{
	struct twinvisor_vm first = look(), next;

	t.ram[TINY_SIZE / 2] = 1; /* as a device would, in a page that was not loaded */
	next = reset("a vCPU that is reset starts a new S-VM");
	ok(same(&first, &next) && next.loaded_pages == 1,
	   "what else is in the shared view by then is neither loaded nor measured", "");
	ok(next.launches == first.launches + 1, "it counts as a launch", "");
	t.ram[sizeof(code)] = 1;
	next = reset("a vCPU is reset again");
	ok(!same(&first, &next), "another image has another measurement", "");
}

static void *init_again(void *vcpu)
{
	struct kvm_vcpu_init init = t.init;

	return (void *)(intptr_t)ioctl(*(int *)vcpu, KVM_ARM_VCPU_INIT, &init);
}

/* By threads of their own, at once: each has its vCPU's mutex, and needs the other's. */
static void resets_at_once(void)
{
	void *result[2] = {(void *)1, (void *)1};
	pthread_t thread[2];

	tiny_close(&t);
	tiny_make(&t, code, sizeof(code), 2);
	must(-tiny_run(&t), "KVM_RUN of two vCPUs");
	for (int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, init_again, &t.vcpu[i]);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], &result[i]);
	ok(!result[0] && !result[1], "two vCPUs are reset at once", "");
	tiny_set_pc(&t, TINY_RAM);
	must(-tiny_run(&t), "KVM_RUN after that");
	ok(tiny_at_uart(&t) && look().launches == 2, "a new S-VM starts", "");
}

/* Of the device itself: policies, and logs of launches. */
static void logs(void)
{
	static uint8_t bytes[4096];
	struct twinvisor_policy policy = {.policy = (uintptr_t)bytes};
	struct twinvisor_launch launch = {.vm = TWINVISOR_LAST};
	int fd = open("/dev/twinvisor", O_RDWR);

	refused(fd, TWINVISOR_POLICY, &policy, EINVAL, "an empty policy");
	policy.size = 2049;
	refused(fd, TWINVISOR_POLICY, &policy, EINVAL, "a policy that is too long");
	policy = (struct twinvisor_policy){.size = 1};
	refused(fd, TWINVISOR_POLICY, &policy, EFAULT, "a policy that is nowhere");
	refused(fd, TWINVISOR_LAUNCH, &launch, EAGAIN, "the last launch before there is one");
	launch.vm = 1;
	refused(fd, TWINVISOR_LAUNCH, &launch, ENOENT, "the log of an S-VM that is not there");
	launch.vm = 0;
	refused(fd, TWINVISOR_LAUNCH, &launch, 0, "the log of an S-VM");
	/* head and CPU, RAM, a page, a vCPU */
	ok(launch.size == 24 + 24 + 48 + 280 && !launch.room && !launch.error, "its size", "");
	launch.room = 24;
	launch.log = (uintptr_t)bytes;
	refused(fd, TWINVISOR_LAUNCH, &launch, 0, "a part of it");
	ok(launch.room == 24 && !memcmp(bytes, "TMVSvm02", 8) && !bytes[24],
	   "as much as there is room for", "");
	launch.room = 1 << 20;
	launch.log = 0;
	refused(fd, TWINVISOR_LAUNCH, &launch, EFAULT, "a log to nowhere");
	close(fd);
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
	start();
	logs();
	refuse_memory();
	refuse_cpu();
	alarm(2); /* the guest waits for ever: this ends KVM_RUN */
	ignore_registers();
	resets();
	resets_at_once();
	printf("1..%d\n", count);
	return failed != 0;
}
