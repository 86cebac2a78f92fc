/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The thin layer below core/: what only the machine can do. Two twins provide it:
 * arch/aarch64 for Secure EL2, arch/host for tests on the build machine (RAM is an
 * array, the guest a scripted function, faults can be injected). Core code uses no
 * assembly and no MMIO of its own.
 *
 * None of these functions takes a lock; "any context" means any CPU, IRQs masked
 * as they always are in the S-visor.
 */
#ifndef ARCH_H
#define ARCH_H

#include "regs.h"
#include "../core/addr.h"

/* ---- CPUs ---------------------------------------------------------------- */

/* Linear index of the calling CPU, 0 to TV_MAX_CPUS - 1. Any context. */
unsigned cpu_index(void);

/* A hint inside a loop that waits for another CPU. Any context. */
void cpu_relax(void);

/* CNTPCT_EL0, ordered after all earlier instructions. Any context. */
uint64_t counter_now(void);

/* Ticks of counter_now() in a second. Any context. */
uint64_t counter_hz(void);

/* 64 random bits from the CPU (RNDR, DDI 0487 K.a D24.2.119) into *out. False if the CPU
 * has no generator or it has no entropy now. Any context. */
bool random64(uint64_t *out);

/* Bits of a guest physical address the shadow S2PT translates: min(48, PARange). */
unsigned guest_address_bits(void);

/* The ID register 3, 0, C0, C<crm>, <op2> of the calling CPU; crm: 1 to 7, op2: 0 to 7. Any
 * context. */
uint64_t id_register(unsigned crm, unsigned op2);

/* The longest SVE vector, in units of 16 bytes, of the calling CPU when it is held to `most`
 * (1 to 16); 0: it has no SVE. Any context. */
unsigned sve_length(unsigned most);

/* Prints the message and parks the CPU for ever. For broken invariants of our own
 * only, never for what a caller did. */
_Noreturn void panic(const char *why);

/* In between, the caller may use vector registers: where the N-visor does without (abi.h), or while
 * a vCPU is run. They are zero after. */
void vectors_begin(void);
void vectors_end(void);

/* ---- memory -------------------------------------------------------------- */

/* The S-visor's view of Secure memory: its own image and heap, and pages of chunks
 * between chunk_map and chunk_unmap. `a` must be such an address. */
void *secure_ptr(pa_t a);
/* The inverse, for heap memory. */
pa_t secure_pa(const void *p);
/* The first page behind the image and the stacks; from here to the end of the manifest's
 * range the S-visor's memory is free. */
pa_t image_end(void);

/* Ordinary memory, always through the NS = 1 alias. `a` may be any address in DRAM
 * (the callers check that); if the machine aborts the access, because the memory is
 * Secure or absent, the result is false and *out / the destination is undefined.
 * The 64-bit read is single-copy atomic and made exactly once. */
bool ns_read64(pa_t a, uint64_t *out);
bool ns_read(void *to, pa_t from, size_t bytes);
bool ns_write(pa_t to, const void *from, size_t bytes);
/* The same, faster for many bytes, by vector registers: only while a vCPU is run, when they are
 * nobody's, or after vectors_begin. They are zero after. */
bool ns_read_many(void *to, pa_t from, size_t bytes);
bool ns_write_many(pa_t to, const void *from, size_t bytes);

/* Ordinary memory that stays so (ledger_keep), in the same alias: accesses to the page do not fail.
 */
void *ns_kept_ptr(pa_t page);

/* Cleans and invalidates [base, base + size) of the Non-secure alias to the point of
 * coherency, so that no dirty line can be written back after the change of world. */
void ns_flush(pa_t base, size_t size);
/* Maps and unmaps the Secure alias of one chunk. unmap first cleans and invalidates
 * it to the point of coherency; afterwards no CPU holds a translation. */
void chunk_map(pa_t chunk);
void chunk_unmap(pa_t chunk);

