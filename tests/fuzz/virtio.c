// SPDX-License-Identifier: BSD-3-Clause
/*
 * libFuzzer target: a guest that drives virtio devices in any way, back ends that answer in any
 * way, and an N-visor that gives memory or does not, on the shipped core. What a guest has never
 * named must not leave, nor change; what the N-visor is told of rings must be in bounce memory; the
 * audit must find nothing, and no page of the heap may be lost. Input: how much bounce memory there
 * may be, then steps.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "fdt.h"
#include "fuzz.h"
#include "heap.h"
#include "twin.h"

#define RAM 0x40000000UL
#define DTB (RAM + 0x1000)
#define RINGS (RAM + 0x3000)
#define TABLE (RAM + 0x7000)
#define DATA (RAM + 0x8000)
#define FIRST 14 /* pages; those behind are not there at first */
#define PAGES 24
/* No byte that guest or back end write is 0x5e: so nobody ever names this. */
#define HIDDEN 0x2a5e000000UL
#define SIGN "^hidden^" /* all that is there */
#define BOUNCE 0x40010000UL

#define SHARE HOST_DRAM
#define NPT (HOST_DRAM + 0x10000)
#define GIVEN (HOST_DRAM + 0x80000)
#define SOURCE (HOST_DRAM + 0x100000)
#define POOL (HOST_DRAM + TV_CHUNK_SIZE)
#define MORE (POOL + TV_CHUNK_SIZE) /* another chunk, for the pages behind FIRST */

#define MODERN 0x0a000000UL
#define LEGACY 0x0a000200UL
#define FW_CFG 0x09020000UL
#define FLASH 0x04000000UL
#define ECAM 0x3f000000UL
#define FUNCTION (ECAM + 0x8000)
#define BAR 0x10000000UL
#define BELLS (BAR + 0x3000)

struct step {
	uint8_t op, a, b, c, d[4];
};

/* A queue of device 0, 1 or 2 as its driver has set it up last. */
struct ring {
	uint64_t guest, told[3];
	uint16_t size, avail, b_avail, b_used;
	bool packed, wrap, b_wrap, u_wrap;
};

static struct ring rings[3];
static uint8_t config[256];
static uint64_t handle, heap_at_start, page_size; /* of the legacy device */
static unsigned most, given;
static bool known; /* The guest knows the versions of its devices. */
static bool mean;  /* the N-visor gives nothing that is asked for */
static void *hoard[64];

/* What vCPU `by` does, at `at` once it has begun, as often as it must. */
static struct {
	bool begun, write;
	unsigned times, by, bytes;
	uint64_t at, addr, value;
} access_now;

/* What happens meanwhile, at a later access to bounce memory. */
static struct {
	unsigned in;
	struct step s;
} meanwhile;

static struct tv_run *shared(void)
{
	return host_mem(SHARE);
}

static uint8_t *private_at(uint64_t at)
{
	return host_guest_mem(host_run.s2_root, at);
}

static uint8_t *bounce_at(uint64_t at)
{
	uint64_t n = at - BOUNCE;

	return n < given * TV_PAGE_SIZE ? host_mem(GIVEN + n) : NULL;
}

static void put(uint8_t *(*where)(uint64_t), uint64_t at, const void *from, size_t size)
{
	const uint8_t *f = from;

	for (size_t i = 0; i < size; i++) {
		uint8_t *p = where(at + i);

		if (p)
			*p = f[i] == 0x5e ? 0x5f : f[i];
	}
}

static uint16_t back16(uint64_t at)
{
	uint8_t *low = bounce_at(at), *high = bounce_at(at + 1);

	return low && high ? *low | *high << 8 : 0;
}

/* ---- the guest ------------------------------------------------------------ */

static void guest(struct guest_regs *regs, struct guest_exit *out)
{
	if (!access_now.times || regs->mpidr % 2 != access_now.by ||
	    (access_now.begun && regs->pc != access_now.at))
		return;
	access_now.times--;
	access_now.begun = true;
	access_now.at = regs->pc;
	regs->x[3] = access_now.value;
	out->kind = GUEST_SYNC;
	out->esr = 0x24UL << 26 | 1 << 24 | (uint64_t)__builtin_ctz(access_now.bytes) << 22 |
		   3 << 16 | 1 << 15 | access_now.write << 6 | 7;
	out->far = access_now.addr & 0xfff;
	out->hpfar = access_now.addr >> 12 << 4;
}

