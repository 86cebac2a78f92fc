// SPDX-License-Identifier: BSD-3-Clause
/*
 * The launch policy: a COSE_Sign1 whose payload is a map of the claims TV_POLICY_*, in this order.
 * It comes from the N-visor, and is the tenant's only by its signature; which tenant's, the token
 * says.
 */
#include <string.h>

#include <cbor.h>
#include <twinvisor/token.h>

#include "attest.h"
#include "log.h"
#include "share.h"
#include "vm.h"

static const uint8_t es256[] = {COSE_ES256};

/* The byte string at `at`, in one piece; steps past it. False: it is none. */
static bool take_bytes(CborValue *at, const uint8_t **bytes, size_t *size)
{
	return cbor_value_is_byte_string(at) && cbor_value_is_length_known(at) &&
	       cbor_value_begin_string_iteration(at) == CborNoError &&
	       cbor_value_get_byte_string_chunk(at, bytes, size, at) == CborNoError &&
	       cbor_value_finish_string_iteration(at) == CborNoError;
}

static bool take_fixed(CborValue *at, const uint8_t **bytes, size_t size)
{
	size_t got;

	return take_bytes(at, bytes, &got) && got == size;
}

static bool take_uint(CborValue *at, uint64_t *value)
{
	return cbor_value_is_unsigned_integer(at) &&
	       cbor_value_get_uint64(at, value) == CborNoError &&
	       cbor_value_advance_fixed(at) == CborNoError;
}

static bool take_bool(CborValue *at, bool *value)
{
	return cbor_value_is_boolean(at) && cbor_value_get_boolean(at, value) == CborNoError &&
	       cbor_value_advance_fixed(at) == CborNoError;
}

/* Is the next key of the map this one? Then steps past it. */
static bool take_key(CborValue *at, uint64_t key)
{
	CborValue next = *at;
	uint64_t got;

	if (cbor_value_at_end(at) || !take_uint(&next, &got) || got != key)
		return false;
	*at = next;
	return true;
}

static bool take_measurement(CborValue *at, struct policy *policy)
{
	const uint8_t *bytes;

	policy->measured = take_key(at, TV_POLICY_MEASUREMENT);
	if (!policy->measured)
		return true;
	if (!take_fixed(at, &bytes, HASH_SIZE))
		return false;
	memcpy(policy->measurement, bytes, HASH_SIZE);
	return true;
}

static bool take_data(CborValue *at, struct policy *policy)
{
	const uint8_t *bytes;
	size_t size;

	if (!take_key(at, TV_POLICY_DATA))
		return true;
	if (!take_bytes(at, &bytes, &size) || size > TENANT_DATA_SIZE)
		return false;
	memcpy(policy->data, bytes, size);
	return true;
}

/* Reads the payload; what is wrong, or NULL. */
static const char *read_claims(const uint8_t *payload, size_t size, struct policy *policy,
			       const uint8_t **key)
{
	CborParser parser;
	CborValue map, at;
	uint64_t format;

	if (cbor_parser_init(payload, size, 0, &parser, &map) || !cbor_value_is_map(&map) ||
	    !cbor_value_is_length_known(&map) || cbor_value_enter_container(&map, &at))
		return "payload";
	if (!take_key(&at, TV_POLICY_FORMAT) || !take_uint(&at, &format) ||
	    format != TV_POLICY_FORMAT_1)
		return "format (1)";
	if (!take_key(&at, TV_POLICY_TENANT) || !take_fixed(&at, key, 2 * P256_SIZE))
		return "tenant's key (2)";
	if (!take_measurement(&at, policy))
		return "measurement (3)";
	if (!take_key(&at, TV_POLICY_DEBUG) || !take_bool(&at, &policy->debug))
		return "debug (4)";
	if (!take_key(&at, TV_POLICY_VERSION) || !take_uint(&at, &policy->version))
		return "version (5)";
	if (!take_data(&at, policy))
		return "tenant's data (6)";
	if (!cbor_value_at_end(&at) || cbor_value_leave_container(&map, &at) ||
	    cbor_value_get_next_byte(&map) != payload + size)
		return "end of the payload";
	return NULL;
}

struct sign1 {
	const uint8_t *payload, *signature;
	size_t size;
};

