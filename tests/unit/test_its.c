// SPDX-License-Identifier: BSD-3-Clause
/* LPIs: what leaves for KVM's vITS, when, where to, and nothing else (I7). */
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
#define CBASER_ADDRESS 0xfffffffff0000UL
#define PROPBASER_ADDRESS 0xffffffffff000UL
#define INDIRECT (1UL << 62)

/* In RAM: the device tree, the command queue, properties of LPIs. */
#define DTB (RAM + PAGE(1))
#define QUEUE (RAM + 0x10000)
#define QUEUE_PAGES 3 /* that are mapped */
#define PROPS (RAM + 0x20000)
#define PROP_PAGES 14

/* Guest addresses of bounce memory, and the pages that there are. */
#define BOUNCE (RAM + 0x1000000)
#define BOUNCE_PAGES 64
#define BOUNCE_END (BOUNCE + PAGE(BOUNCE_PAGES))

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

/* Bounce memory: as much as there may be, and as there is after a launch. */
static unsigned most = BOUNCE_PAGES, present = BOUNCE_PAGES, given;
static uint64_t bounce[BOUNCE_PAGES];

static void give(unsigned pages)
{
	uint64_t *list = (uint64_t *)((uint8_t *)shared() + TV_RUN_DATA);

	for (unsigned i = 0; i < pages; i++)
		list[i] = bounce[given++] = ordinary_page();
	if (pages)
		check_eq(smc(TV_BOUNCE_ADD, vm.handle, pages, 0, 0), TV_OK);
}

static void *at_bounce(uint64_t ipa)
{
	check(ipa >= BOUNCE && ipa < BOUNCE_END);
	return host_mem(bounce[(ipa - BOUNCE) / TV_PAGE_SIZE] + ipa % TV_PAGE_SIZE);
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
	if (most)
		check_eq(smc(TV_VM_BOUNCE, vm.handle, BOUNCE, most, 0), TV_OK);
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_OK);
	given = 0;
	give(present);
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

/* The write is shown, with this value. */
static void check_shown(uint64_t addr, uint64_t value)
{
	check_eq(shared()->exit, TV_EXIT_MMIO);
	check_eq(shared()->hpfar, HPFAR(addr));
	check_eq(shared()->far, addr & 0xfff);
	check_eq(shared()->gpr[5], value);
	check_eq(guest_runs, 1);
}

/* What the guest reads there when the N-visor gives it `value`. */
static uint64_t read64(uint64_t addr, uint64_t value)
{
	access_by(0, addr, 0, 3, ISS_READ);
	shared()->gpr[5] = value;
	shared()->flags = TV_RUN_DONE;
	GUEST({{GUEST_IRQ, 0, 0, 0}, NULL});
	check_eq(run_as_is(&vm, 0), TV_OK);
	return guest_saw.x[5];
}

/* The address that was just shown. */
static uint64_t shown(uint64_t mask)
{
	check_eq(shared()->exit, TV_EXIT_MMIO);
	return shared()->gpr[5] & mask;
}

static uint64_t set_queue(unsigned pages)
{
	write64(0, GITS_CBASER, VALID | QUEUE | (pages - 1));
	return shown(CBASER_ADDRESS);
}

static uint64_t set_table(unsigned bits)
{
	write64(0, GICR_PROPBASER, PROPS | (bits - 1));
	return shown(PROPBASER_ADDRESS);
}

/* Of [ipa, ipa + size) of the guest's so much has arrived there, and zeros are behind it. */
static bool arrived(uint64_t there, uint64_t ipa, uint64_t size, uint64_t all)
{
	bool ok = true;

	for (uint64_t i = 0; i < all; i += 8) {
		uint64_t want = i < size ? *(uint64_t *)guest_at(ipa + i) : 0;

		ok &= *(uint64_t *)at_bounce(there + i) == want;
	}
	return ok;
}

static bool its_works_at(uint64_t its)
{
	write64(0, its + 0x80, VALID | QUEUE);
	return shared()->gpr[5] != (VALID | QUEUE);
}

static bool its_works(void)
{
	return its_works_at(ITS);
}

static bool rd_works(void)
{
	write64(0, GICR_PROPBASER, PROPS | 15);
	return shared()->gpr[5] != (PROPS | 15);
}

static void end(void)
{
	check_eq(svm_destroy(vm.handle), TV_OK);
	check_audit();
}

/* ---- commands ------------------------------------------------------------- */

