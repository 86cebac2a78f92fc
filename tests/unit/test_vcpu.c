// SPDX-License-Identifier: BSD-3-Clause
/* The gate: who may run what, where, and with which time (I5). */
#include <pthread.h>
#include <stdatomic.h>

#include "fixture.h"

static struct svm vm;

static void start(unsigned vcpus)
{
	boot();
	add_pool();
	vm = svm_launch(0, 1, vcpus);
	GUEST({{.kind = GUEST_IRQ}, NULL});
}

TEST(index_args, "vcpu: an index beyond the S-VM's vCPUs is refused")
{
	start(2);
	check_eq(run(&vm, 2, 0), TV_ENOENT);
	check_eq(run(&vm, TV_MAX_VCPUS, 0), TV_ENOENT);
	check_eq(smc(TV_VCPU_RUN, vm.handle, -1, 0, 0), TV_ENOENT);
	check_eq(smc(TV_VCPU_RUN, vm.handle, 1ULL << 32, 0, 0), TV_ENOENT);
	check_eq(guest_runs, 0);
}

TEST(not_sealed, "vcpu: before sealing and after the start of teardown nothing runs")
{
	start(1);
	vm = svm_new();
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 0, TV_VCPU_ON, 0), TV_OK);
	check_eq(run(&vm, 0, 0), TV_ESTATE);
	vm = svm_launch(1, 1, 1);
	check_eq(smc(TV_VM_DESTROY, vm.handle, 0, 0, 0), TV_AGAIN);
	check_eq(run(&vm, 0, 0), TV_ESTATE);
	check_eq(guest_runs, 0);
}

TEST(off, "vcpu: one that is off does not run")
{
	start(2);
	check_eq(run(&vm, 1, 0), TV_ESTATE);
	check_eq(guest_runs, 0);
}

TEST(lists, "vcpu: list registers that end others' physical interrupts are refused, and no more")
{
	start(1);
	host_lists_ok = false;
	check_eq(run(&vm, 0, 0), TV_EINVAL);
	check_eq(guest_runs, 0);
	host_lists_ok = true;
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(guest_runs, 1);
}

static int64_t second;
static void run_on_other_cpu(struct guest_regs *regs)
{
	(void)regs;
	host_cpu(1);
	second = run(&vm, 0, 0);
	host_cpu(0);
}

TEST(two_cpus, "vcpu: one vCPU on two CPUs at once is refused")
{
	start(1);
	GUEST({{.kind = GUEST_IRQ}, run_on_other_cpu});
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(second, TV_EBUSY);
	check_eq(guest_runs, 1);
	host_cpu(1);
	check_eq(run(&vm, 0, 0), TV_OK);
	check_audit();
}

TEST(vmid, "vcpu: VMIDs are the S-visor's, not 0 and apart")
{
	struct svm other;
	uint64_t root;

	start(1);
	other = svm_launch(1, 2, 1);
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(host_run.vmid, 1);
	root = host_run.s2_root;
	check_eq(run(&other, 0, 0), TV_OK);
	check_eq(host_run.vmid, 2);
	check(host_run.s2_root != root);
}

static void psci_on_1(struct guest_regs *regs)
{
	regs->x[0] = 0xc4000003;
	regs->x[1] = 1;
	regs->x[2] = RAM;
	regs->x[3] = 0;
}

TEST(local_flush,
     "vcpu: stage-1 translations are flushed when another vCPU ran here, and only then")
{
	start(2);
	GUEST({{.kind = GUEST_SYNC, .esr = EC(0x16)}, psci_on_1});
	host_forget();
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(host_count[HOST_TLB_LOCAL], 1); /* the first time on this CPU */
	check_eq(host_what[HOST_TLB_LOCAL], 1);
	check_eq(run(&vm, 0, TV_RUN_DONE), TV_OK);
	check_eq(host_count[HOST_TLB_LOCAL], 1);
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(host_count[HOST_TLB_LOCAL], 2);
	host_cpu(1);
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(host_count[HOST_TLB_LOCAL], 3);
	host_cpu(0);
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(host_count[HOST_TLB_LOCAL], 3);
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(host_count[HOST_TLB_LOCAL], 4);
	check_eq(host_count[HOST_TLB_VM], 0);
}

