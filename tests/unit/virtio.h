/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tests of virtio devices share: an S-VM with devices, its drivers, and the VMM's model of the
 * devices with their back ends. Numbers are those of virtio 1.2, not the S-visor's.
 */
#ifndef VIRTIO_H
#define VIRTIO_H

#include "fixture.h"

/* ---- the machine (virtio.c) ----------------------------------------------- */

#define MMIO(n) (0x0a000000UL + 0x200UL * (n))
#define MMIOS 4
#define ECAM 0x4010000000UL
#define BAR32 0x10000000UL
#define BAR64 0x8000000000UL
#define BOUNCE (RAM + 0x1000000) /* guest address of bounce memory */

/* Private memory that is there from the start: no page behind another in physical memory; each
 * word is SECRET | its address. */
#define RINGS (RAM + 0x10000)
#define DATA (RAM + 0x20000)
#define MAPPED 64 /* pages, from RINGS on */
#define UNMAPPED (RINGS + PAGE(MAPPED))
#define SECRET 0x5ec2e70000000000UL

extern struct svm io_vm;
/* virtio-mmio windows in the device tree; at first MMIOS. */
extern unsigned io_windows;
/* Boots, and launches an S-VM of two vCPUs that may have `most` pages of bounce memory. */
void io_start(unsigned most);
/* The same, but not sealed yet, and without bounce memory. */
void io_prepare(void);
void io_seal(void);
/* TV_BOUNCE_ADD of this many more pages, no two adjoining. */
int64_t give(unsigned pages);
/* TV_BOUNCE_TRIM: how many are left. */
unsigned trim(void);
/* As many may be given by serve(); at first all. */
extern unsigned io_willing;
/* So often serve() was told of an unused chunk; it leaves that as it is. */
extern unsigned io_unused;
/* Private memory at UNMAPPED and behind: the N-visor's S2PT asks for a page. */
void back_page(uint64_t ipa);
/* All is as it was but for what the test has written and expected; nothing secret is outside; no
 * page is lost, then and when the S-VM is gone. */
void io_end(void);

/* The guest's memory, as it and as nobody else sees it. */
void private_put(uint64_t ipa, const void *from, size_t size);
void private_get(uint64_t ipa, void *to, size_t size);
/* What the device is to have written there. */
void expect(uint64_t ipa, const void *bytes, size_t size);
/* Nothing else of it has changed. */
void check_private(void);
/* A device may have written what it liked there. */
void expect_any(uint64_t ipa, size_t size);
/* The physical page of bounce memory there. */
uint64_t bounce_page(uint64_t ipa);
void back_put(uint64_t ipa, const void *from, size_t size);
void back_get(uint64_t ipa, void *to, size_t size);
uint16_t back_get16(uint64_t ipa);
void back_put16(uint64_t ipa, uint16_t value);

/* Accesses are from and to this register, at first x5; by a guest of that endianness, at first
 * little. */
extern unsigned io_register;
extern bool io_big_endian;
/* Without an access to make, it waits for interrupts; at first, some interrupt ends the entry. */
extern bool io_idles;
/* One entry: vCPU 0 makes the access; its exit is in shared(). */
void begin_read(uint64_t addr, unsigned bytes);
void begin_write(uint64_t addr, unsigned bytes, uint64_t value);
/* Serves the exit as KVM and the VMM would, and enters again. */
void serve(void);
/* ... till the guest waits for interrupts. True: it has seen an MMIO write. */
bool serve_all(void);
/* All of an access. */
uint64_t guest_read(uint64_t addr, unsigned bytes);
bool guest_write(uint64_t addr, unsigned bytes, uint64_t value);
/* What the guest reads if the VMM gives it `value`. */
uint64_t guest_read_as(uint64_t addr, unsigned bytes, uint64_t value);
/* A mere entry, till the guest waits; as serve_all(). */
bool enter(void);
/* The exit is this. */
void check_mmio_write(uint64_t addr, unsigned bytes, uint64_t value);

/* ---- the VMM's devices (vmm.c) -------------------------------------------- */

enum field {
	OFFERED_SELECT,
	OFFERED,
	ACCEPTED_SELECT,
	ACCEPTED,
	STATUS,
	QUEUE,
	NOTIFY,
	VERSION, /* MMIO, as the next two */
	GUEST_PAGE,
	MOST,
	SIZE, /* of the queue selected, as all that follow */
	READY,
	ALIGN,
	PFN,
	PART, /* DESC, DRIVER, DEVICE: each low, high */
	PART_END = PART + 5,
	FIELDS
};
#define DESC 0
#define DRIVER 1
#define DEVICE_PART 2