/* Secure pages, adjoining ones and between chunk_map and chunk_unmap, become zero; or a copy of
 * others, that may hold code. Guests see it at once. */
void pages_zero(pa_t page, size_t pages);
void pages_copy(pa_t to, pa_t from, size_t pages);
/* A Secure page was written by the S-visor through secure_ptr and is about to be
 * mapped into an S-VM, perhaps as code: clean to PoC, invalidate I-caches. */
void page_publish(pa_t page);

/* ---- stage 2 ------------------------------------------------------------- */

/* MemAttr[3:0] at bits 5:2 of a leaf: Normal write-back, whatever the guest says if the CPU can do
 * that (DDI 0487 D8.6.6, FWB = 1). */
uint64_t s2_normal(void);

/* Writes one descriptor with release order, so that the walker never sees it before
 * what it points to. Any needed TLB maintenance is the caller's. */
void s2_write(uint64_t *entry, uint64_t value);
/* All CPUs: no translation of `ipa` (page) of this VMID is used any more. */
void tlb_flush_ipa(uint16_t vmid, ipa_t ipa);
/* All CPUs: nothing of this VMID is used any more, stage 1 and 2 and combined. */
void tlb_flush_vm(uint16_t vmid);
/* This CPU: stage-1 and combined translations and I-cache of this VMID, because
 * another vCPU of the same S-VM ran here last. */
void tlb_flush_local(uint16_t vmid);

/* ---- guest --------------------------------------------------------------- */

struct guest_exit {
	enum { GUEST_SYNC, GUEST_IRQ, GUEST_SERROR } kind; /* GUEST_IRQ: also FIQ */
	uint64_t esr, far, hpfar; /* as the hardware has them; hpfar with NS masked */
};

/* Sets a fresh vCPU's registers to the architectural start: EL1h, DAIF masked, MMU
 * off, all else 0. `mpidr`: affinity fields (VMPIDR_EL2 gets RES1 bits added). `features`:
 * TV_FEATURE_*, such as this machine has. */
void guest_reset(struct guest_regs *regs, uint64_t mpidr, uint64_t features);

/* Around the running of a guest on this CPU, and around ns_read_many and ns_write_many. What the
 * N-visor has in registers that govern guests is checked and set as they need it, or put aside;
 * and given back. */
void guest_begin(void);
void guest_end(void);

/*
 * Runs the guest on this CPU till the next exception to S-EL2. Sets every EL2 and EL1
 * register that matters from `regs` and the arguments alone (nothing is trusted that
 * the N-visor loaded, except what docs/registers.md lists), loads FP/SIMD/SVE, enters;
 * on the way back saves all of it into `regs` and clears it from the CPU.
 * `s2_root`: shadow S2PT; `vmid`: not 0; `cntvoff`: CNTVOFF_EL2; `vserror`: make a
 * virtual SError pending (cleared in *vserror once taken).
 */
void guest_run(struct guest_regs *regs, pa_t s2_root, uint16_t vmid, uint64_t cntvoff,
	       bool *vserror, struct guest_exit *out);

/* The virtual GIC, which is the N-visor's: in its CPU's registers, or in its shared page, from
 * which it is taken once. False: a virtual interrupt is tied to a physical one (ICH_LR<n>_EL2.HW)
 * that is no EL1 timer's, and no guest may run with that. After guest_end, what the guest has left
 * is given back. */
bool guest_gic_take(volatile const struct tv_run *page);
void guest_gic_give(volatile struct tv_run *page);

/* Guest exception entry: makes `regs` take a synchronous exception to EL1 with this
 * syndrome and fault address, as AArch64.TakeException does (DDI 0487 J1.1.2):
 * ELR_EL1, SPSR_EL1, ESR_EL1, FAR_EL1 (unless `far_valid` is false), PC, PSTATE. */
void guest_inject(struct guest_regs *regs, uint64_t esr, uint64_t far, bool far_valid);

#endif
