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

TEST(on_forged, "psci: 'refused' after the target has run is corrected to success")
{
	start();
	check_eq(guest_calls(0, ON64, 1, RAM + 4, 5), TV_OK);
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(answered(0, -6), 0);
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(answered(0, 0x99), 0); /* and an answer to nothing is none: x0 as it was */
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

TEST(affinity, "psci: AFFINITY_INFO cannot say off for what is on")
{
	start();
	check_eq(guest_calls(0, INFO64, 0, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_CALL);
	check_eq(answered(0, 1), 0);
	check_eq(guest_calls(0, INFO64, 1, 0, 0), TV_OK);
	check_eq(answered(0, 1), 1);
	check_eq(guest_calls(0, INFO64, 1, 0, 0), TV_OK);
	check_eq(answered(0, 0), 0); /* the N-visor may lag behind a CPU_OFF */
	check_eq(guest_calls(0, ON64, 1, RAM, 0), TV_OK);
	check_eq(answered(0, 0), 0);
	check_eq(guest_calls(0, INFO32, 1 | 1UL << 32, 0, 0), TV_OK);
	check_eq(answered(0, 1), 2);
	check_eq(guest_calls(0, INFO64, 0x55, 1, 0), TV_OK); /* all in the cluster */
	check_eq(answered(0, 1), 0);
	check_eq(guest_calls(0, INFO64, 0x100, 1, 0), TV_OK); /* nobody there */
	check_eq(answered(0, -2), (uint64_t)-2);
	check_eq(guest_calls(0, INFO64, 0, 1UL << 33, 0), TV_OK);
	check_eq(answered(0, -2), (uint64_t)-2);
}

TEST(system_off, "psci: after SYSTEM_OFF or a reset no vCPU runs again; the measurement stays")
{
	static const uint64_t ids[] = {0x84000008, 0x84000009, 0x84000012,
				       0xc4000012, 0x84000015, 0xc4000015};

	for (unsigned i = 0; i < 4; i++) {
		start();
		check_eq(guest_calls(0, ON64, 1, RAM, 0), TV_OK);
		check_eq(answered(0, 0), 0);
		check_eq(guest_calls(0, ids[i], 0, 0, 0), TV_OK);
		check_eq(shared()->exit, TV_EXIT_CALL);
		check_eq(run(&vm, 0, TV_RUN_DONE), TV_ESTATE);
		check_eq(run(&vm, 1, 0), TV_ESTATE);
		check_eq(smc(TV_VM_MEASUREMENT, vm.handle, 0, 0, 0), TV_OK);
		check_audit();
		check_eq(svm_destroy(vm.handle), TV_OK);
	}
}

TEST(refused_here, "psci: SYSTEM_SUSPEND and stolen time are refused here")
{
	static const uint64_t ids[] = {0x8400000e, 0xc400000e, 0xc5000020, 0xc5000021};

	start();
	for (unsigned i = 0; i < 4; i++) {
		check_eq(guest_calls(0, ids[i], RAM, 0, 0), TV_OK);
		check_eq(shared()->exit, TV_EXIT_IRQ);
		check_eq(guest_saw.x[0], (uint64_t)-1);
	}
}

TEST(passed_on, "psci: version, features and suspend are the N-visor's to answer")
{
	static const uint64_t ids[] = {0x84000000, 0x8400000a, 0x84000001, 0xc4000001, 0x80000000};

	start();
	for (unsigned i = 0; i < 5; i++) {
		check_eq(guest_calls(0, ids[i], 1, 2, 3), TV_OK);
		check_eq(shared()->exit, TV_EXIT_CALL);
		check_eq(shared()->gpr[0], ids[i]);
		check_eq(answered(0, 0x10001), 0x10001);
	}
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
