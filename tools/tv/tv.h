/* SPDX-License-Identifier: BSD-3-Clause */
/* tv: launcher and control tool of TwinVisor. */
#ifndef TV_H
#define TV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST 32

/* Commands: each parses its own options and returns an exit status. */
int cmd_run(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_mem(int argc, char **argv);
int cmd_reclaim(int argc, char **argv);
int cmd_audit(int argc, char **argv);
int cmd_measure(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_policy(int argc, char **argv);

/* util.c */
void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
int device_open(int flags); /* /dev/twinvisor, or fail() with the way out */
void no_arguments(int argc, char **argv, const char *doc); /* of a command that has none */
void print_hex(const uint8_t *bytes, size_t n);
bool hex_parse(const char *text, uint8_t *out, size_t size); /* exactly so many bytes */

/* list.c: the S-VM of this number. False past the last one. */
struct twinvisor_vm;
bool get_vm(int fd, uint32_t index, struct twinvisor_vm *vm);

struct file {
	uint8_t *data;
	size_t size;
};

struct file file_read(const char *path, const char *what);
uint64_t size_parse(const char *text); /* as QEMU's -m: MiB, or with K, M, G, T; 0: malformed */

/* image.c: what lies in guest memory before the first instruction */
struct segment {
	const char *name;
	uint64_t ipa;
	const uint8_t *data;
	size_t size;
};

#define SEGMENTS 4

struct image {
	uint64_t base, size; /* RAM */
	unsigned int cpus;
	uint64_t features; /* TV_FEATURE_* */
	uint32_t stub[10];
	struct segment segment[SEGMENTS];
	unsigned int segments;
};

void image_build(struct image *img, struct file kernel, struct file initrd, struct file dtb);

/* record.c: the launch measurement of it */
void image_measure(const struct image *img, uint8_t digest[DIGEST]);

/* qemu.c: what a QEMU command line would load */
struct launch {
	const char *kernel, *initrd, *dtb;
	struct file tree; /* of dtb, or from QEMU */
	uint64_t memory;
	unsigned int cpus;
	int sve; /* longest vector in bytes, 0: none; or SVE_HOST */
};

#define SVE_HOST -1 /* what KVM offers on this machine */

void qemu_read(struct launch *l, int argc, char **argv);

#endif
