/* SPDX-License-Identifier: BSD-3-Clause */
#include "vms.h"

#define PSTATE_EL1H 0x3c5
#define SCTLR_RESET 0x30d00800
#define CPACR_FPEN (3 << 20)

union shared shared[CPUS] __attribute__((aligned(4096)));

static void *at(uint64_t offset)
{
	return (uint8_t *)&shared[this_cpu()] + offset;
}

struct tv_run *run_page(void)
{
	return at(0);
}

struct tv_gic *gic_page(void)
{
	return at(TV_RUN_GIC);
}

struct tv_state *state_page(void)
{
	return at(TV_RUN_STATE);
}

struct tv_fp *fp_page(void)
{
	return at(TV_RUN_FP);
}

uint64_t share_page(uint64_t arg)
{
	(void)arg;
	interrupts_on();
	return call(TV_CPU_SHARE, (uint64_t)at(0), 0, 0, 0, 0);
}

void barrier(void)
{
	__asm__ volatile("dsb sy" ::: "memory");
}

void npt_make(struct npt *npt)
{
	for (uint64_t i = 0; i < 512; i++)
		npt->level1[i] = npt->level2[i] = npt->level3[i] = npt->data[i] = 0;
	npt->level1[VM_RAM / GIB] = (uint64_t)npt->level2 | TABLE;
	npt->level2[0] = (uint64_t)npt->level3 | TABLE;
	npt->level3[0] = (uint64_t)guest_page | LEAF;
	npt->level3[1] = (uint64_t)npt->data | LEAF;
	barrier();
}

void npt_put(struct npt *npt, uint64_t n, uint64_t leaf)
{
	npt->level3[n] = leaf;
	barrier();
}

uint64_t nvm_create(const struct npt *npt)
{
	uint64_t handle = 0;

	must(call(TV_NVM_CREATE, (uint64_t)npt->level1, NPT_BITS, NPT_LEVEL, 0, &handle),
	     "TV_NVM_CREATE");
	return handle;
}

void fresh(const uint8_t *piece, uint64_t x0, uint64_t x1)
{
	uint64_t *words = at(0);

	for (uint64_t i = 0; i < PAGE / 8; i++)
		words[i] = 0;
	run_page()->pc = IPA_OF(piece);
	run_page()->gpr[0] = x0;
	run_page()->gpr[1] = x1;
	state_page()->pstate = PSTATE_EL1H;
	state_page()->sctlr = SCTLR_RESET;
	state_page()->cpacr = CPACR_FPEN;
}

uint64_t nvm_run(uint64_t handle, uint64_t mpidr)
{
	barrier();
	return call(TV_NVM_RUN, handle, mpidr, 0, 0, 0);
}

void nvm_do(uint64_t handle, const uint8_t *piece, uint64_t x0, uint64_t x1)
{
	fresh(piece, x0, x1);
	must(nvm_run(handle, 0), "TV_NVM_RUN");
}

uint64_t nvm_forget(uint64_t handle, uint64_t ipa, uint64_t size)
{
	return call(TV_NVM_FORGET, handle, ipa, size, 0, 0);
}

bool is_sync(const struct tv_run *page, uint64_t ec)
{
	return page->exit == TV_EXIT_SYNC && EC(page->esr) == ec;
}

bool is_hvc(const struct tv_run *page, uint64_t imm)
{
	return is_sync(page, EC_HVC) && (page->esr & 0xffff) == imm;
}

bool is_fault(const struct tv_run *page, uint64_t ec, uint64_t fsc, uint64_t ipa)
{
	return is_sync(page, ec) && (FSC(page->esr) & 0x3c) == fsc && page->hpfar == ipa >> 12 << 4;
}

uint64_t any(void)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}
