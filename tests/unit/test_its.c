// SPDX-License-Identifier: BSD-3-Clause
/* LPIs: what leaves for KVM's vITS, when, and nothing else (I7). */
#include "fdt.h"
#include "fixture.h"

#define ITS 0x08080000UL
#define ITS_SIZE 0x20000UL
#define RD 0x080a0000UL
#define RD_SIZE 0xf60000UL

#define GITS_CTLR (ITS + 0x0)
#define GITS_CBASER (ITS + 0x80)
#define GITS_CWRITER (ITS + 0x88)
#define GITS_CREADR (ITS + 0x90)
#define GITS_BASER (ITS + 0x100)
#define GITS_TRANSLATER (ITS + 0x10040)
#define GICR_CTLR (RD + 0x0)
#define GICR_PROPBASER (RD + 0x70)
#define GICR_PENDBASER (RD + 0x78)
#define GICR_INVLPIR (RD + 0xa0)
#define GICR_INVALLR (RD + 0xb0)
#define NEXT_RD 0x20000

#define VALID (1UL << 63)
#define INDIRECT (1UL << 62)

/* In RAM: the device tree, the command queue, properties of LPIs. */
#define DTB (RAM + PAGE(1))
#define QUEUE (RAM + 0x10000)
#define QUEUE_PAGES 3 /* that are mapped */
#define PROPS (RAM + 0x20000)
#define PROP_PAGES 14
#define PIECE 2048UL

static struct svm vm;
static struct fdt fdt;
static const uint32_t nothing[1];
static uint64_t stored;

