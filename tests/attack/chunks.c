/* SPDX-License-Identifier: BSD-3-Clause */
/* Attacks on chunks: moved, given twice, returned, and the S-visor's own. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "attack.h"

#define WORD 0x5ec4e75ec4e75ec4UL
#define FROM (RAM + 0x100000) /* what the victim watches: 1 MiB */
#define TO (RAM + 0x200000)
#define SUM (WORD * ((TO - FROM) / 8))

static int64_t move(uint64_t handle, uint64_t from, uint64_t to)
{
	return smc(TV_CHUNK_MOVE, handle, from, to, 0).status;
}

/* Moves all of the victim's chunk, which then is that one. */
static int64_t move_victim(unsigned int to)
{
	int64_t status = vm_take(&victim, chunk_base(to)).status;
	uint64_t from = victim.chunk;

	if (status)
		return status;
	do {
		status = move(victim.handle, from, chunk_base(to));
	} while (status == TV_AGAIN);
	victim.chunk = chunk_base(to);
	return status;
}

static void by_names(void)
{
	uint64_t own = chunk_base(0), others = chunk_base(1);

	ok(vm_take(&victim, others).status == TV_EDENIED, "TAKE of another S-VM's chunk");
	ok(vm_take(&victim, chunk_base(3)).status == TV_EDENIED, "TAKE above the run's top");
	ok(vm_take(&victim, chunk_base(2) + PAGE).status == TV_EINVAL, "TAKE of half a chunk");
	ok(vm_take(&victim, svisor & ~(CHUNK - 1)).status == TV_EDENIED, "TAKE of S-visor memory");
	ok(vm_take(&victim, 0x08000000).status == TV_EDENIED, "TAKE of devices");
	ok(vm_take(&victim, -CHUNK).status == TV_EDENIED, "TAKE at the end of the address space");
	ok(smc(TV_CHUNK_TAKE, TV_SVISOR, own, 0, 0).status == TV_EDENIED,
	   "TAKE of an S-VM's chunk for the S-visor");
	ok(move(victim.handle, own, others) == TV_EDENIED, "MOVE into another's chunk");
	ok(move(victim.handle, others, own) == TV_EDENIED, "MOVE of another's chunk");
	ok(move(victim.handle, own, own) == TV_EDENIED, "MOVE into itself");
	ok(move(victim.handle, own, chunk_base(2)) == TV_EDENIED, "MOVE into ordinary memory");
	ok(move(victim.handle, own + PAGE, own) == TV_EDENIED, "MOVE from inside a chunk");
	ok(move(victim.handle, svisor & ~(CHUNK - 1), own) == TV_EDENIED, "MOVE of S-visor memory");
	ok(move(victim.handle, -CHUNK, -CHUNK) == TV_EDENIED,
	   "MOVE at the end of the address space");
	ok(move(TV_SVISOR, own, others) == TV_ENOENT, "MOVE of nobody's");
	ok(smc(TV_CHUNK_FREE, victim.handle, own, 0, 0).status == TV_EDENIED,
	   "FREE of what is in use");
	ok(smc(TV_CHUNK_FREE, victim.handle, others, 0, 0).status == TV_EDENIED,
	   "FREE of another's chunk");
	ok(smc(TV_CHUNK_FREE, victim.handle, own + PAGE, 0, 0).status == TV_EDENIED,
	   "FREE from inside a chunk");
	ok(smc(TV_CHUNK_FREE, victim.handle, -CHUNK, 0, 0).status == TV_EDENIED,
	   "FREE at the end of the address space");
	ok(smc(TV_CHUNK_FREE, TV_SVISOR, own, 0, 0).status == TV_ENOENT, "FREE of nobody's");
	ok(smc(TV_CHUNK_RETURN, attack_pool, 0, 0, 0).status == TV_EBUSY,
	   "RETURN of what is in use");
	ok(vm_do(&victim, OP_SUM, FROM, TO, 0) == SUM, "the victim has all it had");
	ok(all_well(), "all is well");
}

