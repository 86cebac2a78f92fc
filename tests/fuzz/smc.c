// SPDX-License-Identifier: BSD-3-Clause
/*
 * libFuzzer target: an N-visor that calls, edits shared memory and schedules, and guests that
 * leave in any way, on the shipped core. Input is a row of 8-byte steps. After each step the
 * audit must find nothing, and what a guest sees must be its own.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "twin.h"
#include "ledger.h"
#include "vcpu.h"

#define RAM 0x40000000UL
#define RAM_PAGES 512
#define POOL (HOST_DRAM + TV_CHUNK_SIZE)
#define SHARES HOST_DRAM
#define NPTS (HOST_DRAM + 0x10000) /* one an S-VM slot, three pages: roots and tables */
#define SOURCE (HOST_DRAM + 0x100000)
#define SLOTS 4
#define CPUS 3
#define WIPE 0xff /* a step's op: the machine is reset */

struct step {
	uint8_t op, a, b, c, d, e, f, g;
};

static uint64_t handle[SLOTS];
static const struct step *next, *end;
static uint64_t heap_at_start;

static struct tv_run *shared(void)
{
	return host_mem(SHARES + cpu_index() * TV_PAGE_SIZE);
}

static uint64_t npt_root(unsigned slot)
{
	return NPTS + slot * 4 * TV_PAGE_SIZE;
}

/* Pages of all kinds, pool pages most often. */
static uint64_t some_page(unsigned kind, unsigned n)
{
	switch (kind % 16) {
	case 0:
		return HOST_SVISOR + n * TV_PAGE_SIZE;
	case 1:
		return SOURCE + n * TV_PAGE_SIZE;
	case 2:
		return npt_root(n % SLOTS);
	case 3:
		return SHARES + n % CPUS * TV_PAGE_SIZE;
	case 4:
		return HOST_HIGH + (n & 1) * TV_CHUNK_SIZE + n / 2 * TV_PAGE_SIZE;
	case 5:
		return HOST_DRAM + HOST_DRAM_SIZE - TV_PAGE_SIZE + n;
	default:
		return POOL + kind % 4 * TV_CHUNK_SIZE + n * TV_PAGE_SIZE;
	}
}

static uint64_t some_number(unsigned kind, unsigned n)
{
	switch (kind % 8) {
	case 0:
		return n;
	case 1:
		return handle[n % SLOTS];
	case 2:
		return handle[n % SLOTS] + (int8_t)n;
	case 3:
		return RAM + n * TV_PAGE_SIZE;
	case 4:
		return (uint64_t)n << (kind >> 3 << 1);
	case 5:
		return -(uint64_t)n;
	default:
		return some_page(kind >> 3, n);
	}
}

static void raw_call(const struct step *s)
{
	uint64_t a = some_number(s->b, s->c), b = some_number(s->d, s->e);
	uint64_t c = some_number(s->f, s->g), d = some_page(s->c, s->g);

	smc(TV_SMC(s->a % (TV_CALLS + 2)), a, b, c, d);
}

/* The chunk of a page. */
static void take(unsigned kind, unsigned n, uint64_t vm)
{
	smc(TV_CHUNK_TAKE, vm, some_page(kind, n) & ~(uint64_t)(TV_CHUNK_SIZE - 1), 0, 0);
}

static uint64_t some_chunk(unsigned n)
{
	return POOL + n % 4 * TV_CHUNK_SIZE;
}

/* Chunks taken, moved and returned, by an S-VM's name or the S-visor's own. */
static void chunks(const struct step *s)
{
	uint64_t vm = s->a & 0x80 ? TV_SVISOR : handle[s->a % SLOTS];

	switch (s->b % 8) {
	case 0:
	case 4:
		smc(TV_CHUNK_TAKE, vm, some_chunk(s->c), 0, 0);
		break;
	case 1:
	case 5:
		smc(TV_CHUNK_RETURN, s->c % 3, 0, 0, 0);
		break;
	case 7:
		smc(TV_CHUNK_FREE, vm, some_chunk(s->c), 0, 0);
		break;
	default:
		smc(TV_CHUNK_MOVE, vm, some_chunk(s->c), some_chunk(s->d), 0);
	}
}

static void launch(const struct step *s)
{
	unsigned slot = s->a % SLOTS;
	uint64_t features = (s->e & 7) | (s->e & 8 ? TV_FEATURE_PMU : 0);
	struct tv_args r = smc(TV_VM_CREATE, npt_root(slot), 39, 1, features);

	handle[slot] = r.x[1];
	smc(TV_VM_RAM, handle[slot], RAM, RAM_PAGES * TV_PAGE_SIZE, 0);
	take(s->b, s->c, handle[slot]);
	smc(TV_VM_LOAD, handle[slot], RAM, SOURCE, some_page(s->b, s->c));
	for (unsigned i = 0; i < 1u + s->d % 3; i++)
		smc(TV_VCPU_CREATE, handle[slot], i, i == 0, 0);
	smc(TV_VM_SEAL, handle[slot], 0, 0, 0);
}

