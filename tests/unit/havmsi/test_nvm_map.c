// SPDX-License-Identifier: BSD-3-Clause
/* What the stage 2 of N-VMs holds: what KVM asks for, of ordinary memory, and no longer than that.
 */
#include "heap.h"
#include "ledger.h"
#include "unit_nvm.h"

#define RIGHTS (3UL << 53 | 0x7fc) /* that a leaf takes over */

static struct nvm fresh(void)
{
	boot();
	add_pool();
	return nvm_new();
}

static void ask(struct nvm *n, uint64_t ipa, unsigned level, uint64_t desc)
{
	*npt_entry(&n->npt, ipa, level) = desc;
}

static bool maps(uint64_t ipa, uint64_t desc, uint64_t unit)
{
	uint64_t size, leaf = nvm_leaf(ipa, &size);

	return leaf == desc && size == unit;
}

static bool maps_nothing(uint64_t ipa)
{
	uint64_t size;

	return !nvm_leaf(ipa, &size);
}

TEST(page, "nvm map: a page is mapped as asked for, there alone")
{
	struct nvm n = fresh();

	ask(&n, RAM, 3, ASK_PAGE(ORDINARY + PAGE(7), LEAF_RW));
	check(reads(&n, RAM));
	check(maps(RAM, ASK_PAGE(ORDINARY + PAGE(7), LEAF_RW), TV_PAGE_SIZE));
	check(maps_nothing(RAM + PAGE(1)) && maps_nothing(RAM - PAGE(1)));
	check(!reads(&n, RAM + PAGE(1)));
	check_audit();
}

TEST(block, "nvm map: a block of 2 MiB is one, of 1 GiB those of it that are touched")
{
	struct nvm n = fresh();

	ask(&n, RAM, 2, ASK_BLOCK(ORDINARY, LEAF_RW));
	check(reads(&n, RAM + PAGE(5)));
	check(maps(RAM, ASK_BLOCK(ORDINARY, LEAF_RW), BLOCK));
	check(maps_nothing(RAM + BLOCK));
	ask(&n, 0, 1, ASK_BLOCK(HOST_DRAM, LEAF_RW));
	check(reads(&n, 3 * BLOCK + PAGE(1)));
	check(maps(3 * BLOCK, ASK_BLOCK(HOST_DRAM + 3 * BLOCK, LEAF_RW), BLOCK));
	check(maps_nothing(2 * BLOCK) && maps_nothing(4 * BLOCK));
	check_audit();
}

TEST(misaligned, "nvm map: low bits of a block's address count for nothing")
{
	struct nvm n = fresh();

	ask(&n, RAM, 2, ASK_BLOCK(ORDINARY + PAGE(3), LEAF_RW));
	check(reads(&n, RAM + PAGE(1)));
	check(maps(RAM, ASK_BLOCK(ORDINARY, LEAF_RW), BLOCK));
}

TEST(other_bits, "nvm map: of a descriptor only address and rights are taken over")
{
	struct nvm n = fresh();
	uint64_t desc = ASK_PAGE(ORDINARY, LEAF_RW), all = 0xffff000000000fffUL;

	ask(&n, RAM, 3, desc | (all & ~RIGHTS));
	check(reads(&n, RAM));
	check(maps(RAM, desc, TV_PAGE_SIZE));
	ask(&n, RAM + BLOCK, 2, (desc & ~2UL) | (all & ~RIGHTS & ~2UL));
	check(reads(&n, RAM + BLOCK));
	check(maps(RAM + BLOCK, desc & ~2UL, BLOCK));
	for (unsigned attr = 0; attr < 16; attr++) { /* MemAttr */
		check_eq(forget(&n, 0, 0), TV_OK);
		ask(&n, RAM, 3, (desc & ~0x3cUL) | attr << 2);
		check(reads(&n, RAM));
		check(maps(RAM, (desc & ~0x3cUL) | attr << 2, TV_PAGE_SIZE));
	}
}

