/* SPDX-License-Identifier: BSD-3-Clause */
/* The launch log that an image is to have, and the measurement of a log. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/sha256.h>
#include <twinvisor/abi.h>

#include "tv.h"

struct writer {
	struct file log;
	size_t room;
};

static void add_bytes(struct writer *w, const void *bytes, size_t size)
{
	if (w->log.size + size > w->room) {
		w->room = 2 * w->room + 4096;
		w->log.data = realloc(w->log.data, w->room);
		if (!w->log.data)
			fail("no memory");
	}
	memcpy(w->log.data + w->log.size, bytes, size);
	w->log.size += size;
}

static void add_word(struct writer *w, uint64_t word)
{
	word = htole64(word);
	add_bytes(w, &word, sizeof(word));
}

static void add_ram(struct writer *w, uint64_t base, uint64_t size)
{
	add_word(w, TV_MEASURE_RAM);
	add_word(w, base);
	add_word(w, size);
}

/* A page that is all zero is as good as one that was never loaded. */
static void add_page(struct writer *w, uint64_t ipa, const uint8_t *data, size_t size)
{
	static const uint8_t zero[TV_PAGE_SIZE];
	uint8_t page[TV_PAGE_SIZE] = {0}, digest[DIGEST];

	if (size > TV_PAGE_SIZE)
		size = TV_PAGE_SIZE;
	if (!memcmp(data, zero, size))
		return;
	memcpy(page, data, size);
	mbedtls_sha256(page, sizeof(page), digest, 0);
	add_word(w, TV_MEASURE_PAGE);
	add_word(w, ipa);
	add_bytes(w, digest, sizeof(digest));
}

static void add_segment(struct writer *w, const struct segment *s)
{
	for (size_t at = 0; at < s->size; at += TV_PAGE_SIZE)
		add_page(w, s->ipa + at, s->data + at, s->size - at);
}

/* KVM gives vCPU n this affinity; all registers of a new vCPU are 0 but the first one's PC. */
static void add_vcpu(struct writer *w, unsigned int n, uint64_t pc)
{
	add_word(w, TV_MEASURE_VCPU);
	add_word(w, (n & 0xf) | (uint64_t)(n >> 4) << 8);
	add_word(w, n ? 0 : TV_VCPU_ON);
	add_word(w, n ? 0 : pc);
	for (int i = 0; i < 31; i++)
		add_word(w, 0);
}

struct file image_log(const struct image *img)
{
	struct writer w = {0};

	add_word(&w, TV_MEASURE_HEAD);
	add_word(&w, TV_MEASURE_CPU);
	add_word(&w, img->features);
	if (img->flash)
		add_ram(&w, 0, img->flash);
	add_ram(&w, img->base, img->size);
	for (unsigned int i = 0; i < img->segments; i++)
		add_segment(&w, &img->segment[i]);
	for (unsigned int i = 0; i < img->cpus; i++)
		add_vcpu(&w, i, img->flash ? 0 : img->base);
	return w.log;
}

void log_measure(struct file log, uint8_t digest[DIGEST])
{
	mbedtls_sha256(log.data, log.size, digest, 0);
}
