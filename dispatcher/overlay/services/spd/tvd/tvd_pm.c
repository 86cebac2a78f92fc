/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PSCI hooks (DEN 0022): a CPU that has been off gets its S-visor anew. There is
 * nothing to do when it goes off: no S-VM runs on it, or it could not have asked.
 * Before the machine is reset or turned off, all S-VMs are wiped; SYSTEM_RESET2
 * comes here by svc_system_reset. The hooks are registered only once the S-visor
 * is up on the first CPU.
 */
#include <lib/psci/psci.h>

#include "tvd_private.h"

static void cpu_up(u_register_t unused)
{
	(void)tvd_boot(0U);
}

static int32_t migrate_info(u_register_t *resident_cpu)
{
	return PSCI_TOS_NOT_PRESENT_MP;
}

const spd_pm_ops_t tvd_pm = {
	.svc_on_finish = cpu_up,
	.svc_suspend_finish = cpu_up,
	.svc_migrate_info = migrate_info,
	.svc_system_off = tvd_wipe,
	.svc_system_reset = tvd_wipe,
};