/* Which of read, write and fetch, bits 0 to 2, are served */
static unsigned served(struct nvm *n, uint64_t attrs)
{
	unsigned found = 0;

	ask(n, RAM, 3, ASK_PAGE(ORDINARY, attrs));
	for (unsigned i = 0; i < 3; i++) {
		const struct step touch[] = {READ(RAM), WRITE(RAM), FETCH(RAM)};

		check_eq(forget(n, RAM, TV_PAGE_SIZE), TV_OK);
		if (!comes_out(n, touch[i])) {
			check(maps(RAM, ASK_PAGE(ORDINARY, attrs), TV_PAGE_SIZE));
			found |= 1 << i;
		} else {
			check(maps_nothing(RAM));
			check_eq(shared()->hpfar, HPFAR(RAM));
		}
	}
	return found;
}

TEST(rights, "nvm map: an access that the normal S2PT does not allow is KVM's to see to")
{
	struct nvm n = fresh();

	check_eq(served(&n, LEAF_ATTRS | LEAF_READ | LEAF_WRITE), 7);
	check_eq(served(&n, LEAF_ATTRS | LEAF_READ), 5);
	check_eq(served(&n, LEAF_ATTRS | LEAF_WRITE), 2);
	check_eq(served(&n, LEAF_ATTRS), 0);
	check_eq(served(&n, LEAF_ATTRS | LEAF_READ | LEAF_WRITE | LEAF_XN), 3);
	check_eq(served(&n, LEAF_ATTRS | LEAF_READ | LEAF_WRITE | LEAF_XN >> 1), 3);
	check_eq(served(&n, LEAF_ATTRS | LEAF_READ | LEAF_XN), 1);
	check_eq(served(&n, (LEAF_ATTRS & ~LEAF_AF) | LEAF_READ | LEAF_WRITE), 0);
	check_audit();
}

/* What KVM is told of an access that its table does not allow, which the guest's table has not at
 * all */
static uint64_t told(struct nvm *n, struct step touch)
{
	check(comes_out(n, touch));
	return shared()->esr;
}

TEST(told_rights,
     "nvm map: KVM is told what it has in its table: too few rights, or no access flag")
{
	struct nvm n = fresh();

	ask(&n, RAM, 3, ASK_PAGE(ORDINARY, LEAF_ATTRS | LEAF_READ | LEAF_XN));
	check_eq(told(&n, (struct step)WRITE(RAM)), EC(EC_DATA) | PERMISSION_L3 | ISS_WNR);
	check_eq(told(&n, (struct step)FETCH(RAM)), EC(EC_FETCH) | PERMISSION_L3);
	ask(&n, RAM, 3, ASK_PAGE(ORDINARY, LEAF_RW & ~LEAF_AF));
	check_eq(told(&n, (struct step)READ(RAM)), EC(EC_DATA) | ACCESS_FLAG_L3);
	ask(&n, RAM, 2, ASK_BLOCK(ORDINARY, LEAF_ATTRS | LEAF_READ));
	check_eq(told(&n, (struct step)WRITE(RAM)), EC(EC_DATA) | (PERMISSION_L3 - 1) | ISS_WNR);
	ask(&n, RAM, 1, ASK_BLOCK(ORDINARY & ~(BLOCK * 512 - 1), LEAF_ATTRS | LEAF_READ));
	check_eq(told(&n, (struct step)WRITE(RAM)), EC(EC_DATA) | (PERMISSION_L3 - 2) | ISS_WNR);
	ask(&n, RAM, 1, 0);
	check_eq(told(&n, (struct step)WRITE(RAM)), EC(EC_DATA) | TRANSLATION_L3 | ISS_WNR);
}

TEST(stage1_walk, "nvm map: a walk of stage 1 reads; where it may read, it is refused a write")
{
	struct nvm n = fresh();
	const struct step walk = ABORT(EC_DATA, TRANSLATION_L3 | ISS_S1PTW | ISS_WNR, RAM);
	const struct step fetch = ABORT(EC_FETCH, TRANSLATION_L3 | ISS_S1PTW, RAM);
	const struct step update = ABORT(EC_DATA, PERMISSION_L3 | ISS_S1PTW, RAM);

	ask(&n, RAM, 3, ASK_PAGE(ORDINARY, LEAF_ATTRS | LEAF_READ | LEAF_XN));
	check(!comes_out(&n, walk));
	check_eq(forget(&n, 0, 0), TV_OK);
	check(!comes_out(&n, fetch));
	check(comes_out(&n, update)); /* of access flag or dirty state */
	ask(&n, RAM, 3, ASK_PAGE(ORDINARY, LEAF_RW | LEAF_XN));
	check(!comes_out(&n, update));
	ask(&n, RAM, 3, ASK_PAGE(ORDINARY, LEAF_ATTRS | LEAF_WRITE));
	check(comes_out(&n, walk));
}

