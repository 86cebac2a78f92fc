// SPDX-License-Identifier: BSD-3-Clause
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/sha.h>

#include "cose.h"

#define HALF 32 /* of a public key or signature */

static const uint8_t es256[] = {COSE_ES256};

/* ---- CBOR ---------------------------------------------------------------- */

/* Room for all elements of an array is taken before there is any: no more than tokens need. */
#define MOST 65536

static void *small_malloc(size_t size)
{
	return size <= MOST ? malloc(size) : NULL;
}

static void *small_realloc(void *p, size_t size)
{
	return size <= MOST ? realloc(p, size) : NULL;
}

cbor_item_t *cbor_all(struct bytes bytes)
{
	struct cbor_load_result result;
	cbor_item_t *item;

	cbor_set_allocs(small_malloc, small_realloc, free);
	item = cbor_load(bytes.at, bytes.size, &result);
	if (item && result.read != bytes.size)
		cbor_decref(&item);
	return item;
}

cbor_item_t *tagged(const cbor_item_t *tag)
{
	cbor_item_t *item = cbor_tag_item(tag);

	cbor_decref(&(cbor_item_t *){item}); /* the tag still has it */
	return item;
}

static bool is_key(const cbor_item_t *item, int64_t key)
{
	if (key >= 0)
		return cbor_isa_uint(item) && cbor_get_int(item) == (uint64_t)key;
	return cbor_isa_negint(item) && cbor_get_int(item) == (uint64_t)(-1 - key);
}

cbor_item_t *cbor_find(const cbor_item_t *map, int64_t key)
{
	cbor_item_t *found = NULL;

	if (!map || !cbor_isa_map(map) || !cbor_map_is_definite(map))
		return NULL;
	for (size_t i = 0; i < cbor_map_size(map); i++) {
		struct cbor_pair pair = cbor_map_handle(map)[i];

		if (!is_key(pair.key, key))
			continue;
		if (found)
			return NULL;
		found = pair.value;
	}
	return found;
}

bool cbor_bytes(const cbor_item_t *item, size_t size, struct bytes *out)
{
	if (!item || !cbor_isa_bytestring(item) || !cbor_bytestring_is_definite(item))
		return false;
	*out = (struct bytes){cbor_bytestring_handle(item), cbor_bytestring_length(item)};
	return !size || out->size == size;
}

bool cbor_text(const cbor_item_t *item, char *out, size_t room)
{
	size_t size;

	if (!item || !cbor_isa_string(item) || !cbor_string_is_definite(item))
		return false;
	size = cbor_string_length(item);
	if (size >= room)
		return false;
	for (size_t i = 0; i < size; i++)
		if (cbor_string_handle(item)[i] < ' ' || cbor_string_handle(item)[i] > '~')
			return false;
	memcpy(out, cbor_string_handle(item), size);
	out[size] = 0;
	return true;
}

/* ---- keys ---------------------------------------------------------------- */

EVP_PKEY *key_of(const uint8_t public[P256_PUBLIC])
{
	uint8_t point[1 + P256_PUBLIC] = {4}; /* not compressed */
	char group[] = "P-256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, strlen(group)),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_END,
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	memcpy(point + 1, public, P256_PUBLIC);
	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

bool key_public(EVP_PKEY *key, uint8_t public[P256_PUBLIC])
{
	uint8_t point[1 + P256_PUBLIC];
	char group[32];
	size_t size;

	if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1 ||
	    strcmp(group, "prime256v1") ||
	    EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point),
					    &size) != 1 ||
	    size != sizeof(point) || point[0] != 4)
		return false;
	memcpy(public, point + 1, P256_PUBLIC);
	return true;
}

/* {1: 2 (EC2), -1: 1 (P-256), -2: x, -3: y}, deterministic: the heads are always the same. */
void key_digest(const uint8_t public[P256_PUBLIC], uint8_t digest[32])
{
	static const uint8_t head[] = {0xa4, 0x01, 0x02, 0x20, 0x01, 0x21, 0x58, HALF};
	static const uint8_t middle[] = {0x22, 0x58, HALF};
	uint8_t key[sizeof(head) + sizeof(middle) + P256_PUBLIC], *at = key;

	at = memcpy(at, head, sizeof(head)) + sizeof(head);
	at = memcpy(at, public, HALF) + HALF;
	at = memcpy(at, middle, sizeof(middle)) + sizeof(middle);
	memcpy(at, public + HALF, HALF);
	SHA256(key, sizeof(key), digest);
}

bool key_read(struct bytes bytes, uint8_t public[P256_PUBLIC])
{
	cbor_item_t *map = cbor_all(bytes), *type, *curve;
	struct bytes x, y;
	bool ok;

	if (!map)
		return false;
	type = cbor_find(map, 1);
	curve = cbor_find(map, -1);
	ok = type && is_key(type, 2) && curve && is_key(curve, 1) &&
	     cbor_bytes(cbor_find(map, -2), HALF, &x) && cbor_bytes(cbor_find(map, -3), HALF, &y);
	if (ok) {
		memcpy(public, x.at, HALF);
		memcpy(public + HALF, y.at, HALF);
	}
	cbor_decref(&map);
	return ok;
}

