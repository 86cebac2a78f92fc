/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An N-visor at Non-secure EL2 that trusts nobody: at each exit of its S-VM it looks for the
 * guest's registers in all that it can read, and before each entry it changes all that it can
 * write. Says in TAP what it found.
 */
#include <stdint.h>

#include <twinvisor/abi.h>

#include "ns.h"
#include "probe.h"

#define PSCI_SYSTEM_OFF 0x84000008

#define POOL 0x80000000
#define POOL_SIZE (8 * TV_CHUNK_SIZE)
#define SCTLR_RESET 0x30d00800
#define STRANGER 0x3c3c00000000c3c3

/* clang-format off */
/* Ours, whatever happens in the Secure world: these values at the gate. */
#define HOST_REGS(X) \
	X(hcr_el2, "hcr_el2", 0x80000039) X(vttbr_el2, "vttbr_el2", 0x1234000040000000) \
	X(vtcr_el2, "vtcr_el2", 0x80023559) X(tpidr_el2, "tpidr_el2", 0xabcdef0123456789) \
	X(mair_el2, "mair_el2", 0x44bbff0400) X(tcr_el2, "tcr_el2", 0x80803518) \
	X(ttbr0_el2, "ttbr0_el2", 0x41000000) X(ttbr1_el2, "s3_4_c2_c0_1", 0x42000000) \
	X(contextidr_el2, "s3_4_c13_c0_1", 0x99) X(cptr_el2, "cptr_el2", 0x22ff) \
	X(hstr_el2, "hstr_el2", 0x2) X(mdcr_el2, "mdcr_el2", 0x66) \
	X(vpidr_el2, "vpidr_el2", 0x411fd490) X(vmpidr_el2, "vmpidr_el2", 0x80000a0b) \
	X(cnthctl_el2, "cnthctl_el2", 0) X(cntvoff_el2, "cntvoff_el2", 0x7777) \
	X(esr_el2, "esr_el2", 0x5a000001) X(elr_el2, "elr_el2", 0x60601234) \
	X(spsr_el2, "spsr_el2", 0x600003c5) X(far_el2, "far_el2", 0x1122334455667788) \
	X(hpfar_el2, "hpfar_el2", 0x4567890) X(hcrx_el2, "s3_4_c1_c2_2", 1) \
	X(hfgrtr_el2, "s3_4_c1_c1_4", 2) X(hfgitr_el2, "s3_4_c1_c1_6", 4) \
	X(hdfgrtr_el2, "s3_4_c3_c1_4", 8) X(pmuserenr_el0, "pmuserenr_el0", 5) \
	X(pmcr_el0, "pmcr_el0", 0x40) X(pmselr_el0, "pmselr_el0", 3) \
	X(ich_lr0_el2, "s3_4_c12_c12_0", 0x0000000000000042) \
	X(ich_vmcr_el2, "s3_4_c12_c11_7", 0xf8000000) X(zcr_el2, "s3_4_c1_c2_0", 0)
/* clang-format on */
#define HOST_FUNCTIONS(name, as, value) REG_FUNCTIONS(name, as)
#define HOST_LINE(name, as, value) {{#name, read_##name, write_##name}, value},

GUEST_REGS(REG_FUNCTIONS)
GUEST_LIVE_REGS(REG_FUNCTIONS)
SWITCHED_REGS(REG_FUNCTIONS)
HOST_REGS(HOST_FUNCTIONS)
REG_FUNCTIONS(sctlr_el1, "sctlr_el1")
REG_FUNCTIONS(sp_el1, "sp_el1")
REG_FUNCTIONS(zcr_el1, "s3_0_c1_c2_0")
REG_FUNCTIONS(vdisr_el2, "s3_4_c12_c1_1")

#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

static const struct reg guests[] = {GUEST_REGS(REG_LINE) GUEST_LIVE_REGS(REG_LINE) REG_LINE(
	sp_el1, ) REG_LINE(zcr_el1, ) REG_LINE(vdisr_el2, )};
