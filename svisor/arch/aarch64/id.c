// SPDX-License-Identifier: BSD-3-Clause
/* The ID registers. Reserved ones read as 0 (DDI 0487 D24.1.3). */
#include "arch.h"
#include "sysreg.h"

#define ID(crm, op2) \
	case 8 * crm + op2: \
		return read_sysreg(s3_0_c0_c##crm##_##op2);
#define IDS(crm) \
	ID(crm, 0) ID(crm, 1) ID(crm, 2) ID(crm, 3) ID(crm, 4) ID(crm, 5) ID(crm, 6) ID(crm, 7)

uint64_t id_register(unsigned crm, unsigned op2)
{
	switch (8 * crm + op2) {
		IDS(1)
		IDS(2)
		IDS(3)
		IDS(4)
		IDS(5)
		IDS(6)
		IDS(7)
	default:
		return 0;
	}
}
