// SPDX-License-Identifier: BSD-3-Clause
/* What the N-visor gives an S-VM for its I/O, and what it gets to know. */
#include "ledger.h"
#include "share.h"
#include "vm.h"

_Static_assert(TV_MAX_BOUNCE == BOUNCE_MOST, "as abi.h says");

static int bounce_locked(struct vm *vm, uint64_t base, uint64_t pages)
{
	if (base % BOUNCE_ALIGN || pages == 0 || pages > BOUNCE_MOST ||
	    !range_ok(base, pages * TV_PAGE_SIZE, 1ULL << vm->npt.bits) ||
	    base >> 32 != (base + pages * TV_PAGE_SIZE - 1) >> 32)
		return TV_EINVAL;
	if (vm->io.bounce.most)
		return TV_ESTATE;
	return bounce_init(&vm->io.bounce, base, pages);
}

int vm_bounce(uint64_t handle, uint64_t base, uint64_t pages)
{
	int ret;
	struct vm *vm = vm_lock_state(handle, VM_NEW, &ret);

	if (!vm)
		return ret;
	ret = bounce_locked(vm, base, pages);
	vm_unlock(vm);
	return ret;
}

static int add_locked(struct vm *vm, const uint64_t *page, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		if (!page_aligned(page[i]) || !ledger_ordinary(PA(page[i])))
			return TV_EINVAL;
	}
	if (count > vm->io.bounce.most - vm->io.bounce.pages)
		return TV_ENOMEM;
	for (uint64_t i = 0; i < count; i++)
		bounce_add(&vm->io.bounce, PA(page[i]));
	return TV_OK;
}

int vm_bounce_add(uint64_t handle, uint64_t count, uint64_t *pages)
{
	uint64_t page[TV_RUN_DATA_SIZE / sizeof(uint64_t)];
	struct vm *vm;
	int ret;

	if (count == 0 || count > sizeof(page) / sizeof(page[0]))
		return TV_EINVAL;
	if (!share_read_data(page, count * sizeof(page[0])))
		return TV_EFAULT;
	vm = vm_lock_state(handle, VM_LIVE, &ret);
	if (!vm)
		return ret;
	ret = add_locked(vm, page, count);
	*pages = vm->io.bounce.pages;
	vm_unlock(vm);
	return ret;
}

int vm_queue_stats(uint64_t handle, uint64_t n)
{
	struct vm *vm = vm_lock(handle);
	struct tv_queue stats;
	bool found;

	if (!vm)
		return TV_ENOENT;
	found = vm->state != VM_DYING && io_stats(vm, n, &stats);
	vm_unlock(vm);
	if (!found)
		return TV_ENOENT;
	return share_write_data(&stats, sizeof(stats)) ? TV_OK : TV_EFAULT;
}

int vm_show(uint64_t handle, ipa_t ipa, pa_t from)
{
	int ret;
	struct vm *vm = vm_lock_state(handle, VM_LIVE, &ret);

	if (!vm)
		return ret;
	ret = flash_show(vm, ipa, from);
	vm_unlock(vm);
	return ret;
}

int vm_bounce_trim(uint64_t handle, uint64_t *pages)
{
	int ret;
	struct vm *vm = vm_lock_state(handle, VM_LIVE, &ret);

	if (!vm)
		return ret;
	*pages = bounce_trim(&vm->io.bounce);
	vm_unlock(vm);
	return TV_OK;
}
