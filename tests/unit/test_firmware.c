// SPDX-License-Identifier: BSD-3-Clause
/* What firmware needs: flash that is shown, and fw_cfg by DMA (I7). */
#include "fdt.h"
#include "fixture.h"

#define FLASH 0x04000000UL
#define FLASH_BYTES 0x04000000UL
#define FWCFG 0x09020000UL
#define DMA (FWCFG + 0x10)
#define BOUNCE (RAM + 0x1000000)
#define BOUNCE_PAGES 128

#define REQUEST (RAM + 0x10000) /* three pages that are mapped: request, buffer */
#define BUFFER (RAM + 0x11000)
#define ERROR 1
#define READ 2
#define SELECT 8
#define WRITE 16

#define PERMISSION 0xf
#define ISV32 ISV(2, 0, 5, 0)
#define ISV64 ISV(3, 0, 5, 1)

static struct svm vm;
static uint64_t stored, bounce[BOUNCE_PAGES];

static void store(struct guest_regs *regs)
{
	regs->x[5] = stored;
}

static void make_tree(struct fdt *fdt)
{
	static const uint32_t two = 2, fwcfg[] = {0, FWCFG, 0, 0x18},
			      banks[] = {0, 0, 0, FLASH_BYTES, 0, FLASH, 0, FLASH_BYTES};

	fdt_begin(fdt);
	fdt_node(fdt, "");
	fdt_cells(fdt, "#address-cells", &two, 1);
	fdt_cells(fdt, "#size-cells", &two, 1);
	fdt_node(fdt, "flash");
	fdt_text(fdt, "compatible", "cfi-flash");
	fdt_cells(fdt, "reg", banks, 8);
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
	check_eq(load_page(vm.handle, ipa, from, CHUNK(0) + PAGE(n)), TV_OK);
}

static void give(unsigned pages)
{
	uint64_t *list = (uint64_t *)((uint8_t *)shared() + TV_RUN_DATA);

	for (unsigned i = 0; i < pages; i++)
		list[i] = bounce[i] = ordinary_page();
	check_eq(smc(TV_BOUNCE_ADD, vm.handle, pages, 0, 0), TV_OK);
}

/* The tree is at the start of RAM, and nothing names it: as for firmware. */
static void start(void)
{
	static struct fdt fdt;
	static uint8_t content[TV_PAGE_SIZE];

	make_tree(&fdt);
	boot();
	add_pool();
	vm = svm_new();
	for (unsigned i = 0; i < FDT_MAX / TV_PAGE_SIZE; i++)
		load(RAM + PAGE(i), fdt.bytes + PAGE(i), i);
	for (unsigned i = 0; i < 3; i++) {
		memset(content, 0x50 + i, sizeof(content));
		load(REQUEST + PAGE(i), content, 16 + i);
	}
	memset(shared(), 0, sizeof(*shared()));
	for (unsigned i = 0; i < 2; i++)
		check_eq(smc(TV_VCPU_CREATE, vm.handle, i, TV_VCPU_ON, 0), TV_OK);
	check_eq(smc(TV_VM_BOUNCE, vm.handle, BOUNCE, BOUNCE_PAGES, 0), TV_OK);
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_OK);
}

static void access_by(unsigned vcpu, uint64_t addr, uint64_t iss, uint64_t fsc)
{
	GUEST({{GUEST_SYNC, EC(0x24) | iss | fsc, addr & 0xfff, HPFAR(addr)}, store});
	check_eq(run(&vm, vcpu, 0), TV_OK);
}

static void end(void)
{
	check_eq(svm_destroy(vm.handle), TV_OK);
	check_audit();
}

/* ---- flash ---------------------------------------------------------------- */

static uint64_t flash_page(uint64_t word)
{
	uint64_t page = ordinary_page();

	for (unsigned i = 0; i < 512; i++)
		((uint64_t *)host_mem(page))[i] = word;
	return page;
}

static int64_t show(uint64_t ipa, uint64_t from)
{
	return smc(TV_VM_SHOW, vm.handle, ipa, from, 0);
}

