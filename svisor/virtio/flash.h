/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flash that is no RAM: the store of UEFI's variables. It is the N-visor's, and not trusted. To be
 * read as memory, in any way, it is shown: a copy of a page of what the N-visor says it holds,
 * read-only, till the guest writes to any of it. Writes, and reads of what is not shown, are
 * MMIO. All functions want the S-VM's lock.
 */
#ifndef FLASH_H
#define FLASH_H

#include "addr.h"

struct vm;
struct devtree;
struct dt_node;

#define FLASH_BANKS 2
#define FLASH_SHOWN 512 /* pages at once */

struct flash {
	struct range bank[FLASH_BANKS]; /* fixed when the S-VM is sealed */
	uint64_t *shown;                /* guest addresses; of the heap */
	unsigned count;
};

void flash_find(const struct devtree *dt, const struct dt_node *node);
/* Needs no lock: may the address be one of flash? RAM never is. */
bool flash_is(const struct vm *vm, uint64_t ipa);
/* TV_VM_SHOW */
int flash_show(struct vm *vm, ipa_t ipa, pa_t from);
/* Nothing is shown any more. False: nothing was. */
bool flash_forget(struct vm *vm);
void flash_free(struct vm *vm);
size_t flash_heap(const struct vm *vm);

#endif
