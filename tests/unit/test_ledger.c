// SPDX-License-Identifier: BSD-3-Clause
/* Ownership of pages and chunks (I1, I2), and return of chunks. */
#include "fixture.h"

/* The answer to a load into that page, at the next free IPA of RAM; its chunk is taken first. */
static int64_t load(struct svm *vm, uint64_t ipa, uint64_t page)
{
	return load_page(vm->handle, ipa, ordinary_page(), page);
}

TEST(pool_args, "ledger: a pool is chunk aligned, in one bank of DRAM, apart from others")
{
	boot();
	check_eq(smc(TV_POOL_ADD, POOL + PAGE(1), TV_CHUNK_SIZE, 0, 0), TV_EINVAL);
	check_eq(smc(TV_POOL_ADD, POOL, TV_CHUNK_SIZE + PAGE(1), 0, 0), TV_EINVAL);
	check_eq(smc(TV_POOL_ADD, POOL, 0, 0, 0), TV_EINVAL);
	check_eq(smc(TV_POOL_ADD, HOST_DRAM - TV_CHUNK_SIZE, TV_CHUNK_SIZE, 0, 0), TV_EINVAL);
	check_eq(smc(TV_POOL_ADD, POOL, HOST_DRAM_SIZE, 0, 0), TV_EINVAL);
	check_eq(smc(TV_POOL_ADD, POOL, -(uint64_t)TV_CHUNK_SIZE, 0, 0), TV_EINVAL);
	check_eq(smc(TV_POOL_ADD, HOST_HIGH + HOST_HIGH_SIZE, TV_CHUNK_SIZE, 0, 0), TV_EINVAL);
	add_pool();
	check_eq(smc(TV_POOL_ADD, POOL, TV_CHUNK_SIZE, 0, 0), TV_EINVAL);
	check_eq(smc(TV_POOL_ADD, HOST_DRAM, 2 * TV_CHUNK_SIZE, 0, 0), TV_EINVAL);
	check_eq(smc(TV_POOL_ADD, POOL + 3 * TV_CHUNK_SIZE, 2 * TV_CHUNK_SIZE, 0, 0), TV_EINVAL);
	check_eq(call(TV_POOL_ADD, HOST_HIGH, TV_CHUNK_SIZE, 0, 0).x[1], 1);
	check_audit();
}

TEST(pool_limit, "ledger: no more pools than the table and the controller hold")
{
	boot();
	for (unsigned i = 0; i < TV_MAX_POOLS; i++)
		check_eq(call(TV_POOL_ADD, CHUNK(i), TV_CHUNK_SIZE, 0, 0).x[1], i);
	check_eq(smc(TV_POOL_ADD, ORDINARY, TV_CHUNK_SIZE, 0, 0), TV_ENOMEM);
	check_eq(call(TV_POOL_ADD, ORDINARY, TV_CHUNK_SIZE, 0, 0).x[1], 0); /* shows nothing */
}

TEST(pool_regions, "ledger: a controller with one region takes one pool")
{
	boot();
	host_regions = 1;
	add_pool();
	check_eq(smc(TV_POOL_ADD, ORDINARY, TV_CHUNK_SIZE, 0, 0), TV_ENOMEM);
}

TEST(pool_svisor, "ledger: a pool over S-visor memory is refused, were it in DRAM")
{
	struct tv_manifest m = host_manifest;
	uint64_t around = HOST_SVISOR & ~(TV_CHUNK_SIZE - 1UL);

	host_reset();
	m.dram[0].base = around;
	m.dram[0].size = 4 * TV_CHUNK_SIZE;
	host_boot(&m);
	check_eq(smc(TV_POOL_ADD, around, TV_CHUNK_SIZE, 0, 0), TV_EINVAL);
	check_eq(smc(TV_CPU_SHARE, HOST_SVISOR + PAGE(4), 0, 0, 0), TV_EINVAL);
	check_eq(smc(TV_CPU_SHARE, HOST_SVISOR + HOST_SVISOR_SIZE, 0, 0, 0), TV_OK);
}

TEST(order, "ledger: a new chunk is flushed, then protected, then mapped, before use")
{
	struct svm vm;

	boot();
	add_pool();
	vm = svm_new();
	memset(host_mem(POOL), 0x5a, TV_CHUNK_SIZE);
	host_forget();
	check_eq(load(&vm, RAM, CHUNK(0)), TV_OK);
	check_eq(host_what[HOST_NS_FLUSH], POOL);
	check_eq(host_what[HOST_PROTECT], CHUNK(1));
	check_eq(host_what[HOST_CHUNK_MAP], POOL);
	check(host_when[HOST_NS_FLUSH] < host_when[HOST_PROTECT]);
	check(host_when[HOST_PROTECT] < host_when[HOST_CHUNK_MAP]);
	check(host_when[HOST_CHUNK_MAP] < host_when[HOST_PAGE_ZERO]);
	check(host_when[HOST_PAGE_ZERO] < host_when[HOST_PAGE_PUBLISH]);
	check(all_words(POOL, TV_CHUNK_SIZE, 0));
	check(host_secure(POOL) && host_secure(CHUNK(1) - 1) && !host_secure(CHUNK(1)));
	check_audit();
}

