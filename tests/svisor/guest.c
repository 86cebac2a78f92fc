/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest: fills all its registers, leaves in every way there is, and tells by HVC what was
 * not as it had left it. */
#include <stdbool.h>

#include "bare.h"
#include "probe.h"

#define SCTLR_M_C_I (1 | 1 << 2 | 1 << 12)
#define SCTLR_EnIA (1ull << 31)
#define BLOCK 0x401      /* valid block, AF */
#define BLOCK_DEVICE 0x4 /* AttrIndx 1 */
#define BLOCK_NS 0x20
#define GIB (1ull << 30)

#define EC(esr) ((esr) >> 26)
#define EC_SVC 0x15
#define EC_UNKNOWN 0
#define EC_DATA_ABORT 0x25
#define EC_BREAKPOINT 0x31
#define FSC(esr) ((esr) & 0x3f)
#define FSC_EXTERNAL 0x10
#define PV_TIME_ST 0xc5000021

#define MDSCR_MDE_KDE (1 << 15 | 1 << 13)
#define BCR_EL1 (0xf << 5 | 1 << 1 | 1) /* BAS, PMC = EL1, E */
#define ALL_FLAGS 0xf8000000

#define PMCR_E 1
#define PMCR_LC (1 << 6)
#define FILTER_NOTHING (3u << 30) /* neither EL1 nor EL0 */
#define EVENT_CYCLES 0x11
#define CYCLES (1u << 31)          /* PMCCNTR's bit */
#define CYCLES_A_SECOND 1000000000 /* of QEMU's CPUs */
#define HEADWAY 1000000            /* cycles before it overflows */

#define GUEST_ONLY(X) X(sctlr_el1, "sctlr_el1") X(zcr_el1, "s3_0_c1_c2_0") X(vdisr, "s3_0_c12_c1_1")
GUEST_REGS(REG_FUNCTIONS)
GUEST_LIVE_REGS(REG_FUNCTIONS)
SWITCHED_REGS(REG_FUNCTIONS)
PMU_REGS(REG_FUNCTIONS)
GUEST_ONLY(REG_FUNCTIONS)

static const struct reg planted[] = {GUEST_REGS(REG_LINE) SWITCHED_REGS(REG_LINE)};
static const struct reg all[] = {GUEST_REGS(REG_LINE) GUEST_LIVE_REGS(REG_LINE) SWITCHED_REGS(
	REG_LINE) PMU_REGS(REG_LINE) GUEST_ONLY(REG_LINE)};
static const struct reg pmu[] = {PMU_REGS(REG_LINE)};
#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

void exit_hvc(uint64_t x[31]);
void exit_smc(uint64_t x[31]);
void exit_wfi(uint64_t x[31]);
void exit_mmio_read(uint64_t x[31]);
void exit_mmio_write(uint64_t x[31]);
void exit_fault(uint64_t x[31]);
void exit_sysreg_read(uint64_t x[31]);
void exit_sysreg_write(uint64_t x[31]);
void exit_irq(uint64_t x[31]);
void exit_off(uint64_t x[31]);
void guest(void);
void guest_length(void);
uint64_t trap(uint64_t esr, uint64_t elr);

static uint64_t level1[512] __attribute__((aligned(4096)));
static struct vectors mine, found;
static volatile uint64_t breakpoints, aborts, calls, undefined;

void *memset(void *to, int c, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = c;
	return to;
}

static uint64_t hvc(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	register uint64_t x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c,
			     x3 __asm__("x3") = d;

	__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
	return x0;
}

static uint64_t report(uint64_t kind, uint64_t changed, uint64_t detail)
{
	return hvc(TAG, kind, changed, detail);
}

/* The one that is expected is told by what it counts; where it resumes is the answer. */
uint64_t trap(uint64_t esr, uint64_t elr)
{
	if (EC(esr) == EC_BREAKPOINT) {
		breakpoints++;
		write_dbgbcr0(0);
		return elr;
	}
	if (EC(esr) == EC_DATA_ABORT && FSC(esr) == FSC_EXTERNAL) {
		aborts++;
		return elr + 4;
	}
	if (EC(esr) == EC_SVC) {
		calls++;
		return elr;
	}
	if (EC(esr) == EC_UNKNOWN) {
		undefined++;
		return elr + 4;
	}
	report(KIND_TRAP, esr, elr);
	return elr + 4;
}

