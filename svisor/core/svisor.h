/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What arch/ calls: the doors into the policy code.
 */
#ifndef SVISOR_H
#define SVISOR_H

#include "addr.h"

/* Arguments (x0 = function, x1-x4) and, in place, results (x0 = TV_E*, x1-x4) of one SMC. */
struct tv_args {
	uint64_t x[5];
};

/* Cold boot, once, on the first CPU, before any svisor_call: MMU on, manifest already
 * copied to Secure memory. Panics if the manifest is impossible. */
void svisor_init(const struct tv_manifest *m);

/* On each CPU that comes up later, before any svisor_call there. What TV_SVISOR_READY says:
 * TV_OK, or TV_EINVAL if guests cannot be run on this CPU as on the first one. */
int svisor_join(void);

/* One call of the N-visor. Any CPU, any arguments, many CPUs at once; holds no lock when it
 * returns. */
void svisor_call(struct tv_args *a);

#endif
