// SPDX-License-Identifier: BSD-3-Clause
/*
 * libFuzzer target: an N-visor without Secure EL2 that makes N-VMs and S-VMs, edits what it asks
 * for while that is read, and takes and returns chunks under them; guests, and the host itself,
 * that touch any address. Input is a row of 8-byte steps. After each step the audit must find
 * nothing, each chunk must know how many leaves are in it, and neither a table nor a TLB may have
 * what is closed.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "host.h"
#include "ledger.h"
#include "twin.h"
#include "vcpu.h"

#define RAM 0x40000000UL
#define POOL (HOST_DRAM + TV_CHUNK_SIZE)
#define SHARES HOST_DRAM
#define NPTS (HOST_DRAM + 0x10000) /* one a slot */
#define NPT_PAGES 8                /* root, what is behind it, tables of levels 2 and 3 */
#define NPT_BITS 40
#define SOURCE (HOST_DRAM + 0x100000)
#define SLOTS 4
#define CPUS 3
#define NVMS 64
#define FIRST_VMID (TV_MAX_VMS + 1)
#define VMIDS (FIRST_VMID + NVMS)
#define CACHED 32 /* translations of each VMID that TLBs have */
#define WIPE 0xff /* a step's op: the machine is reset */

struct step {
	uint8_t op, a, b, c, d, e, f, g;
};

static uint64_t handle[SLOTS], svm;
static uint64_t known[NVMS]; /* handles by slot of the S-visor's; 0: none */
static uint64_t root[NVMS];  /* of those that have run */
static const struct step *next, *end;
static uint64_t heap_at_start;

/* ---- TLBs -------------------------------------------------------------------- */

static struct {
	uint64_t page[CACHED];
	unsigned n;
} tlb[VMIDS];

static void tlb_fill(unsigned vmid, uint64_t page)
{
	if (host_mem(page))
		tlb[vmid].page[tlb[vmid].n++ % CACHED] = page;
}

static bool is_closed(uint64_t page)
{
	return !host_mem(page) || host_secure(page);
}

/* What is closed is in no TLB, before anything is done with it. */
static void watch(enum host_op op, uint64_t what)
{
	if (op == HOST_TLB_VM)
		memset(&tlb[what], 0, sizeof(tlb[what]));
	if (op != HOST_PROTECT)
		return;
	for (unsigned vmid = 0; vmid < VMIDS; vmid++) {
		for (unsigned i = 0; i < CACHED; i++)
			REQUIRE(!tlb[vmid].page[i] || !is_closed(tlb[vmid].page[i]));
	}
}

/* ---- tables ------------------------------------------------------------------ */

static uint64_t lent[16], lent_elsewhere;

static void nvm_leaf(uint64_t at, uint64_t size)
{
	for (uint64_t a = at; a < at + size; a += TV_PAGE_SIZE)
		REQUIRE(!is_closed(a));
	if (at - POOL < 4 * TV_CHUNK_SIZE)
		lent[(at - POOL) / TV_CHUNK_SIZE]++;
	else if (at - HOST_HIGH < HOST_HIGH_SIZE)
		lent[4 + (at - HOST_HIGH) / TV_CHUNK_SIZE]++;
	else
		lent_elsewhere++;
}

static void host_leaf(uint64_t at, uint64_t size)
{
	if (host_mem(at)) /* of DRAM: by blocks */
		REQUIRE(size == BLOCK_SIZE && !host_secure(at) && !host_secure(at + size - 1));
}

static void each_leaf(uint64_t table, unsigned level, void (*fn)(uint64_t at, uint64_t size))
{
	const uint64_t *entry = host_mem(table);

	for (unsigned i = 0; i < 512; i++) {
		uint64_t at = entry[i] & 0xfffffffff000;

		REQUIRE((entry[i] & 1) || !entry[i]); /* nothing is left half removed */
		if (!(entry[i] & 1))
			continue;
		if (level < 3 && (entry[i] & 2))
			each_leaf(at, level + 1, fn);
		else
			fn(at, 1UL << (12 + 9 * (3 - level)));
	}
}

static void check_tables(void)
{
	memset(lent, 0, sizeof(lent));
	lent_elsewhere = 0;
	for (unsigned i = 0; i < NVMS; i++) {
		if (root[i])
			each_leaf(root[i], 0, nvm_leaf);
	}
	each_leaf(host_stage2() & 0xffffffffffff, 0, host_leaf);
	for (unsigned i = 0; i < 6; i++) {
		const struct pool *p = &ledger.pool[i / 4];

		REQUIRE(p->chunks[i % 4].lent == lent[i]);
	}
	REQUIRE(ledger.lent == lent_elsewhere);
}

