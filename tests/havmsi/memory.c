/* SPDX-License-Identifier: BSD-3-Clause */
/* What is closed to the host answers all its accesses with an external abort, from each CPU, by any
 * mapping, and whenever it was closed; and its devices with nothing. */
#include "host.h"

#define BLOCK_LEAF 0x401
#define PAGE_LEAF 0x403
#define TABLE 3
#define DEVICE 4 /* AttrIndx 1 */
#define SHARED 0x300
#define MAIR 0x04ff
/* 39 bits by each of TTBR0 and TTBR1, 4 KiB granules, 40 physical bits */
#define TCR (25 | 25UL << 16 | 0x3500 | 0x35000000UL | 2UL << 30 | 2UL << 32)
#define HIGH 0xffffff8000000000

/* Where the first 2 MiB of each of these is, by blocks of 2 MiB and by pages */
#define BY_BLOCKS (16 * GIB)
#define BY_PAGES (17 * GIB)

#define ROUNDS 20

/* probes.S */
void read_1(void), read_2(void), read_8(void), read_pair(void), read_16(void);
void read_exclusive(void), read_acquire(void);
void write_1(void), write_8(void), write_pair(void), write_16(void), write_release(void);
void write_exclusive(void), zero_line(void), clean_invalidate(void), clean(void), invalidate(void);
void prefetch(void), jump(void), translate(void);
void mmu_on(uint64_t ttbr, uint64_t tcr, uint64_t mair);
void mmu_off(void);

static uint64_t level1[512] __attribute__((aligned(4096)));
static uint64_t level2[2][512] __attribute__((aligned(4096)));
static uint64_t level3[512] __attribute__((aligned(4096)));
static uint64_t ordinary[2] __attribute__((aligned(64)));

static void make_tables(void)
{
	level1[0] = 0 | BLOCK_LEAF | DEVICE;
	for (uint64_t i = 1; i < 4; i++)
		level1[i] = i * GIB | BLOCK_LEAF | SHARED;
	level1[BY_BLOCKS / GIB] = (uint64_t)level2[0] | TABLE;
	level1[BY_PAGES / GIB] = (uint64_t)level2[1] | TABLE;
	for (uint64_t i = 0; i < 512; i++) {
		level2[0][i] = (POOL + i * BLOCK) | BLOCK_LEAF | SHARED;
		level3[i] = (POOL + i * PAGE) | PAGE_LEAF | SHARED;
	}
	level2[1][0] = (uint64_t)level3 | TABLE;
	__asm__ volatile("dsb sy");
}

static uint64_t stage1_on(uint64_t arg)
{
	mmu_on((uint64_t)level1, TCR, MAIR);
	return arg;
}

static uint64_t stage1_off(uint64_t arg)
{
	mmu_off();
	return arg;
}

/* ---- aborts ----------------------------------------------------------------------- */

static const struct access {
	const char *name;
	void (*code)(void);
	uint64_t bytes, wnr;
	bool maintains; /* which an emulator may leave out */
} accesses[] = {
	{"a byte read", read_1, 1, 0, false},
	{"two bytes read", read_2, 2, 0, false},
	{"8 bytes read", read_8, 8, 0, false},
	{"a pair read", read_pair, 16, 0, false},
	{"16 bytes read", read_16, 16, 0, false},
	{"LDXR", read_exclusive, 8, 0, false},
	{"LDAR", read_acquire, 8, 0, false},
	{"a byte written", write_1, 1, ESR_WNR, false},
	{"8 bytes written", write_8, 8, ESR_WNR, false},
	{"a pair written", write_pair, 16, ESR_WNR, false},
	{"16 bytes written", write_16, 16, ESR_WNR, false},
	{"STLR", write_release, 8, ESR_WNR, false},
	{"DC CIVAC", clean_invalidate, 64, ESR_WNR | ESR_CM, true},
	{"DC CVAC", clean, 64, ESR_WNR | ESR_CM, true},
	{"DC IVAC", invalidate, 64, ESR_WNR | ESR_CM, true},
};

