// SPDX-License-Identifier: BSD-3-Clause
#include "arch.h"
#include "devtree.h"
#include "heap.h"
#include "ledger.h"
#include "vm.h"

void flash_find(const struct devtree *dt, const struct dt_node *node)
{
	struct flash *f = &dt->vm->io.flash;
	struct range r;

	if (!dt_compatible(dt, node, "cfi-flash"))
		return;
	for (unsigned i = 0; i < FLASH_BANKS && dt_reg(dt, node, i, &r); i++) {
		if (range_ok(r.base, r.size, 1ULL << dt->vm->npt.bits))
			f->bank[i] = r;
	}
}

bool flash_is(const struct vm *vm, uint64_t ipa)
{
	bool in = false;

	for (unsigned i = 0; i < FLASH_BANKS; i++)
		in |= ipa - vm->io.flash.bank[i].base < vm->io.flash.bank[i].size;
	return in && !vm_is_ram(vm, ipa);
}

static void *copy_of(pa_t from)
{
	void *page = heap_alloc(1);

	if (page && !ns_read(page, from, TV_PAGE_SIZE)) {
		heap_free(page, 1);
		page = NULL;
	}
	return page;
}

static int show(struct vm *vm, ipa_t ipa, pa_t from)
{
	struct flash *f = &vm->io.flash;
	void *page;
	int ret;

	if (!f->shown)
		f->shown = heap_alloc(FLASH_SHOWN * sizeof(f->shown[0]) / TV_PAGE_SIZE);
	if (!f->shown)
		return TV_ENOHEAP;
	if (f->count == FLASH_SHOWN)
		flash_forget(vm);
	ret = s2_prepare(&vm->s2, ipa);
	if (ret != TV_OK) /* shown already, perhaps to another vCPU */
		return ret == TV_EDENIED ? TV_OK : ret;
	page = copy_of(from);
	if (!page)
		return heap_available() ? TV_EFAULT : TV_ENOHEAP;
	page_publish(secure_pa(page));
	s2_map_shown(&vm->s2, ipa, secure_pa(page));
	f->shown[f->count++] = ipa.v;
	return TV_OK;
}

int flash_show(struct vm *vm, ipa_t ipa, pa_t from)
{
	assert_held(&vm->lock);
	if (!page_aligned(ipa.v | from.v) || !flash_is(vm, ipa.v) || !ledger_ordinary(from))
		return TV_EINVAL;
	return show(vm, ipa, from);
}

bool flash_forget(struct vm *vm)
{
	struct flash *f = &vm->io.flash;
	unsigned count = f->count;
	pa_t page;

	assert_held(&vm->lock);
	for (unsigned i = 0; i < count; i++) {
		s2_lookup(&vm->s2, IPA(f->shown[i]), &page);
		s2_unmap(&vm->s2, IPA(f->shown[i]));
		f->shown[i] = page.v;
	}
	tlb_flush_vm(vm_vmid(vm));
	for (unsigned i = 0; i < count; i++)
		heap_free(secure_ptr(PA(f->shown[i])), 1);
	f->count = 0;
	return count;
}

/* The tables are there still, and no vCPU is. */
void flash_free(struct vm *vm)
{
	if (!vm->io.flash.shown)
		return;
	flash_forget(vm);
	heap_free(vm->io.flash.shown, FLASH_SHOWN * sizeof(uint64_t) / TV_PAGE_SIZE);
}

size_t flash_heap(const struct vm *vm)
{
	const struct flash *f = &vm->io.flash;

	return f->count + (f->shown ? FLASH_SHOWN * sizeof(uint64_t) / TV_PAGE_SIZE : 0);
}
