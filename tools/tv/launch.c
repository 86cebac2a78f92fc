/* SPDX-License-Identifier: BSD-3-Clause */
/* How launches went, and their logs; tv log. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/twinvisor.h>
#include <twinvisor/abi.h>

#include "tv.h"
#include "../verify/verify.h"

/* ---- what the N-visor has noted ------------------------------------------- */

static bool ask(int fd, struct twinvisor_launch *launch)
{
	if (!ioctl(fd, TWINVISOR_LAUNCH, launch))
		return true;
	if (errno == EAGAIN)
		return false;
	if (errno == ENOENT)
		fail("there is no S-VM %u: see tv list", launch->vm);
	fail("the launch log cannot be had: %s", strerror(errno));
}

bool get_launch(int fd, uint32_t vm, struct twinvisor_launch *launch, struct file *log)
{
	struct file have = {0};

	for (;;) {
		*launch = (struct twinvisor_launch){
			.vm = vm, .room = have.size, .log = (uintptr_t)have.data};
		if (!ask(fd, launch))
			return false;
		if (!log || launch->size <= have.size)
			break;
		/* If there is another launch before the next call, its log may be longer. */
		free(have.data);
		have.size = launch->size;
		have.data = malloc(have.size);
		if (!have.data)
			fail("no memory for a launch log of %zu bytes", have.size);
	}
	if (log)
		*log = (struct file){have.data, launch->size};
	return true;
}

bool launch_write(int fd, struct file log, const char *name)
{
	/* Neither can be done to a pipe, nor needs to. */
	if (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET))
		errno = 0;
	while (log.size) {
		ssize_t n = write(fd, log.data, log.size);

		if (n < 0 && errno != EINTR) {
			fprintf(stderr, "tv: launch log %s: %s\n", name, strerror(errno));
			return false;
		}
		if (n > 0) {
			log.data += n;
			log.size -= n;
		}
	}
	return true;
}

/* ---- why one was refused -------------------------------------------------- */

static void say_hex(const char *what, const uint8_t digest[DIGEST])
{
	fprintf(stderr, "tv:   %s ", what);
	for (int i = 0; i < DIGEST; i++)
		fprintf(stderr, "%02x", digest[i]);
	fputc('\n', stderr);
}

static const char *call_name(uint32_t call)
{
	switch (call) {
	case TV_VM_CREATE:
		return "TV_VM_CREATE";
	case TV_VM_RAM:
		return "TV_VM_RAM";
	case TV_VM_LOAD:
		return "TV_VM_LOAD";
	case TV_VM_BOUNCE:
		return "TV_VM_BOUNCE";
	case TV_VCPU_CREATE:
		return "TV_VCPU_CREATE";
	case TV_VM_POLICY:
		return "TV_VM_POLICY";
	case TV_VM_SEAL:
		return "TV_VM_SEAL";
	default:
		return "a call";
	}
}

static void explain_measurement(const struct twinvisor_launch *launch,
				const struct policy_terms *terms)
{
	fputs("tv: the S-visor refused the launch: it is not the one that the policy names "
	      "(measurement, 3)\n",
	      stderr);
	say_hex("measured  ", launch->measurement);
	if (terms)
		say_hex("the policy", terms->measurement);
	fputs("tv: see what differs: tv run with --launch-log FILE, then tv measure --log FILE -- "
	      "and the command that the policy was made for\n",
	      stderr);
}

static void explain_malformed(const char *name, const char *error)
{
	fprintf(stderr,
		"tv: the S-visor refused the launch: %s is no launch policy%s%s; make one with tv "
		"policy --sign\n",
		name, *error ? ": " : "", error);
}

static void explain_version(const struct policy_terms *terms)
{
	fputs("tv: the S-visor refused the launch: it is older than the policy wants (version, "
	      "5)",
	      stderr);
	if (terms)
		fprintf(stderr, ": %lu at least", (unsigned long)terms->version);
	fputs("; update this host's firmware\n", stderr);
}

static void explain_other(const struct twinvisor_launch *launch)
{
	if (launch->code)
		fprintf(stderr,
			"tv: the launch failed: %s of the S-visor gave %d: %s; dmesg has more\n",
			call_name(launch->call), launch->code, strerror(launch->error));
	else
		fprintf(stderr, "tv: the launch failed: %s; dmesg may have more\n",
			strerror(launch->error));
}

void launch_explain(const struct twinvisor_launch *launch, const char *name, struct file policy)
{
	struct policy_terms terms;
	char error[256] = "";
	bool read = name && policy_parse(policy.data, policy.size, &terms, error);

	switch (name ? launch->code : 0) {
	case TV_EMEASURE:
		return explain_measurement(launch, read ? &terms : NULL);
	case TV_EPOLICY:
		return explain_malformed(name, error);
	case TV_ESIGNATURE:
		fprintf(stderr,
			"tv: the S-visor refused the launch: %s was changed after it was signed; "
			"sign it again with tv policy --sign\n",
			name);
		return;
	case TV_EVERSION:
		return explain_version(read ? &terms : NULL);
	case TV_ELIFECYCLE:
		fputs("tv: the S-visor refused the launch: the policy does not allow a machine "
		      "that can be debugged (debug, 4), and this is one; take another machine, "
		      "or a policy made with --debug\n",
		      stderr);
		return;
	default:
		return explain_other(launch);
	}
}

/* ---- tv log --------------------------------------------------------------- */

struct options {
	long vm;
	const char *file;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	char *end;

	switch (key) {
	case ARGP_KEY_ARG:
		if (o->file)
			argp_usage(state);
		if (o->vm >= 0) {
			o->file = arg;
			return 0;
		}
		o->vm = strtol(arg, &end, 10);
		if (*end || end == arg || o->vm < 0 || o->vm >= TWINVISOR_LAST)
			argp_error(state, "'%s' is no number of an S-VM (see tv list)", arg);
		return 0;
	case ARGP_KEY_END:
		if (o->vm < 0)
			argp_error(state, "of which S-VM? (see tv list)");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int cmd_log(int argc, char **argv)
{
	static const struct argp argp = {
		NULL,
		parse,
		"S-VM [FILE]",
		"Write the launch log of an S-VM, by its number in tv list, to FILE or to standard "
		"output: what the S-visor measured, record by record. 'tv measure --log FILE' "
		"explains it; its SHA-256 is the launch measurement.",
		NULL,
		NULL,
		NULL,
	};
	struct options o = {.vm = -1};
	struct twinvisor_launch launch;
	struct file log;
	int fd = STDOUT_FILENO;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (!o.file && isatty(STDOUT_FILENO))
		fail("a launch log is nothing for a terminal: tv log %ld FILE", o.vm);
	if (!get_launch(device_open(O_RDONLY | O_CLOEXEC), o.vm, &launch, &log))
		fail("S-VM %ld is being launched: try again when tv list says that it runs", o.vm);
	if (o.file)
		fd = open(o.file, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		fail("launch log %s: %s", o.file, strerror(errno));
	return !launch_write(fd, log, o.file ? o.file : "to standard output");
}
