/* SPDX-License-Identifier: BSD-3-Clause */
/* Attacks on what leaves for the vITS: forged device trees, answers to what was not asked, bounce
 * memory that is none. Where none is given, that it is wanted shows that the S-visor follows the
 * register. */
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
	ok(vm.run->size >= PAGE && vm_kept(&vm, 0) && !vm.run->hpfar && !vm.run->esr,
	   "and nothing else is shown");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(vm_run(&vm, 0, bad[i]) == TV_EINVAL, "entry then with flags %#lx", bad[i]);
	memset(vm.run, 0xff, sizeof(*vm.run));
	ok(vm_reply(&vm, TV_RUN_DONE) == TV_OK && vm.run->exit == TV_EXIT_BOUNCE,
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
		   smc(TV_VM_SHOW, victim.handle, ELSEWHERE, svisor, 0).status == TV_EINVAL &&
		   smc(TV_QUEUE_STATS, victim.handle, ~0UL, 0, 0).status == TV_ENOENT,
	   "RAM is never shown as flash, nor the S-visor's memory");
	ok(all_well(), "all is well");
}

/* TV_BOUNCE_ADD with a list that is not the module's. */
static struct result give(struct vm *vm, const uint64_t *page, uint64_t n)
{
	uint64_t list = ordinary(1);
	struct tva_batch b = {.flags = TVA_OWN_SHARE, .ncalls = 2};
	const uint64_t *r = b.call[1].r;

	memcpy((uint8_t *)at(list) + TV_RUN_DATA, page, n * sizeof(*page));
	memcpy(b.call[0].x, (uint64_t[]){TV_CPU_SHARE, list}, 16);
	memcpy(b.call[1].x, (uint64_t[]){TV_BOUNCE_ADD, vm->handle, n}, 24);
	batch(&b);
	return (struct result){(int64_t)r[0], {r[1], r[2], r[3], r[4]}};
}

static unsigned exit_register(const struct vm *vm)
{
	return vm->run->esr >> 16 & 31;
}

/* The guest writes commands, each word its address, and tells the ITS of so many bytes. */
static void send(struct vm *vm, uint64_t bytes)
{
	for (uint64_t a = QUEUE; a < QUEUE + bytes; a += 8)
		vm_do(vm, OP_WRITE, a, a, 0);
	guest_writes(vm, ITS + CWRITER, bytes);
	vm_reply(vm, TV_RUN_DONE);
}

static bool holds(uint64_t pa, uint64_t bytes)
{
	const volatile uint64_t *there = at(pa);
	bool ok = true;

	for (uint64_t i = 0; i < PAGE / 8; i++)
		ok &= there[i] == (8 * i < bytes ? QUEUE + 8 * i : 0);
	return ok;
}

static void refused(struct vm *vm, uint64_t page)
{
	const uint64_t bad[] = {chunk_base(0), chunk_base(2),    svisor, svisor - PAGE,
				page + 8,      page | 1UL << 60, ~0UL,   0x9000000};
	int taken = 0;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const uint64_t list[] = {page, bad[i]};

		taken += give(vm, list, 2).status != TV_EINVAL;
		taken += give(vm, &bad[i], 1).status != TV_EINVAL;
	}
	ok(!taken, "bounce memory that is Secure, no DRAM or no page is refused");
	ok(smc(TV_BOUNCE_TRIM, vm->handle, 0, 0, 0).x[0] == 0,
	   "and none of those beside it is taken");
}

/* What is bounce memory becomes Secure, and the guest's own: nothing is written to it. */
static void becomes_secure(struct vm *vm)
{
	uint64_t page = chunk_base(3) + 5 * PAGE, own = RAM + 0xa0000;

	smc(TV_BOUNCE_TRIM, vm->handle, 0, 0, 0);
	ok(give(vm, &page, 1).status == TV_OK, "a page that may be Secure later is taken");
	guest_writes(vm, ITS + CBASER, 1UL << 63 | QUEUE);
	ok(vm->run->exit == TV_EXIT_MMIO, "and is the queue's");
	vm_reply(vm, TV_RUN_DONE);
	ok(vm_take(vm, chunk_base(3)).status == TV_OK, "it becomes Secure");
	vm_map(vm, own, page);
	ok(vm_do(vm, OP_WRITE, own, 0x5ec, 0) == 0, "and the guest's own");
	send(vm, 0x100);
	ok(vm_do(vm, OP_READ, own, 0, 0) == 0x5ec && vm_do(vm, OP_READ, own + 8, 0, 0) == 0,
	   "commands are not written there");
}

static void by_given(void)
{
	uint64_t page = ordinary(1), shown;
	struct vm vm;

	make_tree(ITS);
	start(&vm, &fdt);
	refused(&vm, page);
	ok(give(&vm, &page, 1).status == TV_OK, "an ordinary page is taken");
	guest_writes(&vm, ITS + CBASER, 1UL << 63 | QUEUE);
	shown = vm.run->gpr[exit_register(&vm)];
	ok(vm.run->exit == TV_EXIT_MMIO && shown == (1UL << 63 | BOUNCE),
	   "the vITS is told of it, not of the guest's queue: %#lx", shown);
	vm_reply(&vm, TV_RUN_DONE);
	send(&vm, 0x60);
	ok(holds(page, 0x60), "the commands are there, and nothing else");
	memset(at(page), 0xff, PAGE);
	vm_order(&vm, 0, OP_READ, ITS + CBASER, 0, 0);
	vm.run->gpr[exit_register(&vm)] = ~0UL;
	vm_reply(&vm, TV_RUN_DONE);
	ok(vm.run->gpr[1] == (~0xfffffffff0000UL | QUEUE), "the guest reads its own address: %#lx",
	   vm.run->gpr[1]);
	ok(vm_do(&vm, OP_READ, QUEUE + 8, 0, 0) == QUEUE + 8, "and finds its own commands");
	guest_writes(&vm, ITS + CBASER, 1UL << 63 | (QUEUE + 0x10000) | 1);
	ok(vm.run->exit == TV_EXIT_BOUNCE, "for a longer one, more is wanted");
	ok(vm_destroy(&vm) == TV_OK && all_well(), "all is well");
	start(&vm, &fdt);
	becomes_secure(&vm);
	ok(vm_destroy(&vm) == TV_OK && all_well(), "all is well");
	smc(TV_CHUNK_RETURN, attack_pool, 0, 0, 0); /* for the next group, as it was */
}

void cases_its(void)
{
	by_tree();
	by_window();
	by_junk();
	by_answer();
	by_bounce();
	by_given();
}
