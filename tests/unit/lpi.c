// SPDX-License-Identifier: BSD-3-Clause
#include "fdt.h"
#include "lpi.h"

#define SCTLR_EE (1UL << 25)

struct svm lpi_vm;
static struct fdt fdt;
const uint32_t nothing[1];
static uint64_t stored;
bool lpi_big_endian;

static void store(struct guest_regs *regs)
{
	regs->sys.sctlr_el1 = lpi_big_endian ? SCTLR_EE : 0;
	for (unsigned i = 0; i < 31; i++)
		regs->x[i] = i == 5 ? stored : 0x5ec0de0000000000UL + i;
}

/* ---- the device tree ------------------------------------------------------ */

static void reg(const char *compatible, uint64_t base, uint64_t size, uint64_t base1,
		uint64_t size1)
{
	uint32_t cells[] = {base >> 32,  base,  size >> 32,  size,
			    base1 >> 32, base1, size1 >> 32, size1};

	fdt_text(&fdt, "compatible", compatible);
	fdt_cells(&fdt, "reg", cells, size1 ? 8 : 4);
}

void lpi_machine(const char *its_name, uint64_t its, uint64_t its_size, uint64_t rd,
		 uint64_t rd_size)
{
	static const uint32_t two[] = {2};

	fdt_begin(&fdt);
	fdt_node(&fdt, "");
	fdt_cells(&fdt, "#address-cells", two, 1);
	fdt_cells(&fdt, "#size-cells", two, 1);
	fdt_text(&fdt, "compatible", "linux,dummy-virt");
	fdt_node(&fdt, "intc@8000000");
	fdt_cells(&fdt, "#address-cells", two, 1);
	fdt_cells(&fdt, "#size-cells", two, 1);
	fdt_property(&fdt, "ranges", "", 0);
	reg("arm,gic-v3", 0x8000000, 0x10000, rd, rd_size);
	fdt_node(&fdt, "its@8080000");
	reg(its_name, its, its_size, 0, 0);
	fdt_node_end(&fdt);
	fdt_node_end(&fdt);
	fdt_node_end(&fdt);
	fdt_end(&fdt);
}

void lpi_usual(void)
{
	lpi_machine("arm,gic-v3-its", ITS, ITS_SIZE, RD, RD_SIZE);
}

/* ---- the guest ------------------------------------------------------------ */

static uint64_t next_private;

/* A private page with its address in each word. */
static void load(uint64_t ipa, const void *content)
{
	uint64_t from = ordinary_page();
	uint64_t *p = host_mem(from);

	for (unsigned i = 0; i < 512; i++)
		p[i] = ipa + 8 * i;
	if (content)
		memcpy(p, content, TV_PAGE_SIZE);
	check_eq(load_page(lpi_vm.handle, ipa, from, CHUNK(0) + PAGE(next_private++)), TV_OK);
}

/* Bounce memory: as much as there may be, and as there is after a launch. */
unsigned lpi_most = 64, lpi_present = 64;
static unsigned given;
uint64_t lpi_bounce[BOUNCE_PAGES];

void lpi_give(unsigned pages)
{
	uint64_t *list = (uint64_t *)((uint8_t *)shared() + TV_RUN_DATA);

	for (unsigned n; pages; pages -= n) {
		n = pages < 256 ? pages : 256;
		for (unsigned i = 0; i < n; i++)
			list[i] = lpi_bounce[given++] = ordinary_page();
		check_eq(smc(TV_BOUNCE_ADD, lpi_vm.handle, n, 0, 0), TV_OK);
	}
}

void *at_bounce(uint64_t ipa)
{
	check(ipa >= BOUNCE && ipa < BOUNCE_END);
	return host_mem(lpi_bounce[(ipa - BOUNCE) / TV_PAGE_SIZE] + ipa % TV_PAGE_SIZE);
}

/* Sealed, with x0 and code at RAM as given; fdt at DTB. Two vCPUs that are on. */
void lpi_launch(uint64_t x0, const uint32_t *code, size_t words)
{
	static uint32_t first[1024];

	lpi_vm = svm_new();
	next_private = 0;
	memset(first, 0, sizeof(first));
	memcpy(first, code, 4 * words);
	load(RAM, first);
	for (unsigned i = 0; i < FDT_MAX / TV_PAGE_SIZE; i++)
		load(DTB + PAGE(i), fdt.bytes + PAGE(i));
	for (unsigned i = 0; i < QUEUE_PAGES; i++)
		load(QUEUE + PAGE(i), NULL);
	for (unsigned i = 0; i < PROP_PAGES; i++)
		load(PROPS + PAGE(i), NULL);
	load(RAM + RAM_SIZE - PAGE(1), NULL);
	memset(shared(), 0, sizeof(*shared()));
	shared()->pc = RAM;
	shared()->gpr[0] = x0;
	for (unsigned i = 0; i < 2; i++)
		check_eq(smc(TV_VCPU_CREATE, lpi_vm.handle, i, TV_VCPU_ON, 0), TV_OK);
	if (lpi_most)
		check_eq(smc(TV_VM_BOUNCE, lpi_vm.handle, BOUNCE, lpi_most, 0), TV_OK);
	check_eq(smc(TV_VM_SEAL, lpi_vm.handle, 0, 0, 0), TV_OK);
	given = 0;
	lpi_give(lpi_present);
}