/* What the N-visor may see of it. */
static void check_write(uint64_t addr, uint64_t value)
{
	uint64_t offset = addr - MODERN;
	uint64_t size = most * (uint64_t)TV_PAGE_SIZE;

	if (offset == 0x80 || offset == 0x90 || offset == 0xa0)
		REQUIRE(value - BOUNCE < size || (shared()->esr >> 22 & 3) != 2);
	if (addr == LEGACY + 0x40 && value && known && (shared()->esr >> 22 & 3) == 2)
		REQUIRE(value * page_size - BOUNCE < size);
}

static void tell(uint64_t addr, uint64_t value)
{
	uint64_t pci = addr - BAR - 0x20, mmio = addr - MODERN - 0x80;

	if (pci < 0x18)
		rings[2].told[pci / 8] = pci % 8 ? rings[2].told[pci / 8] : value;
	if (mmio < 0x30 && mmio % 16 == 0)
		rings[0].told[mmio / 16] = value;
	if (addr == LEGACY + 0x40)
		rings[1].told[0] = value * page_size;
}

/* ---- the N-visor ---------------------------------------------------------- */

static uint64_t reply(uint64_t addr, unsigned bytes, uint64_t random)
{
	uint64_t value = random;

	if (addr - FUNCTION + bytes <= sizeof(config) && addr >= FUNCTION)
		memcpy(&value, config + (addr - FUNCTION), bytes);
	else if (addr == MODERN + 4 || addr == LEGACY + 4)
		value = addr == MODERN + 4 ? 2 : 1;
	return value;
}

static void give(unsigned n)
{
	uint64_t *list = (uint64_t *)((uint8_t *)shared() + TV_RUN_DATA);
	struct tv_args a;

	if (n > most - given)
		n = most - given;
	for (unsigned i = 0; i < n; i++)
		list[i] = GIVEN + (given + i) * TV_PAGE_SIZE;
	a = smc(TV_BOUNCE_ADD, handle, n, 0, 0);
	if (a.x[0] == TV_OK)
		given = a.x[1];
}

static void ask_for(uint64_t ipa)
{
	uint64_t n = (ipa - RAM) / TV_PAGE_SIZE;
	uint64_t *leaves = host_mem(NPT + 2 * TV_PAGE_SIZE);

	if (n < PAGES)
		leaves[n] = ((n < FIRST ? POOL : MORE) + n * TV_PAGE_SIZE) | 0x7ff;
}

static int64_t enter(unsigned vcpu, uint64_t flags, uint64_t value)
{
	int64_t ret;

	memset(shared(), 0, sizeof(*shared()));
	shared()->flags = flags;
	shared()->gpr[3] = value;
	ret = smc(TV_VCPU_RUN, handle, vcpu, 0, 0).x[0];
	REQUIRE(ret == TV_OK || ret == TV_ENOHEAP || ret == TV_EDENIED || ret == TV_EINVAL);
	return ret;
}

/* One exit. False: it stays, or nothing more comes. */
static bool serve(unsigned vcpu, uint64_t random)
{
	uint64_t addr = shared()->hpfar >> 4 << 12 | shared()->far, value = shared()->gpr[3];
	unsigned bytes = 1u << (shared()->esr >> 22 & 3), rt = shared()->esr >> 16 & 31;

	switch (shared()->exit) {
	case TV_EXIT_MMIO:
		if (shared()->esr & 1 << 6) {
			value = rt == 31 ? 0 : shared()->gpr[rt];
			check_write(addr, value);
			tell(addr, value);
			return enter(vcpu, TV_RUN_DONE, 0) == TV_OK;
		}
		return enter(vcpu, TV_RUN_DONE, reply(addr, bytes, random)) == TV_OK;
	case TV_EXIT_FAULT:
		if (!mean)
			ask_for(addr);
		break;
	case TV_EXIT_BOUNCE:
		REQUIRE(shared()->size);
		if (!mean)
			give(shared()->size / TV_PAGE_SIZE + 1);
		break;
	case TV_EXIT_UNUSED:
		REQUIRE(shared()->size == MORE);
		if (!mean) {
			REQUIRE(smc(TV_CHUNK_FREE, handle, MORE, 0, 0).x[0] == TV_OK);
			REQUIRE(smc(TV_CHUNK_TAKE, handle, MORE, 0, 0).x[0] == TV_OK);
		}
		break;
	default:
		REQUIRE(shared()->exit == TV_EXIT_IRQ);
		return false;
	}
	return !mean && enter(vcpu, 0, 0) == TV_OK;
}

