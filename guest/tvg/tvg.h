/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TVG_H
#define TVG_H

#include <stddef.h>
#include <stdint.h>

#define HASH 32
#define CHALLENGE_MIN 32
#define CHALLENGE_MAX 64
#define TOKEN_MAX 32768 /* of configfs-tsm */

/* Says it on standard error, with the program's name, and ends. */
void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *fmt, ...);

/* All bytes of a file, `room` at most. */
size_t file_read(const char *path, uint8_t *out, size_t room);
/* Bytes of a hexadecimal text, or -1 if it is none or has more than `room`. */
int hex_read(const char *text, uint8_t *out, size_t room);
void hex_print(const uint8_t *bytes, size_t n);
void put(const void *bytes, size_t n); /* to standard output */

/* A token for this challenge, of the kernel; its size. */
size_t token_get(const uint8_t *challenge, size_t size, uint8_t out[TOKEN_MAX]);

int cmd_extend(int argc, char **argv);
int cmd_measurements(int argc, char **argv);
int cmd_seal(int argc, char **argv);

/* Parses a command's arguments: so many words, from argv[1] on. */
void arguments(int argc, char **argv, unsigned count, const char *words, const char *doc);

#endif
