/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fills struct tv_manifest from the device tree. It is read once, before any
 * Non-secure code has run.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <common/debug.h>
#include <common/fdt_wrappers.h>
#include <libfdt.h>
#include <plat/common/platform.h>
#include <platform_def.h>

#include "tvd_boot.h"
#include "tvd_private.h"

static unsigned int cpus;

static int count_cpu(const void *dt, int node, uintptr_t mpidr)
{
	int pos = plat_core_pos_by_mpidr(mpidr);

	if (pos >= (int)cpus)
		cpus = (unsigned int)pos + 1U;

	return 0;
}

/* Only the Secure world sees it: binding "arm/secure" of the device tree. */
static bool is_secure_only(const void *dt, int node)
{
	const char *secure = fdt_getprop(dt, node, "secure-status", NULL);

	return !fdt_node_is_enabled(dt, node) && (secure != NULL) && (strcmp(secure, "okay") == 0);
}

static uint64_t secure_device(const void *dt, const char *compatible)
{
	uintptr_t base;
	int node;

	for (node = fdt_node_offset_by_compatible(dt, -1, compatible); node >= 0;
	     node = fdt_node_offset_by_compatible(dt, node, compatible)) {
		if (is_secure_only(dt, node) &&
		    (fdt_get_reg_props_by_index(dt, node, 0, &base, NULL) == 0))
			return base;
	}

	return 0U;
}

/*
 * The PPIs of the two EL1 timers that are not Secure: second and third of the node's
 * interrupts, each of three cells (bindings "arm,armv8-timer", "arm,gic-v3").
 */
static uint32_t timer_ppis(const void *dt)
{
	int node = fdt_node_offset_by_compatible(dt, -1, "arm,armv8-timer");
	const fdt32_t *irq;
	uint32_t ppis = 0U;
	int i, length;

	irq = (node < 0) ? NULL : fdt_getprop(dt, node, "interrupts", &length);
	if ((irq == NULL) || (length < (int)(9U * sizeof(*irq))))
		return 0U;

	for (i = 3; i < 9; i += 3) {
		if ((fdt32_to_cpu(irq[i]) == 1U) && (fdt32_to_cpu(irq[i + 1]) < 16U))
			ppis |= 1U << fdt32_to_cpu(irq[i + 1]);
	}

	return ppis;
}

static int next_memory(const void *dt, int node)
{
	return fdt_node_offset_by_prop_value(dt, node, "device_type", "memory", sizeof("memory"));
}

/* The banks of one node; a property longer than drams[] is cut. */
static void add_banks(struct tv_manifest *m, const void *dt, int node)
{
	uintptr_t base;
	size_t size;
	int i;

	for (i = 0; m->drams < TV_MAX_DRAM; i++) {
		if (fdt_get_reg_props_by_index(dt, node, i, &base, &size) != 0)
			break;
		m->dram[m->drams].base = base;
		m->dram[m->drams].size = size;
		m->drams++;
	}
}

/* What BL2 has left there, if it has */
static uint64_t boot_record(void)
{
	const struct tv_boot *boot = (const struct tv_boot *)TVD_BOOT_BASE;

	return (boot->magic == TV_BOOT_MAGIC) ? TVD_BOOT_BASE : 0U;
}

int tvd_manifest_init(struct tv_manifest *m, const void *dt)
{
	int node;

	if ((dt == NULL) || (fdt_check_header(dt) != 0) || (fdtw_for_each_cpu(dt, count_cpu) != 0))
		return -EINVAL;

	m->magic = TV_MANIFEST_MAGIC;
	m->cpus = cpus;
	m->base = BL32_BASE;
	m->size = BL32_LIMIT - BL32_BASE;
	m->uart = secure_device(dt, "arm,pl011");
	m->tzc = secure_device(dt, "arm,tzc400");
	m->boot = boot_record();
	m->timers = timer_ppis(dt);
	if (m->timers == 0U)
		WARN("TVD: no PPIs of EL1 timers in the device tree: no S-VM of KVM's will run\n");
	for (node = next_memory(dt, -1); node >= 0; node = next_memory(dt, node)) {
		if (fdt_node_is_enabled(dt, node))
			add_banks(m, dt, node);
	}

	return (m->drams != 0U) ? 0 : -ENOENT;
}
