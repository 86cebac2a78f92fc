/*
 * Arm CoreLink TZC-400 TrustZone Address Space Controller
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * See the Technical Reference Manual, DDI 0504.
 *
 * QEMU interface:
 *  + sysbus MMIO region 0: the registers; only Secure accesses are served
 *  + sysbus MMIO region 1: the protected memory, to be mapped where
 *    requesters expect it, in every address space that has it
 *  + sysbus IRQ 0: TZCINT, all filter units combined
 *  + QOM property "downstream": MemoryRegion that is protected
 *  + QOM property "base-address": its address in the system, because regions
 *    are programmed with system addresses
 *
 * All of downstream is interleaved over the four filter units, 4 KiB each in
 * turn, as it is in a server with four memory controllers. So software has to
 * program all filter units alike.
 *
 * CPUs have NSAID 0 and everything else (DMA) has NSAID 1. DMA is Non-secure,
 * always. The same number stands in FAIL_ID.
 */

#ifndef HW_MISC_TZC400_H
#define HW_MISC_TZC400_H

#include "hw/sysbus.h"
#include "qom/object.h"

#define TYPE_TZC400 "tzc400"
OBJECT_DECLARE_SIMPLE_TYPE(TZC400State, TZC400)

#define TYPE_TZC400_IOMMU_MEMORY_REGION "tzc400-iommu-memory-region"

#define TZC400_NUM_FILTERS 4
#define TZC400_NUM_REGIONS 9

typedef struct TZC400Region {
    uint32_t base_low;
    uint32_t base_high;
    uint32_t top_low;
    uint32_t top_high;
    uint32_t attributes;
    uint32_t id_access;
} TZC400Region;

typedef struct TZC400Failure {
    uint32_t address_low;
    uint32_t address_high;
    uint32_t control;
    uint32_t id;
} TZC400Failure;

struct TZC400State {
    SysBusDevice parent_obj;

    MemoryRegion regs;
    IOMMUMemoryRegion upstream;
    MemoryRegion guard;
    AddressSpace downstream_as;
    AddressSpace guard_as;
    qemu_irq irq;

    MemoryRegion *downstream;
    uint64_t base_address;

    uint32_t action;
    uint32_t open_request;
    uint32_t speculation_ctrl;
    uint32_t int_status;
    TZC400Failure failure[TZC400_NUM_FILTERS];
    TZC400Region region[TZC400_NUM_REGIONS];
};

#endif
