// SPDX-License-Identifier: BSD-3-Clause
/* Reading device trees: the good ones right, the bad ones safely. */
#include "devtree.h"
#include "fdt.h"
#include "fixture.h"
#include "vm.h"

#define DTB (RAM + PAGE(3) + 8)
#define PAGES 20

static struct fdt fdt;
static struct svm svm;
static uint8_t *content; /* at RAM + PAGE(3) */

/* What dt_each told of, in order. */
static struct seen {
	bool named[2], ranged[3];
	struct range range[3];
} seen[32];
static unsigned nodes;

static void look(const struct devtree *dt, const struct dt_node *node)
{
	struct seen *s = &seen[nodes++ % 32];

	memset(s, 0, sizeof(*s));
	s->named[0] = dt_compatible(dt, node, "one");
	s->named[1] = dt_compatible(dt, node, "two");
	for (unsigned i = 0; i < 3; i++)
		s->ranged[i] = dt_reg(dt, node, i, &s->range[i]);
}

/* An S-VM with PAGES private pages that adjoin. */
static void start(void)
{
	boot();
	add_pool();
	svm = svm_new();
	for (unsigned i = 0; i < PAGES; i++)
		check_eq(load_page(svm.handle, RAM + PAGE(3 + i), ordinary_page(),
				   CHUNK(0) + PAGE(i)),
			 TV_OK);
	content = host_mem(CHUNK(0));
}

static void walk(void)
{
	struct vm *vm = vm_lock(svm.handle);

	nodes = 0;
	dt_each(vm, IPA(DTB), look);
	vm_unlock(vm);
}

static void read_tree(void)
{
	memcpy(content + 8, fdt.bytes, sizeof(fdt.bytes));
	walk();
}

static void cells(uint32_t address, uint32_t size)
{
	fdt_cells(&fdt, "#address-cells", &address, 1);
	fdt_cells(&fdt, "#size-cells", &size, 1);
}

static const uint32_t reg[] = {0x11, 0x1000, 0x22, 0x2000, 0x33, 0x3000};

static void node(const char *compatible, size_t words)
{
	fdt_node(&fdt, "node@1000");
	if (compatible)
		fdt_text(&fdt, "compatible", compatible);
	fdt_cells(&fdt, "reg", reg, words);
	fdt_node_end(&fdt);
}

TEST(dt_nodes, "devtree: each node with its names and ranges, children first")
{
	start();
	fdt_begin(&fdt);
	fdt_node(&fdt, "");
	fdt_word(&fdt, 4);
	cells(2, 1);
	fdt_property(&fdt, "compatible", "three\0two", 10);
	node("one", 6);
	fdt_word(&fdt, 4);
	node(NULL, 0);
	node("on", 5);
	fdt_node_end(&fdt);
	fdt_end(&fdt);
	read_tree();
	check_eq(nodes, 4);
	check(seen[0].named[0] && !seen[0].named[1]);
	check(seen[0].ranged[0] && seen[0].ranged[1] && !seen[0].ranged[2]);
	check_eq(seen[0].range[0].base, 0x1100001000);
	check_eq(seen[0].range[0].size, 0x22);
	check_eq(seen[0].range[1].base, 0x200000000033);
	check_eq(seen[0].range[1].size, 0x3000);
	check(!seen[1].named[0] && !seen[1].ranged[0]);
	check(!seen[2].named[0] && seen[2].ranged[0] && !seen[2].ranged[1]);
	check(!seen[3].named[0] && seen[3].named[1] && !seen[3].ranged[0]);
}

TEST(dt_names, "devtree: a name ends within its property")
{
	start();
	fdt_begin(&fdt);
	fdt_node(&fdt, "");
	fdt_property(&fdt, "compatible", "one", 3);
	fdt_node(&fdt, "a");
	fdt_property(&fdt, "compatible", "tw\0one", 6);
	fdt_node_end(&fdt);
	fdt_node(&fdt, "b");
	fdt_property(&fdt, "compatible", "x\0\0one", 7);
	fdt_node_end(&fdt);
	fdt_node_end(&fdt);
	fdt_end(&fdt);
	read_tree();
	check_eq(nodes, 3);
	check(!seen[0].named[0] && !seen[0].named[1]);
	check(seen[1].named[0]);
	check(!seen[2].named[0]);
}

TEST(dt_cells, "devtree: addresses and sizes have one or two words, two and one if nothing is said")
{
	static const struct {
		uint32_t address, size;
		bool ok;
		uint64_t base, length;
	} cases[] = {{1, 1, true, 0x11, 0x1000},
		     {1, 2, true, 0x11, 0x100000000022},
		     {2, 2, true, 0x1100001000, 0x2200002000},
		     {0, 1, false, 0, 0},
		     {1, 0, false, 0, 0},
		     {3, 1, false, 0, 0},
		     {1, 3, false, 0, 0},
		     {0x80000001, 1, false, 0, 0}};

	start();
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fdt_begin(&fdt);
		fdt_node(&fdt, "");
		cells(cases[i].address, cases[i].size);
		node("one", 6);
		fdt_node_end(&fdt);
		fdt_end(&fdt);
		read_tree();
		check_eq(nodes, 2);
		check_eq(seen[0].ranged[0], cases[i].ok);
		if (cases[i].ok) {
			check_eq(seen[0].range[0].base, cases[i].base);
			check_eq(seen[0].range[0].size, cases[i].length);
		}
	}
	fdt_begin(&fdt);
	fdt_node(&fdt, "");
	node("one", 3);
	fdt_node_end(&fdt);
	fdt_end(&fdt);
	read_tree();
	check_eq(seen[0].range[0].base, 0x1100001000);
	check_eq(seen[0].range[0].size, 0x22);
}