static void store(struct guest_regs *regs)
{
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

static void machine(const char *its_name, uint64_t its, uint64_t its_size, uint64_t rd,
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

static void usual(void)
{
	machine("arm,gic-v3-its", ITS, ITS_SIZE, RD, RD_SIZE);
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
	check_eq(load_page(vm.handle, ipa, from, CHUNK(0) + PAGE(next_private++)), TV_OK);
}

/* Sealed, with x0 and code at RAM as given; fdt at DTB. Two vCPUs that are on. */
static void launch_at(uint64_t x0, const uint32_t *code, size_t words)
{
	static uint32_t first[1024];

	vm = svm_new();
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
		check_eq(smc(TV_VCPU_CREATE, vm.handle, i, TV_VCPU_ON, 0), TV_OK);
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_OK);
}

static void start_at(uint64_t x0, const uint32_t *code, size_t words)
{
	boot();
	add_pool();
	launch_at(x0, code, words);
}

static void start(void)
{
	usual();
	start_at(DTB, nothing, 0);
}

static void *guest_at(uint64_t ipa)
{
	return host_guest_mem(host_run.s2_root, ipa);
}

/* The vCPU makes an access from or to x5; its exit is there after. */
static void access_by(unsigned vcpu, uint64_t addr, uint64_t value, unsigned sas, uint64_t wnr)
{
	uint64_t esr = EC(0x24) | ISV(sas, 0, 5, sas == 3) | wnr | FAULT_L3;

	stored = value;
	GUEST({{GUEST_SYNC, esr, 0xffff000000000000 | (addr & 0xfff), HPFAR(addr)}, store});
	check_eq(run(&vm, vcpu, 0), TV_OK);
}

static void write64(unsigned vcpu, uint64_t addr, uint64_t value)
{
	access_by(vcpu, addr, value, 3, ISS_WNR);
}

static void write32(unsigned vcpu, uint64_t addr, uint32_t value)
{
	access_by(vcpu, addr, 0x1234567800000000 | value, 2, ISS_WNR);
}

/* The exit is a COPY of just this, and shows nothing else. */
static void check_copy(uint64_t ipa, uint64_t size)
{
	struct tv_run want = {.exit = TV_EXIT_COPY, .ipa = ipa, .size = size};

	check_eq(shared()->exit, TV_EXIT_COPY);
	check_eq(shared()->ipa, ipa);
	check_eq(shared()->size, size);
	check(!memcmp(shared(), &want, sizeof(want)));
}

static void check_data(const void *data, size_t size)
{
	check(!memcmp((uint8_t *)shared() + TV_RUN_DATA, data, size));
}

/* ... and the bytes are the guest's. */
static void check_copied(uint64_t ipa, uint64_t size)
{
	check_copy(ipa, size);
	check_data(guest_at(ipa), size);
}

static void go_on(unsigned vcpu)
{
	memset((uint8_t *)shared() + TV_RUN_DATA, 0xff, TV_RUN_DATA_SIZE);
	check_eq(run(&vm, vcpu, 0), TV_OK);
}

/* The write itself, without a further run of the guest. */
static void check_shown(uint64_t addr, uint64_t value)
{
	check_eq(shared()->exit, TV_EXIT_MMIO);
	check_eq(shared()->hpfar, HPFAR(addr));
	check_eq(shared()->far, addr & 0xfff);
	check_eq(shared()->gpr[5], value);
	check_eq(shared()->ipa | shared()->size, 0);
	check_eq(guest_runs, 1);
}

/* All pieces of [base, base + size) and then the write. */
static void check_pieces(unsigned vcpu, uint64_t base, uint64_t size)
{
	for (uint64_t at = 0; at < size; at += PIECE) {
		check_copied(base + at, size - at < PIECE ? size - at : PIECE);
		go_on(vcpu);
	}
	check_eq(shared()->exit, TV_EXIT_MMIO);
}

/* Does the write make anything leave? */
static bool copies(void)
{
	bool any = shared()->exit == TV_EXIT_COPY;

	while (shared()->exit == TV_EXIT_COPY)
		go_on(0);
	check_eq(shared()->exit, TV_EXIT_MMIO);
	return any;
}

static bool its_works_at(uint64_t its)
{
	write64(0, its + 0x80, VALID | QUEUE);
	write64(0, its + 0x88, 0x20);
	return copies();
}

static bool its_works(void)
{
	return its_works_at(ITS);
}

static bool rd_works(void)
{
	write64(0, GICR_PROPBASER, PROPS | 15);
	write64(0, GICR_INVLPIR, 8192);
	return copies();
}

/* ---- commands ------------------------------------------------------------- */

TEST(commands, "its: new commands leave before GITS_CWRITER is shown, each once")
{
	start();
	write64(0, GITS_CBASER, VALID | QUEUE | 15);
	check_shown(GITS_CBASER, VALID | QUEUE | 15);
	write64(0, GITS_CWRITER, 0x60);
	check_copied(QUEUE, 0x60);
	go_on(0);
	check_shown(GITS_CWRITER, 0x60);
	check_eq(run(&vm, 0, TV_RUN_DONE), TV_OK);
	check_eq(guest_saw.pc, RAM + 4);
	write64(0, GITS_CWRITER, 0x80);
	check_copied(QUEUE + 0x60, 0x20);
	go_on(0);
	check_shown(GITS_CWRITER, 0x80);
	write64(0, GITS_CWRITER, 0x80);
	check_shown(GITS_CWRITER, 0x80);
	write32(0, GITS_CWRITER, 0xa0);
	check_copied(QUEUE + 0x80, 0x20);
	go_on(0);
	check_shown(GITS_CWRITER, 0xa0);
	write32(0, GITS_CWRITER + 4, 0xc0); /* the upper half counts nothing */
	check_shown(GITS_CWRITER + 4, 0xc0);
	check_audit();
}

TEST(commands_low_bits, "its: only bits 19:5 of GITS_CWRITER count, and only 51:16 of GITS_CBASER")
{
	start();
	write64(0, GITS_CBASER, 0xfff000000000ff00 | QUEUE | 0xf000);
	write64(0, GITS_CWRITER, 0xfffffffffff0003f);
	check_copied(QUEUE, 0x20);
	go_on(0);
	check_shown(GITS_CWRITER, 0xfffffffffff0003f);
}

TEST(commands_ring, "its: the queue is a ring, sent in pieces")
{
	start();
	write64(0, GITS_CBASER, VALID | QUEUE);
	write64(0, GITS_CWRITER, 0xfe0);
	check_pieces(0, QUEUE, 0xfe0);
	write64(0, GITS_CWRITER, 0x40);
	check_copied(QUEUE + 0xfe0, 0x20);
	go_on(0);
	check_copied(QUEUE, 0x40);
	go_on(0);
	check_shown(GITS_CWRITER, 0x40);
	write64(0, GITS_CWRITER, 0);
	check_copied(QUEUE + 0x40, PIECE - 0x40);
	go_on(0);
	check_copied(QUEUE + PIECE, PIECE);
	go_on(0);
	check_shown(GITS_CWRITER, 0);
}

TEST(commands_restart, "its: GITS_CBASER, or half of it, sets the queue and starts it anew")
{
	start();
	write64(0, GITS_CBASER, VALID | QUEUE | 1);
	write64(0, GITS_CWRITER, 0x40);
	check_copied(QUEUE, 0x40);
	go_on(0);
	write32(0, GITS_CBASER, (uint32_t)QUEUE | 2);
	check_shown(GITS_CBASER, (uint32_t)QUEUE | 2);
	write64(0, GITS_CWRITER, 0x20);
	check_copied(QUEUE, 0x20);
	go_on(0);
	write32(0, GITS_CBASER + 4, 0x80000001); /* QUEUE + 4 GiB: not RAM */
	write64(0, GITS_CWRITER, 0x40);
	check_shown(GITS_CWRITER, 0x40);
	write32(0, GITS_CBASER + 4, 0x80000000);
	write64(0, GITS_CWRITER, 0x2800); /* the size is that of the lower half */
	check_pieces(0, QUEUE, 0x2800);
}

TEST(commands_beyond, "its: GITS_CWRITER beyond the queue sends nothing")
{
	start();
	write64(0, GITS_CBASER, VALID | QUEUE);
	write64(0, GITS_CWRITER, 0x1000);
	check_shown(GITS_CWRITER, 0x1000);
	write64(0, GITS_CWRITER, 0xfffe0);
	check_shown(GITS_CWRITER, 0xfffe0);
	write64(0, GITS_CWRITER, 0x20);
	check_copied(QUEUE, 0x20);
}

TEST(commands_outside, "its: of a queue that leads out of RAM only what is in RAM is sent")
{
	uint64_t end = RAM + RAM_SIZE;

	start();
	write64(0, GITS_CBASER, VALID | DEVICE | 255);
	write64(0, GITS_CWRITER, 0xfffe0);
	check_shown(GITS_CWRITER, 0xfffe0);
	write64(0, GITS_CBASER, VALID | (end - 0x10000) | 255);
	write64(0, GITS_CWRITER, 0xfffe0);
	for (uint64_t at = end - 0x10000; at < end; at += PIECE) {
		check_copy(at, PIECE);
		go_on(0);
	}
	check_shown(GITS_CWRITER, 0xfffe0);
	write64(0, GITS_CBASER, VALID | (RAM - 0x10000) | 255); /* from below */
	write64(0, GITS_CWRITER, 0x10020);
	check_copied(RAM, 0x20);
	go_on(0);
	check_shown(GITS_CWRITER, 0x10020);
}

TEST(commands_zero, "its: a page that was never touched is sent as zeros, and stays so")
{
	static const uint8_t zeros[PIECE];

	start();
	write64(0, GITS_CBASER, VALID | QUEUE);
	write64(0, GITS_CWRITER, 0x800);
	check_pieces(0, QUEUE, 0x800);
	write64(0, GITS_CBASER, VALID | (RAM + 0x100000));
	memset((uint8_t *)shared() + TV_RUN_DATA, 0xff, TV_RUN_DATA_SIZE);
	write64(0, GITS_CWRITER, 0x800);
	check_copy(RAM + 0x100000, 0x800);
	check_data(zeros, sizeof(zeros));
	check(!guest_at(RAM + 0x100000));
}

/* ---- properties ----------------------------------------------------------- */

TEST(properties, "its: properties leave when they are new, before invalidations count")
{
	static const uint64_t triggers[] = {GICR_INVLPIR, GICR_INVALLR, GICR_INVLPIR + 7 * NEXT_RD};

	start();
	write64(0, GICR_PROPBASER, PROPS | 15);
	check_shown(GICR_PROPBASER, PROPS | 15);
	for (unsigned i = 0; i < sizeof(triggers) / sizeof(triggers[0]); i++) {
		uint8_t *property;

		write64(0, triggers[i], 0);
		if (i == 0)
			check_pieces(0, PROPS, PROP_PAGES * 0x1000UL);
		check_shown(triggers[i], 0);
		property = guest_at(PROPS + 0x3000 + i * PIECE + 5);
		*property ^= 1;
		write32(0, triggers[i], 0);
		check_copied(PROPS + 0x3000 + i * PIECE, PIECE);
		go_on(0);
		check_shown(triggers[i], 0);
		write32(0, triggers[i], 0);
		check_shown(triggers[i], 0);
	}
	check_audit();
}

TEST(properties_zero, "its: properties that are all zero are sent too")
{
	start();
	write64(0, GICR_PROPBASER, (RAM + 0x100000) | 13);
	write64(0, GICR_INVALLR, 0);
	for (unsigned i = 0; i < 4; i++) {
		check_copy(RAM + 0x100000 + i * PIECE, PIECE);
		go_on(0);
	}
	check_shown(GICR_INVALLR, 0);
}

TEST(properties_size, "its: as many properties as IDbits says, 16 bits at most")
{
	static const struct {
		unsigned idbits, pieces;
	} cases[] = {{0, 0}, {12, 0}, {13, 4}, {14, 12}, {15, 28}, {16, 28}, {31, 28}};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start();
		write64(0, GICR_PROPBASER, PROPS | cases[i].idbits);
		write64(0, GICR_INVLPIR, 8192);
		check_pieces(0, PROPS, cases[i].pieces * PIECE);
		check_shown(GICR_INVLPIR, 8192);
	}
}

