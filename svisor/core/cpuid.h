/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a guest finds in the ID registers: what the S-visor saves, traps or passes on, as far as
 * this machine's CPUs have it, and the same on all of them. docs/registers.md has the reasons.
 */
#ifndef CPUID_H
#define CPUID_H

#include "vcpu.h"

/* At boot, on the first CPU: what it has is what every guest gets. */
void cpuid_init(void);

/* On each later CPU. TV_EINVAL: it lacks some of that, so no guest may run on it. */
int cpuid_check(void);

/* TV_FEATURE_*: the most that a guest can have. */
uint64_t cpuid_features(void);

/* Can a guest have just these? */
bool cpuid_allows(uint64_t features);

/* Serves the register read in v->hw. False: it is no ID register's. */
bool cpuid_read(struct vcpu *v);

#endif
