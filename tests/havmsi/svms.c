/* SPDX-License-Identifier: BSD-3-Clause */
/* S-VMs keep theirs from a host that is at the same level as they, and leave it its own. */
#include "../attack/puppet.h"
#include "vms.h"

#define CODE (RAM + 0x8000) /* where guest.S is in an S-VM */
#define CODE_OF(piece) (CODE + (uint64_t)((piece) - guest_page))
#define SECRET_AT (RAM + 0x100000)
#define PMCR_E 1
#define PMCR_LC (1 << 6)
#define CYCLES (1UL << 31)
#define EVENT_CYCLES 0x11
#define SPINS 40000000
#define NS_A_TICK(hz) (1000000000 / (hz))
#define UNTOUCHED(i) (0xa5a5000000000000 + (i))
#define LR_HW_SGI (1UL << 62 | 1UL << 61 | 1UL << 60 | 5UL << 32 | 27)

extern const uint8_t puppet[], puppet_end[];
void vectors_store(uint64_t q[64]);
void read_8(void);

static struct npt npt;
static uint64_t svm;
static uint64_t q[64];

/* ---- all registers, by number ------------------------------------------------------- */

/* Time, and what reading changes */
static const uint32_t shy[] = {
	SYSREG(3, 3, 14, 0, 1), SYSREG(3, 3, 14, 0, 2), SYSREG(3, 3, 14, 2, 0),
	SYSREG(3, 3, 14, 3, 0), SYSREG(3, 0, 12, 8, 0), SYSREG(3, 0, 12, 12, 0),
	SYSREG(3, 0, 12, 1, 0), SYSREG(2, 3, 0, 4, 0),  SYSREG(2, 3, 0, 5, 0),
	SYSREG(2, 0, 0, 0, 2),
};
static struct {
	uint32_t reg;
	uint64_t before;
} known[1024];
static uint64_t knowns;

static bool is_shy(uint32_t reg)
{
	for (uint64_t i = 0; i < LENGTH(shy); i++)
		if (shy[i] == reg)
			return true;
	return false;
}

static void find_registers(void)
{
	uint64_t value;

	for (uint32_t reg = SYSREG(2, 0, 0, 0, 0); reg < SYSREG(4, 0, 0, 0, 0); reg++)
		if (!is_shy(reg) && knowns < LENGTH(known) && reg_read(reg, &value))
			known[knowns++].reg = reg;
	say("system registers that can be read", knowns);
}

static void remember(void)
{
	for (uint64_t i = 0; i < knowns; i++)
		reg_read(known[i].reg, &known[i].before);
}

static bool is_secret(uint64_t v)
{
	return (uint32_t)v == SECRET_HALF || v >> 32 == SECRET_HALF;
}

/* How many are not as before, or hold a secret; the first of them is told. */
static uint64_t changed(void)
{
	uint64_t bad = 0, value;

	for (uint64_t i = 0; i < knowns; i++) {
		reg_read(known[i].reg, &value);
		if (value == known[i].before && !is_secret(value))
			continue;
		if (!bad++) {
			say("register", known[i].reg);
			say("was", known[i].before);
			say("is", value);
		}
	}
	return bad;
}

/* clang-format off */
#define HOST_REGS(X) \
	X("ttbr0_el1", 0x11000) X("ttbr1_el1", 0x12000) X("tcr_el1", 0x3519) X("mair_el1", 0x44ff) \
	X("amair_el1", 0x1414) X("contextidr_el1", 0x1515) X("esr_el1", 0x1616) X("afsr0_el1", 0x1717) \
	X("afsr1_el1", 0x1818) X("far_el1", 0x1919) X("par_el1", 0x1000) X("elr_el1", 0x2121) \
	X("spsr_el1", 0x3c5) X("sp_el0", 0x2323) X("tpidr_el0", 0x2424) X("tpidrro_el0", 0x2525) \
	X("tpidr_el1", 0x2626) X("csselr_el1", 0) X("mdscr_el1", 0x1000) X("cntkctl_el1", 3) \
	X("dbgbvr0_el1", 0x2828) X("dbgbvr1_el1", 0x2a28) X("dbgbcr0_el1", 0x1e6) \
	X("dbgwvr0_el1", 0x3030) X("dbgwvr3_el1", 0x3130) X("dbgwcr0_el1", 0x1e6) \
	X("pmccfiltr_el0", 0x40000000) X("pmevtyper0_el0", 0x11) X("pmevcntr0_el0", 0x3333) \
	X("pmccntr_el0", 0x3434) X("pmselr_el0", 5) X("pmuserenr_el0", 8) X("pmcntenset_el0", 3) \
	X("pmcr_el0", 0x40) X("cntp_cval_el0", 0x3636) X("cntv_cval_el0", 0x3737) \
	X("fpcr", 0) X("fpsr", 0)
