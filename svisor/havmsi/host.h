/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host: Linux, at EL1, and all that is no VM. The S-visor is the only code at EL2, and runs the
 * host as it runs guests: under a stage 2, which holds all but protected memory and the S-visor's
 * own, and with its SMCs trapped.
 */
#ifndef HOST_H
#define HOST_H

#include "arch.h"

#define HOST_VMID 0
#define SMC_REGISTERS 18

/* ---- host.c ----------------------------------------------------------------- */

/* EL1's registers, and what else governs it: from the host's to a guest's, HCR_EL2 being `hcr`, and
 * back. This CPU's; stage 2 has an empty table from host_out on, and at least till host_in. */
void host_out(uint64_t hcr);
void host_in(void);

/* A permission fault comes without its IPA: looks it up by the guest's stage 1, whose registers are
 * in place. If it has none, the fault is no fault any more: `kind` is GUEST_IRQ. */
void host_find_ipa(struct guest_exit *exit);

/* ---- gic.c: the virtual GIC of this CPU, for host_out and host_in ------------ */

/* At this CPU's boot: how much of it there is. */
void gic_find(void);
/* There is none: the host runs. */
void gic_none(void);
void gic_load(void);
void gic_unload(void);
/* ICH_VTR_EL2 */
uint64_t host_gic(void);

/* ---- stage2.c --------------------------------------------------------------- */

/* Once, at boot: makes all tables that the host can need. */
void host_stage2_init(const struct tv_manifest *m);
/* VTTBR_EL2 for the host */
uint64_t host_stage2(void);
/* The host's access faulted there. TV_OK: it is mapped; TV_EDENIED: it is not the host's. Takes
 * stage 2's lock. */
int host_map(ipa_t ipa);
/* From now on [base, top) is closed to the host and to accesses for it, by this region alone; once
 * it returns, none is under way. Takes stage 2's lock. */
void host_close(unsigned region, pa_t base, pa_t top);
/* Around an access to ordinary memory, by this CPU. False: some of it is not ordinary. What is,
 * stays so till host_accessed. */
bool host_access(pa_t a, size_t bytes);
void host_accessed(void);
/* Leaves of the host's stage 2 that map what is closed: 0, or a bug. Takes stage 2's lock. */
uint64_t host_audit(void);
/* Pages of its tables: as many as at boot */
size_t host_tables(void);

/* ---- entry.S ---------------------------------------------------------------- */

/* An SMC to EL3, with these in x0-x17 before and after. */
void el3_call(uint64_t x[SMC_REGISTERS]);
/* Where PSCI starts a CPU: x0 = its index. */
void entry_warm(void);

#endif
