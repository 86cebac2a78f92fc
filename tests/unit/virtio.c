// SPDX-License-Identifier: BSD-3-Clause
#define _GNU_SOURCE
#include "fdt.h"
#include "virtio.h"

#define DTB (RAM + PAGE(1))
#define SCTLR_EE (1UL << 25)

struct svm io_vm;
unsigned io_willing, io_unused;
unsigned io_windows = MMIOS;
unsigned io_register = 5;
bool io_big_endian;

static uint8_t expected[PAGE(MAPPED)];
static unsigned loaded, given, backed; /* pages */

/* What vCPU 0 does at `at`; elsewhere it waits. */
static struct {
	bool armed;
	uint64_t at, addr, value;
	unsigned bytes;
	bool write;
} doing;
static uint64_t last_pc;
bool io_idles;

/* ---- launch --------------------------------------------------------------- */

static void node(struct fdt *f, const char *name, const char *compatible, uint64_t base,
		 uint64_t size)
{
	uint32_t cells[] = {base >> 32, base, size >> 32, size};

	fdt_node(f, name);
	fdt_text(f, "compatible", compatible);
	fdt_cells(f, "reg", cells, 4);
	fdt_node_end(f);
}

static void machine(struct fdt *f)
{
	static const uint32_t two[] = {2};

	fdt_begin(f);
	fdt_node(f, "");
	fdt_cells(f, "#address-cells", two, 1);
	fdt_cells(f, "#size-cells", two, 1);
	for (unsigned i = 0; i < io_windows; i++)
		node(f, "virtio_mmio", "virtio,mmio", MMIO(i), 0x200);
	node(f, "pcie", "pci-host-ecam-generic", ECAM, 0x10000000);
	fdt_node_end(f);
	fdt_end(f);
}

static void load(uint64_t ipa, const void *content)
{
	uint64_t from = ordinary_page(), page = CHUNK(0) + PAGE(loaded++ ^ 1);

	memcpy(host_mem(from), content, TV_PAGE_SIZE);
	check_eq(load_page(io_vm.handle, ipa, from, page), TV_OK);
	memset(host_mem(from), 0, TV_PAGE_SIZE);
}

static void load_all(void)
{
	static struct fdt tree;
	static const uint8_t code[TV_PAGE_SIZE];
	uint64_t *word = (uint64_t *)expected;

	machine(&tree);
	for (unsigned i = 0; i < sizeof(expected) / 8; i++)
		word[i] = SECRET | (RINGS + 8 * i);
	load(RAM, code);
	for (unsigned i = 0; i < FDT_MAX / TV_PAGE_SIZE; i++)
		load(DTB + PAGE(i), tree.bytes + PAGE(i));
	for (unsigned i = 0; i < MAPPED; i++)
		load(RINGS + PAGE(i), expected + PAGE(i));
}

/* A register's value as the guest has it in mind, or the reverse. */
static uint64_t in_register(uint64_t value, unsigned bytes)
{
	return io_big_endian ? __builtin_bswap64(value) >> (64 - 8 * bytes) : value;
}

static void guest(struct guest_regs *regs, struct guest_exit *out)
{
	unsigned sas;

	guest_saw = *regs;
	guest_runs++;
	last_pc = regs->pc;
	if (!doing.armed || regs->pc != doing.at) {
		if (io_idles) {
			*out = (struct guest_exit){GUEST_SYNC, EC(1), 0, 0}; /* WFI */
			last_pc += 4;
		}
		return;
	}
	sas = __builtin_ctz(doing.bytes);
	for (unsigned i = 0; i < 31; i++)
		regs->x[i] = SECRET | i;
	if (io_register < 31)
		regs->x[io_register] = in_register(doing.value, doing.bytes);
	regs->sys.sctlr_el1 = io_big_endian ? SCTLR_EE : 0;
	out->kind = GUEST_SYNC;
	out->esr = EC(0x24) | ISV(sas, 0, io_register, sas == 3) | (doing.write ? ISS_WNR : 0) |
		   FAULT_L3;
	out->far = 0xffff000000000000 | (doing.addr & 0xfff);
	out->hpfar = HPFAR(doing.addr);
}

void io_prepare(void)
{
	boot();
	add_pool();
	io_vm = svm_new();
	loaded = given = backed = 0;
	load_all();
	memset(shared(), 0, sizeof(*shared()));
	shared()->pc = RAM;
	shared()->gpr[0] = DTB;
	for (unsigned i = 0; i < 2; i++)
		check_eq(smc(TV_VCPU_CREATE, io_vm.handle, i, TV_VCPU_ON, 0), TV_OK);
	vmm_reset();
}