#define SHOWN (0x75b | 1UL << 54) /* Normal, AF; read only, execute never */
#define ADDRESS 0xfffffffff000

static uint64_t leaf(uint64_t ipa)
{
	return host_guest_leaf(host_run.s2_root, ipa);
}

TEST(flash_read, "flash: a read of any kind finds what is shown, a copy, till a write")
{
	uint64_t page;

	start();
	page = flash_page(0x1111);
	access_by(0, FLASH + 8, 0, FAULT_L3);
	check_eq(shared()->exit, TV_EXIT_FAULT);
	check_eq(shared()->hpfar, HPFAR(FLASH));
	check_eq(show(FLASH, page), TV_OK);
	check_eq(show(FLASH, page), TV_OK); /* another vCPU's fault */
	memset(host_mem(page), 0xff, TV_PAGE_SIZE);
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(leaf(FLASH) & ~ADDRESS, SHOWN);
	check_eq(*(uint64_t *)host_mem(leaf(FLASH) & ADDRESS), 0x1111);
	host_forget();
	access_by(0, FLASH + 8, ISV32 | ISS_WNR, PERMISSION);
	check(!leaf(FLASH));
	check_eq(host_count[HOST_TLB_VM], 1);
	check_eq(host_count[HOST_INJECT], 0);
	check_eq(guest_runs, 2); /* it is tried again */
	access_by(0, FLASH + 8, ISV32 | ISS_WNR, FAULT_L3);
	check_eq(shared()->exit, TV_EXIT_MMIO);
	end();
}

