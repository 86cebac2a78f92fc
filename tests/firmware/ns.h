/* SPDX-License-Identifier: BSD-3-Clause */
/* The voice of an image at Non-secure EL2: ns.c, to the normal world's UART. It has fatal() too. */
#ifndef NS_H
#define NS_H

#include "bare.h"

void put(const char *s);
void put_hex(uint64_t v);
/* A line of TAP without its number; `who` comes before the name. */
void put_result(int good, const char *who, const char *name);
#endif