/* 1 GiB blocks: devices, memory, and the memory's address with NS = 1 */
static void mmu_on(void)
{
	level1[0] = 0 | BLOCK | BLOCK_DEVICE | 1ull << 54;
	level1[1] = GIB | BLOCK | 3 << 8;
	level1[2] = GIB | BLOCK | 3 << 8 | BLOCK_NS | 1ull << 54;
	write_mair_el1(0x04ff);
	write_tcr_el1(25 | 0x3500 | 1 << 23 | 5ull << 32);
	write_ttbr0_el1((uint64_t)level1);
	__asm__ volatile("dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb");
	write_sctlr_el1(read_sctlr_el1() | SCTLR_M_C_I | SCTLR_EnIA);
}

static void pmu_off(void)
{
	write_pmcr(PMCR_LC);
	write_reg("pmcntenclr_el0", 0xffffffff);
	write_reg("pmintenclr_el1", 0xffffffff);
	write_reg("pmovsclr_el0", 0xffffffff);
}

/* A value for each register; those with a meaning that matters keep away from it. */
static uint64_t pattern(const struct reg *r, uint64_t i)
{
	uint64_t v = SECRET(SECRET_SYSREG, i);

	if (r->read == read_spsr_el1)
		return 0xf0000005; /* flags, EL1h */
	if (r->read == read_fpcr)
		return 0x07c00000; /* AHP, DN, FZ, RMode */
	if (r->read == read_mdscr_el1)
		return MDSCR_MDE_KDE;
	if (r->read == read_dbgbcr0 || r->read == read_dbgbcr1 || r->read == read_dbgbcr5 ||
	    r->read == read_dbgwcr0 || r->read == read_dbgwcr3)
		return v & 0x1fe6; /* not enabled */
	return v;
}

/* Counters that are on, if the seed says so, and filtered at all levels. Overflows interrupt. */
static uint64_t pmu_pattern(const struct reg *r, uint64_t i, uint64_t seed)
{
	if (r->read == read_pmcr)
		return PMCR_LC | (seed & PMCR_E);
	if (r->read == read_pmcntenset || r->read == read_pmovsset || r->read == read_pmintenset)
		return 1u << 31 | 1 << (seed & 1);
	if (r->read == read_pmevtyper0 || r->read == read_pmevtyper2 ||
	    r->read == read_pmevtyper5 || r->read == read_pmccfiltr)
		return FILTER_NOTHING | EVENT_CYCLES;
	if (r->read == read_pmselr)
		return 5;
	if (r->read == read_pmuserenr)
		return seed & 0xf;
	return SECRET(SECRET_SYSREG, i + seed);
}

static void pmu_plant(uint64_t seed)
{
	pmu_off();
	for (uint64_t i = 0; i < LENGTH(pmu); i++)
		pmu[i].write(pmu_pattern(&pmu[i], i, seed));
}

static void plant(uint64_t seed)
{
	uint64_t *words = (uint64_t *)mine.z;

	for (uint64_t i = 0; i < LENGTH(planted); i++)
		planted[i].write(pattern(&planted[i], i + seed));
	for (uint64_t i = 0; i < sizeof(mine.z) / 8; i++)
		words[i] = SECRET(SECRET_VECTOR, (i + seed) & 0xff);
	for (uint64_t i = 0; i < sizeof(mine.p); i++)
		mine.p[i] = 0x40 | ((i + seed) & 0x3f);
	memset(mine.p + 16 * (vector_length() / 8), 0xff, vector_length() / 8); /* FFR */
	vectors_load(&mine);
	write_vdisr(1ull << 31 | seed); /* A, and a syndrome */
	pmu_plant(seed);
}

/* What an exit changes in x0-x30, and no more. */
static uint64_t expected_x(uint64_t kind, uint64_t n)
{
	if ((kind == KIND_HVC || kind == KIND_SMC) && n < 4)
		return HOST_X(n);
	if (kind == KIND_MMIO_READ && n == 9)
		return (uint64_t)(int16_t)HOST_X(9);
	if (kind == KIND_MMIO_READ && n == 10)
		return DEVICE + 0x18;
	if (kind == KIND_MMIO_WRITE && n == 10)
		return DEVICE + 0x20;
	if (kind == KIND_FAULT && n == 10)
		return FRESH_PAGE + 0x678;
	if (kind == KIND_FAULT && n == 9)
		return 0;
	if (kind == KIND_SYSREG_READ && n == 9)
		return HOST_X(9);
	if (kind == KIND_IRQ && n == 28)
		return 0;
	return GUEST_X(n);
}

