// SPDX-License-Identifier: BSD-3-Clause
/* PL011 (DDI 0183), as firmware left it set up. */
#include "drivers.h"
#include "platform.h"

#define UARTDR 0x000
#define UARTFR 0x018
#define FR_TXFF (1 << 5)

static uint64_t uart;

void pl011_init(uint64_t base)
{
	uart = base;
}

void console_putc(char c)
{
	if (!uart)
		return;
	while (mmio_read32(uart + UARTFR) & FR_TXFF)
		;
	mmio_write32(uart + UARTDR, (uint8_t)c);
}