TEST(above_run, "ledger: only the chunk just above the run becomes Secure")
{
	struct svm vm;

	boot();
	add_pool();
	vm = svm_new();
	check_eq(load(&vm, RAM, CHUNK(1)), TV_EDENIED);
	check_eq(load(&vm, RAM, CHUNK(3)), TV_EDENIED);
	check(!host_secure(CHUNK(1)) && !host_secure(CHUNK(3)));
	check_eq(load(&vm, RAM, CHUNK(0) + PAGE(7)), TV_OK);
	check_eq(load(&vm, RAM + PAGE(1), CHUNK(2)), TV_EDENIED);
	check_eq(load(&vm, RAM + PAGE(1), CHUNK(1) + PAGE(2047)), TV_OK);
	check_audit();
}

TEST(narrow, "ledger: a pool that one region of the controller cannot follow is refused")
{
	boot();
	host_narrow = true;
	check_eq(smc(TV_POOL_ADD, CHUNK(1), 4 * TV_CHUNK_SIZE, 0, 0), TV_EINVAL);
	check_eq(smc(TV_POOL_ADD, CHUNK(1), 2 * TV_CHUNK_SIZE, 0, 0), TV_OK);
}

TEST(taken, "ledger: chunks are taken in order, before their pages")
{
	struct svm a, b;

	boot();
	add_pool();
	a = svm_new();
	b = svm_new();
	check_eq(smc(TV_CHUNK_TAKE, a.handle, CHUNK(1), 0, 0), TV_EDENIED);
	check_eq(smc(TV_CHUNK_TAKE, a.handle, CHUNK(0) + PAGE(1), 0, 0), TV_EINVAL);
	check_eq(smc(TV_CHUNK_TAKE, a.handle, ORDINARY, 0, 0), TV_EDENIED);
	check_eq(smc(TV_CHUNK_TAKE, a.handle, CHUNK(0), 0, 0), TV_OK);
	check_eq(smc(TV_CHUNK_TAKE, a.handle, CHUNK(0), 0, 0), TV_OK);
	check_eq(smc(TV_CHUNK_TAKE, b.handle, CHUNK(0), 0, 0), TV_EDENIED);
	check_eq(smc(TV_CHUNK_TAKE, b.handle, CHUNK(1), 0, 0), TV_OK);
	check(host_secure(CHUNK(1)) && !host_secure(CHUNK(2)));
	check_eq(load(&a, RAM, CHUNK(1)), TV_EDENIED);
	check_eq(load(&b, RAM, CHUNK(1)), TV_OK);
	check_eq(load(&a, RAM, CHUNK(0)), TV_OK);
	check_audit();
}

TEST(take_dying, "ledger: a dying or unknown S-VM takes no chunk")
{
	struct svm a;

	boot();
	add_pool();
	a = svm_new();
	check_eq(load(&a, RAM, CHUNK(0)), TV_OK);
	check_eq(smc(TV_VM_DESTROY, a.handle, 0, 0, 0), TV_AGAIN);
	check_eq(smc(TV_CHUNK_TAKE, a.handle, CHUNK(1), 0, 0), TV_ESTATE);
	check_eq(smc(TV_VM_DESTROY, a.handle, 0, 0, 0), TV_OK);
	check_eq(smc(TV_CHUNK_TAKE, a.handle, CHUNK(1), 0, 0), TV_ENOENT);
	check(!host_secure(CHUNK(1)));
	check_audit();
}

TEST(outside_pool, "ledger: a page outside the pools is refused")
{
	struct svm vm;

	boot();
	add_pool();
	vm = svm_new();
	check_eq(load(&vm, RAM, ORDINARY), TV_EDENIED);
	check_eq(load(&vm, RAM, POOL - PAGE(1)), TV_EDENIED);
	check_eq(load(&vm, RAM, HOST_SVISOR), TV_EDENIED);
	check_eq(load(&vm, RAM, 0), TV_EDENIED);
	check_eq(load(&vm, RAM, -(uint64_t)PAGE(1)), TV_EDENIED);
	check_eq(audit().x[2], 0);
	check_eq(load(&vm, RAM, POOL + 8), TV_EDENIED);
	check_audit();
}

TEST(twice, "ledger: one page at two addresses of an S-VM is refused")
{
	struct svm vm;

	boot();
	add_pool();
	vm = svm_new();
	check_eq(load(&vm, RAM, CHUNK(0)), TV_OK);
	check_eq(load(&vm, RAM + PAGE(1), CHUNK(0)), TV_EDENIED);
	check_eq(load(&vm, RAM + PAGE(1), CHUNK(0) + PAGE(1)), TV_OK);
	check_audit();
}

