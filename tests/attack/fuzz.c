/* SPDX-License-Identifier: BSD-3-Clause */
/* Wild numbers and arguments in every call, from one CPU and from all at once. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "attack.h"

#define CALLS 50000 /* of each thread */
#define RARELY 32   /* an audit walks every record: one in so many is made */
#define SEED 0x7457a77acUL
#define MAX_MADE 64

/* Handles of others, which only their own N-visor may drive or end: killing them by their
 * right name is the N-visor's good right, and no attack. */
static bool foreign(uint64_t handle)
{
	return handle != victim.handle &&
	       smc(TV_VM_MEASUREMENT, handle, 0, 0, 0).status != TV_ENOENT;
}

static uint64_t rnd(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static uint64_t scratch; /* ordinary pages that may be overwritten */

static uint64_t wild(uint64_t *state)
{
	const uint64_t values[] = {
		0,
		1,
		2,
		3,
		39,
		40,
		48,
		63,
		64,
		255,
		256,
		PAGE,
		CHUNK,
		RAM,
		RAM + PAGE,
		svisor,
		svisor + PAGE,
		0x0e000000,
		0x09000000,
		chunk_base(0),
		chunk_base(0) + PAGE,
		chunk_base(1),
		chunk_base(3),
		scratch,
		scratch + PAGE,
		victim.root,
		victim.handle,
		victim.handle ^ 0x100,
		1UL << 31,
		1UL << 32,
		1UL << 47,
		1UL << 48,
		1UL << 63,
		~0UL,
		~0UL << 12,
		~0UL - CHUNK + 1,
		0x7fffffffffffffffUL,
	};
	uint64_t r = rnd(state);

	if (r % 8 == 0)
		return rnd(state);
	if (r % 8 == 1)
		return values[(r >> 8) % (sizeof(values) / sizeof(*values))] + (r >> 32) % 17 - 8;
	return values[(r >> 8) % (sizeof(values) / sizeof(*values))];
}

/* What would hurt only the host itself, if it were granted, is bent out of shape. */
static bool may_call(uint64_t fn, uint64_t *a)
{
	switch (fn) {
	case TV_CPU_SHARE:
		return a[0] == scratch || a[0] == svisor || a[0] % PAGE;
	case TV_POOL_ADD:
		a[0] |= 8; /* a real one would give the host's own memory away */
		return true;
	case TV_CHUNK_TAKE:
		a[1] |= 8; /* likewise */
		return true;
	case TV_CHUNK_RETURN:
		return a[0] == attack_pool || a[0] >= TV_MAX_POOLS;
	case TV_VM_LOAD:
		return a[3] < chunk_base(0) || a[3] >= chunk_base(CHUNKS) || a[0] != victim.handle;
	case TV_VCPU_RUN:
	case TV_VM_DESTROY:
		return a[0] != victim.handle && !foreign(a[0]);
	}
	return true;
}

struct fuzzer {
	pthread_t thread;
	int cpu;
	uint64_t state, calls, strange;
	uint64_t made[MAX_MADE];
	unsigned int mades;
};

static bool defined(int64_t status)
{
	return status <= TV_AGAIN && status >= TV_ENOHEAP;
}

static void one_call(struct fuzzer *f)
{
	uint64_t a[4], fn = TV_SMC(rnd(&f->state) % (TV_CALLS + 2));
	struct result r;

	for (int i = 0; i < 4; i++)
		a[i] = wild(&f->state);
	if (f->mades == MAX_MADE && fn == TV_VM_CREATE)
		return;
	if (!may_call(fn, a) || (fn == TV_AUDIT && rnd(&f->state) % RARELY))
		return;
	r = smc(fn, a[0], a[1], a[2], a[3]);
	f->calls++;
	if (!defined(r.status)) {
		f->strange++;
		printf("# %#lx(%#lx, %#lx, %#lx, %#lx) gave %ld\n", fn, a[0], a[1], a[2], a[3],
		       r.status);
	}
	if (fn == TV_VM_CREATE && r.status == TV_OK)
		f->made[f->mades++] = r.x[0];
}

static void *fuzz(void *arg)
{
	struct fuzzer *f = arg;

	pin(f->cpu);
	for (int i = 0; i < CALLS; i++)
		one_call(f);
	for (unsigned int i = 0; i < f->mades; i++)
		while (smc(TV_VM_DESTROY, f->made[i], 0, 0, 0).status == TV_AGAIN)
			;
	return NULL;
}

static void on_all_cpus(void)
{
	struct fuzzer f[TV_MAX_CPUS] = {0};
	uint64_t calls = 0, strange = 0;
	int n = cpus();

	for (int i = 0; i < n; i++) {
		f[i].cpu = i;
		f[i].state = SEED * (i + 1);
		if (pthread_create(&f[i].thread, NULL, fuzz, &f[i]))
			die("no thread");
	}
	for (int i = 0; i < n; i++) {
		pthread_join(f[i].thread, NULL);
		calls += f[i].calls;
		strange += f[i].strange;
	}
	ok(strange == 0, "%lu calls with wild arguments on %d CPUs: each gives a code of the ABI",
	   calls, n);
	ok(vm_do(&victim, OP_CHECK, 0, 0, 0) == 0, "the S-VM they were aimed at is whole");
	ok(all_well(), "all is well");
}

/* Numbers around the range, S-visor's own calls among them, in all widths of the owner. */
static void numbers(void)
{
	static const uint64_t bases[] = {0xf2000000, 0xb2000000, 0x72000000, 0x32000000};
	uint64_t strange = 0;

	for (size_t b = 0; b < 4; b++) {
		for (uint64_t n = b ? 0 : TV_CALLS; n < 0x200; n++)
			strange += smc(bases[b] + n, 1, 2, 3, 4).status != TV_ENOSYS;
		strange += smc(bases[b] + 0xffff, 1, 2, 3, 4).status != TV_ENOSYS;
	}
	ok(strange == 0, "numbers that are no calls: TV_ENOSYS (%lu others)", strange);
	ok(smc(TV_SVISOR_RETURN, 0, 0, 0, 0).status == TV_ENOSYS,
	   "the S-visor's RETURN from the normal world");
	ok(smc(TV_SVISOR_READY, 0, 0, 0, 0).status == TV_ENOSYS,
	   "the S-visor's READY from the normal world");
}

void cases_fuzz(void)
{
	scratch = ordinary(2);
	numbers();
	on_all_cpus();
	pin(0);
}
