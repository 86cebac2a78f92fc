// SPDX-License-Identifier: BSD-3-Clause
/* Stolen time (DEN 0057). */
#include "fixture.h"
#include "heap.h"
#include "vm.h"

#define ARCH_FEATURES 0x80000001
#define PV_TIME_FEATURES 0xc5000020
#define PV_TIME_ST 0xc5000021
#define TOP ((1UL << 48) - TV_PAGE_SIZE)
#define SHOWN (0x75b | 1UL << 54) /* Normal, AF; read only, execute never */
#define ADDRESS 0xfffffffff000

static struct svm vm;
static uint64_t x0, x1;

static void ask(struct guest_regs *regs)
{
	regs->x[0] = x0;
	regs->x[1] = x1;
}

static void start(void)
{
	boot();
	add_pool();
	vm = svm_launch(0, 1, 1);
}

/* What the guest finds in x0; the N-visor hears nothing of it. */
static int64_t guest_calls(uint64_t function, uint64_t about)
{
	x0 = function;
	x1 = about;
	GUEST({{GUEST_SYNC, EC(0x16), 0, 0}, ask});
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(guest_runs, 2);
	return guest_saw.x[0];
}

static uint64_t leaf(void)
{
	return host_guest_leaf(host_run.s2_root, TOP);
}

static uint64_t stolen(void)
{
	return ((uint64_t *)host_mem(leaf() & ADDRESS))[1];
}

/* Out of the guest for `ticks`, then in and out again, with this claim. */
static void enter(uint64_t ticks, uint64_t claim)
{
	memset(shared(), 0, sizeof(*shared()));
	shared()->stolen = claim;
	host_counter += ticks;
	check_eq(run_as_is(&vm, 0), TV_OK);
}

TEST(pvtime_calls, "stolen time: the calls are answered here")
{
	start();
	check_eq(guest_calls(ARCH_FEATURES, PV_TIME_FEATURES), 0);
	check_eq(guest_calls(PV_TIME_FEATURES, PV_TIME_FEATURES), 0);
	check_eq(guest_calls(PV_TIME_FEATURES, PV_TIME_ST), 0);
	check_eq(guest_calls(PV_TIME_FEATURES, ARCH_FEATURES), -1);
	check_eq(leaf(), 0);
	x0 = ARCH_FEATURES;
	x1 = PV_TIME_ST;
	GUEST({{GUEST_SYNC, EC(0x16), 0, 0}, ask});
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_CALL);
}

TEST(pvtime_page,
     "stolen time: a page that the guest can read, no more, clean, of the S-visor's own")
{
	uint64_t first;

	start();
	host_forget();
	check_eq(guest_calls(PV_TIME_ST, 0), TOP);
	first = leaf();
	check_eq(first & ~ADDRESS, SHOWN);
	check((first & ADDRESS) - HOST_SVISOR < HOST_SVISOR_SIZE);
	check(all_words(first & ADDRESS, TV_PAGE_SIZE, 0));
	check_audit();
	check_eq(guest_calls(PV_TIME_ST, 0), TOP);
	check_eq(leaf(), first);
}

TEST(pvtime_second, "stolen time: each vCPU has its own place")
{
	boot();
	add_pool();
	vm = svm_new();
	memset(shared(), 0, sizeof(*shared()));
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 0, TV_VCPU_ON, 0), TV_OK);
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 1, TV_VCPU_ON, 0), TV_OK);
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_OK);
	x0 = PV_TIME_ST;
	GUEST({{GUEST_SYNC, EC(0x16), 0, 0}, ask});
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(guest_saw.x[0], TOP + 64);
	host_counter += 1000;
	memset(shared(), 0, sizeof(*shared()));
	shared()->stolen = 500;
	check_eq(run_as_is(&vm, 1), TV_OK);
	check_eq(stolen(), 0);
	check_eq(((uint64_t *)host_mem(leaf() & ADDRESS))[9], 500);
}

TEST(pvtime_value, "stolen time: what the N-visor claims, but never more than the vCPU was out")
{
	start();
	enter(0, 1000); /* before its first entry it can have lost nothing */
	check_eq(guest_calls(PV_TIME_ST, 0), TOP);
	check_eq(stolen(), 0);
	enter(10000, 0);
	enter(10000, 700);
	check_eq(stolen(), 700);
	enter(10000, 700);
	check_eq(stolen(), 700);
	enter(10000, 1UL << 62);
	check(stolen() >= 10700 && stolen() < 10800);
	x1 = stolen();
	enter(10000, 5); /* back: nothing is taken away */
	check_eq(stolen(), x1);
	enter(10000, 25);
	check_eq(stolen(), x1 + 20);
}

