/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where QEMU's virt machine puts kernel, initrd and device tree when it boots a
 * kernel directly (QEMU 10.0, hw/arm/boot.c): a boot stub at the base of RAM; the
 * Image at the offset that its header asks for, out of the stub's way; the initrd
 * at 128 MiB or half of RAM, past the kernel; the device tree at the next 2 MiB
 * boundary, with all the room that QEMU keeps for it. Firmware starts in the first of two banks of
 * flash, and is given the device tree at the base of RAM (hw/arm/virt.c).
 */
#include <endian.h>
#include <string.h>

#include "tv.h"

#define MIB 0x100000UL
#define PAGE 4096UL
#define RAM_BASE 0x40000000UL
#define NO_HEADER_OFFSET 0x80000UL /* of an Image without a size in its header */
#define STUB_ROOM 4096UL
#define FLASH_SIZE (64 * MIB)

/* The arm64 Image header: Documentation/arch/arm64/booting.rst */
struct image_header {
	uint32_t code[2];
	uint64_t text_offset, image_size, flags, reserved[3];
	uint32_t magic, pe;
};

#define IMAGE_MAGIC 0x644d5241 /* "ARM\x64" */

static uint64_t align_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) & ~(to - 1);
}

static void add(struct image *img, const char *name, uint64_t ipa, const void *data, size_t size)
{
	if (ipa % PAGE)
		fail("%s at %#lx: not page aligned, which tv measure cannot do", name, ipa);
	if (ipa + size > img->base + img->size)
		fail("%s does not fit: %zu bytes at %#lx, RAM ends at %#lx; give more memory", name,
		     size, ipa, img->base + img->size);
	img->segment[img->segments++] = (struct segment){name, ipa, data, size};
}

static void refuse_other_formats(struct file kernel)
{
	if (kernel.size < sizeof(struct image_header))
		fail("the kernel is too short for an arm64 Image");
	if (!memcmp(kernel.data, "\x1f\x8b", 2))
		fail("the kernel is compressed: unpack it (gunzip) and start the VM with the "
		     "result");
	if (!memcmp(kernel.data,
		    "\x7f"
		    "ELF",
		    4) ||
	    !memcmp(kernel.data + 4, "zimg", 4))
		fail("the kernel is an ELF file or an EFI zboot image: use the plain arm64 Image");
}

/* Adds the kernel; returns the first address past what it will use. */
static uint64_t add_kernel(struct image *img, struct file kernel)
{
	const struct image_header *h = (const void *)kernel.data;
	uint64_t offset = NO_HEADER_OFFSET, size = 0;

	refuse_other_formats(kernel);
	if (le32toh(h->magic) == IMAGE_MAGIC)
		size = le64toh(h->image_size);
	if (size) {
		offset = le64toh(h->text_offset);
		if (offset < STUB_ROOM)
			offset += 2 * MIB;
	} else {
		size = kernel.size;
	}
	add(img, "kernel", img->base + offset, kernel.data, kernel.size);
	return img->base + offset + size;
}

static uint64_t add_initrd(struct image *img, struct file initrd, uint64_t kernel_end)
{
	uint64_t half = img->size / 2, at = img->base + (half < 128 * MIB ? half : 128 * MIB);

	if (at < kernel_end)
		at = kernel_end;
	at = align_up(at, PAGE);
	if (initrd.size)
		add(img, "initrd", at, initrd.data, initrd.size);
	return at + initrd.size;
}

/* The stub: ldr x0, dtb; mov x1-x3, xzr; ldr x4, entry; br x4; dtb, entry as words. */
static void make_stub(struct image *img, uint64_t dtb, uint64_t entry)
{
	const uint32_t code[10] = {
		0x580000c0, 0xaa1f03e1, 0xaa1f03e2, 0xaa1f03e3, 0x58000084,
		0xd61f0080, dtb,        dtb >> 32,  entry,      entry >> 32,
	};

	for (int i = 0; i < 10; i++)
		img->stub[i] = htole32(code[i]);
}

static void check_dtb(struct file dtb)
{
	static const char seed[] = "rng-seed";

	if (dtb.size < 40 || memcmp(dtb.data, "\xd0\x0d\xfe\xed", 4))
		fail("that is no device tree blob: give one made by QEMU's -machine dumpdtb=FILE");
	if (memmem(dtb.data, dtb.size, seed, sizeof(seed)))
		fail("the device tree carries random seeds, so no two launches measure the same: "
		     "add dtb-randomness=off to QEMU's -machine");
}

void image_build_firmware(struct image *img, struct file firmware, struct file dtb)
{
	check_dtb(dtb);
	img->base = RAM_BASE;
	img->flash = FLASH_SIZE;
	if (firmware.size > FLASH_SIZE)
		fail("the firmware has %zu bytes: QEMU's flash has room for 64 MiB", firmware.size);
	if (firmware.size >= 4 && !memcmp(firmware.data, "QFI\xfb", 4))
		fail("the firmware is a qcow2 image: only raw ones can be measured (qemu-img "
		     "convert "
		     "-O raw)");
	img->segment[img->segments++] =
		(struct segment){"firmware", 0, firmware.data, firmware.size};
	add(img, "device tree", img->base, dtb.data, dtb.size);
}

void image_build(struct image *img, struct file kernel, struct file initrd, struct file dtb)
{
	uint64_t end, entry, dtb_at;

	check_dtb(dtb);
	img->base = RAM_BASE;
	add(img, "boot stub", img->base, img->stub, sizeof(img->stub));
	end = add_kernel(img, kernel);
	entry = img->segment[1].ipa;
	end = add_initrd(img, initrd, end);
	dtb_at = align_up(end, 2 * MIB);
	add(img, "device tree", dtb_at, dtb.data, dtb.size);
	make_stub(img, dtb_at, entry);
}
