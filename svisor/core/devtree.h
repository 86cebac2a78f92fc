/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest's device tree, as far as the S-visor needs it: where devices are. It lies in private
 * memory, and it is only read while its S-VM is sealed: so it is what was measured. Any bytes are
 * safe to read as one; what makes no sense just gives nothing.
 */
#ifndef DEVTREE_H
#define DEVTREE_H

#include "addr.h"

struct vm;

struct devtree {
	struct vm *vm;
	uint64_t base;    /* guest address */
	uint32_t strings; /* offset of the names */
};

/* A property: offset of its value, and bytes; 0: the node has none. */
struct dt_value {
	uint32_t at, size;
};

struct dt_node {
	struct dt_value compatible, reg;
	uint32_t cells[2], child_cells[2]; /* #address-cells, #size-cells: of reg, of children's */
};

/* Calls fn for each node of the tree at `base`; a node's children come first. Bounded in time by
 * DT_STRUCT_MAX bytes of structure; the rest is not looked at. False: no tree is there. The S-VM's
 * lock is held. */
#define DT_STRUCT_MAX 0x10000
bool dt_each(struct vm *vm, ipa_t base,
	     void (*fn)(const struct devtree *dt, const struct dt_node *node));

/* Does the node's `compatible` list name it? */
bool dt_compatible(const struct devtree *dt, const struct dt_node *node, const char *name);

/* The i-th range of the node's `reg`, as it stands: buses that translate addresses are not
 * followed. False: there is none. */
bool dt_reg(const struct devtree *dt, const struct dt_node *node, unsigned i, struct range *out);

#endif
