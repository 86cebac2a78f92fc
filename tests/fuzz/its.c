// SPDX-License-Identifier: BSD-3-Clause
/*
 * libFuzzer target: device trees of any content, and guests that write any register of ITS and
 * redistributors, on the shipped core. What is found in bounce memory must be of RAM that the guest
 * has named, and every write must be shown in the end. Input: one byte, then so many changes to
 * the tree (offset, word), then writes.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "fdt.h"
#include "twin.h"
#include "vm.h"

#define RAM 0x40000000UL
#define PAGES 64
#define RAM_SIZE (PAGES * (uint64_t)TV_PAGE_SIZE)
#define POOL (HOST_DRAM + TV_CHUNK_SIZE)
#define SHARE HOST_DRAM
#define NPT (HOST_DRAM + 0x10000)
#define SOURCE (HOST_DRAM + 0x100000)
#define DTB RAM
#define ITS 0x08080000UL
#define RD 0x080a0000UL
#define BOUNCE (RAM + 0x10000000)        /* guest address */
#define BOUNCE_AT (POOL + TV_CHUNK_SIZE) /* ordinary */
#define BOUNCE_PAGES 320 /* for the largest queue and table, each with room to be aligned */

struct poke {
	uint16_t at, word;
};

struct step {
	uint8_t vcpu, where, offset, value[5];
};

static struct fdt fdt, good;
static const struct step *now;
static uint64_t handle, cbaser, propbaser;
static bool named[256]; /* what is in the pages that CBASER and PROPBASER have named */
static bool changed;    /* the tree: registers may be anywhere */

static struct tv_run *shared(void)
{
	return host_mem(SHARE);
}

static void node(const char *name, const char *compatible, const uint32_t *reg, size_t cells)
{
	fdt_node(&good, name);
	fdt_text(&good, "compatible", compatible);
	fdt_cells(&good, "reg", reg, cells);
}

static void make_good(void)
{
	static const uint32_t two = 2, its[] = {0, ITS, 0, 0x20000},
			      gic[] = {0, 0x8000000, 0, 0x10000, 0, RD, 0, 0xf60000};

	fdt_begin(&good);
	fdt_node(&good, "");
	fdt_cells(&good, "#address-cells", &two, 1);
	fdt_cells(&good, "#size-cells", &two, 1);
	node("intc", "arm,gic-v3", gic, 8);
	fdt_cells(&good, "#address-cells", &two, 1);
	fdt_cells(&good, "#size-cells", &two, 1);
	node("its", "arm,gic-v3-its", its, 4);
	for (unsigned i = 0; i < 3; i++)
		fdt_node_end(&good);
	fdt_end(&good);
}

static const uint64_t offsets[] = {0x0,   0x80, 0x84, 0x88, 0x8c, 0x90,    0x100,   0x104,
				   0x108, 0x70, 0x74, 0xa0, 0xb0, 0x20070, 0x200a0, 0x10040};

static uint64_t address(const struct step *s)
{
	uint64_t offset = s->where & 0x80 ? s->offset : offsets[s->offset % 16];

	return (s->where & 7) == 7 ? 0x09000000 : (s->where & 1 ? RD : ITS) + offset;
}

/* Small numbers, addresses in and near RAM, both, anything. */
static uint64_t some_value(const struct step *s)
{
	const uint8_t *v = s->value;
	uint64_t low = v[1] | v[2] << 8;

	switch (v[0] % 4) {
	case 0:
		return low << (v[3] % 6);
	case 1:
		return (RAM + (v[1] % (PAGES + 2)) * TV_PAGE_SIZE) | v[2];
	case 2:
		return (RAM - 0x10000) | low << 12 | v[3];
	default:
		return low << 48 | (uint64_t)v[3] << 28 | v[4] << 4;
	}
}

static void put(uint64_t *reg, uint64_t addr, uint64_t value, unsigned bytes)
{
	if (bytes == 8)
		*reg = value;
	else if (bytes == 4)
		memcpy((uint8_t *)reg + (addr & 4), &value, 4);
}

static unsigned bytes_of(const struct step *s)
{
	return 1 << (s->where >> 4 & 1 ? s->where >> 5 & 3 : 3 - (s->where >> 3 & 1));
}

/* Each page that is loaded is full of its own number, but for the tree's. */
static void name(uint64_t base, uint64_t size)
{
	for (uint64_t at = base & ~0xfffUL; at < base + size; at += TV_PAGE_SIZE) {
		uint64_t page = (at - RAM) / TV_PAGE_SIZE;

		if (page < PAGES)
			named[page] = true;
		changed |= page < 2;
	}
}

/* The tables as the guest's writes name them. */
static void follow(const struct step *s)
{
	uint64_t addr = address(s), value = some_value(s);
	unsigned bytes = bytes_of(s);

	if (bytes < 4 || addr % bytes)
		return;
	if ((addr & ~4UL) == ITS + 0x80)
		put(&cbaser, addr, value, bytes);
	if (addr >= RD && ((addr - RD) % 0x20000 & ~4UL) == 0x70)
		put(&propbaser, addr, value, bytes);
	name(cbaser & 0xfffffffff0000, ((cbaser & 0xff) + 1) * 4096);
	name(propbaser & 0xffffffffff000, 0xe000);
}