static uint64_t vectors_changed(void)
{
	uint64_t vl = vector_length();
	const uint8_t *a = (uint8_t *)&mine, *b = (uint8_t *)&found;

	vectors_store(&found);
	for (uint64_t i = 0; i < 32 * vl; i++)
		if (a[i] != b[i])
			return CHANGED_VECTOR;
	for (uint64_t i = 0; i < 17 * vl / 8; i++)
		if (mine.p[i] != found.p[i])
			return CHANGED_VECTOR;
	return 0;
}

static uint64_t before[LENGTH(all)];

static void remember(void)
{
	for (uint64_t i = 0; i < LENGTH(all); i++)
		before[i] = all[i].read();
}

static uint64_t sysregs_changed(uint64_t *detail)
{
	uint64_t changed = 0;

	for (uint64_t i = 0; i < LENGTH(all); i++) {
		if (all[i].read() != before[i]) {
			changed = CHANGED_SYSREG;
			*detail = i;
		}
	}
	return changed;
}

static void leave(uint64_t kind, void (*exit)(uint64_t x[31]))
{
	uint64_t x[31], changed = 0, detail = 0;

	plant(kind);
	remember();
	exit(x);
	changed |= sysregs_changed(&detail);
	changed |= vectors_changed();
	for (uint64_t n = 0; n < 31; n++) {
		if (n != 30 && x[n] != expected_x(kind, n)) {
			changed |= CHANGED_X;
			detail = n << 16;
		}
	}
	if (x[30] != GUEST_X(30))
		changed |= CHANGED_X;
	report(kind, changed, detail);
}

static void __attribute__((noinline)) target(void)
{
	__asm__ volatile("nop");
}

static bool breakpoint_fires(void)
{
	uint64_t fired = breakpoints;

	write_dbgbvr0((uint64_t)target);
	write_dbgbcr0(BCR_EL1);
	write_mdscr_el1(MDSCR_MDE_KDE);
	__asm__ volatile("msr daifclr, #8");
	target();
	__asm__ volatile("msr daifset, #8");
	return breakpoints == fired + 1;
}

static void own_breakpoint(void)
{
	report(KIND_BREAKPOINT, breakpoint_fires() ? 0 : CHANGED_OTHER, breakpoints);
}

/* At the end of all IPAs, reached by a block of its own. */
static void shown(void)
{
	uint64_t ipa = hvc(PV_TIME_ST, 0, 0, 0), before = aborts;
	volatile uint64_t *page = (void *)(3 * GIB + ipa % GIB);

	level1[3] = (ipa & ~(GIB - 1)) | BLOCK | 3 << 8 | 1ull << 54;
	__asm__ volatile("dsb sy\n\tisb");
	page[1] = 0x5ec7;
	report(KIND_SHOWN,
	       aborts == before + 1 && page[0] == 0 && page[1] != 0x5ec7 ? 0 : CHANGED_OTHER, ipa);
}

/* The N-visor takes its time meanwhile; that is not the guest's. */
static void own_cycles(void)
{
	uint64_t begin, counted;

	pmu_off();
	write_pmccfiltr(0);
	write_pmccntr(0);
	write_pmcntenset(CYCLES);
	write_pmintenset(CYCLES);
	write_pmcr(PMCR_LC | PMCR_E);
	begin = read_pmccntr();
	hvc(TAG, KIND_COUNT, 0, 0);
	counted = read_pmccntr() - begin;
	report(KIND_COUNT, counted && counted < CYCLES_A_SECOND / 2 * PAUSE ? 0 : CHANGED_OTHER,
	       counted);
}

/* It goes on while the interrupt waits to be served, however long that is. */
static void own_overflow(void)
{
	uint64_t count;

	write_pmccntr(-(uint64_t)HEADWAY);
	while (!(read_pmovsset() & CYCLES))
		;
	count = read_pmccntr();
	report(KIND_OVERFLOW, count < CYCLES_A_SECOND ? 0 : CHANGED_OTHER, count);
	write_reg("pmovsclr_el0", CYCLES);
	report(KIND_QUIET, read_pmccntr() > count ? 0 : CHANGED_OTHER, read_pmovsset());
	pmu_off();
}

/* Non-secure IPAs have no memory, whatever the number. */
static void ns_access(void)
{
	volatile uint64_t *here = (void *)(RAM + GIB);
	uint64_t value = *here;

	(void)value;
	report(KIND_NS, aborts == 1 ? 0 : CHANGED_OTHER, aborts);
}

