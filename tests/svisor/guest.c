/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest: fills all its registers, leaves in every way there is, and tells by HVC what was
 * not as it had left it. */
#include "probe.h"

#define SCTLR_M_C_I (1 | 1 << 2 | 1 << 12)
#define BLOCK 0x401      /* valid block, AF */
#define BLOCK_DEVICE 0x4 /* AttrIndx 1 */
#define BLOCK_NS 0x20
#define GIB (1ull << 30)

#define EC(esr) ((esr) >> 26)
#define EC_DATA_ABORT 0x25
#define EC_BREAKPOINT 0x31
#define FSC(esr) ((esr) & 0x3f)
#define FSC_EXTERNAL 0x10

#define MDSCR_MDE_KDE (1 << 15 | 1 << 13)
#define BCR_EL1 (0xf << 5 | 1 << 1 | 1) /* BAS, PMC = EL1, E */
#define ALL_FLAGS 0xf8000000

#define GUEST_ONLY(X) X(sctlr_el1, "sctlr_el1") X(zcr_el1, "s3_0_c1_c2_0") X(vdisr, "s3_0_c12_c1_1")
GUEST_REGS(REG_FUNCTIONS)
GUEST_LIVE_REGS(REG_FUNCTIONS)
SWITCHED_REGS(REG_FUNCTIONS)
GUEST_ONLY(REG_FUNCTIONS)

static const struct reg planted[] = {GUEST_REGS(REG_LINE) SWITCHED_REGS(REG_LINE)};
static const struct reg all[] = {GUEST_REGS(REG_LINE) GUEST_LIVE_REGS(REG_LINE)
					 SWITCHED_REGS(REG_LINE) GUEST_ONLY(REG_LINE)};
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
void guest(void);
uint64_t trap(uint64_t esr, uint64_t elr);

static uint64_t level1[512] __attribute__((aligned(4096)));
static struct vectors mine, found;
static volatile uint64_t breakpoints, aborts;

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

static void report(uint64_t kind, uint64_t changed, uint64_t detail)
{
	hvc(TAG, kind, changed, detail);
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
	write_tcr_el1(25 | 0x3500 | 1 << 23 | 2ull << 32);
	write_ttbr0_el1((uint64_t)level1);
	__asm__ volatile("dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb");
	write_sctlr_el1(read_sctlr_el1() | SCTLR_M_C_I);
}

/* A value for each register; those with a meaning that matters keep away from it. */
static uint64_t pattern(const struct reg *r, uint64_t i)
{
	uint64_t v = 0x5ec70000c0de5ec7 ^ (i << 48) ^ (i << 16);

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

static void plant(uint64_t seed)
{
	uint8_t *bytes = (uint8_t *)&mine;

	for (uint64_t i = 0; i < LENGTH(planted); i++)
		planted[i].write(pattern(&planted[i], i + seed));
	for (uint64_t i = 0; i < sizeof(mine); i++)
		bytes[i] = 0x40 | ((i + seed) & 0x3f);
	memset(mine.p + 16 * (vector_length() / 8), 0xff, vector_length() / 8); /* FFR */
	vectors_load(&mine);
	write_vdisr(1ull << 31 | seed); /* A, and a syndrome */
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

static void leave(uint64_t kind, void (*exit)(uint64_t x[31]))
{
	uint64_t before[LENGTH(all)], x[31], changed = 0, detail = 0;

	plant(kind);
	for (uint64_t i = 0; i < LENGTH(all); i++)
		before[i] = all[i].read();
	exit(x);
	for (uint64_t i = 0; i < LENGTH(all); i++) {
		if (all[i].read() != before[i]) {
			changed |= CHANGED_SYSREG;
			detail = i;
		}
	}
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

static void own_breakpoint(void)
{
	write_dbgbvr0((uint64_t)target);
	write_dbgbcr0(BCR_EL1);
	write_mdscr_el1(MDSCR_MDE_KDE);
	__asm__ volatile("msr daifclr, #8");
	target();
	__asm__ volatile("msr daifset, #8");
	report(KIND_BREAKPOINT, breakpoints == 1 ? 0 : CHANGED_OTHER, breakpoints);
}

/* Non-secure IPAs have no memory, whatever the number. */
static void ns_access(void)
{
	volatile uint64_t *here = (void *)(RAM + GIB);
	uint64_t value = *here;

	(void)value;
	report(KIND_NS, aborts == 1 ? 0 : CHANGED_OTHER, aborts);
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
	ns_access();
}
