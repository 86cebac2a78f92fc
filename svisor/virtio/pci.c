// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "device.h"
#include "esr.h"

#define PCI_BAR 0x10       /* offsets in configuration space */
#define PCI_SUBSYSTEM 0x2c /* vendor, and ID: of a transitional device, its type */
#define PCI_CAPABILITIES 0x34

#define BAR_IO 1
#define BAR_TYPE 0xf
#define BAR_64 4
#define CAP_ID 0 /* offsets in a capability */
#define CAP_NEXT 1
#define CAP_TYPE 3
#define CAP_BAR 4
#define CAP_OFFSET 8
#define CAP_LENGTH 12
#define CAP_BYTES 16
#define CAP_VENDOR 9
#define CAP_MSIX 0x11 /* PCI 3.0, 6.8.2: */
#define MSIX_LAST 2   /* vector of the table, 10:0 */
#define MSIX_TABLE 4  /* offset, and in 2:0 the BAR */
#define MSIX_ENTRY 16
#define MSIX_DATA 8 /* in an entry */
#define CAPS_MOST 48

enum structure { COMMON = 1, NOTIFY = 2, INTERRUPT = 3 };

static bool is_known(const struct pci_function *f, unsigned at)
{
	return f->known[at / 8] >> at % 8 & 1;
}

/* The next capability behind `at`, or the first if that is 0; 0: none that the guest knows of. */
static unsigned next_cap(const struct pci_function *f, unsigned at)
{
	unsigned link = at ? at + CAP_NEXT : PCI_CAPABILITIES;
	unsigned next = f->config[link] & ~3u;

	return is_known(f, link) && next > PCI_CAPABILITIES && next <= PCI_CONFIG - CAP_BYTES ? next
											      : 0;
}

/* Each capability that the guest knows of; a list without end has no more than can be in it. */
#define EACH_CAP(f, cap) \
	for (unsigned n_ = 0, cap = next_cap(f, 0); cap && n_ < CAPS_MOST; \
	     cap = next_cap(f, cap), n_++)

static bool is_virtio(const struct pci_function *f, unsigned cap)
{
	return is_known(f, cap + CAP_ID) && f->config[cap + CAP_ID] == CAP_VENDOR;
}

/* Does the byte say, or is it on the way to, where virtio's structures are? */
static bool is_fixed(const struct pci_function *f, unsigned at)
{
	if (at < sizeof(uint32_t) || at / 4 == PCI_SUBSYSTEM / 4 || at == PCI_CAPABILITIES)
		return true;
	EACH_CAP (f, cap) {
		if (at - cap < (is_virtio(f, cap) ? CAP_BYTES : CAP_NEXT + 1))
			return true;
	}
	return false;
}

static uint32_t config32(const struct pci_function *f, unsigned at)
{
	uint32_t value;

	memcpy(&value, &f->config[at], sizeof(value));
	return value;
}

/* A driver may know a function by what it was before. */
static bool is_balloon(const struct pci_function *f)
{
	uint32_t id = config32(f, 0) >> 16;

	if (f->replaced)
		return false;
	return id == PCI_MODERN + TYPE_BALLOON ||
	       (id == PCI_BALLOON && config32(f, PCI_SUBSYSTEM) >> 16 == TYPE_BALLOON);
}

static struct range in_bar(const struct pci_function *f, unsigned bar, uint32_t offset,
			   uint32_t size)
{
	uint64_t base = f->bar[bar] & ~(uint64_t)BAR_TYPE;

	if ((f->config[PCI_BAR + 4 * bar] & BAR_64) && bar + 1 < PCI_BARS)
		base |= (uint64_t)f->bar[bar + 1] << 32;
	if (!base || (f->config[PCI_BAR + 4 * bar] & BAR_IO))
		return (struct range){0};
	return (struct range){base + offset, size};
}

/* Where the structure is; size 0: nowhere that the guest knows of. */
static struct range find_structure(const struct pci_function *f, enum structure type)
{
	EACH_CAP (f, cap) {
		if (is_virtio(f, cap) && f->config[cap + CAP_TYPE] == type &&
		    f->config[cap + CAP_BAR] < PCI_BARS)
			return in_bar(f, f->config[cap + CAP_BAR], config32(f, cap + CAP_OFFSET),
				      config32(f, cap + CAP_LENGTH));
	}
	return (struct range){0};
}

