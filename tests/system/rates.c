/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rates PAUSE: the VMM of a guest that goes round a loop for ever: four ID registers, two
 * calls, one access to a device, which takes PAUSE microseconds. For tv run.
 */
#include <stdlib.h>
#include <unistd.h>

#include "tinyvm.h"

static const uint32_t code[] = {
	0xd2a12009, /* movz x9, #0x0900, lsl #16 */
	0xd5380402, /* mrs x2, id_aa64pfr0_el1 */
	0xd5380402, /* again */
	0xd5380402, /* again */
	0xd5380402, /* again */
	0xd2a96000, /* movz x0, #0x4b00, lsl #16: a service that nobody has */
	0xd4000002, /* hvc #0 */
	0xd2a96000, /* the same */
	0xd4000002, /* hvc #0 */
	0xb900013f, /* str wzr, [x9] */
	0x17fffff7, /* to the first mrs */
};

int main(int argc, char **argv)
{
	static struct tinyvm t;
	useconds_t pause = argc > 1 ? atoi(argv[1]) : 0;

	tiny_make(&t, code, sizeof(code), 1);
	for (;;) {
		must(-tiny_run(&t), "KVM_RUN");
		usleep(pause);
	}
}
