// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "arch.h"
#include "cache.h"
#include "layout.h"
#include "mmu.h"
#include "sysreg.h"
#include "world.h"

/* Descriptors of the EL2 translation regime (DDI 0487 D8.3) */
#define DESC_VALID (1ULL << 0)
#define DESC_TABLE (1ULL << 1)  /* or page, at level 3 */
#define DESC_DEVICE (1ULL << 2) /* AttrIndx 1 */
#define DESC_AP_RES1 (1ULL << 6)
#define DESC_RO (1ULL << 7)
#define DESC_SHARED (3ULL << 8)
#define DESC_AF (1ULL << 10)
#define DESC_XN (1ULL << 54)
#define DESC_ADDRESS 0x0000fffffffff000ULL

#define MEMORY (DESC_VALID | DESC_AP_RES1 | DESC_SHARED | DESC_AF)
#define TEXT (MEMORY | DESC_RO)
#define RODATA (MEMORY | DESC_RO | DESC_XN)
#define DATA (MEMORY | DESC_XN)
#define DEVICE (DATA | DESC_DEVICE)
#define ORDINARY (DATA | WORLD_ORDINARY)

#define LEAF_LEVEL 3
#define BLOCK_LEVEL 2 /* of the Secure window: 2 MiB */
#define BLOCK_SIZE (1ULL << 21)

#define MAIR 0x04ffULL /* 0: Normal write-back, 1: Device-nGnRE */
/* Inner shareable write-back walks, 4 KiB granule; bits 31 and 23 are RES1 (D24.2.187) */
#define TCR (0x80803500ULL | (64 - VA_BITS))
/* M, C, SA, I, WXN and RES1 (D24.2.155) */
#define SCTLR (0x30c50830ULL | 1 | 1 << 2 | 1 << 3 | 1 << 12 | 1 << 19)

/* In the order in which mmu_on() takes them. */
struct {
	uint64_t mair, tcr, ttbr0, sctlr;
} mmu_regs;

uint64_t mmu_free;
struct tv_manifest boot_manifest;

extern char image_start[], text_end[], rodata_end[], stacks[], stacks_end[], image_end_[];

static uint64_t *root(void)
{
	return (uint64_t *)mmu_regs.ttbr0;
}

static uint64_t level_size(unsigned level)
{
	return 1ULL << (TV_PAGE_SHIFT + 9 * (LEAF_LEVEL - level));
}

static uint64_t *entry_in(uint64_t *table, uint64_t va, unsigned level)
{
	return &table[(va / level_size(level)) & 511];
}

static uint64_t *new_table(void)
{
	uint64_t *table = (uint64_t *)mmu_free;

	mmu_free += TV_PAGE_SIZE;
	return memset(table, 0, TV_PAGE_SIZE);
}

/* The entry of that level for `va`; tables on the way are made. Cold boot only. */
static uint64_t *make_entry(uint64_t va, unsigned level)
{
	uint64_t *table = root();

	for (unsigned l = 0; l < level; l++) {
		uint64_t *entry = entry_in(table, va, l);

		if (!*entry)
			*entry = (uint64_t)new_table() | DESC_TABLE | DESC_VALID;
		table = (uint64_t *)(*entry & DESC_ADDRESS);
	}
	return entry_in(table, va, level);
}

/* The largest piece that fits here: 1 GiB, 2 MiB or a page. */
static unsigned best_level(uint64_t va, uint64_t pa, uint64_t size)
{
	for (unsigned level = 1; level < LEAF_LEVEL; level++) {
		if (!((va | pa) & (level_size(level) - 1)) && size >= level_size(level))
			return level;
	}
	return LEAF_LEVEL;
}

static void map(uint64_t va, uint64_t pa, uint64_t size, uint64_t attributes)
{
	while (size) {
		unsigned level = best_level(va, pa, size);
		uint64_t step = level_size(level);

		*make_entry(va, level) = pa | attributes | (level == LEAF_LEVEL ? DESC_TABLE : 0);
		va += step;
		pa += step;
		size -= step;
	}
}

