// SPDX-License-Identifier: BSD-3-Clause
/* The PMU's overflow interrupt (DDI 0487 D13.5.2). */
#include "probe.h"

#define GICR_ISPENDR0 (*(volatile uint32_t *)0x080b0200)
#define PMU_PPI 23
#define CYCLES BIT(31)

static bool asserted(void)
{
	return GICR_ISPENDR0 & 1u << PMU_PPI;
}

void main(void)
{
	sysreg_write(pmcr_el0, 0);
	sysreg_write(pmovsset_el0, CYCLES);
	sysreg_write(pmintenset_el1, CYCLES);
	check(!asserted(), "with PMCR.E clear the PMU asserts no interrupt");
	sysreg_write(pmcr_el0, 1);
	check(asserted(), "PMCR.E lets an overflow that was there interrupt");
	sysreg_write(pmcr_el0, 0);
	check(!asserted(), "without it the interrupt goes");
	sysreg_write(pmcr_el0, 1);
	sysreg_write(pmovsclr_el0, CYCLES);
	check(!asserted(), "so it does when the overflow is cleared");
}