/* Signed and authenticated: the value again, or else one that faults. */
static uint64_t through_pauth(uint64_t value, uint64_t modifier)
{
	__asm__(".arch armv8.3-a\n\tpacia %0, %1\n\tautia %0, %1" : "+r"(value) : "r"(modifier));
	return value;
}

static uint64_t square_root(uint64_t value)
{
	__asm__ volatile("ucvtf d7, %0\n\tfsqrt d7, d7\n\tfcvtzu %0, d7" : "+r"(value)::"memory");
	return value;
}

/* One of each kind that fine-grained traps and HCR_EL2 know of. */
static void maintenance(void)
{
	uint64_t here = (uint64_t)level1;

	__asm__ volatile("dc cvac, %0\n\tdc civac, %0\n\tdc cvau, %0\n\tic ivau, %0\n\tic iallu\n\t"
			 "ic ialluis\n\tdc zva, %1\n\tdsb sy\n\ttlbi vmalle1\n\ttlbi vmalle1is\n\t"
			 "tlbi vae1is, xzr\n\ttlbi aside1, xzr\n\tdsb sy\n\tat s1e1r, %0\n\tisb\n\t"
			 "svc #1\n\tyield\n\tsev\n\twfe" ::"r"(here),
			 "r"(mine.z + 4096)
			 : "memory");
}

/* Whatever is pending, whatever its number: taken and ended. */
static void interrupts(void)
{
	uint64_t group1, group0;

	__asm__ volatile("mrs %0, s3_0_c12_c12_0\n\tmrs %1, s3_0_c12_c8_0"
			 : "=r"(group1), "=r"(group0));
	__asm__ volatile(
		"msr s3_0_c12_c12_1, %0\n\tmsr s3_0_c12_c8_1, %1\n\tmsr s3_0_c12_c11_1, %0\n\t"
		"isb" ::"r"(group1),
		"r"(group0));
}

static bool time_goes_on(void)
{
	static uint64_t last;
	uint64_t now;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(now));
	if (now < last)
		return false;
	last = now;
	return true;
}

/* All that a trap, an offset or a table of somebody else's could spoil. */
static uint64_t work(void)
{
	uint64_t changed = 0, detail = 0, served = calls;

	if (!breakpoint_fires())
		changed |= CHANGED_OTHER, detail |= 1 << 8;
	plant(KIND_WORK);
	remember();
	if (through_pauth(RAM + 0x1238, 0x77) != RAM + 0x1238)
		changed |= CHANGED_OTHER, detail |= 2 << 8;
	interrupts();
	changed |= sysregs_changed(&detail) | vectors_changed();
	if (square_root(0x1234567ull * 0x1234567) != 0x1234567)
		changed |= CHANGED_OTHER, detail |= 4 << 8;
	maintenance();
	if (calls != served + 1 || !time_goes_on())
		changed |= CHANGED_OTHER, detail |= 8 << 8;
	return report(KIND_WORK, changed, detail);
}

void guest(void)
{
	static void (*const exits[])(uint64_t x[31]) = {
		[KIND_HVC] = exit_hvc,
		[KIND_SMC] = exit_smc,
		[KIND_WFI] = exit_wfi,
		[KIND_MMIO_READ] = exit_mmio_read,
		[KIND_MMIO_WRITE] = exit_mmio_write,
		[KIND_FAULT] = exit_fault,
		[KIND_SYSREG_READ] = exit_sysreg_read,
		[KIND_SYSREG_WRITE] = exit_sysreg_write,
		[KIND_IRQ] = exit_irq,
	};

	mmu_on();
	for (uint64_t kind = 0; kind < KINDS; kind++)
		leave(kind, exits[kind]);
	own_breakpoint();
	own_cycles();
	own_overflow();
	ns_access();
	shown();
	for (uint64_t reg = ID_FIRST; reg < ID_END; reg++)
		report(KIND_ID, reg, read_id(reg));
	while (work() != ENOUGH)
		;
	leave(KIND_OFF, exit_off);
}

/* Entered with ZCR_EL1 at its most; where there is no SVE, FP works all the same. */
void guest_length(void)
{
	register uint64_t length __asm__("x2") = 0;

	__asm__ volatile("movi v0.2d, #0");
	__asm__ volatile(".inst 0x04bf5022" : "+r"(length)); /* rdvl x2, #1 */
	report(KIND_LENGTH, length, undefined);
}