/* All of it, as long as the N-visor does its part. */
static uint64_t make(unsigned by, uint64_t addr, unsigned bytes, bool write, uint64_t value)
{
	uint64_t random = value;

	if (write && addr == LEGACY + 0x28 && bytes == 4)
		page_size = value;
	access_now.times = addr >= RAM ? 1 : 40;
	access_now.begun = false;
	access_now.by = by;
	access_now.addr = addr & ~(uint64_t)(bytes - 1);
	access_now.bytes = bytes;
	access_now.write = write;
	access_now.value = value;
	if (enter(by, 0, 0) != TV_OK)
		return 0;
	for (unsigned i = 0; i < 40 && serve(by, random); i++)
		;
	access_now.times = 0;
	return reply(addr, bytes, random);
}

static void write32(uint64_t addr, uint32_t value)
{
	make(0, addr, 4, true, value);
}

/* ---- steps: drivers ------------------------------------------------------- */

static void probe(const struct step *s)
{
	static const uint8_t reads[] = {0,    0x20, 0x34, 0x40, 0x44, 0x48,
					0x4c, 0x50, 0x54, 0x58, 0x5c};

	for (unsigned i = 0; i < sizeof(reads); i++)
		make(s->a & 1, FUNCTION + reads[i], 4, false, 0);
	write32(FUNCTION + 0x20, BAR);
	write32(FUNCTION + 0x24, 0);
}

static void set_features(uint64_t base, const uint8_t *offset, uint64_t features)
{
	for (unsigned half = 0; half < 2; half++) {
		write32(base + offset[0], half);
		write32(base + offset[1], features >> 32 * half);
	}
}

static const uint16_t part_at[] = {0, 0x800, 0x1000}; /* behind the start of a ring */

static void set_up_mmio(unsigned device, const struct step *s, uint64_t features)
{
	static const uint8_t feature_regs[] = {0x24, 0x20};
	uint64_t base = device ? LEGACY : MODERN;
	struct ring *r = &rings[device];

	make(0, base + 4, 4, false, 0);
	write32(base + 0x70, 0);
	set_features(base, feature_regs, features);
	write32(base + 0x30, s->c % 3);
	write32(base + 0x38, r->size);
	if (device) {
		write32(base + 0x28, 4096);
		write32(base + 0x3c, s->d[0] & 1 ? 4096 : 64);
		write32(base + 0x40, r->guest / 4096);
		return;
	}
	for (unsigned i = 0; i < 3; i++)
		write32(base + 0x80 + 16 * i, r->guest + part_at[i]);
	write32(base + 0x44, 1);
}

static void set_up_pci(const struct step *s, uint64_t features)
{
	static const uint8_t feature_regs[] = {0x08, 0x0c};
	struct ring *r = &rings[2];

	make(0, BAR + 0x14, 1, true, 0);
	make(0, BAR + 0x14, 1, true, 1);
	set_features(BAR, feature_regs, features);
	make(0, BAR + 0x16, 2, true, s->c % 3);
	make(0, BAR + 0x18, 2, true, r->size);
	for (unsigned i = 0; i < 3; i++)
		make(0, BAR + 0x20 + 8 * i, 8, true, r->guest + part_at[i]);
	make(0, BAR + 0x1c, 2, true, 1);
}

static void clear(uint64_t page)
{
	static const uint8_t zero[TV_PAGE_SIZE];

	put(private_at, page, zero, sizeof(zero));
}

static void set_up(const struct step *s)
{
	unsigned device = s->a % 3;
	struct ring *r = &rings[device];
	uint64_t features =
		1UL << 32 | (uint64_t)(s->b & 3) << 28 | (uint64_t)(s->b >> 2 & 1) << 34;

	*r = (struct ring){.size = s->c & 0x80 ? s->d[1] | s->d[2] << 8 : 1u << (s->c >> 4)};
	r->guest = RINGS + (s->d[3] & 1) * 0x2000;
	r->packed = device != 1 && s->b & 4;
	r->wrap = r->b_wrap = r->u_wrap = true;
	clear(r->guest);
	clear(r->guest + TV_PAGE_SIZE);
	if (device == 2)
		set_up_pci(s, features);
	else
		set_up_mmio(device, s, features);
}