/* As the hardware would have told of memory that answers with an error. */
static bool is_abort(const struct caught *c, uint64_t ec, uint64_t far, uint64_t elr, uint64_t wnr)
{
	bool good = c->esr == (ec << 26 | ESR_IL | wnr | FSC_EXTERNAL) && c->far == far &&
		    c->elr == elr && c->vector == VECTOR_SYNC && (c->spsr & 0xf) == 5;

	if (!good) {
		say("ESR", c->esr);
		say("FAR", c->far);
		say("ELR", c->elr);
		say("SPSR", c->spsr);
	}
	return good;
}

static bool aborts(const struct access *a, uint64_t address)
{
	struct caught c;

	if (!attempt(&c, a->code, address, 0x600d, 0))
		return a->maintains;
	return is_abort(&c, EC_DABT, address, (uint64_t)a->code, a->wnr);
}

static bool fetch_aborts(uint64_t address)
{
	struct caught c;

	return attempt(&c, jump, address) && is_abort(&c, EC_IABT, address, address, 0);
}

static bool zero_aborts(uint64_t address)
{
	struct caught c;

	/* of Device memory, with the MMU off, it is an alignment fault before */
	return attempt(&c, zero_line, address) && c.elr == (uint64_t)zero_line &&
	       (!(read_reg("sctlr_el1") & 1) ||
		is_abort(&c, EC_DABT, address, (uint64_t)zero_line, c.esr & (ESR_WNR | ESR_CM)));
}

/* It fails by itself, or aborts. */
static bool exclusive_fails(uint64_t address)
{
	struct caught c;

	return attempt(&c, write_exclusive, address, ordinary) || c.value == 1;
}

static const uint64_t closed_at[] = {0, PAGE, BLOCK - 64, BLOCK, BLOCK + 8 * PAGE};

static bool all_abort(const struct access *a, uint64_t base, uint64_t size)
{
	bool good = aborts(a, base + size - a->bytes);

	for (uint64_t i = 0; i < LENGTH(closed_at); i++)
		good &= aborts(a, base + closed_at[i]);
	return good;
}

static bool all_of(bool (*fails)(uint64_t address), uint64_t base, uint64_t size)
{
	bool good = fails(base + size - 64);

	for (uint64_t i = 0; i < LENGTH(closed_at); i++)
		good &= fails(base + closed_at[i]);
	return good;
}

struct closed {
	const char *name;
	uint64_t base, size;
};
static const struct closed closed[] = {
	{"the S-visor's memory", SVISOR, SVISOR_SIZE},
	{"a protected chunk", POOL, CHUNK},
};

static bool edge_works(uint64_t address)
{
	struct caught c;
	uint64_t old;

	if (attempt(&c, read_1, address))
		return false;
	old = c.value;
	return !attempt(&c, write_1, address, 0) && !attempt(&c, read_8, address & ~7UL, 0) &&
	       !attempt(&c, write_1, address, old);
}

/* ---- on all CPUs, with the MMU off and on -------------------------------------------- */

static const char *const by_stage1[] = {" with the MMU off: ", " with stage 1 on: "};

static void test_closed(const struct closed *r, uint64_t on)
{
	for (uint64_t i = 0; i < LENGTH(accesses); i++)
		result(all_abort(&accesses[i], r->base, r->size), r->name, by_stage1[on],
		       accesses[i].name);
	result(all_of(fetch_aborts, r->base, r->size), r->name, by_stage1[on],
	       "an instruction fetch");
	result(all_of(zero_aborts, r->base, r->size), r->name, by_stage1[on], "DC ZVA");
	result(all_of(exclusive_fails, r->base, r->size), r->name, by_stage1[on],
	       "STXR without its reservation");
}

static void test_edges(const struct closed *r, uint64_t on)
{
	result(edge_works(r->base - 1), r->name, by_stage1[on],
	       "the last byte before is the host's");
	result(edge_works(r->base + r->size), r->name, by_stage1[on],
	       "the first byte behind is the host's");
}

/* The first byte that aborts, or where the access began: both are told by CPUs. */
static bool straddle_aborts(void (*code)(void), uint64_t address, uint64_t edge)
{
	struct caught c;

	return attempt(&c, code, address, 0x600d) && FSC(c.esr) == FSC_EXTERNAL &&
	       c.elr == (uint64_t)code && (c.far == address || c.far == edge);
}

