// SPDX-License-Identifier: BSD-3-Clause
/*
 * TZC-400 (DDI 0504). Region 0 is firmware's: what no other region covers is open to both
 * worlds. Ours, 1 to 8, admit Secure accesses alone, on every filter; or, where S-VMs are
 * Non-secure, those of CPUs, which a stage 2 judges, and of no other master. The last one is then
 * firmware's, over the S-visor's own memory.
 */
#include "arch.h"
#include "drivers.h"
#include "platform.h"
#include "world.h"

#define BUILD_CONFIG 0x000
#define BUILD_REGIONS(v) (((v) & 0x1f) + 1)
#define BUILD_FILTERS(v) (((v) >> 24 & 3) + 1)

/* Registers of region n */
#define REGION(n) (0x100 + 0x20 * (n))
#define BASE_LOW 0x00
#define BASE_HIGH 0x04
#define TOP_LOW 0x08
#define TOP_HIGH 0x0c
#define ATTRIBUTES 0x10
#define ID_ACCESS 0x14
#define SECURE_RW (3U << 30)

static uint64_t tzc;
static unsigned regions, filters;

void tzc400_init(uint64_t base)
{
	uint32_t build;

	if (!base)
		panic("no TZC-400: nothing can be protected here");
	tzc = base;
	build = world_read32(base + BUILD_CONFIG);
	regions = BUILD_REGIONS(build) - 1 - WORLD_OWN_REGION;
	filters = (1 << BUILD_FILTERS(build)) - 1;
}

unsigned protect_regions(void)
{
	return regions;
}

/* Only then does one register, TOP_LOW, move the top. */
bool protect_fits(pa_t base, uint64_t size)
{
	return base.v >> 32 == (base.v + size - 1) >> 32;
}

static uint64_t region_at(unsigned region)
{
	return tzc + REGION(region + 1);
}

static uint64_t read_pair(uint64_t low)
{
	return world_read32(low) | (uint64_t)world_read32(low + 4) << 32;
}

void protect_get(unsigned region, pa_t *base, pa_t *top)
{
	uint64_t r = region_at(region);

	*base = PA(read_pair(r + BASE_LOW));
	*top = *base;
	if (world_read32(r + ATTRIBUTES) & filters)
		*top = PA((read_pair(r + TOP_LOW) | (TV_PAGE_SIZE - 1)) + 1);
}

static void write_range(uint64_t r, uint64_t base, uint64_t top)
{
	world_write32(r + BASE_HIGH, base >> 32);
	world_write32(r + BASE_LOW, base);
	world_write32(r + TOP_HIGH, (top - 1) >> 32);
	world_write32(r + TOP_LOW, (top - 1) & ~(uint64_t)(TV_PAGE_SIZE - 1));
	world_write32(r + ID_ACCESS, WORLD_NSAIDS);
}

/* Is it a change that one register makes, so that there is no moment in between? */
static bool one_step(unsigned region, pa_t base, pa_t top)
{
	pa_t old_base, old_top;

	protect_get(region, &old_base, &old_top);
	return base.v == top.v || old_base.v == old_top.v ||
	       (base.v == old_base.v && protect_fits(base, top.v - base.v));
}

/* The reads make sure that the writes have arrived. */
void protect_set(unsigned region, pa_t base, pa_t top)
{
	uint64_t r = region_at(region);

	if (!one_step(region, base, top))
		panic("a region in use would have to move");
	world_close(region, base, top);
	if (base.v == top.v) {
		world_write32(r + ATTRIBUTES, 0);
	} else {
		write_range(r, base.v, top.v);
		world_write32(r + ATTRIBUTES, SECURE_RW | filters);
	}
	(void)world_read32(r + ATTRIBUTES);
	__asm__ volatile("dsb sy" ::: "memory");
}