static void edit_share(const struct step *s)
{
	uint64_t *words = (uint64_t *)shared();

	switch (s->a % 4) {
	case 0:
		shared()->flags = s->b;
		break;
	case 1:
		shared()->cntvoff = s->b;
		break;
	case 2:
		words[s->b % (sizeof(struct tv_run) / 8)] = some_number(s->c, s->d);
		break;
	default:
		shared()->flags = shared()->cntvoff = 0;
	}
}

/* One of the slot's tables, entry for RAM or anywhere. */
static void edit_npt(const struct step *s)
{
	uint64_t *root = host_mem(npt_root(s->a % SLOTS));
	uint64_t *table = root + 512 * (s->b % 3);
	unsigned index = s->b & 0x80 ? s->c : s->b % 3 == 0 ? 1 : s->b % 3 == 1 ? 0 : s->c % 64;

	table[index] = some_page(s->d, s->e) | (s->f & 0xff);
	if (s->g & 2) /* a block of the pool for all of RAM */
		root[512] = (some_chunk(s->d) + s->e % 4 * BLOCK_SIZE) | 0x7fd;
	if (s->g & 1) { /* the way to the leaves */
		root[1] = (npt_root(s->a % SLOTS) + TV_PAGE_SIZE) | 3;
		root[512] = (npt_root(s->a % SLOTS) + 2 * TV_PAGE_SIZE) | 3;
	}
}

static void run_vcpu(const struct step *s)
{
	smc(TV_VCPU_RUN, handle[s->a % SLOTS], s->b % 4, 0, 0);
}

static void destroy(const struct step *s)
{
	smc(TV_VM_DESTROY, handle[s->a % SLOTS], 0, 0, 0);
	if (s->b & 1)
		smc(TV_CHUNK_RETURN, s->b >> 1 & 3, 0, 0, 0);
}

static void environment(const struct step *s)
{
	host_cpu(s->a % CPUS);
	host_entropy = s->b & 1 ? s->b >> 6 : -1;
	host_lists_ok = !(s->b & 4);
	host_broken_page = s->b & 2 ? some_page(s->c, s->d) & ~0xfffUL : 1;
	host_counter += s->e << 8;
}

/* Every page that the S-VM running now can reach is Secure and on its own record. */
static void check_view(void)
{
	for (unsigned i = 0; i < RAM_PAGES; i++) {
		uint64_t ipa = RAM + i * TV_PAGE_SIZE;
		uint8_t *page = host_guest_mem(host_run.s2_root, ipa);
		pa_t pa;

		if (!page)
			continue;
		REQUIRE(s2_lookup(&vms[host_run.vmid - 1].s2, IPA(ipa), &pa));
		REQUIRE(page == host_mem(pa.v) && host_secure(pa.v));
		page[8] = host_run.vmid; /* the guest's secret */
	}
}

/* Another CPU's calls while a guest runs. */
static void call_meanwhile(const struct step *s)
{
	unsigned cpu = cpu_index();

	host_cpu((cpu + 1) % CPUS);
	if (s->g & 1)
		destroy(s);
	else if (s->g & 2)
		chunks(s);
	else
		raw_call(s);
	host_cpu(cpu);
}

/* Leaves as the next step says; when there is none, by an interrupt. */
static void guest(struct guest_regs *regs, struct guest_exit *out)
{
	static const uint8_t classes[] = {0x01, 0x16, 0x17, 0x18, 0x20, 0x24, 0x24, 0x24};
	static const uint64_t calls[] = {0xc4000003, 0x84000003, 0x84000002, 0xc4000004,
					 0x84000008, 0xc4000053, 0x84000053, 0xc400000e,
					 0x8400000a, 0xc4000001, 0x84000012, 0xc4000012,
					 0x84000004, 0x84000000, 0x84000015, 0xc5000021};
	static const uint64_t attest[] = {TV_RSI_VERSION,
					  TV_RSI_MEASUREMENT_READ,
					  TV_RSI_MEASUREMENT_EXTEND,
					  TV_RSI_TOKEN_INIT,
					  TV_RSI_TOKEN_CONTINUE,
					  TV_RSI_TOKEN_CONTINUE,
					  TV_RSI_TOKEN_CONTINUE,
					  TV_GUEST_SEAL};
	const struct step *s = next;

	check_view();
	if (next == end)
		return;
	next++;
	if (s->op & 0x80)
		call_meanwhile(s);
	out->kind = s->a % 8 == 7 ? GUEST_IRQ : s->a % 8 == 6 ? GUEST_SERROR : GUEST_SYNC;
	out->esr = (uint64_t)(s->b & 0x80 ? s->b & 63 : classes[s->b % 8]) << 26 | s->c << 17 |
		   s->d << 9 | s->e;
	out->far = s->f;
	out->hpfar = (s->g & 0x40 ? 0x09000000 : RAM + (s->g % 64) * TV_PAGE_SIZE) >> 8;
	regs->x[0] = s->f & 0x80 ? attest[s->f % 8] : calls[s->f % 16];
	regs->x[1] = s->f & 0x40 ? RAM + s->g % 64 * TV_PAGE_SIZE : s->g % 8;
	regs->x[2] = s->f & 0x40 ? s->d << 5 : RAM + s->c;
	regs->x[3] = s->e << 5;
}