TEST(properties_moved, "its: GICR_PROPBASER of any redistributor, in halves too, names a new table")
{
	start();
	write64(0, GICR_PROPBASER, PROPS | 13);
	write64(0, GICR_INVALLR, 0);
	check_pieces(0, PROPS, 4 * PIECE);
	write64(0, GICR_PROPBASER + NEXT_RD, PROPS | 13 | 0x0700000000000780); /* attributes */
	write64(0, GICR_INVALLR, 0);
	check_shown(GICR_INVALLR, 0);
	for (unsigned i = 0; i < 2; i++) /* a table of the same content */
		memcpy(guest_at(PROPS + PAGE(2 + i)), guest_at(PROPS + PAGE(i)), TV_PAGE_SIZE);
	write32(1, GICR_PROPBASER + NEXT_RD, (uint32_t)(PROPS + 0x2000) | 13);
	write64(0, GICR_INVALLR, 0);
	check_pieces(0, PROPS + 0x2000, 4 * PIECE);
	write32(1, GICR_PROPBASER + NEXT_RD + 4, 1);
	write64(0, GICR_INVALLR, 0);
	check_shown(GICR_INVALLR, 0);
	write64(0, GICR_PROPBASER, PROPS | 13);
	write64(0, GICR_INVALLR, 0);
	check_pieces(0, PROPS, 4 * PIECE);
}

