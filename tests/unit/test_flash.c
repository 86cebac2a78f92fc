// SPDX-License-Identifier: BSD-3-Clause
/* Flash that is no RAM: shown read-only, as a copy, till the guest writes to it. */
#include "firmware.h"

#define SHOWN 512 /* pages at once */
#define PERMISSION 0xf
#define MMIO32 (DABT | ISV(2, 0, 5, 0) | FAULT_L3)
#define IN_PAIRS (DABT | FAULT_L3) /* a load that has no syndrome */

static uint64_t flash_page(uint64_t word)
{
	uint64_t page = ordinary_page();

	for (unsigned i = 0; i < 512; i++)
		((uint64_t *)host_mem(page))[i] = word;
	return page;
}

static int64_t show(uint64_t ipa, uint64_t from)
{
	return smc(TV_VM_SHOW, fw_vm.handle, ipa, from, 0);
}

static bool is_shown(uint64_t ipa)
{
	return host_guest_leaf(host_run.s2_root, ipa);
}

static uint64_t seen(uint64_t ipa)
{
	uint64_t page = host_guest_leaf(host_run.s2_root, ipa) & 0xfffffffff000;

	return *(uint64_t *)host_mem(page | (ipa & 0xfff));
}

/* The access makes an exit of this kind. */
static void check_exit(uint64_t addr, uint64_t esr, uint64_t exit)
{
	fw_access(0, 0, addr, esr, 0x7777);
	check_eq(shared()->exit, exit);
	check_eq(shared()->hpfar, HPFAR(addr));
	check_eq(guest_runs, 1);
	check_eq(host_count[HOST_INJECT], 0);
}

/* It is the guest's abort, and nobody hears of it. */
static void check_abort(uint64_t addr, uint64_t esr)
{
	unsigned before = host_count[HOST_INJECT];

	fw_access(0, 0, addr, esr, 0x7777);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(host_count[HOST_INJECT], before + 1);
}

TEST(reads, "flash: a read that has no syndrome finds what is shown, a copy, read-only, no code")
{
	uint64_t page;

	fw_start();
	page = flash_page(0x1111);
	check_exit(FLASH + 8, IN_PAIRS, TV_EXIT_FAULT);
	check_eq(shared()->far, 0);
	host_forget();
	check_eq(show(FLASH, page), TV_OK);
	check(host_when[HOST_PAGE_PUBLISH] && host_when[HOST_S2_WRITE]);
	check(host_when[HOST_PAGE_PUBLISH] < host_when[HOST_S2_WRITE]);
	memset(host_mem(page), 0xff, TV_PAGE_SIZE);
	fw_enter(0, 0);
	check_eq(guest_saw.pc, RAM);
	check_eq(seen(FLASH + 8), 0x1111);
	check(!(host_guest_leaf(host_run.s2_root, FLASH) & 1 << 7));
	check(host_guest_leaf(host_run.s2_root, FLASH) >> 54 & 1);
	check(!is_shown(FLASH + PAGE(1)) && !is_shown(FLASH - PAGE(1)));
	fw_end();
}

