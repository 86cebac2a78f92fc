/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads a QEMU command line, and has that QEMU write its device tree. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/twinvisor.h>

#include "tv.h"

/* QEMU takes -opt and --opt alike. */
static bool is_option(const char *arg, const char *name)
{
	if (*arg++ != '-')
		return false;
	return !strcmp(*arg == '-' ? arg + 1 : arg, name);
}

/* -m 512, -m 1G, -m size=1G,... ; a maximum above it means memory not there at launch */
static uint64_t memory_of(const char *value)
{
	char first[32];
	uint64_t size;

	if (!strncmp(value, "size=", 5))
		value += 5;
	snprintf(first, sizeof(first), "%.*s", (int)strcspn(value, ","), value);
	size = size_parse(first);
	if (!size)
		fail("-m %s: cannot tell the size; write it first, as in -m 512M", value);
	return size;
}

static unsigned int cpus_of(const char *value)
{
	unsigned int n;

	if (!strncmp(value, "cpus=", 5))
		value += 5;
	if (sscanf(value, "%u", &n) != 1 || !n)
		fail("-smp %s: cannot tell the number; write it first, as in -smp 2", value);
	return n;
}

/* The value of CPU property `name` in "host,sve=off,...", or NULL. */
static const char *property(const char *value, const char *name)
{
	size_t length = strlen(name);

	while ((value = strchr(value, ','))) {
		value++;
		if (!strncmp(value, name, length) && value[length] == '=')
			return value + length + 1;
	}
	return NULL;
}

static bool is_word(const char *value, const char *word)
{
	size_t length = strlen(word);

	return !strncmp(value, word, length) && (!value[length] || value[length] == ',');
}

/* sve<bits>=on and sve=off say how long vectors are; without them it is the host's word. Other
 * models than "host" and "max" have no SVE under KVM. */
static int sve_of(const char *value)
{
	const char *sve = property(value, "sve");
	int longest = SVE_HOST;

	if (!is_word(value, "host") && !is_word(value, "max"))
		return 0;
	if (sve && is_word(sve, "off"))
		return 0;
	for (int bits = 128; bits <= 2048; bits += 128) {
		char name[8];
		const char *set;

		snprintf(name, sizeof(name), "sve%d", bits);
		set = property(value, name);
		if (set && !is_word(set, "on"))
			fail("-cpu %s: cannot tell the longest SVE vector; say it by --sve", value);
		if (set)
			longest = bits / 8;
	}
	return longest;
}

/* ---- firmware ------------------------------------------------------------- */

/* The value of `key` in "key=value,...", where ",," stands for a comma; to be freed. NULL: none. */
static char *key_value(const char *options, const char *key)
{
	size_t length = strlen(key);
	char *value = malloc(strlen(options) + 1), *to = value;

	if (!value)
		fail("no memory");
	while (*options) {
		bool found = !strncmp(options, key, length) && options[length] == '=';

		if (found)
			options += length + 1;
		for (; *options && (*options != ',' || options[1] == ','); options++) {
			options += *options == ',';
			if (found)
				*to++ = *options;
		}
		if (found) {
			*to = '\0';
			return value;
		}
		options += *options == ',';
	}
	free(value);
	return NULL;
}

static bool has(const char *options, const char *key, const char *want)
{
	char *value = key_value(options, key);
	bool same = value && !strcmp(value, want);

	free(value);
	return same;
}

static const char *raw_file(const char *arg, const char *options, const char *format)
{
	char *value = key_value(options, format), *file;

	if (value && strcmp(value, "raw") && strcmp(value, "file"))
		fail("%s %s: only raw images of flash can be measured (qemu-img convert -O raw)",
		     arg, options);
	free(value);
	file = key_value(options, "filename");
	return file ? file : key_value(options, "file.filename");
}

/* The file behind the block node of this name, as -blockdev options give it. */
static const char *node_file(int argc, char **argv, const char *node, int depth)
{
	for (int i = 1; depth < 4 && i + 1 < argc; i++) {
		const char *options = argv[i + 1], *file;
		char *below;

		if (!is_option(argv[i], "blockdev") || !has(options, "node-name", node))
			continue;
		file = raw_file("-blockdev", options, "driver");
		below = key_value(options, "file");
		if (!file && below)
			file = node_file(argc, argv, below, depth + 1);
		if (file)
			return file;
	}
	fail("cannot tell the file behind pflash0=%s: say it by --firmware", node);
}