TEST(two_vms, "ledger: a page or a chunk of one S-VM is refused to another")
{
	struct svm a, b;

	boot();
	add_pool();
	a = svm_new();
	b = svm_new();
	check_eq(load(&a, RAM, CHUNK(0)), TV_OK);
	check_eq(load(&b, RAM, CHUNK(0)), TV_EDENIED);
	check_eq(load(&b, RAM, CHUNK(0) + PAGE(1)), TV_EDENIED);
	check_eq(load(&b, RAM, CHUNK(1)), TV_OK);
	check_audit();
}

TEST(freed, "ledger: a destroyed S-VM's chunk stays Secure and zero, and another can have it")
{
	struct svm a, b;

	boot();
	add_pool();
	memset(host_mem(POOL), 0x5a, TV_CHUNK_SIZE);
	a = svm_launch(0, 0x5ec4e7, 1);
	check_eq(svm_destroy(a.handle), TV_OK);
	check(host_secure(POOL));
	check(all_words(POOL, TV_CHUNK_SIZE, 0));
	check_audit();
	check_eq(audit().x[2], 1);
	b = svm_new();
	check_eq(load(&b, RAM, CHUNK(0)), TV_OK);
	check_audit();
}

TEST(hole, "ledger: a free chunk below the top can be had by any S-VM, an owned one not")
{
	struct svm a, b, c;

	boot();
	add_pool();
	a = svm_launch(0, 1, 1);
	b = svm_launch(1, 2, 1);
	c = svm_new();
	check_eq(svm_destroy(a.handle), TV_OK);
	check_eq(load(&c, RAM, CHUNK(1) + PAGE(1)), TV_EDENIED);
	check_eq(load(&c, RAM, CHUNK(0) + PAGE(9)), TV_OK);
	check_eq(audit().x[2], 2);
	check_audit();
	(void)b;
}

TEST(returned, "ledger: chunks come back from the top, free ones only, zero and in order")
{
	struct tv_args a;
	struct svm vm;

	boot();
	check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_ENOENT);
	add_pool();
	check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_ENOENT);
	check_eq(smc(TV_CHUNK_RETURN, 1, 0, 0, 0), TV_ENOENT);
	check_eq(smc(TV_CHUNK_RETURN, -1, 0, 0, 0), TV_ENOENT);
	vm = svm_launch(0, 0x5ec4e7, 1);
	check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_EBUSY);
	check(host_secure(POOL));
	check_eq(svm_destroy(vm.handle), TV_OK);
	host_forget();
	a = call(TV_CHUNK_RETURN, 0, 0, 0, 0);
	check_eq(a.x[0], TV_OK);
	check_eq(a.x[1], POOL);
	check_eq(host_what[HOST_CHUNK_UNMAP], POOL);
	check(host_when[HOST_CHUNK_UNMAP] < host_when[HOST_PROTECT]);
	check(!host_secure(POOL));
	check(all_words(POOL, TV_CHUNK_SIZE, 0));
	check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_ENOENT);
	check_audit();
}

TEST(no_leak, "ledger: launch, destroy and return give back all of the heap")
{
	uint64_t before;

	boot();
	add_pool();
	before = audit().x[4];
	for (unsigned i = 0; i < 100; i++) {
		struct svm vm = svm_launch(0, i, 8);

		check(audit().x[4] < before);
		check_eq(svm_destroy(vm.handle), TV_OK);
		check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_OK);
		check_eq(audit().x[4], before);
		boot();
		add_pool();
	}
}

TEST(no_records, "ledger: with the heap full a chunk is refused and stays ordinary")
{
	struct svm vm;
	int64_t ret = TV_OK;
	unsigned n;

	boot();
	add_pool();
	for (n = 0; n < TV_MAX_VMS && ret == TV_OK; n++) /* eat the heap with roots */
		ret = call(TV_VM_CREATE, npt_new().root, NPT_BITS, NPT_LEVEL, 0).x[0];
	vm = (struct svm){.handle = 1 << 8};
	check_eq(smc(TV_VM_RAM, vm.handle, 0, 1ULL << 40, 0), TV_OK);
	for (uint64_t ipa = 0; ret != TV_ENOHEAP; ipa += 1 << 30) /* and with tables */
		ret = smc(TV_VM_LOAD, vm.handle, ipa, HOST_DRAM, ORDINARY);
	check_eq(take(&vm, 0), TV_ENOHEAP);
	check(!host_secure(CHUNK(0)));
	check_audit();
}

TEST(audit_sees, "audit: stray data in a free page or chunk, and a wrong controller, are seen")
{
	struct svm vm;

	boot();
	add_pool();
	vm = svm_launch(0, 7, 1);
	*(uint64_t *)host_mem(POOL + PAGE(3)) = 1; /* not given out */
	check_eq(audit().x[1], 1);
	*(uint64_t *)host_mem(POOL + PAGE(3)) = 0;
	check_eq(svm_destroy(vm.handle), TV_OK);
	check_audit();
	*(uint64_t *)host_mem(POOL + PAGE(3)) = 1;
	check_eq(audit().x[1], 1);
	*(uint64_t *)host_mem(POOL + PAGE(3)) = 0;
	protect_set(0, PA(POOL), PA(CHUNK(2)));
	check_eq(audit().x[1], 1);
}
