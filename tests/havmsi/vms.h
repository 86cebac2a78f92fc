/* SPDX-License-Identifier: BSD-3-Clause */
/* VMs of both kinds, as the host runs them: vms.c */
#ifndef HAVMSI_VMS_H
#define HAVMSI_VMS_H

#include "guest.h"
#include "host.h"

#define LEAF 0x7ff       /* a page: Normal, read, write, fetch */
#define BLOCK_LEAF 0x7fd /* a block */
#define LEAF_WRITE (1UL << 7)
#define LEAF_READ (1UL << 6)
#define LEAF_XN (2UL << 53)
#define TABLE 3
#define NPT_BITS 39
#define NPT_LEVEL 1

/* A normal S2PT of 39 bits: level1[1] is level2, whose first is level3, of pages from VM_RAM on.
 * By number: [0] the guests' code, [1] data, the others free. */
struct npt {
	uint64_t level1[512], level2[512], level3[512];
	uint64_t data[512];
} __attribute__((aligned(4096)));

extern const uint8_t guest_page[];
/* guest.S: what runs at VM_RAM + piece - guest_page */
extern const uint8_t guest_hvc[], guest_load[], guest_store[], guest_jump[], guest_wfi[],
	guest_context[], guest_debug[], guest_spin[], guest_follow[], guest_irq[], guest_who[],
	guest_zero[], guest_gprs[], guest_vectors[], guest_state[], guest_fill[], guest_count[];
#define IPA_OF(piece) (VM_RAM + (uint64_t)((piece) - guest_page))
#define IPA_PAGE(n) (VM_RAM + (n) * PAGE)

/* Each CPU's page for struct tv_run and its neighbours */
extern union shared {
	struct tv_run run;
	uint64_t words[PAGE / 8];
} shared[CPUS];
struct tv_run *run_page(void);
struct tv_gic *gic_page(void);
struct tv_state *state_page(void);
struct tv_fp *fp_page(void);
/* On each CPU; the argument is nobody's. */
uint64_t share_page(uint64_t arg);

void npt_make(struct npt *npt);
/* The page asked for by number n from now on */
void npt_put(struct npt *npt, uint64_t n, uint64_t leaf);
void barrier(void);

/* TV_NVM_* */
uint64_t nvm_create(const struct npt *npt);
/* In this CPU's page: the state of a CPU that never ran, at that piece, with these in x0 and x1. */
void fresh(const uint8_t *piece, uint64_t x0, uint64_t x1);
uint64_t nvm_run(uint64_t handle, uint64_t mpidr);
/* The same, then the run, which gives TV_OK. */
void nvm_do(uint64_t handle, const uint8_t *piece, uint64_t x0, uint64_t x1);
uint64_t nvm_forget(uint64_t handle, uint64_t ipa, uint64_t size);
/* Is the exit that, of this CPU or another's? */
bool is_sync(const struct tv_run *page, uint64_t ec);
bool is_hvc(const struct tv_run *page, uint64_t imm);
bool is_fault(const struct tv_run *page, uint64_t ec, uint64_t fsc, uint64_t ipa);

/* A random number */
uint64_t any(void);
#endif
