// SPDX-License-Identifier: BSD-3-Clause
/* The host's stage 2: all of the machine, but for what is closed. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "heap.h"
#include "host.h"
#include "unit_nvm.h"

#define GIB (1UL << 30)
#define ATTRS 0x7fdUL /* a block: AF, inner shareable, all access, Normal */

static void start(void)
{
	boot();
	add_pool();
}

static bool has(uint64_t ipa, uint64_t unit)
{
	uint64_t size, leaf = host_leaf(ipa, &size);

	return leaf == ((ipa & ~(unit - 1)) | ATTRS) && size == unit;
}

static bool has_none(uint64_t ipa)
{
	uint64_t size;

	return !host_leaf(ipa, &size);
}

static int64_t take_one(unsigned chunk)
{
	return smc(TV_CHUNK_TAKE, TV_SVISOR, CHUNK(chunk), 0, 0);
}

TEST(sizes, "host: DRAM is mapped to itself by 2 MiB, all else by 1 GiB")
{
	start();
	check_eq(host_map(IPA(ORDINARY + PAGE(3))), TV_OK);
	check(has(ORDINARY, BLOCK));
	check(has_none(ORDINARY + BLOCK) && has_none(ORDINARY - BLOCK));
	check_eq(host_map(IPA(ORDINARY)), TV_OK); /* another CPU was first */
	check_eq(host_map(IPA(0x9000000)), TV_OK);
	check(has(0x9000000, GIB));
	check_eq(host_map(IPA(HOST_HIGH)), TV_OK);
	check(has(HOST_HIGH, BLOCK));
	check_eq(host_map(IPA((1UL << 48) - 1)), TV_OK);
	check(has((1UL << 48) - 1, GIB));
	check_eq(host_map(IPA(HOST_DRAM + HOST_DRAM_SIZE + HOST_SVISOR_SIZE)), TV_OK);
	check(has(HOST_DRAM + HOST_DRAM_SIZE + HOST_SVISOR_SIZE, BLOCK)); /* DRAM is near */
	check_eq(host_stage2() >> 48, 0);
	check_audit();
}

TEST(beyond, "host: addresses that the machine does not have are not mapped")
{
	start();
	check_eq(host_map(IPA(1UL << 48)), TV_EDENIED);
	check_eq(host_map(IPA((1UL << 48) + ORDINARY)), TV_EDENIED);
	check_eq(host_map(IPA(-1UL)), TV_EDENIED);
	check(has_none(0) && has_none(ORDINARY));
}

TEST(own, "host: the S-visor's memory is closed to it, all of it and no more")
{
	start();
	for (uint64_t a = HOST_SVISOR; a < HOST_SVISOR + HOST_SVISOR_SIZE; a += PAGE(64)) {
		check_eq(host_map(IPA(a)), TV_EDENIED);
		check(has_none(a));
	}
	check_eq(host_map(IPA(HOST_SVISOR - 1)), TV_OK);
	check_eq(host_map(IPA(HOST_SVISOR + HOST_SVISOR_SIZE)), TV_OK);
	check_audit();
}

TEST(outside, "host: 1 GiB with memory of the S-visor's that is no DRAM is not mapped")
{
	struct tv_manifest m = host_manifest;

	host_reset();
	m.dram[0] = m.dram[1];
	m.drams = 1;
	host_boot(&m);
	check_eq(host_map(IPA(HOST_SVISOR)), TV_EDENIED);
	check_eq(host_map(IPA(HOST_SVISOR & ~(GIB - 1))), TV_EDENIED);
	check_eq(host_map(IPA(0)), TV_OK);
}

/* Ends by a panic */
static bool panics(struct tv_manifest m)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		host_reset();
		fclose(stderr);
		host_boot(&m);
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
	       WTERMSIG(status) == SIGABRT;
}

