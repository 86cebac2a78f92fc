/* SPDX-License-Identifier: BSD-3-Clause */
/* Measurements, in sysfs; and keys that depend on them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <mbedtls/sha256.h>

#include "../twinvisor_guest.h"
#include "tvg.h"

#define MEASUREMENTS "/sys/devices/virtual/misc/twinvisor_guest/measurements"
#define NO_MODULE "modprobe twinvisor_guest (dmesg tells if this is no S-VM)"
#define REMS 4

static const char *const names[] = {"rim", "rem0", "rem1", "rem2", "rem3"};

static int measurement_open(const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), MEASUREMENTS "/%s:sha256", name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		fail("no measurements: " NO_MODULE);
	if (fd < 0)
		fail("%s: %s: run it as root", path, strerror(errno));
	return fd;
}

int cmd_measurements(int argc, char **argv)
{
	uint8_t value[HASH];

	arguments(argc, argv, 0, NULL,
		  "Print this VM's measurements: rim, of the launch, and rem0 to rem3, which "
		  "'tvg extend' changes.");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		int fd = measurement_open(names[i], O_RDONLY);

		if (read(fd, value, sizeof(value)) != sizeof(value))
			fail("%s: %s", names[i], strerror(errno));
		close(fd);
		printf("%-5s", names[i]);
		hex_print(value, sizeof(value));
	}
	return 0;
}

static void hash_file(const char *path, uint8_t hash[HASH])
{
	FILE *file = fopen(path, "re");
	mbedtls_sha256_context sha;
	uint8_t bytes[65536];
	size_t n;

	if (!file)
		fail("%s: %s, nor is it a hash", path, strerror(errno));
	mbedtls_sha256_init(&sha);
	mbedtls_sha256_starts(&sha, 0);
	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		mbedtls_sha256_update(&sha, bytes, n);
	if (ferror(file))
		fail("%s: %s", path, strerror(errno));
	mbedtls_sha256_finish(&sha, hash);
	fclose(file);
}

int cmd_extend(int argc, char **argv)
{
	uint8_t value[HASH];
	char *end;
	long index;
	int fd;

	arguments(argc, argv, 2, "INDEX FILE|HASH",
		  "Extend run-time measurement INDEX, 0 to 3, by the SHA-256 of a file, or by this "
		  "hash: rem becomes SHA-256(rem, hash). Tokens show it from then on.");
	index = strtol(argv[1], &end, 10);
	if (*end || end == argv[1] || index < 0 || index >= REMS)
		fail("%s: run-time measurements are 0 to %d", argv[1], REMS - 1);
	if (hex_read(argv[2], value, HASH) != HASH)
		hash_file(argv[2], value);
	fd = measurement_open(names[1 + index], O_WRONLY);
	if (write(fd, value, HASH) != HASH)
		fail("%s: %s", names[1 + index], strerror(errno));
	close(fd);
	return 0;
}

int cmd_seal(int argc, char **argv)
{
	struct twinvisor_guest_seal seal = {0};
	int fd;

	arguments(
		argc, argv, 1, "LABEL",
		"Print a key of 32 bytes, hexadecimal, for a label of as many at most: the same "
		"whenever this VM is launched, with the same policy, on this machine and firmware; "
		"for any other VM, and elsewhere, another one.");
	if (strlen(argv[1]) > sizeof(seal.label))
		fail("the label has more than %zu bytes", sizeof(seal.label));
	memcpy(seal.label, argv[1], strlen(argv[1]));
	fd = open(TWINVISOR_GUEST_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fail(TWINVISOR_GUEST_DEVICE ": %s: %s", strerror(errno),
		     errno == ENOENT ? NO_MODULE : "run it as root");
	if (ioctl(fd, TWINVISOR_GUEST_SEAL, &seal))
		fail("no key: %s", errno == EOPNOTSUPP ? "this machine has no secret of its own"
						       : strerror(errno));
	close(fd);
	hex_print(seal.key, sizeof(seal.key));
	explicit_bzero(&seal, sizeof(seal));
	return 0;
}
