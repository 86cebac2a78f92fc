/* SPDX-License-Identifier: BSD-3-Clause */
/* Attacks on what leaves for the vITS: forged device trees, answers to what was not asked. */
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

static bool copies_for(struct vm *vm, uint64_t its)
{
	bool copies;

	guest_writes(vm, its + CBASER, 1UL << 63 | QUEUE);
	vm_reply(vm, TV_RUN_DONE);
	copies = guest_writes(vm, its + CWRITER, 0x40) == TV_EXIT_COPY;
	while (vm->run->exit == TV_EXIT_COPY)
		vm_reply(vm, 0);
	vm_reply(vm, TV_RUN_DONE);
	return copies && vm_asks(vm);
}

static void by_tree(void)
{
	struct fdt real;
	struct vm vm;

	ok(!copies_for(&victim, ITS), "without a device tree nothing is copied");
	make_tree(ITS);
	real = fdt;
	make_tree(ELSEWHERE);
	struct fdt forged = fdt;

	fdt = real;
	start(&vm, &forged);
	ok(!copies_for(&vm, ELSEWHERE), "a tree forged after it was loaded counts nothing");
	ok(copies_for(&vm, ITS), "the measured one does");
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
	guest_writes(&vm, ITS + CBASER, 1UL << 63 | QUEUE);
	vm_reply(&vm, TV_RUN_DONE);
	guest_writes(&vm, ITS + CWRITER, 0xfe0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(vm_run(&vm, 0, bad[i]) == TV_EINVAL, "entry amid a copy with flags %#lx",
		   bad[i]);
	memset(vm.run, 0xff, sizeof(*vm.run));
	ok(vm_run(&vm, 0, TV_RUN_DONE) == TV_OK && vm.run->exit == TV_EXIT_COPY &&
		   vm.run->ipa == QUEUE + 0x800 && vm.run->size == 0x7e0 && !vm.run->gpr[2],
	   "the next piece comes whatever the shared page holds");
	ok(vm_run(&vm, 0, TV_RUN_DONE) == TV_OK && vm.run->exit == TV_EXIT_MMIO &&
		   vm.run->gpr[2] == 0xfe0,
	   "and then the write");
	ok(vm_reply(&vm, TV_RUN_DONE) == TV_OK && vm_asks(&vm) &&
		   vm_do(&vm, OP_CHECK, 0, 0, 0) == 0,
	   "the guest has all its registers");
	ok(guest_writes(&vm, ITS + CWRITER, 0x40) == TV_EXIT_COPY && vm_destroy(&vm) == TV_OK,
	   "destroyed amid a copy");
	ok(all_well(), "all is well");
}

void cases_its(void)
{
	by_tree();
	by_window();
	by_junk();
	by_answer();
}
