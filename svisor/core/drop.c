// SPDX-License-Identifier: BSD-3-Clause
/*
 * Pages that a guest has no use for: they go page by page, and chunk by chunk back to the N-visor.
 */
#include "ledger.h"
#include "vm.h"

static pa_t chunk_of(pa_t page)
{
	return PA(page.v & ~(TV_CHUNK_SIZE - 1UL));
}

/* The S-VM's chunk, if no page of it is given out; or NULL. */
static struct chunk *unused_chunk(const struct vm *vm, pa_t base)
{
	struct chunk *c = ledger_owned(vm_index(vm), base);

	for (size_t i = 0; c && i < CHUNK_PAGES; i++) {
		if (c->records[i])
			return NULL;
	}
	return c;
}

/*
 * Pages of the S-VM, of one chunk
 *   before: in no shadow S2PT any more, perhaps in TLBs; the guest's contents
 *   after:  in no TLB either, zero, given out no more
 *   why:    the guest may need the address again, and finds zeroes then; the page, or all of its
 *           chunk, may become another's
 */
static pa_t give_up(struct vm *vm, const pa_t *page, unsigned n)
{
	pa_t base = chunk_of(page[0]);

	tlb_flush_vm(vm_vmid(vm));
	for (unsigned i = 0; i < n; i++)
		ledger_unclaim(page[i]);
	return unused_chunk(vm, base) ? base : PA(0);
}

int vm_drop(struct vm *vm, const uint32_t *frame, unsigned n, pa_t *unused)
{
	pa_t page[DROP_MOST], at;
	unsigned pages = 0;

	assert_held(&vm->lock);
	for (unsigned i = 0; i < n && pages < DROP_MOST; i++) {
		ipa_t ipa = IPA((uint64_t)frame[i] << TV_PAGE_SHIFT);

		if (!vm_is_ram(vm, ipa.v) || !s2_lookup(&vm->s2, ipa, &at))
			continue;
		if (pages && chunk_of(at).v != chunk_of(page[0]).v)
			break;
		if (s2_split(&vm->s2, ipa) != TV_OK) {
			if (!pages)
				return TV_ENOHEAP;
			break;
		}
		s2_unmap(&vm->s2, ipa);
		page[pages++] = at;
	}
	*unused = pages ? give_up(vm, page, pages) : PA(0);
	return pages;
}

static int free_locked(struct vm *vm, pa_t chunk)
{
	struct chunk *c;

	if (vm->state == VM_DYING)
		return TV_ESTATE;
	c = unused_chunk(vm, chunk);
	if (!c)
		return TV_EDENIED;
	ledger_free(c);
	return TV_OK;
}

int vm_free_chunk(uint64_t handle, pa_t chunk)
{
	struct vm *vm = vm_lock(handle);
	int ret;

	if (!vm)
		return TV_ENOENT;
	ret = free_locked(vm, chunk);
	vm_unlock(vm);
	return ret;
}
