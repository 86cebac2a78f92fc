/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: what the N-visor has a part in, told as the S-visor shows it. An S-VM
 * is named by its VMM's process.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM twinvisor

#if !defined(_TRACE_TWINVISOR_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_TWINVISOR_H

#include <linux/tracepoint.h>

#include <asm/kvm_emulate.h>

#include "twinvisor.h"

#define tv_exit_names				\
	{ TV_EXIT_IRQ,		"IRQ" },	\
	{ TV_EXIT_WFX,		"WFX" },	\
	{ TV_EXIT_FAULT,	"FAULT" },	\
	{ TV_EXIT_MMIO,		"MMIO" },	\
	{ TV_EXIT_CALL,		"CALL" },	\
	{ TV_EXIT_SYSREG,	"SYSREG" },	\
	{ TV_EXIT_SERROR,	"SERROR" },	\
	{ TV_EXIT_OFF,		"OFF" },	\
	{ TV_EXIT_BOUNCE,	"BOUNCE" },	\
	{ TV_EXIT_UNUSED,	"UNUSED" },	\
	{ TV_NO_EXIT,		"REFUSED" }

#define TV_NO_EXIT	0xff	/* the S-visor did not let the vCPU in: its code says why */

TRACE_EVENT(tv_enter,
	TP_PROTO(struct kvm_vcpu *vcpu),
	TP_ARGS(vcpu),

	TP_STRUCT__entry(
		__field(pid_t,	vmm)
		__field(int,	vcpu)
	),

	TP_fast_assign(
		__entry->vmm = vcpu->kvm->arch.svm->pid;
		__entry->vcpu = vcpu->vcpu_idx;
	),

	TP_printk("vmm=%d vcpu=%d", __entry->vmm, __entry->vcpu)
);

TRACE_EVENT(tv_exit,
	TP_PROTO(struct kvm_vcpu *vcpu, const struct tv_vcpu *tvcpu),
	TP_ARGS(vcpu, tvcpu),

	TP_STRUCT__entry(
		__field(pid_t,	vmm)
		__field(int,	vcpu)
		__field(int,	code)
		__field(u32,	exit)
		__field(u64,	esr)
		__field(u64,	ipa)
	),

	TP_fast_assign(
		__entry->vmm = vcpu->kvm->arch.svm->pid;
		__entry->vcpu = vcpu->vcpu_idx;
		__entry->code = tvcpu->code;
		__entry->exit = tvcpu->code ? TV_NO_EXIT : tvcpu->exit;
		__entry->esr = tvcpu->code ? 0 : vcpu->arch.fault.esr_el2;
		__entry->ipa = kvm_vcpu_get_fault_ipa(vcpu);
		if (!tvcpu->code)
			__entry->ipa |= vcpu->arch.fault.far_el2 & ~PAGE_MASK;
	),

	TP_printk("vmm=%d vcpu=%d code=%d %s esr=%#llx ipa=%#llx", __entry->vmm,
		  __entry->vcpu, __entry->code,
		  __print_symbolic(__entry->exit, tv_exit_names), __entry->esr,
		  __entry->ipa)
);

/* What happens to chunks of Split CMA; values are only those of the trace. */
#define TV_CHUNK_CLAIMED	0	/* free -> an S-VM's, or the S-visor's */
#define TV_CHUNK_RELEASED	1	/* an S-VM's -> free, or lost */
#define TV_CHUNK_MOVED		2	/* an S-VM's pages -> another chunk, `to` */
#define TV_CHUNK_GIVEN_BACK	3	/* free -> the host's */

#define tv_chunk_names					\
	{ TV_CHUNK_CLAIMED,	"claim" },		\
	{ TV_CHUNK_RELEASED,	"release" },		\
	{ TV_CHUNK_MOVED,	"move" },		\
	{ TV_CHUNK_GIVEN_BACK,	"give back" }

TRACE_EVENT(tv_chunk,
	TP_PROTO(int what, pid_t vmm, phys_addr_t chunk, phys_addr_t to),
	TP_ARGS(what, vmm, chunk, to),

	TP_STRUCT__entry(
		__field(int,		what)
		__field(pid_t,		vmm)
		__field(u64,		chunk)
		__field(u64,		to)
	),

	TP_fast_assign(
		__entry->what = what;
		__entry->vmm = vmm;
		__entry->chunk = chunk;
		__entry->to = to;
	),

	/* vmm: 0 for the S-visor's own */
	TP_printk("%s vmm=%d chunk=%#llx to=%#llx",
		  __print_symbolic(__entry->what, tv_chunk_names), __entry->vmm,
		  __entry->chunk, __entry->to)
);

TRACE_EVENT(tv_bounce,
	TP_PROTO(struct tv_svm *svm, u64 bytes),
	TP_ARGS(svm, bytes),

	TP_STRUCT__entry(
		__field(pid_t,	vmm)
		__field(u64,	bytes)
		__field(u64,	pages)
	),

	TP_fast_assign(
		__entry->vmm = svm->pid;
		__entry->bytes = bytes;
		__entry->pages = svm->bounce_pages;
	),

	TP_printk("vmm=%d wanted=%llu pages=%llu", __entry->vmm, __entry->bytes,
		  __entry->pages)
);

TRACE_EVENT(tv_late,
	TP_PROTO(struct kvm_vcpu *vcpu, u64 late),
	TP_ARGS(vcpu, late),

	TP_STRUCT__entry(
		__field(pid_t,	vmm)
		__field(int,	vcpu)
		__field(bool,	msi)
		__field(u32,	device)
		__field(u32,	event)
	),

	TP_fast_assign(
		__entry->vmm = vcpu->kvm->arch.svm->pid;
		__entry->vcpu = vcpu->vcpu_idx;
		__entry->msi = late & TV_LATE_MSI;
		__entry->device = __entry->msi ? late >> 32 & 0xffff : 0;
		__entry->event = __entry->msi ? (u32)late : 0;
	),

	TP_printk("vmm=%d vcpu=%d %s device=%#x event=%u", __entry->vmm, __entry->vcpu,
		  __entry->msi ? "MSI" : "wired", __entry->device, __entry->event)
);

#endif /* _TRACE_TWINVISOR_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH twinvisor
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace

#include <trace/define_trace.h>
