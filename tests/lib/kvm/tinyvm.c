// SPDX-License-Identifier: BSD-3-Clause
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tinyvm.h"

#define CORE_PC \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(regs.pc))

void must(int result, const char *what)
{
	if (result >= 0)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(2);
}

static void set_address(struct tinyvm *t, uint64_t type, uint64_t address)
{
	struct kvm_device_attr attr = {
		.group = KVM_DEV_ARM_VGIC_GRP_ADDR, .attr = type, .addr = (uint64_t)&address};

	must(ioctl(t->gic, KVM_SET_DEVICE_ATTR, &attr), "GIC address");
}

static void make_gic(struct tinyvm *t)
{
	struct kvm_create_device gic = {.type = KVM_DEV_TYPE_ARM_VGIC_V3};
	struct kvm_device_attr init = {.group = KVM_DEV_ARM_VGIC_GRP_CTRL,
				       .attr = KVM_DEV_ARM_VGIC_CTRL_INIT};

	must(ioctl(t->vm, KVM_CREATE_DEVICE, &gic), "GICv3");
	t->gic = gic.fd;
	set_address(t, KVM_VGIC_V3_ADDR_TYPE_DIST, 0x08000000);
	set_address(t, KVM_VGIC_V3_ADDR_TYPE_REDIST, 0x080a0000);
	must(ioctl(t->gic, KVM_SET_DEVICE_ATTR, &init), "GIC init");
}

static void set_ram(struct tinyvm *t)
{
	t->region = (struct kvm_userspace_memory_region){.guest_phys_addr = TINY_RAM,
							 .memory_size = t->ram_size,
							 .userspace_addr = (uint64_t)t->ram};
	must(ioctl(t->vm, KVM_SET_USER_MEMORY_REGION, &t->region), "RAM");
}

/* What is mapped beyond, for the alignment, is nobody's but address space. */
static void make_big_ram(struct tinyvm *t, const void *code, size_t size, size_t ram)
{
	uint8_t *all = mmap(NULL, ram + TINY_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	must(all == MAP_FAILED ? -1 : 0, "memory");
	t->ram = all + (-(uintptr_t)all & (TINY_SIZE - 1));
	t->ram_size = ram;
	memcpy(t->ram, code, size);
	set_ram(t);
}

static void make_ram(struct tinyvm *t, const void *code, size_t size)
{
	int file = memfd_create("ram", MFD_CLOEXEC);

	must(file, "memory file");
	must(ftruncate(file, TINY_SIZE), "size of the memory file");
	t->ram = mmap(NULL, TINY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	must(t->ram == MAP_FAILED ? -1 : 0, "memory");
	close(file);
	memcpy(t->ram, code, size);
	/* As reclaim would: the content is the file's, and none of it mapped. */
	must(madvise(t->ram, TINY_SIZE, MADV_DONTNEED), "unmapping");
	t->ram_size = TINY_SIZE;
	set_ram(t);
}

static void make_vcpus(struct tinyvm *t, unsigned vcpus)
{
	must(ioctl(t->vm, KVM_ARM_PREFERRED_TARGET, &t->init), "target");
	t->init.features[0] |= 1 << KVM_ARM_VCPU_PSCI_0_2;
	for (unsigned i = 0; i < vcpus; i++) {
		struct kvm_vcpu_init init = t->init;

		init.features[0] |= i ? 1 << KVM_ARM_VCPU_POWER_OFF : 0;
		t->vcpu[i] = ioctl(t->vm, KVM_CREATE_VCPU, i);
		must(t->vcpu[i], "vCPU");
		must(ioctl(t->vcpu[i], KVM_ARM_VCPU_INIT, &init), "vCPU init");
	}
	t->run = mmap(NULL, t->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, t->vcpu[0], 0);
	must(t->run == MAP_FAILED ? -1 : 0, "kvm_run");
}

static void make_vm(struct tinyvm *t)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	memset(t, 0, sizeof(*t));
	memset(t->vcpu, -1, sizeof(t->vcpu));
	must(kvm, "/dev/kvm");
	t->run_size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	t->vm = ioctl(kvm, KVM_CREATE_VM, 0);
	must(t->vm, "KVM_CREATE_VM");
	close(kvm);
}

static void make_rest(struct tinyvm *t, unsigned vcpus)
{
	make_vcpus(t, vcpus);
	make_gic(t);
	tiny_set_pc(t, TINY_RAM);
}

void tiny_make(struct tinyvm *t, const void *code, size_t size, unsigned vcpus)
{
	make_vm(t);
	make_ram(t, code, size);
	make_rest(t, vcpus);
}

void tiny_make_big(struct tinyvm *t, const void *code, size_t size, unsigned vcpus, size_t ram)
{
	make_vm(t);
	make_big_ram(t, code, size, ram);
	make_rest(t, vcpus);
}

void tiny_set_pc(struct tinyvm *t, uint64_t pc)
{
	struct kvm_one_reg reg = {.id = CORE_PC, .addr = (uint64_t)&pc};

	must(ioctl(t->vcpu[0], KVM_SET_ONE_REG, &reg), "PC");
}

int tiny_run(struct tinyvm *t)
{
	return ioctl(t->vcpu[0], KVM_RUN, 0) < 0 ? errno : 0;
}

int tiny_at_uart(const struct tinyvm *t)
{
	return t->run->exit_reason == KVM_EXIT_MMIO && t->run->mmio.phys_addr == TINY_UART;
}

void tiny_close(struct tinyvm *t)
{
	munmap(t->run, t->run_size);
	for (unsigned i = 0; i < TINY_VCPUS && t->vcpu[i] >= 0; i++)
		close(t->vcpu[i]);
	close(t->gic);
	close(t->vm);
	munmap(t->ram, t->ram_size);
}
