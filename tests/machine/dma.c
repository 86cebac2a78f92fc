// SPDX-License-Identifier: BSD-3-Clause
/* The TZC-400 as devices see it: fw_cfg copies from and to memory by DMA. */
#include "tzc.h"

#define FW_CFG_DMA 0x09020010ul
#define FW_CFG_SIGNATURE 0x00
#define FW_CFG_FILE_DIR 0x19
#define DMA_ERROR BIT(0)
#define DMA_READ BIT(1) /* from the device to memory */
#define DMA_SELECT BIT(3)
#define DMA_WRITE BIT(4)

#define VMCOREINFO_BYTES 16
#define QEMU_LE 0x554d4551u /* "QEMU" */

#define AREA (DRAM_BASE + 0x1000000)
#define AREA_TOP (AREA + 0xffff)
#define SECURE_PAGE (AREA + 0x3000)
#define OPEN_PAGE (AREA_TOP + 0x1001)
#define DESCRIPTOR (AREA_TOP + 0x3001)
#define DIRECTORY (AREA_TOP + 0x10001)

#define be32(v) __builtin_bswap32(v)
#define be64(v) __builtin_bswap64(v)

/* Returns what the device leaves in the control word. */
static uint32_t dma_at(uint64_t descriptor, uint32_t control, uint32_t bytes, uint64_t address)
{
	write32(descriptor, be32(control));
	write32(descriptor + 4, be32(bytes));
	write64(descriptor + 8, be64(address));
	write64(FW_CFG_DMA, be64(descriptor));
	return be32(read32(descriptor));
}

static uint32_t dma(uint32_t control, uint32_t bytes, uint64_t address)
{
	return dma_at(DESCRIPTOR, control, bytes, address);
}

static uint32_t read_signature(uint64_t address)
{
	return dma(FW_CFG_SIGNATURE << 16 | DMA_SELECT | DMA_READ, 4, address);
}

static void test_into(void)
{
	unsigned f = tzc_filter(SECURE_PAGE);

	write64(OPEN_PAGE, 0);
	check_eq(read_signature(OPEN_PAGE), 0, "a device writes an ordinary page");
	check_eq(read32(OPEN_PAGE), QEMU_LE, "and the data is there");
	write64(SECURE_PAGE, 0x5ec2e7);
	check_eq(read_signature(SECURE_PAGE), DMA_ERROR, "a device cannot write a Secure page");
	check_eq(read64(SECURE_PAGE), 0x5ec2e7, "which is unchanged");
	check_eq(read32(TZC_INT_STATUS), BIT(f), "INT_STATUS tells the device's access");
	check_eq(read32(TZC_FAIL_ADDRESS_LOW(f)), SECURE_PAGE, "FAIL_ADDRESS of the device");
	check_eq(read32(TZC_FAIL_CONTROL(f)), FAIL_WRITE | FAIL_NON_SECURE,
		 "FAIL_CONTROL of the device");
	check_eq(read32(TZC_FAIL_ID(f)), NSAID_DMA, "FAIL_ID of the device");
	write32(TZC_INT_CLEAR, 0xf);
}

static void test_across(void)
{
	uint64_t last = SECURE_PAGE - 2;

	tzc_region(1, SECURE_PAGE, AREA_TOP, ATTR_S_RW | ATTR_FILTERS, 0);
	write64(SECURE_PAGE, 0x5ec2e7);
	check(read_signature(last) & DMA_ERROR, "a device cannot run over into a Secure page");
	check_eq(read64(SECURE_PAGE), 0x5ec2e7, "which is unchanged too");
	tzc_region(1, AREA, AREA_TOP, ATTR_S_RW | ATTR_FILTERS, 0);
}

/* The file that a driver may write; its key, or 0. */
static uint32_t find_vmcoreinfo(void)
{
	uint32_t i, count;

	dma(FW_CFG_FILE_DIR << 16 | DMA_SELECT | DMA_READ, 4 + 64 * 64, DIRECTORY);
	count = be32(read32(DIRECTORY));
	for (i = 0; i < count && i < 64; i++) {
		uint64_t file = DIRECTORY + 4 + 64 * i;

		/* etc/vmcoreinfo; entries are 4-byte aligned only */
		if (read32(file + 8) == 0x2f637465 && read32(file + 12) == 0x6f636d76 &&
		    read32(file + 16) == 0x6e696572)
			return be32(read32(file + 4)) >> 16;
	}
	return 0;
}

static uint64_t file_head(uint32_t key)
{
	write64(OPEN_PAGE + 64, 0);
	dma(key << 16 | DMA_SELECT | DMA_READ, 8, OPEN_PAGE + 64);
	return read64(OPEN_PAGE + 64);
}

static void test_out_of(void)
{
	uint32_t key = find_vmcoreinfo();
	uint32_t put = key << 16 | DMA_SELECT | DMA_WRITE;

	check(key, "there is a file that can be written");
	write64(OPEN_PAGE, 0x1234);
	check_eq(dma(put, VMCOREINFO_BYTES, OPEN_PAGE), 0, "a device reads an ordinary page");
	check_eq(file_head(key), 0x1234, "and has the data");
	write64(SECURE_PAGE, 0x5ec2e7);
	check(dma(put, VMCOREINFO_BYTES, SECURE_PAGE) & DMA_ERROR,
	      "a device cannot read a Secure page");
	check(file_head(key) != 0x5ec2e7, "and has not the data");
}

static void test_descriptor(void)
{
	uint32_t control = FW_CFG_SIGNATURE << 16 | DMA_SELECT | DMA_READ;

	write64(OPEN_PAGE, 0);
	check_eq(dma_at(SECURE_PAGE, control, 4, OPEN_PAGE), control,
		 "a device cannot read its descriptor in a Secure page");
	check_eq(read32(OPEN_PAGE), 0, "and does nothing");
}

static void test_nsaid(void)
{
	tzc_region(1, AREA, AREA_TOP, ATTR_S_RW | ATTR_FILTERS, BIT(NSAID_CPU) * 0x10001);
	check_eq(read_signature(SECURE_PAGE), DMA_ERROR, "the CPUs' NSAID is not the devices'");
	tzc_region(1, AREA, AREA_TOP, ATTR_S_RW | ATTR_FILTERS, BIT(NSAID_DMA) * 0x10001);
	check_eq(read_signature(SECURE_PAGE), 0, "the devices' NSAID lets devices in");
	tzc_region(1, AREA, AREA_TOP, ATTR_S_RW | ATTR_FILTERS, 0);
	check_eq(read_signature(SECURE_PAGE), DMA_ERROR, "and they are out at once");
}

void main(void)
{
	tzc_open();
	tzc_region(1, AREA, AREA_TOP, ATTR_S_RW | ATTR_FILTERS, 0);
	test_into();
	test_across();
	test_out_of();
	test_descriptor();
	test_nsaid();
}
