// SPDX-License-Identifier: GPL-2.0-only
/*
 * What takes the place of KVM's code at EL2 in a hosted kernel: vCPUs of all VMs
 * are run by the S-visor, those of ordinary ones (N-VMs) with all of their state
 * in the page that this CPU shares with it. It shadows an N-VM's stage-2 table,
 * so it is told what is to be looked up again.
 */
#include <linux/arm-smccc.h>
#include <linux/kvm_host.h>

#include <asm/arch_timer.h>
#include <asm/daifflags.h>
#include <asm/kvm_asm.h>
#include <asm/kvm_emulate.h>
#include <asm/kvm_mmu.h>
#include <asm/virt.h>

#include <kvm/arm_arch_timer.h>
#include <kvm/arm_pmu.h>
#include <kvm/arm_vgic.h>

#include <hyp/debug-sr.h>

#include "twinvisor.h"

DEFINE_STATIC_KEY_FALSE(tv_hosted_key);

static u64 tv_ich_vtr __ro_after_init;
static unsigned int tv_aprs __ro_after_init;	/* active priority registers of a group */

/*
 * Asks for the S-visor, which only answers if it is at EL2 below this kernel. To
 * be called when PSCI's conduit is known, before the first user of EL2.
 */
void __init tv_hosted_init(void)
{
	struct arm_smccc_1_2_regs regs = { .a0 = TV_HOST_INFO };

	if (is_kernel_in_hyp_mode() || is_hyp_mode_available() ||
	    arm_smccc_1_1_get_conduit() != SMCCC_CONDUIT_SMC)
		return;
	arm_smccc_1_2_smc(&regs, &regs);
	if (regs.a0)
		return;
	tv_ich_vtr = regs.a1;
	tv_aprs = BIT(max_t(int, FIELD_GET(ICH_VTR_PRI_BITS_MASK, tv_ich_vtr) - 4, 0));
	static_branch_enable(&tv_hosted_key);
	pr_info("twinvisor: EL2 is the S-visor's, which hosts this kernel\n");
}

/* No GICv2 in it: its CPU interface for VMs is mapped by nobody. */
u64 tv_hosted___vgic_v3_get_gic_config(void)
{
	return (u32)tv_ich_vtr;
}

/* ---- N-VMs ---------------------------------------------------------------- */

/* Before the first vCPU's first run: a VMM's scratch VMs are none. */
static int tv_nvm_create(struct kvm *kvm)
{
	struct kvm_pgtable *pgt = kvm->arch.mmu.pgt;
	struct kvm_vcpu *vcpu;
	unsigned long i;
	u64 out[4];
	s64 code;

	if (!tv_abi)
		return -ENODEV;
	if (static_branch_unlikely(&vgic_v3_cpuif_trap) ||
	    test_bit(KVM_ARCH_FLAG_VM_COUNTER_OFFSET, &kvm->arch.flags))
		return -EOPNOTSUPP;
	kvm_for_each_vcpu(i, vcpu, kvm)
		if (vcpu_el1_is_32bit(vcpu) || kvm_vcpu_has_pmu(vcpu))
			return -EOPNOTSUPP;
	do
		code = tv_smc(TV_NVM_CREATE, kvm->arch.mmu.pgd_phys, pgt->ia_bits,
			      pgt->start_level, 0, out);
	while (code == TV_ENOHEAP && !tv_heap_grow());
	if (code) {
		pr_warn_ratelimited("twinvisor: VMM %d: TV_NVM_CREATE gave %lld\n",
				    task_tgid_nr(current), code);
		return tv_errno(code);
	}
	/* The table is empty of this VM's until it has run, by whoever sees this. */
	WRITE_ONCE(kvm->arch.nvm, out[0]);
	return 0;
}

/* At each KVM_RUN of an N-VM */
int tv_nvm_launch(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;
	int err = 0;

	if (READ_ONCE(kvm->arch.nvm) || !vcpu->wants_to_run)
		return 0;
	if (mutex_lock_killable(&kvm->slots_lock))
		return -EINTR;
	if (!kvm->arch.nvm)
		err = tv_nvm_create(kvm);
	mutex_unlock(&kvm->slots_lock);
	return err;
}

/**
 * tv_nvm_destroy - takes an N-VM's stage-2 table back from the S-visor
 * @kvm: the VM
 *
 * None of its vCPUs runs, or ever will.
 */