void io_seal(void)
{
	check_eq(smc(TV_VM_SEAL, io_vm.handle, 0, 0, 0), TV_OK);
	host_guest = guest;
	last_pc = RAM;
	check_eq(run(&io_vm, 0, 0), TV_OK);
}

void io_start(unsigned most)
{
	io_prepare();
	check_eq(smc(TV_VM_BOUNCE, io_vm.handle, BOUNCE, most, 0), TV_OK);
	io_willing = most;
	io_seal();
}

/* ---- memory --------------------------------------------------------------- */

uint64_t bounce_page(uint64_t ipa)
{
	unsigned n = (ipa - BOUNCE) / TV_PAGE_SIZE;

	check(n < given);
	return ORDINARY + PAGE(n ^ 1);
}

int64_t give(unsigned pages)
{
	uint64_t *list = (uint64_t *)((uint8_t *)shared() + TV_RUN_DATA);
	struct tv_args a;

	check(pages <= TV_RUN_DATA_SIZE / 8);
	for (unsigned i = 0; i < pages; i++)
		list[i] = ORDINARY + PAGE((given + i) ^ 1);
	a = call(TV_BOUNCE_ADD, io_vm.handle, pages, 0, 0);
	if (a.x[0] == TV_OK)
		given = a.x[1];
	return a.x[0];
}

unsigned trim(void)
{
	struct tv_args a = call(TV_BOUNCE_TRIM, io_vm.handle, 0, 0, 0);

	check_eq(a.x[0], TV_OK);
	given = a.x[1];
	return given;
}

void back_page(uint64_t ipa)
{
	npt_page(&io_vm.npt, ipa, CHUNK(0) + PAGE(1024 + backed++));
}

static uint8_t *private_at(uint64_t ipa)
{
	uint8_t *p = host_guest_mem(host_run.s2_root, ipa);

	check(p);
	return p;
}

static uint8_t *back_at(uint64_t ipa)
{
	return (uint8_t *)host_mem(bounce_page(ipa)) + ipa % TV_PAGE_SIZE;
}

void expect(uint64_t ipa, const void *bytes, size_t size)
{
	if (ipa >= RINGS && ipa + size <= UNMAPPED)
		memcpy(expected + (ipa - RINGS), bytes, size);
}

void expect_any(uint64_t ipa, size_t size)
{
	for (; size; ipa++, size--)
		expect(ipa, private_at(ipa), 1);
}

void private_put(uint64_t ipa, const void *from, size_t size)
{
	const uint8_t *f = from;

	expect(ipa, from, size);
	for (; size; ipa++, f++, size--)
		*private_at(ipa) = *f;
}

void private_get(uint64_t ipa, void *to, size_t size)
{
	uint8_t *t = to;

	for (; size; ipa++, t++, size--)
		*t = *private_at(ipa);
}

void back_put(uint64_t ipa, const void *from, size_t size)
{
	const uint8_t *f = from;

	for (; size; ipa++, f++, size--)
		*back_at(ipa) = *f;
}

void back_get(uint64_t ipa, void *to, size_t size)
{
	uint8_t *t = to;

	for (; size; ipa++, t++, size--)
		*t = *back_at(ipa);
}

uint16_t back_get16(uint64_t ipa)
{
	uint16_t value;

	back_get(ipa, &value, sizeof(value));
	return value;
}

void back_put16(uint64_t ipa, uint16_t value)
{
	back_put(ipa, &value, sizeof(value));
}

void check_private(void)
{
	for (unsigned i = 0; i < MAPPED; i++) {
		const uint8_t *want = expected + PAGE(i), *have = private_at(RINGS + PAGE(i));

		for (unsigned j = 0; j < TV_PAGE_SIZE; j++) {
			if (have[j] != want[j])
				check_eq(have[j], want[j] | (RINGS + PAGE(i) + j) << 8);
		}
	}
}

/* Anywhere in ordinary memory: bounce memory, and all that the N-visor has. */
static void check_no_secret(void)
{
	static const uint8_t secret[] = {0xe7, 0xc2, 0x5e};

	check(!memmem(host_mem(HOST_DRAM), TV_CHUNK_SIZE, secret, sizeof(secret)));
	check(!memmem(host_mem(ORDINARY), TV_CHUNK_SIZE, secret, sizeof(secret)));
}

