// SPDX-License-Identifier: BSD-3-Clause
/* Chunks that move, the S-visor's own chunks, and the long part of taking one (I1, I2, I9). */
#include "fixture.h"
#include "heap.h"
#include "vm.h"

static struct svm vm;

/* An S-VM of chunks 0 and 1: a page at RAM, a block at RAM + 2 MiB, three pages at RAM + 4 MiB, all
 * in chunk 1. */
static void start(void)
{
	static const unsigned pages[] = {1100, 1024, 1535};

	boot();
	add_pool();
	vm = svm_new();
	check_eq(take(&vm, 0), TV_OK);
	memset(host_mem(HOST_DRAM + PAGE(2000)), 0x5e, PAGE(1));
	check_eq(load_page(vm.handle, RAM, HOST_DRAM + PAGE(2000), CHUNK(1) + PAGE(4)), TV_OK);
	memset(shared(), 0, sizeof(*shared()));
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 0, TV_VCPU_ON, 0), TV_OK);
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_OK);
	*npt_entry(&vm.npt, RAM + BLOCK_SIZE, 2) = (CHUNK(1) + BLOCK_SIZE) | 0x7fd;
	for (unsigned i = 0; i < 3; i++)
		npt_page(&vm.npt, RAM + 2 * BLOCK_SIZE + PAGE(2 * i), CHUNK(1) + PAGE(pages[i]));
	GUEST(DATA_FAULT(RAM + BLOCK_SIZE), DATA_FAULT(RAM + 2 * BLOCK_SIZE),
	      DATA_FAULT(RAM + 2 * BLOCK_SIZE + PAGE(2)),
	      DATA_FAULT(RAM + 2 * BLOCK_SIZE + PAGE(4)));
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(guest_runs, 5);
	memset(host_mem(CHUNK(1) + BLOCK_SIZE), 0x77, BLOCK_SIZE);
	for (unsigned i = 0; i < 3; i++)
		memset(host_mem(CHUNK(1) + PAGE(pages[i])), 0x10 + i, PAGE(1));
	check_audit();
}

static int64_t move(unsigned from, unsigned to)
{
	return smc(TV_CHUNK_MOVE, vm.handle, CHUNK(from), CHUNK(to), 0);
}

static void *guest_page(uint64_t ipa)
{
	return host_guest_mem(host_run.s2_root, ipa);
}

static bool contents_at(unsigned chunk)
{
	uint64_t c = CHUNK(chunk);

	return guest_page(RAM) == host_mem(c + PAGE(4)) &&
	       all_words(c + PAGE(4), PAGE(1), 0x5e5e5e5e5e5e5e5e) &&
	       guest_page(RAM + BLOCK_SIZE + PAGE(9)) == host_mem(c + BLOCK_SIZE + PAGE(9)) &&
	       all_words(c + BLOCK_SIZE, BLOCK_SIZE, 0x7777777777777777) &&
	       guest_page(RAM + 2 * BLOCK_SIZE + PAGE(2)) == host_mem(c + PAGE(1024)) &&
	       all_words(c + PAGE(1024), PAGE(1), 0x1111111111111111) &&
	       all_words(c + PAGE(1100), PAGE(1), 0x1010101010101010) &&
	       all_words(c + PAGE(1535), PAGE(1), 0x1212121212121212);
}

TEST(move_all, "move: a block of the chunk a call, then the chunk is free and the top can go")
{
	start();
	check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_EBUSY);
	for (unsigned i = 0; i < 3; i++) {
		check_eq(move(1, 0), TV_AGAIN);
		check_audit();
	}
	check(all_words(CHUNK(1), TV_CHUNK_SIZE, 0));
	check(contents_at(0));
	check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_EBUSY);
	check_eq(move(1, 0), TV_OK);
	check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_OK);
	check(!host_secure(CHUNK(1)));
	check(contents_at(0));
	check_audit();
	check_eq(move(1, 0), TV_EDENIED);
	check_eq(svm_destroy(vm.handle), TV_OK);
	check(all_words(CHUNK(0), TV_CHUNK_SIZE, 0));
	check_audit();
}

