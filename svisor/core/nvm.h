/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * N-VMs: ordinary VMs, where the S-visor has EL2 and so their stage 2 (docs/havmsi.md). They are
 * not protected: all state of a vCPU comes from the N-visor and goes back to it. What is to hold is
 * that their stage 2 maps ordinary memory alone (I1).
 */
#ifndef NVM_H
#define NVM_H

#include "addr.h"

#ifdef TV_HAVMSI

/* TV_HOST_INFO, TV_NVM_*: x[0] says which; results and errors as in abi.h */
int64_t nvm_call(const uint64_t *in, uint64_t *out);
/* What is mapped that must not be, in stage 2 of N-VMs and of the host: 0, or a bug. Takes their
 * locks. */
uint64_t nvm_audit(void);
/* Holds all of N-VMs' locks, that none of them allocates. False, and none is held: they could not
 * be had before counter_now() is `deadline`. */
bool nvm_hold(uint64_t deadline);
void nvm_let_go(void);
/* Pages of the heap that these tables are; after nvm_hold */
size_t nvm_tables(void);

#else

static inline int64_t nvm_call(const uint64_t *in, uint64_t *out)
{
	(void)in;
	(void)out;
	return TV_ENOSYS;
}

static inline uint64_t nvm_audit(void)
{
	return 0;
}

static inline bool nvm_hold(uint64_t deadline)
{
	(void)deadline;
	return true;
}

static inline void nvm_let_go(void)
{
}

static inline size_t nvm_tables(void)
{
	return 0;
}

#endif
#endif
