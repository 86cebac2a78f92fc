/* SPDX-License-Identifier: BSD-3-Clause */
/* Arguments, files, hexadecimal, errors. */
#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tvg.h"

void fail(const char *fmt, ...)
{
	va_list ap;

	fputs("tvg: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static error_t count_words(int key, char *arg, struct argp_state *state)
{
	unsigned count = *(unsigned *)state->input;

	(void)arg;
	if (key == ARGP_KEY_ARG)
		return state->arg_num < count ? 0 : ARGP_ERR_UNKNOWN;
	if (key == ARGP_KEY_END && state->arg_num < count)
		argp_usage(state);
	return 0;
}

void arguments(int argc, char **argv, unsigned count, const char *words, const char *doc)
{
	const struct argp argp = {.parser = count_words, .args_doc = words, .doc = doc};

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &count);
}

size_t file_read(const char *path, uint8_t *out, size_t room)
{
	FILE *file = fopen(path, "re");
	size_t n;

	if (!file)
		fail("%s: %s", path, strerror(errno));
	n = fread(out, 1, room, file);
	if (ferror(file))
		fail("%s: %s", path, strerror(errno));
	if (n == room && fgetc(file) != EOF)
		fail("%s: has more than %zu bytes", path, room);
	fclose(file);
	return n;
}

int hex_read(const char *text, uint8_t *out, size_t room)
{
	size_t n = strlen(text);

	if (!n || n % 2 || n / 2 > room)
		return -1;
	for (size_t i = 0; i < n; i += 2) {
		char pair[3] = {text[i], text[i + 1]};

		if (!isxdigit((unsigned char)pair[0]) || !isxdigit((unsigned char)pair[1]))
			return -1;
		out[i / 2] = strtoul(pair, NULL, 16);
	}
	return n / 2;
}

void hex_print(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%02x", bytes[i]);
	putchar('\n');
}

void put(const void *bytes, size_t n)
{
	if (fwrite(bytes, 1, n, stdout) != n || fflush(stdout))
		fail("standard output: %s", strerror(errno));
}