static void ring_bell(unsigned device, uint8_t vcpu, uint32_t value)
{
	if (device == 2)
		make(vcpu & 1, BELLS, 2, true, value & 0xffff);
	else
		make(vcpu & 1, (device ? LEGACY : MODERN) + 0x50, 4, true, value);
}

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

static struct desc some_desc(const struct step *s, unsigned i)
{
	uint8_t x = s->d[i % 4] + i;
	struct desc d = {.addr = DATA + x * 100, .len = 1 + x * (x & 1 ? 7 : 99)};

	if (x % 32 == 31)
		d.addr = RAM + (uint64_t)x * 0x1000;
	d.flags = x & 2; /* WRITE */
	return d;
}

/* A chain of s->c descriptors in the ring or in a table, with id s->b */
static void post(const struct step *s)
{
	struct ring *r = &rings[s->a % 3];
	unsigned n = 1 + s->c % 5, size = r->size ? r->size : 1;
	bool table = s->c & 0x40;
	uint16_t id = s->b, index;

	for (unsigned i = 0; i < n + table; i++) {
		bool head = table && i == n;
		unsigned place = r->packed ? r->avail : head || !table ? (id + i) % size : 0;
		uint64_t to = table && !head ? TABLE + 16 * i : r->guest + 16 * place;
		struct desc d = some_desc(s, i);

		if (head)
			d = (struct desc){TABLE, 16 * n, 4, 0};
		else if (i + 1 < n)
			d.flags |= 1;
		d.next = table ? i + 1 : (id + i + 1) % size;
		if (head)
			to = r->guest + 16 * (r->packed ? place : id % size);
		if (r->packed) {
			d.next = d.flags | (r->wrap ? 0x80 : 0x8000);
			d.flags = id;
			if (head || !table)
				r->wrap ^= ++r->avail >= size;
			r->avail %= size;
		}
		put(private_at, to, &d, sizeof(d));
	}
	if (!r->packed) {
		uint64_t at = r->guest + (s->a % 3 == 1 ? 16 * size : 0x800);

		id %= size;
		put(private_at, at + 4 + 2 * (r->avail % size), &id, 2);
		index = ++r->avail;
		put(private_at, at + 2, &index, 2);
	}
	if (!(s->c & 0x80))
		ring_bell(s->a % 3, s->a >> 7, 0);
}

/* The first device is a balloon, if it is nothing else yet, and its guest names pages: of its own,
 * and any. */
static void balloon(const struct step *s)
{
	uint32_t frame[8];

	for (unsigned i = 0; i < 8; i++)
		frame[i] = s->b & 1 << i ? RAM / TV_PAGE_SIZE + (s->d[i % 4] + i) % 32
					 : s->d[i % 4] * 0x1010101u;
	make(0, MODERN + 8, 4, false, 5);
	for (unsigned i = 0; i < 4; i++)
		put(private_at, DATA + (s->d[i] + i) * 100, frame, sizeof(frame));
	post(s);
	ring_bell(0, s->a >> 7, s->c & 1);
}

static void bell(const struct step *s)
{
	ring_bell(s->a % 3, s->b, s->c & 1 ? s->d[0] : 0);
}

static const uint64_t places[] = {MODERN, MODERN,   LEGACY,        BAR,   BAR,
				  BELLS,  FUNCTION, FW_CFG + 0x10, FLASH, ECAM};

static uint64_t some_value(const struct step *s)
{
	uint32_t value = s->d[0] | s->d[1] << 8 | s->d[2] << 16 | (uint32_t)s->d[3] << 24;
	uint64_t wide = value;

	if (s->c & 0x40)
		wide = RAM + (value & 0x3ffff);
	if (s->c & 0x80)
		wide = (uint64_t)value << 32 | (RAM + s->d[0] * 0x100);
	for (unsigned i = 0; i < 64; i += 8) {
		if ((wide >> i & 0xff) == 0x5e)
			wide ^= 1UL << i;
	}
	return wide;
}

