/* SPDX-License-Identifier: GPL-2.0-only */
/* What KVM asks of TwinVisor (arch/arm64/kvm/twinvisor). */
#ifndef __ASM_KVM_TWINVISOR_H
#define __ASM_KVM_TWINVISOR_H

#include <linux/kvm_host.h>

#ifdef CONFIG_KVM_TWINVISOR

int tv_init_vm(struct kvm *kvm);
void tv_destroy_vm(struct kvm *kvm);
int tv_launch(struct kvm_vcpu *vcpu);
int tv_reset(struct kvm_vcpu *vcpu);
bool tv_launched(struct kvm *kvm);
bool tv_hides_cap(struct kvm *kvm, long cap);
int tv_prepare_memslot(struct kvm *kvm, const struct kvm_memory_slot *old,
		       const struct kvm_memory_slot *new);
int tv_handle_fault(struct kvm_vcpu *vcpu, phys_addr_t ipa,
		    struct kvm_memory_slot *slot);
void tv_vcpu_enter(struct kvm_vcpu *vcpu);
int tv_vcpu_run(struct kvm_vcpu *vcpu);
void tv_vcpu_exit(struct kvm_vcpu *vcpu);
void tv_vcpu_put(struct kvm_vcpu *vcpu);
void tv_vcpu_late(struct kvm_vcpu *vcpu);
int tv_handle_exit(struct kvm_vcpu *vcpu);
void tv_nvm_destroy(struct kvm *kvm);
void tv_pool_reserve(void);

#else

static inline int tv_init_vm(struct kvm *kvm) { return 0; }
static inline void tv_destroy_vm(struct kvm *kvm) { }
static inline int tv_launch(struct kvm_vcpu *vcpu) { return 0; }
static inline int tv_reset(struct kvm_vcpu *vcpu) { return 0; }
static inline bool tv_launched(struct kvm *kvm) { return false; }
static inline bool tv_hides_cap(struct kvm *kvm, long cap) { return false; }
static inline int tv_prepare_memslot(struct kvm *kvm,
				     const struct kvm_memory_slot *old,
				     const struct kvm_memory_slot *new) { return 0; }
static inline int tv_handle_fault(struct kvm_vcpu *vcpu, phys_addr_t ipa,
				  struct kvm_memory_slot *slot) { return -EINVAL; }
static inline void tv_vcpu_enter(struct kvm_vcpu *vcpu) { }
static inline int tv_vcpu_run(struct kvm_vcpu *vcpu) { return 0; }
static inline void tv_vcpu_exit(struct kvm_vcpu *vcpu) { }
static inline void tv_vcpu_put(struct kvm_vcpu *vcpu) { }
static inline void tv_vcpu_late(struct kvm_vcpu *vcpu) { }
static inline int tv_handle_exit(struct kvm_vcpu *vcpu) { return -EINVAL; }
static inline void tv_nvm_destroy(struct kvm *kvm) { }
static inline void tv_pool_reserve(void) { }

#endif /* CONFIG_KVM_TWINVISOR */
#endif /* __ASM_KVM_TWINVISOR_H */
