/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of LPIs share: an S-VM with an ITS and redistributors, and its tables. */
#ifndef LPI_H
#define LPI_H

#include "fixture.h"

#define ITS 0x08080000UL
#define ITS_SIZE 0x20000UL
#define RD 0x080a0000UL
#define RD_SIZE 0xf60000UL

#define GITS_CTLR (ITS + 0x0)
#define GITS_CBASER (ITS + 0x80)
#define GITS_CWRITER (ITS + 0x88)
#define GITS_CREADR (ITS + 0x90)
#define GITS_BASER (ITS + 0x100)
#define GITS_TRANSLATER (ITS + 0x10040)
#define GICR_CTLR (RD + 0x0)
#define GICR_PROPBASER (RD + 0x70)
#define GICR_PENDBASER (RD + 0x78)
#define GICR_INVLPIR (RD + 0xa0)
#define GICR_INVALLR (RD + 0xb0)
#define NEXT_RD 0x20000

#define VALID (1UL << 63)
#define CBASER_ADDRESS 0xfffffffff0000UL
#define PROPBASER_ADDRESS 0xffffffffff000UL
#define INDIRECT (1UL << 62)

/* In RAM: the device tree, the command queue, properties of LPIs. */
#define DTB (RAM + PAGE(1))
#define QUEUE (RAM + 0x10000)
#define QUEUE_PAGES 3 /* that are mapped */
#define PROPS (RAM + 0x20000)
#define PROP_PAGES 14

/* Guest addresses of bounce memory, and the pages that there are. */
#define BOUNCE (RAM + 0x1000000)
#define BOUNCE_PAGES 400
#define BOUNCE_END (BOUNCE + PAGE(BOUNCE_PAGES))

extern struct svm lpi_vm;
/* Bounce memory: as much as there may be, as there is after a launch, and its pages. */
extern unsigned lpi_most, lpi_present;
extern uint64_t lpi_bounce[BOUNCE_PAGES];
/* TV_BOUNCE_ADD of so many more. */
void lpi_give(unsigned pages);
/* Data are big-endian for the guest from now on. */
extern bool lpi_big_endian;

/* The device tree: the ITS by that name, and windows. */
void lpi_machine(const char *its_name, uint64_t its, uint64_t its_size, uint64_t rd,
		 uint64_t rd_size);
/* As QEMU has it. */
void lpi_usual(void);
/* Sealed, with x0 and code at RAM as given; the tree at DTB. Two vCPUs that are on. */
void lpi_launch(uint64_t x0, const uint32_t *code, size_t words);
/* Boots first. */
void lpi_start_at(uint64_t x0, const uint32_t *code, size_t words);
/* The usual machine, x0 pointing to its tree. */
void lpi_start(void);
extern const uint32_t nothing[1];
/* The S-VM is gone, and no page is lost. */
void lpi_end(void);

/* Bytes of the guest; of bounce memory. */
void *guest_at(uint64_t ipa);
void *at_bounce(uint64_t ipa);
void clear(uint64_t there, uint64_t size);

/* The vCPU makes an access from or to x5; its exit is there after. */
void access_by(unsigned vcpu, uint64_t addr, uint64_t value, unsigned sas, uint64_t wnr);
void write64(unsigned vcpu, uint64_t addr, uint64_t value);
void write32(unsigned vcpu, uint64_t addr, uint32_t value);
/* ... of zero, from XZR. */
void write_zero(unsigned vcpu, uint64_t addr);
/* What the guest reads there when the N-visor gives it `value`. */
uint64_t read64(uint64_t addr, uint64_t value);
/* The same of 1 << sas bytes. */
uint64_t read_by(uint64_t addr, unsigned sas, uint64_t value);

/* The write is shown, with this value. */
void check_shown(uint64_t addr, uint64_t value);
/* The address that was just shown. */
uint64_t shown(uint64_t mask);
uint64_t set_queue(unsigned pages);
uint64_t set_table(unsigned bits);
/* Of [ipa, ipa + size) of the guest's so much has arrived there, and zeros are behind it. */
bool arrived(uint64_t there, uint64_t ipa, uint64_t size, uint64_t all);

/* Are the registers followed? */
bool its_works_at(uint64_t its);
bool its_works(void);
bool rd_works(void);

#endif
