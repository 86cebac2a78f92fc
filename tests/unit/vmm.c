// SPDX-License-Identifier: BSD-3-Clause
/* A VMM's virtio devices as far as registers go, and how a driver reaches them. */
#include "virtio.h"

#define NOTIFY_AT 0x3000 /* offsets in BAR 4 */
#define BAR_SIZE 0x4000
#define MSIX_AT 0x2800
#define NONE 0xffff

struct vmm_card vmm[MMIOS + 2];
uint8_t vmm_config[2][256];

static const struct {
	uint16_t mmio, pci;
	uint8_t bytes; /* PCI */
} fields[FIELDS] = {
	[OFFERED_SELECT] = {0x14, 0x00, 4},
	[OFFERED] = {0x10, 0x04, 4},
	[ACCEPTED_SELECT] = {0x24, 0x08, 4},
	[ACCEPTED] = {0x20, 0x0c, 4},
	[STATUS] = {0x70, 0x14, 1},
	[QUEUE] = {0x30, 0x16, 2},
	[NOTIFY] = {0x50, NONE, 4},
	[VERSION] = {0x04, NONE, 4},
	[GUEST_PAGE] = {0x28, NONE, 4},
	[MOST] = {0x34, NONE, 4},
	[SIZE] = {0x38, 0x18, 2},
	[READY] = {0x44, 0x1c, 2},
	[ALIGN] = {0x3c, NONE, 4},
	[PFN] = {0x40, NONE, 4},
	[PART] = {0x80, 0x20, 4},
	[PART + 1] = {0x84, 0x24, 4},
	[PART + 2] = {0x90, 0x28, 4},
	[PART + 3] = {0x94, 0x2c, 4},
	[PART + 4] = {0xa0, 0x30, 4},
	[PART + 5] = {0xa4, 0x34, 4},
};

/* ---- the VMM -------------------------------------------------------------- */

static uint32_t *register_of(struct vmm_card *c, enum field f)
{
	if (f < MOST)
		return &c->reg[f];
	return c->reg[QUEUE] < 80 ? &c->queue[c->reg[QUEUE]][f] : &c->reg[f];
}

static uint32_t read_field(struct vmm_card *c, enum field f)
{
	unsigned select = c->reg[OFFERED_SELECT];

	if (f == OFFERED)
		return select > 1 ? 0 : c->offered >> 32 * select;
	return *register_of(c, f);
}

static void reset_card(struct vmm_card *c)
{
	for (unsigned i = 0; i < 80; i++) {
		uint32_t most = c->queue[i][MOST];

		memset(c->queue[i], 0, sizeof(c->queue[i]));
		c->queue[i][MOST] = c->queue[i][SIZE] = most;
	}
	c->accepted = 0;
}

static void write_field(struct vmm_card *c, enum field f, uint32_t value)
{
	unsigned select = c->reg[ACCEPTED_SELECT];

	*register_of(c, f) = value;
	if (f == NOTIFY)
		c->kicks++;
	if (f == ACCEPTED && select < 2)
		c->accepted = (c->accepted & ~(0xffffffffUL << 32 * select)) |
			      (uint64_t)value << 32 * select;
	if (f == STATUS && !value)
		reset_card(c);
}

static enum field find_field(bool pci, uint64_t offset, unsigned bytes)
{
	for (enum field f = 0; f < FIELDS; f++) {
		if ((pci ? fields[f].pci : fields[f].mmio) == offset &&
		    bytes == (pci ? fields[f].bytes : 4))
			return f;
	}
	return FIELDS;
}

static uint64_t bar(const uint8_t *config)
{
	uint64_t value;

	memcpy(&value, config + 0x20, 8);
	return value & ~15UL;
}

/* The device there, and which of its registers; FIELDS: none that counts. */
static struct vmm_card *find(uint64_t addr, unsigned bytes, enum field *f)
{
	if (addr - MMIO(0) < MMIO(MMIOS) - MMIO(0)) {
		*f = find_field(false, (addr - MMIO(0)) % 0x200, bytes);
		return &vmm[(addr - MMIO(0)) / 0x200];
	}
	for (unsigned i = 0; i < 2; i++) {
		uint64_t at = addr - bar(vmm_config[i]);

		if (at >= BAR_SIZE)
			continue;
		*f = at >= NOTIFY_AT ? NOTIFY : find_field(true, at, bytes);
		return &vmm[PCI_CARD + i];
	}
	return NULL;
}

static uint8_t *config_at(uint64_t addr)
{
	for (unsigned i = 0; i < 2; i++) {
		if (addr - FUNCTION(i) < 256)
			return vmm_config[i] + (addr - FUNCTION(i));
	}
	return NULL;
}

uint64_t vmm_read(uint64_t addr, unsigned bytes)
{
	struct vmm_card *c;
	uint64_t value = 0;
	enum field f;

	if (addr - ECAM < 0x10000000) {
		value = ~0UL >> (64 - 8 * bytes);
		if (config_at(addr))
			memcpy(&value, config_at(addr), bytes);
		return value;
	}
	c = find(addr, bytes, &f);
	return c && f < FIELDS ? read_field(c, f) : 0;
}