/* clang-format on */
#define PLANT(name, value) write_reg(name, value);

/* ---- the S-VM ----------------------------------------------------------------------- */

static uint64_t features(void)
{
	uint64_t r[GPRS] = {TV_VERSION};

	smc(r);
	return r[3];
}

static void load(const uint8_t *from, const uint8_t *to, uint64_t ipa)
{
	for (; from < to; from += PAGE, ipa += PAGE)
		must(call(TV_VM_LOAD, svm, ipa, (uint64_t)from, POOL + (ipa - RAM), 0),
		     "TV_VM_LOAD");
}

static void launch(void)
{
	npt_make(&npt);
	for (uint64_t i = 0; i < CHUNK / BLOCK; i++)
		npt.level2[i] = (POOL + i * BLOCK) | BLOCK_LEAF;
	fresh(guest_page, 0, 0);
	must(call(TV_VM_CREATE, (uint64_t)npt.level1, NPT_BITS, NPT_LEVEL, features(), &svm),
	     "TV_VM_CREATE");
	must(call(TV_VM_RAM, svm, RAM, CHUNK, 0, 0), "TV_VM_RAM");
	must(call(TV_CHUNK_TAKE, svm, POOL, 0, 0, 0), "TV_CHUNK_TAKE");
	load(puppet, puppet_end, RAM);
	load(guest_page, guest_page + PAGE, CODE);
	run_page()->pc = RAM;
	must(call(TV_VCPU_CREATE, svm, 0, TV_VCPU_ON, 0, 0), "TV_VCPU_CREATE");
	must(call(TV_VM_SEAL, svm, 0, 0, 0, 0), "TV_VM_SEAL");
}

/* Of the last run: what was in x0-x30 after it */
static uint64_t after[GPRS];

static uint64_t run_once(uint64_t flags)
{
	run_page()->flags = flags;
	barrier();
	for (uint64_t i = 0; i < GPRS; i++)
		after[i] = UNTOUCHED(i);
	after[0] = TV_VCPU_RUN;
	after[1] = svm;
	after[2] = 0;
	smc(after);
	return after[0];
}

/* To the next exit that is no interrupt's */
static void run(uint64_t flags)
{
	do {
		must(run_once(flags), "TV_VCPU_RUN");
		flags = 0;
	} while (run_page()->exit == TV_EXIT_IRQ);
}

static bool is_asking(void)
{
	return run_page()->exit == TV_EXIT_CALL && run_page()->gpr[0] == TAG;
}

static void tell(uint64_t op, uint64_t a, uint64_t b, uint64_t c)
{
	run_page()->gpr[0] = op;
	run_page()->gpr[1] = a;
	run_page()->gpr[2] = b;
	run_page()->gpr[3] = c;
}

static uint64_t ask(uint64_t op, uint64_t a, uint64_t b, uint64_t c)
{
	tell(op, a, b, c);
	run(TV_RUN_DONE);
	if (!is_asking())
		say("the puppet's exit", run_page()->exit);
	return run_page()->gpr[1];
}

static bool on_all_cpus(uint64_t (*function)(uint64_t arg))
{
	return on_each(function, 0) == 0;
}

/* ---- registers ---------------------------------------------------------------------- */

static uint64_t secrets(const uint64_t *words, uint64_t n)
{
	uint64_t found = 0;

	for (uint64_t i = 0; i < n; i++)
		found += is_secret(words[i]);
	return found;
}

static bool general_right(void)
{
	bool good = !(after[1] | after[2] | after[3] | after[4]);

	for (uint64_t i = 18; i < GPRS; i++)
		good &= after[i] == UNTOUCHED(i);
	return good && !secrets(after, GPRS);
}

/* The guest has filled all that it has, and makes a call that shows four registers. */
static void test_filled(const char *what, const uint8_t *piece)
{
	HOST_REGS(PLANT)
	for (uint64_t i = 128; i < 512; i++)
		shared[0].words[i] = 0;
	tell(OP_EXEC, CODE_OF(piece), 0, 0);
	remember();
	run(TV_RUN_DONE);
	vectors_store(q);
	put_result(run_page()->exit == TV_EXIT_CALL && run_page()->gpr[0] == 0xc6000001, what,
		   ": the guest calls");
	put_result(changed() == 0, what,
		   ": all of the host's system registers are as before, none has a secret");
	put_result(general_right(), what, ": so are x18-x30; x1-x4 are 0");
	put_result(secrets(q, LENGTH(q)) == 0, what, ": no secret in v0-v31");
	put_result(secrets(shared[0].words, LENGTH(shared[0].words)) == 0, what,
		   ": no secret in the shared page");
	put_result(counter_offset() < read_reg("cntfrq_el0"), what,
		   ": CNTVCT_EL0 is the host's again");
	run(TV_RUN_DONE);
	put_result(is_asking(), what, ": the guest goes on");
}

