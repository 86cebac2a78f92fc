/* SPDX-License-Identifier: BSD-3-Clause */
/* tv run: mark this process, then become the VMM. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/twinvisor.h>

#include "tv.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	int *command = state->input;

	(void)arg;
	if (key == ARGP_KEY_ARG) {
		*command = state->next - 1;
		state->next = state->argc;
		return 0;
	}
	if (key == ARGP_KEY_NO_ARGS)
		argp_error(state, "no command given: tv run -- qemu-system-aarch64 ...");
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	NULL,
	parse,
	"-- COMMAND [ARGUMENT...]",
	"Run a VMM, unmodified; every VM that it creates becomes an S-VM when it first runs.\v"
	"Example:\n"
	"  tv run -- qemu-system-aarch64 -M virt,gic-version=3,dtb-randomness=off -cpu host "
	"-enable-kvm -m 512 -nographic -kernel Image -initrd initrd -append console=ttyAMA0",
	NULL,
	NULL,
	NULL,
};

int cmd_run(int argc, char **argv)
{
	int command = 0, fd;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &command);
	fd = device_open(O_RDWR); /* kept open over exec: closing it would end the mark */
	if (ioctl(fd, TWINVISOR_ARM))
		fail("this process cannot be marked: %s", strerror(errno));
	execvp(argv[command], argv + command);
	fprintf(stderr, "tv: %s: %s\n", argv[command], strerror(errno));
	return errno == ENOENT ? 127 : 126;
}