TEST(properties_outside, "its: properties outside RAM are not sent")
{
	start();
	write64(0, GICR_PROPBASER, (RAM + RAM_SIZE - 0x1000) | 15);
	write64(0, GICR_INVALLR, 0);
	check_pieces(0, RAM + RAM_SIZE - 0x1000, 2 * PIECE);
	check_shown(GICR_INVALLR, 0);
}

TEST(commands_first, "its: commands leave, then properties, then the write is shown")
{
	start();
	write64(0, GITS_CBASER, VALID | QUEUE);
	write64(0, GICR_PROPBASER, PROPS | 13);
	write32(0, GITS_CTLR, 1);
	check_shown(GITS_CTLR, 1);
	write64(0, GITS_CWRITER, 0x20);
	check_copied(QUEUE, 0x20);
	go_on(0);
	check_pieces(0, PROPS, 4 * PIECE);
	check_shown(GITS_CWRITER, 0x20);
}

static void change_property(void)
{
	uint8_t *property = guest_at(PROPS);

	*property ^= 1;
}

TEST(properties_unread,
     "its: no properties leave where the vITS reads none: the guest may have put them to other use")
{
	start();
	write64(0, GITS_CBASER, VALID | QUEUE);
	write64(0, GICR_PROPBASER, PROPS | 13);
	write64(0, GITS_CWRITER, 0x20); /* while the ITS is off */
	check_copied(QUEUE, 0x20);
	go_on(0);
	check_shown(GITS_CWRITER, 0x20);
	write32(0, GITS_CTLR, 0);
	check_shown(GITS_CTLR, 0);
	write32(0, GITS_CTLR, 1); /* the command counts now */
	check_pieces(0, PROPS, 4 * PIECE);
	check_shown(GITS_CTLR, 1);
	change_property();
	write32(0, GITS_CTLR, 1);
	check_shown(GITS_CTLR, 1);
	write64(0, GITS_CWRITER, 0x20); /* no new command */
	check_shown(GITS_CWRITER, 0x20);
	write32(0, GITS_CTLR, 0);
	check_shown(GITS_CTLR, 0);
	write64(0, GITS_CWRITER, 0x40);
	check_copied(QUEUE + 0x20, 0x20);
	go_on(0);
	check_shown(GITS_CWRITER, 0x40);
	write32(0, GITS_CTLR, 1);
	check_pieces(0, PROPS, PIECE);
	check_shown(GITS_CTLR, 1);
}

