// SPDX-License-Identifier: BSD-3-Clause
/*
 * Tokens: a collection of two COSE_Sign1, laid out as those of Arm CCA (draft-ffm-rats-cca-token).
 * The root's certificate vouches for the device's key, that for the platform's claims and the
 * S-visor's key, and that for the S-VM's claims.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <twinvisor/abi.h>

#include "cose.h"
#include "verify.h"

struct check {
	const struct verify_want *want;
	struct verify_result *out;
};

__attribute__((format(printf, 2, 3))) static bool refuse(struct check *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->out->error, sizeof(c->out->error), format, args);
	va_end(args);
	return false;
}

/* Copies a byte string of that size out of a map. */
static bool take(const cbor_item_t *map, int64_t claim, uint8_t *out, size_t size)
{
	struct bytes bytes;

	if (!cbor_bytes(cbor_find(map, claim), size, &bytes))
		return false;
	memcpy(out, bytes.at, size);
	return true;
}

static bool has_profile(const cbor_item_t *map, const char *profile)
{
	char text[64];

	return cbor_text(cbor_find(map, TV_CLAIM_PROFILE), text, sizeof(text)) &&
	       !strcmp(text, profile);
}

/* ---- the platform -------------------------------------------------------- */

static X509 *read_root(const char *path)
{
	FILE *file = fopen(path, "r");
	X509 *root = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;

	if (file)
		fclose(file);
	return root;
}

/* Does the root vouch for the certificate? */
static bool chain_ok(X509 *root, X509 *device)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok = store && ctx && X509_STORE_add_cert(store, root) == 1 &&
		  X509_STORE_CTX_init(ctx, store, device, NULL) == 1 && X509_verify_cert(ctx) == 1;

	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return ok;
}

static bool check_device(struct check *c, const struct sign1 *platform)
{
	const uint8_t *der = platform->chain.at;
	X509 *root = read_root(c->want->root);
	X509 *device = der ? d2i_X509(NULL, &der, platform->chain.size) : NULL;
	bool ok = false;

	if (!root)
		refuse(c, "the root certificate %s cannot be read: give a PEM file", c->want->root);
	else if (!device || der != platform->chain.at + platform->chain.size)
		refuse(c, "platform token: the device's certificate is malformed");
	else if (!chain_ok(root, device))
		refuse(c, "platform token: the root does not vouch for the device's certificate");
	else if (!sign1_check(platform, X509_get0_pubkey(device)))
		refuse(c, "platform token: its signature is not the device's");
	else
		ok = true;
	if (device)
		X509_NAME_oneline(X509_get_subject_name(device), c->out->device,
				  sizeof(c->out->device));
	X509_free(device);
	X509_free(root);
	return ok;
}

static bool take_component(const cbor_item_t *map, struct component *out)
{
	return cbor_text(cbor_find(map, TV_SOFTWARE_TYPE), out->type, sizeof(out->type)) &&
	       cbor_text(cbor_find(map, TV_SOFTWARE_VERSION), out->version, sizeof(out->version)) &&
	       take(map, TV_SOFTWARE_MEASUREMENT, out->measurement, HASH) &&
	       take(map, TV_SOFTWARE_SIGNER, out->signer, HASH);
}

static bool take_components(struct check *c, const cbor_item_t *array)
{
	struct verify_result *out = c->out;

	if (!array || !cbor_isa_array(array) || !cbor_array_is_definite(array) ||
	    !cbor_array_size(array) || cbor_array_size(array) > COMPONENTS)
		return refuse(c, "platform token: software components (%d)", TV_CLAIM_SOFTWARE);
	for (; out->components < cbor_array_size(array); out->components++)
		if (!take_component(cbor_array_handle(array)[out->components],
				    &out->component[out->components]))
			return refuse(c, "platform token: software component %u (%d)",
				      out->components, TV_CLAIM_SOFTWARE);
	return true;
}

