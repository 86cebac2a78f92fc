// SPDX-License-Identifier: BSD-3-Clause
/* Launch and measurement (I6). */
#include <mbedtls/sha256.h>

#include "fixture.h"

static mbedtls_sha256_context hash;

static void put(uint64_t word)
{
	mbedtls_sha256_update(&hash, (const uint8_t *)&word, sizeof(word));
}

/* What abi.h says is hashed, for these RAM ranges, one page and one vCPU. */
static void expected(uint64_t digest[4], const void *page, uint64_t mpidr, uint64_t flags,
		     uint64_t pc, uint64_t x0)
{
	mbedtls_sha256_init(&hash);
	mbedtls_sha256_starts(&hash, 0);
	mbedtls_sha256_update(&hash, (const uint8_t *)"TMVSvm02", 8);
	put(4), put(svm_features);
	put(1), put(RAM), put(RAM_SIZE);
	put(1), put(PAGE(3)), put(PAGE(2));
	if (page) {
		uint8_t digest[32];

		mbedtls_sha256(page, TV_PAGE_SIZE, digest, 0);
		put(2), put(RAM + PAGE(2));
		mbedtls_sha256_update(&hash, digest, sizeof(digest));
	}
	put(3), put(mpidr), put(flags), put(pc), put(x0);
	for (unsigned i = 1; i < 31; i++)
		put(0);
	mbedtls_sha256_finish(&hash, (uint8_t *)digest);
}

static struct svm launched(bool load, uint64_t mpidr, uint64_t flags, uint64_t pc, uint64_t x0)
{
	struct svm vm;
	uint64_t from;

	boot();
	add_pool();
	vm = svm_new();
	check_eq(smc(TV_VM_RAM, vm.handle, PAGE(3), PAGE(2), 0), TV_OK);
	memset(shared(), 0, sizeof(*shared()));
	shared()->pc = pc;
	shared()->gpr[0] = x0;
	check_eq(smc(TV_VCPU_CREATE, vm.handle, mpidr, flags, 0), TV_OK);
	from = ordinary_page();
	memset(host_mem(from), 0x3c, TV_PAGE_SIZE);
	if (load)
		check_eq(load_page(vm.handle, RAM + PAGE(2), from, CHUNK(0)), TV_OK);
	check_eq(smc(TV_VM_MEASUREMENT, vm.handle, 0, 0, 0), TV_ESTATE);
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_OK);
	return vm;
}

static void check_digest(struct svm *vm, const uint64_t want[4])
{
	struct tv_args a = call(TV_VM_MEASUREMENT, vm->handle, 0, 0, 0);

	check_eq(a.x[0], TV_OK);
	check(!memcmp(&a.x[1], want, 32));
}

TEST(digest, "launch: the measurement is what abi.h says")
{
	struct svm vm = launched(true, 3, TV_VCPU_ON, RAM + 8, 0x1234);
	uint8_t page[TV_PAGE_SIZE];
	uint64_t want[4];

	memset(page, 0x3c, sizeof(page));
	expected(want, page, 3, TV_VCPU_ON, RAM + 8, 0x1234);
	check_digest(&vm, want);
}

TEST(page_digest, "launch: a load tells the page's own hash")
{
	uint8_t page[TV_PAGE_SIZE], want[32];
	struct svm vm;
	struct tv_args a;
	uint64_t from;

	boot();
	add_pool();
	vm = svm_new();
	from = ordinary_page();
	memset(host_mem(from), 0x3c, TV_PAGE_SIZE);
	memset(page, 0x3c, sizeof(page));
	mbedtls_sha256(page, TV_PAGE_SIZE, want, 0);
	check_eq(take(&vm, 0), TV_OK);
	a = call(TV_VM_LOAD, vm.handle, RAM, from, CHUNK(0));
	check_eq(a.x[0], TV_OK);
	check(!memcmp(&a.x[1], want, sizeof(want)));
}

TEST(digest_features, "launch: the features are measured")
{
	struct svm vm;
	uint64_t want[4];

	svm_features = TV_FEATURE_PMU | 2;
	vm = launched(false, 3, 0, RAM, 1);
	expected(want, NULL, 3, 0, RAM, 1);
	check_digest(&vm, want);
}

TEST(digest_bare, "launch: without a page, RAM and vCPU are measured all the same")
{
	struct svm vm = launched(false, 0x100, 0, 0, 9);
	uint64_t want[4];

	expected(want, NULL, 0x100, 0, 0, 9);
	check_digest(&vm, want);
}