TEST(relaxed,
     "nvm map: after a permission fault the page is mapped with the rights that there are now")
{
	struct nvm n = fresh();
	const struct step denied = ABORT(EC_DATA, PERMISSION_L3 | ISS_WNR, RAM);

	ask(&n, RAM, 3, ASK_PAGE(ORDINARY, LEAF_ATTRS | LEAF_READ));
	check(reads(&n, RAM));
	check(comes_out(&n, denied));
	ask(&n, RAM, 3, ASK_PAGE(ORDINARY, LEAF_RW));
	host_forget();
	check(!comes_out(&n, denied));
	check(maps(RAM, ASK_PAGE(ORDINARY, LEAF_RW), TV_PAGE_SIZE));
	check_eq(host_what[HOST_TLB_VM], host_run.vmid);
	check(host_when[HOST_TLB_VM] < host_when[HOST_S2_WRITE]);
	check_audit();
}

TEST(kinds, "nvm map: translation, permission and access flag faults are served, others are KVM's")
{
	struct nvm n = fresh();

	ask(&n, RAM, 3, ASK_PAGE(ORDINARY, LEAF_RW));
	for (unsigned fsc = 0; fsc < 64; fsc++) {
		check_eq(comes_out(&n, (struct step)ABORT(EC_DATA, fsc, RAM)), fsc >= 0x10);
		check_eq(comes_out(&n, (struct step)ABORT(EC_FETCH, fsc, RAM)), fsc >= 0x10);
		check(comes_out(&n, (struct step)ABORT(0x25, fsc, RAM)));
	}
}

TEST(grows, "nvm map: a block in place of pages, and pages in place of a block")
{
	struct nvm n = fresh();
	uint64_t before = audit().x[4];

	for (unsigned i = 0; i < 3; i++) {
		ask(&n, RAM + PAGE(200 * i), 3, ASK_PAGE(ORDINARY + PAGE(200 * i), LEAF_RW));
		check(reads(&n, RAM + PAGE(200 * i)));
	}
	check_eq(audit().x[4], before - 3); /* root: before */
	host_forget();
	ask(&n, RAM, 2, ASK_BLOCK(ORDINARY, LEAF_RW));
	check(reads(&n, RAM + PAGE(1)));
	check(maps(RAM, ASK_BLOCK(ORDINARY, LEAF_RW), BLOCK));
	check(host_when[HOST_TLB_VM] && host_when[HOST_TLB_VM] < host_when[HOST_S2_WRITE]);
	check_eq(host_count[HOST_TLB_VM], 2); /* of the leaves, of the table */
	check_eq(audit().x[4], before - 2);
	ask(&n, RAM, 2, 0);
	ask(&n, RAM + PAGE(1), 3, ASK_PAGE(ORDINARY + PAGE(9), LEAF_RW));
	check(reads(&n, RAM + PAGE(1)));
	check(maps(RAM + PAGE(1), ASK_PAGE(ORDINARY + PAGE(9), LEAF_RW), TV_PAGE_SIZE));
	check(maps_nothing(RAM) && maps_nothing(RAM + PAGE(2)));
	check_eq(audit().x[4], before - 3);
	check_audit();
	check_eq(destroy(&n), TV_OK);
	check_eq(audit().x[4], before + 1);
}

