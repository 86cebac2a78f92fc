// SPDX-License-Identifier: BSD-3-Clause
/* Launch policies: a COSE_Sign1 of a map, whose keys are in this order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/sha.h>

#include "cose.h"
#include "verify.h"

static bool wrong(char error[256], const char *what)
{
	snprintf(error, 256, "%s", what);
	return false;
}

/* Adds a claim; takes over the value. */
static bool add(cbor_item_t *map, uint8_t key, cbor_item_t *value)
{
	cbor_item_t *number = cbor_build_uint8(key);
	bool ok = value && number && cbor_map_add(map, (struct cbor_pair){number, value});

	if (number)
		cbor_decref(&number);
	if (value)
		cbor_decref(&value);
	return ok;
}

/* In as few bytes as there are. */
static cbor_item_t *number_of(uint64_t n)
{
	if (n <= UINT8_MAX)
		return cbor_build_uint8(n);
	if (n <= UINT16_MAX)
		return cbor_build_uint16(n);
	return n <= UINT32_MAX ? cbor_build_uint32(n) : cbor_build_uint64(n);
}

static bool add_claims(cbor_item_t *map, const struct policy_terms *t,
		       const uint8_t public[P256_PUBLIC])
{
	return add(map, TV_POLICY_FORMAT, cbor_build_uint8(TV_POLICY_FORMAT_1)) &&
	       add(map, TV_POLICY_TENANT, cbor_build_bytestring(public, P256_PUBLIC)) &&
	       (!t->has_measurement ||
		add(map, TV_POLICY_MEASUREMENT, cbor_build_bytestring(t->measurement, HASH))) &&
	       add(map, TV_POLICY_DEBUG, cbor_build_bool(t->debug)) &&
	       add(map, TV_POLICY_VERSION, number_of(t->version)) &&
	       (!t->data_size ||
		add(map, TV_POLICY_DATA, cbor_build_bytestring(t->data, t->data_size)));
}

static size_t sign_with(const struct policy_terms *terms, EVP_PKEY *key, uint8_t out[POLICY_MOST])
{
	uint8_t public[P256_PUBLIC], payload[512];
	cbor_item_t *map = cbor_new_definite_map(4 + terms->has_measurement + !!terms->data_size);
	size_t size = 0;

	if (map && key_public(key, public) && add_claims(map, terms, public))
		size = cbor_serialize(map, payload, sizeof(payload));
	if (map)
		cbor_decref(&map);
	return size ? sign1_make((struct bytes){payload, size}, key, out, POLICY_MOST) : 0;
}

size_t policy_sign(const struct policy_terms *terms, const char *path, uint8_t out[POLICY_MOST],
		   char error[256])
{
	FILE *file = fopen(path, "r");
	EVP_PKEY *key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
	size_t size = 0;

	if (!key)
		snprintf(error, 256, "%s: no private key in PEM", path);
	else if (!(size = sign_with(terms, key, out)))
		snprintf(error, 256, "%s: no P-256 key", path);
	EVP_PKEY_free(key);
	if (file)
		fclose(file);
	return size;
}

/* The S-visor takes them in this order only, each once. */
static bool in_order(const cbor_item_t *map)
{
	uint64_t last = 0;

	if (!cbor_isa_map(map) || !cbor_map_is_definite(map))
		return false;
	for (size_t i = 0; i < cbor_map_size(map); i++) {
		const cbor_item_t *key = cbor_map_handle(map)[i].key;

		if (!cbor_isa_uint(key) || cbor_get_int(key) <= last ||
		    cbor_get_int(key) > TV_POLICY_DATA)
			return false;
		last = cbor_get_int(key);
	}
	return true;
}

static bool read_claims(const cbor_item_t *map, struct policy_terms *t, struct bytes *public,
			char error[256])
{
	cbor_item_t *format = cbor_find(map, TV_POLICY_FORMAT),
		    *debug = cbor_find(map, TV_POLICY_DEBUG),
		    *version = cbor_find(map, TV_POLICY_VERSION);
	struct bytes bytes = {NULL, 0};

	if (!in_order(map))
		return wrong(error, "claims: other ones, or in another order, than 1 to 6");
	if (!format || !cbor_isa_uint(format) || cbor_get_int(format) != TV_POLICY_FORMAT_1)
		return wrong(error, "format (1)");
	if (!cbor_bytes(cbor_find(map, TV_POLICY_TENANT), P256_PUBLIC, public))
		return wrong(error, "tenant's key (2)");
	t->has_measurement = cbor_find(map, TV_POLICY_MEASUREMENT);
	if (t->has_measurement && !cbor_bytes(cbor_find(map, TV_POLICY_MEASUREMENT), HASH, &bytes))
		return wrong(error, "measurement (3)");
	if (t->has_measurement)
		memcpy(t->measurement, bytes.at, HASH);
	if (!debug || !cbor_is_bool(debug))
		return wrong(error, "debug (4)");
	t->debug = cbor_get_bool(debug);
	if (!version || !cbor_isa_uint(version))
		return wrong(error, "version (5)");
	t->version = cbor_get_int(version);
	if (cbor_find(map, TV_POLICY_DATA) &&
	    (!cbor_bytes(cbor_find(map, TV_POLICY_DATA), 0, &bytes) ||
	     bytes.size > sizeof(t->data)))
		return wrong(error, "tenant's data (6)");
	t->data_size = cbor_find(map, TV_POLICY_DATA) ? bytes.size : 0;
	memcpy(t->data, bytes.at ? bytes.at : t->data, t->data_size);
	return true;
}

static bool check_signature(const struct sign1 *s, const uint8_t public[P256_PUBLIC],
			    char error[256])
{
	EVP_PKEY *key = key_of(public);
	bool ok = key && sign1_check(s, key);

	EVP_PKEY_free(key);
	return ok || wrong(error, "the signature is not that of the key in it");
}

static bool read_payload(const struct sign1 *s, struct policy_terms *t, char error[256])
{
	cbor_item_t *map = cbor_all(s->payload);
	struct bytes public;
	bool ok;

	if (!map)
		return wrong(error, "payload: no CBOR, or cut short");
	ok = read_claims(map, t, &public, error) && check_signature(s, public.at, error);
	if (ok)
		key_digest(public.at, t->tenant);
	cbor_decref(&map);
	return ok;
}

bool policy_parse(const uint8_t *document, size_t size, struct policy_terms *terms, char error[256])
{
	cbor_item_t *item = NULL;
	struct sign1 s;
	const char *what = sign1_read((struct bytes){document, size}, &item, &s);
	bool ok;

	memset(terms, 0, sizeof(*terms));
	if (what)
		return wrong(error, what);
	ok = read_payload(&s, terms, error);
	cbor_decref(&item);
	SHA256(document, size, terms->digest);
	return ok;
}
