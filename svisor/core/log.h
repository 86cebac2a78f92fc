/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages to the Secure console.
 */
#ifndef LOG_H
#define LOG_H

/* Prints one line; understands %s, %u, %x, %lu, %lx and %%. Never prints guest data.
 * Any context, the log's lock not held. */
__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);

/* For a panic alone: takes the log from whoever holds it, perhaps this CPU itself. */
void log_seize(void);

#endif