TEST(own_shape, "host: the S-visor's memory must be made of blocks")
{
	struct tv_manifest m = host_manifest;

	check(!panics(m));
	m.size -= BLOCK / 2;
	check(panics(m));
	m.base += BLOCK / 2;
	check(panics(m));
	m.size -= BLOCK / 2;
	check(panics(m));
}

TEST(taken, "host: a chunk that is taken is closed, and open again when it is returned")
{
	start();
	for (unsigned i = 0; i < 4; i++)
		check_eq(host_map(IPA(CHUNK(0) + i * BLOCK)), TV_OK);
	check_eq(host_map(IPA(CHUNK(1))), TV_OK);
	check_eq(host_map(IPA(CHUNK(0) - 1)), TV_OK);
	check_eq(take_one(0), TV_OK);
	for (unsigned i = 0; i < 4; i++) {
		check(has_none(CHUNK(0) + i * BLOCK));
		check_eq(host_map(IPA(CHUNK(0) + i * BLOCK)), TV_EDENIED);
	}
	check(has(CHUNK(1), BLOCK) && has(CHUNK(0) - 1, BLOCK));
	check_eq(take_one(1), TV_OK);
	check(has_none(CHUNK(1)));
	check_audit();
	host_forget();
	check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_OK);
	check_eq(host_count[HOST_TLB_VM], 0); /* what is opened is in no TLB */
	check_eq(host_map(IPA(CHUNK(1))), TV_OK);
	check_eq(host_map(IPA(CHUNK(1) - 1)), TV_EDENIED);
	check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_OK);
	check_eq(host_map(IPA(CHUNK(0))), TV_OK);
	check_audit();
}

TEST(two_pools, "host: what each pool has taken is closed")
{
	start();
	check_eq(call(TV_POOL_ADD, HOST_HIGH, HOST_HIGH_SIZE, 0, 0).x[1], 1);
	check_eq(host_map(IPA(HOST_HIGH)), TV_OK);
	check_eq(smc(TV_CHUNK_TAKE, TV_SVISOR, HOST_HIGH, 0, 0), TV_OK);
	check(has_none(HOST_HIGH));
	check_eq(host_map(IPA(HOST_HIGH)), TV_EDENIED);
	check_eq(host_map(IPA(CHUNK(0))), TV_OK);
	check_eq(take_one(0), TV_OK);
	check_eq(host_map(IPA(HOST_HIGH)), TV_EDENIED);
	check_eq(smc(TV_CHUNK_RETURN, 1, 0, 0, 0), TV_OK);
	check_eq(host_map(IPA(HOST_HIGH)), TV_OK);
	check_eq(host_map(IPA(CHUNK(0))), TV_EDENIED);
	check_audit();
}

static unsigned looked;

/* By the time that the controller is told, the host has nothing of it any more. */
static void look(enum host_op op, uint64_t what)
{
	(void)what;
	if (op != HOST_PROTECT)
		return;
	looked++;
	check(has_none(CHUNK(0)) && has_none(CHUNK(1) - 1));
	check_eq(host_count[HOST_S2_WRITE], 2);
	check_eq(host_count[HOST_TLB_VM], 1);
	check_eq(host_what[HOST_TLB_VM], 0);
	check(host_when[HOST_S2_WRITE] < host_when[HOST_TLB_VM]);
}

TEST(order, "host: a chunk is out of its table, then out of TLBs, before it is anybody's")
{
	start();
	check_eq(host_map(IPA(CHUNK(0))), TV_OK);
	check_eq(host_map(IPA(CHUNK(1) - 1)), TV_OK);
	host_forget();
	host_op_hook = look;
	check_eq(take_one(0), TV_OK);
	check_eq(looked, 1);
	check(host_when[HOST_TLB_VM] < host_when[HOST_PAGE_ZERO]);
}

/* After host_access; `bytes` may be had. */
static bool accesses(uint64_t a, size_t bytes)
{
	bool ok = host_access(PA(a), bytes);

	host_accessed();
	return ok;
}