static void nested(unsigned depth)
{
	fdt_begin(&fdt);
	for (unsigned i = 0; i < depth; i++)
		fdt_node(&fdt, "n");
	for (unsigned i = 0; i < depth; i++)
		fdt_node_end(&fdt);
	fdt_end(&fdt);
	read_tree();
}

TEST(dt_depth, "devtree: eight levels are followed, not nine; no level is left that was not begun")
{
	start();
	nested(8);
	check_eq(nodes, 8);
	nested(9);
	check_eq(nodes, 0);
	fdt_begin(&fdt);
	fdt_node_end(&fdt);
	node("one", 2);
	fdt_end(&fdt);
	read_tree();
	check_eq(nodes, 0);
}

TEST(dt_header, "devtree: without its magic number, or beyond its size, nothing is read")
{
	start();
	nested(4);
	check_eq(nodes, 4);
	fdt_poke(&fdt, 0, 0xd00dfeee);
	read_tree();
	check_eq(nodes, 0);
	nested(4);
	fdt_poke(&fdt, 36, 4 * 8 + 2 * 4); /* four nodes, the ends of two */
	read_tree();
	check_eq(nodes, 2);
	fdt_poke(&fdt, 36, 0);
	read_tree();
	check_eq(nodes, 0);
	nested(4);
	fdt_poke(&fdt, 8, 0x7fffffff);
	read_tree();
	check_eq(nodes, 0);
	nested(4);
	fdt_poke(&fdt, 12, 0xffffffff);
	read_tree();
	check_eq(nodes, 4);
}

TEST(dt_property, "devtree: a property that is longer than the tree ends it")
{
	static const uint32_t sizes[] = {64, 0x7fffffff, 0xffffffff, 0xfffffffc};

	start();
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		fdt_begin(&fdt);
		fdt_node(&fdt, "");
		fdt_word(&fdt, 3);
		fdt_word(&fdt, sizes[i]);
		fdt_word(&fdt, 0);
		fdt_node_end(&fdt);
		fdt_end(&fdt);
		read_tree();
		check_eq(nodes, 0);
	}
}

TEST(dt_longest, "devtree: no more than DT_STRUCT_MAX bytes of structure are looked at")
{
	start();
	nested(1);
	for (unsigned i = 64; i < PAGES * TV_PAGE_SIZE; i += 4)
		memcpy(content + i, (uint8_t[]){0, 0, 0, 4}, 4);
	memcpy(content + 8 + 36, (uint8_t[]){0xff, 0xff, 0xff, 0xff}, 4);
	for (unsigned back = 0; back <= 4; back += 4) { /* a node whose last token is at the end */
		uint8_t *end = content + 8 + FDT_STRUCT + DT_STRUCT_MAX - back;

		memcpy(end - 8, (uint8_t[]){0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2}, 12);
		walk();
		check_eq(nodes, back / 4);
	}
}

TEST(dt_read, "devtree: what is not mapped, or not RAM, reads as zero, across pages too")
{
	uint8_t bytes[8];
	struct vm *vm;

	start();
	memset(content + PAGES * TV_PAGE_SIZE - 4, 0x55, 4);
	vm = vm_lock(svm.handle);
	memset(bytes, 0xff, sizeof(bytes));
	vm_read(vm, IPA(RAM + PAGE(3 + PAGES) - 4), bytes, sizeof(bytes));
	check(!memcmp(bytes, "UUUU\0\0\0", 8));
	memset(bytes, 0xff, sizeof(bytes));
	vm_read(vm, IPA(DEVICE), bytes, sizeof(bytes));
	check(!memcmp(bytes, "\0\0\0\0\0\0\0", 8));
	vm_unlock(vm);
}

TEST(dt_junk, "devtree: any bytes are safe to read as one")
{
	struct fdt good;

	start();
	fdt_begin(&fdt);
	fdt_node(&fdt, "");
	cells(2, 2);
	for (unsigned i = 0; i < 5; i++)
		node("one", 6);
	fdt_node_end(&fdt);
	fdt_end(&fdt);
	good = fdt;
	srand(1);
	for (unsigned i = 0; i < 3000; i++) {
		fdt = good;
		for (unsigned n = 1 + rand() % 4; n; n--)
			fdt.bytes[rand() % (i & 1 ? 56 : fdt.at)] =
				rand() % 7 ? rand() % 8 : rand();
		read_tree();
	}
	for (unsigned i = 8; i < PAGES * TV_PAGE_SIZE; i++)
		content[i] = rand();
	memcpy(content + 8, (uint8_t[]){0xd0, 0x0d, 0xfe, 0xed}, 4);
	walk();
	check_audit();
}