static int64_t run_at(uint64_t cntvoff)
{
	memset(shared(), 0, sizeof(*shared()));
	shared()->cntvoff = cntvoff;
	return run_as_is(&vm, 0);
}

TEST(counter_future, "vcpu: an offset beyond the counter is refused")
{
	start(1);
	check_eq(run_at(host_counter + 100), TV_EINVAL);
	check_eq(run_at(-1), TV_EINVAL);
	check_eq(guest_runs, 0);
	check_eq(run_at(host_counter - 1), TV_OK);
}

TEST(counter_back, "vcpu: the guest's counter never goes back, and may stand still or jump ahead")
{
	uint64_t seen;

	start(1);
	host_counter = 1000000;
	check_eq(run_at(400000), TV_OK);
	check_eq(host_run.cntvoff, 400000);
	seen = host_counter - 400000;
	host_counter += 5000;
	check_eq(run_at(host_counter - 10), TV_OK); /* would read 10 */
	check(host_counter - host_run.cntvoff >= seen);
	check(host_run.cntvoff > 400000); /* but the pause is hidden */
	host_counter += 100;
	check_eq(run_at(100), TV_OK);
	check_eq(host_run.cntvoff, 100);
	check_eq(run_at(101), TV_OK);
	check(host_run.cntvoff == 101 || host_run.cntvoff == 100);
}

static void enter_second(struct guest_regs *regs)
{
	(void)regs;
	host_cpu(1);
	memset(shared(), 0, sizeof(*shared()));
	shared()->cntvoff = 700000;
	host_guest = NULL;
	check_eq(run_as_is(&vm, 1), TV_OK);
	second = host_run.cntvoff;
	host_cpu(0);
}

TEST(counter_shared, "vcpu: vCPUs that run at once share one offset")
{
	start(2);
	GUEST({{.kind = GUEST_SYNC, .esr = EC(0x16)}, psci_on_1});
	check_eq(run(&vm, 0, 0), TV_OK);
	host_counter = 1000000;
	GUEST({{.kind = GUEST_IRQ}, enter_second});
	memset(shared(), 0, sizeof(*shared()));
	shared()->flags = TV_RUN_DONE;
	shared()->cntvoff = 400000;
	check_eq(run_as_is(&vm, 0), TV_OK);
	check_eq(second, 400000);
}

TEST(fault_abort, "vcpu: a fault answered with an abort is not served")
{
	start(1);
	GUEST(DATA_FAULT(RAM + PAGE(1)));
	check_eq(run(&vm, 0, 0), TV_OK);
	npt_page(&vm.npt, RAM + PAGE(1), CHUNK(0) + PAGE(1));
	check_eq(run(&vm, 0, TV_RUN_ABORT), TV_OK);
	check(!host_guest_mem(host_run.s2_root, RAM + PAGE(1)));
	check_eq(host_count[HOST_INJECT], 1);
	check_eq(run(&vm, 0, 0), TV_OK);
	check(!host_guest_mem(host_run.s2_root, RAM + PAGE(1)));
}

TEST(fault_flags, "vcpu: wrong flags on a pending fault are refused before anything is mapped")
{
	start(1);
	GUEST(DATA_FAULT(RAM + PAGE(1)));
	check_eq(run(&vm, 0, 0), TV_OK);
	npt_page(&vm.npt, RAM + PAGE(1), CHUNK(0) + PAGE(1));
	check_eq(run(&vm, 0, TV_RUN_UNDEF), TV_EINVAL);
	memset(shared(), 0, sizeof(*shared()));
	shared()->cntvoff = -1;
	check_eq(run_as_is(&vm, 0), TV_EINVAL);
	check(!host_guest_mem(host_run.s2_root, RAM + PAGE(1)));
	check_eq(guest_runs, 1);
	check_audit();
}

