/* SPDX-License-Identifier: BSD-3-Clause */
/* Attacks on private memory: by the host's CPU, and by what is asked to be mapped. */
#include <stdio.h>
#include <string.h>

#include "attack.h"

#define SECRET 0x5ec4e75ec4e75ec4UL
#define S2_PAGE_BITS 0x7ffUL

static uint64_t page_of(struct vm *vm, uint64_t ipa)
{
	return *vm_entry(vm, ipa) & ~(PAGE - 1);
}

static void by_cpu(void)
{
	uint64_t ipa = RAM + 0x10000, value = 0xdead;
	uint64_t pa;

	vm_do(&victim, OP_WRITE, ipa, SECRET, 0);
	pa = page_of(&victim, ipa);
	ok(touch(pa, 'r', &value) == FAULTED, "host CPU reads a private page: external abort");
	ok(touch(pa, 'w', &value) == FAULTED, "host CPU writes it: external abort");
	ok(touch(pa, 'x', &value) == FAULTED, "host CPU executes it: external abort");
	ok(vm_do(&victim, OP_READ, ipa, 0, 0) == SECRET, "the page is as it was");
	ok(touch(svisor, 'r', &value) == FAULTED, "host CPU reads S-visor memory: external abort");
	ok(touch(svisor + 0x10000, 'w', &value) == FAULTED, "host CPU writes S-visor memory");
	ok(touch(svisor, 'x', &value) == FAULTED, "host CPU executes S-visor memory");
	ok(all_well(), "all is well");
}

/* The guest touches `ipa`, for which the normal S2PT asks for `pa`: refused; the access is
 * then served with a page that the S-VM may have, and reads zero. */
static void refused(uint64_t ipa, uint64_t desc, const char *what)
{
	int64_t status;

	*vm_entry(&victim, ipa) = desc;
	status = vm_order(&victim, 0, OP_READ, ipa, 0, 0);
	ok(status == TV_EDENIED && victim.run->hpfar == ipa >> 12 << 4,
	   "%s: refused (%ld, hpfar %#lx)", what, status, victim.run->hpfar);
	vm_map(&victim, ipa, vm_page(&victim));
	status = vm_until_ask(&victim, 0);
	ok(!status && vm_asks(&victim) && !victim.run->gpr[1],
	   "and the guest goes on with a zero page");
}

static void by_mapping(void)
{
	uint64_t ipa = RAM + 0x100000;
	uint64_t others = page_of(&other, RAM + 0x10000), own = page_of(&victim, RAM + 0x10000);

	refused(ipa, own | S2_PAGE_BITS, "one private page at two addresses");
	refused(ipa += PAGE, others | S2_PAGE_BITS, "a page of another S-VM");
	refused(ipa += PAGE, svisor | S2_PAGE_BITS, "a page of the S-visor");
	refused(ipa += PAGE, ordinary(1) | S2_PAGE_BITS, "a page outside the pools");
	refused(ipa += PAGE, 0x0000800000000000UL | S2_PAGE_BITS, "a page outside the machine");
	refused(ipa += PAGE, 0x09000000UL | S2_PAGE_BITS, "a device");
	ok(vm_do(&victim, OP_READ, RAM + 0x10000, 0, 0) == SECRET, "the page is as it was");
	ok(all_well(), "all is well");
}

/* Tables of the normal S2PT must be ordinary memory. */
static void by_table(void)
{
	uint64_t *l2 = at(victim.root + PAGE), good = l2[3], ipa = RAM + 0x600000;
	uint64_t own = page_of(&victim, RAM + 0x10000);

	const uint64_t bad[] = {own, svisor, 0x09000000, 0x0000fffffffff000UL};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++, ipa += PAGE) {
		l2[3] = bad[i] | 3;
		ok(vm_order(&victim, 0, OP_READ, ipa, 0, 0) == TV_EDENIED,
		   "a table at %#lx: refused", bad[i]);
		l2[3] = good;
		ok(!vm_until_ask(&victim, 0) && vm_asks(&victim), "and the guest goes on");
	}
	ok(smc(TV_VM_CREATE, own, 39, 1, 0).status == TV_EINVAL, "a root in private memory");
	ok(smc(TV_VM_CREATE, svisor, 39, 1, 0).status == TV_EINVAL, "a root in S-visor memory");
}

