/* SPDX-License-Identifier: BSD-3-Clause */
/* What guests and host agree on. */
#ifndef HAVMSI_GUEST_H
#define HAVMSI_GUEST_H

#define VM_RAM 0x40000000

/* clang-format off */
/* (in tv_state, name, at entry, what the guest flips) */
#define STATE_REGS(X) \
	X(sctlr, sctlr_el1, 0x30d00800, 0x04000000) \
	X(ttbr0, ttbr0_el1, 0x0012000041000000, 0x0055000000005000) \
	X(ttbr1, ttbr1_el1, 0x0034000042000000, 0x00aa000000006000) \
	X(tcr, tcr_el1, 0x3519, 0x8000) \
	X(mair, mair_el1, 0x44ff04, 0xbb0000bb) \
	X(vbar, vbar_el1, 0x41000800, 0x07000800) \
	X(contextidr, contextidr_el1, 0x77, 0x5555) \
	X(esr, esr_el1, 0x5600001f, 0x0200003f) \
	X(far, far_el1, 0xdead000, 0xffff0000beef) \
	X(par, par_el1, 0x1000, 0x2800) \
	X(elr, elr_el1, 0xffffff8012345678, 0x1111) \
	X(spsr, spsr_el1, 0x3c5, 0xf0000000) \
	X(sp_el0, sp_el0, 0x5eed0000, 0x1234567812345678) \
	X(tpidr_el0, tpidr_el0, 0x1111222233334444, 0x1234567812345678) \
	X(tpidrro_el0, tpidrro_el0, 0x5555666677778888, 0x1234567812345678) \
	X(tpidr_el1, tpidr_el1, 0x9999aaaabbbbcccc, 0x1234567812345678) \
	X(csselr, csselr_el1, 0, 2) \
	X(cntkctl, cntkctl_el1, 0x3, 0x1)
/* clang-format on */

/* What S-VMs fill their registers with */
#define SECRET 0x5ec7a5ec5ec7a5ec
#define SECRET_HALF 0x5ec7a5ec
#endif
