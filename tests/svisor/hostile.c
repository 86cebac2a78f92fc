/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A hostile N-visor right before the gate: values chosen to trap, count, trace, shift or hide
 * what the guest does, and virtual interrupts that no device could raise. The guest does a round
 * of work each time and says whether all was right.
 */
#include <stdbool.h>

#include "nvisor.h"

#define TIMES 64         /* exits that a round may have */
#define E2H (1ull << 34) /* with it, we would be another kind of host */
#define MAINTENANCE 25   /* PPI of the virtual CPU interface */

#define ICH_HCR SYSREG(3, 4, 12, 11, 0)
#define ICH_VTR SYSREG(3, 4, 12, 11, 1)
#define ICH_VMCR SYSREG(3, 4, 12, 11, 7)
#define ICH_LR(n) (SYSREG(3, 4, 12, 12, 0) + (n))
#define HCR_EN 1
#define HCR_ALL_INTERRUPTS 0xff /* En, and all that raises a maintenance interrupt */
#define VMCR_OPEN 0xff000003    /* no priority masked, both groups enabled */

#define LR_PENDING (1ull << 62)
#define LR_ACTIVE (2ull << 62)
#define LR_HW (1ull << 61)
#define LR_GROUP1 (1ull << 60)
#define LR_EOI (1ull << 41)
#define LR_RESERVED (7ull << 45 | 1ull << 42)
#define SPECIAL_FROM 1020
#define INTIDS 1024
#define LPI 8192

/* Physical interrupts of the EL1 timers, the only ones that go with virtual ones */
#define PPI_VIRTUAL_TIMER 27
#define PPI_PHYSICAL_TIMER 30

#define HOSTILE(name, op1, crn, crm, op2, bits) {name, SYSREG(3, op1, crn, crm, op2), bits, false}
#define DEBUG(name, crn, crm, op2, bits) {name, SYSREG(2, 0, crn, crm, op2), bits, false}

#define LOST(name, op1, crn, crm, op2) {name, SYSREG(3, op1, crn, crm, op2), ~0ull, true}

