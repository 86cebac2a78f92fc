/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the two worlds see of each other's registers.
 *
 * Switched here, by TF-A's context management: every EL2 register that both
 * hypervisors use, x0-x30, SP_EL0, PMCR_EL0; and MDSCR_EL1 (see below).
 *
 * Inherited, that is, the value found on one side is carried to the other, in
 * both directions: ICH_HCR_EL2 and ICH_VMCR_EL2. The guest's virtual GIC is the
 * N-visor's, also while the guest runs in the Secure world.
 *
 * Left in place, and so the S-visor's to save, check and scrub: ICH_LR<n>_EL2,
 * ICH_AP*R<n>_EL2, VSESR_EL2, VDISR_EL2, the other EL1 and EL0 system registers,
 * the timers of EL1, pointer authentication keys, debug, PMU, FP/SIMD and SVE.
 */
#include <arch_features.h>
#include <arch_helpers.h>
#include <common/bl_common.h>
#include <lib/el3_runtime/context_mgmt.h>
#include <lib/extensions/pmuv3.h>

#include "tvd_private.h"

/*
 * SCR_EL3: to what context management sets for a payload at S-EL2 (RW, HCE, EEL2,
 * ST, SIF, FGTEn, ECVEn, HXEn; IRQ, FIQ and EA clear) are added the features that
 * an S-VM may use and that would trap to EL3 otherwise. With FIQ clear a
 * Non-secure interrupt is signalled to S-EL2 as FIQ (IHI 0069, 4.6).
 */
static u_register_t secure_scr(u_register_t scr)
{
	scr |= SCR_API_BIT | SCR_APK_BIT;
	if (is_feat_csv2_2_supported())
		scr |= SCR_EnSCXT_BIT;

	return scr;
}

/*
 * MDCR_EL3 (DDI 0487, D24.3), while the Secure world runs:
 *
 * An S-VM may count its own events: SPME is set, SCCD clear. Counters of the
 * N-visor stand still all the same, for PMCR_EL0 and MDCR_EL2 are each world's
 * own, and those of the S-visor have none of its counters on. EL3 itself is not
 * counted for anybody: see stop_counting(); MPMX and MCCD (PMUv3p7) are set as well.
 *
 * Nothing profiles or traces it. STE is clear; profiling and trace buffers stay
 * Non-secure (NSPB, NSTB), which prohibits both in Secure state.
 * EDAD and EPMAD close the memory-mapped debug and PMU registers of this CPU,
 * which the normal world may reach from another one.
 *
 * SDD is clear: breakpoints, watchpoints and single step must work inside an
 * S-VM. They all need MDSCR_EL1.MDE or .SS, and that register is switched here,
 * so none that the N-visor has set up can fire in the Secure world. At S-EL2
 * itself PSTATE.D is set.
 */
static u_register_t secure_mdcr(u_register_t mdcr)
{
	mdcr &= ~(MDCR_SDD_BIT | MDCR_SCCD_BIT | MDCR_STE_BIT);

	return mdcr | MDCR_SPME_BIT | MDCR_MPMX_BIT | MDCR_MCCD_BIT | MDCR_EDAD_BIT |
	       MDCR_EPMAD_BIT;
}

void tvd_context_init(struct tvd_cpu *cpu, entry_point_info_t *ep)
{
	el3_state_t *el3 = get_el3state_ctx(&cpu->ctx);

	cm_set_context(&cpu->ctx, SECURE);
	cm_setup_context(&cpu->ctx, ep);
	write_ctx_reg(el3, CTX_SCR_EL3, secure_scr(read_ctx_reg(el3, CTX_SCR_EL3)));
	write_ctx_reg(el3, CTX_MDCR_EL3, secure_mdcr(read_ctx_reg(el3, CTX_MDCR_EL3)));

	write_el2_ctx_common(get_el2_sysregs_ctx(&cpu->ctx), sctlr_el2, SCTLR_EL2_RES1);
	pmuv3_enable(&cpu->ctx);
}

/* The first entry on a CPU: no normal world to save yet. */
void tvd_context_to_svisor_first(struct tvd_cpu *cpu)
{
	cpu->mdscr[SECURE] = 0U;
	cpu->mdscr[NON_SECURE] = 0U;
	write_mdscr_el1(0U);
	cm_el2_sysregs_context_restore(SECURE);
	cm_set_next_eret_context(SECURE);
}

/* BL31 and PSCI load the normal world's EL2 state before they enter it. */
void tvd_context_from_svisor_first(void)
{
	cm_el2_sysregs_context_save(SECURE);
	write_mdscr_el1(0U);
}

static void inherit(uint32_t from, uint32_t to)
{
	el2_sysregs_t *src = get_el2_sysregs_ctx(cm_get_context(from));
	el2_sysregs_t *dst = get_el2_sysregs_ctx(cm_get_context(to));

	write_el2_ctx_common(dst, ich_hcr_el2, read_el2_ctx_common(src, ich_hcr_el2));
	write_el2_ctx_common(dst, ich_vmcr_el2, read_el2_ctx_common(src, ich_vmcr_el2));
}

/*
 * el3_exit() lets MDCR_EL3 of the Secure world in before its PMCR_EL0, and the
 * N-visor's MDCR_EL2 comes back while the former is still there: till both are
 * the next world's, no counter runs. EL3's entry has saved PMCR_EL0.
 */
static void stop_counting(void)
{
	write_mdcr_el3(read_mdcr_el3() & ~(MDCR_SPME_BIT | MDCR_MPMX_BIT));
	write_pmcr_el0(read_pmcr_el0() & ~PMCR_EL0_E_BIT);
	isb();
}

void tvd_context_switch(struct tvd_cpu *cpu, uint32_t from, uint32_t to)
{
	stop_counting();
	cm_el2_sysregs_context_save(from);
	inherit(from, to);
	cm_el2_sysregs_context_restore(to);

	cpu->mdscr[from] = read_mdscr_el1();
	write_mdscr_el1(cpu->mdscr[to]);

	cm_set_next_eret_context(to);
}