static struct range find_msix(const struct pci_function *f)
{
	EACH_CAP (f, cap) {
		uint32_t table = config32(f, cap + MSIX_TABLE);
		uint32_t last = config32(f, cap) >> 8 * MSIX_LAST & 0x7ff;

		if (f->config[cap + CAP_ID] == CAP_MSIX && is_known(f, cap + MSIX_TABLE) &&
		    table % 8 < PCI_BARS)
			return in_bar(f, table % 8, table & ~7u, (last + 1) * MSIX_ENTRY);
	}
	return (struct range){0};
}

static void find_windows(struct device *dev)
{
	dev->window[0] = find_structure(&dev->pci, COMMON);
	dev->window[1] = find_structure(&dev->pci, NOTIFY);
	dev->window[2] = find_structure(&dev->pci, INTERRUPT);
	dev->window[3] = find_msix(&dev->pci);
}

/* Another device may have come in the place of one that is not in use. */
static bool is_other(const struct device *dev, unsigned at, unsigned bytes, uint64_t value)
{
	return at == 0 && !dev->status && keep_bytes(value ^ config32(&dev->pci, 0), bytes);
}

uint64_t pci_config_read(struct device *dev, unsigned at, unsigned bytes, uint64_t value)
{
	struct pci_function *f = &dev->pci;
	uint8_t byte[8];

	if (at + bytes > PCI_CONFIG)
		return value;
	if (is_other(dev, at, bytes, value)) {
		f->replaced |= is_known(f, 0);
		memset(f->known, 0, sizeof(f->known));
	}
	memcpy(byte, &value, sizeof(byte));
	for (unsigned i = 0; i < bytes; i++) {
		if (!is_known(f, at + i))
			f->config[at + i] = byte[i];
		else if (is_fixed(f, at + i))
			byte[i] = f->config[at + i];
		f->known[(at + i) / 8] |= 1 << (at + i) % 8;
	}
	dev->balloon = is_balloon(f);
	find_windows(dev);
	memcpy(&value, byte, sizeof(value));
	return value;
}

void pci_config_write(struct device *dev, unsigned at, unsigned bytes, uint64_t value)
{
	unsigned bar = (at - PCI_BAR) / sizeof(uint32_t);

	if (at < PCI_BAR || at % 4 || bytes != 4 || bar >= PCI_BARS)
		return;
	dev->pci.bar[bar] = value;
	find_windows(dev);
}

/* The common configuration structure (virtio 1.2, 4.1.4.3); each field has its own width. */
static const struct {
	uint8_t offset, bytes, reg;
} common[] = {
	{0x00, 4, REG_OFFERED_SELECT},
	{0x04, 4, REG_OFFERED},
	{0x08, 4, REG_ACCEPTED_SELECT},
	{0x0c, 4, REG_ACCEPTED},
	{0x14, 1, REG_STATUS},
	{0x16, 2, REG_QUEUE},
	{0x18, 2, REG_SIZE},
	{0x1a, 2, REG_VECTOR},
	{0x1c, 2, REG_READY},
	{0x20, 8, REG_PART + PART_DESC},
	{0x28, 8, REG_PART + PART_DRIVER},
	{0x30, 8, REG_PART + PART_DEVICE},
};

/* 64-bit fields may be accessed by halves. */
struct reg_access pci_common_reg(uint64_t offset, unsigned bytes)
{
	struct reg_access a = {.reg = REG_OTHER, .bytes = bytes};

	for (unsigned i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
		uint64_t in = offset - common[i].offset;

		if ((in == 0 && bytes == common[i].bytes) ||
		    (common[i].bytes == 8 && bytes == 4 && in <= 4 && in % 4 == 0)) {
			a.reg = common[i].reg;
			a.shift = 8 * in;
		}
	}
	return a;
}

struct reg_access pci_msi_reg(uint64_t offset, unsigned bytes)
{
	uint64_t index = offset / MSIX_ENTRY;
	bool data = offset % MSIX_ENTRY == MSIX_DATA && bytes >= 4 && index < DEVICE_VECTORS;

	return (struct reg_access){data ? REG_MSI : REG_OTHER, 0, bytes, 0, index};
}