/* ---- calls ------------------------------------------------------------------- */

static struct tv_args ask(uint64_t function, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct tv_args r = smc(function, a, b, c, d);

	if (r.x[0])
		return r;
	if ((uint32_t)function == TV_NVM_CREATE)
		known[r.x[1] & 0xff] = r.x[1];
	if ((uint32_t)function == TV_NVM_DESTROY)
		known[a & 0xff] = root[a & 0xff] = 0;
	return r;
}

static uint8_t *shared(void)
{
	return host_mem(SHARES + cpu_index() * TV_PAGE_SIZE);
}

static uint64_t npt_root(unsigned slot)
{
	return NPTS + slot % SLOTS * NPT_PAGES * TV_PAGE_SIZE;
}

static uint64_t some_chunk(unsigned n)
{
	return n & 4 ? HOST_HIGH + n % 2 * TV_CHUNK_SIZE : POOL + n % 4 * TV_CHUNK_SIZE;
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
		return npt_root(n);
	case 3:
		return SHARES + n % CPUS * TV_PAGE_SIZE;
	case 4:
		return (uint64_t)n << 40;
	case 5:
		return HOST_SVISOR - TV_PAGE_SIZE + n;
	case 6:
		return HOST_DRAM + n * BLOCK_SIZE;
	default:
		return some_chunk(kind) + n * TV_PAGE_SIZE;
	}
}

