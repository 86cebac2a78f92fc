/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HMAC-SHA256 (RFC 2104) and HKDF (RFC 5869) over mbedTLS's SHA-256. Used by the S-visor and, at
 * boot, by BL2. In the S-visor: only between vectors_begin() and vectors_end().
 */
#ifndef HMAC_H
#define HMAC_H

#include <stddef.h>
#include <stdint.h>

#include <mbedtls/sha256.h>

#define HASH_SIZE 32

/* SHA-256 of `size` bytes, into out[HASH_SIZE], which may be part of `data`. */
void hash_bytes(const void *data, size_t size, uint8_t out[HASH_SIZE]);

struct hmac {
	mbedtls_sha256_context inner, outer;
};

/* `size` is at most 64 bytes: all our keys are. */
void hmac_begin(struct hmac *h, const uint8_t *key, size_t size);
void hmac_add(struct hmac *h, const void *data, size_t size);
/* Erases *h. */
void hmac_end(struct hmac *h, uint8_t out[HASH_SIZE]);

/* HKDF-Extract, then HKDF-Expand of 32 bytes. `secret`: 32 bytes; `salt`: 32 bytes; `info`: a
 * string that says what the key is for. `out` may be `secret`. */
void hkdf(const uint8_t secret[HASH_SIZE], const uint8_t salt[HASH_SIZE], const char *info,
	  uint8_t out[HASH_SIZE]);

#endif
