/* SPDX-License-Identifier: BSD-3-Clause */
/* TAP output. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "attack.h"

static int count, failed;

void ok(bool good, const char *fmt, ...)
{
	va_list ap;

	failed += !good;
	printf("%s %d - ", good ? "ok" : "not ok", ++count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

void die(const char *fmt, ...)
{
	va_list ap;

	printf("Bail out! ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	exit(2);
}

int tap_done(void)
{
	printf("1..%d\n", count);
	return failed != 0;
}
