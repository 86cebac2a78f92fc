// SPDX-License-Identifier: BSD-3-Clause
#include "heap.h"
#include "pvtime.h"

#define ARCH_FEATURES 0x80000001
#define PV_TIME_FEATURES 0xc5000020
#define PV_TIME_ST 0xc5000021

#define SUCCESS 0
#define NOT_SUPPORTED -1

#define NS_PER_S 1000000000ULL

/* DEN 0057, 3.2.2; one a vCPU, by index. Revision and attributes are 0. */
struct pvtime {
	uint32_t revision, attributes;
	uint64_t stolen; /* ns */
	uint8_t reserved[48];
};
_Static_assert(TV_MAX_VCPUS * sizeof(struct pvtime) <= TV_PAGE_SIZE, "one page is enough");

/*
 * The last page that a guest can address. Where the S-VM's own address space is smaller, as it
 * is for most, neither RAM nor any device can be there.
 */
static ipa_t page_ipa(void)
{
	return IPA((1ULL << guest_address_bits()) - TV_PAGE_SIZE);
}

static bool make_page(struct vm *vm)
{
	void *page;

	assert_held(&vm->lock);
	if (vm->pvtime)
		return true;
	if (vm->state != VM_LIVE || vm_is_ram(vm, page_ipa().v))
		return false;
	page = heap_alloc(1);
	if (!page || s2_prepare(&vm->s2, page_ipa()) != TV_OK) {
		heap_free(page, 1);
		return false;
	}
	s2_map_shown(&vm->s2, page_ipa(), secure_pa(page));
	vm->pvtime = page;
	return true;
}

static struct pvtime *slot(const struct vm *vm, const struct vcpu *v)
{
	return (struct pvtime *)vm->pvtime + v->index;
}

static void show_stolen(const struct vm *vm, const struct vcpu *v)
{
	__atomic_store_n(&slot(vm, v)->stolen, v->stolen, __ATOMIC_RELEASE);
}

/* Makes the page, or finds that there is none to be had. */
static int64_t locate(struct vm *vm, struct vcpu *v)
{
	int64_t result = NOT_SUPPORTED;

	spin_lock(&vm->lock);
	if (make_page(vm)) {
		show_stolen(vm, v);
		result = page_ipa().v + v->index * sizeof(struct pvtime);
	}
	spin_unlock(&vm->lock);
	return result;
}

bool pvtime_call(struct vm *vm, struct vcpu *v)
{
	uint32_t call = v->regs.x[0], about = v->regs.x[1];

	if (call == ARCH_FEATURES && about == PV_TIME_FEATURES)
		v->regs.x[0] = SUCCESS;
	else if (call == PV_TIME_FEATURES)
		v->regs.x[0] =
			about == PV_TIME_FEATURES || about == PV_TIME_ST ? SUCCESS : NOT_SUPPORTED;
	else if (call == PV_TIME_ST)
		v->regs.x[0] = locate(vm, v);
	else
		return false;
	return true;
}

/* Without overflow: the remainder is less than a second. */
static uint64_t to_ns(uint64_t ticks)
{
	uint64_t hz = counter_hz();

	return ticks / hz * NS_PER_S + ticks % hz * NS_PER_S / hz;
}

void pvtime_enter(struct vm *vm, struct vcpu *v, uint64_t claimed)
{
	uint64_t growth, out;

	assert_held(&vm->lock);
	growth = claimed > v->claimed ? claimed - v->claimed : 0;
	v->claimed = claimed;
	if (!growth)
		return;
	out = v->left ? to_ns(counter_now() - v->left) : 0;
	v->stolen += growth < out ? growth : out;
	if (vm->pvtime)
		show_stolen(vm, v);
}

bool pvtime_audit(const struct vm *vm)
{
	pa_t page;

	return !vm->pvtime ||
	       (s2_lookup(&vm->s2, page_ipa(), &page) && page.v == secure_pa(vm->pvtime).v);
}

void pvtime_free(struct vm *vm)
{
	assert_held(&vm->lock);
	heap_free(vm->pvtime, 1);
	vm->pvtime = NULL;
}
