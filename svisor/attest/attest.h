/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attestation: what a tenant learns of an S-VM, and what it can ask of the machine before its S-VM
 * starts (docs/attestation.md).
 */
#ifndef ATTEST_H
#define ATTEST_H

#include "cose.h"
#include "hmac.h"
#include "p256.h"
#include "../core/addr.h"

struct vm;
struct vcpu;

#define REMS 4 /* run-time measurements */
#define CHALLENGE_SIZE 64
#define TENANT_DATA_SIZE 64

/* What a launch policy says. */
struct policy {
	uint8_t digest[HASH_SIZE]; /* of the document */
	uint8_t tenant[HASH_SIZE]; /* of the key that signed it, as a COSE_Key */
	uint8_t data[TENANT_DATA_SIZE];
	uint8_t measurement[HASH_SIZE];
	bool measured; /* the measurement is named */
	bool debug;    /* the machine may be one that can be debugged */
	uint64_t version;
};

/* An S-VM's part; guarded by its lock. */
struct attest {
	enum { POLICY_NONE, POLICY_CHECKED, POLICY_HELD } state;
	struct policy policy;
	struct p256_check check; /* POLICY_CHECKED: of its signature */
	uint8_t rem[REMS][HASH_SIZE];
};

/* A vCPU's: the token that it asks for. */
struct token {
	enum { TOKEN_NONE, TOKEN_SIGNED, TOKEN_READY } state;
	struct p256_signing signing; /* TOKEN_SIGNED: still at it */
	uint8_t challenge[CHALLENGE_SIZE];
	uint8_t rem[REMS][HASH_SIZE]; /* when it was asked for */
	uint8_t signature[2 * P256_SIZE];
	size_t given; /* TOKEN_READY: bytes that the guest has */
};

/* boot.c: what the firmware handed over. */

/* Takes over the record, or none if it is NULL or malformed. Once, at boot, before heap_init, which
 * erases it. */
void attest_init(const struct tv_boot *record);
/* Erases all that is secret here: the machine goes down. Any context. */
void attest_wipe(void);
/* Are there keys to attest with? */
bool attest_possible(void);
/* TV_LIFECYCLE_* */
uint32_t attest_lifecycle(void);
/* Begins to sign `hash` by the S-visor's key. Between vectors_begin() and vectors_end(). */
void attest_sign(struct p256_signing *s, const uint8_t hash[P256_SIZE]);
/* The S-visor's public key as a COSE_Key, and the platform token that vouches for it. */
const uint8_t *attest_public(void);
const uint8_t *attest_platform(size_t *size);
/* A key for `context`, 32 bytes, that nobody else has. Between vectors_begin() and vectors_end().
 */
void attest_seal(const uint8_t context[HASH_SIZE], uint8_t key[HASH_SIZE]);
/* TV_EVENT_LOG */
int attest_event_log(uint64_t offset, uint64_t *size);

/* policy.c */

/* Reads a policy; *check then waits for its steps. TV_EPOLICY, and *field is what is wrong;
 * TV_ESIGNATURE. Between vectors_begin() and vectors_end(). */
int policy_read(const uint8_t *document, size_t size, struct policy *policy,
		struct p256_check *check, const char **field);
/* TV_VM_POLICY. Takes the S-VM's lock. */
int vm_policy(uint64_t handle, uint64_t size);
/* May an S-VM of this measurement run? TV_OK, TV_ESTATE (the policy is still being checked),
 * TV_EMEASURE, TV_EVERSION, TV_ELIFECYCLE. The lock is held. */
int policy_allows(const struct attest *a, const uint8_t measurement[HASH_SIZE]);

/* token.c; the S-VM's lock is held. */

#define TOKEN_MOST 4096 /* bytes */

/* Begins a token for v->token.challenge, as the S-VM is now. */
void token_begin(struct vm *vm, struct vcpu *v);
/* One step of its signature. True: TOKEN_READY. */
bool token_step(struct vcpu *v);
/* Writes its next bytes, `size` at most, to the guest's RAM at `ipa`. How many; 0: not all of that
 * is mapped RAM. *more: there are more. */
size_t token_give(struct vm *vm, struct vcpu *v, uint64_t ipa, size_t size, bool *more);

/* rsi.c: answers the guest's calls of TV_RSI_* and TV_GUEST_SEAL. False: it was none. If v->made is
 * set then, the N-visor must see v->exit first. Takes the S-VM's lock. The vCPU is RUNNING here. */
bool attest_call(struct vm *vm, struct vcpu *v);

#endif