TEST(accesses_made, "host: accesses for it are to open DRAM alone, all of their bytes")
{
	start();
	check(accesses(HOST_DRAM, 1) && accesses(HOST_DRAM, HOST_DRAM_SIZE));
	check(accesses(HOST_HIGH, HOST_HIGH_SIZE));
	check(accesses(0, 0) && accesses(HOST_SVISOR, 0));
	check(!accesses(HOST_DRAM - 1, 1) && !accesses(HOST_DRAM - 1, 2));
	check(!accesses(HOST_SVISOR, 1) && !accesses(HOST_SVISOR - 8, 16));
	check(accesses(HOST_SVISOR - 8, 8));
	check(!accesses(HOST_SVISOR + HOST_SVISOR_SIZE - 1, 1));
	check(!accesses(HOST_SVISOR + HOST_SVISOR_SIZE, 1));
	check(!accesses(HOST_HIGH + HOST_HIGH_SIZE - 1, 2) &&
	      !accesses(HOST_HIGH + HOST_HIGH_SIZE, 1));
	check(!accesses(HOST_DRAM + HOST_DRAM_SIZE - 1, HOST_HIGH - HOST_DRAM));
	check(!accesses(-1UL, 1) && !accesses(-1UL, 2) && !accesses(HOST_DRAM, -1UL));
	check_eq(take_one(0), TV_OK);
	check(!accesses(CHUNK(0), 1) && !accesses(CHUNK(1) - 1, 1));
	check(!accesses(CHUNK(0) - 1, 2) && !accesses(CHUNK(1) - 1, 2));
	check(!accesses(HOST_DRAM, HOST_DRAM_SIZE));
	check(accesses(CHUNK(0) - 1, 1) && accesses(CHUNK(1), 1));
	check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_OK);
	check(accesses(CHUNK(0) - 1, 2));
}

TEST(copies, "host: the S-visor's own copies do not reach what is closed")
{
	uint64_t word = 0x1234;

	start();
	check(ns_write(PA(CHUNK(0)), &word, 8) && ns_read(&word, PA(CHUNK(0)), 8));
	check_eq(take_one(0), TV_OK);
	check(!ns_write(PA(CHUNK(0)), &word, 8));
	check(!ns_read(&word, PA(CHUNK(0)), 8) && !ns_read64(PA(CHUNK(0)), &word));
	check(ns_write(PA(CHUNK(1)), &word, 8));
}

TEST(no_heap, "host: it takes nothing of the heap after boot, and goes on when that is empty")
{
	uint64_t tables;

	start();
	tables = host_tables();
	while (heap_alloc(1))
		;
	for (uint64_t a = 0; a < 1UL << 48; a += 512 * GIB)
		check_eq(host_map(IPA(a)), TV_OK);
	for (uint64_t a = HOST_DRAM; a < HOST_DRAM + GIB; a += BLOCK)
		check_eq(host_map(IPA(a)), a - HOST_SVISOR < HOST_SVISOR_SIZE ? TV_EDENIED : TV_OK);
	check_eq(host_tables(), tables);
}

TEST(counted, "host: its tables are on record, all 512 GiB and each GiB with DRAM")
{
	boot();
	check_eq(host_tables(), 1 + 512 + 2);
	check_eq(call(TV_STATS, TV_STATS_HEAP, 0, 0, 0).x[3], 1 + 512 + 2);
	check_audit();
}

static uint64_t *block_entry(uint64_t a)
{
	uint64_t table = host_stage2() & 0xffffffffffff;

	for (int shift = 39; shift > 21; shift -= 9)
		table = *(uint64_t *)host_mem(table + (a >> shift & 511) * 8) & 0xfffffffff000;
	return host_mem(table + (a >> 21 & 511) * 8);
}