TEST(move_order, "move: unmapped, TLBs flushed, copied, mapped, in this order")
{
	start();
	check_eq(move(1, 0), TV_AGAIN);
	host_forget();
	check_eq(move(1, 0), TV_AGAIN);
	check_eq(host_count[HOST_S2_WRITE], 2);
	check_eq(host_count[HOST_TLB_VM], 1);
	check_eq(host_when[HOST_TLB_VM], 2); /* after the first write ... */
	check_eq(host_what[HOST_TLB_VM], 1);
	check_eq(host_count[HOST_PAGE_COPY], BLOCK_PAGES);
	check(host_when[HOST_PAGE_COPY] < host_when[HOST_S2_WRITE]); /* ... and before the last */
	check_eq(host_what[HOST_S2_WRITE], (CHUNK(0) + BLOCK_SIZE) | 0x7d9);
}

/* While it is copied, nothing of it is mapped. */
static void see_unmapped(enum host_op op, uint64_t what)
{
	(void)what;
	if (op != HOST_PAGE_COPY)
		return;
	check(!guest_page(RAM));
	check(guest_page(RAM + BLOCK_SIZE)); /* the others stay */
}

TEST(move_unmapped, "move: what is copied nobody reaches, and the other pages all the time")
{
	start();
	host_op_hook = see_unmapped;
	check_eq(move(1, 0), TV_AGAIN);
	check_eq(host_count[HOST_PAGE_COPY], 1);
}

TEST(move_back, "move: half way, it can be undone; an S-VM that dies then loses both chunks")
{
	start();
	check_eq(move(1, 0), TV_AGAIN);
	check_eq(move(1, 0), TV_AGAIN);
	check_eq(move(0, 1), TV_AGAIN);
	check_eq(move(0, 1), TV_AGAIN);
	check_eq(move(0, 1), TV_OK);
	check(contents_at(1));
	check_eq(take(&vm, 0), TV_OK);
	check_eq(move(1, 0), TV_AGAIN);
	check_eq(svm_destroy(vm.handle), TV_OK);
	check(all_words(CHUNK(0), 2 * TV_CHUNK_SIZE, 0));
	check_audit();
	check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_OK);
	check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_OK);
}

TEST(move_args, "move: both chunks are the S-VM's, and two; it lives")
{
	struct svm other;

	start();
	other = svm_launch(2, 1, 1);
	check_eq(move(1, 1), TV_EDENIED);
	check_eq(move(0, 0), TV_EDENIED); /* that has no page to move */
	check_eq(move(1, 2), TV_EDENIED);
	check_eq(move(2, 0), TV_EDENIED);
	check_eq(move(1, 3), TV_EDENIED);
	check_eq(smc(TV_CHUNK_MOVE, vm.handle, CHUNK(1) + PAGE(1), CHUNK(0), 0), TV_EDENIED);
	check_eq(smc(TV_CHUNK_MOVE, vm.handle, CHUNK(1), CHUNK(0) + PAGE(1), 0), TV_EDENIED);
	check_eq(smc(TV_CHUNK_MOVE, vm.handle, CHUNK(1), ORDINARY, 0), TV_EDENIED);
	check_eq(smc(TV_CHUNK_MOVE, vm.handle, HOST_SVISOR, CHUNK(0), 0), TV_EDENIED);
	check_eq(smc(TV_CHUNK_MOVE, vm.handle, -1, -1, 0), TV_EDENIED);
	check_eq(smc(TV_CHUNK_MOVE, other.handle, CHUNK(1), CHUNK(0), 0), TV_EDENIED);
	check_eq(smc(TV_CHUNK_MOVE, TV_SVISOR, CHUNK(1), CHUNK(0), 0), TV_ENOENT);
	check(contents_at(1));
	check_eq(smc(TV_VM_DESTROY, vm.handle, 0, 0, 0), TV_AGAIN);
	check_eq(move(1, 0), TV_ESTATE);
	check_eq(svm_destroy(vm.handle), TV_OK);
	check_eq(move(1, 0), TV_ENOENT);
	check_audit();
}

