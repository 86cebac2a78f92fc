/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The TwinVisor dispatcher: brings the S-visor up at S-EL2, and carries calls of
 * the Trusted OS range (DEN 0028) to it and their results back. twinvisor/abi.h
 * has the protocol.
 */
#include <assert.h>
#include <errno.h>

#include <arch_helpers.h>
#include <bl31/bl31.h>
#include <common/bl_common.h>
#include <common/debug.h>
#include <common/runtime_svc.h>
#include <lib/el3_runtime/context_mgmt.h>
#include <plat/common/platform.h>
#include <smccc_helpers.h>
#include <tools_share/uuid.h>

#include "tvd_private.h"

/* General queries of a Trusted OS (DEN 0028, 6.2) */
#define TOS_CALL_COUNT 0xBF00FF00
#define TOS_CALL_UID 0xBF00FF01
#define TOS_REVISION 0xBF00FF03
#define TOS_QUERIES 3

CASSERT(PLATFORM_CORE_COUNT <= TV_MAX_CPUS, assert_tvd_cpus);

DEFINE_SVC_UUID2(tvd_uid, 0x1b5b31de, 0x8e3d, 0x4e1c, 0x96, 0x9a, 0x6e, 0x8c, 0xa0, 0x60, 0xb2,
		 0x5b);

static struct tvd_cpu tvd_cpus[PLATFORM_CORE_COUNT];
static struct tv_manifest manifest __aligned(CACHE_WRITEBACK_GRANULE);
static entry_point_info_t *svisor;

struct tvd_cpu *tvd_this_cpu(void)
{
	return &tvd_cpus[plat_my_core_pos()];
}

/* Enters the S-visor on this CPU for the first time; returns its status. */
int tvd_boot(uint64_t cold)
{
	struct tvd_cpu *cpu = tvd_this_cpu();
	entry_point_info_t ep = *svisor;
	int status;

	ep.args.arg0 = (uintptr_t)&manifest;
	ep.args.arg1 = plat_my_core_pos();
	ep.args.arg2 = cold;
	ep.args.arg3 = 0U;
	tvd_context_init(cpu, &ep);

	cpu->fast.state = TVD_BOOT;
	tvd_context_to_svisor_first(cpu);
	status = (int)tvd_enter(&cpu->fast.frame);
	tvd_context_from_svisor_first(cpu);

	cpu->fast.state = (status == TV_OK) ? TVD_IDLE : TVD_OFF;
	if (status != TV_OK)
		ERROR("TVD: no S-visor on CPU %u: %d\n", plat_my_core_pos(), status);

	return status;
}

static uintptr_t call(struct tvd_cpu *cpu, uint32_t fid, u_register_t x1, u_register_t x2,
		      u_register_t x3, u_register_t x4)
{
	cpu->fast.state = TVD_CALL;
	tvd_context_switch(NON_SECURE, SECURE);
	cm_set_elr_spsr_el3(SECURE, cpu->fast.svisor.elr_el3, cpu->fast.svisor.spsr_el3);
	SMC_RET5(&cpu->ctx, fid, x1, x2, x3, x4);
}

/*
 * The machine goes down: S-VMs' memory keeps its contents, and BL2 opens it to
 * the normal world, so it does not go down unless the S-visor has wiped it. A
 * reset that the platform refuses after that leaves the calls refused, too.
 */
void tvd_wipe(void)
{
	struct tvd_cpu *cpu = tvd_this_cpu();
	int status = TV_ESTATE;

	if (cpu->fast.state == TVD_IDLE) {
		(void)call(cpu, TV_DISPATCH_WIPE, 0U, 0U, 0U, 0U);
		cpu->fast.state = TVD_WIPE;
		status = (int)tvd_enter(&cpu->fast.frame);
		cpu->fast.state = TVD_IDLE;
		tvd_context_switch(SECURE, NON_SECURE);
	}
	if (status != TV_OK) {
		ERROR("TVD: S-VMs not wiped on CPU %u: %d\n", plat_my_core_pos(), status);
		panic();
	}
}