/* `bits`: those that we survive ourselves; `lost`: ours to set again */
static const struct hostile {
	const char *name;
	uint64_t reg, bits;
	bool lost;
} hostile[] = {
	HOSTILE("HCR_EL2", 4, 1, 1, 0, ~E2H),
	LOST("HCRX_EL2", 4, 1, 2, 2),
	LOST("HSTR_EL2", 4, 1, 1, 3),
	HOSTILE("HACR_EL2", 4, 1, 1, 7, ~0ull),
	HOSTILE("MDCR_EL2", 4, 1, 1, 1, ~0ull),
	HOSTILE("CPTR_EL2", 4, 1, 1, 2, ~0ull),
	LOST("HFGRTR_EL2", 4, 1, 1, 4),
	LOST("HFGWTR_EL2", 4, 1, 1, 5),
	LOST("HFGITR_EL2", 4, 1, 1, 6),
	LOST("HDFGRTR_EL2", 4, 3, 1, 4),
	LOST("HDFGWTR_EL2", 4, 3, 1, 5),
	HOSTILE("HAFGRTR_EL2", 4, 3, 1, 6, ~0ull),
	LOST("VTTBR_EL2", 4, 2, 1, 0),
	LOST("VTCR_EL2", 4, 2, 1, 2),
	HOSTILE("VNCR_EL2", 4, 2, 2, 0, ~0ull),
	HOSTILE("TCR_EL2", 4, 2, 0, 2, ~0ull),
	HOSTILE("TTBR0_EL2", 4, 2, 0, 0, ~0ull),
	HOSTILE("MAIR_EL2", 4, 10, 2, 0, ~0ull),
	HOSTILE("TPIDR_EL2", 4, 13, 0, 2, ~0ull),
	HOSTILE("SCXTNUM_EL2", 4, 13, 0, 7, ~0ull),
	LOST("VPIDR_EL2", 4, 0, 0, 0),
	LOST("VMPIDR_EL2", 4, 0, 0, 5),
	HOSTILE("CNTHCTL_EL2", 4, 14, 1, 0, ~0ull),
	LOST("CNTVOFF_EL2", 4, 14, 0, 3),
	HOSTILE("CNTPOFF_EL2", 4, 14, 0, 6, ~0ull),
	HOSTILE("ZCR_EL2", 4, 1, 2, 0, ~0ull),
	HOSTILE("SMCR_EL2", 4, 1, 2, 6, ~0ull),
	HOSTILE("SMPRIMAP_EL2", 4, 1, 2, 5, ~0ull),
	HOSTILE("MPAM2_EL2", 4, 10, 5, 0, ~0ull),
	HOSTILE("MPAMHCR_EL2", 4, 10, 4, 0, ~0ull),
	HOSTILE("TRFCR_EL2", 4, 1, 2, 1, ~0ull),
	HOSTILE("TRFCR_EL1", 0, 1, 2, 1, ~0ull),
	HOSTILE("PMSCR_EL2", 4, 9, 9, 0, ~0ull),
	HOSTILE("PMSCR_EL1", 0, 9, 9, 0, ~0ull),
	HOSTILE("TRBLIMITR_EL1", 0, 9, 11, 0, ~0ull),
	LOST("PMUSERENR_EL0", 3, 9, 14, 0),
	HOSTILE("PMCR_EL0", 3, 9, 12, 0, ~0ull),
	HOSTILE("PMCNTENSET_EL0", 3, 9, 12, 1, ~0ull),
	HOSTILE("PMINTENSET_EL1", 0, 9, 14, 1, ~0ull),
	HOSTILE("PMSELR_EL0", 3, 9, 12, 5, ~0ull),
	HOSTILE("PMCCFILTR_EL0", 3, 14, 15, 7, ~0ull),
	HOSTILE("PMEVTYPER0_EL0", 3, 14, 12, 0, ~0ull),
	DEBUG("MDSCR_EL1", 0, 2, 2, ~0ull),
	DEBUG("MDCCINT_EL1", 0, 2, 0, ~0ull),
	DEBUG("OSLAR_EL1", 1, 0, 4, 1),
	DEBUG("OSDLR_EL1", 1, 3, 4, ~0ull),
	DEBUG("OSECCR_EL1", 0, 6, 2, ~0ull),
	DEBUG("DBGPRCR_EL1", 1, 4, 4, ~0ull),
	DEBUG("DBGBCR0_EL1", 0, 0, 5, ~0ull),
	DEBUG("DBGWCR0_EL1", 0, 0, 7, ~0ull),
	DEBUG("DBGCLAIMSET_EL1", 7, 8, 6, ~0ull),
};

/* The state of the virtual GIC is ours, and a guest that ends an interrupt changes it. */
static const struct hostile gic[] = {
	HOSTILE("ICH_HCR_EL2", 4, 12, 11, 0, ~0ull),  HOSTILE("ICH_VMCR_EL2", 4, 12, 11, 7, ~0ull),
	HOSTILE("ICH_AP0R0_EL2", 4, 12, 8, 0, ~0ull), HOSTILE("ICH_AP0R1_EL2", 4, 12, 8, 1, ~0ull),
	HOSTILE("ICH_AP0R2_EL2", 4, 12, 8, 2, ~0ull), HOSTILE("ICH_AP0R3_EL2", 4, 12, 8, 3, ~0ull),
	HOSTILE("ICH_AP1R0_EL2", 4, 12, 9, 0, ~0ull), HOSTILE("ICH_AP1R1_EL2", 4, 12, 9, 1, ~0ull),
	HOSTILE("ICH_AP1R2_EL2", 4, 12, 9, 2, ~0ull), HOSTILE("ICH_AP1R3_EL2", 4, 12, 9, 3, ~0ull),
	HOSTILE("ICH_LR0_EL2", 4, 12, 12, 0, ~LR_HW), HOSTILE("ICH_LR3_EL2", 4, 12, 12, 3, ~LR_HW),
};

