/* SPDX-License-Identifier: BSD-3-Clause */
/* Attacks on the vCPU: all that the host can change at the call gate. */
#include <stdio.h>
#include <string.h>

#include "attack.h"

#define HCR_HOST (1UL << 34 | 1UL << 31) /* E2H, RW: without E2H the host itself is gone */
#define HCR_TGE (1UL << 27)
#define MARK_V 0x1111111111111111UL
#define PLACE (RAM + 0x30000)

static const struct hostile {
	uint64_t id, value;
	const char *name;
} hostile[] = {
	{TVA_ELR_EL2, RAM + 0x1234, "ELR_EL2"},
	{TVA_SPSR_EL2, 0x3c9, "SPSR_EL2: EL2h"},
	{TVA_SPSR_EL2, 0x0, "SPSR_EL2: EL0, interrupts on"},
	{TVA_HCR_EL2, HCR_HOST, "HCR_EL2: no stage 2, no traps, no routing"},
	{TVA_HCR_EL2, HCR_HOST | HCR_TGE, "HCR_EL2: the host's own"},
	{TVA_HCR_EL2, HCR_HOST | 1UL << 46 | 1UL << 27 | 1UL << 3, "HCR_EL2: FWB, FMO only"},
	{TVA_HCR_EL2, HCR_HOST | 1UL << 12 | 1UL << 26 | 1UL << 30, "HCR_EL2: DC, TVM, TRVM"},
	{TVA_VTTBR_EL2, 2UL << 48 | 0x40000000, "VTTBR_EL2: another VMID"},
	{TVA_VTTBR_EL2, 0, "VTTBR_EL2: VMID 0"},
	{TVA_VTCR_EL2, 0, "VTCR_EL2: 0"},
	{TVA_TCR_EL1, 0xb5103510, "TCR_EL1"},
	{TVA_SCTLR_EL1, 0x34f4d91d, "SCTLR_EL1: MMU on"},
	{TVA_TTBR0_EL1, 0xdead000, "TTBR0_EL1"},
	{TVA_VBAR_EL1, 0xbad000, "VBAR_EL1"},
	{TVA_MAIR_EL1, 0x4444, "MAIR_EL1"},
	{TVA_MDCR_EL2, 0xf00, "MDCR_EL2: TDE, TDA, TDOSA, TDRA"},
	{TVA_HSTR_EL2, 0xffff, "HSTR_EL2"},
	{TVA_VMPIDR_EL2, 0x80000007, "VMPIDR_EL2"},
	{TVA_VPIDR_EL2, 0x12345678, "VPIDR_EL2"},
	{TVA_CNTVOFF_EL2, 0x123456789, "CNTVOFF_EL2"},
	{TVA_MDCR_EL2, ~0x100UL, "MDCR_EL2: all but TDE"},
	{TVA_HCR_EL2, ~(HCR_TGE | 1UL << 42 | 1UL << 43 | 1UL << 45), "HCR_EL2: all but TGE, NV"},
	{TVA_CPTR_EL2, 0, "CPTR_EL2: FP and SVE trapped"},
	{TVA_CPTR_EL2, ~0UL, "CPTR_EL2: all"},
	{TVA_CNTHCTL_EL2, 0, "CNTHCTL_EL2: counters trapped"},
	{TVA_CNTHCTL_EL2, ~0UL, "CNTHCTL_EL2: all"},
	{TVA_CNTKCTL_EL1, ~0UL, "CNTKCTL_EL1"},
	{TVA_PMUSERENR_EL0, ~0UL, "PMUSERENR_EL0"},
	{TVA_ZCR_EL2, ~0UL, "ZCR_EL2"},
	{TVA_VSESR_EL2, ~0UL, "VSESR_EL2"},
	{TVA_ICH_HCR_EL2, 0x1, "ICH_HCR_EL2: on"},
	{TVA_ICH_VMCR_EL2, ~0UL, "ICH_VMCR_EL2: all"},
	{TVA_ICH_AP1R0_EL2, ~0UL, "ICH_AP1R0_EL2: all"},
	{TVA_ICH_LR0_EL2, ~(1UL << 61), "ICH_LR0_EL2: all but HW"},
	{TVA_ICH_LR1_EL2, 1UL << 62 | 1023, "ICH_LR1_EL2: 1023 pending in group 0"},
	{TVA_ICH_LR1_EL2, 3UL << 62 | 1UL << 60 | 8192, "ICH_LR1_EL2: an LPI active and pending"},
};

