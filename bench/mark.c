// SPDX-License-Identifier: BSD-3-Clause
/* mark LABEL: tells count.c that the machine is here. */
#include <stdint.h>
#include <stdlib.h>

#include "mark.h"

int main(int argc, char **argv)
{
	register uint64_t label __asm__("x0") = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;

	__asm__ volatile("hint #%0" : : "i"(MARK_HINT), "r"(label));
	return 0;
}
