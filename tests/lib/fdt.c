// SPDX-License-Identifier: BSD-3-Clause
#include <assert.h>
#include <string.h>

#include "fdt.h"

void fdt_poke(struct fdt *f, size_t at, uint32_t word)
{
	assert(at + 4 <= FDT_MAX);
	for (unsigned i = 0; i < 4; i++)
		f->bytes[at + i] = word >> (24 - 8 * i);
}

void fdt_word(struct fdt *f, uint32_t word)
{
	fdt_poke(f, f->at, word);
	f->at += 4;
}

static void add(struct fdt *f, const void *value, size_t size)
{
	assert(f->at + size < FDT_NAMES);
	memcpy(f->bytes + f->at, value, size);
	f->at += (size + 3) & ~3UL;
}

void fdt_begin(struct fdt *f)
{
	memset(f, 0, sizeof(*f));
	f->at = FDT_STRUCT;
	f->names = FDT_NAMES;
}

void fdt_end(struct fdt *f)
{
	fdt_word(f, 9);
	fdt_poke(f, 0, 0xd00dfeed);
	fdt_poke(f, 4, FDT_MAX);
	fdt_poke(f, 8, FDT_STRUCT);
	fdt_poke(f, 12, FDT_NAMES);
	fdt_poke(f, 20, 17);
	fdt_poke(f, 24, 16);
	fdt_poke(f, 32, f->names - FDT_NAMES);
	fdt_poke(f, 36, f->at - FDT_STRUCT);
}

void fdt_node(struct fdt *f, const char *name)
{
	fdt_word(f, 1);
	add(f, name, strlen(name) + 1);
}

void fdt_node_end(struct fdt *f)
{
	fdt_word(f, 2);
}

void fdt_property(struct fdt *f, const char *name, const void *value, size_t size)
{
	fdt_word(f, 3);
	fdt_word(f, size);
	fdt_word(f, f->names - FDT_NAMES);
	add(f, value, size);
	assert(f->names + strlen(name) < FDT_MAX);
	strcpy((char *)f->bytes + f->names, name);
	f->names += strlen(name) + 1;
}

void fdt_cells(struct fdt *f, const char *name, const uint32_t *cells, size_t n)
{
	uint32_t value[8];

	assert(n <= 8);
	for (size_t i = 0; i < n; i++)
		value[i] = __builtin_bswap32(cells[i]);
	fdt_property(f, name, value, 4 * n);
}

void fdt_text(struct fdt *f, const char *name, const char *text)
{
	fdt_property(f, name, text, strlen(text) + 1);
}