TEST(commands_invalid, "its: a queue that is not valid sends nothing")
{
	start();
	write64(0, GITS_CBASER, QUEUE);
	write64(0, GITS_CWRITER, 0x20);
	check_shown(GITS_CWRITER, 0x20);
}

/* ---- what is none of it --------------------------------------------------- */

TEST(others, "its: no other register, no read and no odd access makes anything leave")
{
	static const uint64_t silent[] = {GITS_CREADR,  GITS_TRANSLATER,   GITS_CWRITER + 0x10000,
					  GICR_CTLR,    GICR_PENDBASER,    GICR_INVLPIR + 0x10000,
					  DEVICE,       GICR_INVLPIR - RD, RD + RD_SIZE + 0xa0,
					  ITS - NEXT_RD};

	start();
	write64(0, GITS_CBASER, VALID | QUEUE);
	write64(0, GICR_PROPBASER, PROPS | 15);
	for (unsigned i = 0; i < sizeof(silent) / sizeof(silent[0]); i++) {
		write64(0, silent[i], 0x20);
		check_shown(silent[i], 0x20);
	}
	for (unsigned sas = 0; sas < 4; sas++) {
		access_by(0, GITS_CWRITER, 0x20, sas, ISS_READ);
		check_eq(shared()->exit, TV_EXIT_MMIO);
		access_by(0, GITS_CWRITER + (sas == 3 ? 4 : 1), 0x20, sas, ISS_WNR);
		check_eq(shared()->exit, TV_EXIT_MMIO);
	}
	access_by(0, GITS_CWRITER, 0x20, 1, ISS_WNR);
	check_eq(shared()->exit, TV_EXIT_MMIO);
	write64(0, GICR_PROPBASER, 0);
	write64(0, GITS_CWRITER, 0x20);
	check_copied(QUEUE, 0x20);
	go_on(0);
	access_by(0, GITS_CBASER, 0, 1, ISS_WNR);
	access_by(0, GITS_CBASER + 4, 0, 3, ISS_WNR);
	write64(0, GITS_CWRITER, 0x40);
	check_copied(QUEUE + 0x20, 0x20);
}

TEST(zero_register, "its: XZR writes zero")
{
	uint64_t esr = EC(0x24) | ISV(3, 0, 31, 1) | ISS_WNR | FAULT_L3;

	start();
	write64(0, GITS_CBASER, VALID | QUEUE);
	write64(0, GITS_CWRITER, 0xfe0);
	check_pieces(0, QUEUE, 0xfe0);
	GUEST({{GUEST_SYNC, esr, 0x88, HPFAR(GITS_CWRITER)}, store});
	check_eq(run(&vm, 0, 0), TV_OK);
	check_copied(QUEUE + 0xfe0, 0x20);
	go_on(0);
	check_eq(shared()->exit, TV_EXIT_MMIO);
}