/* Reads the COSE_Sign1 around it; what is wrong, or NULL. */
static const char *read_sign1(const uint8_t *document, size_t size, struct sign1 *sign1)
{
	CborParser parser;
	CborValue array, at, map;
	CborTag tag;
	const uint8_t *header;

	if (cbor_parser_init(document, size, 0, &parser, &array) || !cbor_value_is_tag(&array) ||
	    cbor_value_get_tag(&array, &tag) || tag != COSE_TAG_SIGN1 ||
	    cbor_value_advance_fixed(&array))
		return "tag";
	if (!cbor_value_is_array(&array) || !cbor_value_is_length_known(&array) ||
	    cbor_value_enter_container(&array, &at))
		return "COSE_Sign1";
	if (!take_fixed(&at, &header, sizeof(es256)) || memcmp(header, es256, sizeof(es256)))
		return "algorithm";
	if (!cbor_value_is_map(&at) || !cbor_value_is_length_known(&at) ||
	    cbor_value_enter_container(&at, &map) || !cbor_value_at_end(&map) ||
	    cbor_value_leave_container(&at, &map))
		return "unprotected header";
	if (!take_bytes(&at, &sign1->payload, &sign1->size))
		return "payload";
	if (!take_fixed(&at, &sign1->signature, 2 * P256_SIZE))
		return "signature";
	if (!cbor_value_at_end(&at) || cbor_value_leave_container(&array, &at) ||
	    cbor_value_get_next_byte(&array) != document + size)
		return "end";
	return NULL;
}

int policy_read(const uint8_t *document, size_t size, struct policy *policy,
		struct p256_check *check, const char **field)
{
	uint8_t hash[HASH_SIZE], key[COSE_KEY_SIZE];
	const uint8_t *tenant;
	struct sign1 sign1;

	memset(policy, 0, sizeof(*policy));
	*field = read_sign1(document, size, &sign1);
	if (!*field)
		*field = read_claims(sign1.payload, sign1.size, policy, &tenant);
	if (*field)
		return TV_EPOLICY;
	hash_bytes(document, size, policy->digest);
	cose_key(key, tenant);
	hash_bytes(key, sizeof(key), policy->tenant);
	cose_hash(sign1.payload, sign1.size, hash);
	return p256_check_begin(check, tenant, hash, sign1.signature) ? TV_OK : TV_ESIGNATURE;
}

static int begin_locked(struct vm *vm, uint64_t size)
{
	uint8_t document[TV_RUN_DATA_SIZE];
	const char *field;
	int ret;

	if (size == 0 || size > sizeof(document))
		return TV_EINVAL;
	if (!share_read_data(document, size))
		return TV_EFAULT;
	vectors_begin();
	ret = policy_read(document, size, &vm->attest.policy, &vm->attest.check, &field);
	vectors_end();
	if (ret == TV_EPOLICY)
		log_line("S-VM %u: its policy is malformed: %s", vm_index(vm), field);
	if (ret != TV_OK)
		return ret;
	vm->attest.state = POLICY_CHECKED;
	return TV_AGAIN;
}

static int step_locked(struct vm *vm)
{
	switch (p256_check_step(&vm->attest.check)) {
	case P256_MORE:
		return TV_AGAIN;
	case P256_DONE:
		vm->attest.state = POLICY_HELD;
		return TV_OK;
	default:
		vm->attest.state = POLICY_NONE;
		return TV_ESIGNATURE;
	}
}

int vm_policy(uint64_t handle, uint64_t size)
{
	int ret;
	struct vm *vm = vm_lock_state(handle, VM_NEW, &ret);

	if (!vm)
		return ret;
	if (vm->attest.state == POLICY_NONE)
		ret = begin_locked(vm, size);
	else
		ret = vm->attest.state == POLICY_CHECKED ? step_locked(vm) : TV_ESTATE;
	vm_unlock(vm);
	return ret;
}

int policy_allows(const struct attest *a, const uint8_t measurement[HASH_SIZE])
{
	const struct policy *policy = &a->policy;

	if (a->state == POLICY_NONE)
		return TV_OK;
	if (a->state == POLICY_CHECKED)
		return TV_ESTATE;
	if (policy->version > TV_SVISOR_VERSION)
		return TV_EVERSION;
	if (!policy->debug && attest_lifecycle() != TV_LIFECYCLE_SECURED)
		return TV_ELIFECYCLE;
	if (policy->measured && memcmp(policy->measurement, measurement, HASH_SIZE))
		return TV_EMEASURE;
	return TV_OK;
}
