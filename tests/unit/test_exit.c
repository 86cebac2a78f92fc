// SPDX-License-Identifier: BSD-3-Clause
/* What an exit shows (I4): exactly its line of abi.h. */
#include "fixture.h"

static struct tv_run want;

/* What the N-visor had in gpr[] is there still. */
static void want_nothing(void)
{
	memset(&want, 0, sizeof(want));
	memset(want.gpr, 0xff, sizeof(want.gpr));
}

/* Runs the guest with recognisable registers up to this exit; want: only exit and esr. */
static struct svm exit_with(uint64_t esr, uint64_t far, uint64_t hpfar)
{
	struct svm vm;

	boot();
	add_pool();
	vm = svm_new();
	memset(shared(), 0, sizeof(*shared()));
	for (unsigned i = 0; i < 31; i++)
		shared()->gpr[i] = 0x1122334455667700 + i;
	shared()->pc = RAM;
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 0, TV_VCPU_ON, 0), TV_OK);
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_OK);
	GUEST(SYNC(esr, far, hpfar));
	memset(shared(), 0xff, sizeof(*shared()));
	shared()->flags = shared()->cntvoff = 0;
	want_nothing();
	want.esr = esr;
	check_eq(run_as_is(&vm, 0), TV_OK);
	return vm;
}

static void check_shown(void)
{
	check_eq(shared()->exit, want.exit);
	check_eq(shared()->esr, want.esr);
	check(shows(&want));
}

TEST(irq, "exit: an interrupt shows nothing")
{
	struct svm vm = exit_with(EC(1), 0, 0);

	GUEST({{GUEST_IRQ, 0x1234567, 0x89, 0x123450}, NULL});
	memset(shared(), 0xff, sizeof(*shared()));
	shared()->flags = shared()->cntvoff = 0;
	check_eq(run_as_is(&vm, 0), TV_OK);
	want_nothing();
	check_shown();
}

static void line_up(struct guest_regs *regs)
{
	regs->pmu_line = 1;
}

static void line_down(struct guest_regs *regs)
{
	regs->pmu_line = 0;
}

TEST(pmu_line, "exit: any shows the level of the PMU's interrupt as it is then")
{
	struct svm vm = exit_with(EC(1), 0, 0);

	memset(&want, 0, sizeof(want));
	want.lines = TV_LINE_PMU;
	GUEST({{GUEST_IRQ, 0, 0, 0}, line_up}, {{GUEST_IRQ, 0, 0, 0}, line_down},
	      {{GUEST_SYNC, EC(1), 0, 0}, line_up});
	check_eq(run(&vm, 0, 0), TV_OK);
	check_shown();
	want.lines = 0;
	check_eq(run(&vm, 0, 0), TV_OK);
	check_shown();
	want.lines = TV_LINE_PMU;
	want.exit = TV_EXIT_WFX;
	want.esr = 1UL << 26;
	check_eq(run(&vm, 0, 0), TV_OK);
	check_shown();
}

TEST(serror, "exit: a physical SError shows its severity, no more")
{
	struct svm vm = exit_with(EC(1), 0, 0);

	GUEST({{GUEST_SERROR, 0xfffffffUL | EC(0x2f), 0x89, 0x123450}, NULL});
	check_eq(run(&vm, 0, 0), TV_OK);
	memset(&want, 0, sizeof(want));
	want.exit = TV_EXIT_SERROR;
	want.esr = 0x2fUL << 26 | 0x1003e3f;
	check_shown();
}

TEST(wfx, "exit: WFI and WFE show class and TI, and are stepped past")
{
	struct svm vm = exit_with(EC(1) | 0x1f << 5, 1, 0x10);

	want.exit = TV_EXIT_WFX;
	want.esr = 1UL << 26;
	check_shown();
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(guest_saw.pc, RAM + 4);
	exit_with(EC(1) | 1, 1, 0x10);
	want.exit = TV_EXIT_WFX;
	want.esr = 1UL << 26 | 1;
	check_shown();
	exit_with(EC(1) | 2 | 1 << 2 | 3 << 5, 1, 0x10); /* WFIT: to the N-visor, a WFE */
	want.exit = TV_EXIT_WFX;
	want.esr = 1UL << 26 | 1;
	check_shown();
}