static const struct reg switched[] = {SWITCHED_REGS(REG_LINE)};
static const struct {
	struct reg reg;
	uint64_t value;
} host[] = {HOST_REGS(HOST_LINE)};

static const char *const kind_names[] = {"HVC",         "SMC",          "WFI",
					 "MMIO read",   "MMIO write",   "fault",
					 "sysreg read", "sysreg write", "interrupt"};

extern const uint8_t guest_image[], guest_image_end[];

static struct tv_run page __attribute__((aligned(4096)));
static uint64_t npt1[512] __attribute__((aligned(4096)));
static uint64_t npt2[512] __attribute__((aligned(4096)));
static uint64_t npt3[512 * 4] __attribute__((aligned(4096)));
static struct vectors vectors;
static uint64_t vm, other_vm, pages_used;

static uint64_t call(uint64_t fid, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t *x1)
{
	uint64_t r[GPRS] = {fid, a, b, c, d};

	smc(r);
	if (x1)
		*x1 = r[1];
	return r[0];
}

static void must(uint64_t status, const char *what)
{
	if (status == TV_OK)
		return;
	put("not ok - ");
	put(what);
	put(" gave ");
	put_hex(status);
	put("\r\n");
	call(PSCI_SYSTEM_OFF, 0, 0, 0, 0, 0);
}

static void say(const char *what, const char *name, uint64_t value)
{
	put("# ");
	put(what);
	put(" ");
	put(name);
	put(" = ");
	put_hex(value);
	put("\r\n");
}

/* ---- the S-VM ------------------------------------------------------------- */

static uint64_t new_page(void)
{
	return POOL + pages_used++ * TV_PAGE_SIZE;
}

/* Backs the page in the normal S2PT: that is only a request. */
static void map(uint64_t ipa, uint64_t pa)
{
	uint64_t *leaf = &npt3[(ipa - RAM) / TV_PAGE_SIZE];

	*leaf = pa | 0x7ff;
	__asm__ volatile("dsb sy");
}

static void launch(void)
{
	npt1[RAM >> 30] = (uint64_t)npt2 | 3;
	for (int i = 0; i < 4; i++)
		npt2[i] = (uint64_t)&npt3[512 * i] | 3;
	must(call(TV_CPU_SHARE, (uint64_t)&page, 0, 0, 0, 0), "TV_CPU_SHARE");
	must(call(TV_POOL_ADD, POOL, POOL_SIZE, 0, 0, 0), "TV_POOL_ADD");
	must(call(TV_VM_CREATE, (uint64_t)npt1, 39, 1, 0, &vm), "TV_VM_CREATE");
	must(call(TV_VM_RAM, vm, RAM, RAM_SIZE, 0, 0), "TV_VM_RAM");
	for (const uint8_t *p = guest_image; p < guest_image_end; p += TV_PAGE_SIZE)
		must(call(TV_VM_LOAD, vm, RAM + (p - guest_image), (uint64_t)p, new_page(), 0),
		     "TV_VM_LOAD");
	page.pc = RAM;
	must(call(TV_VCPU_CREATE, vm, 0, TV_VCPU_ON, 0, 0), "TV_VCPU_CREATE");
	page.pc = SECOND;
	must(call(TV_VCPU_CREATE, vm, 1, TV_VCPU_ON, 0, 0), "TV_VCPU_CREATE");
	must(call(TV_VM_SEAL, vm, 0, 0, 0, 0), "TV_VM_SEAL");
}

/* ---- registers ------------------------------------------------------------ */

static uint64_t bad_clean, bad_own, bad_x;
static uint64_t host_put[LENGTH(host)], switched_put[LENGTH(switched)];

/* Values that would hurt, were they the guest's: breakpoints armed, the OS lock closed, the
 * vectors short, no access from EL0. */
