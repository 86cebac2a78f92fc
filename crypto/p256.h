/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ECDSA on P-256 with SHA-256 (FIPS 186-5), with deterministic nonces (RFC 6979), over the
 * arithmetic of p256-m (mbedTLS, 3rdparty), which is constant in time as far as keys are
 * concerned and needs no heap. The long part, a multiplication of a point, is cut into steps, so
 * that who must not be kept waiting can take one at a time.
 *
 * Keys, hashes and halves of public keys and signatures are 32 bytes, big-endian. In the S-visor:
 * begin functions and p256_key only between vectors_begin() and vectors_end().
 */
#ifndef P256_H
#define P256_H

#include <stdbool.h>
#include <stdint.h>

#define P256_SIZE 32
#define P256_STEPS 16 /* of a signature, at most; a verification takes twice as many */

/* s * P, bit by bit; what p256-m's own loop keeps in its variables */
struct p256_product {
	uint32_t x[8], y[8], z[8]; /* so far */
	uint32_t px[8], py[8], py_negative[8];
	uint32_t s[8], negate;
	unsigned bits; /* still to do */
};

struct p256_signing {
	struct p256_product product;
	uint8_t hash[P256_SIZE], key[P256_SIZE], nonce[P256_SIZE];
};

struct p256_check {
	struct p256_product product;
	uint32_t u1[8], r[8], x[8], y[8];
	bool second;
};

enum p256_state { P256_MORE, P256_DONE, P256_WRONG };

/* A private key from 32 secret bytes: HKDF of them with a zero salt and `info`. */
void p256_key(const uint8_t secret[32], const char *info, uint8_t key[P256_SIZE]);

/* The public key, x and y, of a private one. All at once: for boot. */
void p256_public(const uint8_t key[P256_SIZE], uint8_t public[2 * P256_SIZE]);

/* Begins to sign `hash`; p256_sign_step till it is done. */
void p256_sign_begin(struct p256_signing *s, const uint8_t key[P256_SIZE],
		     const uint8_t hash[P256_SIZE]);
/* One step. P256_DONE: the signature is r and s, and *s is erased. */
enum p256_state p256_sign_step(struct p256_signing *s, uint8_t signature[2 * P256_SIZE]);

/* Begins to check a signature. False: it is wrong, or the key is no point of the curve. */
bool p256_check_begin(struct p256_check *c, const uint8_t public[2 * P256_SIZE],
		      const uint8_t hash[P256_SIZE], const uint8_t signature[2 * P256_SIZE]);
/* One step. P256_DONE: it is right; P256_WRONG. */
enum p256_state p256_check_step(struct p256_check *c);

#endif
