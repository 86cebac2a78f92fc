// SPDX-License-Identifier: BSD-3-Clause
/*
 * model OPERATIONS [SEED]: random operations on chunks, pages and S-VMs, each of whose results and
 * effects a model of a few arrays foretells. After each one the S-visor's own audit must find
 * nothing (I1, I2, I9), and guests must see what the model says. A chunk is one 2 MiB block here,
 * see small-chunks.sh.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "twin.h"
#include "svisor.h"
#include "vm.h"

#define RAM 0x40000000UL
#define BLOCKS 2 /* of RAM of an S-VM */
#define IN_BLOCK ((int)BLOCK_PAGES)
#define PAGES (BLOCKS * IN_BLOCK)
#define PAGE(n) ((uint64_t)(n) * TV_PAGE_SIZE)
#define SVMS 3
#define CHUNKS 6 /* 0 to 3 are pool 0, 4 and 5 pool 1 */
#define POOLS 2
#define SHARE HOST_DRAM
#define SOURCE (HOST_DRAM + PAGE(1))
#define NPT(v) (HOST_DRAM + PAGE(16 + 8 * (v))) /* root, level 2, one level 3 a block */
#define AROUND 16
#define ALL_EVERY 64 /* operations */

_Static_assert(TV_CHUNK_SIZE == BLOCK_SIZE, "see small-chunks.sh");

/* ---- the model ------------------------------------------------------------ */

enum { NORMAL = -1, FREE = -2, HEAP = -3 }; /* a chunk's owner, or an S-VM */
enum state { NONE, NEW, LIVE, DYING };
enum { NOWHERE = -1 };

static int owner[CHUNKS];
static int ipa_of[CHUNKS][IN_BLOCK]; /* page of the owner's RAM, or NOWHERE */
static uint64_t stamp[CHUNKS][IN_BLOCK];
static int top[POOLS];
static struct svm {
	enum state state;
	uint64_t handle;
	int loaded;      /* pages below were loaded, or passed over */
	int at[PAGES];   /* chunk * IN_BLOCK + page, or NOWHERE */
	int asks[PAGES]; /* of the normal S2PT: likewise */
	bool block[BLOCKS];
} svm[SVMS];

static const int first_chunk[POOLS + 1] = {0, 4, CHUNKS};
static uint64_t operations, random_state;
static const char *doing;

static int rnd(int n)
{
	random_state = random_state * 6364136223846793005 + 1442695040888963407;
	return (random_state >> 33) % n;
}

static _Noreturn void wrong(const char *what, int64_t got, int64_t want)
{
	printf("# operation %" PRIu64 ", %s: %s is %" PRId64 ", not %" PRId64 "\n", operations,
	       doing, what, got, want);
	exit(1);
}

static void expect(const char *what, int64_t got, int64_t want)
{
	if (got != want)
		wrong(what, got, want);
}

static uint64_t chunk_pa(int c)
{
	return c < 4 ? HOST_DRAM + (1 + c) * TV_CHUNK_SIZE : HOST_HIGH + (c - 4) * TV_CHUNK_SIZE;
}

static uint64_t place_pa(int place)
{
	return chunk_pa(place / IN_BLOCK) + PAGE(place % IN_BLOCK);
}

static int pool_of(int c)
{
	return c >= first_chunk[1];
}

static bool owns(int v, int c)
{
	return owner[c] == v;
}

/* May page `p` of RAM be in that place: is it the S-VM's, and nobody else's or its own already? */
static bool may_be(int v, int p, int place)
{
	int has = ipa_of[place / IN_BLOCK][place % IN_BLOCK];

	return owns(v, place / IN_BLOCK) && (has == NOWHERE || has == p);
}

static void put(int v, int p, int place)
{
	svm[v].at[p] = place;
	ipa_of[place / IN_BLOCK][place % IN_BLOCK] = p;
}

static bool put_block(int v, int p)
{
	int base = p - p % IN_BLOCK, place = svm[v].asks[p] - p % IN_BLOCK;

	for (int i = 0; i < IN_BLOCK; i++) {
		int at = svm[v].at[base + i];

		if (!may_be(v, base + i, place + i) || (at != NOWHERE && at != place + i))
			return false;
	}
	for (int i = 0; i < IN_BLOCK; i++)
		put(v, base + i, place + i);
	return true;
}

static bool put_page(int v, int p)
{
	int place = svm[v].asks[p];

	if (place == NOWHERE)
		return false;
	if (svm[v].block[p / IN_BLOCK] && put_block(v, p))
		return true;
	if (!may_be(v, p, place) || ipa_of[place / IN_BLOCK][place % IN_BLOCK] != NOWHERE)
		return false;
	put(v, p, place);
	return true;
}