/* The guest gets that page of chunk 0, above all else that it has. */
static uint64_t *more(unsigned page)
{
	npt_page(&vm.npt, RAM + 3 * BLOCK_SIZE, CHUNK(0) + PAGE(page));
	GUEST(DATA_FAULT(RAM + 3 * BLOCK_SIZE));
	check_eq(run(&vm, 0, 0), TV_OK);
	check(guest_page(RAM + 3 * BLOCK_SIZE) == host_mem(CHUNK(0) + PAGE(page)));
	return guest_page(RAM + 3 * BLOCK_SIZE);
}

TEST(move_collision, "move: never over a page that is given out")
{
	start();
	memset(more(1100), 0x42, PAGE(1));
	check_eq(move(1, 0), TV_AGAIN);
	check_eq(move(1, 0), TV_AGAIN);
	check_eq(move(1, 0), TV_EDENIED);
	check(all_words(CHUNK(0) + PAGE(1100), PAGE(1), 0x4242424242424242));
	check(all_words(CHUNK(1) + PAGE(1100), PAGE(1), 0x1010101010101010));
	check_audit();
}

TEST(move_merge, "move: into a chunk that has other pages, as long as they do not meet")
{
	start();
	more(1101);
	while (move(1, 0) == TV_AGAIN)
		check_audit();
	check(contents_at(0));
	check(guest_page(RAM + 3 * BLOCK_SIZE) == host_mem(CHUNK(0) + PAGE(1101)));
	check_audit();
}

TEST(drop_no_ram, "drop: what is mapped outside RAM is not the guest's to give up")
{
	uint32_t frame = DEVICE / TV_PAGE_SIZE;
	struct vm *v;
	pa_t unused;
	void *page;

	start();
	v = vm_lock(vm.handle);
	page = heap_alloc(1);
	check_eq(s2_prepare(&v->s2, IPA(DEVICE)), TV_OK);
	s2_map_shown(&v->s2, IPA(DEVICE), secure_pa(page));
	check_eq(vm_drop(v, &frame, 1, &unused), 0);
	check(host_guest_leaf(host_run.s2_root, DEVICE));
	s2_unmap(&v->s2, IPA(DEVICE));
	heap_free(page, 1);
	vm_unlock(v);
	check_audit();
}

/* ---- the S-visor's own chunks --------------------------------------------- */

TEST(heap_grows, "heap: a chunk given to the S-visor is its own, and goes back once it is unused")
{
	size_t before, own = 0;
	void *page, *last = NULL;

	boot();
	add_pool();
	before = heap_available();
	check_eq(smc(TV_CHUNK_TAKE, TV_SVISOR, CHUNK(1), 0, 0), TV_EDENIED);
	memset(host_mem(CHUNK(0)), 0x5a, TV_CHUNK_SIZE);
	check_eq(smc(TV_CHUNK_TAKE, TV_SVISOR, CHUNK(0), 0, 0), TV_OK);
	check_eq(heap_available(), before + TV_CHUNK_SIZE / TV_PAGE_SIZE - 1);
	check(host_secure(CHUNK(0)));
	check_audit();
	check_eq(call(TV_STATS, TV_STATS_VMS, 0, 0, 0).x[4], 1);
	check_eq(call(TV_STATS, TV_STATS_VMS, 0, 0, 0).x[2], 0);
	check_eq(smc(TV_CHUNK_TAKE, TV_SVISOR, CHUNK(0), 0, 0), TV_EDENIED);
	while ((page = heap_alloc(1))) {
		check(all_words(secure_pa(page).v, PAGE(1), 0));
		memset(page, 0x11, PAGE(1));
		own += secure_pa(page).v - CHUNK(0) < TV_CHUNK_SIZE;
		last = page;
	}
	check_eq(own, TV_CHUNK_SIZE / TV_PAGE_SIZE - 1);
	check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_EBUSY);
	for (uint64_t a = CHUNK(0) + PAGE(1); a < CHUNK(1); a += PAGE(1))
		heap_free(host_mem(a), 1);
	(void)last;
	check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_OK);
	check(!host_secure(CHUNK(0)));
	check(all_words(CHUNK(0), TV_CHUNK_SIZE, 0));
	check_eq(heap_alloc(1), NULL);
}

