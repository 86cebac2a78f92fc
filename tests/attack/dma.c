/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attacks by device DMA: QEMU's fw_cfg, and a virtio disk that this program drives
 * itself. The disk is a scratch one of DISK_SECTORS sectors on virtio-mmio.
 */
#include <endian.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "attack.h"

#define DISK_SECTORS 2176UL
#define SECRET 0xd15c5ec4e7d15c5eUL
#define PATTERN 0x7a7a7a7a7a7a7a7aUL
#define PLACE (RAM + 0x20000)

/* fw_cfg (QEMU, docs/specs/fw_cfg.rst) */
#define FW_CFG 0x09020000UL
#define FW_CFG_DMA 16
#define FW_ERROR 1
#define FW_READ 2
#define FW_SELECT 8 /* item 0: "QEMU" */

static uint64_t place(void)
{
	return *vm_entry(&victim, PLACE) & ~(PAGE - 1);
}

static bool place_kept(void)
{
	return vm_do(&victim, OP_READ, PLACE, 0, 0) == SECRET &&
	       vm_do(&victim, OP_SUM, PLACE, PLACE + PAGE, 0) == SECRET * (PAGE / 8);
}

static void fw_cfg(uint64_t descriptor)
{
	static volatile uint64_t *reg;

	if (!reg)
		reg = physical(FW_CFG, PAGE, PROT_READ | PROT_WRITE);
	reg[FW_CFG_DMA / 8] = htobe64(descriptor);
}

/* Reads "QEMU" to `target`; returns the control word that fw_cfg leaves. */
static uint32_t fw_cfg_read(uint64_t target)
{
	uint64_t pa = ordinary(1);
	volatile uint32_t *d = at(pa);

	d[0] = htobe32(FW_SELECT | FW_READ);
	d[1] = htobe32(4);
	*(volatile uint64_t *)(d + 2) = htobe64(target);
	fw_cfg(pa);
	return be32toh(d[0]);
}

static void by_fw_cfg(void)
{
	uint64_t buffer = ordinary(1), page = place();
	uint64_t first = htobe32(FW_SELECT | FW_READ) | (uint64_t)htobe32(4) << 32;

	ok(fw_cfg_read(buffer) == 0 && !memcmp(at(buffer), "QEMU", 4),
	   "fw_cfg DMA works into ordinary memory");
	ok(fw_cfg_read(page) == FW_ERROR && place_kept(),
	   "fw_cfg DMA into a private page: fails, page kept");
	ok(fw_cfg_read(svisor) == FW_ERROR, "fw_cfg DMA into S-visor memory: fails");
	memset(at(buffer), 0, 8);
	vm_do(&victim, OP_WRITE, PLACE + PAGE, first, 0);
	vm_do(&victim, OP_WRITE, PLACE + PAGE + 8, htobe64(buffer), 0);
	fw_cfg(*vm_entry(&victim, PLACE + PAGE) & ~(PAGE - 1));
	ok(*(volatile uint64_t *)at(buffer) == 0, "a DMA descriptor in a private page is not read");
	ok(all_well(), "all is well");
}

/* virtio-mmio, legacy interface (Virtio 1.2, 4.2.4) */
enum {
	MAGIC,
	VERSION,
	DEVICE,
	GUEST_PAGE_SIZE = 0x28 / 4,
	QUEUE_SEL = 0x30 / 4,
	QUEUE_NUM = 0x38 / 4,
	QUEUE_ALIGN = 0x3c / 4,
	QUEUE_PFN = 0x40 / 4,
	NOTIFY = 0x50 / 4,
	STATUS = 0x70 / 4,
	CAPACITY = 0x100 / 4,
};

#define VIRTIO_MMIO 0x0a000000UL
#define SLOTS 32
#define SLOT_WORDS (0x200 / 4)
#define RING 8
#define NEXT 1
#define DEVICE_WRITES 2
#define IN 0
#define OUT 1

struct desc {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

struct ring {
	struct desc desc[RING];
	uint16_t avail_flags, avail_index, avail[RING];
	uint8_t pad[PAGE - RING * sizeof(struct desc) - 4 - 2 * RING];
	uint16_t used_flags, used_index;
	uint8_t rest[PAGE - 4];
	struct {
		uint32_t type, priority;
		uint64_t sector;
	} head;
	uint8_t status;
};

static volatile uint32_t *disk;

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f))
		die("%s cannot be written", path);
}

static uint64_t sectors_of(const char *block)
{
	char path[256];
	unsigned long n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/size", block);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%lu", &n) != 1)
		die("%s cannot be read", path);
	fclose(f);
	return n;
}