static uintptr_t call_return(struct tvd_cpu *cpu, u_register_t r0, u_register_t r1, u_register_t r2,
			     u_register_t r3, u_register_t r4)
{
	cpu->fast.state = TVD_IDLE;
	tvd_context_switch(SECURE, NON_SECURE);

	SMC_RET5(cm_get_context(NON_SECURE), r0, r1, r2, r3, r4);
}

static uintptr_t query(uint32_t fid, void *handle)
{
	switch (fid) {
	case TOS_CALL_COUNT:
		SMC_RET1(handle, TV_CALLS + TOS_QUERIES);
	case TOS_CALL_UID:
		SMC_UUID_RET(handle, tvd_uid);
	case TOS_REVISION:
		SMC_RET2(handle, TV_ABI_MAJOR, TV_ABI_MINOR);
	default:
		SMC_RET1(handle, TV_ENOSYS);
	}
}

static uintptr_t from_normal_world(struct tvd_cpu *cpu, uint32_t fid, u_register_t x1,
				   u_register_t x2, u_register_t x3, u_register_t x4, void *handle)
{
	if (cpu->fast.state != TVD_IDLE)
		SMC_RET1(handle, TV_ENOSYS);

	if ((fid - TV_SMC(0)) < TV_CALLS)
		return call(cpu, fid, x1, x2, x3, x4);

	return query(fid, handle);
}

/* The S-visor's own calls. The code of a result is in x5: x0 says which call this is. */
static uintptr_t from_svisor(struct tvd_cpu *cpu, uint32_t fid, u_register_t x1, u_register_t x2,
			     u_register_t x3, u_register_t x4)
{
	u_register_t code = SMC_GET_GP(&cpu->ctx, CTX_GPREG_X5);

	if ((fid == TV_SVISOR_READY) && (cpu->fast.state == TVD_BOOT))
		tvd_leave(cpu->fast.frame, code);

	if ((fid == TV_SVISOR_RETURN) && (cpu->fast.state == TVD_WIPE))
		tvd_leave(cpu->fast.frame, code);

	if ((fid == TV_SVISOR_RETURN) && (cpu->fast.state == TVD_CALL))
		return call_return(cpu, code, x1, x2, x3, x4);

	if ((fid == TV_SVISOR_COUNT) && (cpu->fast.state == TVD_CALL)) {
		tvd_context_count(cpu, x1 != 0U);
		SMC_RET1(&cpu->ctx, TV_OK);
	}

	SMC_RET1(&cpu->ctx, TV_ENOSYS);
}

static uintptr_t tvd_smc(uint32_t fid, u_register_t x1, u_register_t x2, u_register_t x3,
			 u_register_t x4, void *cookie, void *handle, u_register_t flags)
{
	struct tvd_cpu *cpu = tvd_this_cpu();

	if (is_caller_non_secure(flags))
		return from_normal_world(cpu, fid, x1, x2, x3, x4, handle);

	return from_svisor(cpu, fid, x1, x2, x3, x4);
}

/* 0 makes BL31 say that there is no BL32. The normal world boots all the same. */
static int32_t tvd_init(void)
{
	if (tvd_boot(1U) != TV_OK)
		return 0;

	psci_register_spd_pm_hook(&tvd_pm);

	return 1;
}

/* BL2 passes the address of the device tree in arg3. */
static int32_t tvd_setup(void)
{
	svisor = bl31_plat_get_next_image_ep_info(SECURE);
	if ((svisor == NULL) || (tvd_manifest_init(&manifest, (void *)svisor->args.arg3) != 0)) {
		WARN("TVD: no S-visor image, or a device tree without what it needs\n");
		return -ENOENT;
	}

	flush_dcache_range((uintptr_t)&manifest, sizeof(manifest));
	SET_PARAM_HEAD(svisor, PARAM_EP, VERSION_1, SECURE | EP_ST_ENABLE);
	svisor->spsr = SPSR_64(MODE_EL2, MODE_SP_ELX, DISABLE_ALL_EXCEPTIONS);
	bl31_register_bl32_init(&tvd_init);

	return 0;
}

DECLARE_RT_SVC(tvd, OEN_TOS_START, OEN_TOS_END, SMC_TYPE_FAST, tvd_setup, tvd_smc);
