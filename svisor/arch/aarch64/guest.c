// SPDX-License-Identifier: BSD-3-Clause
/*
 * A guest on this CPU: in with all that is its own, out with nothing of it left behind.
 * docs/registers.md has the reasons, one a register.
 */
#include "arch.h"
#include "guest.h"
#include "sysreg.h"

#define MPIDR_RES1 (1ULL << 31)
#define HPFAR_NS (1ULL << 63)

/* clang-format off */
#define PAUTH_KEYS(X) \
	X(0, apiakeylo_el1) X(1, apiakeyhi_el1) X(2, apibkeylo_el1) X(3, apibkeyhi_el1) \
	X(4, apdakeylo_el1) X(5, apdakeyhi_el1) X(6, apdbkeylo_el1) X(7, apdbkeyhi_el1) \
	X(8, apgakeylo_el1) X(9, apgakeyhi_el1)
/* clang-format on */

bool has_ras(void)
{
	return id_field(id_aa64pfr0_el1, 28);
}

/* ID_AA64ISAR1_EL1.{APA, API} and ID_AA64ISAR2_EL1.APA3: the three algorithms. Those of the
 * generic key come with them. */
static bool has_pauth(void)
{
	return id_field(id_aa64isar1_el1, 4) || id_field(id_aa64isar1_el1, 8) ||
	       id_field(ID_AA64ISAR2_EL1, 12);
}

static void keys_load(const uint64_t *keys)
{
	if (!has_pauth())
		return;
#define X(i, name) write_sysreg(name, keys[i]);
	PAUTH_KEYS(X)
#undef X
}

static void keys_save(uint64_t *keys)
{
	static const uint64_t none[10];

	if (!has_pauth())
		return;
#define X(i, name) keys[i] = read_sysreg(name);
	PAUTH_KEYS(X)
#undef X
	keys_load(none);
}

static void sysregs_load(const struct guest_sysregs *s)
{
#define X(name) write_sysreg(name, s->name);
	GUEST_SYSREGS(X)
#undef X
}

/* What is left behind is what a CPU has that never ran a guest. */
static void sysregs_save(struct guest_sysregs *s)
{
	static const struct guest_sysregs none = {.sctlr_el1 = SCTLR_EL1_RESET};

#define X(name) s->name = read_sysreg(name);
	GUEST_SYSREGS(X)
#undef X
	sysregs_load(&none);
}

/* A virtual SError has no syndrome of the N-visor's; what ESB has made of one is the guest's. */
static void ras_load(const struct guest_regs *regs)
{
	if (!has_ras())
		return;
	write_sysreg(vsesr_el2, 0);
	write_sysreg(vdisr_el2, regs->vdisr);
}

static void ras_save(struct guest_regs *regs)
{
	if (!has_ras())
		return;
	regs->vdisr = read_sysreg(vdisr_el2);
	write_sysreg(vdisr_el2, 0);
}

static void load(const struct guest_regs *regs, uint64_t cntvoff, bool vserror)
{
	write_sysreg(vmpidr_el2, regs->mpidr | MPIDR_RES1);
	write_sysreg(cntvoff_el2, cntvoff);
	sysregs_load(&regs->sys);
	keys_load(regs->pauth);
	fp_load(regs);
	debug_load(regs);
	ras_load(regs);
	pmu_load(regs);
	guest_traps(vserror, regs->debug_used, regs->pmu_used);
	write_sysreg(elr_el2, regs->pc);
	write_sysreg(spsr_el2, regs->pstate);
}

static void save(struct guest_regs *regs, bool *vserror)
{
	regs->pc = read_sysreg(elr_el2);
	regs->pstate = read_sysreg(spsr_el2);
	if (guest_took_vserror())
		*vserror = false;
	guest_traps(false, false, false);
	sysregs_save(&regs->sys);
	keys_save(regs->pauth);
	fp_save(regs);
	debug_save(regs);
	ras_save(regs);
	pmu_save(regs);
}

/* guest.S */
unsigned guest_enter(struct guest_regs *regs);

static void run_once(struct guest_regs *regs, pa_t s2_root, uint16_t vmid, struct guest_exit *out)
{
	isb(); /* stage 1 is whole before stage 2 lets anything through */
	guest_stage2_none(vmid);
	write_sysreg(vsttbr_el2, s2_root.v);
	out->kind = guest_enter(regs);
	guest_stage2_none(0);
	out->esr = read_sysreg(esr_el2);
	out->far = read_sysreg(far_el2);
	out->hpfar = read_sysreg(hpfar_el2) & ~HPFAR_NS;
}

void guest_run(struct guest_regs *regs, pa_t s2_root, uint16_t vmid, uint64_t cntvoff,
	       bool *vserror, struct guest_exit *out)
{
	do {
		load(regs, cntvoff, *vserror);
		run_once(regs, s2_root, vmid, out);
		save(regs, vserror);
		isb();
	} while (debug_wanted(regs, out) || pmu_wanted(regs, out));
}
