// SPDX-License-Identifier: BSD-3-Clause
/* What the dispatcher asks for before the machine goes down (I2, I9). */
#include <pthread.h>
#include <stdatomic.h>

#include "fixture.h"
#include "ledger.h"

static struct svm vm;

static void start(unsigned chunks)
{
	boot();
	add_pool();
	for (unsigned i = 0; i < chunks; i++)
		vm = svm_launch(i, 0x5ec4e7, 1);
}

static int64_t wipe(void)
{
	return smc(TV_DISPATCH_WIPE, 0, 0, 0, 0);
}

TEST(wipe_all, "wipe: every page of every Secure chunk of each pool is zero, on record or not")
{
	start(3);
	check_eq(smc(TV_POOL_ADD, HOST_HIGH, HOST_HIGH_SIZE, 0, 0), TV_OK);
	vm = svm_new();
	check_eq(load_page(vm.handle, RAM, ordinary_page(), HOST_HIGH), TV_OK);
	memset(host_mem(POOL), 0x5e, 3 * TV_CHUNK_SIZE);
	memset(host_mem(HOST_HIGH), 0x5e, TV_CHUNK_SIZE);
	check_eq(wipe(), TV_OK);
	check(all_words(POOL, 3 * TV_CHUNK_SIZE, 0));
	check(all_words(HOST_HIGH, TV_CHUNK_SIZE, 0));
	check(host_secure(POOL) && host_secure(POOL + 3 * TV_CHUNK_SIZE - 1));
}

TEST(wipe_ordinary, "wipe: ordinary memory is left alone")
{
	start(1);
	memset(host_mem(CHUNK(1)), 0x77, TV_CHUNK_SIZE);
	host_forget();
	check_eq(wipe(), TV_OK);
	check(all_words(CHUNK(1), TV_CHUNK_SIZE, 0x7777777777777777));
	check_eq(host_count[HOST_PAGE_ZERO], CHUNK_PAGES);
}

TEST(wipe_refuses, "wipe: no call does anything afterwards, on any CPU")
{
	start(1);
	GUEST({{.kind = GUEST_IRQ}, NULL});
	check_eq(wipe(), TV_OK);
	host_forget();
	for (unsigned cpu = 0; cpu < 4; cpu++) {
		host_cpu(cpu);
		for (unsigned i = 0; i <= TV_CALLS; i++) {
			struct tv_args a = call(TV_SMC(i), vm.handle, 0, 0, 0);

			check_eq(a.x[0], TV_ESTATE);
			check(!a.x[1] && !a.x[2] && !a.x[3] && !a.x[4]);
		}
	}
	check_eq(guest_runs, 0);
	for (unsigned i = 0; i < HOST_OPS; i++)
		check_eq(host_count[i], 0);
}

TEST(wipe_twice, "wipe: asked for again it has nothing to do")
{
	start(1);
	check_eq(wipe(), TV_OK);
	host_forget();
	check_eq(wipe(), TV_OK);
	check_eq(host_count[HOST_PAGE_ZERO], 0);
}

TEST(wipe_nothing, "wipe: with no pool and no S-VM there is nothing to wipe")
{
	boot();
	check_eq(wipe(), TV_OK);
	check_eq(host_count[HOST_PAGE_ZERO], 0);
	check_eq(smc(TV_VERSION, 0, 0, 0, 0), TV_ESTATE);
}

TEST(wipe_order, "wipe: tables are emptied, TLBs flushed after that, pages zeroed after that")
{
	start(1);
	check_eq(run(&vm, 0, 0), TV_OK);
	check(host_guest_mem(host_run.s2_root, RAM));
	host_forget();
	check_eq(wipe(), TV_OK);
	check(!host_guest_mem(host_run.s2_root, RAM));
	check_eq(host_what[HOST_S2_WRITE], 0);
	check(host_when[HOST_S2_WRITE] < host_when[HOST_TLB_VM]);
	check_eq(host_what[HOST_TLB_VM], 1);
	check_eq(host_when[HOST_PAGE_ZERO] - host_when[HOST_TLB_VM], CHUNK_PAGES);
}

TEST(wipe_dying, "wipe: an S-VM half destroyed, and chunks freed before, are wiped too")
{
	start(2);
	check_eq(smc(TV_VM_DESTROY, vm.handle, 0, 0, 0), TV_AGAIN);
	memset(host_mem(POOL), 0x5e, 2 * TV_CHUNK_SIZE);
	check_eq(wipe(), TV_OK);
	check(all_words(POOL, 2 * TV_CHUNK_SIZE, 0));
}

/* ---- with other CPUs inside ---------------------------------------------- */

static atomic_uint in_guest;

/* Runs, writing its secret, for as long as it is mapped: no interrupt comes. */
static void stubborn_guest(struct guest_regs *regs, struct guest_exit *out)
{
	uint64_t root = host_run.s2_root;
	volatile uint64_t *page;

	(void)regs;
	atomic_fetch_add(&in_guest, 1);
	while ((page = host_guest_mem(root, RAM)))
		page[1] = 0x5ec4e7;
	*out = (struct guest_exit){GUEST_SYNC, EC(0x20) | FAULT_L3, 0, HPFAR(RAM)};
}

static void *run_one(void *cpu)
{
	host_cpu((uintptr_t)cpu);
	return (void *)smc(TV_VCPU_RUN, vm.handle, 0, 0, 0);
}

static void wait_for(atomic_uint *n, unsigned value)
{
	while (atomic_load(n) != value)
		cpu_relax();
}