/* Takes the scratch disk from the kernel's driver, if that has it. */
static void unbind(void)
{
	char path[256], target[256];
	glob_t g;

	if (glob("/sys/block/vd*", 0, NULL, &g))
		return;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		ssize_t n;

		if (sectors_of(g.gl_pathv[i]) != DISK_SECTORS)
			continue;
		snprintf(path, sizeof(path), "%s/device", g.gl_pathv[i]);
		n = readlink(path, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = 0;
		write_file("/sys/bus/virtio/drivers/virtio_blk/unbind", strrchr(target, '/') + 1);
	}
	globfree(&g);
}

static void find_disk(void)
{
	volatile uint32_t *all =
		physical(VIRTIO_MMIO, SLOTS * SLOT_WORDS * 4, PROT_READ | PROT_WRITE);

	unbind();
	for (unsigned int i = 0; i < SLOTS && !disk; i++) {
		volatile uint32_t *slot = all + i * SLOT_WORDS;

		if (slot[DEVICE] == 2 && slot[CAPACITY] == DISK_SECTORS)
			disk = slot;
	}
	if (!disk || disk[VERSION] != 1)
		die("no scratch disk of %lu sectors on legacy virtio-mmio", DISK_SECTORS);
}

static void start_disk(uint64_t ring)
{
	disk[STATUS] = 0;
	disk[STATUS] = 1 | 2; /* acknowledge, driver */
	disk[GUEST_PAGE_SIZE] = PAGE;
	disk[QUEUE_SEL] = 0;
	disk[QUEUE_NUM] = RING;
	disk[QUEUE_ALIGN] = PAGE;
	disk[QUEUE_PFN] = ring / PAGE;
	disk[STATUS] = 1 | 2 | 4; /* driver ok */
}

/* A device that refuses a request may never answer it. */
static bool answered(const volatile struct ring *r)
{
	struct timespec t;
	time_t end;

	clock_gettime(CLOCK_MONOTONIC, &t);
	end = t.tv_sec + 3;
	while (!r->used_index && t.tv_sec < end)
		clock_gettime(CLOCK_MONOTONIC, &t);
	return r->used_index;
}

/* One request of a page at sector 0; returns the status that the device wrote, 0xff if none. */
static unsigned int transfer(uint32_t type, uint64_t data)
{
	uint64_t pa = ordinary(3);
	volatile struct ring *r = at(pa);

	r->head.type = type;
	r->status = 0xff;
	r->desc[0] = (struct desc){pa + offsetof(struct ring, head), 16, NEXT, 1};
	r->desc[1] = (struct desc){data, PAGE, NEXT | (type == IN ? DEVICE_WRITES : 0), 2};
	r->desc[2] = (struct desc){pa + offsetof(struct ring, status), 1, DEVICE_WRITES, 0};
	r->avail_index = 1;
	start_disk(pa);
	__sync_synchronize();
	disk[NOTIFY] = 0;
	answered(r);
	disk[STATUS] = 0;
	return r->status;
}

static uint64_t count(uint64_t pa, uint64_t word)
{
	const volatile uint64_t *p = at(pa);
	uint64_t n = 0;

	for (unsigned int i = 0; i < PAGE / 8; i++)
		n += p[i] == word;
	return n;
}

static void fill_page(uint64_t pa, uint64_t word)
{
	uint64_t *p = at(pa);

	for (unsigned int i = 0; i < PAGE / 8; i++)
		p[i] = word;
}

/* Writes `from` to a disk full of the pattern, and reads back what came out. */
static uint64_t leak(uint64_t from)
{
	uint64_t pattern = ordinary(1), back = ordinary(1);

	fill_page(pattern, PATTERN);
	transfer(OUT, pattern);
	transfer(OUT, from);
	if (transfer(IN, back))
		die("the scratch disk does not work any more");
	return back;
}

static void by_virtio(void)
{
	uint64_t mark = ordinary(1), back;

	find_disk();
	fill_page(mark, SECRET);
	back = leak(mark);
	ok(count(back, SECRET) == PAGE / 8, "virtio DMA works with ordinary memory");
	back = leak(place());
	ok(count(back, SECRET) == 0, "virtio DMA out of a private page: nothing of it on the disk");
	transfer(IN, place());
	ok(place_kept(), "virtio DMA into a private page: it is as it was");
	back = leak(svisor);
	ok(count(back, PATTERN) + count(back, 0) == PAGE / 8,
	   "virtio DMA out of S-visor memory: nothing of it");
	transfer(IN, svisor);
	ok(vm_do(&victim, OP_CHECK, 0, 0, 0) == 0,
	   "virtio DMA into S-visor memory: the S-visor works on");
	ok(all_well(), "all is well");
}

void cases_dma(void)
{
	vm_do(&victim, OP_FILL, PLACE, PLACE + PAGE, SECRET);
	by_fw_cfg();
	by_virtio();
}
