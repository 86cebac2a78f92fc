/* SPDX-License-Identifier: BSD-3-Clause */
/* tv COMMAND: finds the command; each parses its own arguments. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tv.h"

const char *argp_program_version = "tv (TwinVisor) 1.0";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"run", cmd_run},       {"list", cmd_list},       {"stats", cmd_stats},
	{"top", cmd_top},       {"measure", cmd_measure}, {"audit", cmd_audit},
	{"mem", cmd_mem},       {"reclaim", cmd_reclaim}, {"verify", cmd_verify},
	{"policy", cmd_policy}, {"log", cmd_log},         {"boot", cmd_boot},
};

static int run_command(struct argp_state *state, const char *name)
{
	int argc = state->argc - state->next + 1;
	char **argv = state->argv + state->next - 1;
	char title[32];

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(name, commands[i].name))
			continue;
		snprintf(title, sizeof(title), "tv %s", name);
		argv[0] = title;
		return commands[i].run(argc, argv);
	}
	argp_error(state, "%s: no such command; see tv --help", name);
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
	NULL,
	parse,
	"COMMAND [ARGUMENT...]",
	"Run confidential VMs (S-VMs) with an unmodified VMM, and look after them.\v"
	"Commands:\n"
	"  run       start a VMM whose VMs become S-VMs\n"
	"  list      the S-VMs of this host\n"
	"  stats     exits and memory in numbers\n"
	"  top       exits a second, by reason, the busiest S-VM first\n"
	"  measure   compute a launch measurement offline\n"
	"  log       the launch log of an S-VM, for tv measure --log\n"
	"  policy    make and show launch policies\n"
	"  verify    check an attestation token\n"
	"  boot      what the firmware booted, by its event log\n"
	"  audit     have the S-visor check itself\n"
	"  mem       the pools of secure memory as maps\n"
	"  reclaim   take secure memory back for the host\n"
	"\n'tv COMMAND --help' tells more about each.",
	NULL,
	NULL,
	NULL,
};

int main(int argc, char **argv)
{
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, NULL);
	return 1;
}