TEST(load_args, "launch: a load outside RAM, unaligned or not rising is refused")
{
	struct svm vm;
	uint64_t from;

	boot();
	add_pool();
	vm = svm_new();
	from = ordinary_page();
	check_eq(load_page(vm.handle, RAM - PAGE(1), from, CHUNK(0)), TV_EINVAL);
	check_eq(load_page(vm.handle, RAM + RAM_SIZE, from, CHUNK(0)), TV_EINVAL);
	check_eq(load_page(vm.handle, -PAGE(1), from, CHUNK(0)), TV_EINVAL);
	check_eq(load_page(vm.handle, RAM + 1, from, CHUNK(0)), TV_EINVAL);
	check_eq(load_page(vm.handle, RAM, from + 8, CHUNK(0)), TV_EINVAL);
	check_eq(load_page(vm.handle, RAM + PAGE(4), from, CHUNK(0)), TV_OK);
	check_eq(load_page(vm.handle, RAM + PAGE(4), from, CHUNK(0) + PAGE(1)), TV_EINVAL);
	check_eq(load_page(vm.handle, RAM + PAGE(3), from, CHUNK(0) + PAGE(1)), TV_EINVAL);
	check_eq(smc(TV_VM_RAM, vm.handle, 0, PAGE(1), 0), TV_ESTATE);
	check_audit();
}

TEST(load_source, "launch: a source that is not ordinary memory is refused, and nothing stays")
{
	struct svm vm;
	uint64_t from;

	boot();
	add_pool();
	vm = svm_launch(0, 0x5ec4e7, 1);
	vm = svm_new();
	from = ordinary_page();
	check_eq(load_page(vm.handle, RAM, CHUNK(0), CHUNK(1)), TV_EFAULT);
	check_eq(load_page(vm.handle, RAM, HOST_SVISOR, CHUNK(1)), TV_EFAULT);
	check_eq(load_page(vm.handle, RAM, 0, CHUNK(1)), TV_EFAULT);

	host_broken_page = from;
	check_eq(load_page(vm.handle, RAM, from, CHUNK(1)), TV_EFAULT);
	check(all_words(CHUNK(1), TV_PAGE_SIZE, 0));
	host_broken_page = 1;
	check_audit();
	/* From the very chunk that the load makes Secure. */
	check_eq(load_page(vm.handle, RAM, CHUNK(2) + PAGE(1), CHUNK(2)), TV_EFAULT);
	check_eq(load_page(vm.handle, RAM, from, CHUNK(1)), TV_OK);
	check_audit();
}

static uint64_t source;
static void change_after_copy(uint64_t pa)
{
	static bool copied;

	if (copied)
		memset(host_mem(source), 0xee, TV_PAGE_SIZE);
	copied |= pa == source;
}

TEST(load_once, "launch: the source is read once, and the private copy is what is measured")
{
	struct svm vm;
	struct tv_args a, b;

	boot();
	add_pool();
	vm = svm_launch(0, 0, 1);
	a = call(TV_VM_MEASUREMENT, vm.handle, 0, 0, 0);
	check_eq(svm_destroy(vm.handle), TV_OK);
	vm = svm_new();
	source = ordinary_page();
	host_ns_hook = change_after_copy;
	check_eq(load_page(vm.handle, RAM, source, CHUNK(0)), TV_OK);
	memset(shared(), 0, sizeof(*shared()));
	shared()->pc = RAM;
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 0, TV_VCPU_ON, 0), TV_OK);
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_OK);
	check_eq(*(uint64_t *)host_mem(source), 0xeeeeeeeeeeeeeeee);
	check(all_words(CHUNK(0), TV_PAGE_SIZE, 0));
	b = call(TV_VM_MEASUREMENT, vm.handle, 0, 0, 0);
	check(!memcmp(&a.x[1], &b.x[1], 32));
}

TEST(first_state, "launch: a vCPU starts with measured registers and nothing else")
{
	struct svm vm = launched(true, 3, TV_VCPU_ON, RAM + 8, 0x1234);

	GUEST({{.kind = GUEST_IRQ}, NULL});
	memset(shared(), 0xff, sizeof(*shared()));
	shared()->flags = shared()->cntvoff = 0;
	check_eq(run_as_is(&vm, 0), TV_OK);
	check_eq(guest_saw.pc, RAM + 8);
	check_eq(guest_saw.x[0], 0x1234);
	for (unsigned i = 1; i < 31; i++)
		check_eq(guest_saw.x[i], 0);
	check_eq(guest_saw.pstate, 0x3c5);
	check_eq(guest_saw.mpidr, 3);
	check(host_guest_mem(host_run.s2_root, RAM + PAGE(2)) == host_mem(CHUNK(0)));
}
