// SPDX-License-Identifier: BSD-3-Clause
#include "fdt.h"
#include "firmware.h"
#include "heap.h"

#define SCTLR_EE (1UL << 25)

struct svm fw_vm;
struct bank fw_bank[3] = {{0, FLASH_BYTES}, {FLASH, FLASH_BYTES}};
unsigned fw_most = 192;
uint64_t fw_base = BOUNCE;
bool fw_big_endian;

static uint64_t stored;
static unsigned given;

/* ---- launch --------------------------------------------------------------- */

static void make_tree(struct fdt *fdt)
{
	static const uint32_t two = 2, fwcfg[] = {0, FWCFG, 0, 0x18};
	uint64_t reg[6];
	unsigned n;

	for (n = 0; n < 3 && fw_bank[n].size; n++) {
		reg[2 * n] = __builtin_bswap64(fw_bank[n].base);
		reg[2 * n + 1] = __builtin_bswap64(fw_bank[n].size);
	}
	fdt_begin(fdt);
	fdt_node(fdt, "");
	fdt_cells(fdt, "#address-cells", &two, 1);
	fdt_cells(fdt, "#size-cells", &two, 1);
	fdt_node(fdt, "flash");
	fdt_text(fdt, "compatible", "cfi-flash");
	fdt_property(fdt, "reg", reg, 2 * n * sizeof(reg[0]));
	fdt_node_end(fdt);
	fdt_node(fdt, "fw-cfg");
	fdt_text(fdt, "compatible", "qemu,fw-cfg-mmio");
	fdt_cells(fdt, "reg", fwcfg, 4);
	fdt_node_end(fdt);
	fdt_node_end(fdt);
	fdt_end(fdt);
}

static void load(uint64_t ipa, const void *content, unsigned n)
{
	uint64_t from = ordinary_page();

	memcpy(host_mem(from), content, TV_PAGE_SIZE);
	check_eq(load_page(fw_vm.handle, ipa, from, CHUNK(0) + PAGE(n)), TV_OK);
}

static void prepare(void)
{
	static struct fdt fdt;
	static uint8_t content[TV_PAGE_SIZE];

	make_tree(&fdt);
	fw_vm = svm_new();
	given = 0;
	for (unsigned i = 0; i < FDT_MAX / TV_PAGE_SIZE; i++)
		load(RAM + PAGE(i), fdt.bytes + PAGE(i), i);
	for (unsigned i = 0; i < PRIVATE_PAGES; i++) {
		memset(content, 0x50 + i, sizeof(content));
		load(PRIVATE + PAGE(i), content, 16 + i);
	}
	check_eq(take(&fw_vm, 1), TV_OK);
	*npt_entry(&fw_vm.npt, BLOCK, 2) = CHUNK(1) | 0x7fd;
	memset(shared(), 0, sizeof(*shared()));
	shared()->pc = RAM;
	for (unsigned i = 0; i < 2; i++)
		check_eq(smc(TV_VCPU_CREATE, fw_vm.handle, i, TV_VCPU_ON, 0), TV_OK);
	if (fw_most)
		check_eq(smc(TV_VM_BOUNCE, fw_vm.handle, fw_base, fw_most, 0), TV_OK);
}

void fw_prepare(void)
{
	boot();
	add_pool();
	prepare();
}

void fw_seal(void)
{
	check_eq(smc(TV_VM_SEAL, fw_vm.handle, 0, 0, 0), TV_OK);
	fw_enter(0, 0);
}

void fw_start(void)
{
	fw_prepare();
	fw_seal();
}

void fw_again(void)
{
	prepare();
	fw_seal();
}

void fw_end(void)
{
	check_audit();
	check_eq(svm_destroy(fw_vm.handle), TV_OK);
	check_audit();
}

/* ---- bounce memory -------------------------------------------------------- */

uint64_t fw_given(unsigned n)
{
	check(n < given);
	return ORDINARY + PAGE(n ^ 1); /* none behind another */
}

void fw_give(unsigned pages)
{
	uint64_t *list = (uint64_t *)((uint8_t *)shared() + TV_RUN_DATA);

	for (unsigned i = 0; i < pages; i++) {
		given++;
		list[i] = fw_given(given - 1);
	}
	check_eq(smc(TV_BOUNCE_ADD, fw_vm.handle, pages, 0, 0), TV_OK);
}

unsigned fw_trim(void)
{
	struct tv_args a = call(TV_BOUNCE_TRIM, fw_vm.handle, 0, 0, 0);

	check_eq(a.x[0], TV_OK);
	given = a.x[1];
	return given;
}

/* ---- the guest ------------------------------------------------------------ */

static void store(struct guest_regs *regs)
{
	for (unsigned i = 0; i < 31; i++)
		regs->x[i] = i == 5 ? stored : 0x5ec0de0000000000UL + i;
	regs->sys.sctlr_el1 = fw_big_endian ? SCTLR_EE : 0;
}

void fw_access(unsigned vcpu, uint64_t flags, uint64_t addr, uint64_t esr, uint64_t value)
{
	stored = value;
	GUEST({{GUEST_SYNC, esr, 0xffff000000000000 | (addr & 0xfff), HPFAR(addr)}, store});
	check_eq(run(&fw_vm, vcpu, flags), TV_OK);
}

void fw_enter(unsigned vcpu, uint64_t flags)
{
	GUEST({{GUEST_IRQ, 0, 0, 0}, NULL});
	check_eq(run(&fw_vm, vcpu, flags), TV_OK);
	check_eq(shared()->exit, TV_EXIT_IRQ);
}

uint8_t *fw_private(uint64_t ipa)
{
	uint8_t *p = host_guest_mem(host_run.s2_root, ipa);

	check(p);
	return p;
}

bool fw_all(uint64_t ipa, uint64_t size, uint8_t value)
{
	for (uint64_t i = 0; i < size; i++) {
		if (*fw_private(ipa + i) != value)
			return false;
	}
	return true;
}

/* ---- the S-visor's own memory --------------------------------------------- */

static void *hoard[4096];
static unsigned hoarded;

void fw_use_up_heap(unsigned leave)
{
	while ((hoard[hoarded] = heap_alloc(1)))
		hoarded++;
	for (; leave; leave--)
		heap_free(hoard[--hoarded], 1);
}

void fw_free_heap(void)
{
	while (hoarded)
		heap_free(hoard[--hoarded], 1);
}