TEST(fault_shows_anew, "vcpu: a refused or unserved entry tells of the fault, and nothing else")
{
	struct tv_run want = {.exit = TV_EXIT_FAULT,
			      .esr = 0x24UL << 26 | FAULT_L3,
			      .hpfar = HPFAR(RAM + PAGE(1))};

	memset(want.gpr, 0xff, sizeof(want.gpr));
	start(1);
	GUEST(DATA_FAULT(RAM + PAGE(1)));
	check_eq(run(&vm, 0, 0), TV_OK);
	memset(shared(), 0xff, sizeof(*shared()));
	shared()->flags = shared()->cntvoff = 0;
	check_eq(run_as_is(&vm, 0), TV_OK);
	check(shows(&want));
	npt_page(&vm.npt, RAM + PAGE(1), ORDINARY);
	memset(shared(), 0xff, sizeof(*shared()));
	shared()->flags = shared()->cntvoff = 0;
	check_eq(run_as_is(&vm, 0), TV_EDENIED);
	check(shows(&want));
}

/* ---- many CPUs at once --------------------------------------------------- */

#define ROUNDS 2000
static atomic_uint inside, overlaps, ran;

static void busy_guest(struct guest_regs *regs, struct guest_exit *out)
{
	(void)out;
	if (atomic_fetch_add(&inside, 1) != 0)
		atomic_fetch_add(&overlaps, 1);
	regs->x[1]++;
	atomic_fetch_add(&ran, 1);
	atomic_fetch_sub(&inside, 1);
}

static void *hammer(void *cpu)
{
	host_cpu((uintptr_t)cpu);
	for (unsigned i = 0; i < ROUNDS; i++) {
		int64_t ret = smc(TV_VCPU_RUN, vm.handle, 0, 0, 0);

		check(ret == TV_OK || ret == TV_EBUSY || ret == TV_EINVAL);
		if (i % 16 == 0)
			smc(TV_AUDIT, 0, 0, 0, 0);
	}
	return NULL;
}

static void on_four_cpus(void *(*f)(void *))
{
	pthread_t thread[4];

	for (uintptr_t i = 0; i < 4; i++)
		check_eq(pthread_create(&thread[i], NULL, f, (void *)i), 0);
	for (unsigned i = 0; i < 4; i++)
		check_eq(pthread_join(thread[i], NULL), 0);
	host_cpu(0);
}

TEST(race_run, "race: four CPUs run one vCPU; never two at once")
{
	start(1);
	for (unsigned i = 0; i < 4; i++) {
		host_cpu(i);
		memset(shared(), 0, sizeof(*shared()));
	}
	host_guest = busy_guest;
	on_four_cpus(hammer);
	check_eq(overlaps, 0);
	check(ran > ROUNDS / 8); /* the others found it busy */
	check_audit();
}

static void *create_destroy(void *cpu)
{
	uint64_t root = HOST_DRAM + PAGE(64) + PAGE(2) * (uintptr_t)cpu;

	host_cpu((uintptr_t)cpu);
	for (unsigned i = 0; i < ROUNDS / 10; i++) {
		struct tv_args a = call(TV_VM_CREATE, root, NPT_BITS, NPT_LEVEL, 0);
		int64_t ret;

		check_eq(a.x[0], TV_OK);
		smc(TV_VM_RAM, a.x[1], RAM, RAM_SIZE, 0); /* gone already, perhaps */
		ret = load_page(a.x[1], RAM, ORDINARY, POOL);
		check(ret == TV_OK || ret == TV_EDENIED || ret == TV_ENOENT || ret == TV_ESTATE);
		smc(TV_VM_DESTROY, a.x[1] + (i & 1), 0, 0, 0); /* mine, or another CPU's */
		check(svm_destroy(a.x[1]) != TV_EBUSY);
		smc(TV_CHUNK_RETURN, 0, 0, 0, 0);
	}
	return NULL;
}

TEST(race_vm, "race: four CPUs create, load and destroy over one chunk")
{
	uint64_t heap;

	boot();
	add_pool();
	heap = audit().x[4];
	on_four_cpus(create_destroy);
	check_audit();
	for (uint64_t i = 0; i < TV_MAX_VMS; i++)
		for (uint64_t g = 1; g < 4 * ROUNDS; g++)
			svm_destroy(g << 8 | i);
	smc(TV_CHUNK_RETURN, 0, 0, 0, 0);
	check_audit();
	check_eq(audit().x[3], 0);
	check_eq(audit().x[4], heap);
}
