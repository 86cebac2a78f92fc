/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtqueue and its shadow (I7; virtio 1.2, 2.6 to 2.8). The guest's ring is private. The back
 * end has a ring of the same size in bounce memory. What the guest posts is copied out, chain by
 * chain: descriptors as the S-visor keeps them, with addresses in bounce memory, and the bytes of
 * those that the device reads. What the back end says it has used is judged by what the S-visor
 * kept, and goes in. So of the back end's ring three things count: which chains, how many bytes,
 * and whether it wants to be told of new ones.
 *
 * Guests are asked to tell of new chains but for a busy queue's: chains are in flight, and the last
 * one came within a moment. There the S-visor looks by itself, at entries and when a CPU is about
 * to idle. The interrupt for what is in flight is the last time.
 *
 * Back ends are always asked for an interrupt at the first chain that is used: they cannot know
 * when the S-visor has looked. With used_event of split rings a back end may be between the two: it
 * has used a chain, and will now look whether an interrupt is wanted for it, which the S-visor's
 * look has changed. So the S-visor sees by the guest's own used_event whether it goes on, and if it
 * does not, has the N-visor interrupt it.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include "addr.h"

struct vm;

#define QUEUE_MOST 1024 /* descriptors of a queue, and of a chain */

#define DESC_NEXT 1u
#define DESC_WRITE 2u /* the device writes */
#define DESC_INDIRECT 4u
#define DESC_AVAIL (1u << 7) /* packed */
#define DESC_USED (1u << 15)

/* As in split rings and indirect tables */
struct desc {
	uint64_t ipa;
	uint32_t len;
	uint16_t flags, next;
};

/* A chain that the back end has; bytes 0: it has none of that id. */
struct flight {
	uint32_t at, bytes; /* in bounce memory */
	uint32_t large;     /* of those, at the start: buffers of a page and more */
	bool posted;        /* there is nothing in it for the device to read */
	uint32_t in;        /* bytes that the device may write */
	uint16_t first;     /* of its records */
	uint16_t descs;     /* in the ring */
};

enum queue_part { PART_DESC, PART_DRIVER, PART_DEVICE, PARTS };

/* What the guest has set up. */
struct queue_setup {
	uint64_t part[PARTS]; /* guest addresses */
	uint32_t size;        /* 1 to QUEUE_MOST */
	uint32_t align;       /* of the device part: 4, or what a legacy driver has chosen */
	uint32_t page;        /* what the shadow is aligned to */
	bool packed, indirect, event_idx;
	bool frames; /* a balloon's: what is in it are numbers of pages ... */
	bool drops;  /* ... that the guest gives up */
};

struct queue {
	struct queue_setup setup;
	bool live, broken;
	bool starved;               /* a chain waits for bounce memory */
	bool tell;                  /* the back end is to be notified */
	bool busy;                  /* the guest is not asked to tell of new chains */
	bool asked;                 /* it has been, for the next one */
	uint64_t rung;              /* counter_now() when it has told, or a chain was found, last */
	bool owed;                  /* the guest may wait for an interrupt that does not come ... */
	bool late;                  /* ... and the N-visor was told */
	uint64_t since;             /* counter_now() when it came to be owed */
	uint32_t shadow[PARTS];     /* in bounce memory */
	uint16_t avail, used;       /* split: indices as they count; packed: places */
	uint16_t posted, done;      /* split: chains that the last look at an index has shown */
	uint16_t owed_from;         /* split: what of `used` the interrupt would be about */
	uint16_t added;             /* descriptors since the back end was asked last */
	bool avail_wrap, used_wrap; /* packed */
	uint16_t spare;             /* packed: first free record */
	uint16_t put_id, head_flags; /* packed: of the chain that is being taken */
	uint16_t flying;             /* chains that the back end has ... */
	uint32_t held;               /* ... and the bounce memory that they take */
	uint32_t needs;              /* starved: as much, at least, for a chain ... */
	bool posts;                  /* ... of which the device reads nothing */
	struct tv_queue stats;       /* but for what is above */
	struct queue *next;          /* live queue of the S-VM */
	uint64_t doorbell;           /* where the guest has notified last ... */
	uint8_t bell_bytes;          /* ... and how wide ... */
	uint16_t index;              /* ... with this value */
	struct flight *flight;       /* [size], by id */
	struct desc *record;         /* [size]: descriptors of those chains */
};

