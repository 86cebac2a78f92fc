// SPDX-License-Identifier: BSD-3-Clause
/* LPIs: where ITS and redistributors are is what the measured device tree says. */
#include "lpi.h"

TEST(stub, "its: the device tree is where x0 points, or what the first instruction loads there")
{
	static const uint32_t qemu[] = {0x580000c0, 0xaa1f03e1, 0xaa1f03e2,    0xaa1f03e3,
					0x58000084, 0xd61f0080, (uint32_t)DTB, 0};
	static const uint32_t other[] = {0x580000c1, 0, 0, 0, 0, 0, (uint32_t)DTB, 0};
	static const uint32_t back[] = {0x58ffffc0, 0, 0, 0, 0, 0, (uint32_t)DTB, 0};

	lpi_usual();
	lpi_start_at(DTB, nothing, 0);
	check(its_works() && rd_works());
	lpi_start_at(0, qemu, 8);
	check(its_works());
	lpi_start_at(DTB, qemu, 8);
	check(its_works());
	lpi_start_at(0, nothing, 0);
	check(!its_works() && !rd_works());
	lpi_start_at(0, other, 8);
	check(!its_works());
	lpi_start_at(DTB, other, 8);
	check(its_works());
	lpi_start_at(0, back, 8);
	check(!its_works());
	lpi_start_at(DTB + (1UL << 48), nothing, 0);
	check(!its_works());
	lpi_start_at(DTB + 8, nothing, 0);
	check(!its_works());
	lpi_start_at(-4UL, nothing, 0);
	check(!its_works());
	lpi_start_at(DEVICE, nothing, 0);
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
		lpi_machine("arm,gic-v3-its", bad[i].base, bad[i].size, RD, RD_SIZE);
		lpi_start_at(DTB, nothing, 0);
		check(!its_works() && rd_works());
		if (bad[i].base == RAM - 0x10000) /* in front of RAM, but for the check */
			check(!its_works_at(bad[i].base));
		if (!bad[i].size)
			continue;
		lpi_machine("arm,gic-v3-its", ITS, ITS_SIZE, bad[i].base, bad[i].size);
		lpi_start_at(DTB, nothing, 0);
		check(its_works() && !rd_works());
	}
}

TEST(names, "its: devices are known by `compatible`, the whole of one of its names")
{
	static const char *const bad[] = {"arm,gic-v3-it", "arm,gic-v3-itss", "xarm,gic-v3-its",
					  ""};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		lpi_machine(bad[i], ITS, ITS_SIZE, RD, RD_SIZE);
		lpi_start_at(DTB, nothing, 0);
		check(!its_works() && rd_works());
	}
}