/* A fault at page p: is it there afterwards? */
static bool serve(int v, int p)
{
	int n = 1;

	if (svm[v].at[p] != NOWHERE)
		return true;
	if (!put_page(v, p))
		return false;
	while (n < AROUND && (p + n) % IN_BLOCK && svm[v].at[p + n] == NOWHERE &&
	       put_page(v, p + n))
		n++;
	return true;
}

/* ---- the calls ------------------------------------------------------------ */

static struct tv_args smc(uint64_t function, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct tv_args args = {{function, a, b, c, d}};

	svisor_call(&args);
	return args;
}

static int64_t status(uint64_t function, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return smc(function, a, b, c, d).x[0];
}

static struct tv_run *shared(void)
{
	return host_mem(SHARE);
}

static uint64_t *npt(int v, int table)
{
	return host_mem(NPT(v) + PAGE(table));
}

static void create(int v, int a)
{
	struct svm *s = &svm[v];

	(void)a;
	if (s->state != NONE)
		return;
	memset(npt(v, 0), 0, PAGE(2 + BLOCKS));
	npt(v, 0)[RAM >> 30] = (NPT(v) + PAGE(1)) | 3;
	s->handle = smc(TV_VM_CREATE, NPT(v), 39, 1, 0).x[1];
	expect("TV_VM_RAM", status(TV_VM_RAM, s->handle, RAM, PAGE(PAGES), 0), TV_OK);
	s->state = NEW;
	s->loaded = 0;
	for (int p = 0; p < PAGES; p++)
		s->at[p] = s->asks[p] = NOWHERE;
}

static void seal(int v, int a)
{
	struct svm *s = &svm[v];

	(void)a;
	if (s->state != NEW)
		return;
	memset(shared(), 0, sizeof(*shared()));
	expect("TV_VCPU_CREATE", status(TV_VCPU_CREATE, s->handle, 0, TV_VCPU_ON, 0), TV_OK);
	expect("TV_VM_SEAL", status(TV_VM_SEAL, s->handle, 0, 0, 0), TV_OK);
	s->state = LIVE;
}

/* What a call with the S-VM's handle gives when the S-VM is not one it is for; TV_OK: it is. */
static int64_t by_state(int v, bool good)
{
	return svm[v].state == NONE ? TV_ENOENT : good ? TV_OK : TV_ESTATE;
}

static int64_t take_model(int v, int c)
{
	int64_t want = v == HEAP ? TV_OK : by_state(v, svm[v].state != DYING);

	if (want != TV_OK || (v != HEAP && owns(v, c)))
		return want;
	if (owner[c] == NORMAL && c == first_chunk[pool_of(c)] + top[pool_of(c)])
		top[pool_of(c)]++;
	else if (owner[c] != FREE)
		return TV_EDENIED;
	owner[c] = v;
	for (int i = 0; i < IN_BLOCK; i++) {
		ipa_of[c][i] = NOWHERE;
		stamp[c][i] = 0;
	}
	return TV_OK;
}

static void take(int v, int c)
{
	uint64_t handle = rnd(8) ? svm[v].handle : TV_SVISOR;
	int64_t want = take_model(handle == TV_SVISOR ? HEAP : v, c);

	expect("TV_CHUNK_TAKE", status(TV_CHUNK_TAKE, handle, chunk_pa(c), 0, 0), want);
}

/* Fills the chunk with the N-visor's own data first, if it is the N-visor's. */
static void dirty_and_take(int v, int c)
{
	if (owner[c] == NORMAL)
		memset(host_mem(chunk_pa(c)), 0x5a, TV_CHUNK_SIZE);
	take(v, c);
}

static void give_back(int v, int c)
{
	int p = pool_of(c), last = first_chunk[p] + top[p] - 1;
	int64_t want = top[p] == 0                                  ? TV_ENOENT
		       : owner[last] == FREE || owner[last] == HEAP ? TV_OK
								    : TV_EBUSY;
	struct tv_args r = smc(TV_CHUNK_RETURN, p, 0, 0, 0);

	(void)v;
	expect("TV_CHUNK_RETURN", r.x[0], want);
	if (want != TV_OK)
		return;
	expect("the chunk", r.x[1], chunk_pa(last));
	owner[last] = NORMAL;
	top[p]--;
}

