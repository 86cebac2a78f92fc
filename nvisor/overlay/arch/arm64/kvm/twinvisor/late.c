// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of devices that an S-VM may have missed. The S-visor copies in
 * what a back end has done whenever a vCPU enters; a back end that looks only
 * after that whether the guest wants an interrupt finds that it does not.
 */
#include "../vgic/vgic.h"
#include "trace.h"
#include "twinvisor.h"

static void tv_interrupt_wired(struct kvm *kvm)
{
	for (u32 i = 0; i < kvm->arch.vgic.nr_spis; i++) {
		struct vgic_irq *irq = vgic_get_irq(kvm, NULL, i + VGIC_NR_PRIVATE_IRQS);
		unsigned long flags;

		if (!irq)
			continue;
		raw_spin_lock_irqsave(&irq->irq_lock, flags);
		if (irq->enabled && !irq->hw) {
			irq->pending_latch = true;
			vgic_queue_irq_unlock(kvm, irq, flags);
		} else {
			raw_spin_unlock_irqrestore(&irq->irq_lock, flags);
		}
		vgic_put_irq(kvm, irq);
	}
}

/**
 * tv_vcpu_late - makes the interrupt pending that an exit has named as missed
 * @vcpu: the vCPU, after the exit
 *
 * Where it is not an MSI that the guest has mapped, all that it may be: a driver
 * finds that the others are about nothing. May sleep.
 */
void tv_vcpu_late(struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vcpu->kvm;
	struct tv_vcpu *tvcpu;

	if (!kvm_vm_is_svm(kvm))
		return;

	tvcpu = &kvm->arch.svm->vcpu[vcpu->vcpu_idx];
	if (likely(!tvcpu->late) || !irqchip_in_kernel(kvm))
		return;

	trace_tv_late(vcpu, tvcpu->late);
	if (!(tvcpu->late & TV_LATE_MSI) ||
	    !vgic_its_interrupt(kvm, tvcpu->late >> 32 & 0xffff, tvcpu->late))
		tv_interrupt_wired(kvm);
	tvcpu->late = 0;
	tvcpu->lates++;
}