/* With the MMU off, memory is Device memory, and all accesses are aligned. */
static void test_straddling(const struct closed *r)
{
	uint64_t end = r->base + r->size;

	*(volatile uint64_t *)(r->base - 8) = 0x0123456789abcdef;
	ok(straddle_aborts(read_8, r->base - 4, r->base) &&
		   straddle_aborts(read_16, r->base - 8, r->base) &&
		   straddle_aborts(read_pair, r->base - 8, r->base),
	   "reads into it from before abort");
	ok(straddle_aborts(write_8, r->base - 4, r->base) &&
		   straddle_aborts(write_16, r->base - 8, r->base) &&
		   straddle_aborts(write_pair, r->base - 8, r->base),
	   "so do writes");
	ok(straddle_aborts(read_8, end - 4, end) && straddle_aborts(write_8, end - 1, end) &&
		   straddle_aborts(read_16, end - 1, end),
	   "and what begins in it and ends behind");
}

static uint64_t closed_here(uint64_t arg)
{
	uint64_t bad = 0;

	(void)arg;
	for (uint64_t i = 0; i < LENGTH(closed); i++) {
		const struct closed *r = &closed[i];

		for (uint64_t j = 0; j < LENGTH(accesses); j++)
			bad += !all_abort(&accesses[j], r->base, r->size);
		bad += !all_of(fetch_aborts, r->base, r->size);
	}
	return bad;
}

/* Every page of it, by one read each: tables, stacks and all. */
static void test_every_page(void)
{
	struct caught c;
	uint64_t bad = 0;

	for (uint64_t a = SVISOR; a < SVISOR + SVISOR_SIZE; a += PAGE)
		bad += !attempt(&c, write_8, a, 0x403) || !attempt(&c, read_8, a + PAGE - 8);
	ok(!bad, "no page of the S-visor's, its tables among them, is the host's to write or read");
}

/* ---- the walker ---------------------------------------------------------------------- */

static bool walk_aborts(uint64_t table, uint64_t va)
{
	struct caught c;
	uint64_t fsc;

	write_reg("ttbr1_el1", table);
	__asm__ volatile("tlbi vmalle1\n\tdsb nsh\n\tisb");
	if (!attempt(&c, read_8, va))
		return false;
	fsc = FSC(c.esr);
	return EC(c.esr) == EC_DABT && c.far == va && c.elr == (uint64_t)read_8 &&
	       (fsc == FSC_EXTERNAL || (fsc & 0x3c) == FSC_EXTERNAL_WALK);
}

/* Of TTBR1_EL1; and below a table of the host's */
static void test_walks(const struct closed *r)
{
	static uint64_t top[512] __attribute__((aligned(4096)));
	static uint64_t middle[512] __attribute__((aligned(4096)));
	bool good = walk_aborts(r->base, HIGH) && walk_aborts(r->base + r->size - PAGE, HIGH);

	result(good, r->name, ": ", "a walk of stage 1 that begins in it aborts");
	top[0] = r->base | TABLE;
	top[1] = (uint64_t)middle | TABLE;
	middle[0] = (r->base + PAGE) | TABLE;
	__asm__ volatile("dsb sy");
	good = walk_aborts((uint64_t)top, HIGH) && walk_aborts((uint64_t)top, HIGH + GIB);
	result(good, r->name, ": ", "so does one that comes there");
}

/* An abort of the walk is the instruction's (DDI 0487 D8.15), not PAR_EL1's. */
static void test_translations(void)
{
	struct caught c;

	write_reg("ttbr1_el1", SVISOR);
	__asm__ volatile("tlbi vmalle1\n\tdsb nsh\n\tisb");
	ok(attempt(&c, translate, HIGH)
		   ? is_abort(&c, EC_DABT, HIGH, (uint64_t)translate, c.esr & (ESR_WNR | ESR_CM))
		   : c.value & 1,
	   "AT S1E1R by a table of the S-visor's gives no address");
}

/* ---- chunks that come and go ----------------------------------------------------------- */

static volatile uint64_t taken, stop;
static volatile uint64_t touched[CPUS];
static const uint64_t aliases[] = {POOL, BY_BLOCKS, BY_PAGES};

