// SPDX-License-Identifier: GPL-2.0-only
/*
 * The call gate: how the N-visor reaches the S-visor, and how a vCPU of an S-VM
 * is run. It stands where __guest_enter() stands for other VMs.
 */
#include <linux/arm-smccc.h>
#include <linux/cpuhotplug.h>
#include <linux/interrupt.h>
#include <linux/kvm_host.h>
#include <linux/perf/arm_pmu.h>

#include <asm/kvm_asm.h>
#include <asm/kvm_emulate.h>
#include <asm/kvm_hyp.h>
#include <asm/kvm_mmu.h>
#include <asm/pointer_auth.h>

#include <kvm/arm_arch_timer.h>
#include <kvm/arm_pmu.h>

#include "trace.h"
#include "twinvisor.h"

DEFINE_PER_CPU(struct tv_run *, tv_page);

s64 tv_smc(u64 nr, u64 a1, u64 a2, u64 a3, u64 a4, u64 out[4])
{
	struct arm_smccc_1_2_regs regs = {
		.a0 = nr, .a1 = a1, .a2 = a2, .a3 = a3, .a4 = a4
	};

	arm_smccc_1_2_smc(&regs, &regs);
	if (out)
		memcpy(out, &regs.a1, 4 * sizeof(*out));
	return regs.a0;
}

int tv_errno(s64 code)
{
	switch (code) {
	case TV_OK:
		return 0;
	case TV_ENOSYS:
		return -EOPNOTSUPP;
	case TV_EINVAL:
		return -EINVAL;
	case TV_EDENIED:
	case TV_EMEASURE:
	case TV_EVERSION:
	case TV_ELIFECYCLE:
		return -EPERM;
	case TV_ENOENT:
		return -ENOENT;
	case TV_EBUSY:
		return -EBUSY;
	case TV_ENOMEM:
	case TV_ENOHEAP:
		return -ENOMEM;
	case TV_EFAULT:
		return -EFAULT;
	case TV_EPOLICY:
		return -EBADMSG;
	case TV_ESIGNATURE:
		return -EKEYREJECTED;
	default:
		return -EIO;
	}
}

/* The page that this CPU shares with the S-visor; preemption is off. */
struct tv_run *tv_share_page(void)
{
	return __this_cpu_read(tv_page);
}

/**
 * tv_share_cpu - name this CPU's shared page to the S-visor
 *
 * Preemption is off. A refusal shows at once: no S-VM runs on this CPU.
 */
void tv_share_cpu(void)
{
	s64 code = tv_smc(TV_CPU_SHARE, __pa(tv_share_page()), 0, 0, 0, NULL);

	if (code)
		pr_warn("twinvisor: CPU%d: TV_CPU_SHARE gave %lld\n",
			smp_processor_id(), code);
}
EXPORT_SYMBOL_GPL(tv_share_cpu);

static int tv_cpu_online(unsigned int cpu)
{
	struct tv_run *page = per_cpu(tv_page, cpu);

	if (!page) {
		page = (void *)get_zeroed_page(GFP_KERNEL);
		if (!page)
			return -ENOMEM;
		per_cpu(tv_page, cpu) = page;
	}
	preempt_disable();
	tv_share_cpu();
	preempt_enable();
	return 0;
}

int __init tv_share_init(void)
{
	int ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "kvm/twinvisor:online",
				    tv_cpu_online, NULL);

	return min(ret, 0);
}

/*
 * What KVM did about the last exit, in the S-visor's terms. The exit's class
 * says what a pending exception is, since KVM only has it as a syndrome.
 */
static __always_inline u64 tv_served(struct kvm_vcpu *vcpu)
{
	bool except = vcpu_get_flag(vcpu, PENDING_EXCEPTION);
	bool done = !except && vcpu_get_flag(vcpu, INCREMENT_PC);

	switch (ESR_ELx_EC(vcpu->arch.fault.esr_el2)) {
	case ESR_ELx_EC_DABT_LOW:
	case ESR_ELx_EC_IABT_LOW:
		return except ? TV_RUN_ABORT : done ? TV_RUN_DONE : 0;
	case ESR_ELx_EC_SMC64:
	case ESR_ELx_EC_SYS64:
		return except ? TV_RUN_UNDEF : done ? TV_RUN_DONE : 0;
	case ESR_ELx_EC_HVC64:
		return except ? TV_RUN_UNDEF : TV_RUN_DONE;
	default:
		return 0;
	}
}

/* The registers that an exit shows, or takes back. */
static __always_inline void tv_copy_regs(u64 *to, const u64 *from, u64 exit, u64 esr)
{
	unsigned int rt;

	switch (exit) {
	case TV_EXIT_CALL:
		to[0] = from[0];
		to[1] = from[1];
		to[2] = from[2];
		to[3] = from[3];
		return;
	case TV_EXIT_MMIO:
		rt = (esr & ESR_ELx_SRT_MASK) >> ESR_ELx_SRT_SHIFT;
		break;
	case TV_EXIT_SYSREG:
		rt = ESR_ELx_SYS64_ISS_RT(esr);
		break;
	default:
		return;
	}
	if (rt < 31)
		to[rt] = from[rt];
}