/* What the N-visor says of the move does not count: its old requests name what it lost. */
static void by_lies(void)
{
	uint64_t ipa = RAM + 0x400000;

	ok(move_victim(2) == TV_OK, "the victim's chunk moves");
	ok(vm_do(&victim, OP_SUM, FROM, TO, 0) == SUM, "with all it had");
	vm_map(&victim, ipa, chunk_base(0) + CHUNK - PAGE);
	ok(vm_order(&victim, 0, OP_READ, ipa, 0, 0) == TV_EDENIED,
	   "a page of the chunk it left: refused");
	vm_map(&victim, ipa, *vm_entry(&victim, FROM) - chunk_base(0) + chunk_base(2));
	ok(vm_run(&victim, 0, 0) == TV_EDENIED, "one that moved, at a second address: refused");
	vm_map(&victim, ipa, vm_page(&victim));
	ok(!vm_until_ask(&victim, 0) && vm_asks(&victim) && !victim.run->gpr[1],
	   "and the guest goes on with a zero page");
	ok(move(victim.handle, chunk_base(0), chunk_base(2)) == TV_EDENIED,
	   "nothing is left to move");
	ok(audit() == 0, "the audit finds nothing");
	ok(move_victim(0) == TV_OK, "it moves back");
	ok(smc(TV_CHUNK_RETURN, attack_pool, 0, 0, 0).x[0] == chunk_base(2), "the top is returned");
	ok(vm_do(&victim, OP_SUM, FROM, TO, 0) == SUM, "the victim has all it had");
	ok(all_well(), "all is well");
}

/* ---- while it runs -------------------------------------------------------- */

static atomic_bool stop;

struct mover {
	uint64_t moves, strange;
};

static void *mover(void *arg)
{
	struct mover *m = arg;
	unsigned int at = 0;

	pin(2);
	while (!atomic_load(&stop)) {
		unsigned int to = at ? 0 : 2;
		int64_t status = vm_take(&victim, chunk_base(to)).status;

		m->strange += status != TV_OK;
		do {
			status = move(victim.handle, chunk_base(at), chunk_base(to));
		} while (status == TV_AGAIN);
		m->strange += status != TV_OK;
		m->moves++;
		at = to;
	}
	victim.chunk = chunk_base(at);
	return NULL;
}

/* It writes and sums its memory all the time; no write is lost, no old data come back. */
static void while_it_runs(void)
{
	struct mover m = {0};
	uint64_t wrong = 0;
	pthread_t t;

	pin(1);
	vm_do(&victim, OP_FILL, FROM, TO, WORD);
	if (pthread_create(&t, NULL, mover, &m))
		die("no thread");
	for (uint64_t i = 1; i <= 40; i++) {
		vm_do(&victim, OP_FILL, FROM, TO, WORD * i);
		wrong += vm_do(&victim, OP_SUM, FROM, TO, 0) != SUM * i;
	}
	atomic_store(&stop, true);
	pthread_join(t, NULL);
	ok(m.moves >= 2 && m.strange == 0, "its chunk moves %lu times while it runs (%lu refused)",
	   m.moves, m.strange);
	ok(wrong == 0, "it never sees what is out of date (%lu times)", wrong);
	if (victim.chunk != chunk_base(0))
		ok(move_victim(0) == TV_OK, "it moves back");
	vm_do(&victim, OP_FILL, FROM, TO, WORD);
	ok(all_well(), "all is well");
}

/* ---- on all CPUs ---------------------------------------------------------- */

#define ROUNDS 60

struct fighter {
	pthread_t thread;
	int cpu;
	uint64_t owned, strange;
};

static bool among(int64_t status, const int64_t *good)
{
	for (; *good != TV_AGAIN; good++)
		if (status == *good)
			return true;
	return status == TV_AGAIN;
}