/* Its TLB has all of it, by all sizes. Once the chunk is taken no access may work any more; when
 * one does not, there must be the abort. How often one of both was not so. */
static uint64_t touch_on(uint64_t offset)
{
	uint64_t bad = 0, gone = 0;
	struct caught c;

	for (uint64_t n = 0; gone != (1 << LENGTH(aliases)) - 1 && !stop; n++) {
		uint64_t i = n % LENGTH(aliases), at = aliases[i] + offset, late = taken;
		bool write = n & 4;

		if (attempt(&c, write ? (void *)write_8 : (void *)read_8, at, 0x600d)) {
			bad += !is_abort(&c, EC_DABT, at,
					 write ? (uint64_t)write_8 : (uint64_t)read_8,
					 write ? ESR_WNR : 0);
			gone |= 1 << i;
		} else {
			bad += late;
		}
		touched[this_cpu()] = n;
	}
	return bad;
}

static uint64_t not_zero(uint64_t offset)
{
	struct caught c;
	uint64_t bad = 0;

	for (uint64_t i = 0; i < LENGTH(aliases); i++)
		bad += attempt(&c, read_8, aliases[i] + offset) || c.value;
	return bad;
}

static uint64_t fill(uint64_t chunk)
{
	for (uint64_t a = chunk; a < chunk + CHUNK; a += 8)
		*(volatile uint64_t *)a = a;
	return 0;
}

static bool all_zero(uint64_t chunk)
{
	for (uint64_t a = chunk; a < chunk + CHUNK; a += 8)
		if (*(volatile uint64_t *)a)
			return false;
	return true;
}

static void begin_touching(uint64_t offset)
{
	taken = stop = 0;
	for (uint64_t cpu = 1; cpu < CPUS; cpu++) {
		touched[cpu] = 0;
		begin_on(cpu, touch_on, offset);
	}
	for (uint64_t cpu = 1; cpu < CPUS; cpu++)
		while (touched[cpu] < 64)
			;
}

static uint64_t end_touching(void)
{
	uint64_t bad = 0;

	for (uint64_t cpu = 1; cpu < CPUS; cpu++)
		bad += end_on(cpu);
	return bad;
}

static void test_stale(void)
{
	uint64_t bad = 0, left = 0, failed = 0, base;

	for (uint64_t round = 0; round < ROUNDS; round++) {
		uint64_t offset = round * 8 * PAGE % BLOCK;

		begin_touching(offset);
		failed += call(TV_CHUNK_TAKE, TV_SVISOR, POOL, 0, 0, 0) != TV_OK;
		taken = 1;
		bad += end_touching();
		failed += call(TV_CHUNK_RETURN, 0, 0, 0, 0, &base) != TV_OK || base != POOL;
		left += on_each(not_zero, offset);
	}
	ok(!failed, "a chunk that CPUs are using is taken and returned, many times");
	ok(!bad, "once it is taken, no CPU reads or writes it, whatever its TLB had");
	ok(!left, "once it is returned, each CPU reads it, as zero");
}

static void test_contents(void)
{
	uint64_t base = 0;

	fill(POOL);
	must(call(TV_CHUNK_TAKE, TV_SVISOR, POOL, 0, 0, 0), "TV_CHUNK_TAKE");
	must(call(TV_CHUNK_RETURN, 0, 0, 0, 0, &base), "TV_CHUNK_RETURN");
	ok(base == POOL && all_zero(POOL), "all of a chunk is zero when it is returned");
}

/* ---- devices ----------------------------------------------------------------------- */

#define FW_CFG_DMA 0x09020010
#define FW_CFG_SIGNATURE 0x00
#define FW_CFG_FILE_DIR 0x19
#define DMA_ERROR 1
#define DMA_READ 2 /* to memory */
#define DMA_SELECT 8
#define DMA_WRITE 0x10
#define QEMU_LE 0x554d4551u /* "QEMU" */
#define FILES 64

#define be16(v) __builtin_bswap16(v)
#define be32(v) __builtin_bswap32(v)
#define be64(v) __builtin_bswap64(v)

struct dma {
	uint32_t control, bytes;
	uint64_t address;
};

