/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * N-VMs: ordinary VMs, where the S-visor has EL2 and so their stage 2 (docs/havmsi.md). They are not
 * protected: all state of a vCPU comes from the N-visor and goes back to it. What is to hold is that
 * their stage 2 maps ordinary memory alone (I1). The calls' errors are in abi.h.
 */
#ifndef NVM_H
#define NVM_H

#include "npt.h"

#ifdef TV_HAVMSI

int nvm_create(const struct npt *npt, uint64_t *handle);
int nvm_run(uint64_t handle, uint64_t mpidr);
int nvm_forget(uint64_t handle, ipa_t ipa, uint64_t size);
int nvm_destroy(uint64_t handle);
/* TV_HOST_INFO */
int host_info(uint64_t *vtr);
/* Is there any? Pools are to be added before. */
bool nvm_exists(void);
/* What is mapped that must not be, in stage 2 of N-VMs and of the host: 0, or a bug. */
uint64_t nvm_audit(void);
/* Pages of the heap that these stage 2 tables are */
size_t nvm_tables(void);

#else

static inline int nvm_create(const struct npt *npt, uint64_t *handle)
{
	(void)npt;
	(void)handle;
	return TV_ENOSYS;
}

static inline int nvm_run(uint64_t handle, uint64_t mpidr)
{
	(void)handle;
	(void)mpidr;
	return TV_ENOSYS;
}

static inline int nvm_forget(uint64_t handle, ipa_t ipa, uint64_t size)
{
	(void)handle;
	(void)ipa;
	(void)size;
	return TV_ENOSYS;
}

static inline int nvm_destroy(uint64_t handle)
{
	(void)handle;
	return TV_ENOSYS;
}

static inline int host_info(uint64_t *vtr)
{
	(void)vtr;
	return TV_ENOSYS;
}

static inline bool nvm_exists(void)
{
	return false;
}

static inline uint64_t nvm_audit(void)
{
	return 0;
}

static inline size_t nvm_tables(void)
{
	return 0;
}

#endif
#endif