TEST(heap_free_chunk, "heap: a free chunk will do, and its records go")
{
	size_t before;

	boot();
	add_pool();
	before = heap_available();
	vm = svm_launch(0, 1, 1);
	check_eq(svm_destroy(vm.handle), TV_OK);
	check_eq(heap_available(), before - 4);
	check_eq(smc(TV_CHUNK_TAKE, TV_SVISOR, CHUNK(0), 0, 0), TV_OK);
	check_eq(heap_available(), before + TV_CHUNK_SIZE / TV_PAGE_SIZE - 1);
	vm = svm_new();
	check_eq(take(&vm, 0), TV_EDENIED);
	check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_OK);
	check_audit();
}

TEST(heap_serves,
     "heap: a call that lacked memory works once the S-visor has a chunk; S-VMs live there")
{
	static void *kept[HOST_SVISOR_SIZE / TV_PAGE_SIZE];
	unsigned n = 0;

	boot();
	add_pool();
	check_eq(smc(TV_CHUNK_TAKE, TV_SVISOR, CHUNK(0), 0, 0), TV_OK);
	while ((kept[n] = heap_alloc(1)) && secure_pa(kept[n]).v - HOST_SVISOR < HOST_SVISOR_SIZE)
		n++;
	heap_free(kept[n], 1);
	vm = svm_launch(1, 0x5ec4e7, 2);
	check_eq(run(&vm, 0, 0), TV_OK);
	check(host_run.s2_root - CHUNK(0) < TV_CHUNK_SIZE);
	check(host_guest_mem(host_run.s2_root, RAM) == host_mem(CHUNK(1)));
	check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_EBUSY);
	check_eq(svm_destroy(vm.handle), TV_OK);
	while (n)
		heap_free(kept[--n], 1);
	check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_OK);
	check_eq(smc(TV_CHUNK_RETURN, 0, 0, 0, 0), TV_OK);
	check_audit();
}

/* ---- while a chunk is taken ----------------------------------------------- */

static int64_t seen[8];
static enum host_op moment;

static void meanwhile(enum host_op op, uint64_t what)
{
	if (op != moment || what != CHUNK(1))
		return;
	host_op_hook = NULL;
	seen[0] = take(&vm, 1);
	seen[1] = take(&vm, 2);
	seen[2] = smc(TV_CHUNK_RETURN, 0, 0, 0, 0);
	seen[3] = smc(TV_VM_LOAD, vm.handle, RAM, HOST_DRAM, CHUNK(1));
	seen[4] = smc(TV_VM_DESTROY, vm.handle, 0, 0, 0);
	seen[5] = audit().x[1];
	seen[6] = lost_pages();
}

/* Chunk 0 has been given back, so that the destruction has nothing else to do. */
static void take_meanwhile(enum host_op when)
{
	boot();
	add_pool();
	vm = svm_new();
	check_eq(smc(TV_CHUNK_TAKE, TV_SVISOR, CHUNK(0), 0, 0), TV_OK);
	memset(host_mem(CHUNK(1)), 0x5a, TV_CHUNK_SIZE);
	moment = when;
	host_op_hook = meanwhile;
	check_eq(take(&vm, 1), TV_OK);
	check(!host_op_hook);
	check_eq(seen[3], TV_EDENIED);
	check_eq(seen[4], TV_AGAIN);
	check_eq(seen[5], 0);
	check_eq(seen[6], 0);
	check_eq(svm_destroy(vm.handle), TV_OK);
	check_eq(smc(TV_VM_RAM, vm.handle, 0, PAGE(1), 0), TV_ENOENT);
	check(all_words(CHUNK(1), TV_CHUNK_SIZE, 0));
	check_audit();
}

TEST(take_flushing,
     "take: while the chunk is flushed the run stays as it is; its S-VM does not end")
{
	take_meanwhile(HOST_NS_FLUSH);
	check_eq(seen[0], TV_EBUSY);
	check_eq(seen[1], TV_EDENIED);
	check_eq(seen[2], TV_EBUSY);
}

TEST(take_zeroing, "take: while the chunk is zeroed nobody has a page of it; its S-VM does not end")
{
	take_meanwhile(HOST_PAGE_ZERO);
	check_eq(seen[0], TV_EDENIED);
	check_eq(seen[1], TV_OK);
	check_eq(seen[2], TV_EBUSY);
}