static uint64_t others; /* exits of the last round but the guest's report */

static uint64_t run_once(void)
{
	uint64_t r[GPRS];

	for (uint64_t i = 0; i < GPRS; i++)
		page.gpr[i] = r[i] = HOST_X(i);
	page.flags = TV_RUN_DONE;
	page.cntvoff = 0;
	r[0] = TV_VCPU_RUN;
	r[1] = vm;
	r[2] = 0;
	smc(r);
	return r[0];
}

static int is_report(void)
{
	return page.exit == TV_EXIT_CALL && page.gpr[0] == TAG;
}

/* To the guest's next report. True: it found nothing wrong. */
static int round(void)
{
	for (others = 0; others < TIMES; others++) {
		uint64_t status = run_once();

		if (status != TV_OK) {
			say("TV_VCPU_RUN:", "status", status);
			return 0;
		}
		if (is_report())
			break;
	}
	if (!is_report() || page.gpr[1] != KIND_WORK || page.gpr[2] != 0) {
		say("guest:", "exit", page.exit);
		say("guest:", "reports", page.gpr[1] << 32 | page.gpr[2] << 16 | page.gpr[3]);
		return 0;
	}
	return 1;
}

/* With this value: the guest works, nothing it does is shown, and the value stays if it is ours to
 * keep. */
static int unseen(const struct hostile *h, uint64_t value)
{
	uint64_t old = reg_read(h->reg), put, got;
	int good;

	reg_write(h->reg, value);
	put = reg_read(h->reg);
	good = round();
	got = reg_read(h->reg);
	reg_write(h->reg, old);
	if (others)
		say(h->name, "other exits", others);
	good &= h->lost || got == put;
	if (got != put && !h->lost)
		say(h->name, "became", got);
	if (!good || others)
		say(h->name, "was", value);
	return good && !others;
}

/* All that may be shown here is what the guest says to its own interrupt controller. */
static int harmless(const struct hostile *h, uint64_t value)
{
	int good;

	reg_write(h->reg, value);
	good = round();
	reg_write(h->reg, 0);
	if (!good)
		say(h->name, "was", value);
	return good;
}

static int each_value(const struct hostile *h, int (*try)(const struct hostile *h, uint64_t value))
{
	int good = try(h, 0) && try(h, h->bits);

	for (int bit = 0; bit < 64 && good; bit++)
		if (h->bits >> bit & 1)
			good = try(h, 1ull << bit);
	return good && violations() == 0;
}

static void test_registers(void)
{
	for (uint64_t i = 0; i < LENGTH(hostile); i++)
		if (reg_exists(hostile[i].reg) || hostile[i].reg == SYSREG(2, 0, 1, 0, 4))
			put_result(
				each_value(&hostile[i], unseen), hostile[i].name,
				": whatever is there, the guest works and nothing of it is seen");
}

static void open_interface(void)
{
	reg_write(ICH_HCR, HCR_EN);
	reg_write(ICH_VMCR, VMCR_OPEN);
}

static uint64_t list_registers(void)
{
	return (reg_read(ICH_VTR) & 0x1f) + 1;
}

static void set_lists(uint64_t value)
{
	for (uint64_t n = 0; n < list_registers(); n++)
		reg_write(ICH_LR(n), value);
}

static void test_gic(void)
{
	for (uint64_t i = 0; i < LENGTH(gic); i++) {
		if (!reg_exists(gic[i].reg))
			continue;
		open_interface();
		put_result(each_value(&gic[i], harmless), gic[i].name,
			   ": whatever is there, the guest works");
	}
}

/* The same interrupt in one list register, or in all of them at once. */
static int injected(uint64_t lr)
{
	for (uint64_t all = 0; all < 2; all++) {
		open_interface();
		set_lists(all ? lr : 0);
		reg_write(ICH_LR(0), lr);
		if (!round()) {
			say("ICH_LR:", "was", lr);
			return 0;
		}
	}
	set_lists(0);
	return 1;
}

