/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What differs where the S-visor runs: here at Secure EL2, in havmsi/world.h at EL2 without it. All
 * functions concern the calling CPU.
 */
#ifndef WORLD_H
#define WORLD_H

#include "arch.h"
#include "sysreg.h"

/* VTCR_EL2 (DDI 0487 D24.2.195): NSA, NSW: Non-secure IPAs never reach Secure memory. */
#define WORLD_VTCR (1ULL << 30 | 1ULL << 29)
/* VSTCR_EL2 (D24.2.193), but for T0SZ: as VTCR_EL2 */
#define VSTCR 0x80000080ULL

/* CNTHCTL_EL2 for guests: CNTPCT_EL0 and CNTP_* are the guest's, as under KVM on such a core. */
#define WORLD_CNTHCTL 3
/* The CPU has what came with Secure EL2. */
#define WORLD_ARMV8_4 1

/* The bit of stage 1 that makes an access to ordinary memory one: NS */
#define WORLD_ORDINARY (1ULL << 5)
/* Devices of the Secure world are mapped. */
#define WORLD_DEVICES 1
/* Who else may access protected memory, for TZC-400's REGION_ID_ACCESS; regions of our own memory
 */
#define WORLD_NSAIDS 0
#define WORLD_OWN_REGION 0
/* The N-visor has no EL1 registers of its own: a guest's are cleared. */
#define WORLD_CLEARS 1
/* Event filters as the guest sets them: nothing counts at S-EL2 (MDCR_EL3). */
#define WORLD_EVENTS (~0ULL)

/* At boot */
static inline void world_init(void)
{
	write_sysreg(vstcr_el2, VSTCR | (64 - guest_address_bits()));
}

/* The root of guests' stage 2, beside VTTBR_EL2's VMID. VSTTBR_EL2 is in no other's reach. */
static inline void world_stage2(uint64_t root)
{
	write_sysreg(vsttbr_el2, root);
}

/* Around guests: HCR_EL2 is what a call finds. */
static inline void world_begin(uint64_t hcr)
{
	(void)hcr;
}

static inline void world_end(void)
{
}

/* May counters of the PMU count? No others than the guest's are there then. */
static inline void world_count(bool on)
{
	register uint64_t x0 __asm__("x0") = TV_SVISOR_COUNT;
	register uint64_t x1 __asm__("x1") = on;

	__asm__ volatile("smc #0" : "+r"(x0), "+r"(x1)::"x2", "x3", "memory");
}

/* Of N-VMs, which are not run here. */
static inline void world_find_ipa(struct guest_exit *exit)
{
	(void)exit;
}

/* Around an access to ordinary memory; false: it must not be made. The hardware judges. */
static inline bool world_access(pa_t a, size_t bytes)
{
	(void)a;
	(void)bytes;
	return true;
}

static inline void world_accessed(void)
{
}

/* The controller is about to close [base, top) by this region, and nothing more. */
static inline void world_close(unsigned region, pa_t base, pa_t top)
{
	(void)region;
	(void)base;
	(void)top;
}

/* A register of a device of the Secure world */
static inline uint32_t world_read32(uint64_t a)
{
	return *(volatile uint32_t *)a;
}

static inline void world_write32(uint64_t a, uint32_t value)
{
	*(volatile uint32_t *)a = value;
}

#endif
