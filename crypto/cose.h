/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * COSE_Sign1 (RFC 9052) with ES256, in deterministic CBOR (RFC 8949 4.2.1), encoded by tinycbor.
 * In the S-visor: cose_hash only between vectors_begin() and vectors_end().
 */
#ifndef COSE_H
#define COSE_H

#include <stddef.h>
#include <stdint.h>

#include "p256.h"

#define COSE_OVERHEAD 96 /* what COSE_Sign1 adds to payload and certificate, at most */
#define COSE_KEY_SIZE 75 /* of an encoded COSE_Key */

/* The hash that is signed: SHA-256 of Sig_structure, with the protected header {alg: ES256} and no
 * external data. */
void cose_hash(const uint8_t *payload, size_t size, uint8_t hash[P256_SIZE]);

/* Writes COSE_Sign1, tagged 18, to out[room]; payload may not overlap it. `chain`: a DER
 * certificate for the x5chain header (RFC 9360), or NULL. The size, or 0 if there is no room. */
size_t cose_sign1(uint8_t *out, size_t room, const uint8_t *payload, size_t size,
		  const uint8_t *chain, size_t chain_size, const uint8_t signature[2 * P256_SIZE]);

/* Writes a public key as COSE_Key {1: 2 (EC2), -1: 1 (P-256), -2: x, -3: y}. */
void cose_key(uint8_t out[COSE_KEY_SIZE], const uint8_t public[2 * P256_SIZE]);

#endif
