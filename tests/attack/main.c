/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * attack [GROUP...]: attacks on the S-visor with root's powers, a TAP line an
 * outcome. Without a group, all of them. Needs root and tvattack.ko.
 */
#include <stdio.h>
#include <string.h>

#include "attack.h"

static const struct {
	const char *name;
	void (*run)(void);
} groups[] = {
	{"bringup", cases_bringup}, {"memory", cases_memory}, {"chunks", cases_chunks},
	{"entry", cases_entry},     {"psci", cases_psci},     {"race", cases_race},
	{"fuzz", cases_fuzz},       {"dma", cases_dma},       {"its", cases_its},
	{"attest", cases_attest},
};

struct vm victim, other;

/* Both hold known data before anybody attacks one of them. */
static void start_both(void)
{
	vm_start(&victim, 0);
	vm_start(&other, 1);
	if (vm_until_ask(&victim, 0) || vm_until_ask(&other, 0))
		die("the S-VMs do not start: see the group bringup");
	vm_do(&other, OP_FILL, RAM + 0x10000, RAM + 0x50000, 0x07e7);
}

uint64_t lost_pages(void)
{
	struct result r;

	do { /* all CPUs fight for its locks */
		r = smc(TV_STATS, TV_STATS_HEAP, -1, -1, -1);
	} while (r.status == TV_EBUSY);
	if (r.status)
		die("TV_STATS: %ld", r.status);
	return r.x[0] - r.x[1] - r.x[2];
}

bool all_well(void)
{
	return vm_do(&other, OP_CHECK, 0, 0, 0) == 0 &&
	       vm_do(&other, OP_SUM, RAM + 0x10000, RAM + 0x50000, 0) == 0x07e7UL * 0x40000 / 8 &&
	       audit() == 0 && lost_pages() == 0;
}

static void run_group(void (*run)(void))
{
	if (run == cases_bringup) {
		run();
		return;
	}
	start_both();
	run();
	ok(vm_destroy(&victim) == TV_OK && vm_destroy(&other) == TV_OK && audit() == 0 &&
		   lost_pages() == 0,
	   "all is over");
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	machine_open();
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		bool wanted = argc < 2;

		for (int a = 1; a < argc; a++)
			wanted |= !strcmp(argv[a], groups[i].name);
		if (!wanted)
			continue;
		printf("# %s\n", groups[i].name);
		run_group(groups[i].run);
	}
	return tap_done();
}
