/* SPDX-License-Identifier: BSD-3-Clause */
/* tv boot: what the firmware booted, by its event log. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/twinvisor.h>

#include "tv.h"
#include "../verify/verify.h"

struct options {
	const char *file;
	bool raw;
};

static const struct argp_option table[] = {
	{"raw", 'r', NULL, 0, "write the log itself, for other tools", 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'r':
		o->raw = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->file)
			argp_error(state, "one log at a time");
		o->file = arg;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	table,
	parse,
	"[FILE]",
	"Show the images that the firmware measured, in the order in which it loaded them: of this "
	"host, or of "
	"the event log in FILE.\v"
	"Each is named as the firmware names it, with its SHA-256. The log is the host's word; "
	"what a tenant can rely "
	"on is in a token (tv verify).",
	NULL,
	NULL,
	NULL,
};

static struct file host_log(void)
{
	struct twinvisor_event_log log = {0};
	int fd = device_open(O_RDONLY | O_CLOEXEC);

	if (!ioctl(fd, TWINVISOR_EVENT_LOG, &log)) {
		log.room = log.size;
		log.log = (uintptr_t)malloc(log.size);
	}
	if (!log.log || ioctl(fd, TWINVISOR_EVENT_LOG, &log))
		fail("this host's firmware has handed over no event log: %s", strerror(errno));
	return (struct file){(uint8_t *)(uintptr_t)log.log, log.room};
}

static void show(struct file log)
{
	struct event events[EVENTS];
	char error[256];
	unsigned int n = eventlog_read(log.data, log.size, events, error);

	if (!n)
		fail("this is no event log that can be read: %s", error);
	for (unsigned int i = 0; i < n; i++) {
		printf("%-20s ", events[i].name);
		print_hex(events[i].digest, HASH);
		putchar('\n');
	}
}

int cmd_boot(int argc, char **argv)
{
	struct options o = {0};
	struct file log;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	log = o.file ? file_read(o.file, "event log") : host_log();
	if (!o.raw)
		show(log);
	else if (fwrite(log.data, 1, log.size, stdout) != log.size)
		fail("the log cannot be written: %s", strerror(errno));
	return 0;
}