static bool take_platform(struct check *c, const cbor_item_t *map, uint8_t key_hash[HASH])
{
	struct verify_result *out = c->out;
	cbor_item_t *lifecycle = cbor_find(map, TV_CLAIM_LIFECYCLE);

	if (!has_profile(map, TV_PLATFORM_PROFILE))
		return refuse(c, "platform token: its profile (%d) is not %s", TV_CLAIM_PROFILE,
			      TV_PLATFORM_PROFILE);
	if (!take(map, TV_CLAIM_CHALLENGE, key_hash, HASH))
		return refuse(c, "platform token: challenge (%d)", TV_CLAIM_CHALLENGE);
	if (!take(map, TV_CLAIM_INSTANCE, out->instance, sizeof(out->instance)))
		return refuse(c, "platform token: instance (%d)", TV_CLAIM_INSTANCE);
	if (!take(map, TV_CLAIM_IMPLEMENTATION, out->implementation, HASH))
		return refuse(c, "platform token: implementation (%d)", TV_CLAIM_IMPLEMENTATION);
	if (!lifecycle || !cbor_isa_uint(lifecycle))
		return refuse(c, "platform token: lifecycle (%d)", TV_CLAIM_LIFECYCLE);
	out->lifecycle = cbor_get_int(lifecycle);
	return take_components(c, cbor_find(map, TV_CLAIM_SOFTWARE));
}

static const struct component *find_svisor(const struct verify_result *out)
{
	for (unsigned i = 0; i < out->components; i++)
		if (!strcmp(out->component[i].type, TV_SOFTWARE_SVISOR))
			return &out->component[i];
	return NULL;
}

static bool check_platform(struct check *c)
{
	const struct component *svisor = find_svisor(c->out);

	if (!svisor)
		return refuse(c, "platform token: no S-visor (" TV_SOFTWARE_SVISOR
				 ") among its components");
	if (c->want->svisor && memcmp(svisor->measurement, c->want->svisor, HASH))
		return refuse(c, "the S-visor is another one than you expect");
	if (c->out->lifecycle != TV_LIFECYCLE_SECURED && !c->want->debug)
		return refuse(c,
			      "the machine can be debugged (lifecycle %#lx), and you do not "
			      "allow that",
			      (unsigned long)c->out->lifecycle);
	return true;
}

/* ---- the S-VM ------------------------------------------------------------ */

static bool take_rems(const cbor_item_t *array, uint8_t rem[REMS][HASH])
{
	struct bytes bytes;

	if (!array || !cbor_isa_array(array) || !cbor_array_is_definite(array) ||
	    cbor_array_size(array) != REMS)
		return false;
	for (unsigned i = 0; i < REMS; i++) {
		if (!cbor_bytes(cbor_array_handle(array)[i], HASH, &bytes))
			return false;
		memcpy(rem[i], bytes.at, HASH);
	}
	return true;
}

static bool take_svm(struct check *c, const cbor_item_t *map)
{
	struct verify_result *out = c->out;

	if (!has_profile(map, TV_SVM_PROFILE))
		return refuse(c, "S-VM token: its profile (%d) is not %s", TV_CLAIM_PROFILE,
			      TV_SVM_PROFILE);
	if (!take(map, TV_CLAIM_CHALLENGE, out->challenge, CHALLENGE))
		return refuse(c, "S-VM token: challenge (%d)", TV_CLAIM_CHALLENGE);
	if (!take(map, TV_CLAIM_PERSONALIZATION, out->data, sizeof(out->data)))
		return refuse(c, "S-VM token: tenant's data (%d)", TV_CLAIM_PERSONALIZATION);
	if (!take(map, TV_CLAIM_INITIAL, out->measurement, HASH))
		return refuse(c, "S-VM token: launch measurement (%d)", TV_CLAIM_INITIAL);
	if (!take_rems(cbor_find(map, TV_CLAIM_EXTENSIBLE), out->rem))
		return refuse(c, "S-VM token: run-time measurements (%d)", TV_CLAIM_EXTENSIBLE);
	out->has_policy = cbor_find(map, TV_CLAIM_POLICY) || cbor_find(map, TV_CLAIM_TENANT);
	if (out->has_policy && (!take(map, TV_CLAIM_POLICY, out->policy, HASH) ||
				!take(map, TV_CLAIM_TENANT, out->tenant, HASH)))
		return refuse(c, "S-VM token: policy (%d, %d)", TV_CLAIM_POLICY, TV_CLAIM_TENANT);
	return true;
}

static bool check_policy(struct check *c)
{
	const struct verify_want *want = c->want;
	uint8_t digest[HASH];

	if ((want->policy || want->tenant) && !c->out->has_policy)
		return refuse(c, "the S-VM was launched without a policy");
	if (want->policy) {
		SHA256(want->policy, want->policy_size, digest);
		if (memcmp(digest, c->out->policy, HASH))
			return refuse(c, "the S-VM was launched with another policy");
	}
	if (want->tenant && memcmp(want->tenant, c->out->tenant, HASH))
		return refuse(c, "the S-VM's policy is signed by another key");
	return true;
}

