/* SPDX-License-Identifier: BSD-3-Clause */
/* As arch/aarch64/sel2/world.h, for a CPU without Secure EL2: the S-visor has EL2 for itself. */
#ifndef WORLD_H
#define WORLD_H

#include "arch.h"
#include "host.h"
#include "sysreg.h"

#define WORLD_VTCR 0
/* CNTPCT_EL0 is the guest's, and CNTP_* trap: they are the host's own timer. */
#define WORLD_CNTHCTL 1
#define WORLD_ARMV8_4 0

#define WORLD_ORDINARY 0
#define WORLD_DEVICES 0
/* CPUs, whose stage 2 tells them apart: NSAID 0, to read and to write (DDI 0504, 3.3.21) */
#define WORLD_NSAIDS 0x00010001
#define WORLD_OWN_REGION 1
/* The host has its own: what is a guest's is replaced. */
#define WORLD_CLEARS 0
/* No event counts at EL2: NSH (DDI 0487 D24.5, PMEVTYPER<n>_EL0) */
#define WORLD_EVENTS (~(1ULL << 27))

static inline void world_init(void)
{
}

/* Guests' VMID, which is there already, and now their root */
static inline void world_stage2(uint64_t root)
{
	write_sysreg(vttbr_el2, (read_sysreg(vttbr_el2) & 0xffff000000000000) | root);
}

static inline void world_begin(uint64_t hcr)
{
	host_out(hcr);
}

static inline void world_end(void)
{
	host_in();
}

/* The host's counters stand still since host_out. */
static inline void world_count(bool on)
{
	(void)on;
}

static inline void world_find_ipa(struct guest_exit *exit)
{
	host_find_ipa(exit);
}

static inline bool world_access(pa_t a, size_t bytes)
{
	return host_access(a, bytes);
}

static inline void world_accessed(void)
{
	host_accessed();
}

static inline void world_close(unsigned region, pa_t base, pa_t top)
{
	host_close(region, base, top);
}

/* EL3's to reach */
static inline uint32_t world_read32(uint64_t a)
{
	uint64_t x[SMC_REGISTERS] = {TV_EL3_READ, a};

	el3_call(x);
	return x[1];
}

static inline void world_write32(uint64_t a, uint32_t value)
{
	uint64_t x[SMC_REGISTERS] = {TV_EL3_WRITE, a, value};

	el3_call(x);
}

#endif
