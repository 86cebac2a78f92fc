// SPDX-License-Identifier: BSD-3-Clause
/* The walk of the normal S2PT: bounded, read once, tables in ordinary memory only. */
#include "fixture.h"

/* A vCPU that waits for a page at RAM + PAGE(1). */
#define WANTED (RAM + PAGE(1))
static struct svm faulting(void)
{
	struct svm vm;

	boot();
	add_pool();
	vm = svm_launch(0, 1, 1);
	GUEST(DATA_FAULT(WANTED + 0x123));
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_FAULT);
	return vm;
}

/* What the guest has at WANTED after the run, or NULL. */
static void *mapped(void)
{
	return host_guest_mem(host_run.s2_root, WANTED);
}

TEST(root_args, "npt: root, level and address bits must fit together")
{
	uint64_t root = HOST_DRAM + 0x100000; /* aligned for any shape */

	boot();
	check_eq(smc(TV_VM_CREATE, root, 32, 2, 0), TV_EINVAL);
	check_eq(smc(TV_VM_CREATE, root, 40, 2, 0), TV_EINVAL);
	check_eq(smc(TV_VM_CREATE, root, 40, -1, 0), TV_EINVAL);
	check_eq(smc(TV_VM_CREATE, root, 30, 1, 0), TV_EINVAL);
	check_eq(smc(TV_VM_CREATE, root, 44, 1, 0), TV_EINVAL);
	check_eq(smc(TV_VM_CREATE, root, 39, 0, 0), TV_EINVAL);
	check_eq(smc(TV_VM_CREATE, root, 49, 0, 0), TV_EINVAL);
	check_eq(smc(TV_VM_CREATE, root, 0, 0, 0), TV_EINVAL);
	check_eq(smc(TV_VM_CREATE, root, (1ULL << 32) + 40, 1, 0), TV_EINVAL);
	check_eq(smc(TV_VM_CREATE, root + 8, 39, 1, 0), TV_EINVAL);
	check_eq(smc(TV_VM_CREATE, root + PAGE(1), 40, 1, 0), TV_EINVAL);
	check_eq(smc(TV_VM_CREATE, root, 31, 1, 0), TV_OK);
	check_eq(smc(TV_VM_CREATE, root, 43, 1, 0), TV_OK);
	check_eq(smc(TV_VM_CREATE, root, 40, 0, 0), TV_OK);
	check_eq(smc(TV_VM_CREATE, root, 48, 0, 0), TV_OK);
	host_address_bits = 44;
	check_eq(smc(TV_VM_CREATE, root, 45, 0, 0), TV_EINVAL);
}

TEST(root_memory, "npt: a root outside ordinary memory is refused, in part too")
{
	struct svm vm;

	boot();
	add_pool();
	check_eq(smc(TV_VM_CREATE, HOST_SVISOR, 39, 1, 0), TV_EINVAL);
	check_eq(smc(TV_VM_CREATE, 0, 39, 1, 0), TV_EINVAL);
	check_eq(smc(TV_VM_CREATE, HOST_DRAM + HOST_DRAM_SIZE, 39, 1, 0), TV_EINVAL);
	vm = svm_launch(0, 1, 1);
	check_eq(smc(TV_VM_CREATE, CHUNK(0), 39, 1, 0), TV_EINVAL);
	check_eq(smc(TV_VM_CREATE, CHUNK(1), 40, 1, 0), TV_OK);
	(void)vm;
}

TEST(page_4k, "npt: a page descriptor is granted, zero, mapped there alone")
{
	struct svm vm = faulting();

	npt_page(&vm.npt, WANTED, CHUNK(0) + PAGE(5));
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(guest_runs, 2);
	check(mapped() == host_mem(CHUNK(0) + PAGE(5)));
	check(all_words(CHUNK(0) + PAGE(5), TV_PAGE_SIZE, 0));
	check(!host_guest_mem(host_run.s2_root, WANTED + PAGE(1)));
	check_audit();
}

TEST(block_2m, "npt: a 2 MiB block gives the page inside")
{
	struct svm vm = faulting();

	*npt_entry(&vm.npt, WANTED, 2) = (CHUNK(0) + 0x200000) | 0x7fd;
	check_eq(run(&vm, 0, 0), TV_OK);
	check(mapped() == host_mem(CHUNK(0) + 0x200000 + PAGE(1)));
	check_audit();
}

