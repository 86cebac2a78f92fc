/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vCPUs and the call gate (I4, I5).
 *
 *   VCPU_OFF      waits for a CPU_ON of its own S-VM
 *   VCPU_PENDING  CPU_ON has named entry and context; starts there when run
 *   VCPU_ON       may be run; `regs` is where it goes on
 *   VCPU_RUNNING  inside the gate on one CPU, which alone uses the object till it leaves
 *
 * OFF -> PENDING -> RUNNING <-> ON; RUNNING -> OFF by CPU_OFF; PENDING -> OFF if the N-visor
 * refuses the CPU_ON.
 */
#ifndef VCPU_H
#define VCPU_H

#include "arch.h"
#include "vm.h"

enum vcpu_state { VCPU_OFF, VCPU_PENDING, VCPU_ON, VCPU_RUNNING };

#define CALL_REGISTERS 4 /* x0-x3 of a CALL exit: shown, and accepted */

/* The guest's call that the last CALL exit showed, as far as its answer is checked. */
enum vcpu_call { CALL_PLAIN, CALL_CPU_ON, CALL_AFFINITY };

/* `state` and `on_*` are guarded by the S-VM's lock; the rest is too unless the vCPU is
 * RUNNING. */
struct vcpu {
	struct guest_regs regs;
	enum vcpu_state state;
	unsigned index;
	uint64_t on_entry, on_context; /* PENDING */
	uint64_t on_endian;            /* PENDING: SCTLR_EL1.EE of the caller */
	const struct vcpu *on_by;      /* PENDING by a CPU_ON of this one; NULL once it has run */

	uint64_t exit;        /* TV_EXIT_* that waits to be served; IRQ: nothing does */
	struct guest_exit hw; /* as the hardware told it */
	uint64_t wanted;      /* BOUNCE: bytes */
	struct io_access io;  /* MMIO: what the S-visor makes of it */
	uint64_t shown;       /* MMIO write: the value that the N-visor sees, as on the bus */
	bool made;            /* the exit in hw is the S-visor's own: no instruction waits for it */
	bool no_heap;         /* ... or it could go no further for want of its own memory */
	bool vserror;

	uint64_t left;    /* the counter when it last left the gate; 0: never */
	uint64_t claimed; /* ns stolen, as the N-visor said last ... */
	uint64_t stolen;  /* ... and as far as they are believed */

	struct token token;

	enum vcpu_call call;
	uint64_t call_arg[2]; /* x1 and x2 of `call` */
};

#define VCPU_PAGES ((sizeof(struct vcpu) + TV_PAGE_SIZE - 1) / TV_PAGE_SIZE) /* of the heap */

/* TV_VCPU_CREATE and TV_VCPU_RUN. Take the S-VM's lock, and those below it. */
int vcpu_create(uint64_t handle, uint64_t mpidr, uint64_t flags, uint64_t *index);
int vcpu_run(uint64_t handle, uint64_t index);

/* Erases the object. The S-VM's lock is held. */
void vcpu_free(struct vcpu *v);

/* exit.c: what the N-visor gets to see. */

/* Decides about v->hw. True: the N-visor must see v->exit. False: dealt with, the guest goes
 * on. Takes the S-VM's lock. The vCPU is RUNNING here. */
bool exit_decide(struct vm *vm, struct vcpu *v);
/* Makes v->hw and v->exit the exit that meets the need; or a notification of the back end. The
 * S-VM's lock is held. */
void exit_need(struct vm *vm, struct vcpu *v, enum queue_need need);
void exit_notify(struct vcpu *v, const struct queue *q);
/* Tells what v->exit shows, and nothing more. */
void exit_show(const struct vcpu *v, volatile struct tv_run *page);
/* The page of a FAULT or MMIO exit. */
ipa_t exit_page(const struct vcpu *v);
/* Of an MMIO exit: a register's value as it is on the bus, which is little-endian, and the
 * reverse; of the access's size. */
uint64_t bus_order(const struct vcpu *v, uint64_t value);

/* resume.c: what is accepted from it. */

/* What the N-visor wants; of the page's gpr[], resume_apply reads those that the exit takes. */
struct entry {
	uint64_t flags, cntvoff, stolen;
	uint64_t now; /* counter_now() */
	volatile const struct tv_run *page;
};

/* TV_OK, or TV_EINVAL: flags that v->exit does not allow. Changes nothing. */
int resume_check(const struct vcpu *v, uint64_t flags);
/* Applies what resume_check passed; afterwards no exit waits. The S-VM's lock is held. */
void resume_apply(struct vm *vm, struct vcpu *v, const struct entry *entry);

/* inject.c: what happens to the guest's PC and PSTATE. */
void step_instruction(struct vcpu *v);
void call_again(struct vcpu *v); /* after HVC or SMC: back to it */
void inject_undefined(struct vcpu *v);
void inject_abort(struct vcpu *v); /* for the stage-2 abort in v->hw */

/* psci.c, trng.c: calls that the S-visor watches or answers. x0-x3 are in v->regs. */

/* False: the N-visor must see v->exit (CALL or OFF). Takes the S-VM's lock. */
bool psci_call(struct vm *vm, struct vcpu *v);
/* Checks the answer in x0 against the S-visor's own record, and mends it. The S-VM's lock is
 * held. `served`: the N-visor says that it has answered. */
void psci_answer(struct vm *vm, struct vcpu *v, bool served);
/* Answers calls of the TRNG service (DEN 0098). False: it was none. */
bool trng_call(struct vcpu *v);

#endif
