// SPDX-License-Identifier: BSD-3-Clause
/* What an entry may change (I4, I5): the results of the exit before it, and nothing else. */
#include "fixture.h"

#define FILL 0xa5a5a5a5a5a5a5a5

static struct svm vm;

static void flags_set(struct guest_regs *regs)
{
	regs->pstate |= 1UL << 21 | 3UL << 10; /* SS, BTYPE */
}

/* A vCPU with registers 0xff...ff that has left so; then an entry with gpr full of FILL. */
static int64_t after(uint64_t esr, uint64_t hpfar, uint64_t flags)
{
	boot();
	add_pool();
	vm = svm_new();
	memset(shared(), 0xff, sizeof(*shared()));
	shared()->pc = RAM;
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 0, TV_VCPU_ON, 0), TV_OK);
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_OK);
	GUEST({{GUEST_SYNC, esr, 0x18, hpfar}, flags_set});
	check_eq(run(&vm, 0, 0), TV_OK);
	memset(shared(), 0xa5, sizeof(*shared()));
	shared()->flags = flags;
	shared()->cntvoff = 0;
	host_forget();
	return run_as_is(&vm, 0);
}

/* All of x0-x30 but `n` registers from `first` on are as they were. */
static void check_untouched(unsigned first, unsigned n)
{
	check_eq(guest_runs, 2);
	for (unsigned i = 0; i < 31; i++)
		check(i - first < n || guest_saw.x[i] == ~0UL);
}

#define STEPPED 0x3c5
#define NOT_STEPPED (0x3c5 | 1UL << 21 | 3UL << 10)

TEST(plain, "resume: without TV_RUN_DONE nothing changes and the instruction runs again")
{
	static const uint64_t exits[] = {EC(0x24) | ISV(3, 0, 4, 1) | 7, EC(0x17), EC(0x16),
					 EC(0x18) | 1 | 4 << 5};

	for (unsigned i = 0; i < 4; i++) {
		check_eq(after(exits[i], HPFAR(DEVICE), 0), TV_OK);
		check_untouched(0, 0);
		check_eq(guest_saw.pc, RAM);
		check_eq(guest_saw.pstate, NOT_STEPPED);
	}
}

TEST(mmio_values,
     "resume: a read's value is cut to size, sign-extended and cut to 32 bits as asked")
{
	static const struct {
		unsigned sas, sse, sf;
		uint64_t value;
	} cases[] = {
		{0, 0, 0, 0xa5},
		{1, 0, 0, 0xa5a5},
		{2, 0, 0, 0xa5a5a5a5},
		{3, 0, 1, FILL},
		{0, 1, 0, 0xffffffa5},
		{1, 1, 0, 0xffffa5a5},
		{0, 1, 1, 0xffffffffffffffa5},
		{1, 1, 1, 0xffffffffffffa5a5},
		{2, 1, 1, 0xffffffffa5a5a5a5},
		{3, 1, 1, FILL},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t isv = ISV(cases[i].sas, cases[i].sse, 4, cases[i].sf);

		check_eq(after(EC(0x24) | isv | 7, HPFAR(DEVICE), TV_RUN_DONE), TV_OK);
		check_untouched(4, 1);
		check_eq(guest_saw.x[4], cases[i].value);
		check_eq(guest_saw.pc, RAM + 4);
		check_eq(guest_saw.pstate, STEPPED);
	}
}

TEST(mmio_positive, "resume: sign extension of a positive value adds nothing")
{
	boot();
	check_eq(after(EC(0x24) | ISV(0, 1, 4, 1) | 7, HPFAR(DEVICE), 0), TV_OK);
	GUEST({{GUEST_SYNC, EC(0x24) | ISV(0, 1, 4, 1) | 7, 0, HPFAR(DEVICE)}, NULL});
	check_eq(run(&vm, 0, 0), TV_OK);
	shared()->gpr[4] = 0x5a;
	shared()->flags = TV_RUN_DONE;
	check_eq(run_as_is(&vm, 0), TV_OK);
	check_eq(guest_saw.x[4], 0x5a);
}

static struct {
	uint64_t sctlr, pstate;
	bool turned;
} order;

static void ordered(struct guest_regs *regs)
{
	regs->sys.sctlr_el1 = order.sctlr;
	regs->pstate = order.pstate;
	regs->x[4] = 0x1122334455667788;
}

