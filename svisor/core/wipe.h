/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end: before the machine is reset or turned off, no S-VM runs any more and no byte of
 * Secure chunks is left (I2, I9), for memory keeps its contents, and the next boot begins with
 * all of it ordinary.
 *
 * The gate is open from svisor_init to the wipe. Every call is counted in and out, so that the
 * wipe knows when the last one is over; from then on nobody but the wipe touches anything.
 *
 * Whether anybody wants exits to be counted is asked along with that: it costs nothing if not.
 */
#ifndef WIPE_H
#define WIPE_H

#include "addr.h"

/* Boot is over. Once. */
void gate_open(void);
/* True: the call may go on, and gate_leave must follow. False: the wipe has begun. Any CPU. */
bool gate_enter(void);
void gate_leave(void);
/* TV_WATCH */
void gate_watch(bool on);
/* The gate is open and nobody watches. */
bool gate_quiet(void);
/* The wipe has begun: calls must come to their end soon. */
bool gate_closed(void);

/* TV_DISPATCH_WIPE. Returns when all is wiped, also if another CPU does it. Takes all locks but
 * `audit`; ends when the calls inside do, none of which waits for anything but locks. */
int wipe_run(void);

#endif