static void any_access(const struct step *s)
{
	uint64_t addr = places[s->a % (sizeof(places) / sizeof(places[0]))] + s->b;
	uint64_t value = some_value(s);

	addr &= ~((1UL << (s->c & 3)) - 1);
	if (addr == LEGACY + 0x28) /* so that a page number cannot become HIDDEN */
		value = s->d[0] & 1 ? 4096 : 0x10000;
	make(s->c >> 2 & 1, addr, 1u << (s->c & 3), s->c & 8, value);
}

static void guest_write(const struct step *s)
{
	put(private_at, RINGS + (s->a << 8 | s->b) % 0x6000, s->d, 1 + s->c % 4);
}

static void fw_cfg(const struct step *s)
{
	uint32_t request[4] = {__builtin_bswap32(s->b | s->c << 16),
			       __builtin_bswap32(s->d[0] << (s->a & 7)), 0,
			       __builtin_bswap32(DATA + s->d[1] * 64)};

	put(private_at, TABLE, request, sizeof(request));
	make(s->a >> 7, FW_CFG + 0x10, 8, true, __builtin_bswap64(TABLE));
}

/* ---- steps: back ends ----------------------------------------------------- */

/* The next chain, as far as it can be told. */
static unsigned next_id(struct ring *r, unsigned *descs)
{
	unsigned size = r->size ? r->size : 1;
	uint64_t at = r->told[0] + 16 * (r->b_avail % size);

	*descs = 1;
	if (!r->packed) {
		uint64_t ring = r->told[1] ? r->told[1] : r->told[0] + 16 * size;

		return back16(ring + 4 + 2 * (r->b_avail++ % size));
	}
	for (; back16(at + 14) & 1 && *descs < 5; at += 16)
		++*descs;
	r->b_avail = (r->b_avail + *descs) % size;
	return back16(at + 12);
}

static void use(const struct step *s)
{
	struct ring *r = &rings[s->a % 3];
	unsigned size = r->size ? r->size : 1, descs, id = next_id(r, &descs);
	uint64_t used = r->told[2] ? r->told[2] : r->told[0] + 0x1000;
	uint32_t e[2] = {s->b & 1 ? s->c : id, s->b & 2 ? s->d[0] << (s->b >> 4) : 0};

	if (r->packed) {
		uint64_t at = r->told[0] + 16 * r->b_used;
		uint16_t half[2] = {e[0], r->u_wrap ? 0x8080 : 0};

		put(bounce_at, at + 8, &e[1], 4);
		put(bounce_at, at + 12, half, 4);
		r->b_used += descs;
		r->u_wrap ^= r->b_used >= size;
		r->b_used %= size;
		return;
	}
	put(bounce_at, used + 4 + 8 * (r->b_used % size), e, 8);
	r->b_used++;
	put(bounce_at, used + 2, &r->b_used, 2);
}

static void back_write(const struct step *s)
{
	uint64_t at = BOUNCE + (s->a << 8 | s->b) % (64 * TV_PAGE_SIZE);

	for (unsigned i = 0; i < (s->c & 0x80 ? 64u : 1u); i++)
		put(bounce_at, at + 4 * i, s->d, 1 + s->c % 4);
}

/* ---- steps: the N-visor --------------------------------------------------- */

static void any_entry(const struct step *s)
{
	if (enter(s->a & 1, s->b & 15, some_value(s)) == TV_OK)
		serve(s->a & 1, 0);
}

static void memory(const struct step *s)
{
	switch (s->a % 8) {
	case 0:
		give(1 + s->b % 16);
		break;
	case 1:
		given = smc(TV_BOUNCE_TRIM, handle, 0, 0, 0).x[1];
		break;
	case 2:
		host_broken_page = s->b & 1 ? GIVEN + s->c % 64 * TV_PAGE_SIZE : 1;
		break;
	case 3:
		ask_for(RAM + (FIRST + s->b % 16) * TV_PAGE_SIZE);
		break;
	case 4:
		mean = s->b & 1;
		break;
	case 5:
		smc(TV_VM_SHOW, handle, FLASH + s->b % 20 * TV_PAGE_SIZE, GIVEN + s->c * 0x1000, 0);
		break;
	case 6:
		smc(TV_QUEUE_STATS, handle, s->b % 4, 0, 0);
		break;
	default:
		config[s->b] = s->c;
	}
}

