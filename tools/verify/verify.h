/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tenant's side: is this token of a genuine S-visor, on a machine that the root vouches for,
 * and of the S-VM that was meant? And launch policies. CBOR by libcbor, the rest by OpenSSL:
 * neither is what the S-visor makes tokens with. docs/attestation.md has the format.
 *
 * All input but *want may be hostile. No function here is safe with threads that share a result.
 */
#ifndef VERIFY_H
#define VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH 32
#define CHALLENGE 64
#define COMPONENTS 8
#define REMS 4
#define POLICY_MOST 2048 /* bytes of a policy document */

/* What a tenant asks for; what is NULL is not asked for. */
struct verify_want {
	const char *root;         /* PEM file: certificate of who made the device; always needed */
	const uint8_t *challenge; /* CHALLENGE bytes */
	const uint8_t *measurement; /* HASH bytes: of the launch */
	const uint8_t *policy;      /* the document that it was launched with ... */
	size_t policy_size;
	const uint8_t *tenant;    /* ... or HASH bytes: the key that signed whichever */
	const uint8_t *svisor;    /* HASH bytes: of the S-visor's image (BL32) */
	const uint8_t *rem[REMS]; /* HASH bytes each: run-time measurements */
	bool debug;               /* a machine that is not secured will do */
};

struct component {
	char type[32], version[32];
	uint8_t measurement[HASH], signer[HASH];
};

/* What the token says; of a refused one, as far as it was read. */
struct verify_result {
	uint8_t instance[33], implementation[HASH];
	uint64_t lifecycle;
	struct component component[COMPONENTS];
	unsigned components;
	uint8_t challenge[CHALLENGE], data[64], measurement[HASH], rem[REMS][HASH];
	uint8_t policy[HASH], tenant[HASH];
	bool has_policy;
	char device[256]; /* subject of the device's certificate */
	char error[256];  /* why it was refused, naming the field; empty: it was not */
};

/* True: the token is genuine, and all that `want` asks for. Else out->error says why not. */
bool token_verify(const struct verify_want *want, const uint8_t *token, size_t size,
		  struct verify_result *out);

/* What a policy says, or is to say. */
struct policy_terms {
	bool has_measurement, debug;
	uint8_t measurement[HASH];
	uint64_t version; /* of the S-visor, at least */
	uint8_t data[64];
	size_t data_size;
	/* of one that was read */
	uint8_t tenant[HASH], digest[HASH];
};

/* Signs a policy by the P-256 key in the PEM file; its size, or 0 and why in error[256]. */
size_t policy_sign(const struct policy_terms *terms, const char *key, uint8_t out[POLICY_MOST],
		   char error[256]);
/* Reads one and checks its signature. False: error[256] names the field. */
bool policy_parse(const uint8_t *document, size_t size, struct policy_terms *terms,
		  char error[256]);

#define EVENTS 16

struct event {
	char name[64]; /* as the firmware calls the image */
	uint8_t digest[HASH];
};

/* The images in a firmware's event log (TCG PC Client Platform Firmware Profile 1.05, 10: crypto
 * agile, SHA-256 alone), in the order in which they were loaded. How many; 0: error[256] names the
 * event and the field. */
unsigned eventlog_read(const uint8_t *log, size_t size, struct event events[EVENTS],
		       char error[256]);

#endif
