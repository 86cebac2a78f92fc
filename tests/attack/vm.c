/* SPDX-License-Identifier: BSD-3-Clause */
/* Attack VMs: an S-VM with a chunk of RAM that runs the puppet of guest.S. */
#include <stdio.h>
#include <string.h>

#include "attack.h"

/* Stage 2 descriptors as KVM writes them (DDI 0487 D8.3) */
#define S2_TABLE 3UL
#define S2_PAGE (3UL | 0xfUL << 2 | 3UL << 6 | 3UL << 8 | 1UL << 10)

#define NO_ANSWER 0xbadbadbadbadbadUL

extern const uint8_t puppet[], puppet_end[];

static void build_tables(struct vm *vm)
{
	uint64_t *root, *l2;

	vm->root = ordinary(6);
	root = at(vm->root);
	l2 = at(vm->root + PAGE);
	root[RAM >> 30] = (vm->root + PAGE) | S2_TABLE;
	for (int i = 0; i < 4; i++)
		l2[i] = (vm->root + (2 + i) * PAGE) | S2_TABLE;
}

uint64_t *vm_entry(struct vm *vm, uint64_t ipa)
{
	return (uint64_t *)at(vm->root + 2 * PAGE) + ((ipa - RAM) >> 12);
}

void vm_map(struct vm *vm, uint64_t ipa, uint64_t pa)
{
	*(volatile uint64_t *)vm_entry(vm, ipa) = pa | S2_PAGE;
}

uint64_t vm_page(struct vm *vm)
{
	return vm->chunk + vm->pages++ * PAGE;
}

void vm_create(struct vm *vm, unsigned int chunk)
{
	memset(vm, 0, sizeof(*vm));
	vm->run = &vm->b.run;
	vm->chunk = chunk_base(chunk);
	build_tables(vm);
	vm->last = smc(TV_VM_CREATE, vm->root, 39, 1, 0);
	if (vm->last.status)
		die("TV_VM_CREATE: %ld", vm->last.status);
	vm->handle = vm->last.x[0];
	vm->last = smc(TV_VM_RAM, vm->handle, RAM, CHUNK, 0);
}

struct result vm_take(struct vm *vm, uint64_t chunk)
{
	return smc(TV_CHUNK_TAKE, vm->handle, chunk, 0, 0);
}

void vm_begin(struct vm *vm, unsigned int chunk)
{
	vm_create(vm, chunk);
	vm->last = vm_take(vm, vm->chunk);
	if (vm->last.status)
		die("TV_CHUNK_TAKE: %ld", vm->last.status);
}

struct result vm_load(struct vm *vm, uint64_t ipa, uint64_t from, uint64_t page)
{
	return smc(TV_VM_LOAD, vm->handle, ipa, from, page);
}

struct result vm_vcpu(struct vm *vm, uint64_t mpidr, uint64_t flags, uint64_t pc)
{
	return vm_vcpu_with(vm, mpidr, flags, pc, 0);
}

struct result vm_vcpu_with(struct vm *vm, uint64_t mpidr, uint64_t flags, uint64_t pc, uint64_t x0)
{
	struct tva_batch b = {.flags = TVA_OWN_SHARE, .ncalls = 1};
	uint64_t *r = b.call[0].r;

	b.run.pc = pc;
	b.run.gpr[0] = x0;
	memcpy(b.call[0].x, (uint64_t[]){TV_VCPU_CREATE, vm->handle, mpidr, flags}, 32);
	batch(&b);
	return (struct result){(int64_t)r[0], {r[1], r[2], r[3], r[4]}};
}

void vm_prepare(struct vm *vm, unsigned int chunk)
{
	size_t pages = (puppet_end - puppet) / PAGE;
	uint64_t from;

	vm_begin(vm, chunk);
	from = ordinary(pages);
	memcpy(at(from), puppet, puppet_end - puppet);
	for (size_t i = 0; i < pages; i++) {
		vm->last = vm_load(vm, RAM + i * PAGE, from + i * PAGE, vm_page(vm));
		if (vm->last.status)
			die("TV_VM_LOAD of page %zu: %ld", i, vm->last.status);
	}
}

