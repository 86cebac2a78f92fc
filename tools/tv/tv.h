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
int cmd_boot(int argc, char **argv);
int cmd_log(int argc, char **argv);

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

/* launch.c: how a launch went, by its S-VM's number or TWINVISOR_LAST, and its log, to be freed, if
 * that is not NULL. False: there was none yet. */
struct twinvisor_launch;
bool get_launch(int fd, uint32_t vm, struct twinvisor_launch *launch, struct file *log);
/* On standard error: why it failed. `policy`: the file's name and what is in it, or NULL and {0}.
 */
void launch_explain(const struct twinvisor_launch *launch, const char *name, struct file policy);
/* Replaces what is in the file. False: that failed, and was said. */
bool launch_write(int fd, struct file log, const char *name);

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
	uint64_t flash;      /* bytes of it at 0, which the first vCPU starts in, or none */
	unsigned int cpus;
	uint64_t features; /* TV_FEATURE_* */
	uint32_t stub[10];
	struct segment segment[SEGMENTS]; /* addresses rise */
	unsigned int segments;
};

void image_build(struct image *img, struct file kernel, struct file initrd, struct file dtb);
void image_build_firmware(struct image *img, struct file firmware, struct file dtb);

/* record.c: its launch log, to be freed: the records that abi.h defines, whose hash is the launch
 * measurement */
struct file image_log(const struct image *img);
void log_measure(struct file log, uint8_t digest[DIGEST]);

/* explain.c: prints what of `log` is unlike the image's own. False: nothing is. */
struct log;
bool log_explain(const struct log *log, const struct log *want, const struct image *img);

/* qemu.c: what a QEMU command line would load */
struct launch {
	const char *kernel, *initrd, *dtb;
	const char *firmware; /* what the first bank of flash holds */
	struct file tree;     /* of dtb, or from QEMU */
	uint64_t memory;
	unsigned int cpus;
	int sve; /* longest vector in bytes, 0: none; or SVE_HOST */
};

#define SVE_HOST -1 /* what KVM offers on this machine */

void qemu_read(struct launch *l, int argc, char **argv);

#endif
