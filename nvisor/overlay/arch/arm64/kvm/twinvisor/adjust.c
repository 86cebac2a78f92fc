// SPDX-License-Identifier: GPL-2.0-only
/*
 * __kvm_adjust_pc() for a hosted kernel. Of the two that are KVM's, one knows that
 * there is VHE and reads the CPU's registers, the other one is out of reach at EL2.
 * This one asks has_vhe(), and finds all of a vCPU's state in memory.
 */
#define __KVM_VHE_HYPERVISOR__	/* not 1: is_vhe_hyp_code() is false */
#define __kvm_adjust_pc	tv_hosted___kvm_adjust_pc
#include "../hyp/exception.c"