TEST(block_1g, "npt: a 1 GiB block gives the page inside")
{
	struct svm vm = faulting();

	*npt_entry(&vm.npt, WANTED, 1) = 0x40000000 | 0x7fd;
	check_eq(run(&vm, 0, 0), TV_EDENIED); /* page 1 of DRAM: not in the pool */
	check_eq(shared()->hpfar, HPFAR(WANTED));
	check_eq(guest_runs, 1);
	check(!mapped());
}

TEST(concatenated, "npt: the second of two concatenated roots is walked")
{
	struct svm vm;
	uint64_t high = 1ULL << 39;

	boot();
	add_pool();
	vm.npt = npt_new();
	vm.handle = call(TV_VM_CREATE, vm.npt.root, NPT_BITS, NPT_LEVEL, 0).x[1];
	check_eq(smc(TV_VM_RAM, vm.handle, high, PAGE(4), 0), TV_OK);
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 0, TV_VCPU_ON, 0), TV_OK);
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_OK);
	GUEST(DATA_FAULT(high));
	check_eq(run(&vm, 0, 0), TV_OK);
	npt_page(&vm.npt, high, CHUNK(0));
	check_eq(take(&vm, 0), TV_OK);
	check_eq(run(&vm, 0, 0), TV_OK);
	check(host_guest_mem(host_run.s2_root, high) == host_mem(CHUNK(0)));
}

TEST(level0, "npt: a walk from level 0 works, and a block there is nothing")
{
	struct svm vm;
	uint64_t root, *entry;

	boot();
	add_pool();
	vm.npt = npt_new();
	root = ordinary_page();
	entry = host_mem(root);
	vm.handle = call(TV_VM_CREATE, root, 48, 0, 0).x[1];
	check_eq(smc(TV_VM_RAM, vm.handle, RAM, PAGE(4), 0), TV_OK);
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 0, TV_VCPU_ON, 0), TV_OK);
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_OK);
	GUEST(DATA_FAULT(RAM));
	check_eq(run(&vm, 0, 0), TV_OK);
	*entry = 0x7fd;
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_FAULT);
	*entry = vm.npt.root | 3;
	npt_page(&vm.npt, RAM, CHUNK(0));
	check_eq(take(&vm, 0), TV_OK);
	check_eq(run(&vm, 0, 0), TV_OK);
	check(host_guest_mem(host_run.s2_root, RAM) == host_mem(CHUNK(0)));
}

TEST(invalid, "npt: no descriptor, or a reserved one, is no request: the fault is told again")
{
	struct svm vm = faulting();

	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_FAULT);
	check_eq(shared()->hpfar, HPFAR(WANTED));
	*npt_entry(&vm.npt, WANTED, 3) = (CHUNK(0) + PAGE(5)) | 0x7fe; /* not valid */
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_FAULT);
	*npt_entry(&vm.npt, WANTED, 3) = (CHUNK(0) + PAGE(5)) | 0x7fd; /* reserved at level 3 */
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_FAULT);
	check_eq(guest_runs, 1);
	check(!mapped());
}

TEST(secure_table, "npt: a table in Secure memory is refused and its words tell nothing")
{
	struct svm vm = faulting();
	uint64_t forged = CHUNK(0) + PAGE(6);

	*(uint64_t *)host_mem(forged + 8) = (CHUNK(0) + PAGE(5)) | 0x7ff;
	*npt_entry(&vm.npt, WANTED, 2) = forged | 3;
	check_eq(run(&vm, 0, 0), TV_EDENIED);
	*npt_entry(&vm.npt, WANTED, 2) = (HOST_SVISOR + PAGE(20)) | 3;
	check_eq(run(&vm, 0, 0), TV_EDENIED);
	*npt_entry(&vm.npt, WANTED, 2) = 0xfff000000003;
	check_eq(run(&vm, 0, 0), TV_EDENIED);
	check_eq(guest_runs, 1);
	check(!mapped());
}

