// SPDX-License-Identifier: BSD-3-Clause
/*
 * Stage-2 faults: what the normal S2PT asks for is judged, and goes into the shadow S2PT (I3).
 *   before: not mapped; the page is anyone's
 *   after:  the page is the S-VM's, zero or what it was at this IPA, and mapped there alone
 */
#include "ledger.h"
#include "vm.h"

/* Pages that are mapped along with the one that is needed, if they are asked for */
#define AROUND 15

static int map_page(struct vm *vm, ipa_t ipa, pa_t page)
{
	int ret = vm_claim_page(vm, ipa, page);

	if (ret == TV_OK)
		s2_map(&vm->s2, ipa, page);
	return ret;
}

static int map_block(struct vm *vm, ipa_t ipa, pa_t page)
{
	uint64_t offset = ipa.v & (BLOCK_SIZE - 1);
	ipa_t base = IPA(ipa.v - offset);
	pa_t block = PA(page.v - offset);
	int ret;

	if (!vm_all_ram(vm, base.v, BLOCK_SIZE))
		return TV_EDENIED;
	ret = s2_prepare_block(&vm->s2, base, block);
	if (ret == TV_OK)
		ret = ledger_claim(vm_index(vm), block, base, BLOCK_PAGES);
	if (ret == TV_OK)
		s2_map_block(&vm->s2, base, block);
	return ret;
}

/* What cannot be had as a block, since some of it is something else already, may be had as a
 * page. */
static int map_asked(struct vm *vm, ipa_t ipa)
{
	uint64_t size;
	pa_t page;
	int ret = npt_walk(&vm->npt, ipa, &page, &size);

	if (ret != TV_OK)
		return ret == TV_ENOENT ? TV_AGAIN : ret;
	ret = size >= BLOCK_SIZE ? map_block(vm, ipa, page) : TV_EDENIED;
	return ret == TV_EDENIED ? map_page(vm, ipa, page) : ret;
}

static bool wants(const struct vm *vm, ipa_t ipa)
{
	pa_t page;

	return (ipa.v & (BLOCK_SIZE - 1)) && vm_is_ram(vm, ipa.v) &&
	       !s2_lookup(&vm->s2, ipa, &page);
}

int fault_serve(struct vm *vm, ipa_t ipa)
{
	pa_t page;
	int ret;

	assert_held(&vm->lock);
	if (s2_lookup(&vm->s2, ipa, &page)) /* another vCPU's fault was served */
		return TV_OK;
	if (!vm_is_ram(vm, ipa.v)) /* flash, which only TV_VM_SHOW maps */
		return TV_AGAIN;
	ret = map_asked(vm, ipa);
	for (unsigned i = 1; ret == TV_OK && i <= AROUND; i++) {
		ipa_t next = IPA(ipa.v + i * TV_PAGE_SIZE);

		if (!wants(vm, next) || map_asked(vm, next) != TV_OK)
			break;
	}
	return ret;
}
