/* SPDX-License-Identifier: BSD-3-Clause */
/* Attacks that need two CPUs at once. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "attack.h"

#define PAGES 256
#define WINDOW (RAM + 0x200000) /* the pages fought for: PAGES from here */

static atomic_bool stop;

static pthread_t start(void *(*body)(void *), void *arg)
{
	pthread_t t;

	atomic_store(&stop, false);
	if (pthread_create(&t, NULL, body, arg))
		die("no thread");
	return t;
}

static void end(pthread_t t)
{
	atomic_store(&stop, true);
	pthread_join(t, NULL);
}

struct rival {
	uint64_t busy, ran, strange;
};

/* Calls that must find the vCPU taken while the other CPU is inside it. */
static void *rival(void *arg)
{
	struct rival *r = arg;
	struct vm twin = victim;

	twin.run = &twin.b.run;
	pin(2);
	while (!atomic_load(&stop)) {
		int64_t status = vm_run(&twin, 0, 0);

		if (status == TV_OK && twin.run->exit != TV_EXIT_IRQ)
			atomic_store(&stop, true);
		r->busy += status == TV_EBUSY;
		r->ran += status == TV_OK;
		r->strange += status != TV_EBUSY && status != TV_OK;
	}
	return NULL;
}

static void two_cpus(void)
{
	struct rival r = {0};
	int64_t status;
	pthread_t t;

	pin(1);
	memset(victim.run, 0, sizeof(*victim.run));
	victim.run->gpr[0] = OP_SPIN;
	victim.run->gpr[1] = 600000000;
	status = vm_run(&victim, 0, TV_RUN_DONE);
	t = start(rival, &r);
	/* only IRQ exits wait to be served, so either CPU may go on with it */
	while (!atomic_load(&stop) &&
	       ((status == TV_OK && victim.run->exit == TV_EXIT_IRQ) || status == TV_EBUSY))
		status = vm_run(&victim, 0, 0);
	end(t);
	printf("# busy %lu, ran %lu, strange %lu\n", r.busy, r.ran, r.strange);
	ok(r.busy > 0, "one vCPU on two CPUs: the second is refused (%lu times)", r.busy);
	ok(r.strange == 0, "and nothing else happens to it");
	/* the rival may have gone on without an order, and been interrupted: that answer comes
	 * first */
	vm_do(&victim, OP_CHECK, 0, 0, 0);
	ok(vm_do(&victim, OP_CHECK, 0, 0, 0) == 0, "the vCPU is whole");
	ok(all_well(), "all is well");
}

static void *destroyer(void *arg)
{
	struct rival *r = arg;

	pin(2);
	while (!atomic_load(&stop)) {
		int64_t status = smc(TV_VM_DESTROY, victim.handle, 0, 0, 0).status;

		r->busy += status == TV_EBUSY;
		r->ran += status == TV_OK || status == TV_AGAIN;
		r->strange += status != TV_EBUSY && status != TV_OK && status != TV_AGAIN &&
			      status != TV_ENOENT;
	}
	return NULL;
}

/* Between two entries it may win; inside one never. */
static void destroy_running(void)
{
	struct rival r = {0};
	pthread_t t;
	int64_t status;

	pin(1);
	t = start(destroyer, &r);
	status = vm_order(&victim, 0, OP_SPIN, 2000000000, 0, 0);
	end(t);
	printf("# busy %lu, destroyed %lu, the vCPU ended with %ld\n", r.busy, r.ran, status);
	ok(r.strange == 0, "destroying a running S-VM: busy while it runs, or done");
	ok(status == TV_ENOENT || status == TV_OK || status == TV_ESTATE,
	   "its vCPU ends with a code of the ABI: %ld", status);
	vm_destroy(&victim);
	ok(smc(TV_VM_DESTROY, victim.handle, 0, 0, 0).status == TV_ENOENT, "it is gone in the end");
	ok(all_well(), "all is well");
	vm_start(&victim, 0);
	ok(!vm_until_ask(&victim, 0) && vm_asks(&victim), "its chunk serves the next S-VM");
}

/* Flips the leaf of the address that the guest touches now between all that is forbidden
 * and what is allowed. */
struct flipper {
	atomic_ulong ipa, good;
	uint64_t bad[6];
};

static void *flip(void *arg)
{
	struct flipper *f = arg;

	pin(2);
	for (unsigned int i = 0; !atomic_load(&stop); i++) {
		volatile uint64_t *e = vm_entry(&victim, atomic_load(&f->ipa));

		*e = f->bad[i % 6];
		*e = atomic_load(&f->good);
	}
	return NULL;
}

static uint64_t page_of(struct vm *vm, uint64_t ipa)
{
	return *vm_entry(vm, ipa) & ~(PAGE - 1);
}

/* Touches one page while its entry flips: any refusal is asked for again. */
static bool touch_one(struct flipper *f, uint64_t i)
{
	int64_t status;

	atomic_store(&f->good, vm_page(&victim) | 0x7ff);
	atomic_store(&f->ipa, WINDOW + i * PAGE);
	status = vm_order(&victim, 0, OP_WRITE, WINDOW + i * PAGE, 0xf11b0000 + i, 0);
	while (status == TV_EDENIED)
		status = vm_until_ask(&victim, 0);
	return status == TV_OK && vm_asks(&victim) && victim.run->gpr[1] == 0;
}

static void flipping_table(void)
{
	uint64_t own = page_of(&victim, RAM + 0x10000), seen = 0;
	struct flipper f = {.ipa = WINDOW, .good = 0};
	bool served = true;
	pthread_t t;

	memcpy(f.bad,
	       (uint64_t[]){own | 0x7ff, page_of(&other, RAM + 0x10000) | 0x7ff, svisor | 0x7ff,
			    ordinary(1) | 0x7ff, 0, 0x09000000 | 0x7ff},
	       sizeof(f.bad));
	pin(1);
	victim.flipped = true;
	t = start(flip, &f);
	for (uint64_t i = 0; served && i < PAGES; i++)
		served = touch_one(&f, i);
	end(t);
	victim.flipped = false;
	ok(served, "the normal S2PT changes during the walk: each page is served in the end");
	for (uint64_t i = 0; i < PAGES; i++)
		seen += vm_do(&victim, OP_READ, WINDOW + i * PAGE, 0, 0) == 0xf11b0000 + i;
	ok(seen == PAGES, "each of %d pages is a page of its own (%lu)", PAGES, seen);
	ok(vm_do(&victim, OP_READ, RAM + 0x10000, 0, 0) == 0xc0ffee,
	   "older pages are as they were");
	ok(all_well(), "all is well");
}

void cases_race(void)
{
	if (cpus() < 3)
		die("races need three CPUs");
	two_cpus();
	destroy_running();
	vm_do(&victim, OP_WRITE, RAM + 0x10000, 0xc0ffee, 0);
	flipping_table();
	pin(0);
}
