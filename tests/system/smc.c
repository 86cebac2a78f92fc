/* SPDX-License-Identifier: BSD-3-Clause */
/* smc NUMBER: one SMC by host root, past all that Linux does before it makes it. Needs tvattack.ko.
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

	b.call[0].x[0] = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
	if (dev < 0 || ioctl(dev, TVA_BATCH, &b)) {
		perror("/dev/tv-attack");
		return 1;
	}
	printf("%lld\n", (long long)b.call[0].r[0]);
	return 0;
}
