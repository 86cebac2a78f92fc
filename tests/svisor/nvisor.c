/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An N-visor at Non-secure EL2 that trusts nobody: at each exit of its S-VM it looks for the
 * guest's registers in all that it can read, and before each entry it changes all that it can
 * write. Says in TAP what it found.
 */
#include "nvisor.h"

#define PSCI_SYSTEM_OFF 0x84000008

#define SCTLR_RESET 0x30d00800
#define STRANGER 0x3c3c00000000c3c3
#define PMU_PPI 23

/* clang-format off */
/* Ours, whatever happens in the Secure world: these values at the gate. */
#define HOST_REGS(X) \
	X(hcr_el2, "hcr_el2", 0x80000039) X(tpidr_el2, "tpidr_el2", 0xabcdef0123456789) \
	X(mair_el2, "mair_el2", 0x44bbff0400) X(tcr_el2, "tcr_el2", 0x80803518) \
	X(ttbr0_el2, "ttbr0_el2", 0x41000000) X(ttbr1_el2, "s3_4_c2_c0_1", 0x42000000) \
	X(contextidr_el2, "s3_4_c13_c0_1", 0x99) X(cptr_el2, "cptr_el2", 0x22ff) \
	X(mdcr_el2, "mdcr_el2", 0xe3) X(cnthctl_el2, "cnthctl_el2", 0) \
	X(ich_lr0_el2, "s3_4_c12_c12_0", 0x0000000000000042) \
	X(ich_vmcr_el2, "s3_4_c12_c11_7", 0xf8000000) X(zcr_el2, "s3_4_c1_c2_0", 0)
/* Set for a guest, and ours to set again. */
#define LOST_REGS(X) \
	X(vttbr_el2, "vttbr_el2", 0x1234000040000000) X(vtcr_el2, "vtcr_el2", 0x80023559) \
	X(hstr_el2, "hstr_el2", 0x2) X(vpidr_el2, "vpidr_el2", 0x411fd490) \
	X(vmpidr_el2, "vmpidr_el2", 0x80000a0b) X(cntvoff_el2, "cntvoff_el2", 0x7777) \
	X(hcrx_el2, "s3_4_c1_c2_2", 1) X(hfgrtr_el2, "s3_4_c1_c1_4", 2) \
	X(hfgitr_el2, "s3_4_c1_c1_6", 4) X(hdfgrtr_el2, "s3_4_c3_c1_4", 8)
/* Of the guest's last exception: 0 after it; or as we had them, for the slow world switch puts them back,
 * and SP_EL0, too. */
#define SCRUBBED_REGS(X) \
	X(esr_el2, "esr_el2", 0x5a000001) X(elr_el2, "elr_el2", 0x60601234) \
	X(spsr_el2, "spsr_el2", 0x600003c5) X(far_el2, "far_el2", 0x1122334455667788) \
	X(hpfar_el2, "hpfar_el2", 0x4567890)
/* clang-format on */
#define HOST_FUNCTIONS(name, as, value) REG_FUNCTIONS(name, as)
#define HOST_LINE(name, as, value) {{#name, read_##name, write_##name}, value},

GUEST_REGS(REG_FUNCTIONS)
GUEST_LIVE_REGS(REG_FUNCTIONS)
SWITCHED_REGS(REG_FUNCTIONS)
PMU_REGS(REG_FUNCTIONS)
HOST_REGS(HOST_FUNCTIONS)
LOST_REGS(HOST_FUNCTIONS)
SCRUBBED_REGS(HOST_FUNCTIONS)
REG_FUNCTIONS(sctlr_el1, "sctlr_el1")
REG_FUNCTIONS(sp_el1, "sp_el1")
REG_FUNCTIONS(zcr_el1, "s3_0_c1_c2_0")
REG_FUNCTIONS(vdisr_el2, "s3_4_c12_c1_1")

static const struct reg guests[] = {GUEST_REGS(REG_LINE) GUEST_LIVE_REGS(REG_LINE) REG_LINE(
	sp_el1, ) REG_LINE(zcr_el1, ) REG_LINE(vdisr_el2, )};