static void no_hoard(void)
{
	for (unsigned i = 0; i < 64; i++) {
		heap_free(hoard[i], i < 32 ? 1u << (31 - i) / 3 : 1);
		hoard[i] = NULL;
	}
}

/* Uses the heap up, or gives it back. */
static void heap(const struct step *s)
{
	no_hoard();
	for (unsigned i = 0; s->a & 1 && i < 64; i++)
		hoard[i] = heap_alloc(i < 32 ? 1u << (31 - i) / 3 : 1);
}

static void later(const struct step *s)
{
	meanwhile.in = 1 + s->op / 16;
	meanwhile.s = *s;
}

/* Before an access to ordinary memory */
static void on_access(uint64_t pa)
{
	const struct step *s = &meanwhile.s;

	if (pa - GIVEN >= 64 * TV_PAGE_SIZE || !meanwhile.in || --meanwhile.in)
		return;
	if (s->a & 1)
		host_broken_page = pa & -4096UL;
	else if (s->a & 2)
		guest_write(s);
	else
		back_write(s);
}

/* ---- all ------------------------------------------------------------------ */

static uint8_t *hidden(void)
{
	return host_mem(POOL + PAGES * TV_PAGE_SIZE);
}

static void check_hidden(void)
{
	for (unsigned i = 0; i < TV_PAGE_SIZE; i += 8)
		REQUIRE(!memcmp(hidden() + i, SIGN, 8));
	REQUIRE(!memmem(host_mem(GIVEN), 64 * TV_PAGE_SIZE, SIGN, 8));
	REQUIRE(!memmem(shared(), TV_PAGE_SIZE, SIGN, 8));
}

static void one_step(const struct step *s)
{
	static void (*const ops[16])(const struct step *) = {
		probe,      set_up,      set_up, post, post, balloon,    bell,   any_access,
		any_access, guest_write, fw_cfg, use,  use,  back_write, memory, any_entry};

	if (s->op >= 0xf0)
		heap(s);
	else if (s->op >= 0xc0)
		later(s);
	else
		ops[s->op % 16](s);
}

static void node(struct fdt *f, const char *name, uint32_t base, uint32_t size)
{
	uint32_t reg[] = {0, base, 0, size};

	fdt_node(f, name);
	fdt_text(f, "compatible", name);
	fdt_cells(f, "reg", reg, 4);
	fdt_node_end(f);
}

static const struct fdt *tree(void)
{
	static const uint32_t two = 2;
	static struct fdt f;

	fdt_begin(&f);
	fdt_node(&f, "");
	fdt_cells(&f, "#address-cells", &two, 1);
	fdt_cells(&f, "#size-cells", &two, 1);
	node(&f, "virtio,mmio", MODERN, 0x200);
	node(&f, "virtio,mmio", LEGACY, 0x200);
	node(&f, "pci-host-ecam-generic", ECAM, 0x1000000);
	node(&f, "qemu,fw-cfg-mmio", FW_CFG, 0x18);
	node(&f, "cfi-flash", FLASH, 0x10000);
	fdt_node_end(&f);
	fdt_end(&f);
	memcpy(f.bytes + 2048, f.bytes + FDT_NAMES, 1024); /* all in one page */
	fdt_poke(&f, 12, 2048);
	REQUIRE(f.at <= 2048);
	return &f;
}

static void load(uint64_t ipa, const void *content)
{
	memcpy(host_mem(SOURCE), content, TV_PAGE_SIZE);
	REQUIRE(smc(TV_VM_LOAD, handle, ipa, SOURCE, POOL + (ipa - RAM)).x[0] == TV_OK);
}

