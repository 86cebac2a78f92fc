/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel that TwinVisor's S-visor hosts: at EL1, on cores without Secure EL2,
 * where the S-visor has EL2 to itself and runs KVM's VMs.
 */
#ifndef __ASM_TV_HOSTED_H
#define __ASM_TV_HOSTED_H

#include <linux/jump_label.h>
#include <linux/types.h>

/* KVM's code at EL2 is never hosted: it takes the place of the S-visor. */
#if defined(CONFIG_KVM_TWINVISOR) && !defined(__KVM_NVHE_HYPERVISOR__)

DECLARE_STATIC_KEY_FALSE(tv_hosted_key);

void tv_hosted_init(void);

/* Known once PSCI is */
static __always_inline bool tv_hosted(void)
{
	return static_branch_unlikely(&tv_hosted_key);
}

/* What kvm_call_hyp() calls in place of KVM's code at EL2 */
#define tv_hosted_fn(f)	tv_hosted_##f

struct kvm_s2_mmu;
struct kvm_vcpu;
struct vgic_v3_cpu_if;

int tv_hosted___kvm_vcpu_run(struct kvm_vcpu *vcpu);
void tv_hosted___kvm_adjust_pc(struct kvm_vcpu *vcpu);
void tv_hosted___kvm_tlb_flush_vmid(struct kvm_s2_mmu *mmu);
void tv_hosted___kvm_tlb_flush_vmid_ipa(struct kvm_s2_mmu *mmu, phys_addr_t ipa,
					int level);
void tv_hosted___kvm_tlb_flush_vmid_range(struct kvm_s2_mmu *mmu,
					  phys_addr_t start, unsigned long pages);
u64 tv_hosted___vgic_v3_get_gic_config(void);

/* With whichever CPU, the S-visor's table is the same */
#define tv_hosted___kvm_tlb_flush_vmid_ipa_nsh	tv_hosted___kvm_tlb_flush_vmid_ipa

/* VMIDs, and registers of EL2, are the S-visor's; the latter go with each run. */
static inline void tv_hosted___kvm_flush_vm_context(void) { }
static inline void tv_hosted___kvm_flush_cpu_context(struct kvm_s2_mmu *mmu) { }
static inline void tv_hosted___kvm_timer_set_cntvoff(u64 cntvoff) { }
static inline void tv_hosted___vgic_v3_init_lrs(void) { }
static inline void tv_hosted___vgic_v3_save_vmcr_aprs(struct vgic_v3_cpu_if *cpu_if) { }
static inline void tv_hosted___vgic_v3_restore_vmcr_aprs(struct vgic_v3_cpu_if *cpu_if) { }
static inline u64 tv_hosted___kvm_get_mdcr_el2(void) { return 0; }

#else

static inline void tv_hosted_init(void) { }
static __always_inline bool tv_hosted(void) { return false; }

#define tv_hosted_fn(f)	f

#endif /* CONFIG_KVM_TWINVISOR && !__KVM_NVHE_HYPERVISOR__ */
#endif /* __ASM_TV_HOSTED_H */