TEST(pvtime_late, "stolen time: it counts before the guest asks where, too")
{
	start();
	enter(0, 0);
	enter(1000, 300);
	x0 = PV_TIME_ST;
	GUEST({{GUEST_SYNC, EC(0x16), 0, 0}, ask});
	enter(0, 300);
	enter(0, 300);
	check_eq(stolen(), 300);
}

TEST(pvtime_units, "stolen time: ticks of the counter become nanoseconds")
{
	start();
	host_hz = 1000000;
	check_eq(guest_calls(PV_TIME_ST, 0), TOP);
	enter(3500000, -1UL); /* 3.5 s */
	check(stolen() >= 3500000000 && stolen() < 3500100000);
}

TEST(pvtime_write,
     "stolen time: a write to the page is an abort for the guest, and nobody's to see")
{
	start();
	check_eq(guest_calls(PV_TIME_ST, 0), TOP);
	host_forget();
	GUEST(SYNC(EC(0x24) | 1 << 24 | ISS_WNR | 0xf, 0, HPFAR(TOP)));
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(host_count[HOST_INJECT], 1);
}

/* An S-VM with all of the address space; its RAM begins a page below TOP, with a page loaded. */
static void start_high(uint64_t ram)
{
	boot();
	add_pool();
	vm.handle = call(TV_VM_CREATE, npt_new().root, 48, 0, 0).x[1];
	check_eq(smc(TV_VM_RAM, vm.handle, TOP - PAGE(1), ram, 0), TV_OK);
	check_eq(load_page(vm.handle, TOP - PAGE(1), ordinary_page(), CHUNK(0)), TV_OK);
	memset(shared(), 0, sizeof(*shared()));
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 0, TV_VCPU_ON, 0), TV_OK);
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_OK);
}

TEST(pvtime_no_page, "stolen time: tables may be there, and yet no page")
{
	start_high(PAGE(1));
	while (heap_alloc(1))
		;
	check_eq(guest_calls(PV_TIME_ST, 0), -1);
	check_eq(leaf(), 0);
	check_eq(audit().x[1], 0);
}

TEST(pvtime_ram, "stolen time: none where RAM is in the way")
{
	start_high(PAGE(2));
	check_eq(guest_calls(PV_TIME_ST, 0), -1);
	check_eq(leaf(), 0);
}

TEST(pvtime_heap, "stolen time: none when the S-visor's memory is full; it is all given back")
{
	uint64_t before;

	boot();
	add_pool();
	check_eq(svm_destroy(svm_launch(0, 1, 1).handle), TV_OK);
	before = audit().x[4];
	vm = svm_launch(0, 1, 1);
	check_eq(guest_calls(PV_TIME_ST, 0), TOP);
	check_eq(svm_destroy(vm.handle), TV_OK);
	check_eq(audit().x[4], before);
	for (unsigned left = 0; left < 4; left++) { /* three tables and the page */
		static void *kept[HOST_SVISOR_SIZE / TV_PAGE_SIZE];
		unsigned n = 0;

		vm = svm_launch(0, 1, 1);
		while ((kept[n] = heap_alloc(1)))
			n++;
		for (unsigned i = 0; i < left; i++)
			heap_free(kept[--n], 1);
		check_eq(guest_calls(PV_TIME_ST, 0), -1);
		check_eq(leaf(), 0);
		while (n)
			heap_free(kept[--n], 1);
		check_audit();
		check_eq(svm_destroy(vm.handle), TV_OK);
		check_eq(audit().x[4], before);
	}
}

TEST(pvtime_audit, "stolen time: the audit misses the page")
{
	uint64_t *table;

	start();
	check_eq(guest_calls(PV_TIME_ST, 0), TOP);
	table = host_mem(host_run.s2_root);
	for (unsigned level = 0; level < 3; level++)
		table = host_mem(table[511] & ADDRESS);
	table[511] += TV_PAGE_SIZE;
	check_eq(audit().x[1], 1);
}

static void stopped_meanwhile(struct guest_regs *regs)
{
	vm_stop_all();
	ask(regs);
}

TEST(pvtime_stopped, "stolen time: nothing is mapped any more in an S-VM that was stopped")
{
	start();
	x0 = PV_TIME_ST;
	GUEST({{GUEST_SYNC, EC(0x16), 0, 0}, stopped_meanwhile});
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(guest_saw.x[0], (uint64_t)-1);
	check_eq(leaf(), 0);
}
