// SPDX-License-Identifier: BSD-3-Clause
/*
 * libFuzzer target: the tenant's side, which reads what the host hands over. The input is a token,
 * a policy, and claims, as if their signatures were right.
 */
#include <stdlib.h>

#include "../../tools/verify/token.c"

#define REQUIRE(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

static void try_claims(const uint8_t *data, size_t size)
{
	static const struct verify_want want = {.root = "/dev/null"};
	struct verify_result result = {0};
	struct check c = {&want, &result};
	cbor_item_t *map = cbor_all((struct bytes){data, size});
	uint8_t hash[HASH];
	EVP_PKEY *key;

	if (!map)
		return;
	REQUIRE(take_platform(&c, map, hash) != !!*result.error);
	REQUIRE(result.components <= COMPONENTS);
	*result.error = 0;
	REQUIRE(take_svm(&c, map) != !!*result.error);
	key = take_key(&c, map, hash);
	EVP_PKEY_free(key);
	cbor_decref(&map);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct verify_want want = {.root = "/dev/null"};
	struct verify_result result;
	struct policy_terms terms;
	struct event events[EVENTS];
	char error[256];

	REQUIRE(!token_verify(&want, data, size, &result) && *result.error);
	policy_parse(data, size, &terms, error);
	try_claims(data, size);
	eventlog_read(data, size, events, error);
	return 0;
}
