/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a guest knows of a virtio function on PCI Express, as it found it in configuration space:
 * bytes that it has read, base addresses that it has written. Where a virtio structure is follows
 * from both (virtio 1.2, 4.1.4); what of it was read once is read again the same, as long as the
 * device is in use.
 */
#ifndef PCI_H
#define PCI_H

#include "addr.h"

struct device;

#define PCI_FUNCTION 0x1000 /* bytes of a function in the ECAM, in the order of requester IDs */
#define PCI_CONFIG 256      /* bytes of a function's configuration space that are followed */
#define PCI_BARS 6
#define PCI_VIRTIO 0x1af4 /* vendor */

struct pci_function {
	uint32_t where; /* offset of its configuration space in the ECAM */
	uint32_t bar[PCI_BARS];
	uint8_t config[PCI_CONFIG];
	uint8_t known[PCI_CONFIG / 8];
	bool replaced; /* it has been another function before */
};

/* The guest has read or is writing `bytes` bytes (1, 2, 4 or 8) at an offset of the function's
 * configuration space. A read gives the value that it gets. The S-VM's lock is held. */
uint64_t pci_config_read(struct device *dev, unsigned at, unsigned bytes, uint64_t value);
void pci_config_write(struct device *dev, unsigned at, unsigned bytes, uint64_t value);

#endif
