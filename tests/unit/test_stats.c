// SPDX-License-Identifier: BSD-3-Clause
/* TV_STATS: what is in use, and that nothing is lost. */
#include "fixture.h"
#include "heap.h"
#include "ledger.h"
#include "vm.h"

static uint64_t vms_used(void)
{
	return call(TV_STATS, TV_STATS_VMS, 0, 0, 0).x[1];
}

static uint64_t owned(void)
{
	return call(TV_STATS, TV_STATS_VMS, 0, 0, 0).x[2];
}

static uint64_t secure(void)
{
	return call(TV_STATS, TV_STATS_VMS, 0, 0, 0).x[3];
}

TEST(stats_counts, "stats: S-VMs and chunks, from launch to teardown")
{
	struct svm a, b;

	boot();
	add_pool();
	check_eq(vms_used() + owned() + secure(), 0);
	a = svm_launch(0, 1, 1);
	b = svm_launch(1, 1, 3);
	check_eq(vms_used(), 2);
	check_eq(owned(), 2);
	check_eq(secure(), 2);
	check_eq(smc(TV_VM_DESTROY, a.handle, 0, 0, 0), TV_AGAIN);
	check_eq(vms_used(), 2);
	check_eq(owned(), 1);
	check_eq(lost_pages(), 0);
	check_eq(svm_destroy(a.handle), TV_OK);
	check_eq(svm_destroy(b.handle), TV_OK);
	check_eq(vms_used() + owned(), 0);
	check_eq(secure(), 2);
	check_eq(lost_pages(), 0);
}

TEST(stats_heap, "stats: every page of the heap is free or on record, and a lost one shows")
{
	struct svm vm;
	void *page;

	boot();
	check_eq(lost_pages(), 0);
	add_pool();
	check_eq(lost_pages(), 0);
	vm = svm_launch(0, 1, 5);
	check_eq(lost_pages(), 0);
	GUEST(DATA_FAULT(RAM + RAM_SIZE - PAGE(1)));
	npt_page(&vm.npt, RAM + RAM_SIZE - PAGE(1), CHUNK(0) + PAGE(9));
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(lost_pages(), 0);
	page = heap_alloc(2);
	check_eq(lost_pages(), 2);
	heap_free(page, 2);
	check_eq(lost_pages(), 0);
}

static uint64_t seen;
static void count_from_other_cpu(struct guest_regs *regs)
{
	(void)regs;
	host_cpu(1);
	seen = vms_used();
	host_cpu(0);
}

TEST(stats_running, "stats: counted while a vCPU runs")
{
	struct svm vm;

	boot();
	add_pool();
	vm = svm_launch(0, 1, 1);
	GUEST({{.kind = GUEST_IRQ}, count_from_other_cpu});
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(seen, 1);
}

TEST(stats_lock, "stats: a lock that is not freed is told, in bounded time, and no other is kept")
{
	struct spinlock *locks[] = {&vms[0].lock, &vms[TV_MAX_VMS - 1].lock, &ledger.lock};

	boot();
	host_hz = 1000;
	for (unsigned i = 0; i < 3; i++) {
		spin_lock(locks[i]);
		check_eq(smc(TV_STATS, TV_STATS_VMS, 0, 0, 0), TV_EBUSY);
		spin_unlock(locks[i]);
		check_eq(smc(TV_STATS, TV_STATS_VMS, 0, 0, 0), TV_OK);
		check_audit();
	}
}

TEST(stats_what, "stats: there are two questions, and nothing else is told")
{
	struct tv_args a;

	boot();
	a = call(TV_STATS, TV_STATS_HEAP, 2, 3, 4);
	check_eq(a.x[0], TV_OK);
	check(a.x[1] > a.x[2] - 1 && a.x[2]);
	check_eq(a.x[4], 0);
	a = call(TV_STATS, TV_STATS_HEAP + 1, 0, 0, 0);
	check_eq(a.x[0], TV_EINVAL);
	check_eq(a.x[1], 0);
	check_eq(smc(TV_STATS, -1, 0, 0, 0), TV_EINVAL);
}