TEST(flat, "its: the vITS is never told that a table is indirect")
{
	start();
	for (unsigned i = 0; i < 8; i++) {
		write64(0, GITS_BASER + 8 * i, VALID | INDIRECT | QUEUE);
		check_shown(GITS_BASER + 8 * i, VALID | QUEUE);
		write32(0, GITS_BASER + 8 * i + 4, 0xc0000001);
		check_shown(GITS_BASER + 8 * i + 4, 0x80000001);
		write32(0, GITS_BASER + 8 * i, 0xc0000001);
		check_shown(GITS_BASER + 8 * i, 0xc0000001);
	}
	write64(0, GITS_BASER - 8, INDIRECT);
	check_shown(GITS_BASER - 8, INDIRECT);
	write64(0, GITS_BASER + 0x40, INDIRECT);
	check_shown(GITS_BASER + 0x40, INDIRECT);
	write64(0, GITS_BASER, INDIRECT);
	write64(0, DEVICE + 0x100, INDIRECT);
	check_shown(DEVICE + 0x100, INDIRECT);
}

/* ---- other vCPUs, the N-visor --------------------------------------------- */

TEST(one_at_a_time, "its: while one vCPU's copies are under way, another's write is tried again")
{
	start();
	write64(0, GICR_PROPBASER, PROPS | 13);
	write64(0, GICR_INVALLR, 0);
	check_copied(PROPS, PIECE);
	write64(1, GICR_INVLPIR + NEXT_RD, 8192);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(shared()->gpr[5], 0);
	check_eq(run(&vm, 1, TV_RUN_DONE), TV_OK);
	check_eq(guest_saw.pc, RAM);
	write64(1, DEVICE, 1); /* what is no matter of the ITS goes on */
	check_shown(DEVICE, 1);
	for (unsigned i = 1; i < 4; i++) {
		go_on(0);
		check_copied(PROPS + i * PIECE, PIECE);
	}
	go_on(0);
	check_shown(GICR_INVALLR, 0);
	write64(1, GICR_INVLPIR + NEXT_RD, 8192);
	check_shown(GICR_INVLPIR + NEXT_RD, 8192);
}

TEST(moved_meanwhile, "its: a queue that is moved and cut short while it is sent ends there")
{
	start();
	write64(0, GITS_CBASER, VALID | QUEUE | 1);
	write64(0, GITS_CWRITER, 0x1fe0);
	check_copied(QUEUE, PIECE);
	write64(1, GITS_CBASER, VALID | PROPS);
	check_eq(shared()->exit, TV_EXIT_MMIO);
	go_on(0);
	check_shown(GITS_CWRITER, 0x1fe0);
	write64(0, GITS_CBASER, VALID | QUEUE | 1);
	write64(0, GITS_CWRITER, 0x820);
	check_copied(QUEUE, PIECE);
	write64(1, GITS_CBASER, VALID | PROPS | 1);
	go_on(0);
	check_pieces(0, PROPS, 0x820);
	check_shown(GITS_CWRITER, 0x820);
}

TEST(flags, "its: after COPY, an answer to it is refused, an SError waits, and nothing is stepped")
{
	start();
	write64(0, GITS_CBASER, VALID | QUEUE);
	write64(0, GITS_CWRITER, 0xfe0);
	check_copied(QUEUE, PIECE);
	check_eq(run(&vm, 0, TV_RUN_ABORT), TV_EINVAL);
	check_eq(run(&vm, 0, TV_RUN_UNDEF), TV_EINVAL);
	check_eq(run(&vm, 0, TV_RUN_DONE | TV_RUN_ABORT), TV_EINVAL);
	check_eq(run(&vm, 0, TV_RUN_DONE | TV_RUN_SERROR), TV_OK);
	check_copied(QUEUE + PIECE, 0xfe0 - PIECE);
	memset(shared(), 0xa5, sizeof(*shared()));
	shared()->flags = shared()->cntvoff = 0;
	check_eq(run_as_is(&vm, 0), TV_OK);
	check_shown(GITS_CWRITER, 0xfe0);
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(guest_saw.pc, RAM);
	check_eq(guest_saw.x[5], 0xfe0);
	check(host_run.vserror);
}

TEST(lost_page, "its: a shared page that is lost under a copy is an error, and the rest goes on")
{
	start();
	write64(0, GITS_CBASER, VALID | QUEUE);
	host_broken_page = 1;
	write64(0, GITS_CWRITER, 0xfe0);
	check_copied(QUEUE, PIECE);
	host_broken_page = HOST_DRAM;
	check_eq(run(&vm, 0, 0), TV_EFAULT);
	host_broken_page = 1;
	go_on(0);
	check_copied(QUEUE + PIECE, 0xfe0 - PIECE);
	go_on(0);
	check_shown(GITS_CWRITER, 0xfe0);
}