static uint32_t dma_at(uint64_t descriptor)
{
	__asm__ volatile("dsb sy" ::: "memory");
	*(volatile uint64_t *)FW_CFG_DMA = be64(descriptor);
	__asm__ volatile("dsb sy" ::: "memory");
	return 0;
}

/* What the device leaves in the control word. */
static uint32_t dma(uint32_t control, uint32_t bytes, uint64_t address)
{
	static volatile struct dma d __attribute__((aligned(16)));

	d.control = be32(control);
	d.bytes = be32(bytes);
	d.address = be64(address);
	dma_at((uint64_t)&d);
	return be32(d.control);
}

uint32_t device_writes(uint64_t address)
{
	return dma(FW_CFG_SIGNATURE << 16 | DMA_SELECT | DMA_READ, 4, address);
}

static struct {
	uint32_t count;
	struct {
		uint32_t size;
		uint16_t key, reserved;
		char name[56];
	} file[FILES];
} directory __attribute__((aligned(16)));

/* The file that a driver may write: etc/vmcoreinfo */
static uint32_t writable_key(void)
{
	dma(FW_CFG_FILE_DIR << 16 | DMA_SELECT | DMA_READ, sizeof(directory), (uint64_t)&directory);
	for (uint64_t i = 0; i < be32(directory.count) && i < FILES; i++) {
		const char *a = directory.file[i].name, *b = "etc/vmcoreinfo";

		while (*a && *a == *b)
			a++, b++;
		if (*a == *b)
			return be16(directory.file[i].key);
	}
	return 0;
}

static void test_devices(const struct closed *r, uint32_t key)
{
	static volatile uint32_t here[4] __attribute__((aligned(16)));
	uint32_t put_there = key << 16 | DMA_SELECT | DMA_WRITE;

	result(device_writes(r->base) == DMA_ERROR &&
		       device_writes(r->base + r->size - 4) == DMA_ERROR &&
		       device_writes(r->base + r->size / 2) == DMA_ERROR &&
		       device_writes(r->base - 2) & DMA_ERROR &&
		       device_writes(r->base + r->size - 2) & DMA_ERROR,
	       r->name, ": ", "a device cannot write it");
	result((dma(put_there, 16, r->base) & DMA_ERROR) &&
		       (dma(put_there, 16, r->base + r->size - 16) & DMA_ERROR) &&
		       (dma(put_there, 16, r->base + r->size / 2) & DMA_ERROR),
	       r->name, ": ", "a device cannot read it");
	here[0] = 0;
	dma_at(r->base + PAGE);
	result(here[0] == 0, r->name, ": ", "a device finds no order in it");
	result(device_writes((uint64_t)here) == 0 && here[0] == QEMU_LE, r->name, ": ",
	       "a device reaches the host's memory");
	result(device_writes(r->base - 4) == 0 && device_writes(r->base + r->size) == 0, r->name,
	       ": ", "up to its edges");
}

void test_memory(void)
{
	uint32_t key;

	make_tables();
	must(call(TV_POOL_ADD, POOL, POOL_SIZE, 0, 0, 0), "TV_POOL_ADD");
	must(call(TV_CHUNK_TAKE, TV_SVISOR, POOL, 0, 0, 0), "TV_CHUNK_TAKE");
	for (uint64_t on = 0; on < 2; on++) {
		for (uint64_t i = 0; i < LENGTH(closed); i++) {
			test_closed(&closed[i], on);
			test_edges(&closed[i], on);
		}
		ok(on_each(closed_here, 0) == 0,
		   on ? "and on each CPU, with stage 1 on" : "and on each CPU, with the MMU off");
		if (!on)
			on_each(stage1_on, 0);
	}
	test_every_page();
	for (uint64_t i = 0; i < LENGTH(closed); i++) {
		test_straddling(&closed[i]);
		test_walks(&closed[i]);
	}
	test_translations();
	key = writable_key();
	ok(key, "there is a device that reads memory");
	for (uint64_t i = 0; i < LENGTH(closed); i++)
		test_devices(&closed[i], key);
	audit("memory");
	must(call(TV_CHUNK_RETURN, 0, 0, 0, 0, 0), "TV_CHUNK_RETURN");
	test_contents();
	test_stale();
	on_each(stage1_off, 0);
	audit("chunks that come and go");
}
