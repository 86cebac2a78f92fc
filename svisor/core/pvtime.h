/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stolen time (DEN 0057): how long each vCPU was ready to run, and another task had its CPU. Only
 * the N-visor knows; the S-visor believes it no more than the vCPU was really out of the guest.
 */
#ifndef PVTIME_H
#define PVTIME_H

#include "vcpu.h"

/* Answers PV_TIME_FEATURES, PV_TIME_ST and SMCCC_ARCH_FEATURES's question after them. False: it
 * was no such call. Takes the S-VM's lock, and the heap's. */
bool pvtime_call(struct vm *vm, struct vcpu *v);

/* The vCPU enters. `claimed`: nanoseconds stolen so far, as the N-visor says. The S-VM's lock is
 * held. */
void pvtime_enter(struct vm *vm, struct vcpu *v, uint64_t claimed);

/* The page is mapped where it should be, if there is one. The S-VM's lock is held. */
bool pvtime_audit(const struct vm *vm);

/* Gives the page back; nothing maps it any more. The S-VM's lock is held. */
void pvtime_free(struct vm *vm);

#endif
