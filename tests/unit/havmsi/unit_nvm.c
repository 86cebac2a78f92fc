// SPDX-License-Identifier: BSD-3-Clause
#include "unit_nvm.h"
#include "host.h"

struct nvm nvm_new(void)
{
	struct nvm n = {.npt = npt_new()};
	struct tv_args a = call(TV_NVM_CREATE, n.npt.root, NPT_BITS, NPT_LEVEL, 0);

	check_eq(a.x[0], TV_OK);
	n.handle = a.x[1];
	return n;
}

static void *in_page(unsigned offset)
{
	return (uint8_t *)shared() + offset;
}

struct tv_state *state(void)
{
	return in_page(TV_RUN_STATE);
}

struct tv_gic *gic(void)
{
	return in_page(TV_RUN_GIC);
}

struct tv_fp *fp(void)
{
	return in_page(TV_RUN_FP);
}

int64_t nvm_run_new(struct nvm *n)
{
	memset(shared(), 0, TV_PAGE_SIZE);
	state()->pstate = PSTATE_EL1H;
	return smc(TV_NVM_RUN, n->handle, 0, 0, 0);
}

bool comes_out(struct nvm *n, struct step touch)
{
	GUEST(touch);
	check_eq(nvm_run_new(n), TV_OK);
	check(shared()->exit == TV_EXIT_SYNC || shared()->exit == TV_EXIT_IRQ);
	check_eq(guest_runs, shared()->exit == TV_EXIT_SYNC ? 1 : 2);
	return shared()->exit == TV_EXIT_SYNC;
}

bool reads(struct nvm *n, uint64_t ipa)
{
	return !comes_out(n, (struct step)READ(ipa));
}

int64_t forget(struct nvm *n, uint64_t ipa, uint64_t size)
{
	return smc(TV_NVM_FORGET, n->handle, ipa, size, 0);
}

int64_t destroy(struct nvm *n)
{
	return smc(TV_NVM_DESTROY, n->handle, 0, 0, 0);
}

uint64_t leaf_in(uint64_t root, uint64_t ipa, uint64_t *size)
{
	uint64_t table = root;

	for (int shift = 39;; shift -= 9) {
		uint64_t desc = *(uint64_t *)host_mem(table + (ipa >> shift & 511) * 8);

		*size = 1UL << shift;
		if (!(desc & 1))
			return 0;
		if (shift == 12 || !(desc & 2))
			return desc;
		table = desc & 0xfffffffff000;
	}
}

uint64_t nvm_leaf(uint64_t ipa, uint64_t *size)
{
	return leaf_in(host_run.s2_root, ipa, size);
}

uint64_t host_leaf(uint64_t ipa, uint64_t *size)
{
	return leaf_in(host_stage2() & 0xffffffffffff, ipa, size);
}

int64_t take_elsewhere(uint64_t chunk)
{
	unsigned cpu = cpu_index();
	int64_t ret;

	host_cpu(1);
	ret = smc(TV_CHUNK_TAKE, TV_SVISOR, chunk, 0, 0);
	host_cpu(cpu);
	return ret;
}
