/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What all unit tests share: TAP, a booted S-visor on the host twin, and an N-visor's
 * side of the calls.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "twin.h"
#include "svisor.h"

struct test {
	const char *name;
	void (*run)(void);
	struct test *next;
};

void test_register(struct test *t);

/* Each test runs in a process of its own, on an S-visor that has never run. */
#define TEST(id, text) \
	static void id(void); \
	__attribute__((constructor)) static void id##_register(void) \
	{ \
		static struct test t = {text, id, NULL}; \
		test_register(&t); \
	} \
	static void id(void)

#define check(condition) \
	do { \
		if (!(condition)) { \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition); \
			fflush(stdout); \
			_exit(1); \
		} \
	} while (0)

#define check_eq(a, b) \
	do { \
		uint64_t a_ = (uint64_t)(a), b_ = (uint64_t)(b); \
		if (a_ != b_) { \
			printf("# %s:%d: %s is %#lx, not %s\n", __FILE__, __LINE__, #a, \
			       (unsigned long)a_, #b); \
			fflush(stdout); \
			_exit(1); \
		} \
	} while (0)

/* ---- the N-visor --------------------------------------------------------- */

/* Memory of the test machine: chunk 0 of the low bank is the N-visor's own, chunks 1 to 4
 * are the pool, chunk 5 is ordinary. */
#define POOL (HOST_DRAM + TV_CHUNK_SIZE)
#define POOL_CHUNKS 4
#define ORDINARY (HOST_DRAM + 5 * TV_CHUNK_SIZE)
#define CHUNK(i) (POOL + (uint64_t)(i) * TV_CHUNK_SIZE)
#define PAGE(n) ((uint64_t)(n) * TV_PAGE_SIZE)

/* Guest addresses. */
#define RAM 0x40000000UL
#define RAM_SIZE 0x2000000UL
#define DEVICE 0x09000000UL

struct tv_args call(uint64_t function, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
/* The same, but only x0. */
int64_t smc(uint64_t function, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

/* host_reset, svisor_init, shared pages for four CPUs. */
void boot(void);
void boot_rest(void); /* what follows svisor_init */
void add_pool(void);
/* A fresh ordinary page of the N-visor's. */
uint64_t ordinary_page(void);
/* The calling CPU's shared page. */
struct tv_run *shared(void);
/* Is all that an exit writes there, and gpr[], as in *want? */
bool shows(const struct tv_run *want);
/* Pages of the S-visor's heap that are neither free nor on record, by TV_STATS. */
uint64_t lost_pages(void);
/* No violation found by TV_AUDIT, and no page lost. */
void check_audit(void);
struct tv_args audit(void);
/* All 64-bit words of the range are `value`. */
bool all_words(uint64_t pa, uint64_t size, uint64_t value);

/* KVM's table for one S-VM: 40 bits, starting at level 1. */
struct npt_model {
	uint64_t root;
};
#define NPT_BITS 40
#define NPT_LEVEL 1
struct npt_model npt_new(void);
/* The descriptor for `ipa` at that level, its tables made. */
uint64_t *npt_entry(struct npt_model *n, uint64_t ipa, unsigned level);
/* Asks for `pa` at `ipa`. */
void npt_page(struct npt_model *n, uint64_t ipa, uint64_t pa);

/* An S-VM under launch with RAM [RAM, RAM + RAM_SIZE). */
struct svm {
	uint64_t handle;
	struct npt_model npt;
};
struct svm svm_new(void);
/* TV_FEATURE_* of the S-VMs to come; at first none. */
extern uint64_t svm_features;
/* TV_VM_LOAD, after TV_CHUNK_TAKE of the page's chunk. */
int64_t load_page(uint64_t handle, uint64_t ipa, uint64_t from, uint64_t page);
/* TV_CHUNK_TAKE for it. */
int64_t take(const struct svm *vm, unsigned chunk);
/* One page at RAM from page 0 of chunk `chunk`, full of `word`; `vcpus` vCPUs with mpidr 0, 1
 * ..., the first one on at RAM; sealed. */
struct svm svm_launch(unsigned chunk, uint64_t word, unsigned vcpus);
/* TV_VM_DESTROY till it is done; its last answer. */
int64_t svm_destroy(uint64_t handle);

/* ---- the guest ----------------------------------------------------------- */

/* What the guest does each time it is run, in order; then interrupts only. */
struct step {
	struct guest_exit exit;
	void (*act)(struct guest_regs *regs);
};
void guest_script(const struct step *steps, unsigned n);
#define GUEST(...) \
	guest_script((const struct step[]){__VA_ARGS__}, \
		     sizeof((struct step[]){__VA_ARGS__}) / sizeof(struct step))
/* Registers as the guest had them when it was run last. */
extern struct guest_regs guest_saw;
/* How often guest_run was called. */
extern unsigned guest_runs;

#define SYNC(esr_, far_, hpfar_) {{GUEST_SYNC, esr_, far_, hpfar_}, NULL}
#define HPFAR(ipa) ((ipa) >> 8 & 0xffffffffff0UL)
#define EC(ec) ((uint64_t)(ec) << 26 | 1 << 25)
#define ISS_READ 0
#define ISS_WNR (1 << 6)
#define FAULT_L3 7
#define DATA_FAULT(ipa) SYNC(EC(0x24) | FAULT_L3, 0xffff000000000000 | ((ipa) & 0xfff), HPFAR(ipa))
#define ISV(sas, sse, rt, sf) \
	(1UL << 24 | (uint64_t)(sas) << 22 | (uint64_t)(sse) << 21 | (uint64_t)(rt) << 16 | \
	 (uint64_t)(sf) << 15)

/* TV_VCPU_RUN with these flags, all else in the shared page zero. */
int64_t run(struct svm *vm, unsigned vcpu, uint64_t flags);
/* The same, leaving the shared page as the test has prepared it. */
int64_t run_as_is(struct svm *vm, unsigned vcpu);

#endif
