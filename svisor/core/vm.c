// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "cpuid.h"
#include "ledger.h"
#include "log.h"
#include "pvtime.h"
#include "vcpu.h"
#include "vm.h"

#define INDEX_BITS 8

struct vm vms[TV_MAX_VMS];

struct vm *vm_lock(uint64_t handle)
{
	uint64_t index = handle & ((1 << INDEX_BITS) - 1);
	struct vm *vm;

	if (index >= TV_MAX_VMS)
		return NULL;
	vm = &vms[index];
	spin_lock(&vm->lock);
	if (vm->state != VM_NONE && vm->generation == handle >> INDEX_BITS)
		return vm;
	spin_unlock(&vm->lock);
	return NULL;
}

void vm_unlock(struct vm *vm)
{
	spin_unlock(&vm->lock);
}

struct vm *vm_lock_state(uint64_t handle, enum vm_state state, int *ret)
{
	struct vm *vm = vm_lock(handle);

	*ret = TV_ENOENT;
	if (!vm || vm->state == state)
		return vm;
	vm_unlock(vm);
	*ret = TV_ESTATE;
	return NULL;
}

bool vm_all_ram(const struct vm *vm, uint64_t ipa, uint64_t size)
{
	for (unsigned i = 0; i < vm->rams; i++) {
		if (range_ok(ipa - vm->ram[i].base, size, vm->ram[i].size))
			return true;
	}
	return false;
}

bool vm_is_ram(const struct vm *vm, uint64_t ipa)
{
	return vm_all_ram(vm, ipa, 1);
}

void vm_read(struct vm *vm, ipa_t ipa, void *to, size_t size)
{
	uint8_t *out = to;

	assert_held(&vm->lock);
	memset(out, 0, size);
	while (size) {
		uint64_t offset = ipa.v & (TV_PAGE_SIZE - 1);
		size_t n = size < TV_PAGE_SIZE - offset ? size : TV_PAGE_SIZE - offset;
		pa_t page;

		if (vm_is_ram(vm, ipa.v) && s2_lookup(&vm->s2, IPA(ipa.v - offset), &page))
			memcpy(out, (const uint8_t *)secure_ptr(page) + offset, n);
		ipa.v += n;
		out += n;
		size -= n;
	}
}

int vm_claim_page(struct vm *vm, ipa_t ipa, pa_t page)
{
	int ret;

	assert_held(&vm->lock);
	ret = s2_prepare(&vm->s2, ipa);
	return ret == TV_OK ? ledger_claim(vm_index(vm), page, ipa, 1) : ret;
}

/* DYING -> NONE. Everything but lock and generation becomes as it was at boot. */
static void make_fresh(struct vm *vm)
{
	size_t from = offsetof(struct vm, npt);

	assert_held(&vm->lock);
	memset((uint8_t *)vm + from, 0, sizeof(*vm) - from);
	vm->running = 0;
	vm->state = VM_NONE;
}

static int create_locked(struct vm *vm, const struct npt *npt, uint64_t features)
{
	if (vm->state != VM_NONE)
		return TV_EBUSY;
	if (s2_init(&vm->s2, vm_vmid(vm)) != TV_OK)
		return TV_ENOHEAP;
	vm->npt = *npt;
	vm->features = features;
	vm->generation++;
	vm->state = VM_NEW;
	return TV_OK;
}

int vm_create(const struct npt *npt, uint64_t features, uint64_t *handle)
{
	int ret = cpuid_allows(features) ? npt_check(npt) : TV_EINVAL;

	if (ret != TV_OK)
		return ret;
	for (struct vm *vm = vms; vm < vms + TV_MAX_VMS; vm++) {
		spin_lock(&vm->lock);
		ret = create_locked(vm, npt, features);
		*handle = vm->generation << INDEX_BITS | vm_index(vm);
		spin_unlock(&vm->lock);
		if (ret != TV_EBUSY)
			return ret;
	}
	return TV_ENOMEM;
}

