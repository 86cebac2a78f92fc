/* SPDX-License-Identifier: BSD-3-Clause */
/* N-VMs get what the host says, of what is the host's. */
#include "vms.h"

#define FREE 16                   /* number of the first page that a test may map */
#define HUGE_IPA (VM_RAM + BLOCK) /* level2[1] */
#define PPI_VIRTUAL_TIMER 27
#define PPI_PHYSICAL_TIMER 30
#define LR_PENDING (1UL << 62)
#define LR_ACTIVE (2UL << 62)
#define LR_HW (1UL << 61)
#define LR_GROUP1 (1UL << 60)
#define HCR_EN 1
#define VMCR_OPEN 0xff000003
#define HCR_MORE (1UL << 14 | 1UL << 16 | 1UL << 17 | 1UL << 22 | 1UL << 26 | 1UL << 30)
#define HCR_TVM (1UL << 26)
#define ROUNDS 20
#define PATIENCE 10 /* seconds */

static struct npt npts[2];
static uint64_t nvm, other_nvm;
static volatile uint64_t spare[2][512] __attribute__((aligned(4096)));

/* The N-VM does what it always does. */
static bool lives(uint64_t handle)
{
	fresh(guest_hvc, 0, 0);
	return nvm_run(handle, 0) == TV_OK && is_hvc(run_page(), 0x11) &&
	       run_page()->pc == IPA_OF(guest_hvc) + 4;
}

/* ---- state ------------------------------------------------------------------------- */

static void test_gprs(void)
{
	bool good = true, rest;

	for (uint64_t round = 0; round < 8; round++) {
		uint64_t seed = any();

		fresh(guest_gprs, 0, 0);
		for (uint64_t i = 0; i < 31; i++)
			run_page()->gpr[i] = seed + i;
		good &= nvm_run(nvm, round & 1) == TV_OK && is_hvc(run_page(), 10);
		for (uint64_t i = 0; i < 31; i++)
			good &= run_page()->gpr[i] == seed + i + i + 1;
	}
	ok(good, "x0-x30 go in and come back, of two vCPUs by turns");
	fresh(guest_hvc, 0, 0);
	state_page()->pstate = 0x900003c5;
	state_page()->mdscr = 0x1000;
	rest = nvm_run(nvm, 0) == TV_OK && state_page()->pstate == 0x900003c5 &&
	       state_page()->mdscr == 0x1000;
	ok(rest, "so do PSTATE and MDSCR_EL1");
}

