/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes flattened device trees, good and bad ones (Devicetree Specification 0.4, chapter 5). */
#ifndef FDT_H
#define FDT_H

#include <stddef.h>
#include <stdint.h>

#define FDT_MAX 8192

struct fdt {
	uint8_t bytes[FDT_MAX]; /* header, structure; names from FDT_NAMES on */
	size_t at, names;
};

#define FDT_STRUCT 56
#define FDT_NAMES 6144

void fdt_begin(struct fdt *f);
/* The header, once all else is there. */
void fdt_end(struct fdt *f);
void fdt_word(struct fdt *f, uint32_t word);
void fdt_node(struct fdt *f, const char *name);
void fdt_node_end(struct fdt *f);
void fdt_property(struct fdt *f, const char *name, const void *value, size_t size);
void fdt_cells(struct fdt *f, const char *name, const uint32_t *cells, size_t n);
void fdt_text(struct fdt *f, const char *name, const char *text);
/* `word` at this offset of the blob instead. */
void fdt_poke(struct fdt *f, size_t at, uint32_t word);

#endif