/* Pages and a block, around both ends of what is forgotten */
TEST(forgets, "nvm map: what is forgotten is what overlaps the range, and no more")
{
	struct nvm n = fresh();
	static const uint64_t at[] = {0,
				      BLOCK - 0x1000,
				      BLOCK,
				      BLOCK + 0x1000,
				      (1UL << 30) - 0x1000,
				      1UL << 30,
				      (1UL << 39) - 0x1000,
				      1UL << 39,
				      (1UL << 40) - 0x1000};
	const unsigned many = sizeof(at) / sizeof(at[0]);

	for (unsigned i = 0; i < many; i++)
		ask(&n, at[i], 3, ASK_PAGE(ORDINARY + PAGE(i), LEAF_RW));
	for (unsigned from = 0; from < many; from++) {
		for (unsigned to = from; to < many; to++) {
			for (unsigned i = 0; i < many; i++)
				check(reads(&n, at[i]));
			check_eq(forget(&n, at[from], at[to] + PAGE(1) - at[from]), TV_OK);
			for (unsigned i = 0; i < many; i++)
				check_eq(maps_nothing(at[i]), i >= from && i <= to);
		}
	}
	check_eq(forget(&n, 0, 0), TV_OK);
	for (unsigned i = 0; i < many; i++)
		check(maps_nothing(at[i]));
	check_audit();
}

TEST(forget_part, "nvm map: a leaf of which a byte is forgotten goes as a whole")
{
	struct nvm n = fresh();

	ask(&n, RAM, 2, ASK_BLOCK(ORDINARY, LEAF_RW));
	ask(&n, RAM + BLOCK, 2, ASK_BLOCK(ORDINARY + BLOCK, LEAF_RW));
	check(reads(&n, RAM) && reads(&n, RAM + BLOCK));
	check_eq(forget(&n, RAM + BLOCK - 1, 1), TV_OK);
	check(maps_nothing(RAM) && !maps_nothing(RAM + BLOCK));
	check(reads(&n, RAM));
	check_eq(forget(&n, RAM + BLOCK, 1), TV_OK);
	check(!maps_nothing(RAM) && maps_nothing(RAM + BLOCK));
}

TEST(forget_args, "nvm map: a range beyond the N-VM's addresses is refused")
{
	struct nvm n = fresh();

	ask(&n, RAM, 3, ASK_PAGE(ORDINARY, LEAF_RW));
	check(reads(&n, RAM));
	check_eq(forget(&n, 0, (1UL << NPT_BITS) + 1), TV_EINVAL);
	check_eq(forget(&n, 1UL << NPT_BITS, 1), TV_EINVAL);
	check_eq(forget(&n, RAM, -RAM), TV_EINVAL);
	check_eq(forget(&n, -1, 2), TV_EINVAL);
	check(!maps_nothing(RAM));
	check_eq(forget(&n, 0, 1UL << NPT_BITS), TV_OK);
	check(maps_nothing(RAM));
}

TEST(beyond, "nvm map: no address beyond the normal S2PT is looked up in what follows its root")
{
	struct nvm n = fresh();
	uint64_t beyond = 1UL << NPT_BITS;

	ordinary_page(); /* the guest's own, as it happens */
	*(uint64_t *)host_mem(n.npt.root + 2 * TV_PAGE_SIZE) = ASK_BLOCK(HOST_DRAM, LEAF_RW);
	check(!reads(&n, beyond));
	check(maps_nothing(beyond));
	check(!reads(&n, beyond + RAM));
	check(!reads(&n, (1UL << 48) - PAGE(1)));
	check_audit();
}

/* TV_EDENIED, nothing is mapped, and KVM is told where */
static void check_denied(struct nvm *n, uint64_t pa)
{
	GUEST(READ(RAM));
	ask(n, RAM, 2, 0);
	ask(n, RAM, 3, ASK_PAGE(pa & ~0xfffUL, LEAF_RW));
	check_eq(nvm_run_new(n), TV_EDENIED);
	check_eq(shared()->hpfar, HPFAR(RAM));
	check_eq(guest_runs, 1);
	check(maps_nothing(RAM));
	ask(n, RAM, 2, ASK_BLOCK(pa & ~(BLOCK - 1), LEAF_RW));
	guest_runs = 0;
	check_eq(nvm_run_new(n), TV_EDENIED);
	check_eq(guest_runs, 1);
	check(maps_nothing(RAM));
	check_audit();
}

