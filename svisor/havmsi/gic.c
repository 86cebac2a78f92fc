// SPDX-License-Identifier: BSD-3-Clause
/*
 * The host cannot reach the virtual GIC: what it wants there comes in the shared page, and goes
 * back to it. While the host runs, there is none.
 */
#include "arch.h"
#include "guest.h"
#include "gic.h"
#include "host.h"

#define ICH_HCR_EL2 s3_4_c12_c11_0
#define ICH_VMCR_EL2 s3_4_c12_c11_7
/* ICC_SRE_EL2: SRE, DFB, DIB; Enable: ICC_SRE_EL1, which guests have in common, is EL1's to write
 */
#define SRE_GUEST 0x7
#define SRE_HOST 0xf

/* clang-format off */
#define PRIORITIES(X) X(0) X(1) X(2) X(3)
#define AP0(i) s3_4_c12_c8_##i
#define AP1(i) s3_4_c12_c9_##i
/* clang-format on */

static uint32_t timers; /* tv_manifest.timers */

/* Of each CPU, and how many list registers and words of priorities it has. */
static struct {
	struct tv_gic gic;
	unsigned lists, words;
} cpus[TV_MAX_CPUS];

void gic_init(const struct tv_manifest *m)
{
	timers = m->timers;
}

static volatile struct tv_gic *in_page(volatile const struct tv_run *page)
{
	return (volatile struct tv_gic *)((uintptr_t)page + TV_RUN_GIC);
}

/* 2, 4 or none for each group, by the bits of preemption: 5, 6 or 7 (IHI 0069, ICH_AP0R<n>_EL2) */
void gic_find(void)
{
	uint64_t vtr = read_sysreg(ICH_VTR_EL2);

	cpus[cpu_index()].lists = VTR_LISTS(vtr);
	cpus[cpu_index()].words = 1U << ((VTR_PRIORITIES(vtr) - 5) & 3);
}

bool guest_gic_take(volatile const struct tv_run *page)
{
	volatile const struct tv_gic *from = in_page(page);
	struct tv_gic *gic = &cpus[cpu_index()].gic;
	uint64_t lists = from->lists;
	unsigned all = cpus[cpu_index()].lists;

	if (lists > all)
		return false;
	for (unsigned i = 0; i < all; i++) {
		gic->lr[i] = i < lists ? from->lr[i] : 0;
		if (!gic_harmless(gic->lr[i], timers))
			return false;
	}
	gic->lists = lists;
	gic->hcr = from->hcr;
	gic->vmcr = from->vmcr;
	for (unsigned i = 0; i < 4; i++) {
		gic->ap0r[i] = from->ap0r[i];
		gic->ap1r[i] = from->ap1r[i];
	}
	return true;
}

void guest_gic_give(volatile struct tv_run *page)
{
	volatile struct tv_gic *to = in_page(page);
	const struct tv_gic *gic = &cpus[cpu_index()].gic;

	to->hcr = gic->hcr;
	to->vmcr = gic->vmcr;
	for (unsigned i = 0; i < gic->lists; i++)
		to->lr[i] = gic->lr[i];
	for (unsigned i = 0; i < 4; i++) {
		to->ap0r[i] = gic->ap0r[i];
		to->ap1r[i] = gic->ap1r[i];
	}
}

void gic_load(void)
{
	const struct tv_gic *gic = &cpus[cpu_index()].gic;
	unsigned lists = cpus[cpu_index()].lists, words = cpus[cpu_index()].words;

	load_sysreg(ICH_VMCR_EL2, gic->vmcr);
#define X(i, name) \
	if (i < lists) \
		load_sysreg(s3_4_c12_##name, gic->lr[i]);
	GIC_LISTS(X)
#undef X
#define X(i) \
	if (i < words) { \
		load_sysreg(AP0(i), gic->ap0r[i]); \
		load_sysreg(AP1(i), gic->ap1r[i]); \
	}
	PRIORITIES(X)
#undef X
	load_sysreg(ICH_HCR_EL2, gic->hcr);
	load_sysreg(ICC_SRE_EL2, SRE_GUEST);
}

void gic_none(void)
{
	load_sysreg(ICH_HCR_EL2, 0);
	load_sysreg(ICC_SRE_EL2, SRE_HOST);
}

void gic_unload(void)
{
	struct tv_gic *gic = &cpus[cpu_index()].gic;
	unsigned lists = gic->lists, words = cpus[cpu_index()].words;

	gic->hcr = read_sysreg(ICH_HCR_EL2);
	gic_none();
	gic->vmcr = read_sysreg(ICH_VMCR_EL2);
#define X(i, name) \
	if (i < lists) \
		gic->lr[i] = read_sysreg(s3_4_c12_##name);
	GIC_LISTS(X)
#undef X
#define X(i) \
	if (i < words) { \
		gic->ap0r[i] = read_sysreg(AP0(i)); \
		gic->ap1r[i] = read_sysreg(AP1(i)); \
	}
	PRIORITIES(X)
#undef X
}

uint64_t host_gic(void)
{
	return read_sysreg(ICH_VTR_EL2);
}
