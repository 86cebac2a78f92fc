// SPDX-License-Identifier: BSD-3-Clause
/* The registers of virtio-mmio (virtio 1.2, 4.2.2; legacy: 4.2.4). */
#include "device.h"

#define MODERN 1
#define LEGACY 2
#define ANY (MODERN | LEGACY)
#define HIGH 4 /* the upper half of the register before */

static const struct {
	uint8_t offset, reg, of;
} registers[] = {
	{0x10, REG_OFFERED, ANY},
	{0x14, REG_OFFERED_SELECT, ANY},
	{0x20, REG_ACCEPTED, ANY},
	{0x24, REG_ACCEPTED_SELECT, ANY},
	{0x28, REG_GUEST_PAGE, LEGACY},
	{0x30, REG_QUEUE, ANY},
	{0x34, REG_MOST, ANY},
	{0x38, REG_SIZE, ANY},
	{0x3c, REG_ALIGN, LEGACY},
	{0x40, REG_PFN, LEGACY},
	{0x44, REG_READY, MODERN},
	{0x50, REG_NOTIFY, ANY},
	{0x60, REG_INTERRUPT, ANY},
	{0x70, REG_STATUS, ANY},
	{0x80, REG_PART + PART_DESC, MODERN},
	{0x84, REG_PART + PART_DESC, MODERN | HIGH},
	{0x90, REG_PART + PART_DRIVER, MODERN},
	{0x94, REG_PART + PART_DRIVER, MODERN | HIGH},
	{0xa0, REG_PART + PART_DEVICE, MODERN},
	{0xa4, REG_PART + PART_DEVICE, MODERN | HIGH},
};

struct reg_access mmio_reg(uint64_t offset, unsigned bytes, bool legacy)
{
	struct reg_access a = {.reg = REG_OTHER, .bytes = bytes};

	for (unsigned i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		if (registers[i].offset != offset || bytes != sizeof(uint32_t) ||
		    !(registers[i].of & (legacy ? LEGACY : MODERN)))
			continue;
		a.reg = registers[i].reg;
		a.shift = registers[i].of & HIGH ? 32 : 0;
	}
	return a;
}