static void map_here(const char *from, const char *to, uint64_t attributes)
{
	map((uint64_t)from, (uint64_t)from, to - from, attributes);
}

static void map_stacks(void)
{
	for (char *s = stacks; s < stacks_end; s += STACK_SIZE)
		map_here(s + STACK_GUARD, s + STACK_SIZE, DATA);
}

/* Both windows on one bank; the Secure one gets tables, no mappings. */
static void map_bank(uint64_t base, uint64_t size)
{
	if (!range_ok(base, size, DRAM_LIMIT))
		panic("DRAM beyond the windows");
	map(NS_WINDOW + base, base, size, ORDINARY);
	for (uint64_t a = base & ~(level_size(1) - 1); a < base + size; a += level_size(1))
		make_entry(SECURE_WINDOW + a, BLOCK_LEVEL);
}

static void map_device(uint64_t base)
{
	if (base)
		map(base, base, TV_PAGE_SIZE, DEVICE);
}

void mmu_build(const struct tv_manifest *m)
{
	boot_manifest = *m;
	if ((uint64_t)m - m->base < m->size) /* memory of ours, to be zero when it is free */
		memset((void *)(uintptr_t)m, 0, sizeof(*m));
	m = &boot_manifest;
	mmu_free = (uint64_t)image_end_;
	mmu_regs.ttbr0 = (uint64_t)new_table();
	mmu_regs.mair = MAIR;
	mmu_regs.tcr = TCR | (read_sysreg(id_aa64mmfr0_el1) & 7) << 16;
	mmu_regs.sctlr = SCTLR;

	map_here(image_start, text_end, TEXT);
	map_here(text_end, rodata_end, RODATA);
	map_here(rodata_end, stacks, DATA);
	map_stacks();
	map((uint64_t)image_end_, (uint64_t)image_end_, m->base + m->size - (uint64_t)image_end_,
	    DATA);
	if (WORLD_DEVICES) {
		map_device(m->uart);
		map_device(m->tzc);
	}
	for (unsigned i = 0; i < m->drams && i < TV_MAX_DRAM; i++)
		map_bank(m->dram[i].base, m->dram[i].size);

	/* Written past the caches; no stale line may hide it once they are on. */
	cache_drop(image_start, mmu_free - (uint64_t)image_start);
}

static uint64_t *block_entry(uint64_t pa)
{
	uint64_t *table = root();

	for (unsigned l = 0; l < BLOCK_LEVEL; l++)
		table = (uint64_t *)(*entry_in(table, SECURE_WINDOW + pa, l) & DESC_ADDRESS);
	return entry_in(table, SECURE_WINDOW + pa, BLOCK_LEVEL);
}

/* From invalid to valid: no TLB maintenance, but the walks must see it. */
void chunk_map(pa_t chunk)
{
	for (uint64_t a = chunk.v; a < chunk.v + TV_CHUNK_SIZE; a += BLOCK_SIZE)
		*block_entry(a) = a | DATA;
	dsb(ishst);
	isb();
}

void chunk_unmap(pa_t chunk)
{
	cache_flush(secure_ptr(chunk), TV_CHUNK_SIZE);
	for (uint64_t a = chunk.v; a < chunk.v + TV_CHUNK_SIZE; a += BLOCK_SIZE)
		*block_entry(a) = 0;
	dsb(ishst);
	for (uint64_t a = chunk.v; a < chunk.v + TV_CHUNK_SIZE; a += BLOCK_SIZE)
		__asm__ volatile("tlbi vae2is, %0" ::"r"((SECURE_WINDOW + a) >> TV_PAGE_SHIFT));
	dsb(ish);
	isb();
}

void *secure_ptr(pa_t a)
{
	if (a.v - boot_manifest.base < boot_manifest.size)
		return (void *)a.v;
	return (void *)(SECURE_WINDOW + a.v);
}

pa_t secure_pa(const void *p)
{
	uint64_t va = (uint64_t)p;

	return PA(va >= SECURE_WINDOW ? va - SECURE_WINDOW : va);
}
