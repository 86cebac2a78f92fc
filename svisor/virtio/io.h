/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest's devices (I7): which of its accesses the S-visor follows, and what it makes of them.
 * Where they are comes from the measured device tree, and from what the guest itself writes to
 * PCI configuration space. All functions want the S-VM's lock.
 */
#ifndef IO_H
#define IO_H

#include "bounce.h"
#include "device.h"
#include "flash.h"
#include "fwcfg.h"
#include "its.h"
#include "private.h"
#include "queue.h"

struct vm;
struct vcpu;
struct devtree;
struct dt_node;

#define IO_DEVICES 32    /* virtio devices of an S-VM */
#define IO_TRANSPORTS 64 /* places for them: virtio-mmio */

/* One virtio-mmio window */
struct transport {
	struct range window;
	uint32_t version, type; /* as the guest read them; 0: not yet */
	struct device *dev;
};

struct io {
	struct bounce bounce;
	struct near near;
	ipa_t page;      /* of NEED_PAGE */
	uint64_t wanted; /* of NEED_BOUNCE */
	pa_t unused;     /* of NEED_CHUNK */
	struct range ecam;
	struct its its;
	struct fwcfg fwcfg;
	struct flash flash;
	struct device *device[IO_DEVICES];
	struct device *spare; /* for a function that may be found */
	struct queue *live;
	unsigned devices, transports;
	struct range transport_hull; /* all their windows, and what is between */
	struct transport transport[IO_TRANSPORTS];
};

/* What a vCPU's last access to a device was, till it is over. */
struct io_access {
	enum io_kind {
		IO_OTHER,
		IO_REGISTER,
		IO_VERSION,
		IO_TYPE,
		IO_CONFIG,
		IO_FWCFG,
		IO_ITS
	} kind;
	struct device *dev;
	struct transport *transport;
	struct reg_access reg;
	uint64_t addr, value; /* that the guest wrote */
	uint32_t where;       /* function's offset in the ECAM, and that in it */
	unsigned at;
};

/* Takes a device's window from its node. At sealing. */
void io_find(const struct devtree *dt, const struct dt_node *node);

/* The write in v->hw of *value, or the read, outside RAM: its fate, as v->exit is to be shown. */
enum write_fate io_access(struct vm *vm, struct vcpu *v, uint64_t addr, bool write, unsigned bytes,
			  uint64_t *value, enum queue_need *need);
/* The N-visor has served it: a write (false: there is more of it to come); a read, whose value may
 * not be what the guest gets. */
bool io_written(struct vm *vm, struct vcpu *v);
uint64_t io_read(struct vm *vm, struct vcpu *v, uint64_t value);

/* At each entry: what back ends have done becomes visible to the guest before the interrupts that
 * tell of it. */
void io_pull(struct vm *vm);
/* After that, and when a vCPU is about to idle: chains that the guest does not tell of, and those
 * that had to wait for bounce memory. True: something must be the N-visor's first: *need, or if
 * that is nothing the notification for *told. */
bool io_push(struct vm *vm, struct queue **told, enum queue_need *need);

/* At each exit: TV_LATE_*, an interrupt that is missed by a guest of which a CPU idles, or has been
 * for long; or 0. */
uint64_t io_late(struct vm *vm, bool idle);

/* TV_QUEUE_STATS. False: there are fewer. */
bool io_stats(const struct vm *vm, uint64_t n, struct tv_queue *stats);

void io_free(struct vm *vm);
size_t io_heap(const struct vm *vm);

#endif
