/* SPDX-License-Identifier: BSD-3-Clause */
#include "ns.h"

static volatile uint32_t *const uart = (void *)0x09000000;

void put(const char *s)
{
	for (; *s; s++)
		*uart = *s;
}

void put_hex(uint64_t v)
{
	for (int i = 60; i >= 0; i -= 4)
		*uart = "0123456789abcdef"[v >> i & 15];
}

void put_result(int good, const char *who, const char *name)
{
	put(good ? "ok - " : "not ok - ");
	put(who);
	put(name);
	put("\r\n");
}