/* A drive is the first bank of flash if it says so, or the first one that says nothing. */
static void take_drive(struct launch *l, const char *options)
{
	char *unit = key_value(options, "unit"), *file = key_value(options, "file");
	char *format = key_value(options, "format");

	if (has(options, "if", "pflash") && (unit ? !strcmp(unit, "0") : !l->firmware)) {
		if (format && strcmp(format, "raw"))
			fail("-drive %s: only raw images of flash can be measured (qemu-img "
			     "convert -O raw)",
			     options);
		if (!file)
			fail("-drive %s: no file", options);
		l->firmware = file;
	}
}

static void take_machine(struct launch *l, int argc, char **argv, const char *options)
{
	char *node = key_value(options, "pflash0"), *bios = key_value(options, "firmware");

	if (node)
		l->firmware = node_file(argc, argv, node, 0);
	else if (bios)
		l->firmware = bios;
}

static void take_firmware(struct launch *l, int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i++) {
		if (is_option(argv[i], "bios"))
			l->firmware = argv[i + 1];
		else if (is_option(argv[i], "pflash") && !l->firmware)
			l->firmware = argv[i + 1];
		else if (is_option(argv[i], "drive"))
			take_drive(l, argv[i + 1]);
		else if (is_option(argv[i], "machine") || is_option(argv[i], "M"))
			take_machine(l, argc, argv, argv[i + 1]);
	}
}

/* ---- all else ------------------------------------------------------------- */

static void refuse(const char *arg, const char *value)
{
	if (is_option(arg, "dtb") ||
	    (is_option(arg, "device") && value && is_word(value, "loader")))
		fail("%s: what it puts in memory cannot be measured offline", arg);
}

static void take_option(struct launch *l, const char *arg, const char *value)
{
	if (is_option(arg, "kernel"))
		l->kernel = value;
	else if (is_option(arg, "initrd"))
		l->initrd = value;
	else if (is_option(arg, "m"))
		l->memory = memory_of(value);
	else if (is_option(arg, "smp"))
		l->cpus = cpus_of(value);
	else if (is_option(arg, "cpu") && l->sve == SVE_HOST)
		l->sve = sve_of(value);
}

/* On a TwinVisor host KVM may offer an S-VM's VMM what it does not offer others, as it then does to
 * this one, whose VM never runs. Elsewhere that makes no difference. */
static void mark_if_there(void)
{
	int fd = open("/dev/twinvisor", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		(void)ioctl(fd, TWINVISOR_ARM);
}

static void exec_qemu(int argc, char **argv, const char *dtb)
{
	char **args = calloc(argc + 3, sizeof(*args));
	char machine[64];
	int null = open("/dev/null", O_RDWR);

	memcpy(args, argv, argc * sizeof(*args));
	snprintf(machine, sizeof(machine), "dumpdtb=%s", dtb);
	args[argc] = "-machine";
	args[argc + 1] = machine;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	mark_if_there();
	execvp(args[0], args);
	fprintf(stderr, "tv: %s: %s\n", args[0], strerror(errno));
	_exit(127);
}

/* Returns QEMU's wait status. */
static int dump_dtb(int argc, char **argv, const char *dtb)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		fail("fork: %s", strerror(errno));
	if (!pid)
		exec_qemu(argc, argv, dtb);
	if (waitpid(pid, &status, 0) < 0)
		fail("waitpid: %s", strerror(errno));
	return status;
}

static struct file read_dtb(int argc, char **argv)
{
	char path[] = "/tmp/tv-dtb-XXXXXX";
	int fd = mkstemp(path), status;
	struct file dtb = {0};

	if (fd < 0)
		fail("%s: %s", path, strerror(errno));
	close(fd);
	status = dump_dtb(argc, argv, path);
	if (!status)
		dtb = file_read(path, "device tree");
	unlink(path);
	if (status)
		fail("%s did not write its device tree: see what it said above; its arguments must "
		     "be "
		     "those of the run",
		     argv[0]);
	return dtb;
}

void qemu_read(struct launch *l, int argc, char **argv)
{
	l->memory = 128 << 20;
	l->cpus = 1;
	for (int i = 1; i < argc; i++) {
		refuse(argv[i], i + 1 < argc ? argv[i + 1] : NULL);
		if (i + 1 < argc)
			take_option(l, argv[i], argv[i + 1]);
	}
	if (!l->firmware)
		take_firmware(l, argc, argv);
	if (!l->kernel && !l->firmware)
		fail("no -kernel among QEMU's arguments, nor firmware (-bios, -drive if=pflash, "
		     "-machine pflash0): nothing that can be measured offline");
	if (l->kernel && l->firmware)
		fputs("tv: firmware fetches the kernel itself: it is no part of the measurement\n",
		      stderr);
	l->tree = read_dtb(argc, argv);
}