static void load(int v, int c)
{
	struct svm *s = &svm[v];
	int p = rnd(PAGES), page = rnd(IN_BLOCK), place = c * IN_BLOCK + page;
	int64_t want = by_state(v, s->state == NEW);
	uint64_t word = rnd(1 << 30) + 1;

	if (rnd(2)) /* where a block of it would have it */
		place = c * IN_BLOCK + p % IN_BLOCK;
	if (want == TV_OK && p < s->loaded)
		want = TV_EINVAL;
	if (want == TV_OK && (!may_be(v, p, place) || ipa_of[c][place % IN_BLOCK] != NOWHERE))
		want = TV_EDENIED;
	*(uint64_t *)host_mem(SOURCE) = word;
	expect("TV_VM_LOAD", status(TV_VM_LOAD, s->handle, RAM + PAGE(p), SOURCE, place_pa(place)),
	       want);
	if (want != TV_OK)
		return;
	put(v, p, place);
	stamp[c][place % IN_BLOCK] = word;
	s->loaded = p + 1;
}

/* The normal S2PT asks for a block, or for a row of pages, or for nothing, in one block of RAM. */
static void ask(int v, int c)
{
	struct svm *s = &svm[v];
	int b = rnd(BLOCKS), from = rnd(IN_BLOCK), n = rnd(40), at = rnd(2) ? from : rnd(IN_BLOCK);
	uint64_t *l2 = &npt(v, 1)[b], *l3 = npt(v, 2 + b);

	memset(l3, 0, PAGE(1));
	s->block[b] = rnd(2);
	for (int i = 0; i < IN_BLOCK; i++) {
		int place = c * IN_BLOCK + (s->block[b] ? i : (at + i - from) % IN_BLOCK);
		bool asked = s->block[b] || (i >= from && i < from + n);

		s->asks[b * IN_BLOCK + i] = asked ? place : NOWHERE;
		if (asked)
			l3[i] = place_pa(place) | 0x7ff;
	}
	*l2 = s->block[b] ? chunk_pa(c) | 0x7fd : (NPT(v) + PAGE(2 + b)) | 3;
}

static struct {
	int v, p;
	uint64_t word;
	unsigned runs;
} access;

static uint64_t *seen(int v, int p)
{
	return host_guest_mem(secure_pa(vms[svm[v].handle & 0xff].s2.root).v, RAM + PAGE(p));
}

/* Writes to its page once it is there; else faults. */
static void guest(struct guest_regs *regs, struct guest_exit *out)
{
	uint64_t *page = seen(access.v, access.p);

	(void)regs;
	if (page) {
		*page = access.word;
		*out = (struct guest_exit){.kind = GUEST_IRQ};
	} else {
		*out = (struct guest_exit){GUEST_SYNC, 0x24UL << 26 | 1 << 25 | 7, 0,
					   (RAM + PAGE(access.p)) >> 8};
	}
	access.runs++;
}

static int64_t run(int v, uint64_t flags)
{
	memset(shared(), 0, sizeof(*shared()));
	shared()->flags = flags;
	return status(TV_VCPU_RUN, svm[v].handle, 0, 0, 0);
}

/* A fault that is not served in place is served on no entry either; then the guest gets an abort.
 */
static void touch(int v, int c)
{
	struct svm *s = &svm[v];
	int p = rnd(2) ? rnd(PAGES) : rnd(BLOCKS) * IN_BLOCK + rnd(40);
	bool there;

	(void)c;
	if (s->state != LIVE)
		return;
	access.v = v;
	access.p = p;
	access.word = rnd(1 << 30) + 1;
	there = serve(v, p);
	expect("TV_VCPU_RUN", run(v, 0), TV_OK);
	expect("its exit", shared()->exit, there ? TV_EXIT_IRQ : TV_EXIT_FAULT);
	if (there) {
		stamp[s->at[p] / IN_BLOCK][s->at[p] % IN_BLOCK] = access.word;
		return;
	}
	expect("TV_VCPU_RUN again", run(v, 0), s->asks[p] == NOWHERE ? TV_OK : TV_EDENIED);
	host_guest = NULL;
	expect("TV_VCPU_RUN with an abort", run(v, TV_RUN_ABORT), TV_OK);
	host_guest = guest;
}

static int64_t move_model(int v, int from, int to)
{
	int64_t want = by_state(v, svm[v].state != DYING);
	bool any = false;

	if (want != TV_OK)
		return want;
	if (from == to || !owns(v, from) || !owns(v, to))
		return TV_EDENIED;
	for (int i = 0; i < IN_BLOCK; i++) {
		any |= ipa_of[from][i] != NOWHERE;
		if (ipa_of[from][i] != NOWHERE && ipa_of[to][i] != NOWHERE)
			return TV_EDENIED;
	}
	for (int i = 0; i < IN_BLOCK; i++) {
		if (ipa_of[from][i] == NOWHERE)
			continue;
		put(v, ipa_of[from][i], to * IN_BLOCK + i);
		stamp[to][i] = stamp[from][i];
		ipa_of[from][i] = NOWHERE;
		stamp[from][i] = 0;
	}
	if (!any)
		owner[from] = FREE;
	return any ? TV_AGAIN : TV_OK;
}

