// SPDX-License-Identifier: BSD-3-Clause
/*
 * Launch and measurement (I6). The order of the records is in abi.h.
 */
#include <string.h>

#include "devtree.h"
#include "ledger.h"
#include "log.h"
#include "vcpu.h"
#include "vm.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records are hashed as they lie");

static void extend(struct vm *vm, const void *bytes, size_t size)
{
	/* Fails only in configurations with accelerators that can, which this is not. */
	if (mbedtls_sha256_update(&vm->hash, bytes, size))
		panic("SHA-256");
}

/* Hashes head, CPU and all RAM ranges, once; after that they are fixed. */
static void begin_loading(struct vm *vm)
{
	const uint64_t head[] = {TV_MEASURE_HEAD, TV_MEASURE_CPU, vm->features};

	assert_held(&vm->lock);
	if (vm->loading)
		return;
	vm->loading = true;
	mbedtls_sha256_init(&vm->hash);
	if (mbedtls_sha256_starts(&vm->hash, 0))
		panic("SHA-256");
	extend(vm, head, sizeof(head));
	for (unsigned i = 0; i < vm->rams; i++) {
		uint64_t record[] = {TV_MEASURE_RAM, vm->ram[i].base, vm->ram[i].size};

		extend(vm, record, sizeof(record));
	}
}

/*
 * The private copy is what counts: `from` can change at any time, so it is read once, and
 * the copy is hashed.
 */
static bool load_page(struct vm *vm, ipa_t ipa, pa_t from, pa_t page, uint8_t digest[HASH_SIZE])
{
	uint64_t record[] = {TV_MEASURE_PAGE, ipa.v};
	bool ok;

	vectors_begin();
	ok = ns_read_many(secure_ptr(page), from, TV_PAGE_SIZE);
	if (ok) {
		begin_loading(vm);
		hash_bytes(secure_ptr(page), TV_PAGE_SIZE, digest);
		extend(vm, record, sizeof(record));
		extend(vm, digest, HASH_SIZE);
	}
	vectors_end();
	return ok;
}

static int load_locked(struct vm *vm, ipa_t ipa, pa_t from, pa_t page, uint64_t digest[4])
{
	int ret;

	if (!page_aligned(ipa.v | from.v) || !vm_is_ram(vm, ipa.v) || ipa.v < vm->next_load)
		return TV_EINVAL;
	if (!ledger_ordinary(from))
		return TV_EFAULT;
	ret = vm_claim_page(vm, ipa, page);
	if (ret != TV_OK)
		return ret;
	if (!load_page(vm, ipa, from, page, (uint8_t *)digest)) {
		ledger_unclaim(page);
		return TV_EFAULT;
	}
	page_publish(page);
	s2_map(&vm->s2, ipa, page);
	vm->next_load = ipa.v + TV_PAGE_SIZE;
	return TV_OK;
}

int launch_load(uint64_t handle, ipa_t ipa, pa_t from, pa_t page, uint64_t digest[4])
{
	int ret;
	struct vm *vm = vm_lock_state(handle, VM_NEW, &ret);

	if (!vm)
		return ret;
	ret = load_locked(vm, ipa, from, page, digest);
	vm_unlock(vm);
	return ret;
}

static void extend_vcpu(struct vm *vm, const struct vcpu *v)
{
	uint64_t record[] = {TV_MEASURE_VCPU, v->regs.mpidr, v->state == VCPU_ON ? TV_VCPU_ON : 0,
			     v->regs.pc};

	extend(vm, record, sizeof(record));
	extend(vm, v->regs.x, sizeof(v->regs.x));
}

/* LDR X0, label (DDI 0487 C6.2): imm19 in bits 23:5, words; forward only is enough. */
#define LDR_MASK 0xff80001f
#define LDR_X0 0x58000000
#define LDR_OFFSET(insn) (((insn) >> 5 & 0x3ffff) * 4)

/*
 * Where the guest finds its device tree, by what is measured alone: in x0 of the first vCPU, as
 * the boot protocol of Linux has it, or in what its first instruction loads there, as the stub of
 * QEMU does. Whatever is found there may be no device tree at all.
 */
static ipa_t boot_devtree(struct vm *vm, const struct vcpu *v)
{
	uint64_t x0 = v->regs.x[0];
	uint32_t insn;

	vm_read(vm, IPA(v->regs.pc), &insn, sizeof(insn));
	if ((insn & LDR_MASK) == LDR_X0)
		vm_read(vm, IPA(v->regs.pc + LDR_OFFSET(insn)), &x0, sizeof(x0));
	return IPA(x0);
}

/* Firmware is told nothing, but finds it at the start of RAM. */
static void look_for_devices(struct vm *vm)
{
	bool found = dt_each(vm, boot_devtree(vm, vm->vcpu[0]), io_find);

	for (unsigned i = 0; !found && i < vm->rams; i++)
		found = dt_each(vm, IPA(vm->ram[i].base), io_find);
}

static int seal_locked(struct vm *vm)
{
	int ret;

	assert_held(&vm->lock);
	if (!vm->vcpus || vm->attest.state == POLICY_CHECKED)
		return TV_ESTATE;
	vectors_begin();
	begin_loading(vm);
	for (unsigned i = 0; i < vm->vcpus; i++)
		extend_vcpu(vm, vm->vcpu[i]);
	if (mbedtls_sha256_finish(&vm->hash, vm->measurement))
		panic("SHA-256");
	vectors_end();
	ret = policy_allows(&vm->attest, vm->measurement);
	if (ret == TV_OK)
		look_for_devices(vm);
	vm->state = ret == TV_OK ? VM_LIVE : VM_STOPPED;
	return ret;
}

int launch_seal(uint64_t handle)
{
	int ret;
	struct vm *vm = vm_lock_state(handle, VM_NEW, &ret);

	if (!vm)
		return ret;
	ret = seal_locked(vm);
	vm_unlock(vm);
	if (ret == TV_OK)
		log_line("S-VM %u: sealed", vm_index(vm));
	return ret;
}

int launch_measurement(uint64_t handle, uint64_t words[4])
{
	struct vm *vm = vm_lock(handle);
	bool sealed;

	if (!vm)
		return TV_ENOENT;
	sealed = vm->state == VM_LIVE || vm->state == VM_STOPPED;
	if (sealed)
		memcpy(words, vm->measurement, sizeof(vm->measurement));
	vm_unlock(vm);
	return sealed ? TV_OK : TV_ESTATE;
}
