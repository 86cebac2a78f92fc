// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "has.h"
#include "sysreg.h"

struct cpu_has cpu_has;

/* ID_AA64ISAR1_EL1.{APA, API} and ID_AA64ISAR2_EL1.APA3 */
static bool has_pauth(void)
{
	return id_field(id_aa64isar1_el1, 4) || id_field(id_aa64isar1_el1, 8) ||
	       id_field(ID_AA64ISAR2_EL1, 12);
}

/* 15: not one of Arm's */
static bool has_pmu(void)
{
	unsigned version = id_field(id_aa64dfr0_el1, 8);

	return version && version != 15;
}

bool has_find(void)
{
	static bool found;
	struct cpu_has here = {
		.pauth = has_pauth(),
		.ras = id_field(id_aa64pfr0_el1, 28),
		.sve = id_field(id_aa64pfr0_el1, 32),
		.sme = id_field(id_aa64pfr1_el1, 24),
		.fgt = id_field(id_aa64mmfr0_el1, 56),
		.hcx = id_field(id_aa64mmfr1_el1, 40),
		.pmu = has_pmu(),
		.lor = id_field(id_aa64mmfr1_el1, 16),
		.fwb = id_field(id_aa64mmfr2_el1, 40),
	};

	if (!found)
		cpu_has = here;
	found = true;
	return !memcmp(&here, &cpu_has, sizeof(here));
}
