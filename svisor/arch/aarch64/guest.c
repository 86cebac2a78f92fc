// SPDX-License-Identifier: BSD-3-Clause
/*
 * A guest on this CPU: in with all that is its own, out with nothing of it left behind.
 * docs/registers.md has the reasons, one a register.
 */
#include "arch.h"
#include "esr.h"
#include "has.h"
#include "guest.h"
#include "sysreg.h"
#include "world.h"

#define MPIDR_RES1 (1ULL << 31)
#define HPFAR_NS (1ULL << 63)

/* clang-format off */
#define PAUTH_KEYS(X) \
	X(0, APIAKEYLO_EL1) X(1, APIAKEYHI_EL1) X(2, APIBKEYLO_EL1) X(3, APIBKEYHI_EL1) \
	X(4, APDAKEYLO_EL1) X(5, APDAKEYHI_EL1) X(6, APDBKEYLO_EL1) X(7, APDBKEYHI_EL1) \
	X(8, APGAKEYLO_EL1) X(9, APGAKEYHI_EL1)
/* clang-format on */

static void keys_load(const uint64_t *keys)
{
	if (!cpu_has.pauth)
		return;
#define X(i, name) load_sysreg(name, keys[i]);
	PAUTH_KEYS(X)
#undef X
}

static void keys_save(uint64_t *keys)
{
	if (!cpu_has.pauth)
		return;
#define X(i, name) keys[i] = read_sysreg(name);
	PAUTH_KEYS(X)
#undef X
#define X(i, name) load_sysreg(name, 0);
	PAUTH_KEYS(X)
#undef X
}

static void sysregs_load(const struct guest_sysregs *s)
{
#define X(name) load_sysreg(name, s->name);
	GUEST_SYSREGS(X)
#undef X
}

/* What is left behind is what a CPU has that never ran a guest. */
static void sysregs_save(struct guest_sysregs *s)
{
#define X(name) s->name = read_sysreg(name);
	GUEST_SYSREGS(X)
#undef X
	if (!WORLD_CLEARS)
		return;
#define X(name) load_sysreg(name, 0);
	GUEST_SYSREGS(X)
#undef X
	load_sysreg(sctlr_el1, SCTLR_EL1_RESET);
}

/* A virtual SError has no syndrome of the N-visor's; what ESB has made of one is the guest's. */
static void ras_load(const struct guest_regs *regs)
{
	if (!cpu_has.ras)
		return;
	load_sysreg(vsesr_el2, 0);
	load_sysreg(vdisr_el2, regs->vdisr);
}

static void ras_save(struct guest_regs *regs)
{
	if (!cpu_has.ras)
		return;
	regs->vdisr = read_sysreg(vdisr_el2);
	load_sysreg(vdisr_el2, 0);
}

static void load(const struct guest_regs *regs, uint64_t cntvoff, bool vserror)
{
	load_sysreg(vmpidr_el2, regs->mpidr | MPIDR_RES1);
	load_sysreg(cntvoff_el2, cntvoff);
	sysregs_load(&regs->sys);
	keys_load(regs->pauth);
	debug_load(regs);
	ras_load(regs);
	pmu_load(regs);
	if (regs->traps || vserror || regs->debug_used || regs->pmu_used)
		guest_traps(regs->traps, vserror, regs->debug_used, regs->pmu_used);
	guest_streaming_off(); /* it would make SVE trap as SME */
	guest_fp(false, false);
	load_sysreg(elr_el2, regs->pc);
	load_sysreg(spsr_el2, regs->pstate);
}

static void save(struct guest_regs *regs, bool *vserror)
{
	regs->pc = read_sysreg(elr_el2);
	regs->pstate = read_sysreg(spsr_el2);
	if (*vserror && guest_took_vserror())
		*vserror = false;
	if (regs->traps || regs->debug_used || regs->pmu_used)
		guest_traps(0, false, false, false);
	sysregs_save(&regs->sys);
	keys_save(regs->pauth);
	debug_save(regs);
	ras_save(regs);
	pmu_save(regs);
}

/* From its first use of FP on, the guest has its own, and goes on. */
static void run_once(struct guest_regs *regs, pa_t s2_root, struct guest_exit *out)
{
	bool fp = false;

	isb(); /* VMID and stage 1 are whole before stage 2 lets anything through */
	guest_stage2(s2_root.v);
	for (;;) {
		out->kind = guest_enter(regs->x);
		out->esr = read_sysreg(esr_el2);
		if (fp || out->kind != GUEST_SYNC || !fp_wanted(regs, out->esr))
			break;
		fp_load(regs);
		fp = true;
	}
	out->far = read_sysreg(far_el2);
	out->hpfar = read_sysreg(hpfar_el2) & ~HPFAR_NS;
	if (regs->ordinary)
		world_find_ipa(out);
	guest_stage2_none();
	if (fp)
		fp_save(regs);
}

static bool is_sysreg(const struct guest_exit *exit)
{
	return exit->kind == GUEST_SYNC && ESR_EC(exit->esr) == EC_SYSREG;
}

void guest_run(struct guest_regs *regs, pa_t s2_root, uint16_t vmid, uint64_t cntvoff,
	       bool *vserror, struct guest_exit *out)
{
	guest_stage2_vmid(vmid);
	do {
		load(regs, cntvoff, *vserror);
		run_once(regs, s2_root, out);
		save(regs, vserror);
	} while (is_sysreg(out) && !regs->ordinary &&
		 (debug_wanted(regs, out) || pmu_wanted(regs, out)));
}