TEST(fault_data, "exit: a data fault on RAM shows page, WnR and FSC, not the value")
{
	exit_with(EC(0x24) | ISV(3, 1, 5, 1) | ISS_WNR | 1 << 7 | 6, 0xffff000000001238,
		  HPFAR(RAM + PAGE(2)) | 1UL << 63 | 1UL << 50 | 0xf);
	want.exit = TV_EXIT_FAULT;
	want.esr = 0x24UL << 26 | ISS_WNR | 6;
	want.hpfar = HPFAR(RAM + PAGE(2));
	check_shown();
}

TEST(fault_fetch, "exit: an instruction fault on RAM shows page and FSC")
{
	exit_with(EC(0x20) | 7, 0xffff000000001238, HPFAR(RAM + RAM_SIZE - PAGE(1)));
	want.exit = TV_EXIT_FAULT;
	want.esr = 0x20UL << 26 | 7;
	want.hpfar = HPFAR(RAM + RAM_SIZE - PAGE(1));
	check_shown();
}

TEST(mmio_read, "exit: an MMIO read shows address, size and register, and no value")
{
	exit_with(EC(0x24) | ISV(2, 0, 5, 0) | 6, 0xffff000000001238, HPFAR(DEVICE) | 1UL << 63);
	want.exit = TV_EXIT_MMIO;
	want.esr = 0x24UL << 26 | ISV(2, 0, 5, 0) | 6;
	want.hpfar = HPFAR(DEVICE);
	want.far = 0x238;
	check_shown();
}

TEST(mmio_write, "exit: an MMIO write shows the bytes stored and no more")
{
	static const uint64_t bytes[] = {0x05, 0x7705, 0x55667705, 0x1122334455667705};

	for (unsigned sas = 0; sas < 4; sas++) {
		exit_with(EC(0x24) | ISV(sas, 0, 5, sas == 3) | ISS_WNR | 7, 0x18, HPFAR(DEVICE));
		want.exit = TV_EXIT_MMIO;
		want.esr = 0x24UL << 26 | ISV(sas, 0, 5, sas == 3) | ISS_WNR | 7;
		want.hpfar = HPFAR(DEVICE);
		want.far = 0x18;
		want.gpr[5] = bytes[sas];
		check_shown();
	}
}

TEST(mmio_xzr, "exit: an MMIO write of XZR shows zero, and no register beyond x30")
{
	exit_with(EC(0x24) | ISV(3, 0, 31, 1) | ISS_WNR | 7, 0, HPFAR(DEVICE));
	want.exit = TV_EXIT_MMIO;
	want.esr = 0x24UL << 26 | ISV(3, 0, 31, 1) | ISS_WNR | 7;
	want.hpfar = HPFAR(DEVICE);
	check_shown();
}

TEST(boundary, "exit: the pages beside RAM are MMIO, those inside never")
{
	exit_with(EC(0x24) | ISV(3, 0, 1, 1) | 7, 0, HPFAR(RAM - PAGE(1)));
	check_eq(shared()->exit, TV_EXIT_MMIO);
	exit_with(EC(0x24) | ISV(3, 0, 1, 1) | 7, 0, HPFAR(RAM + RAM_SIZE));
	check_eq(shared()->exit, TV_EXIT_MMIO);
	exit_with(EC(0x24) | ISV(3, 0, 1, 1) | 7, 0, HPFAR(RAM));
	check_eq(shared()->exit, TV_EXIT_FAULT);
}

/* The guest takes an abort and nobody hears of it. */
static void check_abort(uint64_t esr, uint64_t hpfar, uint64_t injected)
{
	exit_with(esr, 0xffff000000001238, hpfar);
	check_eq(guest_runs, 2);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(host_count[HOST_INJECT], 1);
	check_eq(host_what[HOST_INJECT], injected);
	check_eq(guest_saw.sys.elr_el1, RAM);
	check_eq(guest_saw.sys.far_el1, 0xffff000000001238);
}

