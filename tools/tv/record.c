/* SPDX-License-Identifier: BSD-3-Clause */
/* The launch measurement, from the records that abi.h defines. */
#include <endian.h>
#include <string.h>

#include <mbedtls/sha256.h>
#include <twinvisor/abi.h>

#include "tv.h"

static void add_word(mbedtls_sha256_context *sha, uint64_t word)
{
	word = htole64(word);
	mbedtls_sha256_update(sha, (const unsigned char *)&word, sizeof(word));
}

static void add_ram(mbedtls_sha256_context *sha, const struct image *img)
{
	add_word(sha, TV_MEASURE_RAM);
	add_word(sha, img->base);
	add_word(sha, img->size);
}

/* A page that is all zero is as good as one that was never loaded. */
static void add_page(mbedtls_sha256_context *sha, uint64_t ipa, const uint8_t *data, size_t size)
{
	static const uint8_t zero[TV_PAGE_SIZE];
	uint8_t page[TV_PAGE_SIZE] = {0};

	if (size > TV_PAGE_SIZE)
		size = TV_PAGE_SIZE;
	if (!memcmp(data, zero, size))
		return;
	memcpy(page, data, size);
	add_word(sha, TV_MEASURE_PAGE);
	add_word(sha, ipa);
	mbedtls_sha256_update(sha, page, sizeof(page));
}

static void add_segment(mbedtls_sha256_context *sha, const struct segment *s)
{
	for (size_t at = 0; at < s->size; at += TV_PAGE_SIZE)
		add_page(sha, s->ipa + at, s->data + at, s->size - at);
}

/* KVM gives vCPU n this affinity; all registers of a new vCPU are 0 but the first one's PC. */
static void add_vcpu(mbedtls_sha256_context *sha, const struct image *img, unsigned int n)
{
	add_word(sha, TV_MEASURE_VCPU);
	add_word(sha, (n & 0xf) | (uint64_t)(n >> 4) << 8);
	add_word(sha, n ? 0 : TV_VCPU_ON);
	add_word(sha, n ? 0 : img->base);
	for (int i = 0; i < 31; i++)
		add_word(sha, 0);
}

void image_measure(const struct image *img, uint8_t digest[DIGEST])
{
	mbedtls_sha256_context sha;

	mbedtls_sha256_init(&sha);
	mbedtls_sha256_starts(&sha, 0);
	add_word(&sha, TV_MEASURE_HEAD);
	add_word(&sha, TV_MEASURE_CPU);
	add_word(&sha, img->features);
	add_ram(&sha, img);
	for (unsigned int i = 0; i < img->segments; i++)
		add_segment(&sha, &img->segment[i]);
	for (unsigned int i = 0; i < img->cpus; i++)
		add_vcpu(&sha, img, i);
	mbedtls_sha256_finish(&sha, digest);
	mbedtls_sha256_free(&sha);
}
