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
	{ "bringup", cases_bringup },
};

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
		groups[i].run();
	}
	return tap_done();
}