void tv_nvm_destroy(struct kvm *kvm)
{
	s64 code;

	if (!kvm->arch.nvm)
		return;
	do {
		code = tv_smc(TV_NVM_DESTROY, kvm->arch.nvm, 0, 0, 0, NULL);
		cond_resched();
	} while (code == TV_AGAIN);
	WARN_ONCE(code, "twinvisor: TV_NVM_DESTROY gave %lld\n", code);
	kvm->arch.nvm = 0;
}

/* An S-VM's table is a request that the S-visor remembers once it has granted it. */
static void tv_forget(struct kvm_s2_mmu *mmu, phys_addr_t ipa, u64 size)
{
	u64 nvm = READ_ONCE(kvm_s2_mmu_to_kvm(mmu)->arch.nvm);
	s64 code;

	if (!nvm)
		return;
	dsb(ishst);
	do
		code = tv_smc(TV_NVM_FORGET, nvm, ipa, size, 0, NULL);
	while (code == TV_AGAIN);
	WARN_ONCE(code, "twinvisor: TV_NVM_FORGET(%pa, %#llx) gave %lld\n", &ipa, size, code);
}

void tv_hosted___kvm_tlb_flush_vmid(struct kvm_s2_mmu *mmu)
{
	tv_forget(mmu, 0, 0);
}

void tv_hosted___kvm_tlb_flush_vmid_ipa(struct kvm_s2_mmu *mmu, phys_addr_t ipa, int level)
{
	u64 size = level <= KVM_PGTABLE_LAST_LEVEL ? kvm_granule_size(level) : PAGE_SIZE;

	tv_forget(mmu, ALIGN_DOWN(ipa, size), size);
}

void tv_hosted___kvm_tlb_flush_vmid_range(struct kvm_s2_mmu *mmu, phys_addr_t start,
					  unsigned long pages)
{
	tv_forget(mmu, start, (u64)pages * PAGE_SIZE);
}

/* ---- the run -------------------------------------------------------------- */

/* __vgic_v3_restore_state(), _restore_vmcr_aprs(), _activate_traps() */
static __always_inline void tv_gic_put(struct tv_gic *gic, const struct vgic_v3_cpu_if *cpu_if)
{
	unsigned int i;

	gic->hcr = cpu_if->vgic_hcr;
	gic->vmcr = cpu_if->vgic_vmcr;
	gic->lists = cpu_if->used_lrs;
	for (i = 0; i < cpu_if->used_lrs; i++)
		gic->lr[i] = cpu_if->vgic_lr[i];
	for (i = 0; i < tv_aprs; i++) {
		gic->ap0r[i] = cpu_if->vgic_ap0r[i];
		gic->ap1r[i] = cpu_if->vgic_ap1r[i];
	}
}

/* A list register that is empty, by ICH_ELRSR_EL2, has no state, and needs no more. */
static __always_inline void tv_gic_take(struct vgic_v3_cpu_if *cpu_if, const struct tv_gic *gic)
{
	unsigned int i;

	cpu_if->vgic_vmcr = gic->vmcr;
	for (i = 0; i < cpu_if->used_lrs; i++)
		cpu_if->vgic_lr[i] = gic->lr[i];
	for (i = 0; i < tv_aprs; i++) {
		cpu_if->vgic_ap0r[i] = gic->ap0r[i];
		cpu_if->vgic_ap1r[i] = gic->ap1r[i];
	}
}

/*
 * CNTVOFF_EL2 is the guest's just as long as it runs. So that the timer goes off
 * at the same time when it does not, CNTV_CVAL_EL0 has the offset in it then.
 */
static __always_inline void tv_timer_enter(struct arch_timer_context *timer)
{
	if (timer->loaded)
		write_sysreg(__vcpu_sys_reg(timer->vcpu, CNTV_CVAL_EL0), cntv_cval_el0);
}

static __always_inline void tv_timer_leave(struct arch_timer_context *timer)
{
	u64 cval, offset = tv_cntvoff(timer);

	if (!timer->loaded)
		return;
	cval = read_sysreg(cntv_cval_el0);
	__vcpu_sys_reg(timer->vcpu, CNTV_CVAL_EL0) = cval;
	if (offset)
		write_sysreg(timer_apply_offset(cval, offset, __arch_counter_get_cntpct()),
			     cntv_cval_el0);
}