#define MASK(field, name, in, mask) mask,
#define SET(field, name, in, mask) state_page()->field = in;
#define INSIDE(field, name, in, mask) \
	put_result(npts[0].data[n++] == (uint64_t)(in), #field, " goes in");
#define OUTSIDE(field, name, in, mask) \
	put_result(state_page()->field == ((uint64_t)(in) ^ (uint64_t)(mask)), #field, \
		   " comes back as the guest has changed it");

static void test_state(void)
{
	static const uint64_t masks[] = {STATE_REGS(MASK)};
	uint64_t n = 0;

	npts[0].level3[2] = (uint64_t)spare[0] | LEAF;
	for (uint64_t i = 0; i < LENGTH(masks); i++)
		spare[0][i] = masks[i];
	fresh(guest_state, IPA_PAGE(1), IPA_PAGE(2));
	STATE_REGS(SET)
	state_page()->sp_el1 = 0x12345670;
	ok(nvm_run(nvm, 0) == TV_OK && is_hvc(run_page(), 12), "the guest changes its registers");
	ok(npts[0].data[n++] == 0x12345670 && state_page()->sp_el1 == 0x12345680,
	   "SP_EL1 goes in and comes back");
	STATE_REGS(INSIDE)
	STATE_REGS(OUTSIDE)
}

static void test_vectors(void)
{
	uint64_t *q;
	bool good;

	fresh(guest_vectors, 0, 0);
	q = (uint64_t *)fp_page()->q;
	for (uint64_t i = 0; i < 64; i++)
		q[i] = 0x1111111111111111 * (i & 0xf) + i;
	fp_page()->fpcr = 0x400000;
	fp_page()->fpsr = 0x1f;
	good = nvm_run(nvm, 0) == TV_OK && is_hvc(run_page(), 11);
	for (uint64_t i = 0; i < 64; i++)
		good &= q[i] == ~(0x1111111111111111 * (i & 0xf) + i);
	ok(good, "v0-v31 go in and come back");
	ok(run_page()->gpr[0] == 0x400000 && run_page()->gpr[1] == 0x1f &&
		   fp_page()->fpcr == 0x1000000 && fp_page()->fpsr == 0x8000000,
	   "FPCR and FPSR go in and come back");
	fresh(guest_hvc, 0, 0);
	q[5] = 0x5a5a;
	fp_page()->fpsr = 0x10;
	ok(nvm_run(nvm, 0) == TV_OK && q[5] == 0x5a5a && fp_page()->fpsr == 0x10,
	   "of a guest that does not use them, they are as they were");
}

static void test_identity(void)
{
	uint64_t now;

	fresh(guest_who, 0, 0);
	run_page()->cntvoff = 1000;
	must(nvm_run(nvm, 0x80010203), "TV_NVM_RUN");
	now = read_reg("cntpct_el0");
	ok(run_page()->gpr[0] == 0x80010203, "MPIDR_EL1 is what the host says");
	ok(run_page()->gpr[1] == read_reg("midr_el1") && run_page()->gpr[2] == 1 << 2,
	   "MIDR_EL1 is the CPU's, the level EL1");
	ok(now - 1000 - run_page()->gpr[3] < read_reg("cntfrq_el0"),
	   "CNTVOFF_EL2 is the host's to say");
	ok(counter_offset() < read_reg("cntfrq_el0") &&
		   read_reg("mpidr_el1") << 32 == 0x80000000UL << 32,
	   "the host's own MPIDR_EL1 and CNTVCT_EL0 are what they were");
}

/* ---- exits ------------------------------------------------------------------------- */

static void test_exits(void)
{
	struct tv_run *page = run_page();
	uint64_t esr;

	nvm_do(nvm, guest_hvc, 0, 0);
	ok(is_hvc(page, 0x11) && page->pc == IPA_OF(guest_hvc) + 4, "exit: HVC, stepped past");
	nvm_do(nvm, guest_wfi, 0, 0);
	ok(is_sync(page, EC_WFX) && !(page->esr & 1) && page->pc == IPA_OF(guest_wfi), "exit: WFI");
	nvm_do(nvm, guest_load, UART + 0x18, 0);
	esr = (uint64_t)EC_DABT_GUEST << 26 | ESR_IL | 1 << 24 | 2 << 22 | 1 << 16;
	ok(is_fault(page, EC_DABT_GUEST, FSC_TRANSLATION, UART) && (page->esr & ~0x3fUL) == esr &&
		   page->far == UART + 0x18 && page->pc == IPA_OF(guest_load),
	   "exit: a device is read, with a valid syndrome");
	nvm_do(nvm, guest_store, UART + 0x20, 0x77);
	ok(is_fault(page, EC_DABT_GUEST, FSC_TRANSLATION, UART) &&
		   (page->esr & ~0x3fUL) == (esr | ESR_WNR) && page->gpr[1] == 0x77,
	   "exit: a device is written");
	nvm_do(nvm, guest_jump, IPA_PAGE(FREE), 0);
	ok(is_fault(page, EC_IABT_GUEST, FSC_TRANSLATION, IPA_PAGE(FREE)),
	   "exit: an instruction fetch");
	nvm_do(nvm, guest_debug, 0, 0);
	ok(is_sync(page, EC_SYSREG), "exit: debug registers");
	fresh(guest_spin, 1, IPA_PAGE(1));
	timer(read_reg("cntfrq_el0") / 1000);
	ok(nvm_run(nvm, 0) == TV_OK && page->exit == TV_EXIT_IRQ,
	   "exit: an interrupt of the host's");
	quiet();
}

/* ---- traps, lists, PSTATE ---------------------------------------------------------- */

static void test_traps(void)
{
	fresh(guest_context, 5, 0);
	state_page()->traps = HCR_TVM;
	ok(nvm_run(nvm, 0) == TV_OK && is_sync(run_page(), EC_SYSREG),
	   "TVM traps what it is to trap");
	nvm_do(nvm, guest_context, 5, 0);
	ok(is_hvc(run_page(), 5) && state_page()->contextidr == 5, "and only if it is asked for");
	fresh(guest_zero, IPA_PAGE(1), 0);
	state_page()->traps = ~HCR_MORE;
	ok(nvm_run(nvm, 0) == TV_OK && is_hvc(run_page(), 9) &&
		   run_page()->gpr[1] == read_reg("ctr_el0"),
	   "bits of HCR_EL2 that are not the host's have no effect");
	ok(lives(nvm), "nor later");
}

static void test_pstate(void)
{
	static const struct {
		const char *name;
		uint64_t pstate;
	} bad[] = {{"EL2h", 0x3c9},        {"EL2t", 0x3c8},           {"EL3h", 0x3cd},
		   {"EL3t", 0x3cc},        {"EL1 of no kind", 0x3c6}, {"EL0h", 0x3c1},
		   {"AArch32 svc", 0x1d3}, {"AArch32 hyp", 0x1da},    {"AArch32 mon", 0x1d6},
		   {"AArch32 sys", 0x1df}, {"AArch32 irq", 0x1d2},    {"AArch32 abt", 0x1d7}};

	for (uint64_t i = 0; i < LENGTH(bad); i++) {
		fresh(guest_hvc, 0, 0);
		state_page()->pstate = bad[i].pstate;
		put_result(nvm_run(nvm, 0) == (uint64_t)TV_EINVAL,
			   "PSTATE is refused: ", bad[i].name);
	}
	ok(lives(nvm), "after that it runs");
}

static bool list_refused(uint64_t n, uint64_t lr)
{
	fresh(guest_hvc, 0, 0);
	gic_page()->lists = n + 1;
	gic_page()->lr[n] = lr;
	return nvm_run(nvm, 0) == (uint64_t)TV_EINVAL;
}

static void test_lists(void)
{
	uint64_t vtr, lists;
	bool good = true;

	must(call(TV_HOST_INFO, 0, 0, 0, 0, &vtr), "TV_HOST_INFO");
	lists = (vtr & 0x1f) + 1;
	for (uint64_t i = 0; i < 1020; i++)
		if (i != PPI_VIRTUAL_TIMER && i != PPI_PHYSICAL_TIMER)
			good &= list_refused(i & 1 ? lists - 1 : 0,
					     LR_PENDING | LR_GROUP1 | LR_HW | i << 32 | 27);
	ok(good, "no list register is tied to a physical interrupt");
	good = list_refused(lists, 0);
	for (uint64_t bits = 5; bits < 64; bits++) {
		fresh(guest_hvc, 0, 0);
		gic_page()->lists = 1UL << bits;
		good &= nvm_run(nvm, 0) == (uint64_t)TV_EINVAL;
	}
	ok(good, "there are no more list registers than there are");
	fresh(guest_irq, 0, 0);
	gic_page()->hcr = HCR_EN;
	gic_page()->vmcr = VMCR_OPEN;
	gic_page()->lists = 1;
	gic_page()->lr[0] = LR_PENDING | LR_GROUP1 | 0x2a;
	ok(nvm_run(nvm, 0) == TV_OK && is_hvc(run_page(), 7) && run_page()->gpr[0] == 0x2a,
	   "the guest takes its virtual interrupt");
	ok(gic_page()->lr[0] == (LR_ACTIVE | LR_GROUP1 | 0x2a) && gic_page()->hcr == HCR_EN &&
		   gic_page()->vmcr >> 24 == VMCR_OPEN >> 24 && gic_page()->ap1r[0],
	   "and the host has the virtual GIC as the guest left it");
	ok(lives(nvm) && !gic_page()->ap1r[0], "of which nothing is left then");
}

/* ---- approvals --------------------------------------------------------------------- */

#define PAGE_AT(a) ((a) | LEAF)
#define BLOCK_AT(a) ((a) | BLOCK_LEAF)

static const struct {
	const char *name;
	uint64_t desc;
} bad_pages[] =
	{
		{"the S-visor's first page", PAGE_AT(SVISOR)},
		{"the S-visor's last page", PAGE_AT(SVISOR + SVISOR_SIZE - PAGE)},
		{"a page of a protected chunk", PAGE_AT(POOL)},
		{"its last page", PAGE_AT(POOL + CHUNK - PAGE)},
		{"a device", PAGE_AT(UART)},
		{"the interrupt controller", PAGE_AT(0x08000000UL)},
		{"the TZC-400, or what is beside it", PAGE_AT(0x090c0000UL)},
		{"the firmware's memory", PAGE_AT(0x0e000000UL)},
		{"flash", PAGE_AT(0UL)},
		{"what is behind DRAM", PAGE_AT(RAM_END)},
		{"the last page of all", PAGE_AT(0x0000fffffffff000)},
},
  bad_blocks[] = {
	  {"a block of the S-visor's", BLOCK_AT(SVISOR)},
	  {"its last block", BLOCK_AT(SVISOR + SVISOR_SIZE - BLOCK)},
	  {"a block of a protected chunk", BLOCK_AT(POOL + CHUNK - BLOCK)},
	  {"a block of devices", BLOCK_AT(0x09000000UL)},
	  {"a block behind DRAM", BLOCK_AT(RAM_END)},
	  {"a table in the S-visor's memory", SVISOR | TABLE},
	  {"a table in a protected chunk", (POOL + PAGE) | TABLE},
	  {"a table in a device", UART | TABLE},
	  {"a table behind DRAM", RAM_END | TABLE},
};

/* Refused, at the right address, and it goes on with what it may have. */
static bool is_denied(uint64_t ipa)
{
	bool good;

	fresh(guest_load, ipa, 0);
	good = nvm_run(nvm, 0) == (uint64_t)TV_EDENIED && run_page()->hpfar == ipa >> 12 << 4 &&
	       run_page()->pc == IPA_OF(guest_load);
	return good && lives(nvm);
}

static void test_denied(void)
{
	for (uint64_t i = 0; i < LENGTH(bad_pages); i++) {
		npt_put(&npts[0], FREE, bad_pages[i].desc);
		put_result(is_denied(IPA_PAGE(FREE) + 8),
			   "an N-VM does not get: ", bad_pages[i].name);
	}
	npt_put(&npts[0], FREE, 0);
	for (uint64_t i = 0; i < LENGTH(bad_blocks); i++) {
		npts[0].level2[1] = bad_blocks[i].desc;
		barrier();
		put_result(is_denied(HUGE_IPA + 8), "an N-VM does not get: ", bad_blocks[i].name);
	}
	npts[0].level2[1] = 0;
	npts[0].level1[2] = GIB | BLOCK_LEAF; /* all of the first GiB of DRAM, and the S-visor */
	barrier();
	nvm_do(nvm, guest_load, 2 * GIB, 0);
	ok(is_hvc(run_page(), 1), "of a block of 1 GiB it gets what is ordinary");
	ok(is_denied(2 * GIB + SVISOR - GIB) &&
		   is_denied(2 * GIB + SVISOR - GIB + SVISOR_SIZE - PAGE),
	   "and not the S-visor in it");
	nvm_do(nvm, guest_load, 2 * GIB + SVISOR - GIB + SVISOR_SIZE, 0);
	ok(is_hvc(run_page(), 1), "but what is behind");
	npts[0].level1[2] = 0;
	must(nvm_forget(nvm, 0, 0), "TV_NVM_FORGET");
}

/* What it asked for before is not what it gets later. */
static void test_replay(void)
{
	uint64_t base;

	*(volatile uint64_t *)POOL = 0x0ddba11;
	npt_put(&npts[0], FREE, PAGE_AT(POOL));
	nvm_do(nvm, guest_load, IPA_PAGE(FREE), 0);
	ok(is_hvc(run_page(), 1) && run_page()->gpr[1] == 0x0ddba11,
	   "an N-VM has a page of a pool");
	ok(call(TV_CHUNK_TAKE, TV_SVISOR, POOL, 0, 0, 0) == (uint64_t)TV_EBUSY,
	   "its chunk cannot be taken meanwhile");
	npt_put(&npts[0], FREE, 0);
	ok(call(TV_CHUNK_TAKE, TV_SVISOR, POOL, 0, 0, 0) == (uint64_t)TV_EBUSY,
	   "nor when it is asked for no more");
	must(nvm_forget(nvm, IPA_PAGE(FREE), PAGE), "TV_NVM_FORGET");
	ok(call(TV_CHUNK_TAKE, TV_SVISOR, POOL, 0, 0, 0) == TV_OK, "but when it is forgotten");
	npt_put(&npts[0], FREE, PAGE_AT(POOL));
	ok(is_denied(IPA_PAGE(FREE)), "the same request again is refused then");
	must(call(TV_CHUNK_RETURN, 0, 0, 0, 0, &base), "TV_CHUNK_RETURN");
	nvm_do(nvm, guest_load, IPA_PAGE(FREE), 0);
	ok(is_hvc(run_page(), 1) && run_page()->gpr[1] == 0,
	   "and once more, when the chunk is returned, gives zero");
	must(nvm_forget(nvm, 0, 0), "TV_NVM_FORGET");
}

/* By blocks, and of two N-VMs */
static void test_lent_twice(void)
{
	npts[0].level2[1] = npts[1].level2[1] = BLOCK_AT(POOL + BLOCK);
	barrier();
	nvm_do(nvm, guest_load, HUGE_IPA, 0);
	nvm_do(other_nvm, guest_load, HUGE_IPA + PAGE, 0);
	must(nvm_forget(nvm, HUGE_IPA + PAGE, PAGE), "TV_NVM_FORGET");
	ok(call(TV_CHUNK_TAKE, TV_SVISOR, POOL, 0, 0, 0) == (uint64_t)TV_EBUSY,
	   "a chunk of which two N-VMs have a block is busy till both have forgotten");
	must(call(TV_NVM_DESTROY, other_nvm, 0, 0, 0, 0), "TV_NVM_DESTROY");
	ok(call(TV_CHUNK_TAKE, TV_SVISOR, POOL, 0, 0, 0) == TV_OK, "or are no more");
	must(call(TV_CHUNK_RETURN, 0, 0, 0, 0, 0), "TV_CHUNK_RETURN");
	npts[0].level2[1] = npts[1].level2[1] = 0;
	other_nvm = nvm_create(&npts[1]);
}

/* ---- rights ------------------------------------------------------------------------ */

static bool store_faults(uint64_t va, uint64_t fsc, uint64_t ipa)
{
	run_page()->pc += guest_store - guest_load;
	run_page()->gpr[0] = va;
	return nvm_run(nvm, 0) == TV_OK && is_fault(run_page(), EC_DABT_GUEST, fsc, ipa) &&
	       run_page()->esr & ESR_WNR;
}

static void test_rights(void)
{
	const uint64_t ipa = IPA_PAGE(FREE), page = (uint64_t)spare[0];

	spare[0][0] = 0x600d;
	spare[0][1] = 0;
	npt_put(&npts[0], FREE, (page | LEAF) & ~LEAF_WRITE);
	nvm_do(nvm, guest_load, ipa, 0);
	ok(is_hvc(run_page(), 1) && run_page()->gpr[1] == 0x600d, "a page to be read only is read");
	fresh(guest_load, 0, 1);
	ok(store_faults(ipa + 8, FSC_PERMISSION, ipa) && !spare[0][1],
	   "and not written; the host sees where");
	npt_put(&npts[0], FREE, page | LEAF);
	fresh(guest_store, ipa + 8, 1);
	ok(nvm_run(nvm, 0) == TV_OK && is_hvc(run_page(), 2) && (uint32_t)spare[0][1] == 1,
	   "when it may be written, it is");
	npt_put(&npts[0], FREE, (page | LEAF) & ~LEAF_WRITE);
	must(nvm_forget(nvm, ipa, PAGE), "TV_NVM_FORGET");
	fresh(guest_load, 0, 2);
	ok(store_faults(ipa + 8, FSC_PERMISSION, ipa) && (uint32_t)spare[0][1] == 1,
	   "and no longer, once it may not");
	npt_put(&npts[0], FREE, page | LEAF | LEAF_XN);
	must(nvm_forget(nvm, ipa, PAGE), "TV_NVM_FORGET");
	nvm_do(nvm, guest_load, ipa, 0);
	nvm_do(nvm, guest_jump, ipa, 0);
	ok(is_fault(run_page(), EC_IABT_GUEST, FSC_PERMISSION, ipa),
	   "a page that is not code is not run");
	npt_put(&npts[0], FREE, (uint64_t)guest_page | LEAF);
	must(nvm_forget(nvm, ipa, PAGE), "TV_NVM_FORGET");
	nvm_do(nvm, guest_jump, ipa + (guest_hvc - guest_page), 0);
	ok(is_hvc(run_page(), 0x11), "a page of code is");
	npt_put(&npts[0], FREE, (page | LEAF) & ~(LEAF_READ | LEAF_WRITE));
	must(nvm_forget(nvm, ipa, PAGE), "TV_NVM_FORGET");
	nvm_do(nvm, guest_load, ipa, 0);
	ok(is_sync(run_page(), EC_DABT_GUEST) && run_page()->hpfar == ipa >> 8,
	   "a page of no rights is not read");
	npt_put(&npts[0], FREE, 0);
	must(nvm_forget(nvm, 0, 0), "TV_NVM_FORGET");
}

/* With a stage 1 of the guest's, by which addresses are others: a permission fault has no IPA of
 * the hardware's. */
static void test_rights_by_stage1(void)
{
	const uint64_t ipa = IPA_PAGE(FREE);

	for (uint64_t i = 0; i < 512; i++)
		spare[1][i] = 0;
	spare[1][0] = VM_RAM | 0x701; /* VA 0 is VM_RAM */
	npt_put(&npts[0], 2, (uint64_t)spare[1] | LEAF);
	npt_put(&npts[0], FREE, ((uint64_t)spare[0] | LEAF) & ~LEAF_WRITE);
	spare[0][1] = 7;
	fresh(guest_load, FREE * PAGE, 0);
	run_page()->pc -= VM_RAM;
	state_page()->sctlr |= 1;
	state_page()->tcr = 25 | 0x3500 | 1 << 23 | 2UL << 32;
	state_page()->mair = 0xff;
	state_page()->ttbr0 = IPA_PAGE(2);
	must(nvm_run(nvm, 0), "TV_NVM_RUN");
	run_page()->pc = IPA_OF(guest_load) - VM_RAM;
	ok(store_faults(FREE * PAGE + 8, FSC_PERMISSION, ipa) &&
		   run_page()->far == FREE * PAGE + 8 && spare[0][1] == 7,
	   "with stage 1 on, the host sees IPA and VA of a permission fault");
	npt_put(&npts[0], FREE, 0);
	must(nvm_forget(nvm, ipa, PAGE), "TV_NVM_FORGET");
	ok(nvm_run(nvm, 0) == TV_OK && is_fault(run_page(), EC_DABT_GUEST, FSC_TRANSLATION, ipa),
	   "and those of a translation fault");
	npt_put(&npts[0], 2, SVISOR | LEAF);
	must(nvm_forget(nvm, 0, 0), "TV_NVM_FORGET");
	ok(nvm_run(nvm, 0) == (uint64_t)TV_EDENIED && run_page()->hpfar == IPA_PAGE(2) >> 8,
	   "tables of stage 1 are not the S-visor's memory");
	npt_put(&npts[0], 2, 0);
	must(nvm_forget(nvm, 0, 0), "TV_NVM_FORGET");
	ok(lives(nvm), "it goes on without");
}

/* ---- on another CPU ---------------------------------------------------------------- */

/* Till it faults; or for some seconds. */
static uint64_t follow(uint64_t handle)
{
	uint64_t status;

	fresh(guest_follow, IPA_PAGE(FREE), IPA_PAGE(1));
	timer(PATIENCE * read_reg("cntfrq_el0"));
	status = nvm_run(handle, 1);
	quiet();
	return status;
}

/* The guest copies a page's word all the time; what it finds there once the page is forgotten, it
 * does not copy any more. */
static void test_forgotten(void)
{
	volatile uint64_t *seen = npts[0].data;
	bool good = true;

	for (uint64_t round = 1; round <= ROUNDS && good; round++) {
		spare[0][0] = round;
		npt_put(&npts[0], FREE, (uint64_t)spare[0] | LEAF);
		begin_on(1, follow, nvm);
		while (*seen != round)
			;
		npt_put(&npts[0], FREE, 0);
		good &= nvm_forget(nvm, IPA_PAGE(FREE), PAGE) == TV_OK;
		spare[0][0] = ~round;
		good &= end_on(1) == TV_OK && *seen == round &&
			is_fault(&shared[1].run, EC_DABT_GUEST, FSC_TRANSLATION, IPA_PAGE(FREE));
	}
	ok(good, "what is forgotten is gone for a vCPU that runs on another CPU just then");
}

static uint64_t spin(uint64_t handle)
{
	fresh(guest_spin, 1, IPA_PAGE(1));
	return nvm_run(handle, 1);
}

static uint64_t quiet_here(uint64_t arg)
{
	quiet();
	return arg;
}

static void test_busy(void)
{
	volatile uint64_t *there = npts[0].data;

	*there = 0;
	begin_on(1, spin, nvm);
	while (!*there)
		;
	ok(call(TV_NVM_DESTROY, nvm, 0, 0, 0, 0) == (uint64_t)TV_EBUSY,
	   "an N-VM whose vCPU runs is not destroyed");
	ok(lives(nvm), "another vCPU of it runs meanwhile");
	kick(1);
	ok(end_on(1) == TV_OK && shared[1].run.exit == TV_EXIT_IRQ, "an interrupt ends the run");
	begin_on(1, quiet_here, 0);
	end_on(1);
}

/* ---- arguments --------------------------------------------------------------------- */

static bool is_code(uint64_t status)
{
	return (int64_t)status >= TV_ELIFECYCLE && (int64_t)status <= TV_AGAIN;
}

static void test_handles(void)
{
	uint64_t old = nvm_create(&npts[1]), new;
	bool good;

	must(call(TV_NVM_DESTROY, old, 0, 0, 0, 0), "TV_NVM_DESTROY");
	new = nvm_create(&npts[1]);
	fresh(guest_hvc, 0, 0);
	good = new != old &&nvm_run(old, 0) == (uint64_t)TV_ENOENT &&nvm_forget(old, 0, 0) ==
	       (uint64_t)TV_ENOENT &&call(TV_NVM_DESTROY, old, 0, 0, 0, 0) == (uint64_t)TV_ENOENT;
	ok(good, "a handle of an N-VM that is gone finds nothing");
	ok(call(TV_VCPU_RUN, new, 0, 0, 0, 0) == (uint64_t)TV_ENOENT &&
		   call(TV_VM_DESTROY, new, 0, 0, 0, 0) == (uint64_t)TV_ENOENT,
	   "an N-VM is no S-VM");
	ok(nvm_run(64, 0) == (uint64_t)TV_ENOENT && nvm_run(~0UL, 0) == (uint64_t)TV_ENOENT &&
		   nvm_run(new + (1UL << 8), 0) == (uint64_t)TV_ENOENT,
	   "handles that there are not find nothing");
	must(call(TV_NVM_DESTROY, new, 0, 0, 0, 0), "TV_NVM_DESTROY");
}

static bool create_refused(uint64_t root, uint64_t bits, uint64_t level)
{
	return call(TV_NVM_CREATE, root, bits, level, 0, 0) == (uint64_t)TV_EINVAL;
}

static void test_arguments(void)
{
	uint64_t root = (uint64_t)npts[1].level1, found;
	bool good = true;

	ok(create_refused(SVISOR, NPT_BITS, 1) && create_refused(UART, NPT_BITS, 1) &&
		   create_refused(RAM_END, NPT_BITS, 1) && create_refused(root + 8, NPT_BITS, 1) &&
		   create_refused(~0UL, NPT_BITS, 1),
	   "a normal S2PT is ordinary memory, and aligned");
	ok(create_refused(root, 49, 0) && create_refused(root, 0, 1) &&
		   create_refused(root, NPT_BITS, 2) && create_refused(root, ~0UL, 1) &&
		   create_refused(root, NPT_BITS, ~0UL),
	   "and of a shape that there is");
	ok(nvm_forget(nvm, 1UL << NPT_BITS, PAGE) == (uint64_t)TV_EINVAL &&
		   nvm_forget(nvm, 0, ~0UL) == (uint64_t)TV_EINVAL &&
		   nvm_forget(nvm, ~0UL, 2) == (uint64_t)TV_EINVAL &&
		   nvm_forget(nvm, 1, 1) == TV_OK,
	   "TV_NVM_FORGET of what is beyond is refused");
	fresh(guest_who, 0, 0);
	run_page()->cntvoff = -(1UL << 60);
	ok(nvm_run(nvm, 0) == TV_OK && run_page()->gpr[3] >> 60 == 1,
	   "an N-VM's counter may be ahead of the machine's");
	for (uint64_t i = 0; i < 20000; i++) {
		uint64_t fid = TV_HOST_INFO + i % 5, a = any() >> any() % 64;

		good &= is_code(call(fid, i & 8 ? nvm : a, any() >> any() % 64, any() >> any() % 64,
				     any(), &found));
		if (fid == TV_NVM_DESTROY && i & 8)
			nvm = nvm_create(&npts[0]);
	}
	ok(good, "whatever the arguments, each call gives a code");
	ok(lives(nvm), "and N-VMs go on");
}

static void test_all_slots(void)
{
	uint64_t made[TV_MAX_VMS], n = 0, status;

	while (n < LENGTH(made) && call(TV_NVM_CREATE, (uint64_t)npts[1].level1, NPT_BITS,
					NPT_LEVEL, 0, &made[n]) == TV_OK)
		n++;
	status = call(TV_NVM_CREATE, (uint64_t)npts[1].level1, NPT_BITS, NPT_LEVEL, 0, 0);
	ok(n == TV_MAX_VMS - 2 && status == (uint64_t)TV_ENOMEM, "there are 64 N-VMs and no more");
	status = lives(made[0]) && lives(made[n - 1]);
	while (n)
		must(call(TV_NVM_DESTROY, made[--n], 0, 0, 0, 0), "TV_NVM_DESTROY");
	ok(status, "the last runs as the first does");
}

static void test_two(void)
{
	static volatile uint64_t theirs[512] __attribute__((aligned(4096)));

	theirs[0] = 2;
	spare[0][0] = 1;
	npt_put(&npts[0], FREE, (uint64_t)spare[0] | LEAF);
	npt_put(&npts[1], FREE, (uint64_t)theirs | LEAF);
	for (uint64_t i = 0; i < 4; i++) {
		nvm_do(i & 1 ? other_nvm : nvm, guest_load, IPA_PAGE(FREE), 0);
		put_result(is_hvc(run_page(), 1) && run_page()->gpr[1] == (i & 1) + 1,
			   "two N-VMs by turns see their own memory, ",
			   i & 1 ? "the second" : "the first");
	}
	npt_put(&npts[0], FREE, 0);
	npt_put(&npts[1], FREE, 0);
	must(nvm_forget(nvm, 0, 0) | nvm_forget(other_nvm, 0, 0), "TV_NVM_FORGET");
}

void test_ordinary(void)
{
	must(on_each(share_page, 0), "TV_CPU_SHARE");
	npt_make(&npts[0]);
	npt_make(&npts[1]);
	nvm = nvm_create(&npts[0]);
	other_nvm = nvm_create(&npts[1]);
	test_exits();
	ok(call(TV_POOL_ADD, POOL + POOL_SIZE, CHUNK, 0, 0, 0) == (uint64_t)TV_EBUSY,
	   "no pool is added while N-VMs have memory that is no pool's");
	test_gprs();
	test_state();
	test_vectors();
	test_identity();
	test_traps();
	test_pstate();
	test_lists();
	audit("state of N-VMs");
	must(call(TV_CHUNK_TAKE, TV_SVISOR, POOL, 0, 0, 0), "TV_CHUNK_TAKE");
	test_denied();
	must(call(TV_CHUNK_RETURN, 0, 0, 0, 0, 0), "TV_CHUNK_RETURN");
	test_replay();
	test_lent_twice();
	test_rights();
	test_rights_by_stage1();
	test_two();
	audit("memory of N-VMs");
	test_forgotten();
	test_busy();
	test_handles();
	test_arguments();
	test_all_slots();
	audit("calls for N-VMs");
	must(call(TV_NVM_DESTROY, nvm, 0, 0, 0, 0), "TV_NVM_DESTROY");
	must(call(TV_NVM_DESTROY, other_nvm, 0, 0, 0, 0), "TV_NVM_DESTROY");
}
