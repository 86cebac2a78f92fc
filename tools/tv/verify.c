/* SPDX-License-Identifier: BSD-3-Clause */
/* tv verify: is this token of the S-VM that was meant, on a machine to be trusted? */
#include <argp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <twinvisor/abi.h>

#include "tv.h"
#include "../verify/verify.h"

enum { OPT_REM = 256 };

static const struct argp_option table[] = {
	{"root", 'r', "FILE", 0,
	 "certificate (PEM) of who made the device: what all trust rests on", 0},
	{"challenge", 'c', "HEX", 0, "the 64 bytes that the S-VM was asked to answer", 0},
	{"measurement", 'm', "HEX", 0, "the launch measurement, as tv measure computes it", 0},
	{"policy", 'p', "FILE", 0, "the launch policy that the S-VM was to have", 0},
	{"svisor", 's', "HEX", 0, "SHA-256 of the S-visor's image", 0},
	{"rem", OPT_REM, "N=HEX", 0, "run-time measurement N, 0 to 3", 0},
	{"debug", 'd', NULL, 0, "a machine that can be debugged will do", 0},
	{"quiet", 'q', NULL, 0, "do not show what the token says", 0},
	{0},
};

struct options {
	struct verify_want want;
	uint8_t challenge[CHALLENGE], measurement[HASH], svisor[HASH], rem[REMS][HASH];
	const char *token;
	bool quiet;
};

static const uint8_t *hex(struct argp_state *state, const char *name, const char *text,
			  uint8_t *out, size_t size)
{
	if (!hex_parse(text, out, size))
		argp_error(state, "--%s takes %zu bytes as %zu hexadecimal digits", name, size,
			   2 * size);
	return out;
}

static void parse_rem(struct argp_state *state, struct options *o, const char *arg)
{
	unsigned int n = arg[0] - '0';

	if (n >= REMS || arg[1] != '=')
		argp_error(state, "--rem takes N=HEX, N from 0 to %d", REMS - 1);
	o->want.rem[n] = hex(state, "rem", arg + 2, o->rem[n], HASH);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct file policy;

	switch (key) {
	case 'r':
		o->want.root = arg;
		return 0;
	case 'c':
		o->want.challenge = hex(state, "challenge", arg, o->challenge, CHALLENGE);
		return 0;
	case 'm':
		o->want.measurement = hex(state, "measurement", arg, o->measurement, HASH);
		return 0;
	case 's':
		o->want.svisor = hex(state, "svisor", arg, o->svisor, HASH);
		return 0;
	case 'p':
		policy = file_read(arg, "policy");
		o->want.policy = policy.data;
		o->want.policy_size = policy.size;
		return 0;
	case OPT_REM:
		parse_rem(state, o, arg);
		return 0;
	case 'd':
		o->want.debug = true;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->token)
			argp_error(state, "one token at a time");
		o->token = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->token || !o->want.root)
			argp_error(state, "give --root and a token's file");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	table,
	parse,
	"TOKEN",
	"Check an attestation token, and show what it says.\v"
	"What is not asked for by an option is shown, but not judged: a token without --challenge "
	"may be "
	"an old one, one without --measurement or --policy may be of any S-VM, one without "
	"--svisor of "
	"any S-visor that the machine's owner has signed.\n"
	"Status: 0, genuine and as asked for; 1, refused, with the reason.",
	NULL,
	NULL,
	NULL,
};

static void show_hex(const char *name, const uint8_t *bytes, size_t size)
{
	printf("%-22s ", name);
	print_hex(bytes, size);
	putchar('\n');
}

static bool any(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return true;
	return false;
}

static void show_svm(const struct verify_result *r)
{
	char name[32];

	show_hex("launch measurement", r->measurement, HASH);
	for (unsigned int i = 0; i < REMS; i++) {
		snprintf(name, sizeof(name), "run-time measurement %u", i);
		if (any(r->rem[i], HASH))
			show_hex(name, r->rem[i], HASH);
	}
	show_hex("challenge", r->challenge, CHALLENGE);
	if (r->has_policy) {
		show_hex("policy", r->policy, HASH);
		show_hex("tenant's key", r->tenant, HASH);
		show_hex("tenant's data", r->data, sizeof(r->data));
	}
}

static void show(const struct verify_result *r)
{
	printf("%-22s %s\n", "device", r->device);
	show_hex("instance", r->instance, sizeof(r->instance));
	printf("%-22s %#lx%s\n", "lifecycle", (unsigned long)r->lifecycle,
	       r->lifecycle == TV_LIFECYCLE_SECURED ? " (secured)" : " (can be debugged)");
	for (unsigned int i = 0; i < r->components; i++) {
		const struct component *c = &r->component[i];
		char name[64];

		snprintf(name, sizeof(name), "%s %s", c->type, c->version);
		show_hex(name, c->measurement, HASH);
	}
	show_svm(r);
}

int cmd_verify(int argc, char **argv)
{
	struct options o = {0};
	struct verify_result result;
	struct file token;
	bool ok;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	token = file_read(o.token, "token");
	ok = token_verify(&o.want, token.data, token.size, &result);
	if (ok && !o.quiet)
		show(&result);
	if (!ok)
		fprintf(stderr, "tv: refused: %s\n", result.error);
	return !ok;
}
