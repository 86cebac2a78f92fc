// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>

#include "log.h"
#include "platform.h"
#include "spinlock.h"

static struct spinlock lock;

static void put_string(const char *s)
{
	while (*s)
		console_putc(*s++);
}

static void put_number(uint64_t n, unsigned base)
{
	char text[21];
	char *p = text + sizeof(text) - 1;

	*p = 0;
	do {
		*--p = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	put_string(p);
}

/* Prints the conversion at `f` and returns its last character's place. */
static const char *put_conversion(const char *f, va_list *args)
{
	bool is_long = *f == 'l';

	f += is_long;
	if (*f == 's')
		put_string(va_arg(*args, const char *));
	else if (*f == 'u' || *f == 'x')
		put_number(is_long ? va_arg(*args, unsigned long) : va_arg(*args, unsigned),
			   *f == 'x' ? 16 : 10);
	else
		console_putc(*f);
	return f;
}

void log_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	spin_lock(&lock);
	put_string("S-visor: ");
	for (const char *f = format; *f; f++) {
		if (*f == '%')
			f = put_conversion(f + 1, &args);
		else
			console_putc(*f);
	}
	put_string("\r\n");
	spin_unlock(&lock);
	va_end(args);
}

void log_seize(void)
{
	lock = (struct spinlock){0};
}
