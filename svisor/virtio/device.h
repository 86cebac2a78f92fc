/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtio device as its driver sees it, whatever its transport: the registers by which a driver
 * accepts features, sets up queues and gives the device up (virtio 1.2, 2.1, 3.1). The S-visor
 * follows what the guest writes, and the back end is told of rings in bounce memory instead.
 *
 * All functions want the S-VM's lock.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include "pci.h"
#include "queue.h"

#define DEVICE_VECTORS 128 /* of its MSI-X table, that are followed */
#define TYPE_BALLOON 5
#define PCI_MODERN 0x1040 /* IDs: this and the type; of a transitional balloon: */
#define PCI_BALLOON 0x1002
#define DEVICE_QUEUES 66 /* of one device: a network card with a pair a vCPU, and its control */

enum reg {
	REG_OTHER, /* nothing to the S-visor */
	REG_OFFERED_SELECT,
	REG_OFFERED,
	REG_ACCEPTED_SELECT,
	REG_ACCEPTED,
	REG_STATUS,
	REG_QUEUE, /* selects one, for those that follow */
	REG_MOST,
	REG_SIZE,
	REG_READY,
	REG_PART, /* DESC, DRIVER, DEVICE */
	REG_PART_END = REG_PART + PARTS - 1,
	REG_NOTIFY,
	REG_INTERRUPT,  /* status; bit 0: a queue's */
	REG_VECTOR,     /* of the MSI-X table, for the queue selected */
	REG_MSI,        /* data of one of them, `index` */
	REG_GUEST_PAGE, /* legacy, as the next two */
	REG_ALIGN,
	REG_PFN,
};

/* A guest's access to one of them, or to its upper half (`shift` 32). */
struct reg_access {
	enum reg reg;
	unsigned shift, bytes;
	uint64_t addr;  /* of REG_NOTIFY */
	unsigned index; /* of REG_MSI */
};

struct device_queue {
	uint64_t part[PARTS]; /* as the guest wrote them */
	uint16_t size;
	uint16_t vector;
	struct queue *q; /* NULL till the guest says where it is */
};

struct device {
	bool is_pci, legacy, broken;
	bool balloon; /* to the guest, as far as it has looked */
	uint8_t status;
	uint32_t offered_select, accepted_select, queue;
	uint32_t guest_page, align; /* legacy; a reset does not change them */
	uint64_t accepted;
	/* PCI: the common structure, notifications, interrupt status, MSI-X table */
	struct range window[4];
	uint32_t msi[DEVICE_VECTORS];
	struct pci_function pci;
	struct device_queue vq[DEVICE_QUEUES];
};

#define DEVICE_PAGES ((sizeof(struct device) + TV_PAGE_SIZE - 1) / TV_PAGE_SIZE) /* of the heap */

/* What is to become of a write. */
enum write_fate {
	WRITE_SHOW,  /* with *value as it is now */
	WRITE_OVER,  /* dealt with */
	WRITE_AGAIN, /* when *need is met */
};
enum write_fate device_write(struct vm *vm, struct device *dev, const struct reg_access *a,
			     uint64_t *value, enum queue_need *need);
/* The N-visor has served a write that it was shown, of this value by the guest. */
void device_written(struct vm *vm, struct device *dev, const struct reg_access *a, uint64_t value);
/* What the guest gets instead of the value that the N-visor gave. */
uint64_t device_read(struct device *dev, const struct reg_access *a, uint64_t value);

/* TV_LATE_*: the interrupt that the guest has chosen for the queue, as it is now; 0: the queue is
 * not the device's. */
uint64_t device_interrupt(const struct device *dev, const struct queue *q);

void device_free(struct vm *vm, struct device *dev);
size_t device_heap(const struct device *dev);

/* mmio.c, pci.c: the register at an offset in the window */
struct reg_access mmio_reg(uint64_t offset, unsigned bytes, bool legacy);
struct reg_access pci_common_reg(uint64_t offset, unsigned bytes);
struct reg_access pci_msi_reg(uint64_t offset, unsigned bytes);

#endif
