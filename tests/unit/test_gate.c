// SPDX-License-Identifier: BSD-3-Clause
/* The doors: unknown numbers, shared pages, wild arguments (I8). */
#include "fixture.h"

TEST(version, "gate: TV_VERSION tells version, address bits and features")
{
	struct tv_args a;

	boot();
	a = call(TV_VERSION, 1, 2, 3, 4);
	check_eq(a.x[0], TV_OK);
	check_eq(a.x[1], TV_ABI_MAJOR << 16 | TV_ABI_MINOR);
	check_eq(a.x[2], 48);
	check_eq(a.x[3], TV_FEATURE_PMU | 4);
	check_eq(a.x[4], 0);
}

TEST(unknown, "gate: unknown numbers are refused, and no register keeps anything")
{
	static const uint64_t numbers[] = {
		TV_SMC(TV_CALLS), TV_SMC(0x40), TV_SMC(0x41), TV_SMC(0xffff), 0, -1,
		0x84000000,       0xb2000000};

	boot();
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct tv_args a = call(numbers[i], 1, 2, 3, 4);

		check_eq(a.x[0], TV_ENOSYS);
		for (unsigned j = 1; j < 5; j++)
			check_eq(a.x[j], 0);
	}
}

TEST(refused_results, "gate: a refused call shows zero in x1-x4")
{
	struct tv_args a;

	boot();
	a = call(TV_POOL_ADD, 1, 2, 3, 4);
	check_eq(a.x[0], TV_EINVAL);
	check_eq(a.x[1], 0);
	a = call(TV_VM_CREATE, 0, 40, 1, 4);
	check_eq(a.x[0], TV_EINVAL);
	check_eq(a.x[1], 0);
}

TEST(share_args, "gate: a shared page is a page of ordinary memory")
{
	boot();
	add_pool();
	check_eq(smc(TV_CPU_SHARE, HOST_DRAM + 8, 0, 0, 0), TV_EINVAL);
	check_eq(smc(TV_CPU_SHARE, HOST_SVISOR, 0, 0, 0), TV_EINVAL);
	check_eq(smc(TV_CPU_SHARE, 0x09000000, 0, 0, 0), TV_EINVAL);
	check_eq(smc(TV_CPU_SHARE, HOST_DRAM + HOST_DRAM_SIZE, 0, 0, 0), TV_EINVAL);
	check_eq(smc(TV_CPU_SHARE, HOST_HIGH + HOST_HIGH_SIZE - PAGE(1), 0, 0, 0), TV_OK);
	svm_launch(0, 1, 1);
}

TEST(share_pool, "gate: a page of a pool is no shared page, nor a shared page any pool's")
{
	boot();
	add_pool();
	check_eq(smc(TV_CPU_SHARE, CHUNK(0), 0, 0, 0), TV_EINVAL);
	check_eq(smc(TV_CPU_SHARE, CHUNK(POOL_CHUNKS) - PAGE(1), 0, 0, 0), TV_EINVAL);
	check_eq(smc(TV_CPU_SHARE, HOST_HIGH + PAGE(1), 0, 0, 0), TV_OK);
	check_eq(smc(TV_POOL_ADD, HOST_HIGH, TV_CHUNK_SIZE, 0, 0), TV_EINVAL);
	check_eq(smc(TV_CPU_SHARE, HOST_HIGH + TV_CHUNK_SIZE, 0, 0, 0), TV_OK);
	check_eq(smc(TV_POOL_ADD, HOST_HIGH, TV_CHUNK_SIZE, 0, 0), TV_OK);
	check_eq(smc(TV_CPU_SHARE, HOST_HIGH + PAGE(1), 0, 0, 0), TV_EINVAL);
	check_eq(smc(TV_POOL_ADD, HOST_HIGH + TV_CHUNK_SIZE, TV_CHUNK_SIZE, 0, 0), TV_EINVAL);
}

TEST(share_none, "gate: a CPU without a shared page runs no vCPU and makes none")
{
	struct svm vm;

	boot();
	add_pool();
	vm = svm_new();
	host_cpu(5);
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 0, 0, 0), TV_EFAULT);
	host_cpu(0);
	vm = svm_launch(0, 1, 1);
	host_cpu(5);
	check_eq(smc(TV_VCPU_RUN, vm.handle, 0, 0, 0), TV_EFAULT);
}

TEST(wild, "gate: 200,000 wild calls change nothing that the audit minds")
{
	static const uint64_t odd[] = {
		0,         1,          8,     0xfff,       0x1000,    -1,
		-0x1000,   1ULL << 63, POOL,  HOST_SVISOR, HOST_DRAM, HOST_DRAM + HOST_DRAM_SIZE,
		HOST_HIGH, RAM,        0x100, 0x101,       40,        48,
		0x800000};
	unsigned seed = 1;

	boot();
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t arg[5];

		for (unsigned j = 0; j < 5; j++)
			arg[j] = odd[rand_r(&seed) % (sizeof(odd) / sizeof(odd[0]))];
		smc(TV_SMC((unsigned)rand_r(&seed) % (TV_CALLS + 1)), arg[1], arg[2], arg[3],
		    arg[4]);
	}
	check_eq(audit().x[1], 0);
}
