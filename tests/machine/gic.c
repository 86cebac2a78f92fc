// SPDX-License-Identifier: BSD-3-Clause
/* The GICv3 virtual CPU interface as a guest of Secure EL2 sees it (IHI 0069, 6). */
#include "probe.h"

#define ICC_SRE_EL1 s3_0_c12_c12_5
#define ICC_SRE_EL2 s3_4_c12_c9_5
#define ICC_SRE_EL3 s3_6_c12_c12_5
#define ICC_PMR_EL1 s3_0_c4_c6_0
#define ICH_HCR_EL2 s3_4_c12_c11_0
#define ICH_VMCR_EL2 s3_4_c12_c11_7
#define ICH_LR0_EL2 s3_4_c12_c12_0
#define ICH_AP1R0_EL2 s3_4_c12_c9_0
/* Two steps, so that the names above are replaced first. */
#define get(reg) sysreg_read(reg)
#define set(reg, v) sysreg_write(reg, v)

#define ICH_HCR_EN BIT(0)
#define ICH_HCR_TC BIT(10)
#define ICH_HCR_TALL0 BIT(11)
#define ICH_HCR_TALL1 BIT(12)
#define ICH_HCR_TDIR BIT(14)
#define VMCR_VENG1 BIT(1)
#define VMCR_PMR_SHIFT 24

#define INTID 40ul
#define SPURIOUS 1023ul
#define LR_PENDING (BIT(62) | BIT(60) | 0x80ul << 48 | INTID)
#define lr_state(lr) ((lr) >> 62)

static void reset_interface(uint64_t ich_hcr, uint64_t lr)
{
	set(ICH_AP1R0_EL2, 0);
	set(ICH_VMCR_EL2, 0xfful << VMCR_PMR_SHIFT | VMCR_VENG1);
	set(ICH_LR0_EL2, lr);
	set(ICH_HCR_EL2, ich_hcr | ICH_HCR_EN);
}

static void test_acknowledge(void)
{
	struct trap t;

	reset_interface(0, LR_PENDING);
	t = run2(SCR_S, TO_EL1, p_iar1, 0, 0);
	check_eq(t.x0, INTID, "S-EL1 acknowledges the interrupt of a list register");
	check_eq(lr_state(get(ICH_LR0_EL2)), 2, "acknowledging makes the list register active");
	run2(SCR_S, TO_EL1, p_eoir1, INTID, 0);
	check_eq(lr_state(get(ICH_LR0_EL2)), 0, "EOI at S-EL1 clears the list register");
}

static void test_priority_mask(void)
{
	uint64_t physical = get(ICC_PMR_EL1);

	reset_interface(0, 0);
	run2(SCR_S, TO_EL1, p_pmr, 0x50, 0);
	check_eq(get(ICH_VMCR_EL2) >> VMCR_PMR_SHIFT, 0x50,
		 "S-EL1 writes the virtual priority mask");
	check_eq(get(ICC_PMR_EL1), physical, "S-EL1 leaves the physical priority mask alone");
}

static void test_delivery(void)
{
	struct trap t;

	reset_interface(0, LR_PENDING);
	t = run2(SCR_S, TO_EL1_IRQ, p_spin, 0, 0);
	check(t.el == 1 && t.vector == 5, "S-EL1 takes the virtual IRQ");
}

static void test_trap(uint64_t bit, const char *payload, const char *name)
{
	struct trap t;

	reset_interface(bit, 0);
	t = run2(SCR_S, TO_EL1, payload, 0, 0);
	check(t.el == 2 && esr_ec(t.esr) == EC_SYSREG, name);
}

static void test_others(void)
{
	struct trap t;

	reset_interface(0, LR_PENDING);
	t = run2(SCR_S & ~SCR_EEL2, TO_EL1, p_iar1, 0, 0);
	check_eq(t.x0, SPURIOUS, "with Secure EL2 off, S-EL1 has the physical interface");
	low_ns_copy();
	t = run2(SCR_N, TO_EL1, p_iar1, 0, 0);
	check_eq(t.x0, INTID, "NS-EL1 acknowledges the interrupt of a list register");
}

void main(void)
{
	set(ICC_SRE_EL3, 0xf);
	set(ICC_SRE_EL2, 0xf);
	set(ICC_SRE_EL1, 0x7);
	sysreg_write(scr_el3, SCR_S);
	sysreg_write(hcr_el2, HCR_RW | HCR_IMO | HCR_FMO);

	test_acknowledge();
	test_priority_mask();
	test_delivery();
	test_trap(ICH_HCR_TC, p_pmr, "ICH_HCR_EL2.TC traps S-EL1");
	test_trap(ICH_HCR_TALL0, p_iar0, "ICH_HCR_EL2.TALL0 traps S-EL1");
	test_trap(ICH_HCR_TALL1, p_iar1, "ICH_HCR_EL2.TALL1 traps S-EL1");
	test_trap(ICH_HCR_TDIR, p_dir, "ICH_HCR_EL2.TDIR traps S-EL1");
	test_others();
}