TEST(wipe_running, "wipe: a vCPU that no interrupt stops gets out first, and leaves nothing")
{
	pthread_t thread;
	void *ret;

	start(1);
	host_guest = stubborn_guest;
	check_eq(pthread_create(&thread, NULL, run_one, (void *)1), 0);
	wait_for(&in_guest, 1);
	check_eq(wipe(), TV_OK);
	check(all_words(POOL, TV_CHUNK_SIZE, 0));
	check_eq(pthread_join(thread, &ret), 0);
	check_eq((uintptr_t)ret, TV_OK);
	host_cpu(1);
	check_eq(shared()->exit, TV_EXIT_FAULT);
	check(all_words(POOL, TV_CHUNK_SIZE, 0));
}

/* Its vectors are where no RAM is: each abort that is injected is followed by the next. */
static void falling_guest(struct guest_regs *regs, struct guest_exit *out)
{
	(void)regs;
	atomic_store(&in_guest, 1);
	*out = (struct guest_exit){GUEST_SYNC, EC(0x20) | FAULT_L3, 0, HPFAR(DEVICE)};
}

TEST(wipe_falling, "wipe: a guest that faults for ever without the N-visor gets out too")
{
	pthread_t thread;

	start(1);
	host_guest = falling_guest;
	check_eq(pthread_create(&thread, NULL, run_one, (void *)1), 0);
	wait_for(&in_guest, 1);
	check_eq(wipe(), TV_OK);
	check(all_words(POOL, TV_CHUNK_SIZE, 0));
	check_eq(pthread_join(thread, NULL), 0);
}

static atomic_uint loading, closing;

/* The page is about to be read into a private one: holds the loader up until the wipe waits. */
static void hold_up(uint64_t pa)
{
	if (pa != ORDINARY)
		return;
	atomic_store(&loading, 1);
	while (!atomic_load(&closing))
		cpu_relax();
}

static void *load_one(void *page)
{
	host_cpu(1);
	return (void *)load_page(vm.handle, RAM, ORDINARY, (uint64_t)page);
}

/* Another CPU is refused as soon as the wipe has begun. */
static void *see_closing(void *unused)
{
	host_cpu(2);
	while (smc(TV_VERSION, 0, 0, 0, 0) != TV_ESTATE)
		cpu_relax();
	check(!all_words(POOL, TV_CHUNK_SIZE, 0));
	atomic_store(&closing, 1);
	return unused;
}

TEST(wipe_loading, "wipe: waits for a call that holds locks, and wipes what it brought in")
{
	pthread_t loader, watcher;
	void *ret;

	start(1);
	vm = svm_new();
	memset(host_mem(ORDINARY), 0x5e, TV_PAGE_SIZE);
	host_ns_hook = hold_up;
	check_eq(pthread_create(&loader, NULL, load_one, (void *)CHUNK(1)), 0);
	wait_for(&loading, 1);
	*(uint64_t *)host_mem(POOL) = 1;
	check_eq(pthread_create(&watcher, NULL, see_closing, NULL), 0);
	check_eq(wipe(), TV_OK);
	check_eq(pthread_join(loader, &ret), 0);
	check_eq(pthread_join(watcher, NULL), 0);
	check_eq((uintptr_t)ret, TV_OK);
	check(all_words(POOL, 2 * TV_CHUNK_SIZE, 0));
}

/* The call is inside: holds the run up until its S-VM's tables are empty. */
static void hold_run(uint64_t pa)
{
	(void)pa;
	atomic_store(&loading, 1);
	while (host_guest_mem(host_run.s2_root, RAM))
		cpu_relax();
}

TEST(wipe_entering, "wipe: a vCPU on its way in when it begins does not get in")
{
	pthread_t thread;
	void *ret;

	start(1);
	GUEST({{.kind = GUEST_IRQ}, NULL});
	check_eq(run(&vm, 0, 0), TV_OK);
	host_ns_hook = hold_run;
	check_eq(pthread_create(&thread, NULL, run_one, (void *)1), 0);
	wait_for(&loading, 1);
	check_eq(wipe(), TV_OK);
	check_eq(pthread_join(thread, &ret), 0);
	check_eq((int64_t)ret, TV_ESTATE);
	check_eq(guest_runs, 1);
	check(all_words(POOL, TV_CHUNK_SIZE, 0));
}

/* Asks when the first has begun, and lets that one's last obstacle go only then. */
static void *wipe_too(void *unused)
{
	host_cpu(2);
	while (smc(TV_VERSION, 0, 0, 0, 0) != TV_ESTATE)
		cpu_relax();
	atomic_store(&closing, 1);
	check_eq(wipe(), TV_OK);
	check(all_words(CHUNK(2) - PAGE(1), PAGE(1), 0));
	return unused;
}

TEST(wipe_second, "wipe: a second CPU that asks does not go on before all is zero")
{
	pthread_t loader, second;

	start(1);
	vm = svm_new();
	memset(host_mem(POOL), 0x5e, 2 * TV_CHUNK_SIZE);
	host_ns_hook = hold_up;
	check_eq(pthread_create(&loader, NULL, load_one, (void *)CHUNK(1)), 0);
	wait_for(&loading, 1);
	check_eq(pthread_create(&second, NULL, wipe_too, NULL), 0);
	check_eq(wipe(), TV_OK);
	check_eq(pthread_join(loader, NULL), 0);
	check_eq(pthread_join(second, NULL), 0);
	check(all_words(POOL, 2 * TV_CHUNK_SIZE, 0));
}
