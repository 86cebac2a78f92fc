// SPDX-License-Identifier: BSD-3-Clause
#include <endian.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "verify.h"

#define EV_POST_CODE 1
#define EV_NO_ACTION 3
#define SHA1_SIZE 20
#define ALG_SHA256 0x000b
#define SIGNATURE "Spec ID Event03" /* 16 bytes with its end */

struct reader {
	const uint8_t *at, *end;
	unsigned event;
	char *error;
};

static bool wrong(struct reader *r, const char *field)
{
	snprintf(r->error, 256, "event %u: %s", r->event, field);
	return false;
}

static bool take(struct reader *r, const void **out, size_t size)
{
	if ((size_t)(r->end - r->at) < size)
		return false;
	*out = r->at;
	r->at += size;
	return true;
}

static bool take32(struct reader *r, uint32_t *out)
{
	const void *p;

	if (!take(r, &p, sizeof(*out)))
		return false;
	memcpy(out, p, sizeof(*out));
	*out = le32toh(*out);
	return true;
}

static bool take16(struct reader *r, uint16_t *out)
{
	const void *p;

	if (!take(r, &p, sizeof(*out)))
		return false;
	memcpy(out, p, sizeof(*out));
	*out = le16toh(*out);
	return true;
}

/* TCG_PCR_EVENT with a TCG_EfiSpecIDEvent: what the rest is. */
static bool read_first(struct reader *r)
{
	uint32_t pcr, type, size;
	const void *digest, *data;

	if (!take32(r, &pcr) || !take32(r, &type) || type != EV_NO_ACTION)
		return wrong(r, "type is not EV_NO_ACTION");
	if (!take(r, &digest, SHA1_SIZE) || !take32(r, &size) || !take(r, &data, size))
		return wrong(r, "size is beyond the log");
	if (size < sizeof(SIGNATURE) || memcmp(data, SIGNATURE, sizeof(SIGNATURE)))
		return wrong(r, "signature is not " SIGNATURE);
	return true;
}

static bool take_name(struct reader *r, const char *data, uint32_t size, struct event *out)
{
	if (!size || size > sizeof(out->name) || data[size - 1])
		return wrong(r, "name has no end, or is too long");
	for (uint32_t i = 0; i + 1 < size; i++)
		if (data[i] < ' ' || data[i] > '~')
			return wrong(r, "name is not printable");
	memcpy(out->name, data, size);
	return true;
}

/* TCG_PCR_EVENT2; *image: it is one. */
static bool read_event(struct reader *r, struct event *out, bool *image)
{
	uint32_t pcr, type, count, size;
	const void *digest, *data;
	uint16_t algorithm;

	if (!take32(r, &pcr) || !take32(r, &type) || !take32(r, &count))
		return wrong(r, "is cut short");
	if (count != 1 || !take16(r, &algorithm) || algorithm != ALG_SHA256)
		return wrong(r, "digests are not one of SHA-256");
	if (!take(r, &digest, HASH) || !take32(r, &size) || !take(r, &data, size))
		return wrong(r, "size is beyond the log");
	*image = type == EV_POST_CODE;
	if (!*image)
		return true;
	memcpy(out->digest, digest, HASH);
	return take_name(r, data, size, out);
}

unsigned eventlog_read(const uint8_t *log, size_t size, struct event events[EVENTS],
		       char error[256])
{
	struct reader r = {log, log + size, 0, error};
	unsigned n = 0;
	bool image;

	if (!read_first(&r))
		return 0;
	while (r.at != r.end) {
		struct event event = {0};

		r.event++;
		if (!read_event(&r, &event, &image))
			return 0;
		if (image && n == EVENTS)
			return wrong(&r, "is one too many");
		if (image)
			events[n++] = event;
	}
	if (!n)
		wrong(&r, "no image is in the log");
	return n;
}
