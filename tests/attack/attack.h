/* SPDX-License-Identifier: BSD-3-Clause */
/* The attack tests: a little N-visor in user space, over module/tvattack.ko. */
#ifndef ATTACK_H
#define ATTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <twinvisor/abi.h>

#include "module/tvattack.h"
#include "puppet.h"

#define PAGE 4096UL
#define CHUNK ((uint64_t)TV_CHUNK_SIZE)
#define CHUNKS 4
#define POOL_SIZE (8 * CHUNK) /* lower half the pool, upper half ordinary memory */
struct result {
	int64_t status; /* x0 */
	uint64_t x[4];  /* x1-x4 */
};

struct vm {
	uint64_t put[31]; /* in gpr[], before the last run */
	uint64_t handle;
	uint64_t chunk; /* its private pages: physical */
	uint64_t pages; /* of which so many are used */
	uint64_t root;  /* normal S2PT: three tables, ordinary memory */
	uint64_t cntvoff;
	bool flipped;       /* somebody else writes its normal S2PT */
	struct tva_batch b; /* reg[]: EL2 registers of the host at the gate */
	struct tv_run *run; /* in b */
	struct result last;
};

/* machine.c: the module, memory, calls */
void machine_open(void);
struct result smc(uint64_t fn, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
void batch(struct tva_batch *b);
/* The same with v0-v31 loaded before and stored after, and nothing in between. */
void batch_fp(struct tva_batch *b, const uint64_t before[64], uint64_t after[64]);
extern uint64_t attack_pool;     /* the S-visor's index of it */
uint64_t ordinary(size_t pages); /* fresh zeroed ordinary memory: physical */
void *at(uint64_t pa);           /* the mapping of the pool or of ordinary() */
uint64_t chunk_base(unsigned int i);
void pin(int cpu);
int cpus(void);
enum outcome { DONE, FAULTED };
enum outcome touch(uint64_t pa, char how, uint64_t *value); /* 'r', 'w', 'x' by /dev/mem */
void *physical(uint64_t pa, size_t size, int prot);

/* vm.c: attack VMs */
void vm_create(struct vm *vm, unsigned int chunk); /* CREATE and RAM */
struct result vm_take(struct vm *vm, uint64_t chunk);
void vm_begin(struct vm *vm, unsigned int chunk); /* ... and TAKE */
struct result vm_load(struct vm *vm, uint64_t ipa, uint64_t from, uint64_t page);
void vm_prepare(struct vm *vm, unsigned int chunk); /* ... and LOAD of the puppet */
void vm_start(struct vm *vm, unsigned int chunk);   /* ... VCPU_CREATE, SEAL */
struct result vm_vcpu(struct vm *vm, uint64_t mpidr, uint64_t flags, uint64_t pc);
struct result vm_vcpu_with(struct vm *vm, uint64_t mpidr, uint64_t flags, uint64_t pc, uint64_t x0);
uint64_t vm_page(struct vm *vm);                 /* next unused page of its chunk */
uint64_t *vm_entry(struct vm *vm, uint64_t ipa); /* its leaf in the normal S2PT */
void vm_map(struct vm *vm, uint64_t ipa, uint64_t pa);
int64_t vm_run(struct vm *vm, uint64_t vcpu, uint64_t flags); /* one TV_VCPU_RUN */
int64_t vm_until_ask(struct vm *vm, uint64_t vcpu); /* serves faults; ends at anything else */
int64_t vm_reply(struct vm *vm, uint64_t flags);    /* the same after serving an exit in run */
bool vm_asks(struct vm *vm);
/* Does gpr[], from this one on, hold what was put there before the last run? */
bool vm_kept(const struct vm *vm, unsigned int from); /* the last exit is the puppet's HVC */
uint64_t vm_do(struct vm *vm, enum op op, uint64_t a, uint64_t b, uint64_t c); /* command, answer */
int64_t vm_order(struct vm *vm, uint64_t vcpu, enum op op, uint64_t a, uint64_t b, uint64_t c);
int64_t vm_destroy(struct vm *vm);

/* tap.c */
void ok(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
int tap_done(void);

/* the cases, a file a theme */
extern uint64_t svisor; /* its memory on this machine: Secure SRAM, or DRAM without Secure EL2 */
extern bool hosted;     /* without: it is at EL2, and the host at EL1 */
extern struct vm victim, other; /* live in chunks 0 and 1 for the groups after bringup */
bool all_well(void);            /* the other S-VM has all it had, and the audit finds nothing */
void cases_bringup(void);
void cases_memory(void);
void cases_chunks(void);
void cases_entry(void);
void cases_dma(void);
void cases_psci(void);
void cases_race(void);
void cases_fuzz(void);
void cases_its(void);
void cases_attest(void);
uint64_t audit(void);      /* violations */
uint64_t lost_pages(void); /* of the S-visor's own memory, by TV_STATS; with vCPUs running, too */

#endif
