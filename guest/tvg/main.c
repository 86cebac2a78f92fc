/* SPDX-License-Identifier: BSD-3-Clause */
/* tvg COMMAND: an S-VM's attestation, from inside. */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tvg.h"

const char *argp_program_version = "tvg (TwinVisor) 1.0";

static int token(int argc, char **argv)
{
	static uint8_t out[TOKEN_MAX];
	uint8_t challenge[CHALLENGE_MAX];
	int size;

	arguments(argc, argv, 1, "CHALLENGE",
		  "Print an attestation token, which shows what this VM is to whoever made the "
		  "challenge: 32 to 64 bytes, hexadecimal, or a file that has them.");
	size = hex_read(argv[1], challenge, sizeof(challenge));
	if (size < 0)
		size = file_read(argv[1], challenge, sizeof(challenge));
	if (size < CHALLENGE_MIN)
		fail("the challenge has %d bytes; it needs %d to %d", size, CHALLENGE_MIN,
		     CHALLENGE_MAX);
	put(out, token_get(challenge, size, out));
	return 0;
}

#define FETCH_SECRET "tvg-fetch-secret"

/* A program of its own, since it brings a library along that makes it many times as large. */
static int fetch_secret(int argc, char **argv)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof(FETCH_SECRET));

	(void)argc;
	if (n < 0)
		fail("/proc/self/exe: %s", strerror(errno));
	path[n] = 0;
	strcpy(strrchr(path, '/') + 1, FETCH_SECRET);
	execv(path, argv);
	fail("%s: %s", path, strerror(errno));
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"token", token},   {"extend", cmd_extend},         {"measurements", cmd_measurements},
	{"seal", cmd_seal}, {"fetch-secret", fetch_secret},
};

static int run_command(struct argp_state *state, const char *name)
{
	int argc = state->argc - state->next + 1;
	char **argv = state->argv + state->next - 1;
	char title[32];

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(name, commands[i].name))
			continue;
		snprintf(title, sizeof(title), "tvg %s", name);
		argv[0] = title;
		return commands[i].run(argc, argv);
	}
	argp_error(state, "%s: no such command; see tvg --help", name);
	return 1;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_ARG:
		exit(run_command(state, arg));
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.parser = parse,
	.args_doc = "COMMAND [ARGUMENT...]",
	.doc = "Show what this confidential VM (S-VM) is, and get what only it may have.\v"
	       "Commands:\n"
	       "  token CHALLENGE         an attestation token, on standard output\n"
	       "  extend INDEX FILE|HASH  add a file's hash to a run-time measurement\n"
	       "  measurements            what was launched, and what was added since\n"
	       "  seal LABEL              a key that only this VM gets\n"
	       "  fetch-secret HOST PORT  a secret that a verifier keeps for this VM\n"
	       "\n'tvg COMMAND --help' tells more about each.",
};

int main(int argc, char **argv)
{
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, NULL);
	return 1;
}
