/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the two worlds see of each other's registers.
 *
 * Switched here or by tvd_fast.S: what an EL2 itself runs on (struct tvd_el2), x0-x30.
 *
 * Left in place by tvd_fast.S, and so the S-visor's to check, set and give back: all else
 * that governs an EL1 or EL0. Here, in the slow way, TF-A's context management
 * switches these EL2 registers as well.
 *
 * Inherited, that is, the value found on one side is carried to the other, in
 * both directions: ICH_HCR_EL2 and ICH_VMCR_EL2. The guest's virtual GIC is the
 * N-visor's, also while the guest runs in the Secure world.
 *
 * Left in place by both, and so the S-visor's to save, check and scrub: ICH_LR<n>_EL2,
 * ICH_AP*R<n>_EL2, VSESR_EL2, VDISR_EL2, the EL1 and EL0 system registers,
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
 * Nothing counts there (SPME clear, SCCD set), whatever the N-visor has set up, till the
 * S-visor has its own values in all of the PMU and says so: then its guest may.
 * EL3 itself is not counted for anybody: MPMX and MCCD (PMUv3p7) are set.
 *
 * Nothing profiles or traces it. STE is clear; profiling and trace buffers stay
 * Non-secure (NSPB, NSTB), which prohibits both in Secure state.
 * EDAD and EPMAD close the memory-mapped debug and PMU registers of this CPU,
 * which the normal world may reach from another one.
 *
 * SDD is clear: breakpoints, watchpoints and single step must work inside an
 * S-VM. They all need MDSCR_EL1.MDE or .SS, which the S-visor switches with its guest:
 * none that the N-visor has set up can fire there. At S-EL2 itself PSTATE.D is set.
 */
static u_register_t secure_mdcr(u_register_t mdcr, bool counts)
{
	mdcr &= ~(MDCR_SDD_BIT | MDCR_SCCD_BIT | MDCR_SPME_BIT | MDCR_STE_BIT);

	return mdcr | (counts ? MDCR_SPME_BIT : MDCR_SCCD_BIT) | MDCR_MPMX_BIT | MDCR_MCCD_BIT |
	       MDCR_EDAD_BIT | MDCR_EPMAD_BIT;
}

void tvd_context_count(struct tvd_cpu *cpu, bool on)
{
	el3_state_t *el3 = get_el3state_ctx(&cpu->ctx);

	write_ctx_reg(el3, CTX_MDCR_EL3, secure_mdcr(read_ctx_reg(el3, CTX_MDCR_EL3), on));
}

void tvd_context_init(struct tvd_cpu *cpu, entry_point_info_t *ep)
{
	el3_state_t *el3 = get_el3state_ctx(&cpu->ctx);

	cm_set_context(&cpu->ctx, SECURE);
	cm_setup_context(&cpu->ctx, ep);
	write_ctx_reg(el3, CTX_SCR_EL3, secure_scr(read_ctx_reg(el3, CTX_SCR_EL3)));
	tvd_context_count(cpu, false);

	write_el2_ctx_common(get_el2_sysregs_ctx(&cpu->ctx), sctlr_el2, SCTLR_EL2_RES1);
	pmuv3_enable(&cpu->ctx);
}

/* The first entry on a CPU: no normal world to save yet. */
void tvd_context_to_svisor_first(struct tvd_cpu *cpu)
{
	cm_el2_sysregs_context_restore(SECURE);
	cm_set_next_eret_context(SECURE);
}

static void keep_el3(struct tvd_el2 *el2, const per_world_context_t *world)
{
	el2->cptr_el3 = world->ctx_cptr_el3;
	el2->mpam3_el3 = world->ctx_mpam3_el3;
}

/* What the S-visor is to find at each call. */
static void keep_el2(struct tvd_fast *fast)
{
	fast->svisor = (struct tvd_el2){
		.sctlr = read_sctlr_el2(),
		.tcr = read_tcr_el2(),
		.ttbr0 = read_ttbr0_el2(),
		.mair = read_mair_el2(),
		.amair = read_amair_el2(),
		.vbar = read_vbar_el2(),
		.hcr = read_hcr_el2(),
		.tpidr = read_tpidr_el2(),
		.sp = read_sp_el2(),
		.elr_el3 = read_elr_el3(),
		.spsr_el3 = read_spsr_el3(),
	};
	keep_el3(&fast->svisor, &per_world_context[CPU_CONTEXT_SECURE]);
	keep_el3(&fast->normal, &per_world_context[CPU_CONTEXT_NS]);
	/* Vectors have to be as long in both worlds: ZCR_EL3 stays. */
	fast->flags = (per_world_context[CPU_CONTEXT_SECURE].ctx_zcr_el3 ==
		       per_world_context[CPU_CONTEXT_NS].ctx_zcr_el3) ? 1U << TVD_FLAG_FAST : 0U;
	if ((fast->flags != 0U) && is_feat_mpam_supported())
		fast->flags |= 1U << TVD_FLAG_MPAM;
}

/* BL31 and PSCI load the normal world's EL2 state before they enter it. */
void tvd_context_from_svisor_first(struct tvd_cpu *cpu)
{
	keep_el2(&cpu->fast);
	cm_el2_sysregs_context_save(SECURE);
}

static void inherit(uint32_t from, uint32_t to)
{
	el2_sysregs_t *src = get_el2_sysregs_ctx(cm_get_context(from));
	el2_sysregs_t *dst = get_el2_sysregs_ctx(cm_get_context(to));

	write_el2_ctx_common(dst, ich_hcr_el2, read_el2_ctx_common(src, ich_hcr_el2));
	write_el2_ctx_common(dst, ich_vmcr_el2, read_el2_ctx_common(src, ich_vmcr_el2));
}

void tvd_context_switch(uint32_t from, uint32_t to)
{
	cm_el2_sysregs_context_save(from);
	inherit(from, to);
	cm_el2_sysregs_context_restore(to);
	cm_set_next_eret_context(to);
}
