// SPDX-License-Identifier: BSD-3-Clause
/*
 * Launch logs, which a host hands to its tenant: any bytes. What is accepted is just what its own
 * fields spell out again, is like itself, and unlike what has one bit more in a page or register.
 */
#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "tv.h"

static void put(uint8_t **at, uint64_t word)
{
	word = htole64(word);
	memcpy(*at, &word, sizeof(word));
	*at += sizeof(word);
}

static void require_same(const struct log *log, const uint8_t *data, size_t size)
{
	uint8_t *again = malloc(size), *at = again;

	put(&at, TV_MEASURE_HEAD);
	put(&at, TV_MEASURE_CPU);
	put(&at, log->features);
	for (unsigned i = 0; i < log->rams; i++) {
		put(&at, TV_MEASURE_RAM);
		put(&at, log->ram[i].base);
		put(&at, log->ram[i].size);
	}
	for (size_t i = 0; i < log->pages; i++) {
		put(&at, TV_MEASURE_PAGE);
		put(&at, log_page_ipa(log, i));
		memcpy(at, log_page_hash(log, i), DIGEST);
		at += DIGEST;
	}
	for (unsigned i = 0; i < log->vcpus; i++) {
		put(&at, TV_MEASURE_VCPU);
		memcpy(at, &log->vcpu[i], sizeof(log->vcpu[i]));
		at += sizeof(log->vcpu[i]);
	}
	assert((size_t)(at - again) == size && !memcmp(again, data, size));
	free(again);
}

static void require_unlike(const struct log *log, const uint8_t *data, size_t size, size_t flip)
{
	static const struct segment part = {.name = "part", .ipa = 0x40000000, .size = 0x3000};
	const struct image img = {.segment = {part}, .segments = 1};
	char error[LOG_ERROR];
	struct log other;
	uint8_t *copy = malloc(size);

	memcpy(copy, data, size);
	copy[flip] ^= 1;
	if (log_parse(copy, size, &other, error))
		assert(log_explain(&other, log, &img) && log_explain(log, &other, &img));
	free(copy);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	/* What differs is printed. */
	return !freopen("/dev/null", "w", stdout);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct image none;
	char error[LOG_ERROR] = "";
	struct log log;

	if (!log_parse(data, size, &log, error)) {
		assert(*error);
		return 0;
	}
	require_same(&log, data, size);
	assert(!log_explain(&log, &log, &none));
	for (size_t at = 16; at < size; at += 8)
		require_unlike(&log, data, size, at);
	return 0;
}
