/* SPDX-License-Identifier: BSD-3-Clause */
/* Attacks on launch policies, and on what the firmware has left for the S-visor. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "attack.h"
#include "policies.h"

#define BOOT_RECORD (0x0f000000UL - TV_BOOT_SIZE) /* the end of the S-visor's memory */
#define ROUNDS 300

/* One TV_VM_POLICY, with these bytes in the shared page. */
static int64_t policy(uint64_t handle, const uint8_t *bytes, size_t n, uint64_t size)
{
	struct tva_batch b = {.flags = TVA_OWN_SHARE, .ncalls = 1};

	memcpy(b.data, bytes, n);
	memcpy(b.call[0].x, (uint64_t[]){TV_VM_POLICY, handle, size}, 24);
	batch(&b);
	return (int64_t)b.call[0].r[0];
}

/* Till it is done; what is in the page changes after the first call. */
static int64_t policy_swapped(uint64_t handle, const uint8_t *first, size_t n, const uint8_t *then,
			      size_t m)
{
	int64_t status = policy(handle, first, n, n);

	while (status == TV_AGAIN)
		status = policy(handle, then, m, m);
	return status;
}

static void unsealed(struct vm *vm)
{
	vm_prepare(vm, 2);
	if (vm_vcpu(vm, 0, TV_VCPU_ON, RAM).status)
		die("no vCPU");
}

static void by_arguments(void)
{
	uint8_t junk[TV_RUN_DATA_SIZE];
	struct vm vm;

	memset(junk, 0x5f, sizeof(junk));
	unsealed(&vm);
	ok(policy(vm.handle, junk, sizeof(junk), sizeof(junk)) == TV_EPOLICY, "POLICY of junk");
	ok(policy(vm.handle, policy_any, sizeof(policy_any), sizeof(policy_any) - 1) == TV_EPOLICY,
	   "POLICY that is cut");
	ok(policy(vm.handle, junk, 0, 0) == TV_EINVAL, "POLICY of nothing");
	ok(policy(vm.handle, junk, 0, TV_RUN_DATA_SIZE + 1) == TV_EINVAL, "POLICY beyond the page");
	ok(policy(vm.handle, junk, 0, -1) == TV_EINVAL, "POLICY without an end");
	ok(policy(victim.handle, policy_any, sizeof(policy_any), sizeof(policy_any)) == TV_ESTATE,
	   "POLICY of an S-VM that runs");
	ok(policy(victim.handle ^ 0x100, policy_any, sizeof(policy_any), sizeof(policy_any)) ==
		   TV_ENOENT,
	   "POLICY of nobody's");
	memcpy(junk, policy_any, sizeof(policy_any));
	junk[sizeof(policy_any) - 1] ^= 1;
	ok(policy_swapped(vm.handle, junk, sizeof(policy_any), policy_any, sizeof(policy_any)) ==
		   TV_ESIGNATURE,
	   "POLICY that nobody has signed, with a good one shown later");
	ok(vm_destroy(&vm) == TV_OK, "and it goes");
}

static void against_it(void)
{
	struct vm vm;

	unsealed(&vm);
	ok(policy(vm.handle, policy_none, sizeof(policy_none), sizeof(policy_none)) == TV_AGAIN,
	   "POLICY takes its time");
	ok(smc(TV_VM_SEAL, vm.handle, 0, 0, 0).status == TV_ESTATE, "SEAL before it is checked");
	ok(policy_swapped(vm.handle, policy_any, sizeof(policy_any), policy_any,
			  sizeof(policy_any)) == TV_OK,
	   "POLICY with another one shown meanwhile");
	ok(policy(vm.handle, policy_any, sizeof(policy_any), sizeof(policy_any)) == TV_ESTATE,
	   "a second POLICY");
	ok(smc(TV_VM_SEAL, vm.handle, 0, 0, 0).status == TV_EMEASURE,
	   "SEAL of another image than the first one names");
	ok(vm_run(&vm, 0, 0) == TV_ESTATE, "RUN of what was refused");
	ok(smc(TV_VM_SEAL, vm.handle, 0, 0, 0).status == TV_ESTATE, "SEAL of it, again");
	ok(vm_load(&vm, RAM + CHUNK / 2, ordinary(1), vm_page(&vm)).status == TV_ESTATE,
	   "LOAD into it");
	ok(smc(TV_VM_MEASUREMENT, vm.handle, 0, 0, 0).status == TV_OK,
	   "its measurement can be had");
	ok(vm_destroy(&vm) == TV_OK, "and it goes");
}

static void event_log(void)
{
	struct result r = smc(TV_EVENT_LOG, 0, 0, 0, 0);
	uint64_t size = r.x[0];

	ok(r.status == TV_OK && size > 0, "the event log is there");
	ok(smc(TV_EVENT_LOG, size, 0, 0, 0).status == TV_EINVAL, "EVENT_LOG from its end on");
	ok(smc(TV_EVENT_LOG, -1, 0, 0, 0).status == TV_EINVAL, "EVENT_LOG from nowhere");
	ok(touch(BOOT_RECORD, 'r', &size) == FAULTED, "what the firmware left is out of reach");
}

static atomic_bool stop;

/* Whatever comes of it, it is one of the results that there are. */
static void *rival(void *arg)
{
	struct vm *vm = arg;
	bool *strange = (bool *)vm->put;

	pin(1);
	while (!atomic_load(&stop)) {
		int64_t status =
			policy(vm->handle, policy_any, sizeof(policy_any), sizeof(policy_any));

		*strange |= status != TV_OK && status != TV_AGAIN && status != TV_ESTATE &&
			    status != TV_ENOENT;
	}
	return NULL;
}

static void raced(void)
{
	struct vm vm, twin = {0};
	pthread_t t;
	int refused = 0;

	for (int i = 0; i < ROUNDS; i++) {
		unsealed(&vm);
		twin.handle = vm.handle;
		atomic_store(&stop, false);
		if (pthread_create(&t, NULL, rival, &twin))
			die("no thread");
		refused += policy_swapped(vm.handle, policy_any, sizeof(policy_any), policy_any,
					  sizeof(policy_any)) < 0;
		(void)smc(TV_VM_SEAL, vm.handle, 0, 0, 0);
		if (vm_destroy(&vm) != TV_OK)
			die("it does not go");
		atomic_store(&stop, true);
		pthread_join(t, NULL);
	}
	ok(!twin.put[0], "POLICY from two CPUs while it is sealed and goes (%d lost)", refused);
	ok(all_well(), "nothing has come of all that");
}

void cases_attest(void)
{
	pin(0);
	by_arguments();
	against_it();
	event_log();
	raced();
}