TEST(closed,
     "nvm map: neither the S-visor's memory, nor chunks taken, nor what is no DRAM is mapped")
{
	struct nvm n = fresh();
	struct svm vm = svm_launch(0, 1, 1);

	check_eq(smc(TV_CHUNK_TAKE, TV_SVISOR, CHUNK(1), 0, 0), TV_OK);
	check_denied(&n, CHUNK(0));
	check_denied(&n, CHUNK(1));
	check_denied(&n, CHUNK(2) - PAGE(1));
	check_denied(&n, HOST_SVISOR);
	check_denied(&n, HOST_SVISOR + HOST_SVISOR_SIZE - PAGE(1));
	check_denied(&n, HOST_SVISOR + HOST_SVISOR_SIZE);
	check_denied(&n, HOST_DRAM - PAGE(1));
	check_denied(&n, HOST_HIGH + HOST_HIGH_SIZE);
	check_denied(&n, 0);
	check_denied(&n, 0xfffffffff000);
	ask(&n, RAM, 2, ASK_BLOCK(CHUNK(2), LEAF_RW));
	check(reads(&n, RAM));
	check_eq(svm_destroy(vm.handle), TV_OK);
	check_denied(&n, CHUNK(0)); /* free is not ordinary */
}

TEST(was_mapped, "nvm map: what KVM no longer asks for is gone, even if what it asks for is denied")
{
	struct nvm n = fresh();

	ask(&n, RAM, 3, ASK_PAGE(CHUNK(0), LEAF_RW));
	check(reads(&n, RAM));
	check_denied(&n, HOST_SVISOR);
	check_eq(take_elsewhere(CHUNK(0)), TV_OK);
	check_audit();
}

TEST(table_closed, "nvm map: a table of the normal S2PT that is not ordinary memory is not read")
{
	struct nvm n = fresh();
	struct svm vm = svm_launch(0, ASK_PAGE(ORDINARY, LEAF_RW), 1); /* all of a page */

	GUEST(READ(RAM));
	ask(&n, RAM, 2, CHUNK(0) | 3);
	check_eq(nvm_run_new(&n), TV_EDENIED);
	check_eq(shared()->hpfar, HPFAR(RAM));
	check(maps_nothing(RAM));
	(void)vm;
}

static struct nvm hooked;
static unsigned hook_calls;

/* On another CPU, in the middle of an operation */
static void run_hooked(uint64_t pa, int64_t want)
{
	host_op_hook = NULL;
	hook_calls++;
	host_cpu(2);
	GUEST(READ(RAM));
	ask(&hooked, RAM, 3, ASK_PAGE(pa, LEAF_RW));
	check_eq(nvm_run_new(&hooked), want);
	host_cpu(0);
}

static void when_flushed(enum host_op op, uint64_t what)
{
	if (op == HOST_NS_FLUSH) {
		run_hooked(what, TV_EDENIED);
		run_hooked(what + TV_CHUNK_SIZE - PAGE(1), TV_EDENIED);
		run_hooked(what + TV_CHUNK_SIZE, TV_OK);
	}
}

TEST(growing, "nvm map: nor is a chunk that is about to be taken; the next one is")
{
	hooked = fresh();
	host_op_hook = when_flushed;
	check_eq(smc(TV_CHUNK_TAKE, TV_SVISOR, CHUNK(0), 0, 0), TV_OK);
	check_eq(hook_calls, 3);
	check_eq(smc(TV_CHUNK_TAKE, TV_SVISOR, CHUNK(1), 0, 0), TV_EBUSY);
	check_audit();
}