static void by_launch(void)
{
	uint64_t own = page_of(&victim, RAM + 0x10000), from = ordinary(1);
	struct vm vm;

	vm_begin(&vm, 2);
	ok(vm_load(&vm, RAM, own, vm_page(&vm)).status == TV_EFAULT, "LOAD from a private page");
	ok(vm_load(&vm, RAM, svisor, vm_page(&vm)).status == TV_EFAULT, "LOAD from S-visor memory");
	ok(vm_load(&vm, RAM, from, own).status == TV_EDENIED, "LOAD into a page of another S-VM");
	ok(vm_load(&vm, RAM, from, svisor).status == TV_EDENIED, "LOAD into S-visor memory");
	ok(vm_load(&vm, RAM, from, from).status == TV_EDENIED,
	   "LOAD into a page outside the pools");
	ok(vm_load(&vm, RAM - PAGE, from, vm_page(&vm)).status == TV_EINVAL, "LOAD outside RAM");
	ok(vm_load(&vm, RAM, from, vm.chunk + 9 * PAGE).status == TV_OK, "LOAD as it should be");
	ok(vm_load(&vm, RAM + PAGE, from, vm.chunk + 9 * PAGE).status == TV_EDENIED,
	   "LOAD twice into one page");
	ok(vm_load(&vm, RAM, from, vm.chunk + 10 * PAGE).status == TV_EINVAL,
	   "LOAD twice at one address");
	ok(smc(TV_VCPU_RUN, vm.handle, 0, 0, 0).status != TV_OK, "RUN before sealing");
	ok(smc(TV_VM_SEAL, vm.handle, 0, 0, 0).status == TV_ESTATE, "SEAL without a vCPU");
	ok(vm_destroy(&vm) == TV_OK && all_well(), "all is well");
}

/* The gate reads and writes the shared page of a CPU without a look: it is one that stays ordinary.
 */
static void by_shared_page(void)
{
	uint64_t own = page_of(&victim, RAM + 0x10000);
	struct vm vm;

	ok(smc(TV_CPU_SHARE, own, 0, 0, 0).status == TV_EINVAL, "SHARE of a private page");
	ok(smc(TV_CPU_SHARE, svisor, 0, 0, 0).status == TV_EINVAL, "SHARE of S-visor memory");
	vm_create(&vm, 2);
	while (smc(TV_CHUNK_RETURN, attack_pool, 0, 0, 0).status == TV_OK)
		;
	ok(smc(TV_CPU_SHARE, vm_page(&vm), 0, 0, 0).status == TV_EINVAL,
	   "SHARE of a page that may become private");
	ok(vm_destroy(&vm) == TV_OK && all_well(), "all is well");
}

static uint64_t nonzero_words(uint64_t base, uint64_t size)
{
	const volatile uint64_t *p = at(base);
	uint64_t n = 0;

	for (uint64_t i = 0; i < size / 8; i++)
		n += p[i] != 0;
	return n;
}

static void after_teardown(void)
{
	struct vm vm;
	struct result r;

	vm_start(&vm, 2);
	vm_until_ask(&vm, 0);
	vm_do(&vm, OP_FILL, RAM + 0x40000, RAM + 0x80000, SECRET);
	ok(vm_do(&vm, OP_SUM, RAM + 0x40000, RAM + 0x80000, 0) == SECRET * (0x40000 / 8),
	   "an S-VM has data");
	ok(vm_destroy(&vm) == TV_OK, "and is destroyed");
	vm_start(&vm, 2);
	vm_until_ask(&vm, 0);
	ok(vm_do(&vm, OP_SUM, RAM + 0x40000, RAM + 0x80000, 0) == 0,
	   "the next in its chunk finds none");
	vm_destroy(&vm);
	r = smc(TV_CHUNK_RETURN, attack_pool, 0, 0, 0);
	ok(r.status == TV_OK && r.x[0] == chunk_base(2), "the chunk is given back");
	ok(nonzero_words(chunk_base(2), CHUNK) == 0, "and is all zero");
	ok(smc(TV_CHUNK_RETURN, attack_pool, 0, 0, 0).status == TV_EBUSY,
	   "the next one is in use: not given");
	ok(smc(TV_VCPU_RUN, vm.handle, 0, 0, 0).status == TV_ENOENT, "RUN by a stale handle");
	ok(smc(TV_VM_DESTROY, vm.handle, 0, 0, 0).status == TV_ENOENT, "DESTROY by a stale handle");
	ok(all_well(), "all is well");
}

void cases_memory(void)
{
	by_cpu();
	by_mapping();
	by_table();
	by_launch();
	by_shared_page();
	after_teardown();
}
