// SPDX-License-Identifier: BSD-3-Clause
/* Stage-2 faults: blocks, several pages at once, and those that the N-visor never sees (I3). */
#include "fixture.h"
#include "vm.h"

#define BLOCK_DESC 0x7fd
#define AT (RAM + BLOCK_SIZE) /* a block of RAM of which nothing is loaded */
#define SHADOW_BLOCK 0x7d9

static struct svm vm;

static void start(void)
{
	boot();
	add_pool();
	vm = svm_launch(0, 0x5ec4e7, 2);
}

static void ask_block(uint64_t ipa, uint64_t pa)
{
	*npt_entry(&vm.npt, ipa, 2) = pa | BLOCK_DESC;
}

static void *guest_page(uint64_t ipa)
{
	return host_guest_mem(host_run.s2_root, ipa);
}

/* The guest touches `ipa`; gives how often it was run. */
static unsigned touch(uint64_t ipa)
{
	GUEST(DATA_FAULT(ipa));
	check_eq(run(&vm, 0, 0), TV_OK);
	return guest_runs;
}

/* Each page of [ipa, ipa + n pages) is where it would be if `ipa` were at `pa`. */
static bool all_at(uint64_t ipa, uint64_t pa, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (guest_page(ipa + PAGE(i)) != host_mem(pa + PAGE(i)))
			return false;
	}
	return true;
}

TEST(fault_here, "fault: what is asked for already is served without the N-visor")
{
	start();
	npt_page(&vm.npt, AT, CHUNK(0) + PAGE(9));
	check_eq(touch(AT), 2);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check(guest_page(AT) == host_mem(CHUNK(0) + PAGE(9)));
	check_audit();
}

static void stop(struct guest_regs *regs)
{
	(void)regs;
	vms[vm.handle & 0xff].state = VM_STOPPED; /* as another vCPU's SYSTEM_OFF, or the wipe */
}

TEST(fault_stopped, "fault: nothing is mapped for an S-VM that stopped while its vCPU ran")
{
	start();
	npt_page(&vm.npt, AT, CHUNK(0) + PAGE(9));
	GUEST({{GUEST_SYNC, EC(0x24) | FAULT_L3, 0, HPFAR(AT)}, stop});
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_FAULT);
	check(!guest_page(AT));
}

TEST(fault_denied_here, "fault: what may not be had is told as a fault, and refused on entry")
{
	start();
	npt_page(&vm.npt, AT, ORDINARY);
	check_eq(touch(AT), 1);
	check_eq(shared()->exit, TV_EXIT_FAULT);
	check_eq(run(&vm, 0, 0), TV_EDENIED);
	check_eq(shared()->hpfar, HPFAR(AT));
	check_audit();
}

TEST(fault_block, "fault: a block is one leaf, all of it the S-VM's")
{
	start();
	ask_block(AT, CHUNK(0) + BLOCK_SIZE);
	check_eq(touch(AT + PAGE(7)), 2);
	check(all_at(AT, CHUNK(0) + BLOCK_SIZE, BLOCK_PAGES));
	check_eq(vm.handle & 0xff, 0);
	check_audit();
	check_eq(touch(AT + PAGE(8)), 2);
	check_eq(svm_destroy(vm.handle), TV_OK);
	check_audit();
	check(all_words(CHUNK(0), TV_CHUNK_SIZE, 0));
}

TEST(fault_block_loaded, "fault: a block takes in the pages that were loaded where it has them")
{
	start();
	ask_block(RAM, CHUNK(0));
	host_forget();
	check_eq(touch(RAM + PAGE(3)), 2);
	check(all_at(RAM, CHUNK(0), BLOCK_PAGES));
	check(all_words(CHUNK(0), PAGE(1), 0x5ec4e7));
	check(all_words(CHUNK(0) + PAGE(1), BLOCK_SIZE - PAGE(1), 0));
	check_eq(host_count[HOST_S2_WRITE], 2); /* break, TLB, make */
	check_eq(host_count[HOST_TLB_VM], 1);
	check_eq(host_when[HOST_S2_WRITE] - host_when[HOST_TLB_VM], 1);
	check_audit();
}

TEST(fault_block_elsewhere, "fault: a block that has another page than a mapped one gives a page")
{
	start();
	ask_block(RAM, CHUNK(0) + BLOCK_SIZE);
	check_eq(touch(RAM + PAGE(3)), 2);
	check(guest_page(RAM) == host_mem(CHUNK(0)));
	check(guest_page(RAM + PAGE(3)) == host_mem(CHUNK(0) + BLOCK_SIZE + PAGE(3)));
	check(!guest_page(RAM + PAGE(2)));
	check_audit();
}