static bool check_svm(struct check *c)
{
	const struct verify_want *want = c->want;

	if (want->challenge && memcmp(want->challenge, c->out->challenge, CHALLENGE))
		return refuse(c, "the token answers another challenge: it may be replayed");
	if (want->measurement && memcmp(want->measurement, c->out->measurement, HASH))
		return refuse(c,
			      "the launch measurement is not the expected one: another image, or "
			      "other arguments of the VMM");
	for (unsigned i = 0; i < REMS; i++)
		if (want->rem[i] && memcmp(want->rem[i], c->out->rem[i], HASH))
			return refuse(c, "run-time measurement %u is not the expected one", i);
	return check_policy(c);
}

/* The S-visor's key, which the platform names by its hash. */
static EVP_PKEY *take_key(struct check *c, const cbor_item_t *map, const uint8_t want[HASH])
{
	uint8_t hash[HASH], public[P256_PUBLIC];
	struct bytes bytes;
	EVP_PKEY *key;

	if (!cbor_bytes(cbor_find(map, TV_CLAIM_KEY), 0, &bytes) || !key_read(bytes, public)) {
		refuse(c, "S-VM token: key (%d)", TV_CLAIM_KEY);
		return NULL;
	}
	SHA256(bytes.at, bytes.size, hash);
	if (memcmp(hash, want, HASH)) {
		refuse(c, "S-VM token: its key is not the one that the platform vouches for");
		return NULL;
	}
	key = key_of(public);
	if (!key)
		refuse(c, "S-VM token: its key is no point of the curve");
	return key;
}

/* ---- both ---------------------------------------------------------------- */

/* A part of the collection: a COSE_Sign1, and the map that it signs. Both to be freed. */
struct part {
	cbor_item_t *item, *claims;
	struct sign1 sign1;
};

static bool open_part(struct check *c, const cbor_item_t *collection, int64_t which,
		      const char *name, struct part *part)
{
	struct bytes bytes;
	const char *wrong = NULL;

	if (!cbor_bytes(cbor_find(collection, which), 0, &bytes))
		return refuse(c, "there is no %s token (%ld)", name, (long)which);
	wrong = sign1_read(bytes, &part->item, &part->sign1);
	if (wrong)
		return refuse(c, "%s token: %s", name, wrong);
	part->claims = cbor_all(part->sign1.payload);
	if (!part->claims || !cbor_isa_map(part->claims))
		return refuse(c, "%s token: claims", name);
	return true;
}

static void close_part(struct part *part)
{
	if (part->claims)
		cbor_decref(&part->claims);
	if (part->item)
		cbor_decref(&part->item);
}

static bool verify_parts(struct check *c, const struct part *platform, const struct part *svm)
{
	uint8_t key_hash[HASH];
	EVP_PKEY *key;
	bool ok;

	if (!check_device(c, &platform->sign1) || !take_platform(c, platform->claims, key_hash))
		return false;
	key = take_key(c, svm->claims, key_hash);
	if (!key)
		return false;
	ok = sign1_check(&svm->sign1, key) ||
	     refuse(c, "S-VM token: its signature is not the S-visor's");
	EVP_PKEY_free(key);
	return ok && take_svm(c, svm->claims) && check_platform(c) && check_svm(c);
}

static bool verify_collection(struct check *c, const cbor_item_t *item)
{
	struct part platform = {0}, svm = {0};
	const cbor_item_t *map;
	bool ok;

	if (!cbor_isa_tag(item) || cbor_tag_value(item) != TV_TOKEN_TAG)
		return refuse(c, "this is no token: tag %d is missing", TV_TOKEN_TAG);
	map = tagged(item);
	ok = open_part(c, map, TV_TOKEN_PLATFORM, "platform", &platform) &&
	     open_part(c, map, TV_TOKEN_SVM, "S-VM", &svm) && verify_parts(c, &platform, &svm);
	close_part(&platform);
	close_part(&svm);
	return ok;
}

bool token_verify(const struct verify_want *want, const uint8_t *token, size_t size,
		  struct verify_result *out)
{
	struct check c = {want, out};
	cbor_item_t *item = cbor_all((struct bytes){token, size});
	bool ok;

	memset(out, 0, sizeof(*out));
	if (!item)
		return refuse(&c, "this is no token: no CBOR, or cut short");
	ok = verify_collection(&c, item);
	cbor_decref(&item);
	return ok;
}