static void launch(void)
{
	uint64_t *root = host_mem(NPT);

	memset(root, 0, 5 * TV_PAGE_SIZE);
	root[RAM >> 30] = (NPT + TV_PAGE_SIZE) | 3;
	root[512] = (NPT + 2 * TV_PAGE_SIZE) | 3;
	root[HIDDEN >> 30] = (NPT + 3 * TV_PAGE_SIZE) | 3;
	root[3 * 512 + (HIDDEN >> 21) % 512] = (NPT + 4 * TV_PAGE_SIZE) | 3;
	root[4 * 512] = (POOL + PAGES * TV_PAGE_SIZE) | 0x7ff;
	handle = smc(TV_VM_CREATE, NPT, 39, 1, 0).x[1];
	smc(TV_VM_RAM, handle, RAM, PAGES * TV_PAGE_SIZE, 0);
	smc(TV_VM_RAM, handle, HIDDEN, TV_PAGE_SIZE, 0);
	smc(TV_CHUNK_TAKE, handle, POOL, 0, 0);
	smc(TV_CHUNK_TAKE, handle, MORE, 0, 0);
	smc(TV_VM_BOUNCE, handle, BOUNCE, most, 0);
	load(DTB, tree()->bytes);
	memset(shared(), 0, sizeof(*shared()));
	shared()->gpr[0] = DTB;
	for (unsigned i = 0; i < 2; i++)
		smc(TV_VCPU_CREATE, handle, i, TV_VCPU_ON, 0);
	REQUIRE(smc(TV_VM_SEAL, handle, 0, 0, 0).x[0] == TV_OK);
	for (unsigned i = 0; i < FIRST; i++)
		ask_for(RAM + i * TV_PAGE_SIZE);
	make(0, RAM, 4, false, 0);
	make(0, DTB + TV_PAGE_SIZE, 4, false, 0);
	make(0, HIDDEN, 4, false, 0);
	for (unsigned i = 0; i < FIRST; i++)
		REQUIRE(host_guest_mem(host_run.s2_root, RAM + i * TV_PAGE_SIZE));
	for (unsigned i = 0; i < TV_PAGE_SIZE; i++)
		hidden()[i] = SIGN[i % 8];
}

static void make_config(void)
{
	static const uint8_t caps[] = {9, 0x50, 16, 1, 4, 0, 0, 0, 0, 0,    0, 0, 0x38, 0,    0, 0,
				       9, 0,    16, 2, 4, 0, 0, 0, 0, 0x30, 0, 0, 0,    0x10, 0, 0};

	memset(config, 0, sizeof(config));
	memcpy(config, "\xf4\x1a\x42\x10", 4);
	config[0x20] = 4;
	config[0x34] = 0x40;
	memcpy(config + 0x40, caps, sizeof(caps));
}

static void start(void)
{
	host_reset();
	host_boot(&host_manifest);
	smc(TV_CPU_SHARE, SHARE, 0, 0, 0);
	smc(TV_POOL_ADD, POOL, 2 * TV_CHUNK_SIZE, 0, 0);
	host_guest = guest;
	host_ns_hook = on_access;
	heap_at_start = smc(TV_AUDIT, 0, 0, 0, 0).x[4];
}

static void finish(void)
{
	struct tv_args a;

	no_hoard();
	meanwhile.in = 0;
	host_broken_page = 1;
	check_hidden();
	REQUIRE(smc(TV_AUDIT, 0, 0, 0, 0).x[1] == 0);
	a = smc(TV_STATS, TV_STATS_HEAP, 0, 0, 0);
	REQUIRE(a.x[1] == a.x[2] + a.x[3]);
	while (smc(TV_VM_DESTROY, handle, 0, 0, 0).x[0] == TV_AGAIN)
		;
	for (unsigned i = 0; i < 2; i++)
		REQUIRE(smc(TV_CHUNK_RETURN, 0, 0, 0, 0).x[0] == TV_OK);
	a = smc(TV_AUDIT, 0, 0, 0, 0);
	REQUIRE(a.x[1] == 0 && a.x[4] == heap_at_start);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct step *s = (const struct step *)(data + 1);
	static bool started;

	if (!started)
		start();
	started = true;
	most = size ? 1 + data[0] % 64 : 64;
	given = 0;
	mean = false;
	page_size = 0;
	memset(rings, 0, sizeof(rings));
	memset(host_mem(GIVEN), 0, 64 * TV_PAGE_SIZE);
	make_config();
	launch();
	known = !size || !(data[0] & 0x80);
	if (known) {
		make(0, MODERN + 4, 4, false, 0);
		make(0, LEGACY + 4, 4, false, 0);
	}
	for (unsigned i = 0; size && i < (size - 1) / sizeof(*s) && i < 64; i++) {
		one_step(&s[i]);
		if (i % 8 == 7)
			check_hidden();
	}
	finish();
	return 0;
}
