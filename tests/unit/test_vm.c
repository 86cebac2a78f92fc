// SPDX-License-Identifier: BSD-3-Clause
/* S-VMs: handles, RAM ranges, states, teardown (I8, I9). */
#include "fixture.h"

TEST(handles, "vm: a handle of nobody, a stale and a forged one are refused by every call")
{
	static const uint64_t calls[] = {TV_VM_RAM,    TV_VCPU_CREATE,    TV_VM_LOAD,
					 TV_VM_SEAL,   TV_VM_MEASUREMENT, TV_VCPU_RUN,
					 TV_VM_DESTROY};
	struct svm vm, next;

	boot();
	add_pool();
	vm = svm_launch(0, 1, 1);
	check_eq(svm_destroy(vm.handle), TV_OK);
	next = svm_launch(0, 1, 1);
	check(next.handle != vm.handle);
	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		check_eq(smc(calls[i], vm.handle, 0, 0, 0), TV_ENOENT);
		check_eq(smc(calls[i], 0, 0, 0, 0), TV_ENOENT);
		check_eq(smc(calls[i], next.handle + 1, 0, 0, 0), TV_ENOENT);
		check_eq(smc(calls[i], next.handle | TV_MAX_VMS, 0, 0, 0), TV_ENOENT);
		check_eq(smc(calls[i], next.handle | 0xff, 0, 0, 0), TV_ENOENT);
		check_eq(smc(calls[i], next.handle | 1ULL << 63, 0, 0, 0), TV_ENOENT);
	}
	check_audit();
}

TEST(vm_limit, "vm: no more S-VMs than the table holds, and a freed slot serves again")
{
	uint64_t root, handle = 0;

	boot();
	root = npt_new().root;
	for (unsigned i = 0; i < TV_MAX_VMS; i++) {
		struct tv_args a = call(TV_VM_CREATE, root, NPT_BITS, NPT_LEVEL, 0);

		check_eq(a.x[0], TV_OK);
		check(a.x[1] != handle && a.x[1] != 0);
		handle = a.x[1];
	}
	check_eq(audit().x[3], TV_MAX_VMS);
	check_eq(smc(TV_VM_CREATE, root, NPT_BITS, NPT_LEVEL, 0), TV_ENOMEM);
	check_eq(svm_destroy(handle), TV_OK);
	check_eq(smc(TV_VM_CREATE, root, NPT_BITS, NPT_LEVEL, 0), TV_OK);
}

TEST(ram_args, "vm: RAM is page aligned, apart, below the address limit, four ranges at most")
{
	struct svm vm;
	uint64_t end = 1ULL << NPT_BITS;

	boot();
	vm = svm_new();
	check_eq(smc(TV_VM_RAM, vm.handle, 8, PAGE(1), 0), TV_EINVAL);
	check_eq(smc(TV_VM_RAM, vm.handle, 0, 8, 0), TV_EINVAL);
	check_eq(smc(TV_VM_RAM, vm.handle, 0, 0, 0), TV_EINVAL);
	check_eq(smc(TV_VM_RAM, vm.handle, RAM, PAGE(1), 0), TV_EINVAL);
	check_eq(smc(TV_VM_RAM, vm.handle, RAM + RAM_SIZE - PAGE(1), PAGE(2), 0), TV_EINVAL);
	check_eq(smc(TV_VM_RAM, vm.handle, RAM - PAGE(1), PAGE(2), 0), TV_EINVAL);
	check_eq(smc(TV_VM_RAM, vm.handle, end, PAGE(1), 0), TV_EINVAL);
	check_eq(smc(TV_VM_RAM, vm.handle, end - PAGE(1), PAGE(2), 0), TV_EINVAL);
	check_eq(smc(TV_VM_RAM, vm.handle, PAGE(1), -PAGE(1), 0), TV_EINVAL);
	check_eq(smc(TV_VM_RAM, vm.handle, end - PAGE(1), PAGE(1), 0), TV_OK);
	check_eq(smc(TV_VM_RAM, vm.handle, RAM - PAGE(1), PAGE(1), 0), TV_OK);
	check_eq(smc(TV_VM_RAM, vm.handle, RAM + RAM_SIZE, PAGE(1), 0), TV_OK);
	check_eq(smc(TV_VM_RAM, vm.handle, 0, PAGE(1), 0), TV_ENOMEM);
}

TEST(sealed, "vm: after sealing RAM, contents and vCPUs are fixed")
{
	struct svm vm;

	boot();
	add_pool();
	vm = svm_launch(0, 1, 1);
	check_eq(smc(TV_VM_RAM, vm.handle, 0, PAGE(1), 0), TV_ESTATE);
	check_eq(load_page(vm.handle, RAM + PAGE(1), HOST_DRAM, CHUNK(0) + PAGE(1)), TV_ESTATE);
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 1, 0, 0), TV_ESTATE);
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_ESTATE);
	check_audit();
}

