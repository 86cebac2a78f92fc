// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include <mbedtls/platform_util.h>

#include "hmac.h"

#define BLOCK 64 /* of SHA-256 */

/* These fail only in configurations with accelerators that can, which none of ours is. */
static void begin(mbedtls_sha256_context *hash)
{
	mbedtls_sha256_init(hash);
	(void)mbedtls_sha256_starts(hash, 0);
}

static void add(mbedtls_sha256_context *hash, const void *data, size_t size)
{
	(void)mbedtls_sha256_update(hash, data, size);
}

static void end(mbedtls_sha256_context *hash, uint8_t out[HASH_SIZE])
{
	(void)mbedtls_sha256_finish(hash, out);
	mbedtls_sha256_free(hash);
}

void hash_bytes(const void *data, size_t size, uint8_t out[HASH_SIZE])
{
	mbedtls_sha256_context hash;

	begin(&hash);
	add(&hash, data, size);
	end(&hash, out);
}

static void begin_padded(mbedtls_sha256_context *hash, const uint8_t *key, size_t size,
			 uint8_t with)
{
	uint8_t pad[BLOCK];

	memset(pad, with, sizeof(pad));
	for (size_t i = 0; i < size; i++)
		pad[i] ^= key[i];
	begin(hash);
	add(hash, pad, sizeof(pad));
	mbedtls_platform_zeroize(pad, sizeof(pad));
}

void hmac_begin(struct hmac *h, const uint8_t *key, size_t size)
{
	begin_padded(&h->inner, key, size, 0x36);
	begin_padded(&h->outer, key, size, 0x5c);
}

void hmac_add(struct hmac *h, const void *data, size_t size)
{
	add(&h->inner, data, size);
}

void hmac_end(struct hmac *h, uint8_t out[HASH_SIZE])
{
	uint8_t inner[HASH_SIZE];

	end(&h->inner, inner);
	add(&h->outer, inner, sizeof(inner));
	end(&h->outer, out);
}

void hkdf(const uint8_t secret[HASH_SIZE], const uint8_t salt[HASH_SIZE], const char *info,
	  uint8_t out[HASH_SIZE])
{
	static const uint8_t first = 1;
	uint8_t prk[HASH_SIZE];
	struct hmac h;

	hmac_begin(&h, salt, HASH_SIZE);
	hmac_add(&h, secret, HASH_SIZE);
	hmac_end(&h, prk);
	hmac_begin(&h, prk, sizeof(prk));
	hmac_add(&h, info, strlen(info));
	hmac_add(&h, &first, 1);
	hmac_end(&h, out);
	mbedtls_platform_zeroize(prk, sizeof(prk));
}
