/* SPDX-License-Identifier: BSD-3-Clause */
/* watched: the program that gdb debugs; watch.gdb and tests/guests/run know what it does. */
#include <stdio.h>

volatile int watched;
volatile int around[64]; /* written too, and not to be taken for it */

__attribute__((noinline)) static void change(int number)
{
	around[number] = number;
	watched = 7 * number;
}

__attribute__((noinline)) static int mark(int number)
{
	return watched + around[number];
}

int main(void)
{
	for (int i = 1; i <= 2; i++)
		change(i);
	printf("guest: watched %d\n", mark(2));
	return 0;
}