/* ---- COSE_Sign1 (RFC 9052, 4.2) ------------------------------------------ */

static const char *read_chain(const cbor_item_t *header, struct bytes *chain)
{
	if (!cbor_isa_map(header) || !cbor_map_is_definite(header) || cbor_map_size(header) > 1)
		return "unprotected header";
	*chain = (struct bytes){NULL, 0};
	if (cbor_map_size(header) && !cbor_bytes(cbor_find(header, COSE_X5CHAIN), 0, chain))
		return "x5chain (33)";
	return NULL;
}

static const char *read_parts(const cbor_item_t *array, struct sign1 *out)
{
	cbor_item_t **part;
	struct bytes header;
	const char *wrong;

	if (!cbor_isa_array(array) || !cbor_array_is_definite(array) || cbor_array_size(array) != 4)
		return "COSE_Sign1";
	part = cbor_array_handle(array);
	if (!cbor_bytes(part[0], sizeof(es256), &header) || memcmp(header.at, es256, header.size))
		return "algorithm";
	wrong = read_chain(part[1], &out->chain);
	if (wrong)
		return wrong;
	if (!cbor_bytes(part[2], 0, &out->payload))
		return "payload";
	return cbor_bytes(part[3], 2 * HALF, &out->signature) ? NULL : "signature";
}

/* libcbor 0.10 does not decode tags of one byte other than 0 to 5 and 21 to 23. */
const char *sign1_read(struct bytes bytes, cbor_item_t **item, struct sign1 *out)
{
	const char *wrong;

	if (!bytes.size || bytes.at[0] != (0xc0 | COSE_TAG_SIGN1))
		return "tag";
	*item = cbor_all((struct bytes){bytes.at + 1, bytes.size - 1});
	wrong = *item ? read_parts(*item, out) : "no CBOR, or cut short";
	if (wrong && *item)
		cbor_decref(item);
	return wrong;
}

/* Takes over the item. */
static bool push(cbor_item_t *array, cbor_item_t *item)
{
	return item && cbor_array_push(array, cbor_move(item));
}

/* Sig_structure (4.4), to be freed; its size, or 0. */
static size_t to_be_signed(struct bytes payload, uint8_t **out)
{
	cbor_item_t *array = cbor_new_definite_array(4);
	size_t size = 0, room;

	*out = NULL;
	if (array && push(array, cbor_build_string("Signature1")) &&
	    push(array, cbor_build_bytestring(es256, sizeof(es256))) &&
	    push(array, cbor_build_bytestring(es256, 0)) &&
	    push(array, cbor_build_bytestring(payload.at, payload.size)))
		size = cbor_serialize_alloc(array, out, &room);
	if (array)
		cbor_decref(&array);
	return size;
}

/* r and s, as the DER that OpenSSL wants; to be freed by OPENSSL_free. */
static int der_of(const uint8_t raw[2 * HALF], uint8_t **der)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, HALF, NULL), *s = BN_bin2bn(raw + HALF, HALF, NULL);
	int size = -1;

	*der = NULL;
	if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1)
		size = i2d_ECDSA_SIG(sig, der);
	ECDSA_SIG_free(sig);
	return size;
}

bool sign1_check(const struct sign1 *s, EVP_PKEY *key)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t *text, *der;
	size_t size = to_be_signed(s->payload, &text);
	int der_size = der_of(s->signature.at, &der);
	bool ok = ctx && size && der_size > 0 &&
		  EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		  EVP_DigestVerify(ctx, der, der_size, text, size) == 1;

	OPENSSL_free(der);
	free(text);
	EVP_MD_CTX_free(ctx);
	return ok;
}

/* DER to r and s. */
static bool raw_of(const uint8_t *der, size_t size, uint8_t raw[2 * HALF])
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, size);
	bool ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, HALF) == HALF &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + HALF, HALF) == HALF;

	ECDSA_SIG_free(sig);
	return ok;
}

static bool sign(struct bytes payload, EVP_PKEY *key, uint8_t raw[2 * HALF])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t *text, der[128];
	size_t size = to_be_signed(payload, &text), der_size = sizeof(der);
	bool ok = ctx && size && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		  EVP_DigestSign(ctx, der, &der_size, text, size) == 1 &&
		  raw_of(der, der_size, raw);

	free(text);
	EVP_MD_CTX_free(ctx);
	return ok;
}

size_t sign1_make(struct bytes payload, EVP_PKEY *key, uint8_t *out, size_t room)
{
	cbor_item_t *array = cbor_new_definite_array(4), *tag = NULL;
	uint8_t raw[2 * HALF];
	size_t size = 0;

	if (array && sign(payload, key, raw) &&
	    push(array, cbor_build_bytestring(es256, sizeof(es256))) &&
	    push(array, cbor_new_definite_map(0)) &&
	    push(array, cbor_build_bytestring(payload.at, payload.size)) &&
	    push(array, cbor_build_bytestring(raw, sizeof(raw))))
		tag = cbor_build_tag(COSE_TAG_SIGN1, array);
	if (tag) {
		size = cbor_serialize(tag, out, room);
		cbor_decref(&tag);
	}
	if (array)
		cbor_decref(&array);
	return size;
}
