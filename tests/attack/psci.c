/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attacks on PSCI (I5): the host runs vCPUs when it likes and answers what it likes, but which of
 * them are on, and where and with what they start, is between the guest and the S-visor.
 */
#include <pthread.h>
#include <string.h>

#include "attack.h"

#define CPU_OFF 0x84000002UL
#define CPU_ON 0xc4000003UL
#define CPU_ON_32 0x84000003UL
#define AFFINITY_INFO 0xc4000004UL
#define SYSTEM_OFF 0x84000008UL
#define SYSTEM_SUSPEND 0xc400000eUL

#define SUCCESS 0UL
#define NOT_SUPPORTED (-1UL)
#define INVALID_PARAMETERS (-2UL)
#define DENIED (-3UL)
#define ALREADY_ON (-4UL)
#define ON_PENDING (-5UL)
#define IS_ON 0UL
#define IS_OFF 1UL
#define IS_PENDING 2UL

#define FORGED 0xbad0bad0bad0UL

static struct vm vm;

/* One of its vCPUs makes the call: an exit, or the S-visor's own answer. */
static void calls(uint64_t vcpu, uint64_t fn, uint64_t a, uint64_t b)
{
	int64_t status = vm_order(&vm, vcpu, OP_CALL, fn, a, b);

	if (status)
		die("the guest does not run: %ld", status);
}

static bool shown(uint64_t exit, uint64_t fn)
{
	return vm.run->exit == exit && (exit != TV_EXIT_CALL || vm.run->gpr[0] == fn);
}

/* With a shared page that is wrong all over; to the next call. */
static void enter(uint64_t vcpu, uint64_t flags)
{
	memset(vm.run, 0xbd, sizeof(*vm.run));
	vm.last.status = vm_run(&vm, vcpu, flags);
	while (!vm.last.status && vm.run->exit != TV_EXIT_CALL)
		vm.last.status = vm_run(&vm, vcpu, 0);
}

/* What the guest sees when the host says this. */
static uint64_t seen(uint64_t answer)
{
	memset(vm.run, 0, sizeof(*vm.run));
	vm.run->gpr[0] = answer;
	vm.run->gpr[1] = vm.run->gpr[2] = vm.run->gpr[3] = FORGED;
	vm.run->pc = FORGED;
	if (vm_reply(&vm, TV_RUN_DONE) || !vm_asks(&vm))
		return FORGED;
	return vm.run->gpr[1];
}

/* What AFFINITY_INFO tells the guest when the host, if it is asked, says "off". */
static uint64_t affinity(uint64_t mpidr)
{
	calls(0, AFFINITY_INFO, mpidr, 0);
	return vm_asks(&vm) ? vm.run->gpr[1] : seen(IS_OFF);
}

/* Calls that the host does not even see. */
static void by_own_answers(void)
{
	static const struct {
		uint64_t fn, a, b, answer;
		const char *name;
	} own[] = {
		{CPU_ON, 0, SECOND, ALREADY_ON, "CPU_ON of the caller"},
		{CPU_ON_32, 0, SECOND, ALREADY_ON, "CPU_ON of the caller, by SMC32"},
		{CPU_ON, 3, SECOND, INVALID_PARAMETERS, "CPU_ON of a vCPU that is not there"},
		{CPU_ON, 0x100, SECOND, INVALID_PARAMETERS, "CPU_ON in another cluster"},
		{CPU_ON, 1UL << 31 | 1, SECOND, INVALID_PARAMETERS, "CPU_ON with RES1 in MPIDR"},
		{CPU_ON, ~0UL, SECOND, INVALID_PARAMETERS, "CPU_ON of ~0"},
		{SYSTEM_SUSPEND, SECOND, 0, NOT_SUPPORTED, "SYSTEM_SUSPEND"},
	};

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
		calls(0, own[i].fn, own[i].a, own[i].b);
		ok(vm_asks(&vm) && vm.run->gpr[1] == own[i].answer, "%s: the S-visor's answer, %ld",
		   own[i].name, (long)vm.run->gpr[1]);
	}
}

/* The host says no: then the target stays off. It says yes to what is off: so it is said. */
static void by_refusing(void)
{
	calls(0, CPU_ON, 1, SECOND);
	ok(shown(TV_EXIT_CALL, CPU_ON) && vm.run->gpr[2] == SECOND, "CPU_ON is shown");
	ok(seen(DENIED) == DENIED, "the host refuses");
	ok(vm_run(&vm, 1, 0) == TV_ESTATE, "then the target does not run");
	ok(affinity(1) == IS_OFF, "and is off");
}

