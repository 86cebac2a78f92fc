/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * smc NUMBER [ARGUMENT...]: one SMC by host root, past all that Linux does before it makes it;
 * prints x0 and x1. Needs tvattack.ko.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "../attack/module/tvattack.h"

int main(int argc, char **argv)
{
	struct tva_batch b = {.ncalls = 1};
	int dev = open("/dev/tv-attack", O_RDWR);

	for (int i = 1; i < argc && i <= 5; i++)
		b.call[0].x[i - 1] = strtoull(argv[i], NULL, 0);
	if (dev < 0 || ioctl(dev, TVA_BATCH, &b)) {
		perror("/dev/tv-attack");
		return 1;
	}
	printf("%lld %#llx\n", (long long)b.call[0].r[0], (unsigned long long)b.call[0].r[1]);
	return 0;
}