TEST(gone, "its: an S-VM that dies amid its copies leaves nothing to the next")
{
	start();
	write64(0, GITS_CBASER, VALID | QUEUE);
	write64(0, GICR_PROPBASER, PROPS | 15);
	write64(1, GITS_CWRITER, 0x20);
	check_copied(QUEUE, 0x20);
	check_eq(svm_destroy(vm.handle), TV_OK);
	check_audit();
	vm = svm_launch(0, 0, 1); /* without a device tree */
	write64(0, GITS_CWRITER, 0x20);
	check_shown(GITS_CWRITER, 0x20);
	write64(0, GICR_INVALLR, 0);
	check_shown(GICR_INVALLR, 0);
	check_eq(svm_destroy(vm.handle), TV_OK);
	launch_at(DTB, nothing, 0);
	write64(0, GITS_CWRITER, 0x20); /* of the reset value of GITS_CBASER */
	check_shown(GITS_CWRITER, 0x20);
	check(its_works() && rd_works());
}

/* ---- where the windows come from ------------------------------------------ */

TEST(stub, "its: the device tree is where x0 points, or what the first instruction loads there")
{
	static const uint32_t qemu[] = {0x580000c0, 0xaa1f03e1, 0xaa1f03e2,    0xaa1f03e3,
					0x58000084, 0xd61f0080, (uint32_t)DTB, 0};
	static const uint32_t other[] = {0x580000c1, 0, 0, 0, 0, 0, (uint32_t)DTB, 0};
	static const uint32_t back[] = {0x58ffffc0, 0, 0, 0, 0, 0, (uint32_t)DTB, 0};

	usual();
	start_at(DTB, nothing, 0);
	check(its_works() && rd_works());
	start_at(0, qemu, 8);
	check(its_works());
	start_at(DTB, qemu, 8);
	check(its_works());
	start_at(0, nothing, 0);
	check(!its_works() && !rd_works());
	start_at(0, other, 8);
	check(!its_works());
	start_at(DTB, other, 8);
	check(its_works());
	start_at(0, back, 8);
	check(!its_works());
	start_at(DTB + (1UL << 48), nothing, 0);
	check(!its_works());
	start_at(DTB + 8, nothing, 0);
	check(!its_works());
	start_at(-4UL, nothing, 0);
	check(!its_works());
	start_at(DEVICE, nothing, 0);
	check(!its_works());
}

TEST(windows, "its: a window over RAM, or that is no range of pages, is none")
{
	static const struct {
		uint64_t base, size;
	} bad[] = {
		{RAM, 0x20000},
		{RAM - 0x10000, 0x20000},
		{RAM + RAM_SIZE - 0x1000, 0x20000},
		{RAM - 0x10000, RAM_SIZE + 0x20000},
		{ITS, 0},
		{ITS + 8, 0x20000},
		{ITS, 0x20008},
		{ITS, -0x1000UL},
		{1UL << NPT_BITS, 0x20000},
		{0, (1UL << NPT_BITS) + 0x1000},
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		machine("arm,gic-v3-its", bad[i].base, bad[i].size, RD, RD_SIZE);
		start_at(DTB, nothing, 0);
		check(!its_works() && rd_works());
		if (bad[i].base == RAM - 0x10000) /* in front of RAM, but for the check */
			check(!its_works_at(bad[i].base));
		if (!bad[i].size)
			continue;
		machine("arm,gic-v3-its", ITS, ITS_SIZE, bad[i].base, bad[i].size);
		start_at(DTB, nothing, 0);
		check(its_works() && !rd_works());
	}
}

TEST(names, "its: devices are known by `compatible`, the whole of one of its names")
{
	static const char *const bad[] = {"arm,gic-v3-it", "arm,gic-v3-itss", "xarm,gic-v3-its",
					  ""};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		machine(bad[i], ITS, ITS_SIZE, RD, RD_SIZE);
		start_at(DTB, nothing, 0);
		check(!its_works() && rd_works());
	}
}
