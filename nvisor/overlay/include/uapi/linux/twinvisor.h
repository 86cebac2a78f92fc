/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /dev/twinvisor: confidential VMs (S-VMs) for user space.
 *
 * Opening it gives ENODEV when the firmware has no S-visor.
 */
#ifndef _UAPI_LINUX_TWINVISOR_H
#define _UAPI_LINUX_TWINVISOR_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* struct twinvisor_vm.state */
#define TWINVISOR_LAUNCHING	0
#define TWINVISOR_RUNNING	1
#define TWINVISOR_DEAD		2	/* launch failed: only waits to be closed */

#define TWINVISOR_EXITS		10	/* indexed by TV_EXIT_* of the S-visor's ABI */

/* in: index (0, 1, ...); ENOENT past the last S-VM */
struct twinvisor_vm {
	__u32 index;
	__u32 pid;		/* the VMM's process */
	__u32 state;
	__u32 vcpus;
	__u64 handle;		/* the S-visor's name for it */
	__u64 memory;		/* bytes of RAM, sealed at launch */
	__u64 chunks;		/* chunks of Split CMA that it owns */
	__u64 private_pages;
	__u64 loaded_pages;	/* those of them that were measured */
	__u8 measurement[32];
	__u64 exits[TWINVISOR_EXITS];
	__u64 refused;		/* entries that the S-visor refused */
	__u64 launches;		/* one, and one more for each reboot */
	__u64 moved;		/* chunks that were moved, to make room */
	__u64 returned;		/* chunks that it gave back, by its balloon */
	__u64 bounce_pages;	/* of the VMM's, pinned for the S-VM's I/O */
	__u64 bounce_most;	/* as many as there may be */
	__u64 late;		/* times that a device's interrupt might have been lost, and was made */
	__u64 answered;		/* exits that the S-visor dealt with itself, while any were counted */
	__u64 reserved[1];
};

struct twinvisor_info {
	__u32 abi_major;
	__u32 abi_minor;
	__u32 vms;
	__u32 pools;
	__u64 chunks_total;
	__u64 chunks_secure;	/* in the Secure runs, used or not */
	__u64 chunks_used;
	__u64 launched;		/* ever, by the process that opened the file and its descendants */
	__u64 reserved[7];
};

/* what the S-visor's own check found; EBUSY while a vCPU runs */
struct twinvisor_audit {
	__u64 violations;
	__u64 chunks;
	__u64 vms;
	__u64 heap_free;
};

/*
 * What the S-visor has in use, beside what KVM knows of, all of one moment. Lost is what only
 * one of them knows, and so nobody will ever free: never anything, if all is well.
 * EBUSY: a lock of the S-visor was not to be had for seconds.
 */
struct twinvisor_stats {
	__u64 svisor_vms;	/* as many VMIDs */
	__u64 svisor_chunks;	/* owned by S-VMs */
	__u64 svisor_secure;	/* in Secure runs */
	__u64 heap_pages;	/* the S-visor's own memory */
	__u64 heap_free;
	__u64 kvm_vms;
	__u64 kvm_chunks;
	__u64 lost_vms;
	__u64 lost_chunks;
	__u64 lost_pages;	/* of its own memory: in use, but on no record of the S-visor */
	__u64 heap_chunks;	/* of the pools, in heap_pages */
	__u64 reserved[5];
};

/* struct twinvisor_pool.owners[]: a VMM's process, or */
#define TWINVISOR_CHUNK_LINUX	0	/* above the run; perhaps full of its pages */
#define TWINVISOR_CHUNK_FREE	(-1)	/* Secure and zero, for the next S-VM */
#define TWINVISOR_CHUNK_SVISOR	(-2)	/* the S-visor's own memory */
#define TWINVISOR_CHUNK_LOST	(-3)	/* of an S-VM that could not be destroyed */

/* in: index (0, 1, ...), room, owners; ENOENT past the last pool */
struct twinvisor_pool {
	__u32 index;
	__s32 node;
	__u64 base;		/* physical */
	__u64 chunks;
	__u64 run;		/* so many from the start are Secure */
	__u64 room;		/* of owners[]; out: as much of it as was looked at */
	__u64 owners;		/* pointer to __s32[room] */
	__u64 reserved[2];
};