static void check_order(void)
{
	uint64_t isv = EC(0x24) | ISV(2, 0, 4, 0) | 7;

	vm = svm_launch(0, 0, 1);
	GUEST({{GUEST_SYNC, isv | ISS_WNR, 0, HPFAR(DEVICE)}, ordered});
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(shared()->gpr[4], order.turned ? 0x88776655 : 0x55667788);
	GUEST({{GUEST_SYNC, isv, 0, HPFAR(DEVICE)}, ordered});
	check_eq(run(&vm, 0, TV_RUN_DONE), TV_OK);
	shared()->gpr[4] = 0xffffffffa1b2c3d4;
	shared()->flags = TV_RUN_DONE;
	check_eq(run_as_is(&vm, 0), TV_OK);
	check_eq(guest_saw.x[4], order.turned ? 0xd4c3b2a1 : 0xa1b2c3d4);
	check_eq(svm_destroy(vm.handle), TV_OK);
}

TEST(mmio_order, "resume, exit: the bus is little-endian, whatever the order of the guest's data")
{
	static const typeof(order) orders[] = {{0, 0x3c5, false},         {1UL << 25, 0x3c5, true},
					       {1UL << 24, 0x3c5, false}, {1UL << 24, 0, true},
					       {1UL << 25, 0, false},     {0, 0x10 | 1 << 9, true},
					       {3UL << 24, 0x10, false}};

	boot();
	add_pool();
	for (unsigned i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		order = orders[i];
		check_order();
	}
}

TEST(mmio_discard, "resume: a read into XZR and a write change no register")
{
	check_eq(after(EC(0x24) | ISV(3, 0, 31, 1) | 7, HPFAR(DEVICE), TV_RUN_DONE), TV_OK);
	check_untouched(0, 0);
	check_eq(guest_saw.pc, RAM + 4);
	check_eq(guest_saw.sys.sctlr_el1, 0); /* what lies behind x[30] */
	check_eq(after(EC(0x24) | ISV(3, 0, 4, 1) | ISS_WNR | 7, HPFAR(DEVICE), TV_RUN_DONE),
		 TV_OK);
	check_untouched(0, 0);
	check_eq(guest_saw.pc, RAM + 4);
}

TEST(call_results, "resume: a call's results are x0-x3; SMC is stepped, HVC was")
{
	check_eq(after(EC(0x17), 0, TV_RUN_DONE), TV_OK);
	check_untouched(0, 4);
	for (unsigned i = 0; i < 4; i++)
		check_eq(guest_saw.x[i], FILL);
	check_eq(guest_saw.pc, RAM + 4);
	check_eq(after(EC(0x16), 0, TV_RUN_DONE), TV_OK);
	check_untouched(0, 4);
	check_eq(guest_saw.pc, RAM);
}

TEST(sysreg_value, "resume: a register read takes one value, a write and XZR none")
{
	check_eq(after(EC(0x18) | 1 | 7 << 5, 0, TV_RUN_DONE), TV_OK);
	check_untouched(7, 1);
	check_eq(guest_saw.x[7], FILL);
	check_eq(guest_saw.pc, RAM + 4);
	check_eq(after(EC(0x18) | 7 << 5, 0, TV_RUN_DONE), TV_OK);
	check_untouched(0, 0);
	check_eq(guest_saw.pc, RAM + 4);
	check_eq(after(EC(0x18) | 1 | 31 << 5, 0, TV_RUN_DONE), TV_OK);
	check_untouched(0, 0);
}

TEST(done_nothing, "resume: TV_RUN_DONE after an exit without results takes none")
{
	check_eq(after(EC(0x01), 0, TV_RUN_DONE), TV_OK);
	check_untouched(0, 0);
	check_eq(guest_saw.pc, RAM + 4);
	check_eq(run(&vm, 0, TV_RUN_DONE), TV_OK);
	check_eq(guest_saw.x[0], ~0UL);
	check_eq(guest_saw.pc, RAM + 4);
}

TEST(done_once, "resume: an exit is served once; later entries change nothing more")
{
	check_eq(after(EC(0x18) | 1 | 7 << 5, 0, TV_RUN_DONE), TV_OK);
	memset(shared(), 0x11, sizeof(*shared()));
	shared()->flags = TV_RUN_DONE;
	shared()->cntvoff = 0;
	check_eq(run_as_is(&vm, 0), TV_OK);
	check_eq(guest_saw.x[7], FILL);
	check_eq(guest_saw.pc, RAM + 4);
}

TEST(pstate_pc, "resume: PC and PSTATE come from the S-visor's copy alone")
{
	check_eq(after(EC(0x01), 0, 0), TV_OK);
	check_eq(guest_saw.pc, RAM + 4);
	memset(shared(), 0x66, sizeof(*shared()));
	shared()->flags = shared()->cntvoff = 0;
	check_eq(run_as_is(&vm, 0), TV_OK);
	check_eq(guest_saw.pc, RAM + 4);
	check_eq(guest_saw.pstate, STEPPED);
}