static __always_inline void tv_fill(struct tv_run *run, struct kvm_vcpu *vcpu,
				    const struct tv_vcpu *tvcpu)
{
	tv_copy_regs(run->gpr, vcpu_gp_regs(vcpu)->regs, tvcpu->exit,
		     vcpu->arch.fault.esr_el2);
	run->flags = tv_served(vcpu);
	if (*vcpu_hcr(vcpu) & HCR_VSE)
		run->flags |= TV_RUN_SERROR;
	run->cntvoff = tv_cntvoff(vcpu_vtimer(vcpu));
	run->stolen = current->sched_info.run_delay;
}

/*
 * The guest has the CPU's own PMU, and the S-visor says whether its overflow
 * interrupt is asserted. KVM sees that in the registers which it would emulate,
 * as soon as it calls kvm_pmu_sync_hwstate(). No counter is enabled there.
 */
static __always_inline void tv_pmu_line(struct kvm_vcpu *vcpu,
					struct tv_vcpu *tvcpu, bool line)
{
	if (likely(line == tvcpu->pmu_line) || !kvm_vcpu_has_pmu(vcpu))
		return;

	tvcpu->pmu_line = line;
	__vcpu_sys_reg(vcpu, PMCR_EL0) = line ? ARMV8_PMU_PMCR_E : 0;
	__vcpu_sys_reg(vcpu, PMINTENSET_EL1) = line ? BIT(ARMV8_PMU_CYCLE_IDX) : 0;
	__vcpu_sys_reg(vcpu, PMOVSSET_EL0) = line ? BIT(ARMV8_PMU_CYCLE_IDX) : 0;
}

static void tv_pmu_mask(struct kvm_vcpu *vcpu, struct tv_vcpu *tvcpu, bool mask)
{
	struct arm_pmu *pmu = vcpu->kvm->arch.arm_pmu;
	int irq = this_cpu_ptr(pmu->hw_events)->irq;

	if (!irq)	/* a CPU that this PMU is not of */
		return;
	WARN_ON_ONCE(irq_set_irqchip_state(irq, IRQCHIP_STATE_ACTIVE, mask));
	tvcpu->pmu_masked = mask;
}

/* Rare, and apart, so that those who call it need no stack in all other cases. */
static noinline void tv_enter_rare(struct kvm_vcpu *vcpu, struct tv_vcpu *tvcpu)
{
	trace_tv_enter(vcpu);
	if (tvcpu->pmu_line)
		tv_pmu_mask(vcpu, tvcpu, true);
}

static noinline void tv_exit_rare(struct kvm_vcpu *vcpu, struct tv_vcpu *tvcpu)
{
	if (tvcpu->pmu_masked)
		tv_pmu_mask(vcpu, tvcpu, false);
	trace_tv_exit(vcpu, tvcpu);
}

/**
 * tv_vcpu_enter - what is left to do for an S-VM before tv_vcpu_run()
 * @vcpu: the vCPU
 *
 * While the guest's PMU asserts its overflow interrupt, the CPU's own is, too,
 * whenever the guest runs, and would end each run before the guest has come to
 * see to it. As with the timers, an interrupt that is active already does not.
 * Interrupts are off; tv_vcpu_exit() undoes it before they are on again.
 */
void tv_vcpu_enter(struct kvm_vcpu *vcpu)
{
	struct tv_vcpu *tvcpu;

	if (!kvm_vm_is_svm(vcpu->kvm))
		return;

	tvcpu = &vcpu->kvm->arch.svm->vcpu[vcpu->vcpu_idx];
	if (trace_tv_enter_enabled() || unlikely(tvcpu->pmu_line))
		tv_enter_rare(vcpu, tvcpu);
}

/**
 * tv_vcpu_exit - undoes tv_vcpu_enter()
 * @vcpu: the vCPU
 */
void tv_vcpu_exit(struct kvm_vcpu *vcpu)
{
	struct tv_vcpu *tvcpu;

	if (!kvm_vm_is_svm(vcpu->kvm))
		return;

	tvcpu = &vcpu->kvm->arch.svm->vcpu[vcpu->vcpu_idx];
	if (trace_tv_exit_enabled() || unlikely(tvcpu->pmu_masked))
		tv_exit_rare(vcpu, tvcpu);
}

/* The entry was accepted: what it carried is done with, and here is an exit. */
static __always_inline void tv_take(struct kvm_vcpu *vcpu, const struct tv_run *run)
{
	vcpu_clear_flag(vcpu, PENDING_EXCEPTION);
	vcpu_clear_flag(vcpu, EXCEPT_MASK);
	vcpu_clear_flag(vcpu, INCREMENT_PC);
	*vcpu_hcr(vcpu) &= ~HCR_VSE;

	tv_copy_regs(vcpu_gp_regs(vcpu)->regs, run->gpr, run->exit, run->esr);
	vcpu->arch.fault.esr_el2 = run->esr;
	vcpu->arch.fault.far_el2 = run->far;
	vcpu->arch.fault.hpfar_el2 = run->hpfar;
}