TEST(flash_mmio, "flash: what can be MMIO is shown as that; what is not served comes again")
{
	start();
	access_by(0, FLASH, ISV32, FAULT_L3);
	check_eq(shared()->exit, TV_EXIT_MMIO);
	access_by(1, FLASH + FLASH_BYTES - 8, 0, FAULT_L3);
	check_eq(shared()->exit, TV_EXIT_FAULT);
	check_eq(run(&vm, 1, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_FAULT);
	end();
}

TEST(flash_refused, "flash: only ordinary pages are shown, at flash that is no RAM, of a live S-VM")
{
	uint64_t page;

	start();
	page = flash_page(1);
	check_eq(show(FLASH + 8, page), TV_EINVAL);
	check_eq(show(FLASH, page + 8), TV_EINVAL);
	check_eq(show(RAM, page), TV_EINVAL);
	check_eq(show(2 * FLASH_BYTES, page), TV_EINVAL);
	check_eq(show(DEVICE, page), TV_EINVAL);
	check_eq(show(FLASH, CHUNK(0)), TV_EINVAL);
	check_eq(show(FLASH, HOST_SVISOR), TV_EINVAL);
	host_broken_page = page;
	check_eq(show(FLASH, page), TV_EFAULT);
	end();
	check_eq(show(FLASH, page), TV_ENOENT);
}

TEST(flash_many, "flash: pages that are shown are few, and go with the S-VM")
{
	uint64_t page;

	start();
	page = flash_page(7);
	for (unsigned i = 0; i < 600; i++)
		check_eq(show(FLASH + PAGE(i), page), TV_OK);
	check_eq(run(&vm, 0, 0), TV_OK);
	check(!leaf(FLASH));
	check(leaf(FLASH + PAGE(599)));
	check_audit();
	end();
}

/* ---- fw_cfg --------------------------------------------------------------- */

struct request {
	uint32_t control, length;
	uint64_t address;
};

static void *private(uint64_t ipa)
{
	return host_guest_mem(host_run.s2_root, ipa);
}

static void *outside(uint64_t ipa)
{
	check(ipa >= BOUNCE && ipa < BOUNCE + PAGE(BOUNCE_PAGES));
	return host_mem(bounce[(ipa - BOUNCE) / TV_PAGE_SIZE] + ipa % TV_PAGE_SIZE);
}

static void ask(uint32_t control, uint32_t length, uint64_t address)
{
	struct request r = {__builtin_bswap32(control), __builtin_bswap32(length),
			    __builtin_bswap64(address)};

	check_eq(run(&vm, 0, 0), TV_OK);
	memcpy(private(REQUEST), &r, sizeof(r));
}

static void go(unsigned vcpu)
{
	stored = __builtin_bswap64(REQUEST);
	access_by(vcpu, DMA, ISV64 | ISS_WNR, FAULT_L3);
}

/* The back end's request, where it is told of one. */
static struct request *told(void)
{
	check_eq(shared()->exit, TV_EXIT_MMIO);
	return outside(__builtin_bswap64(shared()->gpr[5]));
}

static uint32_t answer(void)
{
	return __builtin_bswap32(((struct request *)private(REQUEST))->control);
}

static void served(uint32_t control)
{
	told()->control = __builtin_bswap32(control);
	GUEST({{GUEST_IRQ, 0, 0, 0}, NULL});
	check_eq(run(&vm, 0, TV_RUN_DONE), TV_OK);
}

TEST(fwcfg_read, "fw_cfg: what is read comes by bounce memory, and nothing else does")
{
	struct request *r;

	start();
	give(BOUNCE_PAGES);
	ask(SELECT | READ | 0x19 << 16, 100, BUFFER + 8);
	go(0);
	r = told();
	check_eq(__builtin_bswap32(r->control), SELECT | READ | 0x19 << 16);
	check_eq(__builtin_bswap32(r->length), 100);
	memset(outside(__builtin_bswap64(r->address)), 0xaa, 200);
	r->length = ~0u;
	r->address = __builtin_bswap64(BOUNCE + PAGE(5)); /* to no effect */
	served(0);
	check_eq(answer(), 0);
	check_eq(*(uint8_t *)private(BUFFER + 7), 0x51);
	check_eq(*(uint8_t *)private(BUFFER + 8), 0xaa);
	check_eq(*(uint8_t *)private(BUFFER + 107), 0xaa);
	check_eq(*(uint8_t *)private(BUFFER + 108), 0x51);
	end();
}

TEST(fwcfg_write, "fw_cfg: what is written leaves, and no more")
{
	uint8_t *out;

	start();
	give(BOUNCE_PAGES);
	ask(WRITE, 16, BUFFER);
	go(0);
	out = outside(__builtin_bswap64(told()->address));
	check(out[0] == 0x51 && out[15] == 0x51 && out[16] == 0);
	served(ERROR);
	check_eq(answer(), ERROR);
	end();
}

TEST(fwcfg_wrong, "fw_cfg: a request or a buffer outside RAM is an error, and nobody hears of it")
{
	start();
	give(BOUNCE_PAGES);
	ask(READ, 100, DEVICE);
	go(0);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(answer(), ERROR);
	ask(READ, ~0u, BUFFER);
	go(0);
	check_eq(answer(), ERROR);
	stored = __builtin_bswap64(DEVICE);
	access_by(0, DMA, ISV64 | ISS_WNR, FAULT_L3);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	end();
}

TEST(fwcfg_waits, "fw_cfg: room and pages are wanted first; another vCPU's request waits")
{
	start();
	ask(READ, 100, RAM + 0x100000);
	go(0);
	check_eq(shared()->exit, TV_EXIT_FAULT);
	check_eq(shared()->hpfar, HPFAR(RAM + 0x100000));
	npt_page(&vm.npt, RAM + 0x100000, CHUNK(0) + PAGE(100));
	go(0);
	check_eq(shared()->exit, TV_EXIT_BOUNCE);
	give(BOUNCE_PAGES);
	go(1);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	go(0);
	served(0);
	check_eq(answer(), 0);
	end();
}

TEST(fwcfg_broken, "fw_cfg: room that is no longer ordinary is an error of the request")
{
	start();
	give(BOUNCE_PAGES);
	ask(READ, 100, BUFFER);
	go(0);
	check_eq(shared()->exit, TV_EXIT_MMIO);
	host_broken_page = bounce[0];
	GUEST({{GUEST_IRQ, 0, 0, 0}, NULL});
	check_eq(run(&vm, 0, TV_RUN_DONE), TV_OK);
	check_eq(answer(), ERROR);
	end();
}