static uint64_t switched_value(uint64_t i)
{
	if (switched[i].read == read_mdscr_el1)
		return 1 << 12;
	if (switched[i].read == read_dbgbcr0 || switched[i].read == read_dbgbcr1)
		return 0x1e7;
	return STRANGER ^ i << 20;
}

/* Those that N2 lacks: FEAT_HCX and FEAT_FGT. */
static int exists(const struct reg *r)
{
	if (r->read == read_hcrx_el2)
		return read_reg("id_aa64mmfr1_el1") >> 40 & 0xf;
	if (r->read == read_hfgrtr_el2 || r->read == read_hfgitr_el2 || r->read == read_hdfgrtr_el2)
		return read_reg("id_aa64mmfr0_el1") >> 56 & 0xf;
	return 1;
}

/* A caller in streaming mode, with ZA: where there is SME, the S-visor has to live with it. */
static int has_sme(void)
{
	return read_reg("id_aa64pfr1_el1") >> 24 & 0xf;
}

static void streaming_on(void)
{
	if (has_sme())
		write_reg("s3_3_c4_c2_2", 3); /* SVCR: SM, ZA */
}

static void plant(uint64_t zcr)
{
	for (uint64_t i = 0; i < sizeof(vectors); i++)
		((uint8_t *)&vectors)[i] = 0x80 | (i & 0x3f);
	for (uint64_t i = 0; i < 17 * VECTOR_MAX / 8; i++)
		vectors.p[i] = 0xff;
	write_zcr_el2(0xf);
	vectors_load(&vectors);
	write_sctlr_el1(STRANGER);
	for (uint64_t i = 0; i < LENGTH(guests); i++)
		guests[i].write(STRANGER ^ i << 20);
	for (uint64_t i = 0; i < LENGTH(switched); i++) {
		switched[i].write(switched_value(i));
		switched_put[i] = switched[i].read();
	}
	write_reg("oslar_el1", 1);
	streaming_on();
	for (uint64_t i = 0; i < LENGTH(host); i++) {
		if (!exists(&host[i].reg))
			continue;
		host[i].reg.write(host[i].value);
		if (host[i].reg.read == read_zcr_el2)
			write_zcr_el2(zcr);
		host_put[i] = host[i].reg.read();
	}
}

static void check_clean(void)
{
	for (uint64_t i = 0; i < LENGTH(guests); i++) {
		uint64_t v = guests[i].read();

		if (v) {
			bad_clean++;
			say("left behind:", guests[i].name, v);
		}
	}
	if (read_sctlr_el1() != SCTLR_RESET) {
		bad_clean++;
		say("left behind:", "sctlr_el1", read_sctlr_el1());
	}
}

static void check_vectors(void)
{
	uint64_t vl;

	write_zcr_el2(0xf);
	vl = vector_length();
	vectors_store(&vectors);
	for (uint64_t i = 0; i < 32 * vl; i++) {
		if (vectors.z[i] && (i % vl < 64 || (vectors.z[i] & 0xc0) == 0x40)) {
			bad_clean++;
			say("left behind:", "byte of Z", i);
			break;
		}
	}
	for (uint64_t i = 0; i < 17 * vl / 8; i++) {
		if (vectors.p[i] && (i % (vl / 8) < 8 || vectors.p[i] != 0xff)) {
			bad_clean++;
			say("left behind:", "byte of P", i);
			break;
		}
	}
}

static void check_own(void)
{
	for (uint64_t i = 0; i < LENGTH(host); i++) {
		uint64_t v = exists(&host[i].reg) ? host[i].reg.read() : 0;

		if (v != host_put[i]) {
			bad_own++;
			say("changed:", host[i].reg.name, v);
		}
	}
	for (uint64_t i = 0; i < LENGTH(switched); i++) {
		uint64_t v = switched[i].read();

		if (v != switched_put[i]) {
			bad_own++;
			say("changed:", switched[i].name, v);
		}
	}
	if (has_sme())
		write_reg("s3_3_c4_c2_2", 0);
	if (!(read_reg("oslsr_el1") & 2)) {
		bad_own++;
		say("changed:", "oslsr_el1", read_reg("oslsr_el1"));
	}
}

