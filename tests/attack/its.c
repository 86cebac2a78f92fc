/* SPDX-License-Identifier: BSD-3-Clause */
/* Attacks on what leaves for the vITS: forged device trees, answers to what was not asked. No
 * bounce memory is given: that it is wanted shows that the S-visor follows the register. */
#include <stdlib.h>
#include <string.h>

#include "attack.h"
#include "fdt.h"

#define TREE (RAM + 0x80000)
#define QUEUE (RAM + 0x90000)
#define ITS 0x8080000UL
#define ELSEWHERE 0x9000000UL
#define CBASER 0x80
#define CWRITER 0x88
#define BOUNCE (RAM + 0x100000)

static struct fdt fdt;

static void make_tree(uint64_t its)
{
	const uint32_t two = 2, reg[] = {its >> 32, its, 0, 0x20000};

	fdt_begin(&fdt);
	fdt_node(&fdt, "");
	fdt_cells(&fdt, "#address-cells", &two, 1);
	fdt_cells(&fdt, "#size-cells", &two, 1);
	fdt_node(&fdt, "its");
	fdt_text(&fdt, "compatible", "arm,gic-v3-its");
	fdt_cells(&fdt, "reg", reg, 4);
	fdt_node_end(&fdt);
	fdt_node_end(&fdt);
	fdt_end(&fdt);
}

/* An S-VM with fdt at TREE, whose source is `after` when it is sealed; two vCPUs. */
static void start(struct vm *vm, const struct fdt *after)
{
	uint64_t from = ordinary(FDT_MAX / PAGE);

	vm_prepare(vm, 2);
	memcpy(at(from), fdt.bytes, FDT_MAX);
	for (uint64_t a = 0; a < FDT_MAX; a += PAGE)
		vm_load(vm, TREE + a, from + a, vm_page(vm));
	memcpy(at(from), after->bytes, FDT_MAX);
	vm_vcpu_with(vm, 0, TV_VCPU_ON, RAM, TREE);
	vm->last = smc(TV_VM_BOUNCE, vm->handle, BOUNCE, 64, 0);
	if (vm->last.status == TV_OK)
		vm->last = smc(TV_VM_SEAL, vm->handle, 0, 0, 0);
	if (vm->last.status || vm_until_ask(vm, 0))
		die("the S-VM with a device tree does not start");
}

/* The guest writes a register; the exit is there after. */
static uint64_t guest_writes(struct vm *vm, uint64_t addr, uint64_t value)
{
	if (vm_order(vm, 0, OP_WRITE, addr, value, 0))
		return ~0UL;
	return vm->run->exit;
}

static bool follows(struct vm *vm, uint64_t its)
{
	if (guest_writes(vm, its + CBASER, 1UL << 63 | QUEUE) == TV_EXIT_BOUNCE)
		return true;
	vm_reply(vm, TV_RUN_DONE);
	if (!vm_asks(vm))
		die("the guest does not go on");
	return false;
}

static void by_tree(void)
{
	struct fdt real;
	struct vm vm;

	ok(!follows(&victim, ITS), "without a device tree nothing is followed");
	make_tree(ITS);
	real = fdt;
	make_tree(ELSEWHERE);
	struct fdt forged = fdt;

	fdt = real;
	start(&vm, &forged);
	ok(!follows(&vm, ELSEWHERE), "a tree forged after it was loaded counts nothing");
	ok(follows(&vm, ITS), "the measured one does");
	ok(vm_destroy(&vm) == TV_OK && all_well(), "all is well");
}

static void by_window(void)
{
	struct vm vm;

	make_tree(RAM + 0x100000);
	start(&vm, &fdt);
	ok(vm_do(&vm, OP_WRITE, RAM + 0x100000 + CBASER, 1UL << 63 | QUEUE, 0) == 0 &&
		   vm_do(&vm, OP_WRITE, RAM + 0x100000 + CWRITER, 0x40, 0) == 0 &&
		   vm_do(&vm, OP_READ, RAM + 0x100000 + CWRITER, 0, 0) == 0x40,
	   "an ITS that would lie in RAM: it stays RAM");
	ok(vm_destroy(&vm) == TV_OK && all_well(), "all is well");
}

