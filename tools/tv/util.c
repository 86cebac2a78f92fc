/* SPDX-License-Identifier: BSD-3-Clause */
/* Arguments, files, sizes, errors. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tv.h"

void fail(const char *fmt, ...)
{
	va_list ap;

	fputs("tv: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

void no_arguments(int argc, char **argv, const char *doc)
{
	const struct argp argp = {.doc = doc};

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
}

int device_open(int flags)
{
	int fd = open("/dev/twinvisor", flags);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		fail("no /dev/twinvisor: this kernel is not a TwinVisor N-visor; boot the host "
		     "with "
		     "TwinVisor's kernel (uname -r shows the one that runs)");
	if (errno == ENODEV)
		fail("/dev/twinvisor: no S-visor under this kernel; boot the host with TwinVisor's "
		     "firmware, and look for 'twinvisor' in dmesg");
	if (errno == EACCES || errno == EPERM)
		fail("/dev/twinvisor: %s: run tv as root", strerror(errno));
	fail("/dev/twinvisor: %s", strerror(errno));
}

void print_hex(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%02x", bytes[i]);
}

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? at - digits : -1;
}

bool hex_parse(const char *text, uint8_t *out, size_t size)
{
	if (strlen(text) != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = high << 4 | low;
	}
	return true;
}

struct file file_read(const char *path, const char *what)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct file f;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		fail("%s %s: %s", what, path, strerror(errno));
	if (!S_ISREG(st.st_mode) || !st.st_size)
		fail("%s %s: not a file with anything in it", what, path);
	f.size = st.st_size;
	f.data = mmap(NULL, f.size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (f.data == MAP_FAILED)
		fail("%s %s: %s", what, path, strerror(errno));
	close(fd);
	return f;
}

uint64_t size_parse(const char *text)
{
	static const char units[] = "KMGT";
	char *end;
	uint64_t n;
	const char *unit;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (end == text || errno || *text == '-')
		return 0;
	if (!*end)
		return n << 20;
	unit = strchr(units, *end & ~0x20);
	if (!unit || end[1])
		return 0;
	return n << (10 * (unit - units + 1));
}
