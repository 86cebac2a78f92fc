// SPDX-License-Identifier: BSD-3-Clause
/*
 * The balloon (virtio 1.2, 5.5): a guest gives pages up by their numbers. It is the S-visor that
 * takes them; the back end gets numbers of no page, for what it has at these addresses is something
 * else. How much there is in the balloon it knows from the device's configuration space.
 */
#include <string.h>

#include "bounce.h"
#include "private.h"
#include "queue.h"
#include "vm.h"

/* How many pages have gone of those that up to DROP_MOST numbers name: all, or *need. */
static unsigned drop(struct vm *vm, const uint32_t *frame, unsigned n, enum queue_need *need)
{
	unsigned dropped = 0;
	int ret;

	do {
		ret = vm_drop(vm, frame, n, &vm->io.unused);
		if (ret == TV_ENOHEAP)
			*need = NEED_HEAP;
		else if (vm->io.unused.v)
			*need = NEED_CHUNK;
		else
			dropped += ret;
	} while (ret > 0 && *need == NEED_NOTHING);
	return dropped;
}

bool balloon_take(struct vm *vm, uint64_t ipa, uint32_t len, enum queue_need *need)
{
	uint32_t frame[DROP_MOST], n;

	for (; len >= sizeof(frame[0]) && *need == NEED_NOTHING; ipa += n, len -= n) {
		n = len < sizeof(frame) ? len & ~(uint32_t)(sizeof(frame[0]) - 1) : sizeof(frame);
		if (!private_read(vm, ipa, frame, n))
			break;
		if (drop(vm, frame, n / sizeof(frame[0]), need) && *need == NEED_NOTHING)
			*need = NEED_TIME;
	}
	return *need == NEED_NOTHING;
}

bool balloon_show(struct vm *vm, uint32_t at, uint32_t len)
{
	uint8_t nowhere[256];
	bool ok = true;

	memset(nowhere, 0xff, sizeof(nowhere));
	for (uint32_t n; ok && len; at += n, len -= n) {
		n = len < sizeof(nowhere) ? len : sizeof(nowhere);
		ok = bounce_write(&vm->io.bounce, at, nowhere, n);
	}
	return ok;
}
