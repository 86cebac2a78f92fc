// SPDX-License-Identifier: BSD-3-Clause
/* PSCI (DEN 0022) and TRNG (DEN 0098): what the S-visor records, corrects and answers. */
#include "fixture.h"

#define ON64 0xc4000003
#define ON32 0x84000003
#define OFF 0x84000002
#define INFO64 0xc4000004
#define INFO32 0x84000004

static struct svm vm;
static uint64_t args[4];

static void make_call(struct guest_regs *regs)
{
	memcpy(regs->x, args, sizeof(args));
}

/* vCPU `vcpu` does this call; how the run ends. */
static int64_t guest_calls(unsigned vcpu, uint64_t id, uint64_t a, uint64_t b, uint64_t c)
{
	args[0] = id, args[1] = a, args[2] = b, args[3] = c;
	GUEST({{.kind = GUEST_SYNC, .esr = EC(0x16)}, make_call});
	return run(&vm, vcpu, 0);
}

/* The N-visor answers; what the guest then has in x0. */
static uint64_t answered(unsigned vcpu, uint64_t x0)
{
	memset(shared(), 0, sizeof(*shared()));
	shared()->flags = TV_RUN_DONE;
	shared()->gpr[0] = x0;
	check_eq(run_as_is(&vm, vcpu), TV_OK);
	return guest_saw.x[0];
}

static void start(void)
{
	boot();
	add_pool();
	vm = svm_launch(0, 1, 3);
}

TEST(on, "psci: CPU_ON starts the target at the entry and context its own guest named, once")
{
	svm_features = TV_FEATURE_PMU | 2;
	start();
	check_eq(run(&vm, 1, 0), TV_ESTATE);
	check_eq(guest_calls(0, ON64, 1, RAM + 0x100, 0x77), TV_OK);
	check_eq(shared()->exit, TV_EXIT_CALL);
	check_eq(answered(0, 0), 0);
	memset(shared(), 0xff, sizeof(*shared()));
	shared()->flags = shared()->cntvoff = 0;
	check_eq(run_as_is(&vm, 1), TV_OK);
	check_eq(guest_saw.pc, RAM + 0x100);
	check_eq(guest_saw.x[0], 0x77);
	check_eq(guest_saw.x[1], 0);
	check_eq(guest_saw.pstate, 0x3c5);
	check_eq(guest_saw.mpidr, 1);
	check_eq(guest_saw.features, svm_features);
	guest_saw.pc = 0;
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(guest_saw.x[0], 0x77);
}

TEST(on_32, "psci: a 32-bit CPU_ON takes 32 bits of its arguments")
{
	start();
	check_eq(guest_calls(0, ON32, 1 | 5UL << 32, 0x100 | 5UL << 32, 7 | 5UL << 32), TV_OK);
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(guest_saw.pc, 0x100);
	check_eq(guest_saw.x[0], 7);
	check_eq(guest_calls(0, ON64, 2 | 1UL << 32, RAM, 0), TV_OK); /* no such vCPU */
	check_eq(guest_saw.x[0], (uint64_t)-2);
}

TEST(on_early, "psci: the target may run as soon as the N-visor hears of the call")
{
	start();
	check_eq(guest_calls(0, ON64, 1, RAM + 4, 5), TV_OK);
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(guest_saw.pc, RAM + 4);
}

TEST(on_refused, "psci: a CPU_ON that the N-visor refuses leaves the target off")
{
	start();
	check_eq(guest_calls(0, ON64, 1, RAM + 4, 5), TV_OK);
	check_eq(answered(0, -6), (uint64_t)-6);
	check_eq(run(&vm, 1, 0), TV_ESTATE);
	check_eq(guest_calls(0, ON64, 1, RAM + 4, 5), TV_OK);
	check_eq(shared()->exit, TV_EXIT_CALL);
	check_eq(run(&vm, 0, 0), TV_OK); /* not served at all */
	check_eq(run(&vm, 1, 0), TV_ESTATE);
	check_eq(guest_calls(0, ON64, 1, RAM + 4, 5), TV_OK);
	check_eq(run(&vm, 0, TV_RUN_UNDEF), TV_OK);
	check_eq(run(&vm, 1, 0), TV_ESTATE);
}