static uint64_t run_vcpu(uint64_t vcpu, uint64_t flags)
{
	static uint64_t runs;
	uint64_t r[GPRS], hcr = read_reg("hcr_el2"), cptr = read_reg("cptr_el2");

	for (uint64_t i = 0; i < 31; i++)
		page.gpr[i] = r[i] = HOST_X(i);
	page.flags = flags;
	page.cntvoff = 0;
	page.pc = STRANGER;
	plant(runs++ % 3);
	r[0] = TV_VCPU_RUN;
	r[1] = vm;
	r[2] = vcpu;
	smc(r);
	check_own();
	write_reg("cptr_el2", cptr);
	write_reg("hcr_el2", hcr);
	check_clean();
	check_vectors();
	for (uint64_t i = 5; i < GPRS; i++)
		bad_x += r[i] != HOST_X(i);
	bad_x += r[1] | r[2] | r[3] | r[4];
	return r[0];
}

static uint64_t run(uint64_t flags)
{
	return run_vcpu(0, flags);
}

/* ---- exits ---------------------------------------------------------------- */

static int is_kind(uint64_t kind, uint64_t exit)
{
	static const uint8_t exits[] = {
		[KIND_HVC] = TV_EXIT_CALL,
		[KIND_SMC] = TV_EXIT_CALL,
		[KIND_WFI] = TV_EXIT_WFX,
		[KIND_MMIO_READ] = TV_EXIT_MMIO,
		[KIND_MMIO_WRITE] = TV_EXIT_MMIO,
		[KIND_FAULT] = TV_EXIT_FAULT,
		[KIND_SYSREG_READ] = TV_EXIT_SYSREG,
		[KIND_SYSREG_WRITE] = TV_EXIT_SYSREG,
		[KIND_IRQ] = TV_EXIT_IRQ,
	};

	return kind < KINDS && exit == exits[kind];
}

static void expect_mmio(struct tv_run *e, uint64_t write, uint64_t size, uint64_t address)
{
	/* ISV, SAS, SSE and SF, SRT = 9, WnR, and whatever level nothing was found at */
	e->esr = 0x24ull << 26 | 1 << 24 | size | 9 << 16 | write << 6 | (page.esr & 0x3f);
	e->hpfar = DEVICE >> 8;
	e->far = address & 0xfff;
	if (write)
		e->gpr[9] = (uint32_t)GUEST_X(9);
}

/* What abi.h shows of each kind; the rest is zero. */
static void expect(struct tv_run *e, uint64_t kind)
{
	static const uint64_t esr[] = {[KIND_HVC] = 0x16ull << 26 | 0x11,
				       [KIND_SMC] = 0x17ull << 26 | 0x22,
				       [KIND_WFI] = 1ull << 26};

	for (uint64_t i = 0; i < sizeof(*e) / 8; i++)
		((uint64_t *)e)[i] = 0;
	e->exit = page.exit;
	if (kind == KIND_HVC || kind == KIND_SMC)
		for (int i = 0; i < 4; i++)
			e->gpr[i] = GUEST_X(i);
	if (kind <= KIND_WFI)
		e->esr = esr[kind];
	if (kind == KIND_MMIO_READ)
		expect_mmio(e, 0, 1 << 22 | 1 << 21 | 1 << 15, DEVICE + 0x18);
	if (kind == KIND_MMIO_WRITE)
		expect_mmio(e, 1, 2 << 22, DEVICE + 0x20);
	if (kind == KIND_FAULT) {
		e->esr = 0x24ull << 26 | (page.esr & 0x3f);
		e->hpfar = FRESH_PAGE >> 8;
	}
	if (kind == KIND_SYSREG_READ) /* op0 3, op2 0, op1 0, CRn 0, Rt 9, CRm 4, read */
		e->esr = 0x18ull << 26 | 1 << 25 | 3 << 20 | 9 << 5 | 4 << 1 | 1;
	if (kind == KIND_SYSREG_WRITE) { /* op0 3, op2 5, op1 0, CRn 12, Rt 9, CRm 11, write */
		e->esr = 0x18ull << 26 | 1 << 25 | 3 << 20 | 5 << 17 | 12 << 10 | 9 << 5 | 11 << 1;
		e->gpr[9] = GUEST_X(9);
	}
}