/* Nothing of the host's counts while the guest spins, or the S-visor works for it. */
static void test_counters(void)
{
	uint64_t hz = read_reg("cntfrq_el0"), t, ns, cycles, events, pmcr = PMCR_LC | PMCR_E;

	write_reg("pmccfiltr_el0", 0);
	write_reg("pmevtyper0_el0", EVENT_CYCLES);
	write_reg("pmcntenset_el0", CYCLES | 1);
	write_reg("pmcr_el0", pmcr);
	t = read_reg("cntpct_el0");
	cycles = read_reg("pmccntr_el0");
	while (read_reg("cntpct_el0") - t < hz / 10)
		;
	ns = (read_reg("cntpct_el0") - t) * NS_A_TICK(hz);
	ok(read_reg("pmccntr_el0") - cycles > ns / 2, "the host counts its own cycles");
	t = read_reg("cntpct_el0");
	cycles = read_reg("pmccntr_el0");
	events = read_reg("pmevcntr0_el0");
	ask(OP_SPIN, SPINS, 0, 0);
	cycles = read_reg("pmccntr_el0") - cycles;
	events = (uint32_t)(read_reg("pmevcntr0_el0") - events);
	ns = (read_reg("cntpct_el0") - t) * NS_A_TICK(hz);
	if (cycles >= ns / 4 || events >= ns / 4) {
		say("ns", ns);
		say("cycles", cycles);
		say("events", events);
	}
	ok(cycles < ns / 4, "its PMCCNTR_EL0 stands still while an S-VM runs");
	ok(events < ns / 4, "so does an event counter of it");
	ok((read_reg("pmcr_el0") & 0x7f) == pmcr, "and both go on after");
	write_reg("pmcr_el0", PMCR_LC);
	write_reg("pmcntenclr_el0", CYCLES | 1);
}

/* ---- entries ------------------------------------------------------------------------ */

static bool gic_refused(uint64_t lists, uint64_t lr)
{
	gic_page()->lists = lists;
	gic_page()->lr[0] = lr;
	barrier();
	return run_once(TV_RUN_DONE) == (uint64_t)TV_EINVAL;
}

static void test_gic(void)
{
	bool good = gic_refused(1, LR_HW_SGI);

	ok(good, "an S-VM's virtual interrupt is tied to no physical one");
	ok(gic_refused(TV_MAX_LISTS + 1, 0) && gic_refused(~0UL, 0),
	   "nor has it more list registers than there are");
	gic_page()->lists = 0;
	ok(ask(OP_PSTATE, 0, 0, 0) == (1 << 2 | 0x3c0 | 1), "then it runs, at EL1, masked");
}

/* The guest, of which the host has nothing but its requests: tables, and where they are. */
static void test_guest(void)
{
	run(0);
	ok(is_asking() && run_page()->gpr[1] == 0, "an S-VM starts where it was measured to");
	ok(ask(OP_CHECK, 0, 0, 0) == 0, "all its registers are as it left them");
	ok(ask(OP_WRITE, SECRET_AT, SECRET, 0) == 0 && ask(OP_READ, SECRET_AT, 0, 0) == SECRET,
	   "it has memory");
	ok(ask(OP_READ, RAM + CHUNK - 8, 0, 0) == 0, "which is zero");
	ok(ask(OP_MPIDR, 0, 0, 0) == 0x80000000, "its MPIDR_EL1 is its own");
}

/* ---- memory ------------------------------------------------------------------------- */

static uint64_t reads_private(uint64_t arg)
{
	struct caught c;

	(void)arg;
	return !attempt(&c, read_8, POOL) || !attempt(&c, read_8, POOL + (SECRET_AT - RAM)) ||
	       FSC(c.esr) != FSC_EXTERNAL;
}

static bool refused(uint64_t status)
{
	return status == (uint64_t)TV_EFAULT || status == (uint64_t)TV_EINVAL ||
	       status == (uint64_t)TV_EDENIED;
}

