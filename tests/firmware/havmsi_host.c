/* SPDX-License-Identifier: BSD-3-Clause */
/* A stand-in for the kernel, at EL1: shows what it was given, and tries what is not for it. */
#include "havmsi.h"

#define EL1 (1 << 2)
#define DEVICE_TREE ((const volatile uint8_t *)0x40000000)
#define DEVICE_TREE_MAX 0x8000

static void ok(int good, const char *name)
{
	put_result(good, "", name);
}

static int refused(uint32_t fid, uint64_t address)
{
	uint64_t r[GPRS] = {fid, address, 0};

	smc(r);
	return r[0] == (uint64_t)TV_ENOSYS && r[1] == address;
}

static void show_device_tree(const volatile uint8_t *dt)
{
	uint32_t size = dt[4] << 24 | dt[5] << 16 | dt[6] << 8 | dt[7];

	put("# dtb ");
	for (uint32_t i = 0; i < size && i < DEVICE_TREE_MAX; i++) {
		char digits[] = {"0123456789abcdef"[dt[i] >> 4], "0123456789abcdef"[dt[i] & 15], 0};

		put(digits);
	}
	put("\r\n");
}

void start(uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3)
{
	const uint64_t x[] = {x0, x1, x2, x3}, region = *HOST_TZC + TZC_REGION(1);
	uint64_t off[GPRS] = {PSCI_SYSTEM_OFF};

	ok(read_reg("currentel") == EL1, "the kernel is where the manifest says");
	put("# host");
	for (int i = 0; i < 4; i++) {
		put(" ");
		put_hex(x[i]);
	}
	put("\r\n");
	show_device_tree(DEVICE_TREE);
	ok(refused(TV_EL3_READ, region) && refused(TV_EL3_READ, *HOST_UART),
	   "EL3 reads no device for EL1");
	ok(refused(TV_EL3_WRITE, region) && refused(TV_EL3_WRITE, *HOST_UART),
	   "nor does it write one");
	*HOST_HAS_TRIED = 1;
	while (!*JUDGED)
		;
	put("# end\r\n");
	smc(off);
}