static int shows_only(uint64_t kind)
{
	static struct tv_run e;
	int good = 1;

	expect(&e, kind);
	for (uint64_t i = 0; i < sizeof(e) / 8; i++) {
		if (((uint64_t *)&page)[i] == ((uint64_t *)&e)[i])
			continue;
		good = 0;
		put("# word ");
		put_hex(i);
		say(", wanted and found:", "", ((uint64_t *)&e)[i]);
		say("", "", ((uint64_t *)&page)[i]);
	}
	return good;
}

static void timer(uint64_t ticks)
{
	volatile uint32_t *gicd = (void *)0x08000000, *gicr = (void *)0x080b0000;

	gicd[0] |= 0x12;                 /* GICD_CTLR: ARE_NS, EnableGrp1A */
	gicr[0x100 / 4] = 1 << 26;       /* GICR_ISENABLER0: CNTHP */
	write_reg("s3_0_c4_c6_0", 0xff); /* ICC_PMR_EL1 */
	write_reg("s3_0_c12_c12_7", 1);  /* ICC_IGRPEN1_EL1 */
	write_reg("cnthp_tval_el2", ticks);
	write_reg("cnthp_ctl_el2", 1);
}

static void quiet(void)
{
	write_reg("cnthp_ctl_el2", 0);
}

static void outcome(uint64_t kind, int shown, uint64_t changed, uint64_t detail)
{
	const char *name = kind_names[kind];

	put_result(shown, name, ": shows what abi.h says, nothing else");
	put_result(bad_clean == 0, name, ": leaves no register of the guest behind");
	put_result(bad_own == 0, name, ": leaves the N-visor's system registers alone");
	put_result(bad_x == 0, name, ": x5-x30 of the caller are preserved, x1-x4 are 0");
	if (changed)
		say("guest:", "what changed", changed << 32 | detail);
	put_result(changed == 0, name, ": the guest finds all as it was");
	bad_clean = bad_own = bad_x = 0;
}

/* An interrupt may come at any time; after the others there is an answer. */
static uint64_t answer(uint64_t kind)
{
	if (kind == KIND_FAULT) {
		map(FRESH_PAGE, new_page());
		return 0;
	}
	return kind == KIND_IRQ ? 0 : TV_RUN_DONE;
}

static int reported(uint64_t kind)
{
	return page.exit == TV_EXIT_CALL && page.gpr[0] == TAG && page.gpr[1] == kind;
}

static void test_exit(uint64_t kind)
{
	uint64_t flags = kind ? TV_RUN_DONE : 0; /* the report before */
	int shown = 0;

	if (kind == KIND_IRQ)
		timer(read_reg("cntfrq_el0") / 1000);
	for (;;) {
		must(run(flags), "TV_VCPU_RUN");
		if (reported(kind) || page.gpr[0] == TAG)
			break;
		quiet();
		shown = is_kind(kind, page.exit) && shows_only(kind);
		if (!shown)
			say(kind_names[kind], "exit", page.exit);
		flags = answer(kind);
	}
	quiet();
	outcome(kind, shown, reported(kind) ? page.gpr[2] : page.gpr[1] << 8, page.gpr[3]);
}

static void test_breakpoint(void)
{
	must(run(TV_RUN_DONE), "TV_VCPU_RUN");
	put_result(reported(KIND_BREAKPOINT) && page.gpr[2] == 0 && !bad_own, "",
		   "the guest's breakpoint fires once, in the guest; the N-visor's never");
}