/* vCPU `vcpu` turns itself off. */
static void turns_off(unsigned vcpu)
{
	check_eq(guest_calls(vcpu, OFF, 0, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_OFF);
	check_eq(run(&vm, vcpu, 0), TV_ESTATE);
}

TEST(on_late, "psci: a refusal that comes late does not end another vCPU's CPU_ON")
{
	start();
	check_eq(guest_calls(0, ON64, 2, RAM, 0), TV_OK);
	check_eq(answered(0, 0), 0);
	check_eq(guest_calls(0, ON64, 1, RAM + 4, 5), TV_OK); /* not answered yet */
	check_eq(run(&vm, 1, 0), TV_OK);
	turns_off(1);
	check_eq(guest_calls(2, ON64, 1, RAM + 8, 6), TV_OK);
	check_eq(answered(0, -6), 0); /* it had run */
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(guest_saw.pc, RAM + 8);
	check_eq(guest_saw.x[0], 6);
	check_eq(answered(2, -6), 0); /* and again */
	check_eq(run(&vm, 1, 0), TV_OK);
}

TEST(on_answered, "psci: an answered CPU_ON waits till its target is run")
{
	start();
	check_eq(guest_calls(0, ON64, 1, RAM + 4, 5), TV_OK);
	check_eq(answered(0, 0), 0);
	check_eq(guest_calls(0, ON64, 2, RAM, 0), TV_OK);
	check_eq(answered(0, -6), (uint64_t)-6);
	check_eq(guest_calls(0, 0x86000000, 0, 0, 0), TV_OK);
	check_eq(answered(0, -6), (uint64_t)-6);
	check_eq(run(&vm, 2, 0), TV_ESTATE);
	check_eq(run(&vm, 1, 0), TV_OK);
	turns_off(1);
	check_eq(guest_calls(0, ON64, 1, RAM + 4, 5), TV_OK); /* as the first time */
	check_eq(answered(0, -6), (uint64_t)-6);
	check_eq(run(&vm, 1, 0), TV_ESTATE);
}

TEST(on_answers, "psci: CPU_ON is refused with an error of PSCI's, whatever the N-visor says")
{
	static const uint64_t said[] = {
		1, -9, -10, 0x80000000, 1UL << 32, -2, -1, 0xfffffffffffb, 0xffffffff00000001};
	static const int64_t heard[] = {-6, -9, -6, -6, -6, -2, -1, -5, -6};

	start();
	for (unsigned i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		check_eq(guest_calls(0, ON64, 1, RAM, 0), TV_OK);
		check_eq(shared()->exit, TV_EXIT_CALL);
		check_eq(answered(0, said[i]), heard[i]);
		check_eq(run(&vm, 1, 0), TV_ESTATE);
	}
}

static void big_endian_on(struct guest_regs *regs)
{
	make_call(regs);
	regs->sys.sctlr_el1 = 0xffffffff;
}

TEST(on_endian, "psci: CPU_ON hands on the caller's endianness, and no more of its SCTLR_EL1")
{
	start();
	args[0] = ON64, args[1] = 1, args[2] = RAM;
	GUEST({{.kind = GUEST_SYNC, .esr = EC(0x16)}, big_endian_on});
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(guest_saw.sys.sctlr_el1, 1 << 25);
}

TEST(on_forged, "psci: 'refused' after the target has run is corrected to success")
{
	start();
	check_eq(guest_calls(0, ON64, 1, RAM + 4, 5), TV_OK);
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(answered(0, -6), 0);
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(answered(0, 0x99), 0); /* and an answer to nothing is none: x0 as it was */
}

TEST(on_unserved, "psci: a CPU_ON by HVC that is not served has succeeded if the target has run")
{
	start();
	check_eq(guest_calls(0, ON64, 1, RAM, 0), TV_OK);
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(guest_saw.x[0], 0);
	check_eq(guest_calls(0, ON64, 2, RAM, 0), TV_OK);
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(guest_saw.x[0], -6);
	check_eq(run(&vm, 2, 0), TV_ESTATE);
	check_eq(guest_calls(0, ON64, 2, RAM, 0), TV_OK);
	check_eq(run(&vm, 0, TV_RUN_UNDEF), TV_OK);
	check_eq(guest_saw.x[0], ON64);
}

static int64_t second;
static void run_pending_elsewhere(struct guest_regs *regs)
{
	(void)regs;
	host_cpu(1);
	second = run(&vm, 1, 0);
	host_cpu(0);
}

TEST(on_twice, "psci: a pending vCPU that two CPUs run starts on one of them, once")
{
	start();
	check_eq(guest_calls(0, ON64, 1, RAM + 0x100, 0x77), TV_OK);
	GUEST({{.kind = GUEST_IRQ}, run_pending_elsewhere});
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(second, TV_EBUSY);
	check_eq(guest_saw.pc, RAM + 0x100);
	check_eq(guest_saw.x[0], 0x77);
}

TEST(on_again, "psci: a CPU_ON by SMC that was not served runs again, target started or not")
{
	start();
	args[0] = ON64, args[1] = 1, args[2] = RAM;
	GUEST({{.kind = GUEST_SYNC, .esr = EC(0x17)}, make_call});
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(guest_saw.pc, RAM);
	check_eq(guest_saw.x[0], ON64);
	check_eq(run(&vm, 1, 0), TV_OK);
}

TEST(on_wrong, "psci: CPU_ON of nobody, itself, a pending or running vCPU is answered here")
{
	start();
	check_eq(guest_calls(0, ON64, 9, RAM, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(guest_runs, 2);
	check_eq(guest_saw.x[0], (uint64_t)-2);
	check_eq(guest_calls(0, ON64, 0, RAM, 0), TV_OK);
	check_eq(guest_saw.x[0], (uint64_t)-4);
	check_eq(guest_calls(0, ON64, 1, RAM, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_CALL);
	check_eq(answered(0, 0), 0);
	check_eq(guest_calls(0, ON64, 1, RAM + 64, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(guest_saw.x[0], (uint64_t)-5);
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(guest_saw.pc, RAM);
	check_eq(guest_calls(0, ON64, 1, RAM + 64, 0), TV_OK);
	check_eq(guest_saw.x[0], (uint64_t)-4);
}

TEST(smc_conduit, "psci: an SMC answered here is stepped past, an HVC was")
{
	start();
	args[0] = ON64, args[1] = 9;
	GUEST({{.kind = GUEST_SYNC, .esr = EC(0x17)}, make_call});
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(guest_saw.pc, RAM + 4);
	check_eq(guest_calls(0, ON64, 9, RAM, 0), TV_OK);
	check_eq(guest_saw.pc, RAM + 4);
}

static void dirty_off(struct guest_regs *regs)
{
	regs->x[0] = OFF;
	regs->x[30] = 30;
	regs->sys.sctlr_el1 = 1;
}

TEST(cpu_off, "psci: CPU_OFF keeps the vCPU off until CPU_ON, which starts it afresh")
{
	start();
	check_eq(guest_calls(0, ON64, 1, RAM, 0), TV_OK);
	check_eq(answered(0, 0), 0);
	GUEST({{.kind = GUEST_SYNC, .esr = EC(0x16)}, dirty_off});
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_OFF);
	check_eq(shared()->gpr[0], 0);
	check_eq(shared()->esr, 0);
	check_eq(run(&vm, 1, 0), TV_ESTATE);
	check_eq(guest_calls(0, ON64, 1, RAM + 0x200, 8), TV_OK);
	check_eq(answered(0, 0), 0);
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(guest_saw.pc, RAM + 0x200);
	check_eq(guest_saw.x[0], 8);
	check_eq(guest_saw.x[30], 0);
	check_eq(guest_saw.sys.sctlr_el1, 0);
	check_eq(guest_saw.mpidr, 1);
}

/* Answered by the S-visor alone. */
static uint64_t answered_here(uint64_t id, uint64_t a, uint64_t b)
{
	check_eq(guest_calls(0, id, a, b, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(guest_runs, 2);
	return guest_saw.x[0];
}

TEST(affinity, "psci: AFFINITY_INFO knows what is on, pending or not there without the N-visor")
{
	start();
	check_eq(answered_here(INFO64, 0, 0), 0);
	check_eq(answered_here(INFO64, 0x55, 1), 0); /* all in the cluster */
	check_eq(answered_here(INFO64, 0xffffff, 3), 0);
	check_eq(answered_here(INFO64, 0x1000000, 3), (uint64_t)-2);
	check_eq(answered_here(INFO64, 0x100, 1), (uint64_t)-2); /* nobody there */
	check_eq(answered_here(INFO64, 3, 0), (uint64_t)-2);
	check_eq(answered_here(INFO64, 1UL << 63, 0), (uint64_t)-2);
	check_eq(answered_here(INFO64, 0, 4), (uint64_t)-2);
	check_eq(answered_here(INFO64, 0, 1UL << 33), (uint64_t)-2);
	check_eq(answered_here(INFO32, 1UL << 32, 1UL << 33), 0);
	check_eq(guest_calls(0, ON64, 1, RAM, 0), TV_OK);
	check_eq(answered(0, 0), 0);
	check_eq(answered_here(INFO64, 1, 0), 2);
	check_eq(answered_here(INFO32, 1 | 1UL << 32, 0), 2);
	check_eq(answered_here(INFO64, 0, 1), 0);
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(answered_here(INFO64, 1, 0), 0);
}

TEST(affinity_off,
     "psci: AFFINITY_INFO says off when both sides do, and not for what is on by then")
{
	static const uint64_t said[] = {0, 2, -2, 1UL << 32 | 1, 7};

	start();
	for (unsigned i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		check_eq(guest_calls(0, INFO64, 1, 0, 0), TV_OK);
		check_eq(shared()->exit, TV_EXIT_CALL);
		check_eq(answered(0, said[i]), 0); /* it may lag behind a CPU_OFF */
	}
	check_eq(guest_calls(0, INFO64, 1, 0, 0), TV_OK);
	check_eq(answered(0, 1), 1);
	check_eq(guest_calls(0, ON64, 2, RAM, 0), TV_OK);
	check_eq(answered(0, 0), 0);
	check_eq(run(&vm, 2, 0), TV_OK);
	check_eq(guest_calls(0, INFO64, 1, 0, 0), TV_OK);
	check_eq(guest_calls(2, ON64, 1, RAM, 0), TV_OK); /* meanwhile */
	check_eq(answered(0, 0), 2);
	check_eq(guest_calls(0, INFO64, 2, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	turns_off(2);
	check_eq(guest_calls(0, INFO64, 2, 0, 0), TV_OK);
	check_eq(run(&vm, 0, 0), TV_OK); /* no answer */
	check_eq(guest_saw.x[0], 0);
	check_eq(guest_calls(0, 0x84000000, 0, 0, 0), TV_OK); /* no later answer is one to it */
	check_eq(answered(0, 0x10001), 0x10001);
}

TEST(affinity_again, "psci: an AFFINITY_INFO by SMC that was not served runs again, unanswered")
{
	start();
	args[0] = INFO64, args[1] = 1, args[2] = 0;
	GUEST({{.kind = GUEST_SYNC, .esr = EC(0x17)}, make_call});
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_CALL);
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(guest_saw.pc, RAM);
	check_eq(guest_saw.x[0], INFO64);
}

TEST(affinity_cluster, "psci: of a cluster AFFINITY_INFO says what is most awake")
{
	boot();
	add_pool();
	vm = svm_new();
	memset(shared(), 0, sizeof(*shared()));
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 0, TV_VCPU_ON, 0), TV_OK);
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 0x100, 0, 0), TV_OK);
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 0x101, 0, 0), TV_OK);
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_OK);
	check_eq(guest_calls(0, INFO64, 0x100, 1, 0), TV_OK);
	check_eq(answered(0, 1), 1);
	check_eq(guest_calls(0, ON64, 0x100, RAM, 0), TV_OK);
	check_eq(answered(0, 0), 0);
	check_eq(answered_here(INFO64, 0x1ff, 1), 2); /* on its way, and off */
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(answered_here(INFO64, 0x100, 1), 0); /* on and off */
	turns_off(1);
	check_eq(guest_calls(0, ON64, 0x101, RAM, 0), TV_OK);
	check_eq(answered(0, 0), 0);
	check_eq(answered_here(INFO64, 0x100, 1), 2); /* off, and on its way */
	check_eq(answered_here(INFO64, 0x100, 2), 0); /* with the first one */
}

TEST(system_off, "psci: after SYSTEM_OFF or a reset no vCPU runs again; the measurement stays")
{
	static const uint64_t ids[] = {0x84000008, 0x84000009, 0x84000012,
				       0xc4000012, 0x84000012, 0xc4000012};
	static const uint64_t types[] = {0, 0, 0, 7UL << 32, 0x80000000, 0xffffffff};

	for (unsigned i = 0; i < 6; i++) {
		start();
		check_eq(guest_calls(0, ON64, 1, RAM, 0), TV_OK);
		check_eq(answered(0, 0), 0);
		check_eq(guest_calls(0, ids[i], types[i], 0, 0), TV_OK);
		check_eq(shared()->exit, TV_EXIT_CALL);
		check_eq(run(&vm, 0, TV_RUN_DONE), TV_ESTATE);
		check_eq(run(&vm, 1, 0), TV_ESTATE);
		check_eq(smc(TV_VM_MEASUREMENT, vm.handle, 0, 0, 0), TV_OK);
		check_audit();
		check_eq(svm_destroy(vm.handle), TV_OK);
	}
}

TEST(reset_type, "psci: a reset of no known type is refused, and the S-VM goes on")
{
	start();
	check_eq(answered_here(0x84000012, 1, 0), (uint64_t)-2);
	check_eq(answered_here(0xc4000012, 0x7fffffff, 0), (uint64_t)-2);
}

/* The functions of PSCI (DEN 0022) that an S-VM has, by number: as SMC32, as SMC64. */
#define HAS_32 0x4075fU
#define HAS_64 0x4001aU

TEST(refused_here, "psci: what the S-visor does not know is refused, and PSCI_FEATURES says so")
{
	start();
	for (uint64_t n = 0; n < 32; n++) {
		if (!(HAS_32 >> n & 1)) {
			check_eq(answered_here(0x84000000 | n, RAM, 0), (uint64_t)-1);
			check_eq(answered_here(0x8400000a, 0x84000000 | n, 0), (uint64_t)-1);
		}
		if (!(HAS_64 >> n & 1)) {
			check_eq(answered_here(0xc4000000 | n, RAM, 0), (uint64_t)-1);
			check_eq(answered_here(0x8400000a, 0xc4000000 | n, 0), (uint64_t)-1);
		}
	}
	check_eq(answered_here(7UL << 32 | 0xc400000e, 0, 0), (uint64_t)-1);
	check_eq(answered_here(0x8400000a, 7UL << 32 | 0xc400000e, 0), (uint64_t)-1);
	check_eq(answered_here(0x8400000a, 0x84000050, 0), (uint64_t)-1);
}

TEST(answered_here_test, "psci: versions and features are the S-visor's to answer")
{
	start();
	check_eq(answered_here(0x84000000, 0, 0), 0x10001);
	check_eq(answered_here(0x80000000, 0, 0), 0x10001); /* SMCCC_VERSION */
	check_eq(answered_here(0x84000006, 0, 0), 2);
	for (uint64_t n = 0; n < 32; n++) {
		if (HAS_32 >> n & 1)
			check_eq(answered_here(0x8400000a, 0x84000000 | n, 0), 0);
		if (HAS_64 >> n & 1)
			check_eq(answered_here(0x8400000a, 0xc4000000 | n, 0), 0);
	}
	check_eq(answered_here(0x8400000a, 0x80000000, 0), 0);
}

/* The N-visor sees it and answers what it likes. */
static void passed_on(uint64_t id, uint64_t a)
{
	check_eq(guest_calls(0, id, a, 2, 3), TV_OK);
	check_eq(shared()->exit, TV_EXIT_CALL);
	check_eq(shared()->gpr[0], id);
	check_eq(answered(0, 0x10001), 0x10001);
}

TEST(passed_on_test, "psci: suspend, and what is not PSCI's, are the N-visor's to answer")
{
	static const uint64_t ids[] = {0x84000001, 0xc4000001, 0x80000001,
				       0x84000020, 0xc4000020, 0x86000000};

	start();
	for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		passed_on(ids[i], 1);
}

TEST(suspend, "psci: no CPU_SUSPEND names where the vCPU goes on: it is the next instruction")
{
	start();
	check_eq(guest_calls(0, 0xc4000001, 0x10000, RAM + 0x800, 7), TV_OK);
	check_eq(answered(0, 0), 0);
	check_eq(guest_saw.pc, RAM);
	args[0] = 0xc4000001;
	GUEST({{.kind = GUEST_SYNC, .esr = EC(0x17)}, make_call});
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(answered(0, 0), 0);
	check_eq(guest_saw.pc, RAM + 4);
}

/* ---- TRNG ---------------------------------------------------------------- */

static void trng(uint64_t id, uint64_t bits)
{
	check_eq(guest_calls(0, id, bits, 0x33, 0x44), TV_OK);
	check_eq(shared()->exit, TV_EXIT_IRQ); /* never the N-visor's business */
	check_eq(guest_runs, 2);
}

TEST(trng_info, "trng: version, features and UUID are answered here")
{
	start();
	trng(0x84000050, 0);
	check_eq(guest_saw.x[0], 0x10000);
	for (uint64_t id = 0x84000050; id <= 0x84000053; id++) {
		trng(0x84000051, id);
		check_eq(guest_saw.x[0], 0);
	}
	trng(0x84000051, 0xc4000053);
	check_eq(guest_saw.x[0], 0);
	trng(0x84000051, 0x84000054);
	check_eq(guest_saw.x[0], (uint64_t)-1);
	trng(0x84000052, 0);
	check(guest_saw.x[0] != 0xffffffff && guest_saw.x[0] < 1UL << 32);
}

TEST(trng_bits, "trng: as many bits as asked for, the lowest in x3, zero above")
{
	start();
	trng(0xc4000053, 192);
	check_eq(guest_saw.x[0], 0);
	check(guest_saw.x[1] >> 63 && guest_saw.x[2] >> 63 && guest_saw.x[3] >> 63);
	check(guest_saw.x[2] != guest_saw.x[3]);
	trng(0xc4000053, 65);
	check_eq(guest_saw.x[1], 0);
	check_eq(guest_saw.x[2], 1); /* the twin's numbers have bit 63 set */
	check(guest_saw.x[3] >> 63);
	trng(0xc4000053, 1);
	check_eq(guest_saw.x[2], 0);
	check_eq(guest_saw.x[3], 1);
	trng(0x84000053, 96);
	for (unsigned i = 1; i < 4; i++)
		check_eq(guest_saw.x[i] >> 31, 1);
	trng(0x84000053, 33 | 1UL << 32);
	check_eq(guest_saw.x[1], 0);
	check_eq(guest_saw.x[2], 1);
}

TEST(trng_wrong, "trng: a wrong number of bits or no entropy gives an error and no words")
{
	static const struct {
		uint64_t id, bits;
	} wrong[] = {{0xc4000053, 0},
		     {0xc4000053, 193},
		     {0xc4000053, -1},
		     {0x84000053, 0},
		     {0x84000053, 97}};

	start();
	for (unsigned i = 0; i < 5; i++) {
		trng(wrong[i].id, wrong[i].bits);
		check_eq(guest_saw.x[0], (uint64_t)-2);
		check_eq(guest_saw.x[3], 0);
	}
	host_entropy = 1; /* not enough */
	trng(0xc4000053, 192);
	check_eq(guest_saw.x[0], (uint64_t)-3);
	for (unsigned i = 1; i < 4; i++)
		check_eq(guest_saw.x[i], 0);
}