static const struct {
	enum op op;
	const char *name;
} views[] = {
	{OP_PSTATE, "PSTATE"},  {OP_TCR, "TCR_EL1"},     {OP_SCTLR, "SCTLR_EL1"},
	{OP_VBAR, "VBAR_EL1"},  {OP_TTBR0, "TTBR0_EL1"}, {OP_MAIR, "MAIR_EL1"},
	{OP_CHECK, "canaries"}, {OP_MPIDR, "MPIDR_EL1"},
};

#define VIEWS (sizeof(views) / sizeof(*views))

static void look(uint64_t seen[VIEWS + 1])
{
	for (size_t i = 0; i < VIEWS; i++)
		seen[i] = vm_do(&victim, views[i].op, 0, 0, 0);
	seen[VIEWS] = vm_do(&victim, OP_READ, PLACE, 0, 0);
}

/* Each register at a time is hostile while the guest tells what it sees. */
static void by_register(void)
{
	uint64_t before[VIEWS + 1], after[VIEWS + 1];

	vm_do(&victim, OP_WRITE, PLACE, MARK_V, 0);
	look(before);
	ok(before[VIEWS] == MARK_V && before[6] == 0, "the guest is as it should be before");
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		if (hosted && !TVA_HOSTED(hostile[i].id))
			continue;
		victim.b.nregs = 1;
		victim.b.reg[0] = (struct tva_reg){hostile[i].id, hostile[i].value};
		look(after);
		victim.b.nregs = 0;
		ok(!memcmp(before, after, sizeof(after)),
		   "%s changed before the gate: the guest sees nothing of it", hostile[i].name);
	}
	ok(all_well(), "all is well");
}

/* Tied to a physical interrupt: the guest would deactivate it with Secure rights. */
static void by_tied_interrupt(void)
{
	static const unsigned int tied[] = {0, 8, 15, 16, 25, 26, 28, 29, 31, 32, 40, 1019, 1023};

	for (size_t i = 0; i < sizeof(tied) / sizeof(*tied); i++) {
		victim.b.nregs = 1;
		victim.b.reg[0].id = TVA_ICH_LR0_EL2;
		victim.b.reg[0].value = 7UL << 60 | (uint64_t)tied[i] << 32 | 27;
		ok(vm_run(&victim, 0, 0) == TV_EINVAL, "a virtual interrupt tied to %u", tied[i]);
		victim.b.nregs = 0;
	}
	ok(all_well(), "all is well");
}

static void by_shared_page(void)
{
	struct tv_run *run = victim.run;

	for (int i = 0; i < 31; i++)
		run->gpr[i] = 0xbadUL << 32 | i;
	run->gpr[0] = OP_CHECK;
	run->pc = RAM + 0x100;
	run->exit = run->esr = run->far = run->hpfar = ~0UL;
	ok(vm_reply(&victim, TV_RUN_DONE) == TV_OK, "all of the shared page is hostile");
	ok(vm_asks(&victim) && !run->gpr[1], "x4-x30 and PC are the guest's own");
}

static void by_looking(void)
{
	vm_do(&victim, OP_CHECK, 0, 0, 0);
	ok(vm_kept(&victim, 4), "a CALL exit shows x0-x3 and no more");
	victim.run->gpr[0] = OP_SPIN;
	victim.run->gpr[1] = 400000000;
	vm_run(&victim, 0, TV_RUN_DONE);
	ok(victim.run->exit == TV_EXIT_IRQ && vm_kept(&victim, 0) && !victim.run->esr,
	   "an IRQ exit shows nothing (exit %lu)", victim.run->exit);
	vm_until_ask(&victim, 0);
}

#define CANARY 0xc0de00007ea50000UL /* of guest.S, less its number */

/* v0-v31 straight after the gate. */
static void by_fp(void)
{
	static uint64_t before[64], after[64];
	unsigned int leaked = 0;

	victim.run->gpr[0] = OP_CHECK;
	victim.run->flags = TV_RUN_DONE;
	batch_fp(&victim.b, before, after);
	for (int i = 0; i < 64; i++)
		leaked += (after[i] & ~0xffffUL) == CANARY;
	if (!vm_asks(&victim))
		vm_until_ask(&victim, 0);
	ok(leaked == 0, "no FP register of the guest is left after the gate (%u are)", leaked);
	ok(vm_asks(&victim) && !victim.run->gpr[1], "and the guest has its own back");
}

static int64_t run_with(uint64_t handle, uint64_t vcpu, uint64_t flags)
{
	struct tva_batch b = {.flags = TVA_OWN_SHARE, .ncalls = 1, .run.flags = flags};

	memcpy(b.call[0].x, (uint64_t[]){TV_VCPU_RUN, handle, vcpu}, 24);
	batch(&b);
	return (int64_t)b.call[0].r[0];
}

