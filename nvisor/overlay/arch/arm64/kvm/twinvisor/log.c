// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of a launch: the records that the S-visor hashes, byte for byte, so that
 * the log's own SHA-256 is the launch measurement. And how the launch ended.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "twinvisor.h"

#define TV_LOG_ROOM	4096

struct tv_log *tv_log_new(void)
{
	struct tv_log *log = kvzalloc(sizeof(*log) + TV_LOG_ROOM, GFP_KERNEL_ACCOUNT);

	if (log) {
		refcount_set(&log->users, 1);
		log->room = TV_LOG_ROOM;
	}
	return log;
}

/* Only who makes the log adds to it, and it has no other user till it is complete. */
int tv_log_add(struct tv_log **logp, const void *bytes, size_t size)
{
	struct tv_log *log = *logp;

	if (size > log->room - log->size) {
		log = kvrealloc(log, sizeof(*log) + 2 * log->room, GFP_KERNEL_ACCOUNT);
		if (!log)
			return -ENOMEM;
		log->room *= 2;
		*logp = log;
	}
	memcpy(log->bytes + log->size, bytes, size);
	log->size += size;
	return 0;
}

/* In any context but NMI */
void tv_log_put(struct tv_log *log)
{
	if (log && refcount_dec_and_test(&log->users))
		kvfree_rcu(log, rcu);
}