TEST(vcpu_args, "vm: a vCPU's mpidr and flags are checked, and TV_MAX_VCPUS are the most")
{
	struct svm vm;

	boot();
	vm = svm_new();
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 1UL << 31, 0, 0), TV_EINVAL);
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 1UL << 40, 0, 0), TV_EINVAL);
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 0, 2, 0), TV_EINVAL);
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_ESTATE);
	for (unsigned i = 0; i < TV_MAX_VCPUS; i++) {
		struct tv_args a = call(TV_VCPU_CREATE, vm.handle, (uint64_t)i << 32, 0, 0);

		check_eq(a.x[0], TV_OK);
		check_eq(a.x[1], i);
		check_eq(smc(TV_VCPU_CREATE, vm.handle, (uint64_t)i << 32, 0, 0), TV_EINVAL);
	}
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 1, 0, 0), TV_ENOMEM);
}

TEST(destroy_order, "vm: teardown flushes the VMID before it zeroes, a chunk a call")
{
	struct svm vm;
	uint64_t from;

	boot();
	add_pool();
	vm = svm_new();
	from = ordinary_page();
	memset(host_mem(from), 0x11, TV_PAGE_SIZE);
	check_eq(load_page(vm.handle, RAM, from, CHUNK(0)), TV_OK);
	check_eq(load_page(vm.handle, RAM + PAGE(1), from, CHUNK(1)), TV_OK);
	host_forget();
	check_eq(smc(TV_VM_DESTROY, vm.handle, 0, 0, 0), TV_AGAIN);
	check_eq(host_count[HOST_TLB_VM], 1);
	check_eq(host_what[HOST_TLB_VM], (vm.handle & 0xff) + 1);
	check_eq(host_count[HOST_PAGE_ZERO], 1); /* the others have always been */
	check(host_when[HOST_TLB_VM] < host_when[HOST_PAGE_ZERO]);
	check(all_words(CHUNK(0), TV_CHUNK_SIZE, 0));
	check(!all_words(CHUNK(1), TV_PAGE_SIZE, 0));
	check_audit();
	check_eq(smc(TV_VM_RAM, vm.handle, 0, PAGE(1), 0), TV_ESTATE);
	check_eq(smc(TV_VM_MEASUREMENT, vm.handle, 0, 0, 0), TV_ESTATE);
	check_eq(smc(TV_VM_DESTROY, vm.handle, 0, 0, 0), TV_AGAIN);
	check(all_words(CHUNK(1), TV_CHUNK_SIZE, 0));
	check_eq(smc(TV_VM_DESTROY, vm.handle, 0, 0, 0), TV_OK);
	check_eq(smc(TV_VM_DESTROY, vm.handle, 0, 0, 0), TV_ENOENT);
	check_audit();
}

static bool heap_has(uint64_t word)
{
	const uint64_t *p = host_mem(HOST_SVISOR);

	for (uint64_t i = 0; i < HOST_SVISOR_SIZE / 8; i++) {
		if (p[i] == word)
			return true;
	}
	return false;
}

TEST(no_trace, "vm: after teardown no register of a vCPU is left in the heap (I9)")
{
	struct svm vm;

	boot();
	add_pool();
	vm = svm_new();
	memset(shared(), 0, sizeof(*shared()));
	shared()->gpr[7] = 0x5ec4e75ec4e7;
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 0, TV_VCPU_ON, 0), TV_OK);
	check(heap_has(0x5ec4e75ec4e7));
	check_eq(svm_destroy(vm.handle), TV_OK);
	check(!heap_has(0x5ec4e75ec4e7));
}

static struct svm victim;
static int64_t destroyed;
static void destroy_from_other_cpu(struct guest_regs *regs)
{
	(void)regs;
	host_cpu(1);
	destroyed = smc(TV_VM_DESTROY, victim.handle, 0, 0, 0);
	check_eq(audit().x[0], TV_EBUSY);
	host_cpu(0);
}

TEST(destroy_running, "vm: an S-VM with a running vCPU is not destroyed, and goes on")
{
	boot();
	add_pool();
	victim = svm_launch(0, 0x5ec4e7, 1);
	GUEST({{.kind = GUEST_IRQ}, destroy_from_other_cpu});
	check_eq(run(&victim, 0, 0), TV_OK);
	check_eq(destroyed, TV_EBUSY);
	check(all_words(CHUNK(0), TV_PAGE_SIZE, 0x5ec4e7));
	check_eq(run(&victim, 0, 0), TV_OK);
	check_audit();
	check_eq(svm_destroy(victim.handle), TV_OK);
}

TEST(neighbour, "vm: an S-VM's end leaves its neighbour's memory alone")
{
	struct svm a, b;

	boot();
	add_pool();
	a = svm_launch(0, 1, 1);
	b = svm_launch(1, 2, 1);
	check_eq(svm_destroy(a.handle), TV_OK);
	check(all_words(CHUNK(1), TV_PAGE_SIZE, 2));
	GUEST({{.kind = GUEST_IRQ}, NULL});
	check_eq(run(&b, 0, 0), TV_OK);
	check(host_guest_mem(host_run.s2_root, RAM) == host_mem(CHUNK(1)));
	check_eq(host_run.vmid, (b.handle & 0xff) + 1);
	check_audit();
}