TEST(commands, "its: new commands are there before GITS_CWRITER is shown, and no more")
{
	uint64_t there;

	start();
	there = set_queue(3);
	check(there >= BOUNCE && there + PAGE(3) <= BOUNCE_END && there % 0x10000 == 0);
	check_eq(shared()->gpr[5] & ~CBASER_ADDRESS, VALID | 2);
	check(arrived(there, QUEUE, 0, PAGE(3)));
	write64(0, GITS_CWRITER, 0x40);
	check_shown(GITS_CWRITER, 0x40);
	check(arrived(there, QUEUE, 0x40, PAGE(3)));
	write64(1, GITS_CWRITER, PAGE(2) + 0x20);
	check(arrived(there, QUEUE, PAGE(2) + 0x20, PAGE(3)));
	end();
}

TEST(commands_ring, "its: the queue is a ring")
{
	uint64_t there;

	start();
	there = set_queue(1);
	write64(0, GITS_CWRITER, 0xfe0);
	check(arrived(there, QUEUE, 0xfe0, PAGE(1)));
	memset(guest_at(QUEUE), 0x77, 0x40);
	write64(0, GITS_CWRITER, 0x20);
	check_eq(*(uint64_t *)at_bounce(there + 0xfe0), QUEUE + 0xfe0);
	check_eq(*(uint64_t *)at_bounce(there + 0x18), 0x7777777777777777);
	check_eq(*(uint64_t *)at_bounce(there + 0x20), QUEUE + 0x20);
}

TEST(commands_halves, "its: GITS_CBASER by halves, and the guest reads its own address")
{
	uint64_t low, high;

	start();
	write32(0, GITS_CBASER, QUEUE | 1);
	low = shown(0xffff0000);
	write32(0, GITS_CBASER + 4, VALID >> 32);
	high = shown(0xfffff);
	check_eq(shared()->gpr[5] >> 31, 1);
	check(low >= BOUNCE && low < BOUNCE_END && high == 0);
	write32(0, GITS_CWRITER, 0x60);
	check(arrived(low, QUEUE, 0x60, PAGE(2)));
	check_eq(read64(GITS_CBASER, VALID | low | 0x780), VALID | QUEUE | 0x780);
}

TEST(commands_restart, "its: GITS_CBASER starts the queue anew, and its old room is free")
{
	uint64_t there;

	start();
	for (unsigned i = 0; i < 100; i++) {
		there = set_queue(1 + i % 3);
		write64(0, GITS_CWRITER, 0x20);
		check(arrived(there, QUEUE, 0x20, 0x40) || i);
	}
	end();
}

TEST(commands_none, "its: no commands of a queue that is not valid, or beyond it, or outside RAM")
{
	uint64_t there;

	start();
	write64(0, GITS_CBASER, QUEUE);
	there = shown(CBASER_ADDRESS);
	write64(0, GITS_CWRITER, 0x40);
	check(arrived(there, QUEUE, 0, PAGE(1)));
	there = set_queue(1);
	write64(0, GITS_CWRITER, 0x1000);
	check(arrived(there, QUEUE, 0, PAGE(1)));
	write64(0, GITS_CBASER, VALID | (RAM + RAM_SIZE));
	there = shown(CBASER_ADDRESS);
	write64(0, GITS_CWRITER, 0x40);
	check(arrived(there, QUEUE, 0, PAGE(1)));
	write64(0, GITS_CBASER, VALID | DEVICE);
	write64(0, GITS_CWRITER, 0x40);
	check(arrived(there, QUEUE, 0, PAGE(1)));
	write64(0, GITS_CBASER, VALID | (RAM + 0x800000)); /* never touched */
	write64(0, GITS_CWRITER, 0x40);
	check(arrived(there, QUEUE, 0, PAGE(1)));
}

/* ---- properties ----------------------------------------------------------- */

TEST(properties, "its: properties are there when the vITS reads them, and at no other time")
{
	uint64_t there;

	start();
	set_queue(1);
	there = set_table(14);
	check(there >= BOUNCE && there % 0x10000 == 0);
	check(arrived(there, PROPS, 0, PAGE(2)));
	write64(0, GITS_CWRITER, 0x20); /* not enabled: counts later */
	check(arrived(there, PROPS, 0, PAGE(2)));
	write32(0, GITS_CTLR, 1);
	check(arrived(there, PROPS, PAGE(2), PAGE(2)));
	memset(guest_at(PROPS), 0x99, PAGE(1));
	write64(0, GITS_CREADR, 0);
	write64(0, GICR_CTLR, 1);
	write32(0, GITS_CTLR, 1);
	check(!arrived(there, PROPS, PAGE(2), PAGE(2)));
	write64(0, GITS_CWRITER, 0x40);
	check(arrived(there, PROPS, PAGE(2), PAGE(2)));
}