static int injected_in_all_ways(uint64_t intid)
{
	static const uint64_t states[] = {LR_PENDING, LR_ACTIVE, LR_PENDING | LR_ACTIVE};
	static const uint64_t kinds[] = {0, LR_GROUP1, LR_GROUP1 | LR_EOI, LR_RESERVED};
	static const uint64_t priorities[] = {0, 0x80, 0xff};

	for (uint64_t s = 0; s < LENGTH(states); s++)
		for (uint64_t k = 0; k < LENGTH(kinds); k++)
			for (uint64_t p = 0; p < LENGTH(priorities); p++)
				if (!injected(states[s] | kinds[k] | priorities[p] << 48 | intid))
					return 0;
	return 1;
}

/* A sample in all ways, and each number there is. */
static void test_injection(void)
{
	static const uint64_t sample[] = {0,    15,   16,     31,      32,  1019,   1020,
					  1021, 1023, INTIDS, LPI - 1, LPI, 0xffff, 0xffffffff};
	int good = 1;

	for (uint64_t i = 0; i < LENGTH(sample) && good; i++)
		good = injected_in_all_ways(sample[i]);
	put_result(good && violations() == 0, "",
		   "interrupts of all kinds, groups, priorities and states do the guest no harm");
	for (uint64_t intid = 0; intid < INTIDS && good; intid++)
		good = injected(LR_PENDING | LR_GROUP1 | intid);
	put_result(good && violations() == 0, "", "nor does any number of an interrupt");
}

/* HW = 1: the guest would deactivate that physical interrupt, and be it a Secure one. */
static void test_tied(void)
{
	uint64_t last = list_registers() - 1;
	int good = 1;

	open_interface();
	for (uint64_t pintid = 0; pintid < LPI && good; pintid++) {
		uint64_t lr = LR_PENDING | LR_GROUP1 | LR_HW | pintid << 32 | PPI_VIRTUAL_TIMER;

		if (pintid == PPI_VIRTUAL_TIMER || pintid == PPI_PHYSICAL_TIMER)
			continue;
		reg_write(ICH_LR(pintid & 1 ? last : 0), lr);
		good = call(TV_VCPU_RUN, vm, 0, 0, 0, 0) == (uint64_t)TV_EINVAL;
		set_lists(0);
	}
	put_result(good, "", "no physical interrupt but a timer's may be tied to a virtual one");
	good = injected(LR_PENDING | LR_GROUP1 | LR_HW | (uint64_t)PPI_VIRTUAL_TIMER << 32 | 27) &&
	       injected(LR_ACTIVE | LR_GROUP1 | LR_HW | (uint64_t)PPI_PHYSICAL_TIMER << 32 | 30);
	put_result(good && violations() == 0, "", "a timer's may");
}

/* All conditions for a maintenance interrupt hold, and it is let in: nothing but interrupts
 * is seen, till we relent. */
static void test_maintenance_storm(void)
{
	volatile uint32_t *gicr = (void *)0x080b0000;
	uint64_t seen = 0;

	timer(~0u >> 1);
	quiet();
	gicr[0x100 / 4] = 1u << MAINTENANCE;
	open_interface();
	reg_write(ICH_HCR, HCR_ALL_INTERRUPTS);
	for (; seen < TIMES; seen++)
		if (run_once() != TV_OK || page.exit != TV_EXIT_IRQ)
			break;
	gicr[0x180 / 4] = 1u << MAINTENANCE;
	reg_write(ICH_HCR, 0);
	put_result(seen == TIMES && round() && violations() == 0, "",
		   "a storm of maintenance interrupts is a storm of exits, and no more");
}

void test_hostile_registers(void)
{
	put_result(round(), "", "the guest works");
	test_registers();
	test_gic();
	test_injection();
	test_tied();
	test_maintenance_storm();
	open_interface();
}
