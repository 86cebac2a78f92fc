// SPDX-License-Identifier: BSD-3-Clause
#include <cbor.h>
#include <twinvisor/token.h>

#include "cose.h"
#include "hmac.h"

#define KEY_TYPE 1
#define KEY_TYPE_EC2 2
#define EC2_CURVE -1
#define EC2_CURVE_P256 1
#define EC2_X -2
#define EC2_Y -3

static const uint8_t protected_header[] = {COSE_ES256};

/* The head of a byte string of `size` bytes; returns its length. */
static size_t bytes_head(uint8_t head[3], size_t size)
{
	if (size < 24) {
		head[0] = 0x40 | size;
		return 1;
	}
	if (size < 0x100) {
		head[0] = 0x58;
		head[1] = size;
		return 2;
	}
	head[0] = 0x59;
	head[1] = size >> 8;
	head[2] = size;
	return 3;
}

/*
 * Sig_structure: ["Signature1", protected, external_aad, payload]. Hashed piece by piece, so that
 * no second copy of the payload is needed.
 */
void cose_hash(const uint8_t *payload, size_t size, uint8_t hash[P256_SIZE])
{
	static const uint8_t begin[] = {0x84, 0x6a, 'S', 'i', 'g',  'n',        'a', 't',
					'u',  'r',  'e', '1', 0x43, COSE_ES256, 0x40};
	uint8_t head[3];
	mbedtls_sha256_context sha;
	size_t head_size = bytes_head(head, size);

	mbedtls_sha256_init(&sha);
	(void)mbedtls_sha256_starts(&sha, 0);
	(void)mbedtls_sha256_update(&sha, begin, sizeof(begin));
	(void)mbedtls_sha256_update(&sha, head, head_size);
	(void)mbedtls_sha256_update(&sha, payload, size);
	(void)mbedtls_sha256_finish(&sha, hash);
	mbedtls_sha256_free(&sha);
}

static int encode_unprotected(CborEncoder *array, const uint8_t *chain, size_t size)
{
	CborEncoder map;
	int err = cbor_encoder_create_map(array, &map, chain ? 1 : 0);

	if (chain) {
		err |= cbor_encode_uint(&map, COSE_X5CHAIN);
		err |= cbor_encode_byte_string(&map, chain, size);
	}
	return err | cbor_encoder_close_container(array, &map);
}

size_t cose_sign1(uint8_t *out, size_t room, const uint8_t *payload, size_t size,
		  const uint8_t *chain, size_t chain_size, const uint8_t signature[2 * P256_SIZE])
{
	CborEncoder cbor, array;
	int err;

	cbor_encoder_init(&cbor, out, room, 0);
	err = cbor_encode_tag(&cbor, COSE_TAG_SIGN1);
	err |= cbor_encoder_create_array(&cbor, &array, 4);
	err |= cbor_encode_byte_string(&array, protected_header, sizeof(protected_header));
	err |= encode_unprotected(&array, chain, chain_size);
	err |= cbor_encode_byte_string(&array, payload, size);
	err |= cbor_encode_byte_string(&array, signature, 2 * P256_SIZE);
	err |= cbor_encoder_close_container(&cbor, &array);
	return err ? 0 : cbor_encoder_get_buffer_size(&cbor, out);
}

void cose_key(uint8_t out[COSE_KEY_SIZE], const uint8_t public[2 * P256_SIZE])
{
	CborEncoder cbor, map;

	cbor_encoder_init(&cbor, out, COSE_KEY_SIZE, 0);
	cbor_encoder_create_map(&cbor, &map, 4);
	cbor_encode_int(&map, KEY_TYPE);
	cbor_encode_int(&map, KEY_TYPE_EC2);
	cbor_encode_int(&map, EC2_CURVE);
	cbor_encode_int(&map, EC2_CURVE_P256);
	cbor_encode_int(&map, EC2_X);
	cbor_encode_byte_string(&map, public, P256_SIZE);
	cbor_encode_int(&map, EC2_Y);
	cbor_encode_byte_string(&map, public + P256_SIZE, P256_SIZE);
	cbor_encoder_close_container(&cbor, &map);
}