static void check_audit(void)
{
	struct tv_args a = smc(TV_AUDIT, 0, 0, 0, 0);

	REQUIRE(a.x[0] == TV_OK && a.x[1] == 0);
	a = smc(TV_STATS, TV_STATS_HEAP, 0, 0, 0);
	REQUIRE(a.x[0] == TV_OK && a.x[1] == a.x[2] + a.x[3]);
}

static void add_shares(void)
{
	for (unsigned i = 0; i < CPUS; i++) {
		host_cpu(i);
		smc(TV_CPU_SHARE, SHARES + i * TV_PAGE_SIZE, 0, 0, 0);
		memset(shared(), 0, sizeof(*shared()));
	}
	host_cpu(0);
}

static void start(void)
{
	struct tv_boot *record;

	host_reset();
	memset(vms, 0, sizeof(vms));
	host_manifest.boot = HOST_SVISOR + HOST_SVISOR_SIZE - TV_BOOT_SIZE;
	record = host_mem(host_manifest.boot);
	*record = (struct tv_boot){
		.magic = TV_BOOT_MAGIC, .key = {1}, .token_size = 2048, .log_size = 3000};
	host_boot(&host_manifest);
	smc(TV_POOL_ADD, POOL, 4 * TV_CHUNK_SIZE, 0, 0);
	smc(TV_POOL_ADD, HOST_HIGH, HOST_HIGH_SIZE, 0, 0);
	heap_at_start = smc(TV_AUDIT, 0, 0, 0, 0).x[4];
	host_guest = guest;
}

static void require_zero(uint64_t base, uint64_t top)
{
	const uint64_t *p = host_mem(base);

	for (uint64_t i = 0; i < (top - base) / 8; i++)
		REQUIRE(p[i] == 0);
}

/* Whatever state the S-visor is in, all that is Secure is zero, and no call is served; then a
 * new life. */
static void wipe(const struct step *s)
{
	REQUIRE(smc(TV_DISPATCH_WIPE, 0, 0, 0, 0).x[0] == TV_OK);
	for (struct pool *p = ledger.pool; p < ledger.pool + ledger.pools; p++) {
		REQUIRE(p->top == p->base || host_secure(p->top - 1));
		require_zero(p->base, p->top);
	}
	REQUIRE((int64_t)smc(TV_SMC(s->a), handle[0], 0, 0, 0).x[0] ==
		(TV_SMC(s->a) == TV_DISPATCH_WIPE ? TV_OK : TV_ESTATE));
	start();
	add_shares();
	memset(handle, 0, sizeof(handle));
}

static void one_step(const struct step *s)
{
	static void (*const ops[])(const struct step *) = {
		raw_call, raw_call, launch,  edit_share,  edit_npt, edit_npt,
		run_vcpu, run_vcpu, destroy, environment, chunks,   chunks};

	if (s->op == WIPE)
		wipe(s);
	else
		ops[s->op % (sizeof(ops) / sizeof(ops[0]))](s);
}

/* Destroys and returns everything; nothing may be left anywhere. */
static void finish(void)
{
	host_broken_page = 1;
	for (struct vm *vm = vms; vm < vms + TV_MAX_VMS; vm++) {
		uint64_t h = vm->generation << 8 | vm_index(vm);

		while (smc(TV_VM_DESTROY, h, 0, 0, 0).x[0] == TV_AGAIN)
			;
	}
	for (unsigned pool = 0; pool < ledger.pools; pool++) {
		struct tv_args r;

		while ((r = smc(TV_CHUNK_RETURN, pool, 0, 0, 0)).x[0] == TV_OK)
			require_zero(r.x[1], r.x[1] + TV_CHUNK_SIZE);
		REQUIRE((int64_t)r.x[0] == TV_ENOENT);
	}
	check_audit();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;

	if (!started || ledger.pools != 2)
		start();
	started = true;
	add_shares();
	memset(host_mem(NPTS), 0, SLOTS * 4 * TV_PAGE_SIZE);
	memset(handle, 0, sizeof(handle));
	host_lists_ok = true;
	next = (const struct step *)data;
	end = next + (size > 64 * sizeof(*next) ? 64 : size / sizeof(*next));
	while (next != end) {
		one_step(next++);
		check_audit();
	}
	finish();
	if (ledger.pools == 2)
		REQUIRE(smc(TV_AUDIT, 0, 0, 0, 0).x[4] == heap_at_start);
	return 0;
}