/* Where guests have memory, or do not */
static uint64_t some_ipa(unsigned kind, unsigned n)
{
	switch (kind % 8) {
	case 0:
		return (uint64_t)n << 30;
	case 1:
		return (uint64_t)n << 36;
	case 2:
		return (1UL << NPT_BITS) + RAM + n * TV_PAGE_SIZE;
	case 3:
		return (1UL << NPT_BITS) - TV_PAGE_SIZE;
	case 4:
	case 5:
		return RAM + n * BLOCK_SIZE;
	default:
		return RAM + n % 16 * TV_PAGE_SIZE;
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
		return some_ipa(kind >> 3, n);
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

	ask(TV_SMC(s->a % (TV_CALLS + 2)), a, b, c, d);
}

static void create(const struct step *s)
{
	handle[s->a % SLOTS] = ask(TV_NVM_CREATE, npt_root(s->a), NPT_BITS, 1, 0).x[1];
}

static void create_svm(const struct step *s)
{
	uint64_t page = some_chunk(s->b) + s->c * TV_PAGE_SIZE;

	svm = ask(TV_VM_CREATE, npt_root(s->a), NPT_BITS, 1, 0).x[1];
	ask(TV_VM_RAM, svm, RAM, 64 * BLOCK_SIZE, 0);
	ask(TV_CHUNK_TAKE, svm, some_chunk(s->b), 0, 0);
	ask(TV_VM_LOAD, svm, RAM, SOURCE, page);
	ask(TV_VCPU_CREATE, svm, 0, TV_VCPU_ON, 0);
	ask(TV_VM_SEAL, svm, 0, 0, 0);
}

static void end_svm(const struct step *s)
{
	ask(TV_VM_DESTROY, svm, 0, 0, 0);
	if (s->a & 1)
		ask(TV_CHUNK_RETURN, s->a >> 1 & 3, 0, 0, 0);
}

/* Descriptors that say anything, good ones most often */
static uint64_t some_desc(const struct step *s)
{
	static const uint64_t attrs[] = {0x7fc, 0x7fc, 0x7fc, 0x77c,
					 0x7bc, 0x3fc, 0x73c, 0x4000000000077c};
	uint64_t odd = s->f & 0x80 ? (uint64_t)s->g << 48 | s->g << 4 : 0;

	return some_page(s->d, s->e) | attrs[s->f % 8] | (s->f >> 3 & 3) | odd;
}

static uint64_t *flipped, flip_to;

/* KVM, or who has broken in there, changes it at each look. */
static void flip(uint64_t pa)
{
	uint64_t was;

	(void)pa;
	if (!flipped)
		return;
	was = *flipped;
	*flipped = flip_to;
	flip_to = was;
}

/* Any of the slot's tables; the way to the leaves is there. */
static void edit_npt(const struct step *s)
{
	uint64_t at = npt_root(s->a);
	uint64_t *table = host_mem(at);
	unsigned page = s->b % NPT_PAGES;
	unsigned index = s->b & 0x80 ? s->c * 2 : page < 3 ? s->c % 2 : s->c % 16;

	if (s->b & 0x20) {
		table[RAM >> 30] = (at + 3 * TV_PAGE_SIZE) | 3;
		table[3 * 512] = (at + 4 * TV_PAGE_SIZE) | 3;
	}
	if (s->b & 0x40) {
		flipped = &table[page * 512 + index];
		flip_to = some_desc(s);
	} else {
		table[page * 512 + index] = some_desc(s);
	}
}

static void edit_share(const struct step *s)
{
	struct tv_state *state = (void *)(shared() + TV_RUN_STATE);

	if (s->a & 1) {
		memset(shared(), 0, TV_PAGE_SIZE);
		state->pstate = 0x3c5;
	} else {
		memset(shared() + s->b * 8, s->c, s->d);
	}
}

static void run(const struct step *s)
{
	struct tv_state *state = (void *)(shared() + TV_RUN_STATE);

	if (s->c & 3)
		state->pstate = 0x3c5;
	if (s->c & 4)
		((struct tv_run *)shared())->cntvoff = 0;
	ask(TV_NVM_RUN, handle[s->a % SLOTS], s->b % 4, 0, 0);
}

static void run_svm(const struct step *s)
{
	(void)s;
	ask(TV_VCPU_RUN, svm, 0, 0, 0);
}

static void forget(const struct step *s)
{
	ask(TV_NVM_FORGET, handle[s->a % SLOTS], some_ipa(s->b, s->c),
	    (uint64_t)s->d << (s->e % 48), 0);
}

static void destroy(const struct step *s)
{
	ask(TV_NVM_DESTROY, handle[s->a % SLOTS], 0, 0, 0);
}

static void chunks(const struct step *s)
{
	switch (s->b % 4) {
	case 0:
		ask(TV_CHUNK_RETURN, s->c % 3, 0, 0, 0);
		break;
	case 1:
		ask(TV_CHUNK_MOVE, svm, some_chunk(s->c), some_chunk(s->d), 0);
		break;
	default:
		ask(TV_CHUNK_TAKE, s->a & 1 ? svm : TV_SVISOR, some_chunk(s->c), 0, 0);
	}
}

/* The host itself, at any address; the S-visor, for it */
static void touch(const struct step *s)
{
	uint64_t page = some_page(s->a, s->b), word = 1;

	if (host_map(IPA(page)) == TV_OK)
		tlb_fill(0, page);
	if (!host_mem(page) || page - HOST_SVISOR < HOST_SVISOR_SIZE)
		return;
	REQUIRE(!ns_write(PA(page & ~7UL), &word, 8) || !host_secure(page));
}

static void environment(const struct step *s)
{
	host_cpu(s->a % CPUS);
	host_lists_ok = !(s->b & 4);
	host_broken_page = s->b & 2 ? some_page(s->c, s->d) & ~0xfffUL : 1;
	host_counter += s->e << 8;
	flipped = s->b & 8 ? NULL : flipped;
}

/* ---- guests ------------------------------------------------------------------ */

/* Another CPU's calls while a guest runs */
static void call_meanwhile(const struct step *s)
{
	static void (*const ops[])(const struct step *) = {raw_call, chunks,   forget, destroy,
							   touch,    edit_npt, end_svm};
	unsigned cpu = cpu_index();

	host_cpu((cpu + 1) % CPUS);
	ops[s->g % (sizeof(ops) / sizeof(ops[0]))](s);
	host_cpu(cpu);
}

/* It can, now, use what is mapped. */
static void use(uint64_t ipa)
{
	uint64_t desc = host_guest_leaf(host_run.s2_root, ipa);

	if (desc)
		tlb_fill(host_run.vmid, desc & 0xfffffffff000);
}

/* Leaves as the next step says; when there is none, by an interrupt. */
static void guest(struct guest_regs *regs, struct guest_exit *out)
{
	static const uint8_t classes[] = {0x20, 0x24, 0x24, 0x24};
	static const uint8_t codes[] = {7, 7, 6, 5, 0xf, 0xe, 0xb, 0};
	const struct step *s = next;
	uint64_t ipa;

	if (host_run.vmid >= FIRST_VMID)
		root[host_run.vmid - FIRST_VMID] = host_run.s2_root;
	if (next == end)
		return;
	next++;
	ipa = some_ipa(s->c, s->d);
	if (host_run.vmid >= FIRST_VMID)
		use(ipa);
	if (s->op & 0x80)
		call_meanwhile(s);
	out->kind = s->a % 16 == 15 ? GUEST_IRQ : s->a % 16 == 14 ? GUEST_SERROR : GUEST_SYNC;
	out->esr = (uint64_t)(s->b & 0x80 ? s->b & 63 : classes[s->b % 4]) << 26 | (s->b & 0x40) |
		   (s->e & 0x80) | codes[s->e % 8];
	out->far = s->f;
	out->hpfar = ipa >> 8;
	regs->x[s->f % 31] = s->g;
	regs->pc += 4;
}

/* ---- life -------------------------------------------------------------------- */

static void check_audit(void)
{
	struct tv_args a = smc(TV_AUDIT, 0, 0, 0, 0);

	REQUIRE(a.x[0] == TV_OK && a.x[1] == 0);
	a = smc(TV_STATS, TV_STATS_HEAP, 0, 0, 0);
	REQUIRE(a.x[0] == TV_OK && a.x[1] == a.x[2] + a.x[3]);
	check_tables();
	watch(HOST_PROTECT, 0);
}

static void add_shares(void)
{
	for (unsigned i = 0; i < CPUS; i++) {
		host_cpu(i);
		smc(TV_CPU_SHARE, SHARES + i * TV_PAGE_SIZE, 0, 0, 0);
		memset(shared(), 0, TV_PAGE_SIZE);
	}
	host_cpu(0);
}

static void start(void)
{
	flipped = NULL;
	host_reset();
	host_address_bits = 44;
	memset(vms, 0, sizeof(vms));
	memset(tlb, 0, sizeof(tlb));
	host_boot(&host_manifest);
	REQUIRE(smc(TV_POOL_ADD, POOL, 4 * TV_CHUNK_SIZE, 0, 0).x[0] == TV_OK);
	REQUIRE(smc(TV_POOL_ADD, HOST_HIGH, HOST_HIGH_SIZE, 0, 0).x[0] == TV_OK);
	heap_at_start = smc(TV_AUDIT, 0, 0, 0, 0).x[4];
	host_guest = guest;
	host_op_hook = watch;
	host_ns_hook = flip;
}

static void destroy_all(void)
{
	for (unsigned i = 0; i < NVMS; i++) {
		if (known[i])
			REQUIRE(ask(TV_NVM_DESTROY, known[i], 0, 0, 0).x[0] == TV_OK);
	}
}

/* The S-visor does not begin anew with N-VMs of its last life. */
static void wipe(void)
{
	destroy_all();
	REQUIRE(smc(TV_DISPATCH_WIPE, 0, 0, 0, 0).x[0] == TV_OK);
	REQUIRE((int64_t)smc(TV_NVM_CREATE, npt_root(0), NPT_BITS, 1, 0).x[0] == TV_ESTATE);
	start();
	add_shares();
	memset(handle, 0, sizeof(handle));
	svm = 0;
}

static void one_step(const struct step *s)
{
	static void (*const ops[])(const struct step *) = {
		raw_call, create, create_svm, edit_npt,    edit_npt,  edit_npt, run,
		run,      run,    run_svm,    forget,      destroy,   end_svm,  chunks,
		chunks,   touch,  touch,      environment, edit_share};

	if (s->op == WIPE)
		wipe();
	else
		ops[s->op % (sizeof(ops) / sizeof(ops[0]))](s);
}

/* Destroys and returns everything; nothing may be left anywhere. */
static void finish(void)
{
	host_broken_page = 1;
	flipped = NULL;
	destroy_all();
	for (struct vm *vm = vms; vm < vms + TV_MAX_VMS; vm++) {
		while (smc(TV_VM_DESTROY, vm->generation << 8 | vm_index(vm), 0, 0, 0).x[0] ==
		       TV_AGAIN)
			;
	}
	for (unsigned pool = 0; pool < ledger.pools; pool++) {
		while (smc(TV_CHUNK_RETURN, pool, 0, 0, 0).x[0] == TV_OK)
			;
		REQUIRE(ledger.pool[pool].top == ledger.pool[pool].base);
	}
	check_audit();
	REQUIRE(!ledger.lent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;

	if (!started || ledger.pools != 2)
		start();
	started = true;
	add_shares();
	memset(host_mem(NPTS), 0, SLOTS * NPT_PAGES * TV_PAGE_SIZE);
	memset(handle, 0, sizeof(handle));
	svm = 0;
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
