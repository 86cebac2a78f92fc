/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tests of attestation share: a machine whose firmware has handed a record over, policies, and
 * a guest that makes calls.
 */
#ifndef TEST_ATTEST_H
#define TEST_ATTEST_H

#include "attest.h"
#include "fixture.h"

extern uint32_t record_lifecycle; /* of the next boot */
extern const uint8_t record_key[32];

/* boot() and add_pool(), with a record. */
void boot_attested(void);

/* A policy document, by the key that is all `key`; what is NULL or 0 is left out, but `debug`. */
struct terms {
	const uint8_t *measurement;
	bool debug;
	uint64_t version;
	const char *data;
	uint8_t key;
};
size_t policy_make(const struct terms *terms, uint8_t document[TV_RUN_DATA_SIZE]);
/* Signs a payload as such. */
size_t policy_sign(const uint8_t *payload, size_t size, uint8_t key,
		   uint8_t document[TV_RUN_DATA_SIZE]);
/* TV_VM_POLICY till it is done. */
int64_t policy_give(uint64_t handle, const uint8_t *document, size_t size);

/* An S-VM like svm_launch's with one vCPU, not yet sealed. */
struct svm svm_unsealed(void);

/* vCPU 0 calls with x[0] to x[10]; what it has in x after that. It must not leave the Secure world
 * meanwhile. */
extern uint64_t guest_x[11];
void guest_calls_hvc(struct svm *vm);
/* The same, by an HVC that leads to `pc`; however the run ends. */
void guest_call_from(uint64_t pc, struct svm *vm);

/* The guest asks for a token, in pieces of that size at most, by way of the page at RAM. */
size_t token_get(struct svm *vm, const uint8_t challenge[64], size_t piece, uint8_t token[4096]);

#endif
