/* SPDX-License-Identifier: BSD-3-Clause */
/* Tokens, by the kernel's configfs-tsm. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tvg.h"

#define REPORTS "/sys/kernel/config/tsm/report"
#define PROVIDER "twinvisor_guest"

static char directory[64]; /* of our report */

static int report_open(const char *name, int flags)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return open(path, flags | O_CLOEXEC);
}

static ssize_t report_read(const char *name, void *out, size_t room)
{
	int fd = report_open(name, O_RDONLY);
	size_t size = 0;
	ssize_t n = -1;
	int error;

	if (fd < 0)
		return -1;
	while (size < room && (n = read(fd, (char *)out + size, room - size)) > 0)
		size += n;
	error = errno;
	close(fd);
	errno = error;
	return n < 0 ? -1 : (ssize_t)size;
}

/* Of its own, so that no other process's challenge can come between. */
static void report_begin(void)
{
	snprintf(directory, sizeof(directory), REPORTS "/tvg-%d", getpid());
	if (!mkdir(directory, 0700))
		return;
	if (errno == ENOENT || errno == ENXIO)
		fail("no attestation: modprobe twinvisor_guest (dmesg tells if this is no S-VM), "
		     "and mount -t configfs none /sys/kernel/config");
	fail("%s: %s%s", directory, strerror(errno),
	     errno == EACCES || errno == EPERM ? ": run it as root" : "");
}

/* What went wrong, or NULL. */
static const char *report_fill(const uint8_t *challenge, size_t size)
{
	char provider[32] = "";
	int fd;

	if (report_read("provider", provider, sizeof(provider) - 1) < 0)
		return "does not tell its provider";
	if (strcmp(provider, PROVIDER "\n"))
		return "has another provider than " PROVIDER;
	fd = report_open("inblob", O_WRONLY);
	if (fd < 0 || write(fd, challenge, size) != (ssize_t)size || close(fd))
		return "does not take the challenge";
	return NULL;
}

size_t token_get(const uint8_t *challenge, size_t size, uint8_t out[TOKEN_MAX])
{
	const char *why;
	ssize_t got = 0;
	int error;

	report_begin();
	why = report_fill(challenge, size);
	if (!why) {
		got = report_read("outblob", out, TOKEN_MAX);
		if (got <= 0)
			why = "gives no token (dmesg may tell why)";
	}
	error = errno;
	rmdir(directory);
	if (why)
		fail("the kernel's report %s: %s", why, strerror(error));
	return got;
}
