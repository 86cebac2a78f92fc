// SPDX-License-Identifier: BSD-3-Clause
/*
 * libFuzzer target: launch policies. The input is a document; and then the payload of one that is
 * well formed around it, so that claims are reached. Nothing beyond its end is read.
 */
#include <stdlib.h>
#include <string.h>

#include "arch.h"
#include "attest.h"
#include "fuzz.h"

#define ROOM 2048

static void try(const uint8_t *document, size_t size)
{
	uint8_t *copy = malloc(size + !size);
	const char *field = NULL;
	struct p256_check check;
	struct policy policy;
	int ret;

	memcpy(copy, document, size);
	ret = policy_read(copy, size, &policy, &check, &field);
	free(copy); /* and nothing points into it */
	REQUIRE(ret == TV_OK || ret == TV_ESIGNATURE || ret == TV_EPOLICY);
	REQUIRE((ret == TV_EPOLICY) == (field != NULL));
	if (ret == TV_OK)
		REQUIRE(p256_check_step(&check) == P256_MORE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t signature[2 * P256_SIZE] = {[31] = 1, [63] = 1};
	uint8_t document[ROOM];
	size_t n;

	try(data, size);
	n = cose_sign1(document, sizeof(document), data, size, NULL, 0, signature);
	if (n)
		try(document, n);
	return 0;
}
