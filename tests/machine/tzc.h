/* SPDX-License-Identifier: BSD-3-Clause */
/* Registers of the TZC-400 (DDI 0504, 3). */
#ifndef TZC_H
#define TZC_H

#include "probe.h"

#define TZC_BUILD_CONFIG (TZC_BASE + 0x000)
#define TZC_ACTION (TZC_BASE + 0x004)
#define TZC_GATE_KEEPER (TZC_BASE + 0x008)
#define TZC_SPECULATION_CTRL (TZC_BASE + 0x00c)
#define TZC_INT_STATUS (TZC_BASE + 0x010)
#define TZC_INT_CLEAR (TZC_BASE + 0x014)
#define TZC_FAIL_ADDRESS_LOW(f) (TZC_BASE + 0x020 + 0x10 * (f))
#define TZC_FAIL_ADDRESS_HIGH(f) (TZC_BASE + 0x024 + 0x10 * (f))
#define TZC_FAIL_CONTROL(f) (TZC_BASE + 0x028 + 0x10 * (f))
#define TZC_FAIL_ID(f) (TZC_BASE + 0x02c + 0x10 * (f))
#define TZC_REGION(r) (TZC_BASE + 0x100 + 0x20 * (r))
#define BASE_LOW 0x00
#define BASE_HIGH 0x04
#define TOP_LOW 0x08
#define TOP_HIGH 0x0c
#define ATTRIBUTES 0x10
#define ID_ACCESS 0x14
#define TZC_PID0 (TZC_BASE + 0xfe0)

#define ACTION_DECERR 1
#define ACTION_INT 2
#define ATTR_S_RW 0xc0000000u
#define ATTR_FILTERS 0xfu
#define FAIL_PRIVILEGED BIT(20)
#define FAIL_NON_SECURE BIT(21)
#define FAIL_WRITE BIT(24)
#define NSAID_CPU 0
#define NSAID_DMA 1
#define NSAID_ALL 0xffffffffu

static inline unsigned tzc_filter(uint64_t addr)
{
	return addr >> 12 & 3;
}

static inline void tzc_region(unsigned r, uint64_t base, uint64_t top, uint32_t attributes,
			      uint32_t id_access)
{
	write32(TZC_REGION(r) + ATTRIBUTES, 0);
	write32(TZC_REGION(r) + BASE_LOW, base);
	write32(TZC_REGION(r) + BASE_HIGH, base >> 32);
	write32(TZC_REGION(r) + TOP_LOW, top);
	write32(TZC_REGION(r) + TOP_HIGH, top >> 32);
	write32(TZC_REGION(r) + ID_ACCESS, id_access);
	write32(TZC_REGION(r) + ATTRIBUTES, attributes);
}

static inline void tzc_off(unsigned r)
{
	write32(TZC_REGION(r) + ATTRIBUTES, 0);
}

/* All of DRAM for everybody; violations abort. */
static inline void tzc_open(void)
{
	write32(TZC_ACTION, ACTION_DECERR);
	tzc_region(0, 0, 0, ATTR_S_RW, NSAID_ALL);
	write32(TZC_GATE_KEEPER, 0xf);
}

#endif
