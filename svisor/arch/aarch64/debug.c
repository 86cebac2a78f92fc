// SPDX-License-Identifier: BSD-3-Clause
/*
 * Breakpoints and watchpoints. A guest that does not use them has the N-visor's in place, which
 * cannot fire: MDSCR_EL1 is its own. Its first access to MDSCR_EL1 or to one of them traps; from
 * then on its own are switched, till it is seen with MDSCR_EL1 off.
 */
#include "arch.h"
#include "esr.h"
#include "guest.h"
#include "sysreg.h"

#define MDSCR_IN_USE (1ULL << 15 | 1ULL << 13 | 1ULL << 0) /* MDE, KDE, SS */
#define OSLSR_OSLK (1ULL << 1)

/* The N-visor's, while a guest's are in place. */
static struct {
	struct guest_debug regs;
	uint64_t os_lock, double_lock;
} normal[TV_MAX_CPUS];

/* clang-format off */
#define EACH(X) \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
/* clang-format on */

static void save(struct guest_debug *d)
{
	unsigned breakpoints = id_field(id_aa64dfr0_el1, 12) + 1;
	unsigned watchpoints = id_field(id_aa64dfr0_el1, 20) + 1;

#define X(n) \
	if (n < breakpoints) { \
		d->bvr[n] = read_sysreg(dbgbvr##n##_el1); \
		d->bcr[n] = read_sysreg(dbgbcr##n##_el1); \
	} \
	if (n < watchpoints) { \
		d->wvr[n] = read_sysreg(dbgwvr##n##_el1); \
		d->wcr[n] = read_sysreg(dbgwcr##n##_el1); \
	}
	EACH(X)
#undef X
}

static void load(const struct guest_debug *d)
{
	unsigned breakpoints = id_field(id_aa64dfr0_el1, 12) + 1;
	unsigned watchpoints = id_field(id_aa64dfr0_el1, 20) + 1;

#define X(n) \
	if (n < breakpoints) { \
		write_sysreg(dbgbvr##n##_el1, d->bvr[n]); \
		write_sysreg(dbgbcr##n##_el1, d->bcr[n]); \
	} \
	if (n < watchpoints) { \
		write_sysreg(dbgwvr##n##_el1, d->wvr[n]); \
		write_sysreg(dbgwcr##n##_el1, d->wcr[n]); \
	}
	EACH(X)
#undef X
}

void debug_load(const struct guest_regs *regs)
{
	if (!regs->debug_used)
		return;
	save(&normal[cpu_index()].regs);
	normal[cpu_index()].os_lock = read_sysreg(oslsr_el1) & OSLSR_OSLK;
	normal[cpu_index()].double_lock = read_sysreg(osdlr_el1);
	write_sysreg(oslar_el1, 0); /* a CPU locked in either way takes no debug exceptions */
	write_sysreg(osdlr_el1, 0);
	load(&regs->debug);
}

void debug_save(struct guest_regs *regs)
{
	if (!regs->debug_used)
		return;
	save(&regs->debug);
	load(&normal[cpu_index()].regs);
	write_sysreg(oslar_el1, normal[cpu_index()].os_lock ? 1 : 0);
	write_sysreg(osdlr_el1, normal[cpu_index()].double_lock);
	regs->debug_used = regs->sys.mdscr_el1 & MDSCR_IN_USE;
}

/* MDSCR_EL1: 2, 0, C0, C2, 2; DBG<B,W><V,C>R<n>_EL1: 2, 0, C0, Cn, 4 to 7 (D24.3) */
bool debug_wanted(struct guest_regs *regs, const struct guest_exit *exit)
{
	uint64_t esr = exit->esr;

	if (regs->debug_used)
		return false;
	if (ISS_OP0(esr) != 2 || ISS_OP1(esr) != 0 || ISS_CRN(esr) != 0)
		return false;
	regs->debug_used = ISS_OP2(esr) >= 4 || (ISS_OP2(esr) == 2 && ISS_CRM(esr) == 2);
	return regs->debug_used;
}
