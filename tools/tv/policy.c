/* SPDX-License-Identifier: BSD-3-Clause */
/* tv policy: make and show launch policies. */
#include <argp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <twinvisor/abi.h>

#include "tv.h"
#include "../verify/verify.h"

static const struct argp_option table[] = {
	{"sign", 's', "KEY", 0, "make a policy, signed by this private key (PEM, P-256)", 0},
	{"measurement", 'm', "HEX", 0, "the launch measurement that the S-VM must have (any)", 0},
	{"version", 'v', "N", 0, "the oldest S-visor that will do (0)", 0},
	{"debug", 'd', NULL, 0, "a machine that can be debugged will do", 0},
	{"data", 'D', "HEX", 0, "up to 64 bytes that the S-VM's tokens are to carry", 0},
	{0},
};

struct options {
	struct policy_terms terms;
	const char *key, *file;
};

static void parse_data(struct argp_state *state, struct policy_terms *t, const char *arg)
{
	t->data_size = strlen(arg) / 2;
	if (t->data_size > sizeof(t->data) || !hex_parse(arg, t->data, t->data_size))
		argp_error(state, "--data takes up to 64 bytes in hexadecimal digits");
}

static uint64_t parse_version(struct argp_state *state, const char *arg)
{
	char *end;
	unsigned long n = strtoul(arg, &end, 10);

	if (*end || end == arg)
		argp_error(state, "--version takes a number; this S-visor is %d",
			   TV_SVISOR_VERSION);
	return n;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 's':
		o->key = arg;
		return 0;
	case 'm':
		if (!hex_parse(arg, o->terms.measurement, HASH))
			argp_error(state, "--measurement takes 64 hexadecimal digits");
		o->terms.has_measurement = true;
		return 0;
	case 'v':
		o->terms.version = parse_version(state, arg);
		return 0;
	case 'd':
		o->terms.debug = true;
		return 0;
	case 'D':
		parse_data(state, &o->terms, arg);
		return 0;
	case ARGP_KEY_ARG:
		if (o->file)
			argp_error(state, "one policy at a time");
		o->file = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->file)
			argp_error(state, "give the policy's file");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	table,
	parse,
	"FILE",
	"Show a launch policy and check it; or, with --sign, make it.\v"
	"The S-visor refuses to start an S-VM that is not what its policy says: 'tv run --policy "
	"FILE'. "
	"Its tokens name the policy and the key that signed it.\n"
	"Example:\n"
	"  openssl ecparam -genkey -name prime256v1 -out tenant.pem\n"
	"  tv policy --sign tenant.pem --measurement $(tv measure -- qemu-system-aarch64 ...) "
	"vm.policy",
	NULL,
	NULL,
	NULL,
};

static void make(const struct options *o)
{
	uint8_t document[POLICY_MOST];
	char error[256];
	size_t size = policy_sign(&o->terms, o->key, document, error);
	FILE *file;

	if (!size)
		fail("%s: make one with openssl ecparam -genkey -name prime256v1", error);
	file = fopen(o->file, "w");
	if (!file || fwrite(document, 1, size, file) != size || fclose(file))
		fail("%s: cannot be written", o->file);
}

static void show(const struct options *o)
{
	struct file file = file_read(o->file, "policy");
	struct policy_terms t;
	char error[256];

	if (!policy_parse(file.data, file.size, &t, error))
		fail("%s is no policy: %s", o->file, error);
	printf("digest       ");
	print_hex(t.digest, HASH);
	printf("\ntenant's key ");
	print_hex(t.tenant, HASH);
	printf("\nmeasurement  ");
	if (t.has_measurement)
		print_hex(t.measurement, HASH);
	else
		printf("any");
	printf("\ndebug        %s\nversion      %lu\ndata         ",
	       t.debug ? "allowed" : "refused", (unsigned long)t.version);
	print_hex(t.data, t.data_size);
	putchar('\n');
}

int cmd_policy(int argc, char **argv)
{
	struct options o = {0};

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (o.key)
		make(&o);
	else
		show(&o);
	return 0;
}
