// SPDX-License-Identifier: BSD-3-Clause
/* PL011 (DDI 0183); its clock and baud rate are firmware's. */
#include "drivers.h"
#include "platform.h"
#include "world.h"

#define UARTDR 0x000
#define UARTFR 0x018
#define FR_TXFF (1 << 5)
#define UARTLCR_H 0x02c
#define LCR_H_8N1_FIFO 0x70
#define UARTCR 0x030
#define CR_UARTEN_TXE 0x101

static uint64_t uart;

void pl011_init(uint64_t base)
{
	uart = base;
	if (!uart)
		return;
	world_write32(uart + UARTLCR_H, LCR_H_8N1_FIFO);
	world_write32(uart + UARTCR, CR_UARTEN_TXE);
}

void console_putc(char c)
{
	if (!uart)
		return;
	while (world_read32(uart + UARTFR) & FR_TXFF)
		;
	world_write32(uart + UARTDR, (uint8_t)c);
}
