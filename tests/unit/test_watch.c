// SPDX-License-Identifier: BSD-3-Clause
/* Exits that go no further than the S-visor are counted for those who want to know. */
#include <pthread.h>
#include <stdatomic.h>

#include "fixture.h"
#include "wipe.h"

#define READ_PFR0 SYNC(EC(0x18) | 3 << 20 | 4 << 1 | 1, 0, 0) /* MRS X0, ID_AA64PFR0_EL1 */

static struct svm vm;

static void start(void)
{
	boot();
	add_pool();
	vm = svm_launch(0, 0x5ec4e7, 1);
}

static uint64_t answered(void)
{
	struct tv_args a = call(TV_VM_ANSWERED, vm.handle, 0, 0, 0);

	check_eq(a.x[0], TV_OK);
	return a.x[1];
}

/* Two exits of the S-visor's to answer, and one that is not. */
static void run_three(void)
{
	GUEST(READ_PFR0, READ_PFR0, {{.kind = GUEST_IRQ}, NULL});
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(guest_runs, 3);
}

TEST(watch, "watch: exits that the S-visor answers are counted, while somebody watches")
{
	start();
	run_three();
	check_eq(answered(), 0);
	check_eq(smc(TV_WATCH, 1, 0, 0, 0), TV_OK);
	run_three();
	check_eq(answered(), 2);
	check_eq(smc(TV_WATCH, 1, 0, 0, 0), TV_OK);
	run_three();
	check_eq(answered(), 4);
	check_eq(smc(TV_WATCH, 0, 0, 0, 0), TV_OK);
	check_eq(smc(TV_WATCH, 0, 0, 0, 0), TV_OK);
	run_three();
	check_eq(answered(), 4);
}

TEST(watch_each, "watch: of each S-VM its own, from none when it begins")
{
	struct svm first;

	start();
	check_eq(smc(TV_WATCH, 1, 0, 0, 0), TV_OK);
	run_three();
	first = vm;
	vm = svm_launch(1, 0x5ec4e7, 1);
	check_eq(answered(), 0);
	check_eq(svm_destroy(first.handle), TV_OK);
	check_eq(smc(TV_VM_ANSWERED, first.handle, 0, 0, 0), TV_ENOENT);
	vm = svm_launch(2, 0x5ec4e7, 1);
	check_eq(answered(), 0);
}

TEST(watch_refused, "watch: on and off are 1 and 0, and what is neither changes nothing")
{
	start();
	check_eq(smc(TV_WATCH, 2, 0, 0, 0), TV_EINVAL);
	check_eq(smc(TV_WATCH, 1UL << 32, 0, 0, 0), TV_EINVAL);
	run_three();
	check_eq(answered(), 0);
}

TEST(watch_closed, "watch: does not open a gate that the wipe has closed")
{
	for (unsigned on = 0; on < 2; on++) {
		start();
		check_eq(smc(TV_WATCH, !on, 0, 0, 0), TV_OK);
		check_eq(smc(TV_DISPATCH_WIPE, 0, 0, 0, 0), TV_OK);
		gate_watch(on); /* by a call that was inside */
		check_eq(smc(TV_VERSION, 0, 0, 0, 0), TV_ESTATE);
	}
}

static atomic_uint in_guest;

/* Its vectors are where no RAM is: each abort that is injected is followed by the next. */
static void falling_guest(struct guest_regs *regs, struct guest_exit *out)
{
	(void)regs;
	atomic_store(&in_guest, 1);
	*out = (struct guest_exit){GUEST_SYNC, EC(0x20) | FAULT_L3, 0, HPFAR(DEVICE)};
}

static void *run_one(void *cpu)
{
	host_cpu((uintptr_t)cpu);
	return (void *)smc(TV_VCPU_RUN, vm.handle, 0, 0, 0);
}

TEST(watch_falling, "watch: a guest that is watched, and faults for ever, does not delay the wipe")
{
	pthread_t thread;

	start();
	check_eq(smc(TV_WATCH, 1, 0, 0, 0), TV_OK);
	host_guest = falling_guest;
	check_eq(pthread_create(&thread, NULL, run_one, (void *)1), 0);
	while (!atomic_load(&in_guest))
		cpu_relax();
	check_eq(smc(TV_DISPATCH_WIPE, 0, 0, 0, 0), TV_OK);
	check_eq(pthread_join(thread, NULL), 0);
}