static __always_inline int tv_exception(u64 exit)
{
	switch (exit) {
	case TV_EXIT_IRQ:
		return ARM_EXCEPTION_IRQ;
	case TV_EXIT_SERROR:	/* was taken, and is for handle_exit_early() to judge */
		return ARM_EXCEPTION_EL1_SERROR;
	case TV_EXIT_OFF:
	case TV_EXIT_BOUNCE:
	case TV_EXIT_UNUSED:
		return ARM_EXCEPTION_SVM;
	case TV_EXIT_WFX:
	case TV_EXIT_FAULT:
	case TV_EXIT_MMIO:
	case TV_EXIT_CALL:
	case TV_EXIT_SYSREG:
		return ARM_EXCEPTION_TRAP;
	default:	/* a class that this kernel does not know */
		return ARM_EXCEPTION_IL;
	}
}

/*
 * Runs a vCPU until it needs KVM: __kvm_vcpu_run_vhe() for S-VMs. The S-visor
 * loads and saves all that belongs to the guest. What it may leave changed is
 * EL1 state, which the host keeps none of under VHE but the kernel's PAuth key,
 * which is restored here; FP registers, which kvm_arch_vcpu_load_fp() has saved;
 * and what tv_vcpu_put() and KVM's own of vcpu_load and vcpu_put see to. Of a
 * hosted kernel it keeps all EL1 state.
 */
noinstr int tv_vcpu_run(struct kvm_vcpu *vcpu)
{
	struct tv_vcpu *tvcpu = &vcpu->kvm->arch.svm->vcpu[vcpu->vcpu_idx];
	struct tv_run *run = __this_cpu_read(tv_page);

	tv_fill(run, vcpu, tvcpu);

	tvcpu->code = tv_cross(TV_VCPU_RUN, vcpu->kvm->arch.svm->id, vcpu->vcpu_idx);

	/* PAuth keys are not banked; the next function may hang on APIA. */
	ptrauth_thread_switch_kernel(current);
	if (tvcpu->code != TV_OK) {
		vcpu->arch.fault.hpfar_el2 = run->hpfar;
		return ARM_EXCEPTION_SVM;
	}
	tv_take(vcpu, run);
	tv_pmu_line(vcpu, tvcpu, run->lines & TV_LINE_PMU);
	tvcpu->exit = run->exit;
	tvcpu->wanted = run->size;
	tvcpu->late = run->late;
	if (tvcpu->exit < TWINVISOR_EXITS)
		tvcpu->exits[tvcpu->exit]++;
	return tv_exception(tvcpu->exit);
}

/**
 * tv_vcpu_put - gives the VMM what an S-VM may have left changed
 * @vcpu: the vCPU
 */
void tv_vcpu_put(struct kvm_vcpu *vcpu)
{
	if (kvm_vm_is_svm(vcpu->kvm))
		ptrauth_thread_switch_user(current);
}

/* The exits that VMs have only with the S-visor. Returns as handle_exit() does. */
int tv_handle_exit(struct kvm_vcpu *vcpu)
{
	struct tv_svm *svm = vcpu->kvm->arch.svm;
	struct tv_vcpu *tvcpu;

	if (!svm)
		return tv_nvm_refused(vcpu);

	tvcpu = &svm->vcpu[vcpu->vcpu_idx];
	if (tvcpu->code == TV_OK && tvcpu->exit == TV_EXIT_BOUNCE)
		return tv_bounce_grow(svm, tvcpu->wanted) ?: 1;
	if (tvcpu->code == TV_OK && tvcpu->exit == TV_EXIT_UNUSED)
		return tv_chunk_unused(svm, tvcpu->wanted) ?: 1;
	if (tvcpu->code == TV_OK || tvcpu->code == TV_ESTATE) {
		/*
		 * It is off for the S-visor, and sleeps till PSCI CPU_ON; or the
		 * whole S-VM is, and KVM is about to hear of it by another vCPU.
		 */
		kvm_arm_vcpu_power_off(vcpu);
		return 1;
	}
	if (tvcpu->code == TV_ENOHEAP) {
		int err = tv_heap_grow();

		/* A page of the chunk is pinned just now: it is tried again. */
		return err && err != -EBUSY ? err : 1;
	}
	tvcpu->refused++;
	pr_warn_ratelimited("twinvisor: VMM %d, vCPU %d: TV_VCPU_RUN gave %lld, address %#llx\n",
			    svm->pid, vcpu->vcpu_idx, tvcpu->code,
			    kvm_vcpu_get_fault_ipa(vcpu));
	return tvcpu->code == TV_EDENIED ? -EPERM : -EIO;
}