TEST(undef, "resume: Undefined after calls and registers only, naming the instruction")
{
	check_eq(after(EC(0x18) | 1, 0, TV_RUN_UNDEF), TV_OK);
	check_eq(host_what[HOST_INJECT], EC(0));
	check_eq(guest_saw.sys.elr_el1, RAM);
	check_eq(after(EC(0x17), 0, TV_RUN_UNDEF), TV_OK);
	check_eq(guest_saw.sys.elr_el1, RAM);
	check_eq(after(EC(0x16), 0, TV_RUN_UNDEF), TV_OK);
	check_eq(guest_saw.sys.elr_el1, RAM - 4);
	check_eq(after(EC(0x01), 0, TV_RUN_UNDEF), TV_EINVAL);
	check_eq(after(EC(0x24) | ISV(0, 0, 0, 0) | 7, HPFAR(DEVICE), TV_RUN_UNDEF), TV_EINVAL);
	check_eq(after(EC(0x24) | 7, HPFAR(RAM), TV_RUN_UNDEF), TV_EINVAL);
	check_eq(guest_runs, 1);
	check_eq(host_count[HOST_INJECT], 0);
}

TEST(abort_injected, "resume: external abort after faults and MMIO only, with the guest's address")
{
	check_eq(after(EC(0x24) | ISV(3, 0, 4, 1) | 7, HPFAR(DEVICE), TV_RUN_ABORT), TV_OK);
	check_eq(host_what[HOST_INJECT], EC(0x25) | 0x10);
	check_eq(guest_saw.sys.elr_el1, RAM);
	check_eq(guest_saw.sys.far_el1, 0x18);
	check_untouched(0, 0);
	check_eq(after(EC(0x24) | 7, HPFAR(RAM), TV_RUN_ABORT), TV_OK);
	check_eq(host_what[HOST_INJECT], EC(0x25) | 0x10);
	check_eq(after(EC(0x01), 0, TV_RUN_ABORT), TV_EINVAL);
	check_eq(after(EC(0x16), 0, TV_RUN_ABORT), TV_EINVAL);
	check_eq(after(EC(0x18) | 1, 0, TV_RUN_ABORT), TV_EINVAL);
	check_eq(host_count[HOST_INJECT], 0);
}

TEST(vserror, "resume: a virtual SError after any exit, once")
{
	check_eq(after(EC(0x01), 0, TV_RUN_SERROR), TV_OK);
	check(host_run.vserror);
	check_eq(run(&vm, 0, 0), TV_OK);
	check(!host_run.vserror);
	check_eq(after(EC(0x18) | 1, 0, TV_RUN_SERROR | TV_RUN_DONE), TV_OK);
	check(host_run.vserror);
	check_eq(run(&vm, 0, TV_RUN_SERROR), TV_OK);
	check(host_run.vserror);
}

TEST(bad_flags, "resume: unknown flags and contradictions are refused, nothing changes")
{
	check_eq(after(EC(0x16), 0, 16), TV_EINVAL);
	check_eq(after(EC(0x16), 0, 1ULL << 63), TV_EINVAL);
	check_eq(after(EC(0x16), 0, TV_RUN_DONE | TV_RUN_UNDEF), TV_EINVAL);
	check_eq(after(EC(0x24) | ISV(3, 0, 4, 1) | 7, HPFAR(DEVICE), TV_RUN_DONE | TV_RUN_ABORT),
		 TV_EINVAL);
	check_eq(guest_runs, 1);
	check_eq(run(&vm, 0, 0), TV_OK);
	check_untouched(0, 0);
	check_eq(guest_saw.pc, RAM);
}

/* After the checks, and before what they have passed is done. */
static void change_page(void)
{
	shared()->flags = TV_RUN_UNDEF | TV_RUN_SERROR;
	shared()->cntvoff = -1;
	shared()->stolen = -1;
}

TEST(read_once, "resume: what is checked of the shared page is what is done")
{
	check_eq(after(EC(0x18) | 1 | 7 << 5, 0, 16), TV_EINVAL);
	host_begin_hook = change_page;
	check_eq(run(&vm, 0, TV_RUN_DONE), TV_OK);
	check_eq(host_count[HOST_INJECT], 0);
	check(!host_run.vserror);
	check_eq(host_run.cntvoff, 0);
	check_eq(guest_saw.pc, RAM + 4);
}