TEST(audit_sees, "host: a leaf of what is closed is found by the audit")
{
	start();
	check_eq(take_one(0), TV_OK);
	check_eq(host_map(IPA(CHUNK(1))), TV_OK);
	check_audit();
	*block_entry(CHUNK(0)) = CHUNK(0) | ATTRS;
	*block_entry(CHUNK(1) - BLOCK) = (CHUNK(1) - BLOCK) | ATTRS;
	check_eq(audit().x[1], 2);
	*block_entry(HOST_SVISOR) = HOST_SVISOR | ATTRS;
	*block_entry(HOST_SVISOR + HOST_SVISOR_SIZE - BLOCK) = HOST_SVISOR | ATTRS;
	check_eq(audit().x[1], 4);
}

/* ---- several CPUs ------------------------------------------------------------ */

static atomic_bool inside, over;

static void *keep_access(void *arg)
{
	(void)arg;
	host_cpu(3);
	check(host_access(PA(CHUNK(0)), 8));
	inside = true;
	usleep(100000);
	over = true;
	host_accessed();
	return NULL;
}

TEST(waits, "host: closing waits for an access that is under way")
{
	pthread_t thread;

	start();
	check_eq(pthread_create(&thread, NULL, keep_access, NULL), 0);
	while (!inside)
		cpu_relax();
	check_eq(take_one(0), TV_OK);
	check(over);
	check_eq(pthread_join(thread, NULL), 0);
}

static void audit_at_flush(enum host_op op, uint64_t what)
{
	(void)what;
	if (op == HOST_PROTECT || op == HOST_NS_FLUSH)
		looked++;
	if (op == HOST_NS_FLUSH) {
		host_cpu(1);
		check_eq(audit().x[1], 0);
		host_cpu(0);
	}
}

TEST(audit_meanwhile, "host: the audit finds nothing while a chunk is being taken")
{
	start();
	check_eq(host_map(IPA(CHUNK(0))), TV_OK);
	host_op_hook = audit_at_flush;
	check_eq(take_one(0), TV_OK);
	check_eq(looked, 2);
}

#define ROUNDS 300
static atomic_bool done;
static atomic_uint landed;

/* The host's CPU, and an S-visor's call on another one, at work on the chunk all the time */
static void *touch(void *arg)
{
	uint64_t word = 0x5a5a5a5a5a5a5a5a;

	host_cpu(2 + (uintptr_t)arg);
	while (!atomic_load(&done)) {
		host_map(IPA(CHUNK(0) + PAGE(9)));
		if (ns_write(PA(CHUNK(0) + PAGE((uintptr_t)arg)), &word, 8))
			atomic_fetch_add(&landed, 1);
	}
	return NULL;
}

static void *audit_on(void *arg)
{
	(void)arg;
	host_cpu(1);
	while (!atomic_load(&done))
		check_eq(audit().x[1], 0);
	return NULL;
}

TEST(threads,
     "host: once a chunk is taken it is not mapped, and no write lands, however hard it is tried")
{
	pthread_t thread[3];

	start();
	check_eq(pthread_create(&thread[0], NULL, touch, (void *)0), 0);
	check_eq(pthread_create(&thread[1], NULL, touch, (void *)1), 0);
	check_eq(pthread_create(&thread[2], NULL, audit_on, NULL), 0);
	while (!atomic_load(&landed))
		cpu_relax();
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct svm vm = {.handle = TV_SVISOR};

		check_eq(take(&vm, 0), TV_OK);
		check(has_none(CHUNK(0)));
		check(*(uint64_t *)host_mem(CHUNK(0)) != 0x5a5a5a5a5a5a5a5a);
		check(*(uint64_t *)host_mem(CHUNK(0) + PAGE(1)) != 0x5a5a5a5a5a5a5a5a);
		cpu_relax();
		check(has_none(CHUNK(0)));
		check(*(uint64_t *)host_mem(CHUNK(0)) != 0x5a5a5a5a5a5a5a5a);
		check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_OK);
	}
	atomic_store(&done, true);
	for (unsigned i = 0; i < 3; i++)
		check_eq(pthread_join(thread[i], NULL), 0);
	check(atomic_load(&landed) > 0);
	check_audit();
}
