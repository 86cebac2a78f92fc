/* SPDX-License-Identifier: BSD-3-Clause */
/* What a stand-in for the S-visor says, to the Secure world's UART, of what BL2 has left for it. */
#ifndef RECORD_H
#define RECORD_H

#include "bare.h"

#include <twinvisor/abi.h>

/* Of the image: how it reaches that UART. */
void say_char(char c);

void say(const char *s);
/* For verified.py. The real S-visor keeps all this to itself. boot may be NULL. */
void show_boot(const struct tv_boot *boot);
#endif