static void guest(struct guest_regs *regs, struct guest_exit *out)
{
	unsigned bytes = bytes_of(now);

	regs->x[3] = some_value(now);
	out->kind = GUEST_SYNC;
	out->esr = 0x24UL << 26 | 1 << 24 | (uint64_t)__builtin_ctz(bytes) << 22 | 3 << 16 |
		   1 << 15 | 1 << 6 | 7;
	out->far = address(now) & 0xfff;
	out->hpfar = address(now) >> 12 << 4;
	follow(now);
}

static void one_write(const struct step *s)
{
	now = s;
	memset(shared(), 0, sizeof(*shared()));
	REQUIRE(smc(TV_VCPU_RUN, handle, s->vcpu & 1, 0, 0).x[0] == TV_OK);
	REQUIRE(shared()->exit == TV_EXIT_MMIO);
}

/* Unless the tree is another, or was in a table itself. */
static void check_bounce(void)
{
	const uint8_t *p = host_mem(BOUNCE_AT);

	for (size_t i = 0; i < BOUNCE_PAGES * TV_PAGE_SIZE; i++)
		REQUIRE(changed || !p[i] || named[p[i]]);
}

static void give_bounce(void)
{
	uint64_t *list = (uint64_t *)((uint8_t *)shared() + TV_RUN_DATA);

	memset(host_mem(BOUNCE_AT), 0, BOUNCE_PAGES * TV_PAGE_SIZE);
	for (unsigned n = 0; n < BOUNCE_PAGES; n += 64) {
		for (unsigned i = 0; i < 64; i++)
			list[i] = BOUNCE_AT + (n + i) * TV_PAGE_SIZE;
		REQUIRE(smc(TV_BOUNCE_ADD, handle, 64, 0, 0).x[0] == TV_OK);
	}
}

static void load(unsigned page, const void *content)
{
	memcpy(host_mem(SOURCE), content, TV_PAGE_SIZE);
	REQUIRE(smc(TV_VM_LOAD, handle, RAM + page * TV_PAGE_SIZE, SOURCE,
		    POOL + page * TV_PAGE_SIZE)
			.x[0] == TV_OK);
}

static void launch(void)
{
	static uint8_t content[TV_PAGE_SIZE];

	handle = smc(TV_VM_CREATE, NPT, 39, 1, 0).x[1];
	smc(TV_VM_RAM, handle, RAM, RAM_SIZE, 0);
	smc(TV_CHUNK_TAKE, handle, POOL, 0, 0);
	load(0, fdt.bytes);
	load(1, fdt.bytes + TV_PAGE_SIZE);
	for (unsigned i = 16; i < PAGES - 8; i++) {
		memset(content, i, sizeof(content));
		load(i, content);
	}
	memset(shared(), 0, sizeof(*shared()));
	shared()->gpr[0] = DTB;
	for (unsigned i = 0; i < 2; i++)
		smc(TV_VCPU_CREATE, handle, i, TV_VCPU_ON, 0);
	REQUIRE(smc(TV_VM_BOUNCE, handle, BOUNCE, BOUNCE_PAGES, 0).x[0] == TV_OK);
	REQUIRE(smc(TV_VM_SEAL, handle, 0, 0, 0).x[0] == TV_OK);
	give_bounce();
}

static void start(void)
{
	make_good();
	host_reset();
	host_boot(&host_manifest);
	smc(TV_CPU_SHARE, SHARE, 0, 0, 0);
	smc(TV_POOL_ADD, POOL, TV_CHUNK_SIZE, 0, 0);
	host_guest = guest;
}

/* The changes that the input wants; what is left of it. */
static const uint8_t *change(const uint8_t *data, const uint8_t *end)
{
	unsigned n = data < end ? *data++ % 16 : 0;

	fdt = good;
	changed = n && data + sizeof(struct poke) <= end;
	for (; n && data + sizeof(struct poke) <= end; n--, data += sizeof(struct poke)) {
		struct poke p;

		memcpy(&p, data, sizeof(p));
		fdt_poke(&fdt, p.at % (FDT_MAX / 4) * 4,
			 p.word & 0x8000 ? (uint32_t)p.word << 17 : p.word);
	}
	return data;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size;
	static bool started;

	if (!started)
		start();
	started = true;
	cbaser = propbaser = 0;
	memset(named, 0, sizeof(named));
	data = change(data, end);
	launch();
	for (; data + sizeof(struct step) <= end; data += sizeof(struct step))
		one_write((const struct step *)data);
	check_bounce();
	REQUIRE(smc(TV_AUDIT, 0, 0, 0, 0).x[1] == 0);
	while (smc(TV_VM_DESTROY, handle, 0, 0, 0).x[0] == TV_AGAIN)
		;
	return 0;
}