static int64_t second_status[2];
static pthread_barrier_t together;

static void *runs_second(void *cpu)
{
	struct tva_batch b = {.flags = TVA_OWN_SHARE, .ncalls = 1};

	pin((long)cpu);
	memcpy(b.call[0].x, (uint64_t[]){TV_VCPU_RUN, vm.handle, 2}, 24);
	pthread_barrier_wait(&together);
	batch(&b);
	second_status[(long)cpu] = (int64_t)b.call[0].r[0];
	return NULL;
}

/* A pending vCPU spins from its first instruction on, on one CPU at a time. */
static void by_two_cpus(void)
{
	pthread_t other;
	int64_t *s = second_status;

	calls(0, CPU_ON, 2, SPINNING);
	pthread_barrier_init(&together, NULL, 2);
	pthread_create(&other, NULL, runs_second, (void *)1);
	runs_second((void *)0);
	pthread_join(other, NULL);
	ok((s[0] == TV_OK && (s[1] == TV_OK || s[1] == TV_EBUSY)) ||
		   (s[0] == TV_EBUSY && s[1] == TV_OK),
	   "a pending vCPU run by two CPUs: %ld, %ld", s[0], s[1]);
	ok(seen(DENIED) == SUCCESS, "once it runs, nobody can refuse it");
}

/* All that the host may choose about a start is the moment. */
static void by_starting(void)
{
	calls(0, CPU_ON, 1, SECOND);
	enter(1, TV_RUN_UNDEF);
	ok(vm.last.status == TV_EINVAL, "a fresh vCPU takes no Undefined exception");
	enter(1, TV_RUN_DONE);
	ok(vm.last.status == TV_OK && vm_asks(&vm) && vm.run->gpr[1] == SECOND,
	   "it starts before the answer, with the guest's context: %#lx", vm.run->gpr[1]);
	ok(seen(ALREADY_ON) == SUCCESS, "then no answer but success reaches the caller");
	calls(0, CPU_ON, 1, RAM);
	ok(vm_asks(&vm) && vm.run->gpr[1] == ALREADY_ON, "a second CPU_ON is not even shown");
	ok(affinity(1) == IS_ON, "nor can the host call it off");
}

static void by_pending(void)
{
	calls(0, CPU_ON, 1, SECOND);
	ok(seen(SUCCESS) == SUCCESS, "the host says yes, and does not run the target");
	calls(0, CPU_ON, 1, RAM);
	ok(vm_asks(&vm) && vm.run->gpr[1] == ON_PENDING, "it is pending");
	ok(affinity(1) == IS_PENDING, "and cannot be called off");
	enter(1, 0);
	ok(vm.last.status == TV_OK && vm_asks(&vm) && vm.run->gpr[1] == SECOND,
	   "it starts late, but there and so: %#lx", vm.run->gpr[1]);
}

static void by_turning_off(void)
{
	calls(1, CPU_OFF, 0, 0);
	ok(shown(TV_EXIT_OFF, 0) && vm_kept(&vm, 0), "CPU_OFF shows nothing else");
	ok(vm_run(&vm, 1, 0) == TV_ESTATE && vm_run(&vm, 1, TV_RUN_DONE) == TV_ESTATE,
	   "a vCPU that is off does not run");
}

static void by_ending(void)
{
	calls(0, SYSTEM_OFF, 0, 0);
	ok(shown(TV_EXIT_CALL, SYSTEM_OFF), "SYSTEM_OFF is shown");
	for (uint64_t vcpu = 0; vcpu < 3; vcpu++)
		ok(vm_run(&vm, vcpu, TV_RUN_DONE) == TV_ESTATE, "after that vCPU %lu is over",
		   vcpu);
}

void cases_psci(void)
{
	vm_prepare(&vm, 2);
	for (uint64_t mpidr = 0; mpidr < 3; mpidr++)
		vm_vcpu(&vm, mpidr, mpidr ? 0 : TV_VCPU_ON, RAM);
	ok(smc(TV_VM_SEAL, vm.handle, 0, 0, 0).status == TV_OK && !vm_until_ask(&vm, 0),
	   "an S-VM of three vCPUs");
	by_own_answers();
	by_refusing();
	by_starting();
	by_turning_off();
	by_pending();
	by_turning_off();
	by_two_cpus();
	by_ending();
	ok(vm_destroy(&vm) == TV_OK && all_well(), "all is well");
}