static const struct reg switched[] = {SWITCHED_REGS(REG_LINE) PMU_REGS(REG_LINE)};
static const struct host {
	struct reg reg;
	uint64_t value;
} host[] = {HOST_REGS(HOST_LINE)}, lost[] = {LOST_REGS(HOST_LINE)},
  scrubbed[] = {SCRUBBED_REGS(HOST_LINE)};

static const char *const kind_names[] = {"HVC",        "SMC",   "WFI",         "MMIO read",
					 "MMIO write", "fault", "sysreg read", "sysreg write",
					 "interrupt",  "OFF"};

extern const uint8_t guest_image[], guest_image_end[];

union shared shared __attribute__((aligned(TV_PAGE_SIZE)));
static uint64_t npt1[512] __attribute__((aligned(4096)));
static uint64_t npt2[512] __attribute__((aligned(4096)));
static uint64_t npt3[512 * 4] __attribute__((aligned(4096)));
static struct vectors vectors;
uint64_t vm;
static uint64_t other_vm, page_next = POOL;

uint64_t call(uint64_t fid, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t *x1)
{
	uint64_t r[GPRS] = {fid, a, b, c, d};

	smc(r);
	if (x1)
		*x1 = r[1];
	return r[0];
}

void must(uint64_t status, const char *what)
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

void say(const char *what, const char *name, uint64_t value)
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
	page_next += TV_PAGE_SIZE;
	return page_next - TV_PAGE_SIZE;
}

/* Backs the page in the normal S2PT: that is only a request. */
static void map(uint64_t ipa, uint64_t pa)
{
	uint64_t *leaf = &npt3[(ipa - RAM) / TV_PAGE_SIZE];

	*leaf = pa | 0x7ff;
	__asm__ volatile("dsb sy");
}

/* The most there is. */
static uint64_t features(void)
{
	uint64_t r[GPRS] = {TV_VERSION};

	smc(r);
	return r[3];
}

/* An S-VM with the guest in its memory. */
static uint64_t load(uint64_t wanted)
{
	uint64_t svm;

	must(call(TV_VM_CREATE, (uint64_t)npt1, 39, 1, wanted, &svm), "TV_VM_CREATE");
	must(call(TV_VM_RAM, svm, RAM, RAM_SIZE, 0, 0), "TV_VM_RAM");
	must(call(TV_CHUNK_TAKE, svm, page_next & ~(TV_CHUNK_SIZE - 1UL), 0, 0, 0),
	     "TV_CHUNK_TAKE");
	for (const uint8_t *p = guest_image; p < guest_image_end; p += TV_PAGE_SIZE)
		must(call(TV_VM_LOAD, svm, RAM + (p - guest_image), (uint64_t)p, new_page(), 0),
		     "TV_VM_LOAD");
	return svm;
}

static void launch(void)
{
	npt1[RAM >> 30] = (uint64_t)npt2 | 3;
	for (int i = 0; i < 4; i++)
		npt2[i] = (uint64_t)&npt3[512 * i] | 3;
	must(call(TV_CPU_SHARE, (uint64_t)&page, 0, 0, 0, 0), "TV_CPU_SHARE");
	must(call(TV_POOL_ADD, POOL, POOL_SIZE, 0, 0, 0), "TV_POOL_ADD");
	vm = load(features());
	page.pc = RAM;
	must(call(TV_VCPU_CREATE, vm, 0, TV_VCPU_ON, 0, 0), "TV_VCPU_CREATE");
	page.pc = SECOND;
	must(call(TV_VCPU_CREATE, vm, 1, TV_VCPU_ON, 0, 0), "TV_VCPU_CREATE");
	must(call(TV_VM_SEAL, vm, 0, 0, 0, 0), "TV_VM_SEAL");
}

/* ---- registers ------------------------------------------------------------ */

