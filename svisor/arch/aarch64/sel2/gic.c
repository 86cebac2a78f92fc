// SPDX-License-Identifier: BSD-3-Clause
/* The N-visor has loaded the virtual GIC, and the guest runs with it in Secure state. */
#include "arch.h"
#include "guest.h"
#include "gic.h"

static uint32_t timers; /* tv_manifest.timers */

void gic_init(const struct tv_manifest *m)
{
	timers = m->timers;
}

static uint64_t list_register(unsigned n)
{
	switch (n) {
#define X(i, name) \
	case i: \
		return read_sysreg(s3_4_c12_##name);
		GIC_LISTS(X)
#undef X
	default:
		return 0;
	}
}

/* What is empty stays so: a guest ends interrupts, and begins none. */
bool guest_gic_take(volatile const struct tv_run *page)
{
	uint64_t used;

	(void)page;
	if (!(read_sysreg(ICC_SRE_EL2) & ICC_SRE)) /* without it, they are UNDEFINED */
		return false;
	used = ~read_sysreg(ICH_ELRSR_EL2) & ((1ULL << VTR_LISTS(read_sysreg(ICH_VTR_EL2))) - 1);

	for (unsigned n = 0; used; n++, used >>= 1) {
		if ((used & 1) && !gic_harmless(list_register(n), timers))
			return false;
	}
	return true;
}

void guest_gic_give(volatile struct tv_run *page)
{
	(void)page;
}