TEST(broken_table, "npt: a table that the hardware fails to read is refused")
{
	struct svm vm = faulting();

	npt_page(&vm.npt, WANTED, CHUNK(0) + PAGE(5));
	host_broken_page = *npt_entry(&vm.npt, WANTED, 2) & 0xfffffffff000;
	check_eq(run(&vm, 0, 0), TV_EDENIED);
	check_eq(guest_runs, 1);
}

static uint64_t *flipped;
static unsigned reads_of_flipped;
/* Another CPU changes the descriptor as soon as it has been read. */
static void flip(uint64_t pa)
{
	if (reads_of_flipped)
		*flipped = HOST_SVISOR | 0x7ff;
	if (host_mem(pa) == flipped)
		reads_of_flipped++;
}

TEST(toctou, "npt: each descriptor is read once; what changes after the check is not used")
{
	struct svm vm = faulting();

	npt_page(&vm.npt, WANTED, CHUNK(0) + PAGE(5));
	flipped = npt_entry(&vm.npt, WANTED, 3);
	host_ns_hook = flip;
	check_eq(run(&vm, 0, 0), TV_OK);
	host_ns_hook = NULL;
	check_eq(reads_of_flipped, 1);
	check(mapped() == host_mem(CHUNK(0) + PAGE(5)));
	check_audit();
}

TEST(root_gone, "npt: a root that became Secure meanwhile is refused")
{
	struct svm vm, other;

	boot();
	add_pool();
	vm.npt.root = CHUNK(0);
	vm.handle = call(TV_VM_CREATE, CHUNK(0), 39, 1, 0).x[1];
	check_eq(smc(TV_VM_RAM, vm.handle, RAM, PAGE(4), 0), TV_OK);
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 0, TV_VCPU_ON, 0), TV_OK);
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_OK);
	other = svm_launch(0, 1, 1);
	GUEST(DATA_FAULT(RAM));
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(run(&vm, 0, 0), TV_EDENIED);
	(void)other;
}

TEST(grants, "npt: a request for another's page, a page given out or ordinary memory is refused")
{
	struct svm vm = faulting();
	struct svm other = svm_launch(1, 2, 1);

	npt_page(&vm.npt, WANTED, CHUNK(1));
	check_eq(run(&vm, 0, 0), TV_EDENIED);
	npt_page(&vm.npt, WANTED, CHUNK(1) + PAGE(1));
	check_eq(run(&vm, 0, 0), TV_EDENIED);
	npt_page(&vm.npt, WANTED, CHUNK(0)); /* at RAM already */
	check_eq(run(&vm, 0, 0), TV_EDENIED);
	npt_page(&vm.npt, WANTED, ORDINARY);
	check_eq(run(&vm, 0, 0), TV_EDENIED);
	npt_page(&vm.npt, WANTED, HOST_SVISOR + PAGE(30));
	check_eq(run(&vm, 0, 0), TV_EDENIED);
	npt_page(&vm.npt, WANTED, CHUNK(3)); /* above the run */
	check_eq(run(&vm, 0, 0), TV_EDENIED);
	check_eq(guest_runs, 1);
	check(!mapped());
	check(all_words(CHUNK(1), TV_PAGE_SIZE, 2));
	check_eq(shared()->exit, TV_EXIT_FAULT);
	check_eq(shared()->hpfar, HPFAR(WANTED));
	npt_page(&vm.npt, WANTED, CHUNK(0) + PAGE(1));
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(guest_runs, 2);
	check_audit();
	(void)other;
}

TEST(mapped_already, "npt: with the page there already, a changed request moves nothing")
{
	struct svm vm = faulting();

	npt_page(&vm.npt, WANTED, CHUNK(0) + PAGE(1));
	check_eq(run(&vm, 0, 0), TV_OK);
	strcpy(mapped(), "guest data");
	GUEST(DATA_FAULT(WANTED)); /* as after another vCPU's fault */
	check_eq(run(&vm, 0, 0), TV_OK);
	npt_page(&vm.npt, WANTED, CHUNK(0) + PAGE(2));
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(guest_runs, 3);
	check(mapped() == host_mem(CHUNK(0) + PAGE(1)) && !strcmp(mapped(), "guest data"));
	check_audit();
}