static void by_vcpu(void)
{
	static const uint64_t absent[] = {1, 7, 8, 64, 0x100000000, 1UL << 63, ~0UL};

	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++)
		ok(run_with(victim.handle, absent[i], 0) == TV_ENOENT, "vCPU %#lx is not there",
		   absent[i]);
	ok(run_with(victim.handle + 0x100, 0, 0) == TV_ENOENT, "a handle of the future");
	ok(run_with(~0UL, 0, 0) == TV_ENOENT, "handle ~0");
}

static void by_flags(void)
{
	vm_do(&victim, OP_CHECK, 0, 0, 0);
	ok(run_with(victim.handle, 0, 0x10) == TV_EINVAL, "an unknown flag");
	ok(run_with(victim.handle, 0, ~0UL) == TV_EINVAL, "all flags");
	ok(run_with(victim.handle, 0, TV_RUN_ABORT) == TV_EINVAL, "an abort where no access was");
	ok(run_with(victim.handle, 0, TV_RUN_DONE | TV_RUN_UNDEF) == TV_EINVAL, "two answers");
	ok(vm_do(&victim, OP_CHECK, 0, 0, 0) == 0, "the guest goes on after each");
	victim.run->gpr[0] = OP_CHECK;
	vm_reply(&victim, TV_RUN_UNDEF);
	ok(vm_asks(&victim) && victim.run->gpr[1] >> 63 && (victim.run->gpr[1] >> 26 & 63) == 0,
	   "Undefined after a call arrives as such: %#lx", victim.run->gpr[1]);
	ok(vm_do(&victim, OP_CHECK, 0, 0, 0) == 0, "registers are as they were");
}

static void by_clock(void)
{
	uint64_t before, after;

	victim.cntvoff = 0;
	before = vm_do(&victim, OP_COUNT, 0, 0, 0);
	victim.cntvoff = before / 2;
	after = vm_do(&victim, OP_COUNT, 0, 0, 0);
	ok(after >= before && after < 2 * before, "CNTVOFF never takes the guest back: %lu, %lu",
	   before, after);
	victim.cntvoff = 1UL << 62;
	ok(vm_order(&victim, 0, OP_COUNT, 0, 0, 0) == TV_EINVAL, "CNTVOFF above the counter");
	victim.cntvoff = 0;
	ok(vm_do(&victim, OP_COUNT, 0, 0, 0) >= after, "time goes on after it");
}

static void by_order(void)
{
	uint64_t h = victim.handle, from = ordinary(1);

	ok(smc(TV_VM_SEAL, h, 0, 0, 0).status == TV_ESTATE, "SEAL again");
	ok(smc(TV_VM_RAM, h, 0x80000000, PAGE, 0).status == TV_ESTATE, "RAM after sealing");
	ok(vm_load(&victim, RAM + 0x700000, from, vm_page(&victim)).status == TV_ESTATE,
	   "LOAD after sealing");
	ok(vm_vcpu(&victim, 1, TV_VCPU_ON, RAM).status == TV_ESTATE, "VCPU_CREATE after sealing");
	ok(vm_do(&victim, OP_CHECK, 0, 0, 0) == 0 && all_well(), "all is well");
}

/* A second vCPU runs only if the guest itself has turned it on. */
static void by_turning_on(void)
{
	struct vm vm;
	uint64_t from;

	vm_begin(&vm, 2);
	from = ordinary(1);
	vm_load(&vm, RAM, from, vm_page(&vm));
	ok(vm_vcpu(&vm, 0, TV_VCPU_ON, RAM).x[0] == 0 && vm_vcpu(&vm, 1, 0, RAM).x[0] == 1,
	   "two vCPUs");
	ok(vm_vcpu(&vm, 1, 0, RAM).status == TV_EINVAL, "one affinity twice");
	ok(vm_vcpu(&vm, 0x80000002, 0, RAM).status == TV_EINVAL, "an affinity with other bits");
	ok(run_with(vm.handle, 0, 0) == TV_ESTATE, "RUN before sealing");
	ok(smc(TV_VM_SEAL, vm.handle, 0, 0, 0).status == TV_OK, "sealed");
	ok(run_with(vm.handle, 1, 0) == TV_ESTATE, "RUN of a vCPU that is off");
	ok(vm_destroy(&vm) == TV_OK && all_well(), "all is well");
}

void cases_entry(void)
{
	by_register();
	by_tied_interrupt();
	by_shared_page();
	by_looking();
	by_fp();
	by_vcpu();
	by_flags();
	by_clock();
	by_order();
	by_turning_on();
}