static void test_private(void)
{
	static struct npt other;
	uint64_t nvm, vm, page = POOL + (SECRET_AT - RAM);

	ok(on_all_cpus(reads_private), "private memory is no CPU's to read");
	npt_make(&other);
	npt_put(&other, 16, page | LEAF);
	nvm = nvm_create(&other);
	fresh(guest_load, IPA_PAGE(16), 0);
	ok(nvm_run(nvm, 0) == (uint64_t)TV_EDENIED, "nor an N-VM's");
	must(call(TV_NVM_DESTROY, nvm, 0, 0, 0, 0), "TV_NVM_DESTROY");
	ok(refused(call(TV_NVM_CREATE, page, NPT_BITS, NPT_LEVEL, 0, 0)) &&
		   refused(call(TV_VM_CREATE, page, NPT_BITS, NPT_LEVEL, 0, 0)),
	   "nor a normal S2PT");
	ok(refused(call(TV_CPU_SHARE, page, 0, 0, 0, 0)) &&
		   refused(call(TV_CPU_SHARE, SVISOR, 0, 0, 0, 0)),
	   "nor a shared page, and neither is the S-visor's");
	ok(device_writes(page) && device_writes(page - 2), "nor a device's");
	ok(call(TV_CHUNK_RETURN, 0, 0, 0, 0, 0) == (uint64_t)TV_EBUSY, "nor to be returned");
	ok(call(TV_CHUNK_TAKE, TV_SVISOR, POOL, 0, 0, 0) == (uint64_t)TV_EDENIED, "or taken twice");
	must(call(TV_VM_CREATE, (uint64_t)other.level1, NPT_BITS, NPT_LEVEL, 0, &vm),
	     "TV_VM_CREATE");
	must(call(TV_VM_RAM, vm, RAM, CHUNK, 0, 0), "TV_VM_RAM");
	ok(refused(call(TV_VM_LOAD, vm, RAM, page, POOL + CHUNK, 0)) &&
		   refused(call(TV_VM_LOAD, vm, RAM, SVISOR, POOL + CHUNK, 0)),
	   "nor another S-VM's to load, and neither is the S-visor's");
	must(call(TV_VM_DESTROY, vm, 0, 0, 0, 0), "TV_VM_DESTROY");
	/* the shared page is another one's state by now */
	fresh(guest_page, 0, 0);
	ok(ask(OP_READ, SECRET_AT, 0, 0) == SECRET, "the guest finds what it has written");
}

/* What the host asks for is not what the S-VM gets, if it is not its own. */
static void test_requests(void)
{
	static const struct {
		const char *name;
		uint64_t at;
	} bad[] = {{"the S-visor's", SVISOR},
		   {"ordinary memory", POOL + CHUNK},
		   {"a device", UART},
		   {"behind DRAM", RAM_END}};

	npt.level2[2] = 0;
	tell(OP_READ, RAM + 2 * BLOCK, 0, 0);
	run(TV_RUN_DONE);
	ok(run_page()->exit == TV_EXIT_FAULT && run_page()->hpfar == (RAM + 2 * BLOCK) >> 8,
	   "an S-VM that lacks memory asks for it");
	for (uint64_t i = 0; i < LENGTH(bad); i++) {
		uint64_t status;

		npt.level2[2] = (bad[i].at & ~(BLOCK - 1)) | BLOCK_LEAF;
		barrier();
		status = run_once(0);
		put_result(status == (uint64_t)TV_EDENIED &&
				   run_page()->hpfar == (RAM + 2 * BLOCK) >> 8,
			   "an S-VM gets no memory that is not its own: ", bad[i].name);
	}
	npt.level2[2] = (POOL + 2 * BLOCK) | BLOCK_LEAF;
	barrier();
	run(0);
	ok(is_asking() && run_page()->gpr[1] == 0, "and goes on with what is");
}

static bool is_zero(uint64_t from, uint64_t to)
{
	for (uint64_t a = from; a < to; a += 8)
		if (*(volatile uint64_t *)a)
			return false;
	return true;
}

extern const uint8_t _end[];

static uint64_t secrets_in(uint64_t from, uint64_t to)
{
	uint64_t found = 0;

	for (const volatile uint64_t *p = (uint64_t *)from; p < (uint64_t *)to; p++)
		found += *p == SECRET;
	return found;
}

static void test_end(void)
{
	uint64_t status, base = 0, image_end = ((uint64_t)_end + PAGE) & ~(PAGE - 1);

	do
		status = call(TV_VM_DESTROY, svm, 0, 0, 0, 0);
	while (status == TV_AGAIN);
	ok(status == TV_OK, "the S-VM is destroyed");
	ok(call(TV_VCPU_RUN, svm, 0, 0, 0, 0) == (uint64_t)TV_ENOENT, "and found no more");
	ok(on_all_cpus(reads_private), "its memory is closed still");
	ok(call(TV_CHUNK_RETURN, 0, 0, 0, 0, &base) == TV_OK && base == POOL &&
		   is_zero(POOL, POOL + CHUNK),
	   "till it is returned, all zero");
	ok(!secrets_in(image_end, SVISOR) && !secrets_in(SVISOR + SVISOR_SIZE, RAM_END),
	   "no secret is in any memory of the host's");
}

void test_svms(void)
{
	npt_make(&npt);
	find_registers();
	launch();
	test_guest();
	test_gic();
	test_filled("a call, registers full", guest_fill);
	test_filled("a call, counters on", guest_count);
	test_counters();
	test_requests();
	audit("an S-VM that lives");
	test_private();
	test_end();
	audit("an S-VM that is gone");
}
