/* SPDX-License-Identifier: BSD-3-Clause */
/* tv measure: the launch measurement that a VM will have, without starting it. */
#include <argp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __aarch64__
#include <sys/prctl.h>
#endif

#include <twinvisor/abi.h>

#include "log.h"
#include "tv.h"

struct options {
	struct launch launch;
	const char *log; /* to compare with */
	bool verbose;
	int rest; /* index of QEMU's command line in argv, or 0 */
};

static const struct argp_option table[] = {
	{"kernel", 'k', "FILE", 0, "arm64 kernel Image", 0},
	{"initrd", 'i', "FILE", 0, "initial RAM disk", 0},
	{"firmware", 'f', "FILE", 0,
	 "UEFI firmware that the VM starts from (instead of a kernel): what is in QEMU's first "
	 "bank "
	 "of flash",
	 0},
	{"dtb", 'd', "FILE", 0,
	 "device tree, as QEMU's -machine dumpdtb=FILE wrote it with all arguments of the run (it "
	 "holds the kernel's command line)",
	 0},
	{"memory", 'm', "SIZE", 0, "RAM as for QEMU's -m: MiB, or with K, M, G", 0},
	{"cpus", 'c', "N", 0, "number of vCPUs (1)", 0},
	{"sve", 's', "BYTES", 0,
	 "longest SVE vector of the VM's CPUs, 0 without SVE (what this machine's CPUs have, or "
	 "what QEMU's -cpu says)",
	 0},
	{"log", 'l', "FILE", 0,
	 "a launch log ('tv run --launch-log', 'tv log'): print its measurement, and what is in it "
	 "that is not as expected. Exit status 1 if anything is",
	 0},
	{"verbose", 'v', NULL, 0, "show what lies where", 0},
	{0},
};

static unsigned int parse_cpus(struct argp_state *state, const char *arg)
{
	int n = atoi(arg);

	if (n < 1 || n > TV_MAX_VCPUS)
		argp_error(state, "--cpus takes 1 to %d", TV_MAX_VCPUS);
	return n;
}

static int parse_sve(struct argp_state *state, const char *arg)
{
	char *end;
	long n = strtol(arg, &end, 10);

	if (*end || end == arg || n < 0 || n > 256 || n % 16)
		argp_error(state, "--sve takes 0 to 256 bytes, a multiple of 16");
	return n;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'k':
		o->launch.kernel = arg;
		return 0;
	case 'i':
		o->launch.initrd = arg;
		return 0;
	case 'f':
		o->launch.firmware = arg;
		return 0;
	case 'l':
		o->log = arg;
		return 0;
	case 'd':
		o->launch.dtb = arg;
		return 0;
	case 'm':
		o->launch.memory = size_parse(arg);
		if (!o->launch.memory)
			argp_error(state, "--memory %s is no size", arg);
		return 0;
	case 'c':
		o->launch.cpus = parse_cpus(state, arg);
		return 0;
	case 's':
		o->launch.sve = parse_sve(state, arg);
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	case ARGP_KEY_ARG:
		o->rest = state->next - 1;
		state->next = state->argc;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	table,
	parse,
	"[-- QEMU ARGUMENT...]",
	"Compute the launch measurement of a VM that QEMU boots directly from a kernel, or from "
	"UEFI firmware; or explain in what a launch was unlike it.\v"
	"Either name the parts by options, or give QEMU's command line, exactly as for 'tv run': "
	"QEMU is "
	"then asked for its device tree, which starts no VM.",
	NULL,
	NULL,
	NULL,
};

/* The longest vector here that an S-VM can have, in bytes. */
static int host_sve(void)
{
#ifdef __aarch64__
	int before = prctl(PR_SVE_GET_VL), got;

	if (before < 0)
		return 0;
	got = prctl(PR_SVE_SET_VL, 16 * TV_MAX_SVE); /* or the next shorter one */
	prctl(PR_SVE_SET_VL, before & PR_SVE_VL_LEN_MASK);
	if (got >= 0)
		return got & PR_SVE_VL_LEN_MASK;
#endif
	fail("cannot tell from this machine how long the VM's SVE vectors are: say it by --sve, 0 "
	     "if it has no SVE");
}

/* Vectors are cut to what the S-visor keeps; KVM's PMU is there if QEMU tells the guest of it. */
static uint64_t features(const struct launch *l)
{
	static const char pmu[] = "arm,armv8-pmuv3";
	unsigned int sve = (l->sve == SVE_HOST ? host_sve() : l->sve) / 16;

	if (sve > TV_MAX_SVE)
		sve = TV_MAX_SVE;
	return sve | (memmem(l->tree.data, l->tree.size, pmu, sizeof(pmu)) ? TV_FEATURE_PMU : 0);
}

static void build(const struct options *o, struct image *img)
{
	const struct launch *l = &o->launch;
	struct file initrd = {0};

	*img = (struct image){.size = l->memory, .cpus = l->cpus};
	if (l->firmware) {
		image_build_firmware(img, file_read(l->firmware, "firmware"), l->tree);
	} else {
		if (l->initrd)
			initrd = file_read(l->initrd, "initrd");
		image_build(img, file_read(l->kernel, "kernel"), initrd, l->tree);
	}
	img->features = features(l);
	for (unsigned int i = 0; o->verbose && i < img->segments; i++)
		fprintf(stderr, "%#12lx %10zu %s\n", img->segment[i].ipa, img->segment[i].size,
			img->segment[i].name);
}

static void print_measurement(struct file log, const char *what)
{
	uint8_t digest[DIGEST];

	log_measure(log, digest);
	print_hex(digest, DIGEST);
	puts(what);
}

/* 1 if it is not as the image wants it. */
static int compare(const char *path, struct file expected, const struct image *img)
{
	struct file file = file_read(path, "launch log");
	char error[LOG_ERROR];
	struct log log, want;

	if (!log_parse(file.data, file.size, &log, error))
		fail("launch log %s: %s", path, error);
	if (!log_parse(expected.data, expected.size, &want, error))
		fail("such a VM cannot be launched: %s", error);
	print_measurement(file, "  launched");
	print_measurement(expected, "  expected");
	if (!log_explain(&log, &want, img)) {
		puts("equal");
		return 0;
	}
	return 1;
}

static int measure(const struct options *o)
{
	struct image img;
	struct file log;

	build(o, &img);
	log = image_log(&img);
	if (o->log)
		return compare(o->log, log, &img);
	print_measurement(log, "");
	return 0;
}

int cmd_measure(int argc, char **argv)
{
	struct options o = {.launch.cpus = 1, .launch.sve = SVE_HOST};
	const struct launch *l = &o.launch;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o);
	if (o.rest)
		qemu_read(&o.launch, argc - o.rest, argv + o.rest);
	else if (l->dtb)
		o.launch.tree = file_read(l->dtb, "device tree");
	if ((!l->kernel && !l->firmware) || !l->tree.data || !l->memory)
		fail("measure needs --kernel or --firmware, --dtb and --memory, or '-- QEMU "
		     "ARGUMENT...'; see tv measure --help");
	if (l->cpus > TV_MAX_VCPUS)
		fail("%u vCPUs: an S-VM has %d at most", l->cpus, TV_MAX_VCPUS);
	return measure(&o);
}