/* On the CPU that its neighbour has just left. */
static void test_second_vcpu(void)
{
	must(run_vcpu(1, 0), "TV_VCPU_RUN");
	if (page.gpr[1])
		say("second vCPU:", "bits set", page.gpr[1]);
	put_result(page.exit == TV_EXIT_CALL && page.gpr[0] == TAG && page.gpr[1] == 0, "",
		   "another vCPU has nothing of the first one's in its registers");
}

/* NS = 1 in the guest's own tables: no memory there, whatever is mapped at that number. */
static void test_ns_access(void)
{
	must(run(TV_RUN_DONE), "TV_VCPU_RUN");
	for (int faults = 0; page.exit == TV_EXIT_FAULT && faults < 3; faults++)
		must(run(faults < 2 ? 0 : TV_RUN_ABORT), "TV_VCPU_RUN");
	put_result(reported(KIND_NS) && page.gpr[2] == 0, "",
		   "a Non-secure IPA of the guest reaches nothing");
}

static int refused(uint64_t status)
{
	return status == (uint64_t)TV_EFAULT || status == (uint64_t)TV_EINVAL ||
	       status == (uint64_t)TV_EDENIED;
}

/* All that the S-visor reads as ordinary memory may be Secure by then. */
static void test_secure_as_ordinary(void)
{
	uint64_t mine = POOL + TV_CHUNK_SIZE, status;

	must(call(TV_VM_CREATE, (uint64_t)npt1, 39, 1, 0, &other_vm), "TV_VM_CREATE");
	must(call(TV_VM_RAM, other_vm, RAM, RAM_SIZE, 0, 0), "TV_VM_RAM");
	status = call(TV_VM_LOAD, other_vm, RAM, POOL, mine, 0);
	put_result(status == (uint64_t)TV_EFAULT || status == (uint64_t)TV_EINVAL, "",
		   "TV_VM_LOAD from another S-VM's page is refused");
	put_result(refused(call(TV_VM_LOAD, other_vm, RAM, 0x0e100000, mine, 0)), "",
		   "TV_VM_LOAD from the S-visor's memory is refused");
	put_result(refused(call(TV_CPU_SHARE, POOL, 0, 0, 0, 0)), "",
		   "a private page as shared page is refused");
	put_result(refused(call(TV_VM_CREATE, POOL, 39, 1, 0, 0)), "",
		   "a private page as normal S2PT is refused");
	must(call(TV_CPU_SHARE, mine + TV_PAGE_SIZE, 0, 0, 0, 0), "TV_CPU_SHARE");
	must(call(TV_VM_LOAD, other_vm, RAM, (uint64_t)guest_image, mine, 0), "TV_VM_LOAD");
	put_result(call(TV_VCPU_CREATE, other_vm, 0, 0, 0, 0) == (uint64_t)TV_EFAULT, "",
		   "a shared page that became Secure gives TV_EFAULT");
}

static void test_end(void)
{
	uint64_t violations, status;

	put_result(call(TV_AUDIT, 0, 0, 0, 0, &violations) == TV_OK && violations == 0, "",
		   "the audit finds nothing wrong");
	do
		status = call(TV_VM_DESTROY, vm, 0, 0, 0, 0);
	while (status == TV_AGAIN);
	put_result(status == TV_OK, "", "the S-VM is destroyed");
}

void start(void)
{
	write_reg("cptr_el2", 0x22ff); /* FP, SVE and SME untrapped */
	launch();
	for (uint64_t kind = 0; kind < KINDS; kind++)
		test_exit(kind);
	test_breakpoint();
	test_second_vcpu();
	test_ns_access();
	test_secure_as_ordinary();
	test_end();
	put("# end\r\n");
	call(PSCI_SYSTEM_OFF, 0, 0, 0, 0, 0);
}
