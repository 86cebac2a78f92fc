// SPDX-License-Identifier: BSD-3-Clause
/*
 * The flattened format is that of the Devicetree Specification 0.4, chapter 5. Nothing is copied
 * and no pointer made: each word is read where it lies, and outside RAM there are zeros.
 */
#include <string.h>

#include "devtree.h"
#include "vm.h"

#define DT_MAGIC 0xd00dfeed
#define OFF_STRUCT 8 /* in the header */
#define OFF_STRINGS 12
#define SIZE_STRUCT 36

#define BEGIN_NODE 1
#define END_NODE 2
#define PROP 3
#define NOP 4

#define DEPTH 8 /* levels of nodes, without the one above the root */

struct walk {
	struct devtree dt;
	uint32_t at, end; /* offsets: the next token, the end of the structure */
	unsigned depth;
	struct dt_node node[DEPTH + 1];
};

static uint32_t word(const struct devtree *dt, uint64_t at)
{
	uint8_t b[4];

	vm_read(dt->vm, IPA(dt->base + at), b, sizeof(b));
	return (uint32_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}

static char character(const struct devtree *dt, uint64_t at)
{
	char c;

	vm_read(dt->vm, IPA(dt->base + at), &c, 1);
	return c;
}

/* With the zero at its end, before `end`. */
static bool text_is(const struct devtree *dt, uint64_t at, uint64_t end, const char *text)
{
	do {
		if (at == end || character(dt, at++) != *text)
			return false;
	} while (*text++);
	return true;
}

static bool name_is(const struct devtree *dt, uint32_t name, const char *text)
{
	uint64_t at = (uint64_t)dt->strings + name;

	return text_is(dt, at, UINT64_MAX, text);
}

static uint64_t number(const struct devtree *dt, uint64_t at, unsigned cells)
{
	uint64_t high = cells == 2 ? word(dt, at) : 0;

	return high << 32 | word(dt, at + 4 * (cells - 1));
}

static uint32_t next_word(struct walk *w)
{
	w->at += 4;
	return word(&w->dt, w->at - 4);
}

static bool begin_node(struct walk *w)
{
	struct dt_node *n = &w->node[w->depth + 1];

	if (w->depth == DEPTH)
		return false;
	*n = (struct dt_node){.child_cells = {2, 1}};
	memcpy(n->cells, w->node[w->depth].child_cells, sizeof(n->cells));
	w->depth++;
	while (w->at < w->end && character(&w->dt, w->at++)) /* its name */
		;
	w->at = (w->at + 3) & ~3u;
	return true;
}

static bool property(struct walk *w)
{
	struct dt_node *n = &w->node[w->depth];
	uint32_t size = next_word(w);
	uint32_t name = next_word(w);
	struct dt_value value = {w->at, size};

	if (w->at > w->end || size > w->end - w->at)
		return false;
	if (name_is(&w->dt, name, "compatible"))
		n->compatible = value;
	else if (name_is(&w->dt, name, "reg"))
		n->reg = value;
	else if (name_is(&w->dt, name, "#address-cells"))
		n->child_cells[0] = word(&w->dt, w->at);
	else if (name_is(&w->dt, name, "#size-cells"))
		n->child_cells[1] = word(&w->dt, w->at);
	w->at += (size + 3) & ~3u;
	return true;
}

/* Every turn takes a token, or it is the last. */
bool dt_each(struct vm *vm, ipa_t base,
	     void (*fn)(const struct devtree *dt, const struct dt_node *node))
{
	struct walk w = {.dt = {vm, base.v, 0}, .node = {{.child_cells = {2, 1}}}};
	uint32_t size = word(&w.dt, SIZE_STRUCT);
	bool found = word(&w.dt, 0) == DT_MAGIC, more = found;

	w.dt.strings = word(&w.dt, OFF_STRINGS);
	w.at = word(&w.dt, OFF_STRUCT) & 0xffffff; /* no tree is longer */
	w.end = w.at + (size < DT_STRUCT_MAX ? size : DT_STRUCT_MAX);
	while (more && w.at < w.end) {
		switch (next_word(&w)) {
		case BEGIN_NODE:
			more = begin_node(&w);
			break;
		case END_NODE:
			more = w.depth > 0;
			if (more)
				fn(&w.dt, &w.node[w.depth--]);
			break;
		case PROP:
			more = property(&w);
			break;
		case NOP:
			break;
		default:
			more = false;
		}
	}
	return found;
}

bool dt_compatible(const struct devtree *dt, const struct dt_node *node, const char *name)
{
	uint32_t at = node->compatible.at, end = at + node->compatible.size;

	while (at < end) {
		if (text_is(dt, at, end, name))
			return true;
		while (at < end && character(dt, at++))
			;
	}
	return false;
}

bool dt_reg(const struct devtree *dt, const struct dt_node *node, unsigned i, struct range *out)
{
	const uint32_t *cells = node->cells;
	uint64_t at = node->reg.at;

	if (cells[0] - 1 > 1 || cells[1] - 1 > 1) /* one or two words each */
		return false;
	at += 4ULL * i * (cells[0] + cells[1]);
	if (at + 4 * (cells[0] + cells[1]) > (uint64_t)node->reg.at + node->reg.size)
		return false;
	out->base = number(dt, at, cells[0]);
	out->size = number(dt, at + 4 * cells[0], cells[1]);
	return true;
}
