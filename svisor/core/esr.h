/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ESR_EL2 as far as the S-visor reads it (DDI 0487 D24.2.40), and what of the guest's state
 * gives it its meaning.
 */
#ifndef ESR_H
#define ESR_H

#include "addr.h"

#define ESR_EC_SHIFT 26
#define ESR_EC(e) (((e) >> ESR_EC_SHIFT) & 0x3f)
#define ESR_EC_MASK (0x3fULL << ESR_EC_SHIFT)
#define ESR_IL (1ULL << 25) /* 32-bit instruction */

#define EC_UNKNOWN 0x00
#define EC_WFX 0x01
#define EC_FP 0x07 /* FP and SIMD */
#define EC_HVC64 0x16
#define EC_SMC64 0x17
#define EC_SYSREG 0x18
#define EC_SVE 0x19
#define EC_IABT_LOWER 0x20
#define EC_DABT_LOWER 0x24
#define EC_ABT_SAME 1 /* added to the two above: taken without a change of level */

#define ESR_WFX_TI 1ULL    /* 0: WFI, 1: WFE */
#define ESR_WFX_TIMED 2ULL /* WFIT, WFET */
#define ESR_IMM 0xffffULL

#define HPFAR_FIPA 0xffffffffff0ULL /* bits 43:4: IPA bits 51:12 */
#define HPFAR_IPA(hpfar) IPA(((hpfar) & HPFAR_FIPA) << 8)

#define ESR_IS_ABORT(e) (ESR_EC(e) == EC_DABT_LOWER || ESR_EC(e) == EC_IABT_LOWER)
#define ESR_ABT_ISV (1ULL << 24)
#define ESR_ABT_SAS_SHIFT 22
#define ESR_ABT_SAS(e) (((e) >> ESR_ABT_SAS_SHIFT) & 3)
#define ESR_ABT_SSE (1ULL << 21)
#define ESR_ABT_SRT(e) (((e) >> 16) & 31)
#define ESR_ABT_SRT_MASK (31ULL << 16)
#define ESR_ABT_SF (1ULL << 15)
#define ESR_ABT_CM (1ULL << 8) /* cache maintenance */
#define ESR_ABT_S1PTW (1ULL << 7)
#define ESR_ABT_WNR (1ULL << 6)
#define ESR_ABT_FSC 0x3fULL
#define ESR_ABT_MMIO (0x1ff0000ULL | ESR_ABT_SF | ESR_ABT_WNR | ESR_ABT_FSC) /* what is shown */

#define FSC_EXTERNAL 0x10
#define FSC_LEVEL_3 0x07 /* translation fault */
/* Address size, translation and access flag faults: those with HPFAR_EL2 (D24.2.53). Permission
 * faults are of pages that are only shown, and have it not in every case. */
#define FSC_HAS_IPA(fsc) ((fsc) < 0x0c)

#define FSC_ACCESS_FLAG 0x08 /* and the level */
#define FSC_PERMISSION 0x0c
#define FSC_IS_PERMISSION(fsc) (((fsc) & ~3ULL) == FSC_PERMISSION)

#define ESR_SERROR 0x1003e3fULL /* IDS, IESB, AET, EA, DFSC */

#define ESR_SYS_READ 1ULL
#define ESR_SYS_CRM(e) (((e) >> 1) & 15)
#define ESR_SYS_OP2(e) (((e) >> 17) & 7)
#define ESR_SYS_IDS (3ULL << 20 | 7ULL << 14 | 15ULL << 10 | ESR_SYS_READ) /* Op0, Op1, CRn */
#define ESR_SYS_ID_READ (3ULL << 20 | ESR_SYS_READ)
#define ESR_SYS_RT(e) (((e) >> 5) & 31)

#define PSTATE_EL (3ULL << 2)
#define PSTATE_AARCH32 (1ULL << 4)
#define PSTATE_E (1ULL << 9)   /* AArch32: data are big-endian; in AArch64 they are by ... */
#define SCTLR_EE (1ULL << 25)  /* ... this, at EL1 */
#define SCTLR_E0E (1ULL << 24) /* ... this, at EL0 */

#define RT_ZERO 31 /* XZR: no entry of gpr[] */

static inline unsigned abort_bytes(uint64_t esr)
{
	return 1u << ESR_ABT_SAS(esr);
}

/* Keeps the low `bytes` (1, 2, 4 or 8) of the value. */
static inline uint64_t keep_bytes(uint64_t value, unsigned bytes)
{
	return bytes == 8 ? value : value & ((1ULL << (8 * bytes)) - 1);
}

#endif
