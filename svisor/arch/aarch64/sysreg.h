/* SPDX-License-Identifier: BSD-3-Clause */
/* System registers by name. */
#ifndef SYSREG_H
#define SYSREG_H

#include <stdint.h>

#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_(x)

#define read_sysreg(name) \
	({ \
		uint64_t value_; \
		__asm__ volatile("mrs %0, " TEXT_OF(name) : "=r"(value_)); \
		value_; \
	})
#define write_sysreg(name, value) \
	__asm__ volatile("msr " TEXT_OF(name) ", %0" ::"r"((uint64_t)(value)) : "memory")

/* Not ordered with accesses to memory, so that those can be paired. */
#define load_sysreg(name, value) \
	__asm__ volatile("msr " TEXT_OF(name) ", %x0" ::"rZ"((uint64_t)(value)))

#define isb() __asm__ volatile("isb" ::: "memory")
#define dsb(domain) __asm__ volatile("dsb " #domain ::: "memory")

/* Registers of extensions that the assembler is not told about. */
#define ID_AA64DFR1_EL1 s3_0_c0_c5_1
#define ID_AA64ISAR2_EL1 s3_0_c0_c6_2
#define SVCR s3_3_c4_c2_2
#define APIAKEYLO_EL1 s3_0_c2_c1_0
#define APIAKEYHI_EL1 s3_0_c2_c1_1
#define APIBKEYLO_EL1 s3_0_c2_c1_2
#define APIBKEYHI_EL1 s3_0_c2_c1_3
#define APDAKEYLO_EL1 s3_0_c2_c2_0
#define APDAKEYHI_EL1 s3_0_c2_c2_1
#define APDBKEYLO_EL1 s3_0_c2_c2_2
#define APDBKEYHI_EL1 s3_0_c2_c2_3
#define APGAKEYLO_EL1 s3_0_c2_c3_0
#define APGAKEYHI_EL1 s3_0_c2_c3_1
#define ZCR_EL1 s3_0_c1_c2_0
#define ZCR_EL2 s3_4_c1_c2_0
#define ICC_SRE_EL2 s3_4_c12_c9_5
#define ICH_VTR_EL2 s3_4_c12_c11_1
#define ICH_ELRSR_EL2 s3_4_c12_c11_5
#define HCRX_EL2 s3_4_c1_c2_2
#define HFGRTR_EL2 s3_4_c1_c1_4
#define HFGWTR_EL2 s3_4_c1_c1_5
#define HFGITR_EL2 s3_4_c1_c1_6
#define HDFGRTR_EL2 s3_4_c3_c1_4
#define HDFGWTR_EL2 s3_4_c3_c1_5

/* The fields of a trapped access's ISS that make the register's encoding (DDI 0487 D24.2.40) */
#define ISS_OP0(e) ((e) >> 20 & 3)
#define ISS_OP2(e) ((e) >> 17 & 7)
#define ISS_OP1(e) ((e) >> 14 & 7)
#define ISS_CRN(e) ((e) >> 10 & 0xf)
#define ISS_CRM(e) ((e) >> 1 & 0xf)

/* A field of four bits of an ID register; those that are not there read as 0. */
#define id_field(name, shift) ((unsigned)(read_sysreg(name) >> (shift)) & 0xf)

#endif