/* EL1 and EL0 registers, to the page or back from it */
static __always_inline void tv_move(struct tv_state *state, struct kvm_cpu_context *ctxt, bool put)
{
#define TV_MOVE(here, there)					\
	do {							\
		if (put)					\
			state->here = ctxt_sys_reg(ctxt, there);	\
		else						\
			ctxt_sys_reg(ctxt, there) = state->here;	\
	} while (0)

	TV_MOVE(sctlr, SCTLR_EL1);
	TV_MOVE(cpacr, CPACR_EL1);
	TV_MOVE(ttbr0, TTBR0_EL1);
	TV_MOVE(ttbr1, TTBR1_EL1);
	TV_MOVE(tcr, TCR_EL1);
	TV_MOVE(mair, MAIR_EL1);
	TV_MOVE(amair, AMAIR_EL1);
	TV_MOVE(vbar, VBAR_EL1);
	TV_MOVE(contextidr, CONTEXTIDR_EL1);
	TV_MOVE(esr, ESR_EL1);
	TV_MOVE(afsr0, AFSR0_EL1);
	TV_MOVE(afsr1, AFSR1_EL1);
	TV_MOVE(far, FAR_EL1);
	TV_MOVE(par, PAR_EL1);
	TV_MOVE(elr, ELR_EL1);
	TV_MOVE(spsr, SPSR_EL1);
	TV_MOVE(sp_el1, SP_EL1);
	TV_MOVE(tpidr_el0, TPIDR_EL0);
	TV_MOVE(tpidrro_el0, TPIDRRO_EL0);
	TV_MOVE(tpidr_el1, TPIDR_EL1);
	TV_MOVE(csselr, CSSELR_EL1);
	TV_MOVE(cntkctl, CNTKCTL_EL1);
#undef TV_MOVE
}

/* Traps that KVM turns on and off */
#define TV_TRAPS (HCR_TVM | HCR_TRVM | HCR_TSW | HCR_TWE | HCR_TID1 | HCR_TID2)

static __always_inline void tv_nvm_put(struct tv_run *run, struct kvm_vcpu *vcpu)
{
	struct tv_state *state = (void *)run + TV_RUN_STATE;
	struct tv_fp *fp = (void *)run + TV_RUN_FP;
	struct kvm_cpu_context *ctxt = &vcpu->arch.ctxt;

	memcpy(run->gpr, ctxt->regs.regs, sizeof(run->gpr));
	run->pc = ctxt->regs.pc;
	run->flags = vcpu->arch.hcr_el2 & HCR_VSE ? TV_RUN_SERROR : 0;
	run->cntvoff = tv_cntvoff(vcpu_vtimer(vcpu));

	state->pstate = ctxt->regs.pstate;
	state->traps = vcpu->arch.hcr_el2 & TV_TRAPS;
	state->sp_el0 = ctxt->regs.sp;
	state->mdscr = ctxt_sys_reg(ctxt, MDSCR_EL1);
	tv_move(state, ctxt, true);

	memcpy(fp->q, ctxt->fp_regs.vregs, sizeof(fp->q));
	fp->fpcr = ctxt->fp_regs.fpcr;
	fp->fpsr = ctxt->fp_regs.fpsr;
}

static __always_inline void tv_nvm_take(struct kvm_vcpu *vcpu, struct tv_run *run)
{
	struct tv_state *state = (void *)run + TV_RUN_STATE;
	const struct tv_fp *fp = (void *)run + TV_RUN_FP;
	struct kvm_cpu_context *ctxt = &vcpu->arch.ctxt;

	memcpy(ctxt->regs.regs, run->gpr, sizeof(run->gpr));
	ctxt->regs.pc = run->pc;
	if (!(run->flags & TV_RUN_SERROR))	/* has been taken */
		vcpu->arch.hcr_el2 &= ~HCR_VSE;

	ctxt->regs.pstate = state->pstate;
	ctxt->regs.sp = state->sp_el0;
	tv_move(state, ctxt, false);

	memcpy(ctxt->fp_regs.vregs, fp->q, sizeof(fp->q));
	ctxt->fp_regs.fpcr = fp->fpcr;
	ctxt->fp_regs.fpsr = fp->fpsr;
}

/*
 * The guest's breakpoints in place of the host's, of which none may be hit till they
 * are back. KVM emulates the guest's accesses to them, so its own copy does not change.
 */
static noinline noinstr u64 tv_debug_enter(struct kvm_vcpu *vcpu)
{
	u64 mdscr = read_sysreg(mdscr_el1);

	write_sysreg(mdscr & ~(DBG_MDSCR_MDE | DBG_MDSCR_KDE | DBG_MDSCR_SS), mdscr_el1);
	isb();
	__debug_save_state(host_data_ptr(host_debug_state.regs), host_data_ptr(host_ctxt));
	__debug_restore_state(vcpu->arch.debug_ptr, &vcpu->arch.ctxt);
	return mdscr;
}