void io_end(void)
{
	check_private();
	check_no_secret();
	check_audit();
	check_eq(svm_destroy(io_vm.handle), TV_OK);
	check_audit();
}

/* ---- accesses ------------------------------------------------------------- */

static void begin(uint64_t addr, unsigned bytes, bool write, uint64_t value)
{
	doing.armed = true;
	doing.at = last_pc;
	doing.addr = addr;
	doing.bytes = bytes;
	doing.write = write;
	doing.value = value;
	check_eq(run(&io_vm, 0, 0), TV_OK);
}

void begin_read(uint64_t addr, unsigned bytes)
{
	begin(addr, bytes, false, SECRET);
}

void begin_write(uint64_t addr, unsigned bytes, uint64_t value)
{
	begin(addr, bytes, true, value);
}

static uint64_t exit_addr(void)
{
	return shared()->hpfar >> 4 << 12 | shared()->far;
}

static unsigned exit_bytes(void)
{
	return 1u << (shared()->esr >> 22 & 3);
}

static unsigned exit_rt(void)
{
	return shared()->esr >> 16 & 31;
}

static void answer(uint64_t value)
{
	unsigned rt = exit_rt();

	memset(shared(), 0, sizeof(*shared()));
	shared()->gpr[rt] = value;
	shared()->flags = TV_RUN_DONE;
	check_eq(run_as_is(&io_vm, 0), TV_OK);
}

static void serve_mmio(void)
{
	uint64_t addr = exit_addr();
	unsigned bytes = exit_bytes(), rt = exit_rt();

	if (shared()->esr & ISS_WNR) {
		vmm_write(addr, bytes, rt == 31 ? 0 : shared()->gpr[rt]);
		check_eq(run(&io_vm, 0, TV_RUN_DONE), TV_OK);
		return;
	}
	answer(vmm_read(addr, bytes));
}

static void serve_bounce(void)
{
	unsigned pages = (shared()->size + TV_PAGE_SIZE - 1) / TV_PAGE_SIZE;

	if (pages > io_willing - given)
		pages = io_willing - given;
	check(pages);
	check_eq(give(pages < 256 ? pages : 256), TV_OK);
	check_eq(run(&io_vm, 0, 0), TV_OK);
}

void serve(void)
{
	switch (shared()->exit) {
	case TV_EXIT_MMIO:
		serve_mmio();
		return;
	case TV_EXIT_BOUNCE:
		serve_bounce();
		return;
	case TV_EXIT_UNUSED:
		io_unused++;
		check_eq(run(&io_vm, 0, 0), TV_OK);
		return;
	case TV_EXIT_FAULT:
		back_page(shared()->hpfar >> 4 << 12);
		check_eq(run(&io_vm, 0, 0), TV_OK);
		return;
	default:
		check_eq(shared()->exit, TV_EXIT_IRQ);
	}
}

bool serve_all(void)
{
	bool shown = false;

	for (unsigned n = 0; shared()->exit != TV_EXIT_IRQ; n++) {
		check(n < 10000);
		shown |= shared()->exit == TV_EXIT_MMIO && shared()->esr & ISS_WNR;
		serve();
	}
	return shown;
}

uint64_t guest_read(uint64_t addr, unsigned bytes)
{
	begin_read(addr, bytes);
	serve_all();
	return in_register(guest_saw.x[io_register], bytes);
}

uint64_t guest_read_as(uint64_t addr, unsigned bytes, uint64_t value)
{
	begin_read(addr, bytes);
	check_eq(shared()->exit, TV_EXIT_MMIO);
	answer(value);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	return in_register(guest_saw.x[io_register], bytes);
}

bool guest_write(uint64_t addr, unsigned bytes, uint64_t value)
{
	begin_write(addr, bytes, value);
	return serve_all();
}

bool enter(void)
{
	check_eq(run(&io_vm, 0, 0), TV_OK);
	return serve_all();
}

void check_mmio_write(uint64_t addr, unsigned bytes, uint64_t value)
{
	check_eq(shared()->exit, TV_EXIT_MMIO);
	check(shared()->esr & ISS_WNR);
	check_eq(exit_addr(), addr);
	check_eq(exit_bytes(), bytes);
	check_eq(exit_rt() == 31 ? 0 : shared()->gpr[exit_rt()], value);
}