TEST(lent, "nvm map: a chunk is not taken while any N-VM maps a page of it, and is after that")
{
	struct nvm a = fresh(), b = nvm_new();

	ask(&a, RAM, 3, ASK_PAGE(CHUNK(0), LEAF_RW));
	ask(&a, RAM + PAGE(1), 3, ASK_PAGE(CHUNK(1) - PAGE(1), LEAF_RW));
	ask(&b, RAM, 2, ASK_BLOCK(CHUNK(0), LEAF_RW));
	check(reads(&a, RAM) && reads(&a, RAM + PAGE(1)) && reads(&b, RAM));
	check(reads(&b, RAM)); /* again, the same */
	check_eq(smc(TV_CHUNK_TAKE, TV_SVISOR, CHUNK(0), 0, 0), TV_EBUSY);
	check_eq(forget(&a, RAM, PAGE(1)), TV_OK);
	check_eq(smc(TV_CHUNK_TAKE, TV_SVISOR, CHUNK(0), 0, 0), TV_EBUSY);
	check_eq(destroy(&b), TV_OK);
	check_eq(smc(TV_CHUNK_TAKE, TV_SVISOR, CHUNK(0), 0, 0), TV_EBUSY);
	check_eq(forget(&a, 0, 0), TV_OK);
	check_eq(forget(&a, 0, 0), TV_OK);
	check_eq(smc(TV_CHUNK_TAKE, TV_SVISOR, CHUNK(0), 0, 0), TV_OK);
	check(!host_secure(CHUNK(1)));
	check_audit();
}

TEST(lent_svm, "nvm map: so it is when an S-VM wants the chunk")
{
	struct nvm n = fresh();
	struct svm vm = svm_new();

	ask(&n, RAM, 3, ASK_PAGE(CHUNK(0) + PAGE(99), LEAF_RW));
	check(reads(&n, RAM));
	check_eq(take(&vm, 0), TV_EBUSY);
	check(!host_secure(CHUNK(0)));
	check_audit();
	check_eq(destroy(&n), TV_OK);
	check_eq(take(&vm, 0), TV_OK);
	check_audit();
}

TEST(lent_again, "nvm map: a chunk that was taken and returned can be lent and taken again")
{
	struct nvm n = fresh();

	ask(&n, RAM, 3, ASK_PAGE(CHUNK(0), LEAF_RW));
	for (unsigned i = 0; i < 3; i++) {
		check_eq(smc(TV_CHUNK_TAKE, TV_SVISOR, CHUNK(0), 0, 0), TV_OK);
		check_denied(&n, CHUNK(0));
		check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_OK);
		ask(&n, RAM, 2, 0);
		ask(&n, RAM, 3, ASK_PAGE(CHUNK(0), LEAF_RW));
		check(reads(&n, RAM));
		check_eq(smc(TV_CHUNK_TAKE, TV_SVISOR, CHUNK(0), 0, 0), TV_EBUSY);
		check_eq(forget(&n, RAM, PAGE(1)), TV_OK);
	}
	check_audit();
}

/* Whoever wants the chunk at that moment does not get it. */
static void take_at_flush(enum host_op op, uint64_t what)
{
	if (op == HOST_TLB_VM && what == host_run.vmid) {
		host_op_hook = NULL;
		hook_calls++;
		check_eq(take_elsewhere(CHUNK(0)), TV_EBUSY);
	}
}

TEST(flushed_first, "nvm map: a chunk can be taken only when no TLB has its pages any more")
{
	struct nvm n = fresh();

	ask(&n, RAM, 3, ASK_PAGE(CHUNK(0), LEAF_RW));
	check(reads(&n, RAM));
	host_op_hook = take_at_flush;
	host_forget();
	check_eq(forget(&n, RAM, PAGE(1)), TV_OK);
	check_eq(hook_calls, 1);
	check_eq(host_count[HOST_TLB_VM], 1);
	check(reads(&n, RAM));
	host_op_hook = take_at_flush;
	check_eq(destroy(&n), TV_OK);
	check_eq(hook_calls, 2);
	check_eq(take_elsewhere(CHUNK(0)), TV_OK);
}

TEST(nothing_to_flush, "nvm map: where nothing is mapped nothing is flushed")
{
	struct nvm n = fresh();

	check_eq(nvm_run_new(&n), TV_OK);
	host_forget();
	check_eq(forget(&n, 0, 0), TV_OK);
	check_eq(host_count[HOST_TLB_VM], 0);
}

static void *eaten[4096];

