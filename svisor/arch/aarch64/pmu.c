// SPDX-License-Identifier: BSD-3-Clause
/*
 * The performance monitors. A guest that does not use them has the N-visor's in place, which
 * stand still: nothing counts while a guest runs (world.h). Its first access traps; from then on
 * its own are switched, and may count, till it is seen with PMCR_EL0.E off.
 */
#include "arch.h"
#include "esr.h"
#include "has.h"
#include "guest.h"
#include "sysreg.h"
#include "world.h"

#define PMCR_E (1ULL << 0)
#define PMCR_N(v) ((v) >> 11 & 0x1f)
#define ALL_COUNTERS 0xffffffffULL
#define PMUV3P8 8 /* later ones have state that is not kept here */

/* The N-visor's, while a guest's are in place. */
static struct guest_pmu normal[TV_MAX_CPUS];

/* clang-format off */
#define EACH(X) \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) \
	X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30)
/* clang-format on */

static unsigned version(void)
{
	return cpu_has.pmu ? id_field(id_aa64dfr0_el1, 8) : 0;
}

static bool has_icntr(void)
{
	return id_field(ID_AA64DFR1_EL1, 36);
}

unsigned pmu_counters(void)
{
	return cpu_has.pmu ? PMCR_N(read_sysreg(pmcr_el0)) : 0;
}

static void save(struct guest_pmu *p)
{
	unsigned n = pmu_counters();

	p->pmcr = read_sysreg(pmcr_el0);
	write_sysreg(pmcr_el0, 0);
	isb();
	p->cnten = read_sysreg(pmcntenset_el0);
	p->inten = read_sysreg(pmintenset_el1);
	p->ovs = read_sysreg(pmovsset_el0);
	p->selr = read_sysreg(pmselr_el0);
	p->userenr = read_sysreg(pmuserenr_el0);
	p->ccntr = read_sysreg(pmccntr_el0);
	p->ccfiltr = read_sysreg(pmccfiltr_el0);
#define X(i) \
	if (i < n) { \
		p->evcntr[i] = read_sysreg(pmevcntr##i##_el0); \
		p->evtyper[i] = read_sysreg(pmevtyper##i##_el0); \
	}
	EACH(X)
#undef X
}

/* All but PMCR_EL0: nothing counts meanwhile. What is set by one register and cleared by another is
 * clear before it is set. `events`: bits that filters may have. */
static void load(const struct guest_pmu *p, uint64_t events)
{
	unsigned n = pmu_counters();

	write_sysreg(pmcntenclr_el0, ALL_COUNTERS);
	write_sysreg(pmintenclr_el1, ALL_COUNTERS);
	write_sysreg(pmovsclr_el0, ALL_COUNTERS);
	isb();
#define X(i) \
	if (i < n) { \
		write_sysreg(pmevtyper##i##_el0, p->evtyper[i] & events); \
		write_sysreg(pmevcntr##i##_el0, p->evcntr[i]); \
	}
	EACH(X)
#undef X
	write_sysreg(pmccfiltr_el0, p->ccfiltr & events);
	write_sysreg(pmccntr_el0, p->ccntr);
	write_sysreg(pmselr_el0, p->selr);
	write_sysreg(pmuserenr_el0, p->userenr);
	write_sysreg(pmovsset_el0, p->ovs);
	write_sysreg(pmintenset_el1, p->inten);
	write_sysreg(pmcntenset_el0, p->cnten);
	isb();
}

void pmu_load(const struct guest_regs *regs)
{
	if (!regs->pmu_used)
		return;
	save(&normal[cpu_index()]);
	load(&regs->pmu, WORLD_EVENTS);
	world_count(true);
	write_sysreg(pmcr_el0, regs->pmu.pmcr);
}

/* DDI 0487 D13.5.2; all counters are below MDCR_EL2.HPMN. */
static bool line(const struct guest_pmu *p)
{
	return (p->pmcr & PMCR_E) && (p->ovs & p->inten);
}

void pmu_save(struct guest_regs *regs)
{
	if (!regs->pmu_used)
		return;
	save(&regs->pmu);
	world_count(false);
	load(&normal[cpu_index()], ~0ULL);
	write_sysreg(pmcr_el0, normal[cpu_index()].pmcr);
	regs->pmu_used = regs->pmu.pmcr & PMCR_E;
	regs->pmu_line = line(&regs->pmu);
}

/* PMCR to PMOVSSET_EL0: 3, 3, C9, C12 to C14; PMINTEN<SET,CLR>, PMMIR_EL1: 3, 0, C9, C14;
 * PMEV<CNTR,TYPER><n>_EL0: 3, 3, C14, C8 to C15 (D24.5) */
static bool is_pmu(uint64_t esr)
{
	bool el1 = ISS_OP1(esr) == 0;

	if (ISS_OP0(esr) != 3 || (!el1 && ISS_OP1(esr) != 3))
		return false;
	if (ISS_CRN(esr) == 9)
		return ISS_CRM(esr) == 14 || (!el1 && (ISS_CRM(esr) == 12 || ISS_CRM(esr) == 13));
	return !el1 && ISS_CRN(esr) == 14 && ISS_CRM(esr) >= 8;
}

bool pmu_wanted(struct guest_regs *regs, const struct guest_exit *exit)
{
	if (regs->pmu_used)
		return false;
	if (!(regs->features & TV_FEATURE_PMU) || version() > PMUV3P8 || has_icntr())
		return false;
	regs->pmu_used = is_pmu(exit->esr);
	return regs->pmu_used;
}