static uint64_t bad_clean, bad_own, bad_x;
/* What the hunt found, by where. */
static struct {
	uint64_t general, vectors, sysregs;
} finds;
static uint64_t cleared = 64, cleared_p = 8; /* bytes of a vector and of a predicate */
static uint64_t host_put[LENGTH(host)], switched_put[LENGTH(switched)], guests_put[LENGTH(guests)];
static uint64_t scrubbed_put[LENGTH(scrubbed)];

#define PMCR_E 1
#define PMCR_LC (1 << 6)
/* PMEVTYPER<n>_EL0: cycles, of Secure state and EL3 only: SH, and NSK and NSU without P and U */
#define COUNT_SECURE (1 << 24 | 1 << 29 | 1 << 28 | 0x11)
#define NOT_EL3 (1 << 26) /* whose way in is counted as the cycles of our own call */

/* Values that would hurt, were they the guest's: breakpoints armed, the OS lock closed, the
 * vectors short, no access from EL0. Counters run, some by HPME, for the guest and us to pay. */
static uint64_t switched_value(uint64_t i)
{
	if (switched[i].read == read_mdscr_el1)
		return 1 << 12;
	if (switched[i].read == read_dbgbcr0 || switched[i].read == read_dbgbcr1)
		return 0x1e7;
	if (switched[i].read == read_pmcr)
		return PMCR_LC | PMCR_E;
	if (switched[i].read == read_pmevtyper0 || switched[i].read == read_pmevtyper2 ||
	    switched[i].read == read_pmevtyper5)
		return COUNT_SECURE;
	if (switched[i].read == read_pmccfiltr)
		return COUNT_SECURE | NOT_EL3;
	if (switched[i].read == read_pmcntenset)
		return ~0ull;
	if (switched[i].read == read_pmintenset)
		return 0;
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

static uint8_t host_byte(uint64_t i)
{
	return 0x80 | (i & 0x3f);
}

static void plant(uint64_t zcr)
{
	for (uint64_t i = 0; i < sizeof(vectors); i++)
		((uint8_t *)&vectors)[i] = host_byte(i);
	for (uint64_t i = 0; i < 17 * VECTOR_MAX / 8; i++)
		vectors.p[i] = 0xff;
	write_zcr_el2(0xf);
	vectors_load(&vectors);
	write_sctlr_el1(STRANGER);
	for (uint64_t i = 0; i < LENGTH(guests); i++) {
		guests[i].write(STRANGER ^ i << 20);
		guests_put[i] = guests[i].read();
	}
	for (uint64_t i = 0; i < LENGTH(switched); i++) {
		switched[i].write(switched_value(i));
		switched_put[i] = switched[i].read();
	}
	write_reg("oslar_el1", 1);
	streaming_on();
	for (uint64_t i = 0; i < LENGTH(lost); i++)
		if (exists(&lost[i].reg))
			lost[i].reg.write(lost[i].value);
	for (uint64_t i = 0; i < LENGTH(scrubbed); i++) {
		scrubbed[i].reg.write(scrubbed[i].value);
		scrubbed_put[i] = scrubbed[i].reg.read();
	}
	for (uint64_t i = 0; i < LENGTH(host); i++) {
		host[i].reg.write(host[i].value);
		if (host[i].reg.read == read_zcr_el2)
			write_zcr_el2(zcr);
		host_put[i] = host[i].reg.read();
	}
}

/* A guest that has used none has left ours where they are. */
static int is_fp(const struct reg *r)
{
	return r->read == read_fpcr || r->read == read_fpsr || r->read == read_zcr_el1;
}

static int ours_still;

/* Looks at them first, before anything else uses them. */
static void look_at_fp(void)
{
	ours_still = 1;
	for (uint64_t i = 0; i < LENGTH(guests); i++)
		if (is_fp(&guests[i]) && !(has_sme() && guests[i].read == read_fpsr))
			ours_still &= guests[i].read() == guests_put[i]; /* SM's end sets FPSR */
}

static void check_clean(void)
{
	for (uint64_t i = 0; i < LENGTH(scrubbed); i++) {
		uint64_t v = scrubbed[i].reg.read();

		if (v && v != scrubbed_put[i]) {
			bad_clean++;
			say("left behind:", scrubbed[i].reg.name, v);
		}
	}
	for (uint64_t i = 0; i < LENGTH(guests); i++) {
		uint64_t v = guests[i].read();

		if (v && !(ours_still && is_fp(&guests[i])) &&
		    !(guests[i].read == read_sp_el0 && v == guests_put[i])) {
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
	finds.vectors += hunt_words("vector", (uint64_t *)vectors.z, 32 * vl / 8);
	for (uint64_t i = 0; i < 32 * vl; i++) {
		if (vectors.z[i] &&
		    ((i % vl < cleared && !ours_still) || vectors.z[i] != host_byte(i))) {
			bad_clean++;
			say("left behind:", "byte of Z", i);
			break;
		}
	}
	for (uint64_t i = 0; i < 17 * vl / 8; i++) {
		if (vectors.p[i] &&
		    ((i % (vl / 8) < cleared_p && !ours_still) || vectors.p[i] != 0xff)) {
			bad_clean++;
			say("left behind:", "byte of P", i);
			break;
		}
	}
}

static void check_own(void)
{
	for (uint64_t i = 0; i < LENGTH(host); i++) {
		uint64_t v = host[i].reg.read();

		if (v != host_put[i]) {
			bad_own++;
			say("changed:", host[i].reg.name, v);
		}
	}
	for (uint64_t i = 0; i < LENGTH(switched); i++) {
		uint64_t v = switched[i].read();

		if (v != switched_put[i] && switched[i].read != read_pmuserenr) { /* lost */
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

static struct tv_run page_put; /* by us, before the call */

static void copy_run(struct tv_run *to, const struct tv_run *from)
{
	for (uint64_t i = 0; i < sizeof(*to) / 8; i++)
		((volatile uint64_t *)to)[i] = ((const uint64_t *)from)[i];
}

static uint64_t said = HOST_X(0); /* the answer to the guest's report, in x0 */

static uint64_t run_vcpu(uint64_t vcpu, uint64_t flags)
{
	static uint64_t runs;
	uint64_t r[GPRS], hcr = read_reg("hcr_el2"), cptr = read_reg("cptr_el2");

	for (uint64_t i = 0; i < 31; i++)
		page.gpr[i] = r[i] = HOST_X(i);
	page.gpr[0] = said;
	page.flags = flags;
	page.cntvoff = 0;
	page.pc = page.size = page.late = STRANGER;
	copy_run(&page_put, &page);
	for (uint64_t i = sizeof(page) / 8; i < LENGTH(shared.words); i++)
		shared.words[i] = STRANGER ^ i;
	plant(runs++ % 3);
	r[0] = TV_VCPU_RUN;
	r[1] = vm;
	r[2] = vcpu;
	smc(r);
	check_own();
	finds.general += hunt_words("general register, in a copy", r, GPRS);
	finds.sysregs += hunt_sysregs();
	write_reg("cptr_el2", cptr);
	write_reg("hcr_el2", hcr);
	look_at_fp();
	check_clean();
	check_vectors();
	for (uint64_t i = 18; i < GPRS; i++)
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
		[KIND_OFF] = TV_EXIT_OFF,
	};

	return kind < LENGTH(exits) && exit == exits[kind];
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

/* What abi.h shows of each kind; of the rest, what we have put there, or zero. */
static void expect(struct tv_run *e, uint64_t kind)
{
	static const uint64_t esr[] = {[KIND_HVC] = 0x16ull << 26 | 0x11,
				       [KIND_SMC] = 0x17ull << 26 | 0x22,
				       [KIND_WFI] = 1ull << 26};

	copy_run(e, &page_put);
	e->esr = e->far = e->hpfar = e->size = e->late = 0;
	/* The guest's PMCR_EL0.E; an interrupt may come before it has set that. */
	e->lines = kind == KIND_IRQ ? page.lines & TV_LINE_PMU : kind & 1 ? TV_LINE_PMU : 0;
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
	if (kind == KIND_SYSREG_READ) /* op0 3, op2 1, op1 0, CRn 1, Rt 9, CRm 0, read */
		e->esr = 0x18ull << 26 | 1 << 25 | 3 << 20 | 1 << 17 | 1 << 10 | 9 << 5 | 1;
	if (kind == KIND_SYSREG_WRITE) { /* op0 3, op2 5, op1 0, CRn 12, Rt 9, CRm 11, write */
		e->esr = 0x18ull << 26 | 1 << 25 | 3 << 20 | 5 << 17 | 12 << 10 | 9 << 5 | 11 << 1;
		e->gpr[9] = GUEST_X(9);
	}
}

/* Behind the struct all stays as we left it. */
static int rest_untouched(void)
{
	for (uint64_t i = sizeof(page) / 8; i < LENGTH(shared.words); i++)
		if (shared.words[i] != (STRANGER ^ i))
			return 0;
	return 1;
}

static int shows_only(uint64_t kind)
{
	static struct tv_run e;
	int good = rest_untouched();

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

void timer(uint64_t ticks)
{
	volatile uint32_t *gicd = (void *)0x08000000, *gicr = (void *)0x080b0000;

	gicd[0] |= 0x12;                 /* GICD_CTLR: ARE_NS, EnableGrp1A */
	gicr[0x100 / 4] = 1 << 26;       /* GICR_ISENABLER0: CNTHP */
	write_reg("s3_0_c4_c6_0", 0xff); /* ICC_PMR_EL1 */
	write_reg("s3_0_c12_c12_7", 1);  /* ICC_IGRPEN1_EL1 */
	write_reg("cnthp_tval_el2", ticks);
	write_reg("cnthp_ctl_el2", 1);
}

void quiet(void)
{
	write_reg("cnthp_ctl_el2", 0);
}

static void outcome(uint64_t kind, int shown, uint64_t changed, uint64_t detail)
{
	const char *name = kind_names[kind];

	put_result(shown, name, ": shows what abi.h says, nothing else");
	put_result(bad_clean == 0, name, ": leaves no register of the guest behind");
	put_result(bad_own == 0, name, ": leaves the N-visor's system registers alone");
	put_result(bad_x == 0, name, ": x18-x30 of the caller are preserved, x1-x4 are 0");
	put_result(finds.general == 0, name, ": no secret in x0-x30");
	put_result(finds.vectors == 0, name, ": no secret in the vectors");
	put_result(finds.sysregs == 0, name, ": no secret in any system register there is");
	if (changed)
		say("guest:", "what changed", changed << 32 | detail);
	put_result(changed == 0, name, ": the guest finds all as it was");
	bad_clean = bad_own = bad_x = 0;
	finds.general = finds.vectors = finds.sysregs = 0;
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

static void test_cycles(void)
{
	uint64_t until;

	must(run(TV_RUN_DONE), "TV_VCPU_RUN");
	until = read_reg("cntpct_el0") + PAUSE * read_reg("cntfrq_el0");
	while (read_reg("cntpct_el0") < until)
		;
	must(run(TV_RUN_DONE), "TV_VCPU_RUN");
	if (page.gpr[2])
		say("guest:", "cycles", page.gpr[3]);
	put_result(reported(KIND_COUNT) && page.gpr[2] == 0 && !bad_own, "",
		   "the guest counts its own cycles and not the N-visor's");
}

/* The interrupt ends the run, once: while it is active it does not end the next one. */
static void test_overflow(void)
{
	volatile uint32_t *gicr = (void *)0x080b0000;
	int good;

	gicr[0x100 / 4] = 1 << PMU_PPI; /* GICR_ISENABLER0 */
	do
		must(run(page.exit == TV_EXIT_CALL ? TV_RUN_DONE : 0), "TV_VCPU_RUN");
	while (page.exit == TV_EXIT_IRQ && !page.lines);
	good = page.exit == TV_EXIT_IRQ && !(gicr[0x200 / 4] & 1 << PMU_PPI); /* ISPENDR0 */
	put_result(good && page.lines == TV_LINE_PMU, "",
		   "an overflow ends the run, and its interrupt is gone with the guest");
	gicr[0x300 / 4] = 1 << PMU_PPI; /* ISACTIVER0 */
	must(run(0), "TV_VCPU_RUN");
	put_result(reported(KIND_OVERFLOW) && page.gpr[2] == 0 && page.lines == TV_LINE_PMU, "",
		   "the guest runs on with the interrupt asserted, and counts");
	must(run(TV_RUN_DONE), "TV_VCPU_RUN");
	put_result(reported(KIND_QUIET) && page.gpr[2] == 0 && page.gpr[3] == 0 && !page.lines, "",
		   "the guest ends its interrupt");
	gicr[0x380 / 4] = 1 << PMU_PPI; /* ICACTIVER0 */
	gicr[0x180 / 4] = 1 << PMU_PPI; /* ICENABLER0 */
	put_result(!bad_own && !bad_clean, "", "no register was lost by that");
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

static void test_shown(void)
{
	do
		must(run(TV_RUN_DONE), "TV_VCPU_RUN");
	while (page.exit == TV_EXIT_IRQ);
	if (page.gpr[2])
		say("stolen time:", "at", page.gpr[3]);
	put_result(reported(KIND_SHOWN) && page.gpr[2] == 0, "",
		   "the page of stolen time can be read, and not written");
}

/* Fields that say "not there" by 0xf: ID_AA64PFR0.{FP, AdvSIMD}, ID_AA64DFR0.DoubleLock,
 * ID_AA64MMFR0.{TGran64, TGran4}. */
static int is_signed(uint64_t reg, int field)
{
	return (reg == 0x20 && (field == 4 || field == 5)) || (reg == 0x28 && field == 9) ||
	       (reg == 0x38 && (field == 6 || field == 7));
}

static int no_more_than(uint64_t reg, uint64_t guest, uint64_t machine)
{
	for (int i = 0; i < 16; i++) {
		int flip = is_signed(reg, i) ? 8 : 0;

		if (((guest >> 4 * i & 0xf) ^ flip) > ((machine >> 4 * i & 0xf) ^ flip))
			return 0;
	}
	return 1;
}

static int id_good(uint64_t reg, uint64_t guest)
{
	static const struct {
		uint8_t reg;
		uint64_t hidden, same;
	} of[] = {
		{0x20, 0x00f0ff000000ff00, 0x000f00000ff00000}, /* PFR0: EL2, MPAM ...; DIT, FP */
		{0x21, 0xfffffff0ffffff00, 0xff},               /* PFR1: MTE ...; BTI, SSBS */
		{0x25, -1ull, 0},                               /* SMFR0 */
		{0x28, 0x00f0ff0f000000f0, 0x00000000f0f0f000}, /* DFR0: trace ...; breakpoints */
		{0x30, 0, 0xf0ffffff0000fff0},                  /* ISAR0: cryptography ... */
		{0x31, 0xf000000000000000, 0x000000000000fff0}, /* ISAR1: LS64; PAuth */
		{0x39, 0x00000f00f00f0ff0, 0},                  /* MMFR1: VMIDs, VHE */
	};
	int good = no_more_than(reg, guest, read_id(reg));

	for (uint64_t i = 0; i < LENGTH(of); i++) {
		if (of[i].reg == reg)
			good &= !(guest & of[i].hidden) && !((guest ^ read_id(reg)) & of[i].same);
	}
	return good;
}

/* None of the reads is seen; the reports are. */
static void test_id(void)
{
	int good = 1;

	for (uint64_t reg = ID_FIRST; reg < ID_END; reg++) {
		do
			must(run(TV_RUN_DONE), "TV_VCPU_RUN");
		while (page.exit == TV_EXIT_IRQ);
		if (reported(KIND_ID) && page.gpr[2] == reg && id_good(reg, page.gpr[3]))
			continue;
		good = 0;
		say("ID register", "(8 * CRm + Op2)", reg);
		say("guest, machine", "", page.gpr[3]);
		say("", "", read_id(reg));
	}
	put_result(good, "", "ID registers: the machine's, without what guests may not have");
}

/* An S-VM with just this much SVE. */
static void test_length(uint64_t length)
{
	uint64_t first = vm, first_next = page_next, status;

	page_next = POOL + TV_CHUNK_SIZE;
	vm = load(length);
	cleared = length ? 16 * length : 16;
	cleared_p = 2 * length;
	page.pc = THIRD;
	must(call(TV_VCPU_CREATE, vm, 0, TV_VCPU_ON, 0, 0), "TV_VCPU_CREATE");
	must(call(TV_VM_SEAL, vm, 0, 0, 0, 0), "TV_VM_SEAL");
	bad_clean = bad_own = 0;
	do
		must(run(0), "TV_VCPU_RUN");
	while (page.exit == TV_EXIT_IRQ);
	if (page.gpr[2] != 16 * length)
		say("vectors:", "bytes", page.gpr[2]);
	put_result(reported(KIND_LENGTH) && page.gpr[2] == 16 * length &&
			   page.gpr[3] == (length ? 0 : 2),
		   "",
		   length ? "vectors are as long as the S-VM has them"
			  : "without SVE its instructions and registers are Undefined");
	put_result(bad_clean == 0 && bad_own == 0, "", "and the registers are clean afterwards");
	do
		status = call(TV_VM_DESTROY, vm, 0, 0, 0, 0);
	while (status == TV_AGAIN);
	vm = first;
	page_next = first_next;
	cleared = 64;
	cleared_p = 8;
}

static void test_lengths(void)
{
	uint64_t most = features() & TV_FEATURE_SVE;

	test_length(0);
	test_length(1);
	test_length(most);
	if (most > 1)
		test_length(most / 2);
	must(call(TV_CHUNK_RETURN, 0, 0, 0, 0, 0), "TV_CHUNK_RETURN");
	put_result(call(TV_VM_CREATE, (uint64_t)npt1, 39, 1, most + 1, 0) == (uint64_t)TV_EINVAL,
		   "", "longer vectors than there are, or are kept, are refused");
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
	put_result(refused(call(TV_CPU_SHARE, mine + TV_PAGE_SIZE, 0, 0, 0, 0)), "",
		   "so is one that may become private");
}

uint64_t violations(void)
{
	uint64_t found;

	return call(TV_AUDIT, 0, 0, 0, 0, &found) == TV_OK ? found : 1;
}

/* The last exit: the guest turns its first vCPU off, with all registers full. */
static void test_off(void)
{
	int shown;

	do {
		said = ENOUGH;
		must(run(TV_RUN_DONE), "TV_VCPU_RUN");
	} while (reported(KIND_WORK));
	shown = is_kind(KIND_OFF, page.exit) && shows_only(KIND_OFF);
	outcome(KIND_OFF, shown, 0, 0);
	put_result(call(TV_VCPU_RUN, vm, 0, 0, 0, 0) == (uint64_t)TV_ESTATE, "",
		   "a vCPU that turned itself off does not run again");
	put_result(violations() == 0, "", "and the audit finds nothing wrong");
}

static void test_memory(void)
{
	put_result(hunt_memory(POOL + TV_CHUNK_SIZE) == 0, "",
		   "no secret in all of ordinary memory, after exits of all kinds");
}

static void test_end(void)
{
	uint64_t status;

	put_result(violations() == 0, "", "the audit finds nothing wrong");
	do
		status = call(TV_VM_DESTROY, vm, 0, 0, 0, 0);
	while (status == TV_AGAIN);
	put_result(status == TV_OK, "", "the S-VM is destroyed");
}

void start(void)
{
	write_reg("cptr_el2", 0x22ff); /* FP, SVE and SME untrapped */
	hunt_begin();
	launch();
	for (uint64_t kind = 0; kind < KINDS; kind++)
		test_exit(kind);
	test_breakpoint();
	test_cycles();
	test_overflow();
	test_second_vcpu();
	test_ns_access();
	test_shown();
	test_id();
	test_lengths();
	test_hostile_registers();
	test_off();
	test_memory();
	test_secure_as_ordinary();
	test_end();
	put("# end\r\n");
	call(PSCI_SYSTEM_OFF, 0, 0, 0, 0, 0);
}
