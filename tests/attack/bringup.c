/* SPDX-License-Identifier: BSD-3-Clause */
/* What must work before an attack on it means anything. */
#include <stdio.h>
#include <string.h>

#include "attack.h"

uint64_t audit(void)
{
	struct result r;

	do { /* another S-VM may be running: its vCPU leaves at the next tick */
		r = smc(TV_AUDIT, 0, 0, 0, 0);
	} while (r.status == TV_EBUSY);
	return r.status ? (uint64_t)r.status : r.x[0];
}

static void version(void)
{
	struct result r = smc(TV_VERSION, 0, 0, 0, 0);

	ok(r.status == TV_OK && r.x[0] >> 16 == TV_ABI_MAJOR, "version: %ld, %#lx, %lu-bit guests",
	   r.status, r.x[0], r.x[1]);
}

static void first_steps(struct vm *vm)
{
	vm_start(vm, 0);
	ok(vm_until_ask(vm, 0) == TV_OK && vm_asks(vm), "a vCPU runs to its first hypercall");
	printf("# exit %lu esr %#lx gpr0 %#lx gpr1 %#lx\n", vm->run->exit, vm->run->esr,
	       vm->run->gpr[0], vm->run->gpr[1]);
	ok(vm_do(vm, OP_CHECK, 0, 0, 0) == 0, "general and FP registers survive exits");
}

static void memory(struct vm *vm)
{
	uint64_t a = RAM + 0x10000;

	ok(vm_do(vm, OP_READ, a, 0, 0) == 0, "fresh memory reads 0");
	ok(vm_do(vm, OP_WRITE, a, 0x1122334455667788, 0) == 0 &&
		   vm_do(vm, OP_READ, a, 0, 0) == 0x1122334455667788,
	   "memory keeps what was written");
	ok(vm_do(vm, OP_FILL, RAM + 0x20000, RAM + 0x60000, 3) == 0 &&
		   vm_do(vm, OP_SUM, RAM + 0x20000, RAM + 0x60000, 0) == 3 * 0x40000 / 8,
	   "64 further pages by faults");
}

static void mmio(struct vm *vm)
{
	int64_t status = vm_order(vm, 0, OP_READ1, 0x09000018, 0, 0);
	struct tv_run *run = vm->run;

	ok(!status && run->exit == TV_EXIT_MMIO && run->hpfar == 0x09000UL << 4 &&
		   (run->far & 0xfff) == 0x18,
	   "an MMIO read is shown (esr %#lx far %#lx hpfar %#lx)", run->esr, run->far, run->hpfar);
	run->gpr[run->esr >> 16 & 31] = 0xdead80;
	status = vm_reply(vm, TV_RUN_DONE);
	ok(!status && vm_asks(vm) && run->gpr[1] == (uint64_t)-128,
	   "its value is sign-extended: %#lx", run->gpr[1]);
	status = vm_order(vm, 0, OP_WRITE, 0x09000000, 0x4142434445464748, 0);
	ok(!status && run->exit == TV_EXIT_MMIO &&
		   run->gpr[run->esr >> 16 & 31] == 0x4142434445464748,
	   "an MMIO write is shown with its value");
	status = vm_reply(vm, TV_RUN_DONE);
	ok(!status && vm_asks(vm), "and stepped past");
}

static void other_exits(struct vm *vm)
{
	ok(vm_do(vm, OP_WFI, 0, 0, 0) == 0, "WFI exits and is stepped past");
	ok(vm_do(vm, OP_PSTATE, 0, 0, 0) == (0x4 | 0x3c0 | 1), "PSTATE is EL1h, DAIF set");
	ok(vm_do(vm, OP_SPIN, 20000000, 0, 0) == 0,
	   "interrupts of the host end no loop of the guest");
	ok(vm_do(vm, OP_CHECK, 0, 0, 0) == 0, "registers are as they were after all that");
	ok(vm_order(vm, 0, OP_CALL, 0xc6000001, 7, 8) == TV_OK && vm->run->exit == TV_EXIT_CALL &&
		   vm->run->gpr[0] == 0xc6000001 && vm->run->gpr[1] == 7 && vm->run->gpr[2] == 8,
	   "an HVC shows x0-x3");
	vm->run->gpr[0] = 99;
	ok(vm_reply(vm, TV_RUN_DONE) == TV_OK && vm_asks(vm) && vm->run->gpr[1] == 99,
	   "and takes its result");
}

static void teardown(struct vm *vm)
{
	struct result r = smc(TV_VM_MEASUREMENT, vm->handle, 0, 0, 0);

	ok(r.status == TV_OK && (r.x[0] | r.x[1] | r.x[2] | r.x[3]), "it is measured");
	printf("# measurement %016lx %016lx %016lx %016lx\n", r.x[0], r.x[1], r.x[2], r.x[3]);
	ok(audit() == 0, "audit: no violation while it lives");
	ok(lost_pages() == 0, "stats: none of the S-visor's pages is lost");
	ok(smc(TV_STATS, 2, 0, 0, 0).status == TV_EINVAL, "stats: there is no third question");
	ok(vm_destroy(vm) == TV_OK, "it is destroyed");
	ok(smc(TV_VM_MEASUREMENT, vm->handle, 0, 0, 0).status == TV_ENOENT, "its handle is stale");
	ok(audit() == 0, "audit: no violation after it");
	ok(lost_pages() == 0, "stats: none of the S-visor's pages is lost after it");
}

void cases_bringup(void)
{
	struct vm vm;

	version();
	first_steps(&vm);
	memory(&vm);
	mmio(&vm);
	other_exits(&vm);
	teardown(&vm);
}