static noinline noinstr void tv_debug_leave(struct kvm_vcpu *vcpu, u64 mdscr)
{
	__debug_restore_state(host_data_ptr(host_debug_state.regs), host_data_ptr(host_ctxt));
	isb();
	write_sysreg(mdscr, mdscr_el1);
	vcpu_clear_flag(vcpu, DEBUG_DIRTY);
}

/* Must not be entered: the VMM has set what no guest can be in. */
static __always_inline bool tv_pstate_is_bad(const struct kvm_vcpu *vcpu)
{
	u64 mode = vcpu->arch.ctxt.regs.pstate & (PSR_MODE_MASK | PSR_MODE32_BIT);

	return !(mode & PSR_MODE32_BIT) && mode >= PSR_MODE_EL2t;
}

static __always_inline int tv_nvm_run(struct kvm_vcpu *vcpu, struct tv_run *run)
{
	bool debug = vcpu_get_flag(vcpu, DEBUG_DIRTY);
	u64 mdscr = 0;
	s64 code;

	tv_hosted___kvm_adjust_pc(vcpu);
	if (unlikely(tv_pstate_is_bad(vcpu)))
		return ARM_EXCEPTION_IL;
	tv_nvm_put(run, vcpu);
	if (unlikely(debug))
		mdscr = tv_debug_enter(vcpu);

	code = tv_cross(TV_NVM_RUN, vcpu->kvm->arch.nvm,
			__vcpu_sys_reg(vcpu, MPIDR_EL1) & MPIDR_HWID_BITMASK);

	if (unlikely(debug))
		tv_debug_leave(vcpu, mdscr);
	/* A refusal, too, may come when the guest has run for a while. */
	tv_nvm_take(vcpu, run);
	vcpu->arch.nvm_code = code;
	if (unlikely(code != TV_OK)) {
		vcpu->arch.fault.hpfar_el2 = run->hpfar;
		return ARM_EXCEPTION_SVM;
	}
	if (run->exit == TV_EXIT_IRQ)
		return ARM_EXCEPTION_IRQ;
	vcpu->arch.fault.esr_el2 = run->esr;
	vcpu->arch.fault.far_el2 = run->far;
	vcpu->arch.fault.hpfar_el2 = run->hpfar;
	return run->exit == TV_EXIT_SYNC ? ARM_EXCEPTION_TRAP : ARM_EXCEPTION_EL1_SERROR;
}

/*
 * __kvm_vcpu_run(). The S-visor keeps the host's EL1 and EL0 registers; those of
 * FP, which kvm_arch_vcpu_load_fp() has saved, come back as nobody's.
 */
noinstr int tv_hosted___kvm_vcpu_run(struct kvm_vcpu *vcpu)
{
	struct vgic_v3_cpu_if *cpu_if = &vcpu->arch.vgic_cpu.vgic_v3;
	struct arch_timer_context *vtimer = vcpu_vtimer(vcpu);
	struct tv_run *run = __this_cpu_read(tv_page);
	struct tv_gic *gic = (void *)run + TV_RUN_GIC;
	int ret;

	/* Interrupts that are masked by priority alone would not end the run. */
	if (system_uses_irq_prio_masking()) {
		local_daif_mask();
		pmr_sync();
	}
	tv_gic_put(gic, cpu_if);
	tv_timer_enter(vtimer);

	ret = kvm_vm_is_svm(vcpu->kvm) ? tv_vcpu_run(vcpu) : tv_nvm_run(vcpu, run);

	tv_timer_leave(vtimer);
	tv_gic_take(cpu_if, gic);
	if (system_uses_irq_prio_masking())
		local_daif_restore(DAIF_PROCCTX_NOIRQ);
	return ret;
}

/* ARM_EXCEPTION_SVM of an N-VM: the S-visor has refused to go on. As handle_exit(). */
int tv_nvm_refused(struct kvm_vcpu *vcpu)
{
	s64 code = vcpu->arch.nvm_code;

	if (code == TV_ENOHEAP) {
		int err = tv_heap_grow();

		/* A page of the chunk is pinned just now: it is tried again. */
		return err && err != -EBUSY ? err : 1;
	}
	pr_warn_ratelimited("twinvisor: VMM %d, vCPU %d: TV_NVM_RUN gave %lld, address %#llx\n",
			    task_tgid_nr(current), vcpu->vcpu_idx, code,
			    kvm_vcpu_get_fault_ipa(vcpu));
	return code == TV_EDENIED ? -EPERM : -EIO;
}
