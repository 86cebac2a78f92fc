/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A VMM in a few lines, for tests of KVM's interface: a VM with 2 MiB of RAM in a memory file, a
 * GICv3, and vCPUs that all start at the first byte of RAM; only the first is on. In a process that
 * tv run started, it is an S-VM.
 */
#ifndef TINYVM_H
#define TINYVM_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

#define TINY_RAM 0x40000000UL
#define TINY_SIZE 0x200000UL
#define TINY_UART 0x09000000UL /* nothing is there: an access is an MMIO exit */
#define TINY_VCPUS 64

struct tinyvm {
	int vm, gic, vcpu[TINY_VCPUS];
	struct kvm_run *run; /* of the first vCPU */
	size_t run_size;
	uint8_t *ram; /* the shared view */
	size_t ram_size;
	struct kvm_vcpu_init init;
	struct kvm_userspace_memory_region region;
};

/* Prints 'Bail out!' with errno and exits with 2, if the result is negative. */
void must(int result, const char *what);

/* Makes all of it; `code`, of `size` bytes, is what RAM begins with. vcpus: 1 to TINY_VCPUS. */
void tiny_make(struct tinyvm *t, const void *code, size_t size, unsigned vcpus);

/* The same, with `ram` bytes of RAM, a multiple of 2 MiB: anonymous memory, aligned for huge pages,
 * none of it but the code's touched. */
void tiny_make_big(struct tinyvm *t, const void *code, size_t size, unsigned vcpus, size_t ram);

/* Where the first vCPU goes on, as far as KVM knows. */
void tiny_set_pc(struct tinyvm *t, uint64_t pc);

/* The first vCPU runs till its next exit: 0, or errno. */
int tiny_run(struct tinyvm *t);

/* Did it leave for an access to TINY_UART? */
int tiny_at_uart(const struct tinyvm *t);

/* Gives all of it back. */
void tiny_close(struct tinyvm *t);

#endif