struct vmm_card {
	uint64_t offered, accepted;
	uint32_t reg[FIELDS];
	uint32_t queue[80][FIELDS];
	unsigned kicks; /* notifications of any queue */
};

/* virtio-mmio, then PCI functions. */
extern struct vmm_card vmm[MMIOS + 2];
#define PCI_CARD MMIOS
extern uint8_t vmm_config[2][256];
#define FUNCTION(n) (ECAM + 0x8000UL * ((n) + 1))

void vmm_reset(void);
uint64_t vmm_read(uint64_t addr, unsigned bytes);
void vmm_write(uint64_t addr, unsigned bytes, uint64_t value);

/* A device as its driver knows it. */
struct card {
	bool pci;
	struct vmm_card *back;
	uint64_t base, notify;
	uint64_t interrupt; /* PCI: its status */
	uint64_t msix;      /* PCI: its table */
};
struct card mmio_card(unsigned n);
/* Has read its version, which is 1. */
struct card legacy_card(unsigned n);
/* Has read configuration space and set BAR 4. */
struct card pci_card(unsigned n);
/* BARs sized and set to `at`; where structures are, as the capabilities say. */
struct card pci_probe(unsigned n, uint64_t at);

uint64_t get_reg(const struct card *c, enum field f);
bool put_reg(const struct card *c, enum field f, uint64_t value);

/* ---- rings (vring.c) ------------------------------------------------------ */

#define F_INDIRECT (1UL << 28)
#define F_EVENT_IDX (1UL << 29)
#define F_VERSION_1 (1UL << 32)
#define F_PLATFORM (1UL << 33)
#define F_PACKED (1UL << 34)

#define NEXT 1
#define WRITE 2
#define INDIRECT 4

#define NEEDS_RESET 0x40

struct vdesc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next; /* packed: id, flags */
};

struct ring {
	const struct card *card;
	unsigned index, size;
	bool packed, event_idx;
	uint64_t features;
	uint64_t part[3], back[3]; /* guest addresses; the back end's view */
	/* places; split: indices */
	uint16_t avail, used;     /* guest */
	uint16_t b_avail, b_used; /* back end */
	bool avail_wrap, used_wrap, b_avail_wrap, b_used_wrap;
};

/* Resets the device and accepts those of the features that it offers. */
void negotiate(const struct card *c, uint64_t features);
/* The parts at `at`, each aligned to a page; tells the device. */
struct ring ring_new(const struct card *c, unsigned index, unsigned size, uint64_t at, bool packed);
/* All of the above, and DRIVER_OK. */
struct ring ring_start(const struct card *c, uint64_t features, unsigned size);
/* An S-VM that may have `most` pages of bounce memory, and such a ring, of 16, on its first
 * virtio-mmio device. */
struct ring mmio_ring(struct card *c, unsigned most, uint64_t features);
struct ring ring_legacy(const struct card *c, unsigned index, unsigned size, uint64_t at,
			uint32_t align);

/* A buffer of a chain */
struct buffer {
	uint64_t addr;
	uint32_t len;
	uint16_t flags; /* WRITE or 0 */
};
/* Writes a chain's descriptors, from `place` on in a split ring; makes it available. */
void post(struct ring *r, unsigned id, const struct buffer *b, unsigned n);
/* The same by an indirect table there. */
void post_table(struct ring *r, unsigned id, uint64_t table, const struct buffer *b, unsigned n);
/* Any descriptor, split; any head. */
void put_desc(const struct ring *r, unsigned i, struct vdesc d);
void put_avail(struct ring *r, unsigned head);
/* The device's doorbell. True: the back end has heard it. */
bool kick(const struct ring *r);
/* The same, but at once after the one before. */
bool kick_soon(const struct ring *r);

/* The back end: the next chain that it finds; what it gives is the head's id. */
struct seen {
	unsigned id, n;
	struct vdesc d[64];
};
bool b_next(struct ring *r, struct seen *s);
/* It wants to hear of the next one. */
void b_ask(const struct ring *r);
/* It has used a chain of `descs` descriptors. */
void b_use(struct ring *r, unsigned id, uint32_t len, unsigned descs);
/* The next used one that the guest finds: its id, and length. */
bool g_used(struct ring *r, unsigned *id, uint32_t *len, unsigned descs);

/* Does the device, by its status, want a reset? */
bool needs_reset(const struct card *c);
/* It does; its doorbell is not heard; nothing private has changed; reset, it works. */
void check_broken(struct ring *r);
/* `batch` chains at once, so many times, of one buffer for the device to write. */
void churn(struct ring *r, unsigned rounds, unsigned batch);
/* A block request goes out and comes back, with `n` bytes each way. */
void check_works(struct ring *r, unsigned id, uint32_t n);
void check_table_works(struct ring *r, unsigned id, uint32_t n);

#endif
