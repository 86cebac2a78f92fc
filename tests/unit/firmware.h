/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of flash and of fw_cfg share: an S-VM whose firmware finds both in its tree. */
#ifndef FIRMWARE_H
#define FIRMWARE_H

#include "fixture.h"

#define FLASH 0x04000000UL /* the bank with variables; the other one is in front of it */
#define FLASH_BYTES 0x04000000UL
#define FWCFG 0x09020000UL
#define BOUNCE (RAM + 0x1000000)

/* Private memory that is there from the start, each byte 0x50 + the page's number. */
#define PRIVATE (RAM + 0x10000)
#define PRIVATE_PAGES 4
#define UNMAPPED (PRIVATE + PAGE(PRIVATE_PAGES))
/* A block that is there once it is touched: chunk 1. */
#define BLOCK (RAM + 0x400000)
#define BLOCK_BYTES 0x200000UL

struct bank {
	uint64_t base, size;
};

extern struct svm fw_vm;
/* The flash's node has these; size 0: fewer. */
extern struct bank fw_bank[3];
/* Pages of bounce memory that there may be, 0: it has none; its place. */
extern unsigned fw_most;
extern uint64_t fw_base;

/* The tree is at the start of RAM, and nothing names it: as for firmware. Two vCPUs. Of bounce
 * memory nothing is there yet. */
void fw_start(void);
/* The same, but not sealed. */
void fw_prepare(void);
void fw_seal(void);
/* Another one, on the same S-visor, when the first one is gone. */
void fw_again(void);
/* All of it goes, and nothing is lost. */
void fw_end(void);

/* TV_BOUNCE_ADD; where one of those pages is; TV_BOUNCE_TRIM. */
void fw_give(unsigned pages);
uint64_t fw_given(unsigned n);
unsigned fw_trim(void);

/* The vCPU is entered with these flags, and makes an access from x5 of this syndrome. */
void fw_access(unsigned vcpu, uint64_t flags, uint64_t addr, uint64_t esr, uint64_t value);
#define DABT EC(0x24) /* the syndrome's class: of data, of code */
#define IABT EC(0x20)
/* ... and is just interrupted. */
void fw_enter(unsigned vcpu, uint64_t flags);
/* Data are big-endian for guests from now on. */
extern bool fw_big_endian;

/* A byte as the guest sees it. */
uint8_t *fw_private(uint64_t ipa);
bool fw_all(uint64_t ipa, uint64_t size, uint8_t value);

/* Takes all that is left of the S-visor's heap but so many pages; gives it back. */
void fw_use_up_heap(unsigned leave);
void fw_free_heap(void);

#endif