TEST(no_syndrome, "exit: outside RAM without syndrome, by fetch or by table walk: an abort at once")
{
	uint64_t data = EC(0x25) | 0x10, fetch = EC(0x21) | 0x10;

	check_abort(EC(0x24) | 7, HPFAR(DEVICE), data);
	check_abort(EC(0x24) | ISS_WNR | 7, HPFAR(DEVICE), data | ISS_WNR);
	check_abort(EC(0x24) | ISV(3, 0, 1, 1) | 1 << 7 | 7, HPFAR(DEVICE), data);
	check_abort(EC(0x20) | 7, HPFAR(DEVICE), fetch);
	check_abort(EC(0x20) | ISV(3, 0, 1, 1) | 7, HPFAR(DEVICE), fetch);
	/* Not a stage-2 fault at all: HPFAR_EL2 means nothing. */
	check_abort(EC(0x24) | ISV(3, 0, 1, 1) | 0x10, HPFAR(RAM), data);
	check_abort(EC(0x24) | ISV(3, 0, 1, 1) | 0x21, HPFAR(DEVICE), data);
}

TEST(cache_op, "exit: cache maintenance outside RAM is stepped past, and nobody hears of it")
{
	exit_with(EC(0x24) | 1 << 8 | 7, 0, HPFAR(DEVICE));
	check_eq(guest_runs, 2);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(host_count[HOST_INJECT], 0);
	check_eq(guest_saw.pc, RAM + 4);
	exit_with(EC(0x24) | 1 << 8 | 7, 0, HPFAR(RAM));
	check_eq(shared()->exit, TV_EXIT_FAULT);
	check_abort(EC(0x24) | 1 << 8 | 1 << 7 | 7, HPFAR(DEVICE), EC(0x25) | 0x10);
	check_abort(EC(0x20) | 1 << 8 | 7, HPFAR(DEVICE), EC(0x21) | 0x10);
}

static void as_el0(struct guest_regs *regs)
{
	regs->pstate = 0;
}

TEST(abort_el0, "exit: an abort for EL0 comes from a lower level")
{
	struct svm vm = exit_with(EC(1), 0, 0);

	GUEST({{.kind = GUEST_SYNC,
		.esr = EC(0x24) | 1 << 10 | 7,
		.far = 9,
		.hpfar = HPFAR(DEVICE)},
	       as_el0});
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(host_what[HOST_INJECT], EC(0x24) | 0x10);
	check_eq(guest_saw.sys.far_el1, 0); /* FnV */
}

TEST(call_shown, "exit: a call shows x0-x3 and its immediate")
{
	exit_with(EC(0x16) | 0x4b48, 1, 0x10);
	want.exit = TV_EXIT_CALL;
	want.esr = 0x16UL << 26 | 0x4b48;
	for (unsigned i = 0; i < 4; i++)
		want.gpr[i] = 0x1122334455667700 + i;
	check_shown();
	exit_with(EC(0x17), 1, 0x10);
	want.exit = TV_EXIT_CALL;
	want.esr = 0x17UL << 26;
	for (unsigned i = 0; i < 4; i++)
		want.gpr[i] = 0x1122334455667700 + i;
	check_shown();
}

TEST(sysreg_shown, "exit: a trapped register shows its value on a write only")
{
	uint64_t write = EC(0x18) | 3UL << 20 | 9 << 5, read = write | 1;

	exit_with(write | 1UL << 40, 1, 0x10);
	want.exit = TV_EXIT_SYSREG;
	want.esr = write;
	want.gpr[9] = 0x1122334455667709;
	check_shown();
	exit_with(read, 1, 0x10);
	want.exit = TV_EXIT_SYSREG;
	want.esr = read;
	check_shown();
	exit_with(write | 31 << 5, 1, 0x10);
	want.exit = TV_EXIT_SYSREG;
	want.esr = write | 31 << 5;
	check_shown();
}

TEST(other_class, "exit: any other exception makes the guest Undefined, and is not shown")
{
	static const unsigned classes[] = {0, 3, 7, 0x0e, 0x15, 0x19, 0x1a, 0x22, 0x30, 0x32, 0x3c};

	for (unsigned i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		exit_with(EC(classes[i]) | 5, 1, 0x10);
		check_eq(shared()->exit, TV_EXIT_IRQ);
		check_eq(guest_runs, 2);
		check_eq(host_what[HOST_INJECT], EC(0));
		check_eq(guest_saw.sys.elr_el1, RAM);
	}
}
