/* SPDX-License-Identifier: BSD-3-Clause */
/* N-VMs on the host twin: KVM's side of their calls, and what their stage 2 holds. */
#ifndef UNIT_NVM_H
#define UNIT_NVM_H

#include "fixture.h"

#define PSTATE_EL1H 0x3c5
/* Leaves in the normal S2PT, as KVM makes them: AF, inner shareable, Normal */
#define LEAF_ATTRS 0x73cUL
#define LEAF_READ (1UL << 6)
#define LEAF_WRITE (1UL << 7)
#define LEAF_AF (1UL << 10)
#define LEAF_XN (1UL << 54)
#define LEAF_RW (LEAF_ATTRS | LEAF_READ | LEAF_WRITE)
#define ASK_PAGE(pa, attrs) ((pa) | (attrs) | 3)
#define ASK_BLOCK(pa, attrs) ((pa) | (attrs) | 1)
#define BLOCK 0x200000UL

#define EC_FETCH 0x20
#define EC_DATA 0x24
#define TRANSLATION_L3 0x07
#define PERMISSION_L3 0x0f
#define ACCESS_FLAG_L3 0x0b
#define ISS_S1PTW (1UL << 7)
#define ABORT(ec, iss, ipa) SYNC(EC(ec) | (iss), 0xffff000000000000 | ((ipa) & 0xfff), HPFAR(ipa))
#define READ(ipa) ABORT(EC_DATA, TRANSLATION_L3, ipa)
#define WRITE(ipa) ABORT(EC_DATA, TRANSLATION_L3 | ISS_WNR, ipa)
#define FETCH(ipa) ABORT(EC_FETCH, TRANSLATION_L3, ipa)

struct nvm {
	uint64_t handle;
	struct npt_model npt;
};
struct nvm nvm_new(void);
struct tv_state *state(void);
struct tv_gic *gic(void);
struct tv_fp *fp(void);
/* TV_NVM_RUN of vCPU 0, from EL1, all else in the shared page zero. */
int64_t nvm_run_new(struct nvm *n);
/* The same, the guest touching memory once in this way: did it come to KVM? */
bool comes_out(struct nvm *n, struct step touch);
/* The same of a read */
bool reads(struct nvm *n, uint64_t ipa);
int64_t forget(struct nvm *n, uint64_t ipa, uint64_t size);
int64_t destroy(struct nvm *n);

/* The leaf for `ipa`, as it is, and what it maps; 0: none. */
uint64_t leaf_in(uint64_t root, uint64_t ipa, uint64_t *size);
/* In stage 2 of the N-VM that has run last */
uint64_t nvm_leaf(uint64_t ipa, uint64_t *size);
/* In the host's */
uint64_t host_leaf(uint64_t ipa, uint64_t *size);
/* TV_CHUNK_TAKE for the S-visor, on CPU 1 */
int64_t take_elsewhere(uint64_t chunk);

#endif
