// SPDX-License-Identifier: BSD-3-Clause
/*
 * Chunks that move, so that the top of a run can go back to the N-visor. vCPUs run meanwhile;
 * one that touches what moves just now faults, and waits for the S-VM's lock.
 */
#include "ledger.h"
#include "vm.h"

#define BLOCKS (CHUNK_PAGES / BLOCK_PAGES)

static ipa_t record_ipa(uint64_t record)
{
	return IPA(record & ~(uint64_t)RECORD_USED);
}

/* Is any page given out, of n? */
static bool any_used(const uint64_t *records, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (records[i])
			return true;
	}
	return false;
}

static bool collide(const uint64_t *from, const uint64_t *to)
{
	for (size_t i = 0; i < BLOCK_PAGES; i++) {
		if (from[i] && to[i])
			return true;
	}
	return false;
}

/* Takes the block's pages out of the shadow S2PT, and out of all TLBs. True: it was one leaf. */
static bool unmap(struct vm *vm, const uint64_t *records)
{
	bool block = false;

	for (size_t i = 0; i < BLOCK_PAGES && !block; i++) {
		if (records[i])
			block = s2_unmap(&vm->s2, record_ipa(records[i])) == BLOCK_SIZE;
	}
	tlb_flush_vm(vm_vmid(vm));
	return block;
}

/* Run by run of pages that are in use. */
static void copy(const uint64_t *records, pa_t to, pa_t from)
{
	for (size_t i = 0, n; i < BLOCK_PAGES; i += n) {
		uint64_t offset = i * TV_PAGE_SIZE;

		for (n = 1; i + n < BLOCK_PAGES && !records[i + n] == !records[i]; n++)
			;
		if (!records[i])
			continue;
		pages_copy(PA(to.v + offset), PA(from.v + offset), n);
		pages_zero(PA(from.v + offset), n);
	}
}

static void map(struct vm *vm, const uint64_t *records, pa_t to, bool block)
{
	if (block) {
		s2_map_block(&vm->s2, record_ipa(records[0]), to);
		return;
	}
	for (size_t i = 0; i < BLOCK_PAGES; i++) {
		if (records[i])
			s2_map(&vm->s2, record_ipa(records[i]), PA(to.v + i * TV_PAGE_SIZE));
	}
}

/*
 * The pages of one block of the chunk
 *   before: mapped, perhaps in use; those of the same offset in the other chunk are zero
 *   after:  the other way round, contents and IPAs the same
 *   why:    break before make: between the two nobody can reach either, so nobody sees or
 *           writes what is out of date (DDI 0487 D8.16.1)
 */
static int move_block(struct vm *vm, uint64_t *from_records, uint64_t *to_records, pa_t from,
		      pa_t to)
{
	bool block;

	if (collide(from_records, to_records))
		return TV_EDENIED;
	block = unmap(vm, from_records);
	copy(from_records, to, from);
	map(vm, from_records, to, block);
	ledger_move_records(to_records, from_records, BLOCK_PAGES);
	return TV_AGAIN;
}

static int move_locked(struct vm *vm, pa_t from, pa_t to)
{
	struct chunk *source = ledger_owned(vm_index(vm), from);
	struct chunk *target = ledger_owned(vm_index(vm), to);

	assert_held(&vm->lock);
	if (!source || !target || source == target)
		return TV_EDENIED;
	for (uint64_t i = 0; i < BLOCKS; i++) {
		uint64_t *records = &source->records[i * BLOCK_PAGES];
		uint64_t offset = i * BLOCK_SIZE;

		if (any_used(records, BLOCK_PAGES))
			return move_block(vm, records, &target->records[i * BLOCK_PAGES],
					  PA(from.v + offset), PA(to.v + offset));
	}
	ledger_free(source);
	return TV_OK;
}

int vm_move_chunk(uint64_t handle, pa_t from, pa_t to)
{
	struct vm *vm = vm_lock(handle);
	int ret;

	if (!vm)
		return TV_ENOENT;
	ret = vm->state == VM_DYING ? TV_ESTATE : move_locked(vm, from, to);
	vm_unlock(vm);
	return ret;
}