static int ram_locked(struct vm *vm, uint64_t base, uint64_t size)
{
	assert_held(&vm->lock);
	if (!page_aligned(base | size) || !range_ok(base, size, 1ULL << vm->npt.bits))
		return TV_EINVAL;
	for (unsigned i = 0; i < vm->rams; i++) {
		if (ranges_overlap(base, size, vm->ram[i].base, vm->ram[i].size))
			return TV_EINVAL;
	}
	if (vm->loading)
		return TV_ESTATE;
	if (vm->rams == TV_MAX_RAM)
		return TV_ENOMEM;
	vm->ram[vm->rams++] = (struct range){base, size};
	return TV_OK;
}

int vm_ram(uint64_t handle, uint64_t base, uint64_t size)
{
	int ret;
	struct vm *vm = vm_lock_state(handle, VM_NEW, &ret);

	if (!vm)
		return ret;
	ret = ram_locked(vm, base, size);
	vm_unlock(vm);
	return ret;
}

static int reserve_chunk(uint64_t handle, pa_t chunk)
{
	struct vm *vm;
	int ret = TV_ESTATE;

	if (handle == TV_SVISOR)
		return ledger_reserve(NOBODY, chunk);
	vm = vm_lock(handle);
	if (!vm)
		return TV_ENOENT;
	if (vm->state == VM_NEW || vm->state == VM_LIVE)
		ret = ledger_reserve(vm_index(vm), chunk);
	vm_unlock(vm);
	return ret;
}

/* What takes long is done without the S-VM's lock; it cannot end meanwhile. */
int vm_take_chunk(uint64_t handle, pa_t chunk)
{
	int ret = reserve_chunk(handle, chunk);

	if (ret != TV_AGAIN)
		return ret;
	ledger_secure(chunk);
	return TV_OK;
}

/*
 * NEW, LIVE, STOPPED -> DYING
 *   before: vCPUs and tables are there; no vCPU runs
 *   after:  neither is; the TLBs have forgotten the VMID; chunks are still the S-VM's
 *   why:    nothing can reach the chunks while they are zeroed
 */
static void start_dying(struct vm *vm)
{
	assert_held(&vm->lock);
	vm->state = VM_DYING;
	tlb_flush_vm(vm_vmid(vm));
	io_free(vm); /* finds what it has shown in the table */
	s2_free(&vm->s2);
	pvtime_free(vm);
	for (unsigned i = 0; i < vm->vcpus; i++)
		vcpu_free(vm->vcpu[i]);
	mbedtls_platform_zeroize(&vm->hash, sizeof(vm->hash));
}

static int destroy_locked(struct vm *vm)
{
	if (vm->running)
		return TV_EBUSY;
	if (vm->state != VM_DYING)
		start_dying(vm);
	if (ledger_free_chunk(vm_index(vm)))
		return TV_AGAIN;
	make_fresh(vm);
	return TV_OK;
}

int vm_destroy(uint64_t handle)
{
	struct vm *vm = vm_lock(handle);
	int ret;

	if (!vm)
		return TV_ENOENT;
	ret = destroy_locked(vm);
	vm_unlock(vm);
	if (ret == TV_OK)
		log_line("S-VM %u: destroyed", vm_index(vm));
	return ret;
}

/*
 * NEW, LIVE -> STOPPED
 *   before: vCPUs may run, on CPUs that take no interrupt if the N-visor wants it so
 *   after:  nothing is mapped: they fault at their next access, at the latest fetch, and leave
 */
static void stop_locked(struct vm *vm)
{
	assert_held(&vm->lock);
	if (!vm->s2.root) /* NONE, DYING */
		return;
	vm->state = VM_STOPPED;
	s2_empty(&vm->s2);
	tlb_flush_vm(vm_vmid(vm));
}

void vm_stop_all(void)
{
	for (struct vm *vm = vms; vm < vms + TV_MAX_VMS; vm++) {
		spin_lock(&vm->lock);
		stop_locked(vm);
		spin_unlock(&vm->lock);
	}
}

int vm_answered(uint64_t handle, uint64_t *exits)
{
	struct vm *vm = vm_lock(handle);

	if (!vm)
		return TV_ENOENT;
	*exits = atomic_load(&vm->answered);
	vm_unlock(vm);
	return TV_OK;
}

uint64_t vm_live_count(void)
{
	uint64_t n = 0;

	for (const struct vm *vm = vms; vm < vms + TV_MAX_VMS; vm++)
		n += vm->state != VM_NONE;
	return n;
}