/* Each makes an S-VM, fights for chunks 2 and 3, moves what it has, and gives all back. */
static void fight_once(struct fighter *f, uint64_t root, uint64_t from)
{
	static const int64_t taken[] = {TV_OK, TV_EDENIED, TV_EBUSY, TV_AGAIN};
	static const int64_t returned[] = {TV_OK, TV_EBUSY, TV_AGAIN};
	struct result r = smc(TV_VM_CREATE, root, 39, 1, 0);
	uint64_t vm = r.x[0], a = chunk_base(2), b = chunk_base(3);
	int64_t status = r.status, ta, tb;

	f->strange += status != TV_OK || smc(TV_VM_RAM, vm, RAM, CHUNK, 0).status != TV_OK;
	ta = smc(TV_CHUNK_TAKE, vm, a, 0, 0).status;
	tb = smc(TV_CHUNK_TAKE, vm, b, 0, 0).status;
	f->strange += !among(ta, taken) || !among(tb, taken);
	if (ta == TV_OK) {
		f->owned++;
		f->strange += smc(TV_VM_LOAD, vm, RAM, from, a).status != TV_OK;
	}
	while ((status = move(vm, a, b)) == TV_AGAIN)
		;
	f->strange += status != (ta == TV_OK && tb == TV_OK ? TV_OK : TV_EDENIED);
	while ((status = smc(TV_VM_DESTROY, vm, 0, 0, 0).status) == TV_AGAIN)
		;
	f->strange += status != TV_OK;
	f->strange += !among(smc(TV_CHUNK_RETURN, attack_pool, 0, 0, 0).status, returned);
}

static void *fight(void *arg)
{
	struct fighter *f = arg;
	uint64_t root = ordinary(1), from = ordinary(1);

	pin(f->cpu);
	for (int i = 0; i < ROUNDS; i++)
		fight_once(f, root, from);
	return NULL;
}

static void on_all_cpus(void)
{
	struct fighter f[TV_MAX_CPUS] = {0};
	uint64_t owned = 0, strange = 0;
	int n = cpus();

	for (int i = 0; i < n; i++) {
		f[i].cpu = i;
		if (pthread_create(&f[i].thread, NULL, fight, &f[i]))
			die("no thread");
	}
	for (int i = 0; i < n; i++) {
		pthread_join(f[i].thread, NULL);
		owned += f[i].owned;
		strange += f[i].strange;
	}
	pin(0);
	while (smc(TV_CHUNK_RETURN, attack_pool, 0, 0, 0).status == TV_OK)
		;
	ok(strange == 0 && owned > 0,
	   "%d CPUs take, move and return the same chunks: %lu were had, %lu strange", n, owned,
	   strange);
	ok(all_well(), "all is well");
}

/* ---- the S-visor's own memory --------------------------------------------- */

#define EATERS 16

/* Tables for one GiB after the other, till there is no memory for them. */
static int64_t eat(uint64_t vm, uint64_t *gib)
{
	int64_t status = TV_EDENIED;

	for (; *gib < 512 && status == TV_EDENIED; ++*gib)
		status = smc(TV_VM_LOAD, vm, *gib << 30, victim.root, svisor).status;
	return status;
}

static void no_memory(void)
{
	uint64_t root = ordinary(1), vm[EATERS], gib;
	int64_t status = TV_EDENIED;
	unsigned int n;

	for (n = 0; n < EATERS && status == TV_EDENIED; n++) {
		vm[n] = smc(TV_VM_CREATE, root, 39, 1, 0).x[0];
		smc(TV_VM_RAM, vm[n], 0, 1UL << 39, 0);
		gib = 0;
		status = eat(vm[n], &gib);
	}
	ok(status == TV_ENOHEAP, "S-VMs eat up the S-visor's memory: %ld", status);
	ok(smc(TV_CHUNK_TAKE, victim.handle, chunk_base(2), 0, 0).status == TV_ENOHEAP,
	   "then no chunk can be taken");
	ok(all_well(), "all is well");
	ok(smc(TV_CHUNK_TAKE, TV_SVISOR, chunk_base(2), 0, 0).status == TV_OK,
	   "but for the S-visor itself");
	ok(eat(vm[n - 1], &gib) == TV_EDENIED || gib < 512, "which goes on with it");
	ok(smc(TV_CHUNK_RETURN, attack_pool, 0, 0, 0).status == TV_EBUSY,
	   "and keeps it while in use");
	while (n--)
		while (smc(TV_VM_DESTROY, vm[n], 0, 0, 0).status == TV_AGAIN)
			;
	ok(smc(TV_CHUNK_RETURN, attack_pool, 0, 0, 0).x[0] == chunk_base(2),
	   "and gives it back once they are gone");
	ok(all_well(), "all is well");
}

void cases_chunks(void)
{
	vm_do(&victim, OP_FILL, FROM, TO, WORD);
	by_names();
	by_lies();
	while_it_runs();
	on_all_cpus();
	no_memory();
}
