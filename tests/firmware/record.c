/* SPDX-License-Identifier: BSD-3-Clause */
#include "record.h"

void say(const char *s)
{
	for (; *s; s++)
		say_char(*s);
}

static void say_bytes(const char *name, const void *data, uint64_t size)
{
	const volatile uint8_t *byte = data;

	say("stub: ");
	say(name);
	say(" ");
	for (uint64_t i = 0; i < size; i++) {
		say_char("0123456789abcdef"[byte[i] >> 4]);
		say_char("0123456789abcdef"[byte[i] & 15]);
	}
	say("\r\n");
}

void show_boot(const struct tv_boot *boot)
{
	if (!boot)
		return;
	say_bytes("magic", &boot->magic, sizeof(boot->magic));
	say_bytes("lifecycle", &boot->lifecycle, sizeof(boot->lifecycle));
	say_bytes("key", boot->key, sizeof(boot->key));
	say_bytes("seal", boot->seal, sizeof(boot->seal));
	say_bytes("token", boot->token, boot->token_size);
	say_bytes("log", boot->log, boot->log_size);
	say("stub: record ends\r\n");
}