TEST(read_again, "flash: what is not shown at a fault comes again; what is shown is not changed")
{
	fw_start();
	check_exit(FLASH, IN_PAIRS, TV_EXIT_FAULT);
	check_eq(run(&fw_vm, 0, 0), TV_OK); /* not served: the guest does not run */
	check_eq(shared()->exit, TV_EXIT_FAULT);
	check_eq(shared()->hpfar, HPFAR(FLASH));
	check_eq(guest_runs, 1);
	npt_page(&fw_vm.npt, FLASH, CHUNK(0) + PAGE(100)); /* only for RAM is that looked at */
	check_eq(run(&fw_vm, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_FAULT);
	check_eq(show(FLASH, flash_page(1)), TV_OK);
	check_eq(show(FLASH, flash_page(2)), TV_OK); /* another vCPU's fault */
	fw_enter(0, 0);
	check_eq(seen(FLASH), 1);
	fw_end();
}

TEST(aborted, "flash: the N-visor may answer a fault by an abort")
{
	fw_start();
	check_exit(FLASH, IN_PAIRS, TV_EXIT_FAULT);
	fw_enter(0, TV_RUN_ABORT);
	check_eq(host_count[HOST_INJECT], 1);
	fw_end();
}

TEST(mmio, "flash: what can be MMIO is shown as that; what can neither is an abort")
{
	fw_start();
	check_exit(FLASH, MMIO32, TV_EXIT_MMIO);
	check_exit(FLASH + 4, MMIO32 | ISS_WNR, TV_EXIT_MMIO);
	check_eq(shared()->gpr[5], 0x7777);
	check_exit(FLASH + FLASH_BYTES - 8, IN_PAIRS, TV_EXIT_FAULT);
	check_eq(show(FLASH + FLASH_BYTES - PAGE(1), flash_page(1)), TV_OK);
	check_exit(0, IN_PAIRS, TV_EXIT_FAULT);
	check_eq(show(0, flash_page(1)), TV_OK);
	check_abort(2 * FLASH_BYTES, IN_PAIRS);
	check_abort(FLASH, IN_PAIRS | ISS_WNR);
	fw_access(0, 0, FLASH, IABT | FAULT_L3, 0); /* as code */
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(host_count[HOST_INJECT], 3);
	fw_end();
}

TEST(writes, "flash: a write to any of it takes all away, from the TLBs too, and is tried again")
{
	uint64_t page;

	fw_start();
	page = flash_page(0x1111);
	for (unsigned i = 0; i < 5; i++)
		check_eq(show(FLASH + PAGE(i * i), page), TV_OK);
	host_forget();
	fw_access(0, 0, FLASH + 8, DABT | ISV(2, 0, 5, 0) | ISS_WNR | PERMISSION, 1);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(guest_runs, 2);
	check_eq(guest_saw.pc, RAM);
	check_eq(host_count[HOST_INJECT], 0);
	check_eq(host_count[HOST_TLB_VM], 1);
	check_eq(host_count[HOST_S2_WRITE], 5);
	check(host_when[HOST_S2_WRITE] < host_when[HOST_TLB_VM]);
	for (unsigned i = 0; i < 5; i++)
		check(!is_shown(FLASH + PAGE(i * i)));
	check_audit();
	check_exit(FLASH + 8, MMIO32 | ISS_WNR, TV_EXIT_MMIO);
	check_eq(show(FLASH, flash_page(2)), TV_OK); /* as it is then */
	check_eq(seen(FLASH), 2);
	fw_end();
}

TEST(permission, "flash: other permission faults are aborts, and leave it as it is")
{
	fw_start();
	check_abort(FLASH, DABT | ISS_WNR | PERMISSION); /* nothing is shown */
	check_eq(show(FLASH, flash_page(1)), TV_OK);
	check_abort(FLASH, DABT | PERMISSION);
	fw_access(0, 0, FLASH, IABT | PERMISSION, 0);
	check_eq(host_count[HOST_INJECT], 3);
	check_abort(FLASH, DABT | ISS_WNR | 0x10); /* an external abort */
	check(is_shown(FLASH));
	fw_end();
}

TEST(refused, "flash: only ordinary pages are shown, at flash that is no RAM")
{
	uint64_t page;

	fw_start();
	page = flash_page(1);
	check_eq(show(FLASH + 8, page), TV_EINVAL);
	check_eq(show(FLASH, page + 8), TV_EINVAL);
	check_eq(show(RAM, page), TV_EINVAL);
	check_eq(show(2 * FLASH_BYTES, page), TV_EINVAL);
	check_eq(show(DEVICE, page), TV_EINVAL);
	check_eq(show(-PAGE(1), page), TV_EINVAL);
	check_eq(show(FLASH, CHUNK(0)), TV_EINVAL);
	check_eq(show(FLASH, HOST_SVISOR), TV_EINVAL);
	check_eq(show(FLASH, HOST_DRAM + HOST_DRAM_SIZE), TV_EINVAL);
	check_eq(show(FLASH, -PAGE(1)), TV_EINVAL);
	check(!is_shown(FLASH));
	fw_end();
	check_eq(show(FLASH, page), TV_ENOENT);
}

TEST(broken, "flash: a page that cannot be read is an error, and the next one is shown")
{
	uint64_t page;

	fw_start();
	page = flash_page(1);
	host_broken_page = page;
	check_eq(show(FLASH, page), TV_EFAULT);
	check(!is_shown(FLASH));
	check_audit();
	host_broken_page = 1;
	check_eq(show(FLASH, page), TV_OK);
	fw_end();
}

static void off(struct guest_regs *regs)
{
	regs->x[0] = 0x84000008; /* PSCI SYSTEM_OFF */
}

TEST(state, "flash: it is shown to a live S-VM only")
{
	uint64_t page;

	fw_prepare();
	page = flash_page(1);
	check_eq(show(FLASH, page), TV_ESTATE);
	fw_seal();
	check_eq(show(FLASH, page), TV_OK);
	GUEST({{GUEST_SYNC, EC(0x16), 0, 0}, off});
	check_eq(run(&fw_vm, 0, 0), TV_OK);
	check_eq(show(FLASH + PAGE(1), page), TV_ESTATE);
	check_eq(smc(TV_VM_DESTROY, fw_vm.handle, 0, 0, 0), TV_AGAIN);
	check_eq(show(FLASH + PAGE(1), page), TV_ESTATE);
	fw_end();
}

TEST(many, "flash: one page too many takes all others away")
{
	uint64_t page;

	fw_start();
	page = flash_page(7);
	for (unsigned i = 0; i < SHOWN; i++)
		check_eq(show(FLASH + PAGE(i), page), TV_OK);
	check_audit();
	for (unsigned i = 0; i < SHOWN; i++)
		check(is_shown(FLASH + PAGE(i)));
	host_forget();
	check_eq(show(FLASH + PAGE(SHOWN), page), TV_OK);
	check_eq(host_count[HOST_TLB_VM], 1);
	for (unsigned i = 0; i < SHOWN; i++)
		check(!is_shown(FLASH + PAGE(i)));
	check_eq(seen(FLASH + PAGE(SHOWN)), 7);
	fw_end();
}

TEST(heap, "flash: without memory for it nothing is shown, and nothing is lost")
{
	uint64_t page;
	int64_t ret;

	fw_start();
	page = flash_page(7);
	for (unsigned i = 0; i < 8; i++) { /* its record, tables, the copy */
		fw_use_up_heap(i);
		ret = show(FLASH, page);
		fw_free_heap();
		check_audit();
		if (ret == TV_OK)
			break;
		check_eq(ret, TV_ENOHEAP);
		check(!is_shown(FLASH));
	}
	check_eq(ret, TV_OK);
	check_eq(seen(FLASH), 7);
	fw_end();
}

static bool is_flash(uint64_t ipa)
{
	return show(ipa, flash_page(1)) == TV_OK;
}

TEST(banks, "flash: two banks are; where one is RAM, or beyond what guests have, it is none")
{
	fw_bank[0] = (struct bank){RAM - PAGE(1), RAM_SIZE + PAGE(2)};
	fw_bank[1] = (struct bank){1UL << NPT_BITS, FLASH_BYTES};
	fw_bank[2] = (struct bank){FLASH, FLASH_BYTES};
	fw_start();
	check(is_flash(RAM - PAGE(1)) && is_flash(RAM + RAM_SIZE));
	check(!is_flash(RAM) && !is_flash(RAM + RAM_SIZE - PAGE(1)));
	check(!is_flash(RAM - PAGE(2)) && !is_flash(RAM + RAM_SIZE + PAGE(1)));
	check(!is_flash(1UL << NPT_BITS) && !is_flash(FLASH));
	fw_access(0, 0, RAM + 8, IN_PAIRS, 0); /* RAM is as it ever was */
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(seen(RAM) & 0xffffffff, 0xedfe0dd0);
	fw_end();
}

TEST(bank_odd, "flash: a bank that wraps, or has no size, is none; one alone is enough")
{
	fw_bank[0] = (struct bank){FLASH, -FLASH};
	fw_bank[1] = (struct bank){0, 0};
	fw_start();
	check(!is_flash(FLASH) && !is_flash(0));
	fw_end();
	fw_bank[0] = (struct bank){FLASH, PAGE(1)};
	fw_start();
	check(is_flash(FLASH) && !is_flash(FLASH + PAGE(1)) && !is_flash(0));
	fw_end();
}

TEST(moved, "flash: a chunk that moves leaves it alone")
{
	fw_start();
	check_eq(show(FLASH, flash_page(3)), TV_OK);
	check_eq(take(&fw_vm, 2), TV_OK);
	while (smc(TV_CHUNK_MOVE, fw_vm.handle, CHUNK(0), CHUNK(2), 0) == TV_AGAIN)
		;
	check_eq(seen(FLASH), 3);
	check(fw_all(PRIVATE, TV_PAGE_SIZE, 0x50));
	fw_end();
}
