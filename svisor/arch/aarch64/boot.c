// SPDX-License-Identifier: BSD-3-Clause
/*
 * Each CPU's life in the S-visor: set up, then serve calls for ever.
 */
#include "arch.h"
#include "guest.h"
#include "has.h"
#include "layout.h"
#include "log.h"
#include "mmu.h"
#include "platform.h"
#include "svisor.h"
#include "sysreg.h"
#include "world.h"

extern uint8_t stacks[];
uint8_t stacks[TV_MAX_CPUS * STACK_SIZE] __attribute__((section(".stacks"), aligned(TV_PAGE_SIZE)));

_Noreturn void boot(uint64_t index, uint64_t cold);
_Noreturn void unexpected(uint64_t esr, uint64_t elr, uint64_t far);

_Noreturn void boot(uint64_t index, uint64_t cold)
{
	int64_t status = TV_OK;
	bool like_first;

	write_sysreg(tpidr_el2, index);
	like_first = guest_cpu_init();
	if (cold) {
		platform_init(&boot_manifest);
		if (WORLD_ARMV8_4 && !cpu_has.fwb)
			panic("no FEAT_S2FWB");
		gic_init(&boot_manifest);
		svisor_init(&boot_manifest);
	} else {
		status = like_first ? svisor_join() : TV_EINVAL;
	}
	serve(status);
}

pa_t image_end(void)
{
	return PA(mmu_free);
}

unsigned cpu_index(void)
{
	return read_sysreg(tpidr_el2);
}

void cpu_relax(void)
{
	__asm__ volatile("yield" ::: "memory");
}

uint64_t counter_now(void)
{
	isb();
	return read_sysreg(cntpct_el0);
}

uint64_t counter_hz(void)
{
	return read_sysreg(cntfrq_el0);
}

/* RNDR sets the flags to NZCV = 0b0100 when it has nothing to give. */
bool random64(uint64_t *out)
{
	uint64_t ok;

	if (!id_field(id_aa64isar0_el1, 60))
		return false;
	__asm__ volatile("mrs %0, s3_3_c2_c4_0\n\tcset %1, ne" : "=r"(*out), "=r"(ok)::"cc");
	return ok;
}

static _Noreturn void park(void)
{
	for (;;)
		__asm__ volatile("wfi");
}

_Noreturn void panic(const char *why)
{
	log_seize();
	log_line("PANIC on CPU %u: %s", cpu_index(), why);
	park();
}

/* An exception at S-EL2 that nothing here expects. */
_Noreturn void unexpected(uint64_t esr, uint64_t elr, uint64_t far)
{
	log_seize();
	log_line("PANIC on CPU %u: ESR %lx ELR %lx FAR %lx", cpu_index(), (unsigned long)esr,
		 (unsigned long)elr, (unsigned long)far);
	park();
}
