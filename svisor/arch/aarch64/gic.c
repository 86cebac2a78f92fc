// SPDX-License-Identifier: BSD-3-Clause
/*
 * List registers are the N-visor's to fill, and interrupts it makes up harm nobody but its guest.
 * One thing more is in its reach: ICH_LR<n>_EL2.HW ties a virtual interrupt to a physical one,
 * which is deactivated when the guest ends the other. The guest does so in Secure state, where
 * that is not held to Non-secure interrupts, as the N-visor itself is (IHI 0069, ICH_LR<n>_EL2).
 */
#include "arch.h"
#include "guest.h"
#include "sysreg.h"

#define ICC_SRE 1 /* bit 0 */
#define LR_HW (1ULL << 61)
#define LR_PINTID(lr) ((unsigned)((lr) >> 32) & 0x1fff)
#define VTR_LISTS(vtr) (((unsigned)(vtr) & 0x1f) + 1)

static uint32_t timers; /* tv_manifest.timers */

void gic_init(const struct tv_manifest *m)
{
	timers = m->timers;
}

/* clang-format off */
#define LISTS(X) \
	X(0, c12_0) X(1, c12_1) X(2, c12_2) X(3, c12_3) X(4, c12_4) X(5, c12_5) X(6, c12_6) \
	X(7, c12_7) X(8, c13_0) X(9, c13_1) X(10, c13_2) X(11, c13_3) X(12, c13_4) X(13, c13_5) \
	X(14, c13_6) X(15, c13_7)
/* clang-format on */

static uint64_t list_register(unsigned n)
{
	switch (n) {
#define X(i, name) \
	case i: \
		return read_sysreg(s3_4_c12_##name);
		LISTS(X)
#undef X
	default:
		return 0;
	}
}

static bool is_harmless(uint64_t lr)
{
	unsigned ppi = LR_PINTID(lr) - 16; /* wraps for SGIs */

	return !(lr & LR_HW) || (ppi < 16 && timers >> ppi & 1);
}

/* What is empty stays so: a guest ends interrupts, and begins none. */
bool guest_lists_ok(void)
{
	uint64_t used;

	if (!(read_sysreg(ICC_SRE_EL2) & ICC_SRE)) /* without it, they are UNDEFINED */
		return false;
	used = ~read_sysreg(ICH_ELRSR_EL2) & ((1ULL << VTR_LISTS(read_sysreg(ICH_VTR_EL2))) - 1);

	for (unsigned n = 0; used; n++, used >>= 1) {
		if ((used & 1) && !is_harmless(list_register(n)))
			return false;
	}
	return true;
}