/* in: vm, index (0, 1, ...): a queue that a device of the S-VM has in use; ENOENT past the last */
struct twinvisor_queue {
	__u32 vm;
	__u32 index;
	__u64 where;		/* guest address of the register that notifies the device */
	__u32 queue;		/* of the device */
	__u32 size;
	__u32 broken;		/* of no use till the device is reset */
	__u32 flying;		/* requests that the back end has */
	__u64 requests;
	__u64 bytes_out;	/* copied for the device, and from it */
	__u64 bytes_in;
	__u64 copies;
	__u64 notified;		/* by the guest */
	__u64 forwarded;	/* and so many to the back end, by an exit each */
	__u64 refused;		/* of the guest's descriptors and the back end's answers */
	__u64 reserved[3];
};

struct twinvisor_policy {
	__u64 size;		/* 1 to 2048 */
	__u64 policy;		/* pointer to __u8[size] */
};

#define TWINVISOR_LAST		0xffffffffU	/* struct twinvisor_launch.vm */

/*
 * How a launch went. in: vm, room, log. The log is what the S-visor has measured, record by
 * record, so that measurement is its SHA-256; of a launch that failed, as far as that came.
 * EAGAIN: there was none, or it is under way; ENOENT: past the last S-VM.
 */
struct twinvisor_launch {
	__u32 vm;		/* index of an S-VM, or TWINVISOR_LAST: the last launch by the
				 * process that opened the file or a descendant of it */
	__u32 error;		/* errno that KVM_RUN gave, or 0 */
	__s32 code;		/* what the S-visor's call gave that failed, or 0 ... */
	__u32 call;		/* ... and its number */
	__u8 measurement[32];	/* zero if it did not come to be sealed */
	__u64 size;		/* of the log in bytes */
	__u64 room;		/* of log[]; out: as much of it as was used */
	__u64 log;		/* pointer to __u8[room] */
	__u64 reserved[4];
};

/* The firmware's event log, as TCG specifies it (crypto agile). ENOENT: there is none. */
struct twinvisor_event_log {
	__u64 size;		/* out: of all of it in bytes */
	__u64 room;		/* of log[]; out: as much of it as was used */
	__u64 log;		/* pointer to __u8[room] */
	__u64 reserved[1];
};

#define TWINVISOR_IOC		0xb7

/*
 * Every VM that the calling process creates from now on becomes an S-VM at its
 * first KVM_RUN. fork() and exec() hand this on, and nothing takes it back.
 * EINVAL: the process has more than one thread.
 */
#define TWINVISOR_ARM		_IO(TWINVISOR_IOC, 0)
#define TWINVISOR_INFO		_IOR(TWINVISOR_IOC, 1, struct twinvisor_info)
#define TWINVISOR_VM		_IOWR(TWINVISOR_IOC, 2, struct twinvisor_vm)
/* in: chunks that Linux wants back; out: chunks that it got */
#define TWINVISOR_RECLAIM	_IOWR(TWINVISOR_IOC, 3, __u64)
#define TWINVISOR_AUDIT		_IOR(TWINVISOR_IOC, 4, struct twinvisor_audit)
#define TWINVISOR_STATS		_IOR(TWINVISOR_IOC, 5, struct twinvisor_stats)
#define TWINVISOR_POOL		_IOWR(TWINVISOR_IOC, 6, struct twinvisor_pool)
#define TWINVISOR_QUEUE		_IOWR(TWINVISOR_IOC, 7, struct twinvisor_queue)
/* Until the file is closed, by whatever end of whoever has it, the S-visor counts answered. */
#define TWINVISOR_WATCH		_IO(TWINVISOR_IOC, 8)
/*
 * Before TWINVISOR_ARM: the launch policy of all VMs that processes create while the one that
 * opened the file is an ancestor of theirs, and the nearest that gave any.
 */
#define TWINVISOR_POLICY	_IOW(TWINVISOR_IOC, 9, struct twinvisor_policy)
/* The file polls as readable when there is a last launch that was not asked for yet. */
#define TWINVISOR_LAUNCH	_IOWR(TWINVISOR_IOC, 10, struct twinvisor_launch)
#define TWINVISOR_EVENT_LOG	_IOWR(TWINVISOR_IOC, 11, struct twinvisor_event_log)

#endif /* _UAPI_LINUX_TWINVISOR_H */