void lpi_start_at(uint64_t x0, const uint32_t *code, size_t words)
{
	boot();
	add_pool();
	lpi_launch(x0, code, words);
}

void lpi_start(void)
{
	lpi_usual();
	lpi_start_at(DTB, nothing, 0);
}

void *guest_at(uint64_t ipa)
{
	return host_guest_mem(host_run.s2_root, ipa);
}

/* The vCPU makes an access from or to x5; its exit is there after. */
void access_by(unsigned vcpu, uint64_t addr, uint64_t value, unsigned sas, uint64_t wnr)
{
	uint64_t esr = EC(0x24) | ISV(sas, 0, 5, sas == 3) | wnr | FAULT_L3;

	stored = value;
	GUEST({{GUEST_SYNC, esr, 0xffff000000000000 | (addr & 0xfff), HPFAR(addr)}, store});
	check_eq(run(&lpi_vm, vcpu, 0), TV_OK);
}

void write_zero(unsigned vcpu, uint64_t addr)
{
	uint64_t esr = EC(0x24) | ISV(3, 0, 31, 1) | ISS_WNR | FAULT_L3;

	GUEST({{GUEST_SYNC, esr, addr & 0xfff, HPFAR(addr)}, store});
	check_eq(run(&lpi_vm, vcpu, 0), TV_OK);
}

void write64(unsigned vcpu, uint64_t addr, uint64_t value)
{
	access_by(vcpu, addr, value, 3, ISS_WNR);
}

void write32(unsigned vcpu, uint64_t addr, uint32_t value)
{
	access_by(vcpu, addr, 0x1234567800000000 | value, 2, ISS_WNR);
}

/* The write is shown, with this value. */
void check_shown(uint64_t addr, uint64_t value)
{
	check_eq(shared()->exit, TV_EXIT_MMIO);
	check_eq(shared()->hpfar, HPFAR(addr));
	check_eq(shared()->far, addr & 0xfff);
	check_eq(shared()->gpr[5], value);
	check_eq(guest_runs, 1);
}

/* What the guest reads there when the N-visor gives it `value`. */
uint64_t read_by(uint64_t addr, unsigned sas, uint64_t value)
{
	access_by(0, addr, 0, sas, ISS_READ);
	shared()->gpr[5] = value;
	shared()->flags = TV_RUN_DONE;
	GUEST({{GUEST_IRQ, 0, 0, 0}, NULL});
	check_eq(run_as_is(&lpi_vm, 0), TV_OK);
	return guest_saw.x[5];
}

uint64_t read64(uint64_t addr, uint64_t value)
{
	return read_by(addr, 3, value);
}

/* The address that was just shown. */
uint64_t shown(uint64_t mask)
{
	check_eq(shared()->exit, TV_EXIT_MMIO);
	return shared()->gpr[5] & mask;
}

uint64_t set_queue(unsigned pages)
{
	write64(0, GITS_CBASER, VALID | QUEUE | (pages - 1));
	return shown(CBASER_ADDRESS);
}

uint64_t set_table(unsigned bits)
{
	write64(0, GICR_PROPBASER, PROPS | (bits - 1));
	return shown(PROPBASER_ADDRESS);
}

/* Of [ipa, ipa + size) of the guest's so much has arrived there, and zeros are behind it. */
bool arrived(uint64_t there, uint64_t ipa, uint64_t size, uint64_t all)
{
	bool ok = true;

	for (uint64_t i = 0; i < all; i += 8) {
		uint64_t want = i < size ? *(uint64_t *)guest_at(ipa + i) : 0;

		ok &= *(uint64_t *)at_bounce(there + i) == want;
	}
	return ok;
}

void clear(uint64_t there, uint64_t size)
{
	for (uint64_t i = 0; i < size; i += TV_PAGE_SIZE)
		memset(at_bounce(there + i), 0, TV_PAGE_SIZE);
}

bool its_works_at(uint64_t its)
{
	write64(0, its + 0x80, VALID | QUEUE);
	return shared()->gpr[5] != (VALID | QUEUE);
}

bool its_works(void)
{
	return its_works_at(ITS);
}

bool rd_works(void)
{
	write64(0, GICR_PROPBASER, PROPS | 15);
	return shared()->gpr[5] != (PROPS | 15);
}

void lpi_end(void)
{
	check_eq(svm_destroy(lpi_vm.handle), TV_OK);
	check_audit();
}
