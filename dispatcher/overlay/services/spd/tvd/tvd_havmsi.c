/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dispatcher of cores without Secure EL2. There the S-visor has Non-secure EL2
 * from the first instruction of the normal world on, and starts the kernel, at EL1,
 * itself; calls do not come here. It lacks only what the normal world cannot reach,
 * the TZC-400 and its UART: it asks for their registers.
 */
#include <assert.h>
#include <string.h>

#include <arch_helpers.h>
#include <bl31/bl31.h>
#include <common/debug.h>
#include <common/runtime_svc.h>
#include <lib/cassert.h>
#include <lib/mmio.h>
#include <plat/common/platform.h>
#include <smccc_helpers.h>

#include "tvd_boot.h"
#include "tvd_private.h"

CASSERT(PLATFORM_CORE_COUNT <= TV_MAX_CPUS, assert_tvd_cpus);
CASSERT(sizeof(struct tv_manifest) <= PAGE_SIZE, assert_tvd_manifest_size);

/* The registers of these two devices, 0 if there is none; the S-visor can write its manifest. */
static uint64_t tzc, uart;

/*
 * The kernel's place in the boot is the S-visor's. Without all that it needs nothing
 * would be kept from the kernel, which would not even notice: it does not start then.
 */
static int32_t tvd_setup(void)
{
	struct tv_manifest *m = (struct tv_manifest *)TVD_MANIFEST_BASE;
	entry_point_info_t *svisor = bl31_plat_get_next_image_ep_info(SECURE);
	entry_point_info_t *host = bl31_plat_get_next_image_ep_info(NON_SECURE);

	memset(m, 0, sizeof(*m));
	if ((svisor == NULL) || (host == NULL) || (el_implemented(2) == EL_IMPL_NONE) ||
	    (tvd_manifest_init(m, (void *)svisor->args.arg3) != 0) || (m->tzc == 0U)) {
		ERROR("TVD: no S-visor image, no EL2, or a device tree without what it needs\n");
		panic();
	}

	tzc = m->tzc;
	uart = m->uart;
	m->host = host->pc;
	m->host_x[0] = host->args.arg0;
	m->host_x[1] = host->args.arg1;
	m->host_x[2] = host->args.arg2;
	m->host_x[3] = host->args.arg3;
	flush_dcache_range((uintptr_t)m, sizeof(*m));

	host->pc = svisor->pc;
	host->spsr = SPSR_64(MODE_EL2, MODE_SP_ELX, DISABLE_ALL_EXCEPTIONS);
	memset(&host->args, 0, sizeof(host->args));
	host->args.arg0 = TVD_MANIFEST_BASE;
	host->args.arg1 = 0U; /* the S-visor counts the CPUs that it starts, from this one on */
	host->args.arg2 = 1U;

	return 0;
}

static bool is_in(uint64_t address, uint64_t device)
{
	return (device != 0U) && ((address & ~(uint64_t)(TV_PAGE_SIZE - 1)) == device);
}

/* The host is at EL1; should the S-visor ever let one of its SMCs through, it gets nothing. */
static bool from_svisor(void *handle, u_register_t flags)
{
	u_register_t spsr = read_ctx_reg(get_el3state_ctx(handle), CTX_SPSR_EL3);

	return is_caller_non_secure(flags) && (GET_RW(spsr) == MODE_RW_64) &&
	       (GET_EL(spsr) == MODE_EL2);
}

static uintptr_t tvd_smc(uint32_t fid, u_register_t address, u_register_t value, u_register_t x3,
			 u_register_t x4, void *cookie, void *handle, u_register_t flags)
{
	if (((fid != TV_EL3_READ) && (fid != TV_EL3_WRITE)) || !from_svisor(handle, flags))
		SMC_RET1(handle, SMC_UNK);

	if (((address & 3U) != 0U) || !(is_in(address, tzc) || is_in(address, uart)))
		SMC_RET1(handle, TV_EINVAL);

	if (fid == TV_EL3_READ)
		SMC_RET2(handle, TV_OK, mmio_read_32(address));

	mmio_write_32(address, (uint32_t)value);
	SMC_RET1(handle, TV_OK);
}

DECLARE_RT_SVC(tvd, OEN_TOS_START, OEN_TOS_END, SMC_TYPE_FAST, tvd_setup, tvd_smc);
