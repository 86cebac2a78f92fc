/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host twin of arch/ and platform/, as tests see it: one machine whose RAM is memory of
 * the test, whose guest is a function, and which keeps a trace of what core/ asked for.
 */
#ifndef TWIN_H
#define TWIN_H

#include "arch.h"
#include "platform.h"

/* S-visor memory; two banks of DRAM, in chunks: a few of each are all that a test needs. With
 * TV_HAVMSI, S-visor memory is ordinary DRAM: the first bank goes on with it. */
#ifdef TV_HAVMSI
#define HOST_SVISOR (HOST_DRAM + HOST_DRAM_SIZE)
#define HOST_SVISOR_SIZE 0x600000UL /* tables of the host's, too */
#else
#define HOST_SVISOR 0x0e100000UL
#define HOST_SVISOR_SIZE 0x400000UL
#endif
#define HOST_IMAGE_SIZE 0x10000UL
#define HOST_DRAM 0x40000000UL
#define HOST_DRAM_SIZE (6UL * TV_CHUNK_SIZE)
#define HOST_HIGH 0x880000000UL
#define HOST_HIGH_SIZE (2UL * TV_CHUNK_SIZE)
#define HOST_REGIONS 8

extern struct tv_manifest host_manifest;

/* A fresh machine: memory zero but for the S-visor's, which holds junk; controller off; hooks,
 * counts and trace empty; this thread is CPU 0. */
void host_reset(void);
/* svisor_init, and what else is done before the normal world runs. */
void host_boot(const struct tv_manifest *m);
/* This thread is that CPU. */
void host_cpu(unsigned index);

/* The bytes at a physical address, whoever owns them; NULL if nothing is there. */
void *host_mem(uint64_t pa);
/* Does the controller keep the normal world from this address now? With TV_HAVMSI: its devices. */
bool host_secure(uint64_t pa);
/* What the MMU would find for the guest: NULL if the shadow S2PT has nothing there. */
void *host_guest_mem(uint64_t s2_root, uint64_t ipa);
/* The descriptor of the page there, or 0; of a block, what one of the page would be. */
uint64_t host_guest_leaf(uint64_t s2_root, uint64_t ipa);

/* The guest: called by guest_run, makes changes to registers and says how it left. NULL: an
 * interrupt comes at once. */
extern void (*host_guest)(struct guest_regs *regs, struct guest_exit *out);
/* How guest_run was called last. */
extern struct host_run {
	uint64_t s2_root, cntvoff;
	uint16_t vmid;
	bool vserror;
} host_run;

/* The N-visor at work on another CPU: called before each access to ordinary memory. */
extern void (*host_ns_hook)(uint64_t pa); /* and by ns_kept_ptr */
/* Called by guest_begin. */
extern void (*host_begin_hook)(void);
/* Accesses to this ordinary page abort; 1: to none. */
extern uint64_t host_broken_page;
/* What counter_now() says; one more each time. */
extern uint64_t host_counter;
/* What guest_gic_take() says. */
extern bool host_lists_ok;
/* counter_hz(): at first a tick is a nanosecond. */
extern uint64_t host_hz;
/* How often random64() will work. */
extern unsigned host_entropy;
/* What TV_HOST_INFO says */
#define HOST_VTR 0x90b80003UL
/* Regions the controller has, at most HOST_REGIONS. */
extern unsigned host_regions;
/* protect_fits() is true only within 16 MiB. */
extern bool host_narrow;
extern unsigned host_address_bits;
/* ID registers, by 8 * CRm + Op2: every CPU's. */
extern uint64_t host_id[64];
/* Bit n: vectors of n * 16 bytes. */
extern unsigned host_sve;

/* Everything that core/ asked of the machine, in order. */
enum host_op {
	HOST_NS_FLUSH,
	HOST_PROTECT,
	HOST_CHUNK_MAP,
	HOST_CHUNK_UNMAP,
	HOST_PAGE_ZERO,
	HOST_PAGE_COPY,
	HOST_PAGE_PUBLISH,
	HOST_S2_WRITE,
	HOST_TLB_IPA,
	HOST_TLB_VM,
	HOST_TLB_LOCAL,
	HOST_INJECT,
	HOST_OPS
};
extern unsigned host_count[HOST_OPS];
/* When (1, 2, ...) this was asked for last since host_forget(), or 0, and with what. */
extern unsigned host_when[HOST_OPS];
extern uint64_t host_what[HOST_OPS];
void host_forget(void);
/* The N-visor at work on another CPU: called after each of them. */
extern void (*host_op_hook)(enum host_op op, uint64_t what);

#endif