static void by_junk(void)
{
	struct vm vm;
	int died = 0;

	srand(3);
	for (int i = 0; i < 16; i++) {
		make_tree(ITS);
		for (int n = i * 8; n >= 0; n--)
			fdt.bytes[4 + rand() % (fdt.at + 64)] = rand();
		start(&vm, &fdt);
		died += vm_do(&vm, OP_CHECK, 0, 0, 0) != 0 || vm_destroy(&vm) != TV_OK;
	}
	ok(!died && all_well(), "trees of junk do no harm");
}

static void by_answer(void)
{
	static const uint64_t bad[] = {TV_RUN_ABORT, TV_RUN_UNDEF, TV_RUN_DONE | TV_RUN_ABORT, 16,
				       ~0UL};
	struct vm vm;

	make_tree(ITS);
	start(&vm, &fdt);
	ok(guest_writes(&vm, ITS + CBASER, 1UL << 63 | QUEUE) == TV_EXIT_BOUNCE,
	   "room for the queue is wanted");
	ok(vm.run->size >= PAGE && !vm.run->gpr[2] && !vm.run->hpfar && !vm.run->esr,
	   "and nothing else is shown");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(vm_run(&vm, 0, bad[i]) == TV_EINVAL, "entry then with flags %#lx", bad[i]);
	memset(vm.run, 0xff, sizeof(*vm.run));
	ok(vm_run(&vm, 0, TV_RUN_DONE) == TV_OK && vm.run->exit == TV_EXIT_BOUNCE,
	   "it is wanted still, whatever the shared page holds");
	ok(vm_destroy(&vm) == TV_OK && all_well(), "destroyed amid it, all is well");
}

/* The page that carries the list is whatever the CPU shares: full of junk here. */
static void by_bounce(void)
{
	static const uint64_t base[] = {1, PAGE, 0x1000000001000, ~0UL << 16, 0xffff0000};
	static const uint64_t pages[] = {0, TV_MAX_BOUNCE + 1, ~0UL, 1UL << 52};
	struct vm vm;
	bool refused = true;

	make_tree(ITS);
	vm_prepare(&vm, 2);
	for (size_t i = 0; i < sizeof(base) / sizeof(*base); i++)
		refused &= smc(TV_VM_BOUNCE, vm.handle, base[i], 32, 0).status == TV_EINVAL;
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
		refused &= smc(TV_VM_BOUNCE, vm.handle, BOUNCE, pages[i], 0).status == TV_EINVAL;
	ok(refused, "bounce memory in odd places, or too much, is refused");
	ok(smc(TV_BOUNCE_ADD, vm.handle, 1, 0, 0).status == TV_ESTATE &&
		   smc(TV_BOUNCE_TRIM, vm.handle, 0, 0, 0).status == TV_ESTATE &&
		   smc(TV_VM_SHOW, vm.handle, 0, chunk_base(0), 0).status == TV_ESTATE,
	   "nothing is given to an S-VM that is not sealed");
	ok(vm_destroy(&vm) == TV_OK &&
		   smc(TV_VM_BOUNCE, vm.handle, BOUNCE, 32, 0).status == TV_ENOENT &&
		   smc(TV_BOUNCE_ADD, vm.handle, 1, 0, 0).status == TV_ENOENT &&
		   smc(TV_QUEUE_STATS, vm.handle, 0, 0, 0).status == TV_ENOENT,
	   "nor to one that is gone");
	ok(smc(TV_VM_BOUNCE, victim.handle, BOUNCE, 32, 0).status == TV_ESTATE &&
		   smc(TV_BOUNCE_ADD, victim.handle, 0, 0, 0).status == TV_EINVAL &&
		   smc(TV_BOUNCE_ADD, victim.handle, 257, 0, 0).status == TV_EINVAL &&
		   smc(TV_BOUNCE_ADD, victim.handle, ~0UL, 0, 0).status == TV_EINVAL &&
		   smc(TV_BOUNCE_ADD, victim.handle, 1, 0, 0).status != TV_OK,
	   "nor more than it was launched with");
	ok(smc(TV_VM_SHOW, victim.handle, RAM, chunk_base(0), 0).status == TV_EINVAL &&
		   smc(TV_VM_SHOW, victim.handle, ELSEWHERE, SVISOR, 0).status == TV_EINVAL &&
		   smc(TV_QUEUE_STATS, victim.handle, ~0UL, 0, 0).status == TV_ENOENT,
	   "RAM is never shown as flash, nor the S-visor's memory");
	ok(all_well(), "all is well");
}

void cases_its(void)
{
	by_tree();
	by_window();
	by_junk();
	by_answer();
	by_bounce();
}