TEST(fault_block_taken,
     "fault: a block of which a page is at another address gives a page, or nothing")
{
	start();
	ask_block(AT, CHUNK(0)); /* page 0 is RAM's */
	check_eq(touch(AT + PAGE(1)), 2);
	check(guest_page(AT + PAGE(1)) == host_mem(CHUNK(0) + PAGE(1)));
	check_eq(touch(AT), 1);
	check_eq(run(&vm, 0, 0), TV_EDENIED);
	check_audit();
}

TEST(fault_block_ram, "fault: no block beyond RAM; of the pages those that are RAM")
{
	boot();
	add_pool();
	vm = svm_new();
	check_eq(smc(TV_VM_RAM, vm.handle, RAM + 2 * RAM_SIZE, PAGE(20), 0), TV_OK);
	check_eq(take(&vm, 0), TV_OK);
	memset(shared(), 0, sizeof(*shared()));
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 0, TV_VCPU_ON, 0), TV_OK);
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_OK);
	ask_block(RAM + 2 * RAM_SIZE, CHUNK(0));
	check_eq(touch(RAM + 2 * RAM_SIZE + PAGE(10)), 2);
	check(all_at(RAM + 2 * RAM_SIZE + PAGE(10), CHUNK(0) + PAGE(10), 10));
	check(!guest_page(RAM + 2 * RAM_SIZE + PAGE(9)) &&
	      !guest_page(RAM + 2 * RAM_SIZE + PAGE(20)));
	check_audit();
}

TEST(fault_around, "fault: pages that are asked for behind it come along, sixteen in all")
{
	start();
	for (unsigned i = 0; i < 40; i++)
		npt_page(&vm.npt, AT + PAGE(i), CHUNK(0) + PAGE(100 + i));
	check_eq(touch(AT + PAGE(1)), 2);
	check(all_at(AT + PAGE(1), CHUNK(0) + PAGE(101), 16));
	check(!guest_page(AT) && !guest_page(AT + PAGE(17)));
	check_audit();
}

TEST(fault_around_ends,
     "fault: not past what is mapped, refused or not asked for, nor past a block")
{
	start();
	for (unsigned i = 0; i < BLOCK_PAGES; i++)
		npt_page(&vm.npt, AT + PAGE(i), CHUNK(0) + PAGE(512 + i));
	npt_page(&vm.npt, AT + PAGE(5), ORDINARY);
	*npt_entry(&vm.npt, AT + PAGE(9), 3) = 0;
	check_eq(touch(AT + PAGE(2)), 2);
	check(all_at(AT + PAGE(2), CHUNK(0) + PAGE(514), 3) && !guest_page(AT + PAGE(5)));
	check_eq(touch(AT + PAGE(7)), 2);
	check(guest_page(AT + PAGE(8)) && !guest_page(AT + PAGE(9)) && !guest_page(AT + PAGE(10)));
	check_eq(touch(AT), 2);
	npt_page(&vm.npt, AT + BLOCK_SIZE, CHUNK(0) + PAGE(1));
	check_eq(touch(AT + PAGE(508)), 2);
	check(guest_page(AT + PAGE(511)) && !guest_page(AT + BLOCK_SIZE));
	check_audit();
}

TEST(fault_untaken, "fault: a chunk that was not taken gives nothing, and stays as it is")
{
	start();
	npt_page(&vm.npt, AT, CHUNK(1));
	check_eq(touch(AT), 1);
	check_eq(run(&vm, 0, 0), TV_EDENIED);
	check(!host_secure(CHUNK(1)));
	check_eq(take(&vm, 1), TV_OK);
	check_eq(run(&vm, 0, 0), TV_OK);
	check(guest_page(AT) == host_mem(CHUNK(1)));
	check_audit();
}

TEST(fault_unaligned_block, "fault: a block descriptor's low address bits count for nothing")
{
	start();
	*npt_entry(&vm.npt, AT, 2) = (CHUNK(0) + BLOCK_SIZE + PAGE(3)) | BLOCK_DESC;
	check_eq(touch(AT), 2);
	check(all_at(AT, CHUNK(0) + BLOCK_SIZE, BLOCK_PAGES));
	check_audit();
}
