// SPDX-License-Identifier: BSD-3-Clause
/*
 * Stage 2 and its TLBs. TLBI for EL1&0 work on the current VMID and Security state, with
 * HCR_EL2.{E2H,TGE} = 0 (DDI 0487 D8.14.5), so the VMID is put in place around them.
 */
#include "arch.h"
#include "guest.h"
#include "has.h"
#include "sysreg.h"

uint64_t s2_normal(void)
{
	return cpu_has.fwb ? 6 << 2 : 15 << 2;
}

void s2_write(uint64_t *entry, uint64_t value)
{
	dsb(ishst); /* what it points to first */
	*(volatile uint64_t *)entry = value;
	dsb(ishst);
}

/* VTTBR_EL2 as it was: of a call that runs no guest, the N-visor's. */
static uint64_t put_vmid(uint16_t vmid)
{
	uint64_t before = read_sysreg(vttbr_el2);

	guest_stage2_vmid(vmid);
	isb();
	dsb(ish);
	return before;
}

static void put_back(uint64_t before)
{
	write_sysreg(vttbr_el2, before);
	isb();
}

void tlb_flush_ipa(uint16_t vmid, ipa_t ipa)
{
	uint64_t before = put_vmid(vmid);

	/* bit 63 = 0: the Secure IPA space */
	__asm__ volatile("tlbi ipas2e1is, %0" ::"r"(ipa.v >> TV_PAGE_SHIFT) : "memory");
	dsb(ish);
	__asm__ volatile("tlbi vmalle1is" ::: "memory");
	dsb(ish);
	put_back(before);
}

void tlb_flush_vm(uint16_t vmid)
{
	uint64_t before = put_vmid(vmid);

	__asm__ volatile("tlbi vmalls12e1is" ::: "memory");
	dsb(ish);
	/* Its pages will be others': no line of its code may be fetched there. */
	__asm__ volatile("ic ialluis" ::: "memory");
	dsb(ish);
	put_back(before);
}

void tlb_flush_local(uint16_t vmid)
{
	uint64_t before = put_vmid(vmid);

	__asm__ volatile("tlbi vmalle1\n\tic iallu" ::: "memory");
	dsb(nsh);
	put_back(before);
}