static void write_config(uint64_t addr, unsigned bytes, uint32_t value)
{
	unsigned at = addr & 0xff;

	if (at >= 0x10 && at < 0x28 && bytes == 4) /* the low half keeps its type */
		value = at == 0x24 ? value : (value & ~(BAR_SIZE - 1)) | (*config_at(addr) & 15);
	memcpy(config_at(addr), &value, bytes);
}

void vmm_write(uint64_t addr, unsigned bytes, uint64_t value)
{
	struct vmm_card *c;
	enum field f;

	if (addr - ECAM < 0x10000000) {
		if (config_at(addr))
			write_config(addr, bytes, value);
		return;
	}
	c = find(addr, bytes, &f);
	if (c && f < FIELDS)
		write_field(c, f, value);
}

static void capability(uint8_t *config, unsigned at, unsigned next, unsigned type, uint32_t offset,
		       uint32_t length)
{
	const uint8_t cap[] = {9, next, 16, type, 4, 0, 0, 0};

	memcpy(config + at, cap, sizeof(cap));
	memcpy(config + at + 8, &offset, 4);
	memcpy(config + at + 12, &length, 4);
}

static void make_config(uint8_t *config)
{
	static const uint8_t ids[] = {0xf4, 0x1a, 0x42, 0x10};

	memset(config, 0, 256);
	memcpy(config, ids, sizeof(ids));
	config[0x06] = 0x10; /* there are capabilities: */
	config[0x34] = 0x40;
	config[0x40] = 0x11; /* MSI-X */
	config[0x41] = 0x50;
	config[0x42] = 3; /* four vectors, in BAR 4 */
	config[0x44] = 4;
	config[0x45] = MSIX_AT >> 8;
	capability(config, 0x50, 0x60, 1, 0, 0x38);
	capability(config, 0x60, 0x70, 3, 0x1000, 0x10);
	capability(config, 0x70, 0x80, 4, 0x2000, 0x100);
	capability(config, 0x80, 0, 2, NOTIFY_AT, 0x1000);
	config[0x20] = 0xc; /* 64 bits, prefetchable */
}

void vmm_reset(void)
{
	memset(vmm, 0, sizeof(vmm));
	for (unsigned i = 0; i < MMIOS + 2; i++) {
		vmm[i].offered = ~0UL;
		vmm[i].reg[VERSION] = 2;
		for (unsigned q = 0; q < 80; q++)
			vmm[i].queue[q][MOST] = vmm[i].queue[q][SIZE] = 1024;
	}
	make_config(vmm_config[0]);
	make_config(vmm_config[1]);
}

/* ---- the driver ----------------------------------------------------------- */

struct card mmio_card(unsigned n)
{
	struct card c = {.back = &vmm[n], .base = MMIO(n), .notify = MMIO(n) + fields[NOTIFY].mmio};

	check_eq(get_reg(&c, VERSION), 2);
	return c;
}

struct card legacy_card(unsigned n)
{
	struct card c = {.back = &vmm[n], .base = MMIO(n), .notify = MMIO(n) + fields[NOTIFY].mmio};

	vmm[n].reg[VERSION] = 1;
	vmm[n].offered &= 0xffffffff;
	check_eq(get_reg(&c, VERSION), 1);
	return c;
}

/* Sizes BAR 4 and sets it. */
static void set_bar(unsigned n, uint64_t at)
{
	uint64_t reg = FUNCTION(n) + 0x20;

	guest_read(reg, 4);
	for (unsigned half = 0; half < 2; half++) {
		guest_write(reg + 4 * half, 4, 0xffffffff);
		guest_read(reg + 4 * half, 4);
		guest_write(reg + 4 * half, 4, at >> 32 * half);
	}
}

struct card pci_probe(unsigned n, uint64_t at)
{
	struct card c = {.pci = true, .back = &vmm[PCI_CARD + n]};
	uint64_t config = FUNCTION(n);
	unsigned cap;

	check_eq(guest_read(config, 4) & 0xffff, 0x1af4);
	set_bar(n, at);
	cap = guest_read(config + 0x34, 1);
	for (unsigned i = 0; cap && i < 48; i++) {
		uint64_t id = guest_read(config + cap, 2);
		unsigned type = (id & 0xff) == 9 ? guest_read(config + cap + 3, 1) : 0;

		if ((id & 0xff) == 0x11) {
			guest_read(config + cap + 2, 2);
			c.msix = at + (guest_read(config + cap + 4, 4) & ~7UL);
		}

		if (type >= 1 && type <= 3) {
			uint64_t *of[] = {&c.base, &c.notify, &c.interrupt};

			guest_read(config + cap + 4, 1);
			*of[type - 1] = at + guest_read(config + cap + 8, 4);
			guest_read(config + cap + 12, 4);
		}
		cap = id >> 8;
	}
	return c;
}

struct card pci_card(unsigned n)
{
	return pci_probe(n, BAR64 + n * BAR_SIZE);
}

static uint64_t field_addr(const struct card *c, enum field f)
{
	return c->base + (c->pci ? fields[f].pci : fields[f].mmio);
}

static unsigned field_bytes(const struct card *c, enum field f)
{
	return c->pci ? fields[f].bytes : 4;
}

uint64_t get_reg(const struct card *c, enum field f)
{
	return guest_read(field_addr(c, f), field_bytes(c, f));
}

bool put_reg(const struct card *c, enum field f, uint64_t value)
{
	return guest_write(field_addr(c, f), field_bytes(c, f), value);
}