void vm_start(struct vm *vm, unsigned int chunk)
{
	vm_prepare(vm, chunk);
	vm->last = vm_vcpu(vm, 0, TV_VCPU_ON, RAM);
	if (vm->last.status)
		die("TV_VCPU_CREATE: %ld", vm->last.status);
	vm->last = smc(TV_VM_SEAL, vm->handle, 0, 0, 0);
	if (vm->last.status)
		die("TV_VM_SEAL: %ld", vm->last.status);
}

int64_t vm_run(struct vm *vm, uint64_t vcpu, uint64_t flags)
{
	struct tva_call *c = &vm->b.call[0];

	vm->b.flags = TVA_OWN_SHARE;
	vm->b.ncalls = 1;
	vm->run->flags = flags;
	vm->run->cntvoff = vm->cntvoff;
	memcpy(vm->put, vm->run->gpr, sizeof(vm->put));
	memcpy(c->x, (uint64_t[8]){TV_VCPU_RUN, vm->handle, vcpu, 3, 4, 5, 6, 7}, sizeof(c->x));
	batch(&vm->b);
	if (c->changed)
		die("TV_VCPU_RUN changed registers, mask %#lx", c->changed);
	return (int64_t)c->r[0];
}

static bool serve_fault(struct vm *vm)
{
	uint64_t ipa = (vm->run->hpfar & ~(1UL << 63)) >> 4 << 12;

	if (ipa < RAM || ipa >= RAM + CHUNK)
		return false;
	if (!vm->flipped && !*vm_entry(vm, ipa))
		vm_map(vm, ipa, vm_page(vm));
	return true;
}

static int64_t until_ask(struct vm *vm, uint64_t vcpu, uint64_t flags)
{
	for (;; flags = 0) {
		int64_t status = vm_run(vm, vcpu, flags);

		if (status)
			return status;
		if (vm->run->exit == TV_EXIT_FAULT && serve_fault(vm))
			continue;
		if (vm->run->exit != TV_EXIT_IRQ && vm->run->exit != TV_EXIT_WFX)
			return status;
	}
}

int64_t vm_until_ask(struct vm *vm, uint64_t vcpu)
{
	return until_ask(vm, vcpu, 0);
}

int64_t vm_reply(struct vm *vm, uint64_t flags)
{
	return until_ask(vm, 0, flags);
}

bool vm_asks(struct vm *vm)
{
	return vm->run->exit == TV_EXIT_CALL && vm->run->gpr[0] == TAG;
}

bool vm_kept(const struct vm *vm, unsigned int from)
{
	return !memcmp(vm->put + from, vm->run->gpr + from, sizeof(vm->put) - 8 * from);
}

int64_t vm_order(struct vm *vm, uint64_t vcpu, enum op op, uint64_t a, uint64_t b, uint64_t c)
{
	memset(vm->run, 0, sizeof(*vm->run));
	vm->run->gpr[0] = op;
	vm->run->gpr[1] = a;
	vm->run->gpr[2] = b;
	vm->run->gpr[3] = c;
	return until_ask(vm, vcpu, TV_RUN_DONE);
}

uint64_t vm_do(struct vm *vm, enum op op, uint64_t a, uint64_t b, uint64_t c)
{
	int64_t status = vm_order(vm, 0, op, a, b, c);

	if (!status && vm_asks(vm))
		return vm->run->gpr[1];
	printf("# puppet: op %d: status %ld, exit %lu, esr %#lx, hpfar %#lx\n", op, status,
	       vm->run->exit, vm->run->esr, vm->run->hpfar);
	return NO_ANSWER;
}

int64_t vm_destroy(struct vm *vm)
{
	int64_t status;

	do {
		status = smc(TV_VM_DESTROY, vm->handle, 0, 0, 0).status;
	} while (status == TV_AGAIN);
	return status;
}
