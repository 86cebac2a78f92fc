/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * QEMU's fw_cfg (docs/specs/fw_cfg.rst there): firmware gets ACPI tables and the like from it by
 * DMA, to and from private memory. The guest writes the address of a small request to a register;
 * the S-visor makes the same request in bounce memory, in pieces, each an MMIO exit of its own.
 */
#ifndef FWCFG_H
#define FWCFG_H

#include "queue.h"

struct vcpu;

struct fwcfg {
	struct range window; /* fixed when the S-VM is sealed; size 0: it has none */
	uint32_t high;       /* of the request's address, if it is written by halves */
	unsigned owner;      /* index + 1 of the vCPU whose request goes on, or 0 */
	uint64_t request;    /* guest addresses: of it, of its buffer */
	uint64_t buffer;
	uint32_t control, left;
	uint32_t at, piece; /* in bounce memory; bytes of the buffer */
	bool shown;         /* the N-visor has a piece */
};

/* Is a write there one that makes a request? */
bool fwcfg_is_request(uint64_t offset, unsigned bytes);
/* A write of *value at `offset` of its window. */
enum write_fate;
enum write_fate fwcfg_write(struct vm *vm, const struct vcpu *v, uint64_t offset, unsigned bytes,
			    uint64_t *value, enum queue_need *need);
/* The N-visor has served it. True: the guest's request is over. */
bool fwcfg_written(struct vm *vm, const struct vcpu *v);

#endif