static unsigned eat_heap(unsigned leave)
{
	unsigned n = 0;

	while ((eaten[n] = heap_alloc(1)))
		n++;
	for (; leave; leave--)
		heap_free(eaten[--n], 1);
	return n;
}

TEST(no_heap, "nvm map: with no heap for tables a run says so, and nothing is lent")
{
	struct nvm n = fresh();
	unsigned left;

	ask(&n, RAM, 3, ASK_PAGE(CHUNK(0), LEAF_RW));
	for (unsigned pages = 0; pages < 3; pages++) { /* of levels 1, 2 and 3 */
		left = eat_heap(pages);
		GUEST(READ(RAM));
		check_eq(nvm_run_new(&n), TV_ENOHEAP);
		check_eq(shared()->hpfar, HPFAR(RAM));
		check_eq(guest_runs, 1);
		check(maps_nothing(RAM));
		while (left)
			heap_free(eaten[--left], 1);
		check_audit();
		check_eq(destroy(&n), TV_OK);
		n = (struct nvm){call(TV_NVM_CREATE, n.npt.root, NPT_BITS, NPT_LEVEL, 0).x[1],
				 n.npt};
	}
	check_eq(take_elsewhere(CHUNK(0)), TV_OK);
}

TEST(pool_late, "nvm map: no pool is added while an N-VM maps what is in none")
{
	struct nvm n;

	boot();
	n = nvm_new();
	ask(&n, RAM, 3, ASK_PAGE(CHUNK(0), LEAF_RW));
	check(reads(&n, RAM));
	check_eq(smc(TV_POOL_ADD, POOL, POOL_CHUNKS * TV_CHUNK_SIZE, 0, 0), TV_EBUSY);
	check_eq(destroy(&n), TV_OK);
	add_pool();
	check_audit();
}

static uint64_t *entry_of(uint64_t root, uint64_t ipa)
{
	uint64_t table = root;

	for (int shift = 39; shift > 12; shift -= 9)
		table = *(uint64_t *)host_mem(table + (ipa >> shift & 511) * 8) & 0xfffffffff000;
	return host_mem(table + (ipa >> 12 & 511) * 8);
}

TEST(audit_sees, "nvm map: a leaf that must not be is found by the audit")
{
	struct nvm n = fresh();
	uint64_t *leaf, old;

	ask(&n, RAM, 3, ASK_PAGE(ORDINARY, LEAF_RW));
	check(reads(&n, RAM));
	check_eq(take_elsewhere(CHUNK(0)), TV_OK);
	leaf = entry_of(host_run.s2_root, RAM);
	old = *leaf;
	check_audit();
	*leaf = ASK_PAGE(CHUNK(0), LEAF_RW);
	check_eq(audit().x[1], 1);
	*leaf = ASK_PAGE(HOST_SVISOR + PAGE(9), LEAF_RW);
	check_eq(audit().x[1], 1);
	*leaf = ASK_PAGE(0x9000000, LEAF_RW);
	check_eq(audit().x[1], 1);
	*leaf = old;
	check_audit();
}

static struct nvm changing;

/* KVM changes its table while it is walked. */
static void change(uint64_t pa)
{
	uint64_t *leaf = npt_entry(&changing.npt, RAM, 3);

	(void)pa;
	*leaf = *leaf == ASK_PAGE(ORDINARY, LEAF_RW) ? ASK_PAGE(HOST_SVISOR, LEAF_RW)
						     : ASK_PAGE(ORDINARY, LEAF_RW);
	hook_calls++;
}

TEST(changes, "nvm map: a descriptor that changes is judged as it was mapped")
{
	int64_t ret;

	changing = fresh();
	ask(&changing, RAM, 3, ASK_PAGE(ORDINARY, LEAF_RW));
	for (unsigned i = 0; i < 8; i++) {
		GUEST(READ(RAM));
		host_ns_hook = change;
		ret = nvm_run_new(&changing);
		host_ns_hook = NULL;
		check(ret == TV_EDENIED || maps(RAM, ASK_PAGE(ORDINARY, LEAF_RW), TV_PAGE_SIZE));
		if (i & 1)
			change(0);
	}
	check(hook_calls > 8);
	check_audit();
}
