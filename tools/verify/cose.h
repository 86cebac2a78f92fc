/* SPDX-License-Identifier: BSD-3-Clause */
/* COSE_Sign1 and CBOR maps, as token.c and policy.c need them. */
#ifndef TOOLS_COSE_H
#define TOOLS_COSE_H

#include <cbor.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include <twinvisor/token.h>

#define P256_PUBLIC 64

/* Byte strings lie in the item that was loaded; it outlives them. */
struct bytes {
	const uint8_t *at;
	size_t size;
};

struct sign1 {
	struct bytes payload, chain, signature; /* chain: x5chain's only certificate, or none */
};

/* Decodes all of `bytes`, or NULL. Free it by cbor_decref. */
cbor_item_t *cbor_all(struct bytes bytes);
/* The value of an integer key of a map, or NULL: there is none, or two. */
cbor_item_t *cbor_find(const cbor_item_t *map, int64_t key);
/* False: it is NULL, no definite byte string, or not of `size` bytes (0: of any). */
bool cbor_bytes(const cbor_item_t *item, size_t size, struct bytes *out);
/* The same of a text, copied with its end; false also if it does not fit, or is not printable. */
bool cbor_text(const cbor_item_t *item, char *out, size_t room);

/* What a tag is on; it lives as long as the tag. */
cbor_item_t *tagged(const cbor_item_t *tag);

/* Decodes a tagged COSE_Sign1. What is wrong with it, or NULL: then *item, which *out points into,
 * is to be freed by cbor_decref. */
const char *sign1_read(struct bytes bytes, cbor_item_t **item, struct sign1 *out);
bool sign1_check(const struct sign1 *s, EVP_PKEY *key);
/* Signs a payload; the document's size, 0: it cannot be done. */
size_t sign1_make(struct bytes payload, EVP_PKEY *key, uint8_t *out, size_t room);

/* The P-256 key of these coordinates, or NULL; and back. Free it by EVP_PKEY_free. */
EVP_PKEY *key_of(const uint8_t public[P256_PUBLIC]);
bool key_public(EVP_PKEY *key, uint8_t public[P256_PUBLIC]);
/* SHA-256 of the key as a COSE_Key. */
void key_digest(const uint8_t public[P256_PUBLIC], uint8_t digest[32]);
/* Reads a COSE_Key of P-256. */
bool key_read(struct bytes bytes, uint8_t public[P256_PUBLIC]);

#endif
