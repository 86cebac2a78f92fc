// SPDX-License-Identifier: BSD-3-Clause
/*
 * The token of an S-VM, laid out as that of an Arm CCA realm (draft-ffm-rats-cca-token): the
 * platform's token, by the device's key, and the S-VM's, by the S-visor's, which the former names.
 */
#include <string.h>

#include <cbor.h>
#include <twinvisor/token.h>

#include "arch.h"
#include "attest.h"
#include "private.h"
#include "vcpu.h"

#define CLAIMS 8 /* and two more with a policy */

/* A token is composed anew each time that some of it is wanted; the signature alone takes long. */
static struct {
	struct spinlock lock;
	uint8_t claims[768], signed_claims[768 + COSE_OVERHEAD], all[TOKEN_MOST];
} compose;

static int encode_rems(CborEncoder *map, uint8_t rem[REMS][HASH_SIZE])
{
	CborEncoder array;
	int err = cbor_encode_uint(map, TV_CLAIM_EXTENSIBLE);

	err |= cbor_encoder_create_array(map, &array, REMS);
	for (unsigned i = 0; i < REMS; i++)
		err |= cbor_encode_byte_string(&array, rem[i], HASH_SIZE);
	return err | cbor_encoder_close_container(map, &array);
}

static int encode_bytes(CborEncoder *map, int64_t claim, const uint8_t *bytes, size_t size)
{
	return cbor_encode_int(map, claim) | cbor_encode_byte_string(map, bytes, size);
}

static int encode_text(CborEncoder *map, int64_t claim, const char *text)
{
	return cbor_encode_int(map, claim) | cbor_encode_text_string(map, text, strlen(text));
}

static size_t encode_claims(const struct vm *vm, struct token *token)
{
	const struct attest *a = &vm->attest;
	bool policy = a->state == POLICY_HELD;
	CborEncoder cbor, map;
	int err;

	assert_held(&compose.lock);
	cbor_encoder_init(&cbor, compose.claims, sizeof(compose.claims), 0);
	err = cbor_encoder_create_map(&cbor, &map, policy ? CLAIMS + 2 : CLAIMS);
	err |= encode_bytes(&map, TV_CLAIM_CHALLENGE, token->challenge, CHALLENGE_SIZE);
	err |= encode_text(&map, TV_CLAIM_PROFILE, TV_SVM_PROFILE);
	err |= encode_bytes(&map, TV_CLAIM_PERSONALIZATION, a->policy.data, TENANT_DATA_SIZE);
	err |= encode_text(&map, TV_CLAIM_SVM_HASH, TV_TOKEN_HASH);
	err |= encode_bytes(&map, TV_CLAIM_KEY, attest_public(), COSE_KEY_SIZE);
	err |= encode_bytes(&map, TV_CLAIM_INITIAL, vm->measurement, HASH_SIZE);
	err |= encode_rems(&map, token->rem);
	err |= encode_text(&map, TV_CLAIM_KEY_HASH, TV_TOKEN_HASH);
	if (policy) {
		err |= encode_bytes(&map, TV_CLAIM_POLICY, a->policy.digest, HASH_SIZE);
		err |= encode_bytes(&map, TV_CLAIM_TENANT, a->policy.tenant, HASH_SIZE);
	}
	err |= cbor_encoder_close_container(&cbor, &map);
	if (err)
		panic("no room for claims");
	return cbor_encoder_get_buffer_size(&cbor, compose.claims);
}

/* The whole token, in compose.all. */
static size_t encode_all(const struct vm *vm, struct token *token)
{
	size_t size = encode_claims(vm, token), platform_size;
	const uint8_t *platform = attest_platform(&platform_size);
	CborEncoder cbor, map;
	int err;

	size = cose_sign1(compose.signed_claims, sizeof(compose.signed_claims), compose.claims,
			  size, NULL, 0, token->signature);
	cbor_encoder_init(&cbor, compose.all, sizeof(compose.all), 0);
	err = cbor_encode_tag(&cbor, TV_TOKEN_TAG);
	err |= cbor_encoder_create_map(&cbor, &map, 2);
	err |= encode_bytes(&map, TV_TOKEN_PLATFORM, platform, platform_size);
	err |= encode_bytes(&map, TV_TOKEN_SVM, compose.signed_claims, size);
	err |= cbor_encoder_close_container(&cbor, &map);
	if (err || !size)
		panic("no room for a token");
	return cbor_encoder_get_buffer_size(&cbor, compose.all);
}

void token_begin(struct vm *vm, struct vcpu *v)
{
	struct token *token = &v->token;
	uint8_t hash[HASH_SIZE];
	size_t size;

	assert_held(&vm->lock);
	memcpy(token->rem, vm->attest.rem, sizeof(token->rem));
	vectors_begin();
	spin_lock(&compose.lock);
	size = encode_claims(vm, token);
	cose_hash(compose.claims, size, hash);
	spin_unlock(&compose.lock);
	attest_sign(&token->signing, hash);
	vectors_end();
	token->state = TOKEN_SIGNED;
}

bool token_step(struct vcpu *v)
{
	struct token *token = &v->token;

	if (token->state != TOKEN_SIGNED)
		return true;
	if (p256_sign_step(&token->signing, token->signature) == P256_MORE)
		return false;
	token->state = TOKEN_READY;
	token->given = 0;
	return true;
}

size_t token_give(struct vm *vm, struct vcpu *v, uint64_t ipa, size_t size, bool *more)
{
	struct token *token = &v->token;
	size_t rest;

	assert_held(&vm->lock);
	spin_lock(&compose.lock);
	rest = encode_all(vm, token) - token->given;
	if (size > rest)
		size = rest;
	if (!private_write(vm, ipa, compose.all + token->given, size))
		size = 0;
	spin_unlock(&compose.lock);
	token->given += size;
	*more = size < rest;
	return size;
}