TEST(properties_now, "its: GICR_INVLPIR and GICR_INVALLR of any redistributor have them read")
{
	static const uint64_t reg[] = {GICR_INVLPIR, GICR_INVALLR, GICR_INVALLR + 7 * NEXT_RD};
	uint64_t there;

	start();
	write64(0, GICR_PROPBASER + 3 * NEXT_RD, PROPS | 13);
	there = shown(PROPBASER_ADDRESS);
	for (unsigned i = 0; i < 3; i++) {
		memset(guest_at(PROPS), 0x11 * i, PAGE(1));
		write64(0, reg[i], 8192);
		check(arrived(there, PROPS, PAGE(2), PAGE(2)));
	}
}

TEST(properties_size, "its: as many properties as IDbits says, 16 bits at most; none below 14")
{
	uint64_t there;

	start();
	check_eq(set_table(13), 0);
	there = set_table(32);
	write64(0, GICR_INVALLR, 0);
	check(arrived(there, PROPS, PAGE(PROP_PAGES), PAGE(PROP_PAGES)));
	check_eq(read64(GICR_PROPBASER, there | 31), PROPS | 31);
	end();
}

TEST(properties_outside, "its: properties outside RAM are left out")
{
	uint64_t there, last = RAM + RAM_SIZE - PAGE(1);

	start();
	write64(0, GICR_PROPBASER, last | 13);
	there = shown(PROPBASER_ADDRESS);
	write64(0, GICR_INVALLR, 0);
	check(arrived(there, last, PAGE(1), PAGE(2)));
}

/* ---- room ----------------------------------------------------------------- */

TEST(room_wanted, "its: without room it is wanted first, and the write comes then")
{
	present = 0;
	start();
	write64(0, GITS_CBASER, VALID | QUEUE | 1);
	check_eq(shared()->exit, TV_EXIT_BOUNCE);
	check(shared()->size >= PAGE(2) && shared()->gpr[5] == 0 && shared()->hpfar == 0);
	give(32);
	check(set_queue(2) >= BOUNCE);
	end();
}

TEST(room_none, "its: an S-VM that can have no more shows no address, and goes on")
{
	most = present = 0;
	start();
	check_eq(set_queue(1), 0);
	write64(0, GITS_CWRITER, 0x40);
	check_shown(GITS_CWRITER, 0x40);
	check_eq(set_table(16), 0);
	write64(0, GICR_INVALLR, 0);
	check_shown(GICR_INVALLR, 0);
	end();
}

TEST(room_broken, "its: room that is no longer ordinary does no harm")
{
	start();
	set_queue(1);
	host_broken_page = bounce[0];
	write64(0, GITS_CWRITER, 0x40);
	check_shown(GITS_CWRITER, 0x40);
	end();
}

/* ---- other registers ------------------------------------------------------ */

TEST(pending, "its: the vITS never reads pending tables")
{
	start();
	write64(0, GICR_PENDBASER, QUEUE);
	check_shown(GICR_PENDBASER, QUEUE | 1UL << 62);
	write32(0, GICR_PENDBASER + 4 + NEXT_RD, 0);
	check_shown(GICR_PENDBASER + 4 + NEXT_RD, 1UL << 30);
	write32(0, GICR_PENDBASER, QUEUE);
	check_shown(GICR_PENDBASER, QUEUE);
}

TEST(others, "its: no other register, no read and no odd access has anything copied")
{
	uint64_t there;

	start();
	there = set_queue(1);
	write64(0, GITS_CREADR, 0x40);
	write64(0, GITS_TRANSLATER, 0x40);
	write32(0, GITS_CWRITER + 4, 0x40);
	access_by(0, GITS_CWRITER, 0x40, 3, ISS_READ);
	access_by(0, GITS_CWRITER, 0x40, 1, ISS_WNR);
	access_by(0, GITS_CWRITER + 2, 0x40, 2, ISS_WNR);
	write64(0, DEVICE + 0x88, 0x40);
	check(arrived(there, QUEUE, 0, PAGE(1)));
	check_eq(read64(GITS_CWRITER, 0x1234), 0x1234);
	check_eq(read64(GITS_BASER, QUEUE), QUEUE);
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