static void move(int v, int from)
{
	int to = rnd(CHUNKS);
	int64_t want = move_model(v, from, to);

	expect("TV_CHUNK_MOVE",
	       status(TV_CHUNK_MOVE, svm[v].handle, chunk_pa(from), chunk_pa(to), 0), want);
}

static void free_unused(int v, int c)
{
	int64_t want = by_state(v, svm[v].state != DYING);
	bool used = !owns(v, c);

	for (int i = 0; i < IN_BLOCK; i++)
		used |= ipa_of[c][i] != NOWHERE;
	if (want == TV_OK && used)
		want = TV_EDENIED;
	if (want == TV_OK)
		owner[c] = FREE;
	expect("TV_CHUNK_FREE", status(TV_CHUNK_FREE, svm[v].handle, chunk_pa(c), 0, 0), want);
}

/* One step, a chunk. Rather rare, or nothing would come to anything. */
static void destroy(int v, int a)
{
	struct svm *s = &svm[v];
	int64_t want = by_state(v, true);

	(void)a;
	if (s->state != DYING && rnd(6))
		return;
	if (want == TV_OK) {
		s->state = DYING;
		for (int c = 0; c < CHUNKS && want == TV_OK; c++) {
			if (!owns(v, c))
				continue;
			owner[c] = FREE;
			want = TV_AGAIN;
		}
	}
	expect("TV_VM_DESTROY", status(TV_VM_DESTROY, s->handle, 0, 0, 0), want);
	if (want == TV_OK)
		s->state = NONE;
}

/* ---- checks --------------------------------------------------------------- */

static void check_page(int v, int p)
{
	const uint64_t *page = seen(v, p);
	int at = svm[v].at[p];

	if (!page != (at == NOWHERE))
		wrong("a mapping", !!page, at != NOWHERE);
	if (!page)
		return;
	if (page != host_mem(place_pa(at)))
		wrong("where a page is", at, at);
	expect("its content", page[0], stamp[at / IN_BLOCK][at % IN_BLOCK]);
	expect("is it Secure", host_secure(place_pa(at)), true);
}

static void check_svm(int v, int every)
{
	if (svm[v].state != NEW && svm[v].state != LIVE)
		return;
	for (int p = every == 1 ? 0 : rnd(every); p < PAGES; p += every)
		check_page(v, p);
}

static void check_all(int v)
{
	struct tv_args a = smc(TV_AUDIT, 0, 0, 0, 0);
	bool whole = operations % ALL_EVERY == 0;

	expect("TV_AUDIT", a.x[0], TV_OK);
	expect("violations", a.x[1], 0);
	expect("chunks in Secure runs", a.x[2], top[0] + top[1]);
	for (int i = 0; whole && i < SVMS; i++)
		check_svm(i, 1);
	check_svm(v, 64);
}

static const struct {
	const char *name;
	void (*run)(int v, int chunk);
	int weight;
} table[] = {
	{"create", create, 2},       {"seal", seal, 1},        {"take", take, 6},
	{"take", dirty_and_take, 2}, {"load", load, 8},        {"ask", ask, 10},
	{"touch", touch, 30},        {"move", move, 12},       {"destroy", destroy, 4},
	{"return", give_back, 4},    {"free", free_unused, 4},
};
#define KINDS (int)(sizeof(table) / sizeof(table[0]))

static uint64_t done[KINDS];

static void one_operation(void)
{
	int all = 0, kind, n;
	int v = rnd(SVMS), c = rnd(CHUNKS);

	for (kind = 0; kind < KINDS; kind++)
		all += table[kind].weight;
	n = rnd(all);
	for (kind = 0; n >= table[kind].weight; kind++)
		n -= table[kind].weight;
	doing = table[kind].name;
	done[kind]++;
	table[kind].run(v, c);
	check_all(v);
}

static void start(void)
{
	host_reset();
	host_boot(&host_manifest);
	host_guest = guest;
	for (int c = 0; c < CHUNKS; c++)
		owner[c] = NORMAL;
	expect("TV_CPU_SHARE", status(TV_CPU_SHARE, SHARE, 0, 0, 0), TV_OK);
	expect("TV_POOL_ADD", status(TV_POOL_ADD, chunk_pa(0), 4 * TV_CHUNK_SIZE, 0, 0), TV_OK);
	expect("TV_POOL_ADD", status(TV_POOL_ADD, chunk_pa(4), 2 * TV_CHUNK_SIZE, 0, 0), TV_OK);
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 0) : 10000;

	random_state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	start();
	for (operations = 1; operations <= n; operations++)
		one_operation();
	printf("# %" PRIu64 " operations:", n);
	for (int i = 0; i < KINDS; i++)
		printf(" %s %" PRIu64, table[i].name, done[i]);
	putchar('\n');
	return 0;
}