/* What a queue needs before it can go on. */
enum queue_need {
	NEED_NOTHING,
	NEED_PAGE,   /* a page of the guest's that is not mapped: io.page */
	NEED_BOUNCE, /* more bounce memory: io.wanted bytes */
	NEED_HEAP,
	NEED_CHUNK, /* io.unused is to be taken back, if it is wanted */
	NEED_TIME,  /* another has to be done first: just later */
};

/* All want the S-VM's lock. */

/* A queue with its shadow ring, not live yet, so that the back end can be told where. NULL: *need
 * is not met, or, if that is nothing, the setup makes no sense. */
struct queue *queue_create(struct vm *vm, const struct queue_setup *setup, enum queue_need *need);
void queue_destroy(struct vm *vm, struct queue *q);
size_t queue_heap(const struct queue *q);
/* From now on, with the parts where the guest has put them. False: *need is not met, or, if that is
 * nothing, they cannot be there. */
bool queue_start(struct vm *vm, struct queue *q, const uint64_t part[PARTS], enum queue_need *need);

/* The guest has told: is it a busy queue? */
void queue_rung(struct queue *q);
/* Copies out what the guest has posted, till all is or something is needed: then called again. If
 * the back end wants to be told of it, q->tell is set. */
enum queue_need queue_push(struct vm *vm, struct queue *q);
/* A starved one: may there be bounce memory for it now? */
bool queue_may_go_on(const struct vm *vm, const struct queue *q);
/* Copies in what the back end has used. */
void queue_pull(struct vm *vm, struct queue *q);

/* Does the guest wait for an interrupt that may have been lost? Says so once: it is late then. Not
 * all do that have not moved used_event on; a device would not interrupt those again either. */
bool queue_is_late(struct vm *vm, struct queue *q);

/* Of no use any more: the peer, named by `who`, has broken the rules. */
void queue_break(struct vm *vm, struct queue *q, const char *who);

/* chain.c: for split.c and packed.c. */

/* Puts a descriptor into the shadow ring: the i-th of a chain, recorded at `record`. */
typedef bool put_desc_fn(struct vm *vm, struct queue *q, unsigned i, unsigned record,
			 const struct desc *d);
/* Copies the chain out whose records start at `first`, and makes it flight[id]. False: broken, or
 * *need, or it has to wait for bounce memory. */
bool chain_out(struct vm *vm, struct queue *q, unsigned id, unsigned first, unsigned descs,
	       put_desc_fn *put, enum queue_need *need);
/* Copies *len bytes that the device has written, and forgets the chain. *len becomes no more than
 * the chain had room for: QEMU's SCSI counts what it has read, too. False: broken. */
bool chain_in(struct vm *vm, struct queue *q, unsigned id, uint32_t *len);

/* May the descriptor name a table, and this one? */
bool indirect_ok(const struct vm *vm, const struct queue *q, const struct desc *d);

#define NO_BOUNCE "N-visor: its bounce memory is no ordinary memory any more"
#define NOT_IN_FLIGHT "back end: a chain that it does not have"

/* balloon.c: gives up the pages that a buffer names, those that are mapped. False: *need; again
 * then, from the start. */
bool balloon_take(struct vm *vm, uint64_t ipa, uint32_t len, enum queue_need *need);
/* What the back end finds in place of the buffer. False: no bounce memory. */
bool balloon_show(struct vm *vm, uint32_t at, uint32_t len);

/* split.c, packed.c */
struct ring {
	uint32_t (*offset)(const struct queue_setup *s, enum queue_part part); /* PARTS: bytes */
	uint32_t (*bytes)(const struct queue_setup *s, enum queue_part part);
	void (*start)(struct vm *vm, struct queue *q);
	/* Takes the next chain and copies it out. False: there is none, or broken, or *need. */
	bool (*take)(struct vm *vm, struct queue *q, enum queue_need *need);
	/* Has the guest tell of the next chain, or not. */
	void (*ask)(struct vm *vm, struct queue *q, bool tell);
	/* Shows the back end what was taken; does it want to be told? */
	bool (*publish)(struct vm *vm, struct queue *q);
	/* Copies the next used chain in. False: there is none, or broken. */
	bool (*finish)(struct vm *vm, struct queue *q);
	/* Shows the guest what has come, asks the back end for an interrupt at the next. NULL: the
	 * guest sees each as it comes, and the back end interrupts at each. */
	void (*deliver)(struct vm *vm, struct queue *q);
	/* Has the guest not seen yet what it wants an interrupt for? NULL: none is ever lost. */
	bool (*waits)(struct vm *vm, const struct queue *q);
};
extern const struct ring split_ring, packed_ring;

#endif
