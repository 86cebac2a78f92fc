/*
 * Arm CoreLink TZC-400 TrustZone Address Space Controller
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * See the Technical Reference Manual, DDI 0504. Not modelled: fast path IDs,
 * QoS and speculative accesses (the control register can be written and read
 * back). Where hardware holds a transaction back until its gate keeper opens,
 * the model answers with a decode error.
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/module.h"
#include "qapi/error.h"
#include "hw/core/cpu.h"
#include "hw/irq.h"
#include "hw/misc/tzc400.h"
#include "hw/qdev-properties.h"
#include "hw/registerfields.h"
#include "hw/resettable.h"
#include "migration/vmstate.h"
#include "trace.h"

REG32(BUILD_CONFIG, 0x000)
    FIELD(BUILD_CONFIG, NO_OF_REGIONS, 0, 5)
    FIELD(BUILD_CONFIG, ADDRESS_WIDTH, 8, 6)
    FIELD(BUILD_CONFIG, NO_OF_FILTERS, 24, 2)
REG32(ACTION, 0x004)
    FIELD(ACTION, DECERR, 0, 1)
    FIELD(ACTION, INT, 1, 1)
REG32(GATE_KEEPER, 0x008)
    FIELD(GATE_KEEPER, OPEN_REQUEST, 0, 4)
    FIELD(GATE_KEEPER, OPEN_STATUS, 16, 4)
REG32(SPECULATION_CTRL, 0x00c)
REG32(INT_STATUS, 0x010)
    FIELD(INT_STATUS, STATUS, 0, 4)
    FIELD(INT_STATUS, OVERRUN, 8, 4)
    FIELD(INT_STATUS, OVERLAP, 16, 4)
REG32(INT_CLEAR, 0x014)
REG32(FAIL_ADDRESS_LOW, 0x020)
REG32(FAIL_ADDRESS_HIGH, 0x024)
REG32(FAIL_CONTROL, 0x028)
    FIELD(FAIL_CONTROL, PRIVILEGED, 20, 1)
    FIELD(FAIL_CONTROL, NON_SECURE, 21, 1)
    FIELD(FAIL_CONTROL, WRITE, 24, 1)
REG32(FAIL_ID, 0x02c)
REG32(REGION_BASE_LOW, 0x100)
REG32(REGION_BASE_HIGH, 0x104)
REG32(REGION_TOP_LOW, 0x108)
REG32(REGION_TOP_HIGH, 0x10c)
REG32(REGION_ATTRIBUTES, 0x110)
    FIELD(REGION_ATTRIBUTES, FILTER_EN, 0, 4)
    FIELD(REGION_ATTRIBUTES, S_RD_EN, 30, 1)
    FIELD(REGION_ATTRIBUTES, S_WR_EN, 31, 1)
REG32(REGION_ID_ACCESS, 0x114)
    FIELD(REGION_ID_ACCESS, NSAID_RD_EN, 0, 16)
    FIELD(REGION_ID_ACCESS, NSAID_WR_EN, 16, 16)
REG32(PID4, 0xfd0)

#define FAIL_STRIDE 0x10
#define REGION_STRIDE 0x20
#define ADDRESS_BITS 48
#define ADDRESS_HIGH_MASK MAKE_64BIT_MASK(0, ADDRESS_BITS - 32)
#define GRANULE_BITS 12
#define GRANULE_MASK MAKE_64BIT_MASK(0, GRANULE_BITS)
#define FILTERS_MASK MAKE_64BIT_MASK(0, TZC400_NUM_FILTERS)

/* PID4-PID7, PID0-PID3, CID0-CID3 */
static const uint8_t tzc400_id[] = {
    0x04, 0x00, 0x00, 0x00,
    0x60, 0xb4, 0x2b, 0x00,
    0x0d, 0xf0, 0x05, 0xb1,
};

/* Who accesses memory; these are our IOMMU indexes. */
typedef enum TZC400Requester {
    REQUESTER_CPU_S,
    REQUESTER_CPU_NS,
    REQUESTER_DMA,
    /* Not a bus transaction: image loading at reset, or a debugger. */
    REQUESTER_BACKDOOR,
    REQUESTER_COUNT,
} TZC400Requester;

static const uint8_t tzc400_nsaid[REQUESTER_COUNT] = {
    [REQUESTER_DMA] = 1,
};

static TZC400Requester tzc400_requester(TZC400State *s, MemTxAttrs attrs)
{
    if (attrs.debug) {
        return REQUESTER_BACKDOOR;
    }
    if (attrs.unspecified) {
        /*
         * Neither image loading nor DMA says who it is. But images are loaded
         * while the whole machine is in reset, and then nothing does DMA.
         */
        return resettable_is_in_reset(OBJECT(s)) ? REQUESTER_BACKDOOR
                                                 : REQUESTER_DMA;
    }
    if (attrs.requester_id) {
        return REQUESTER_DMA;
    }
    return attrs.secure ? REQUESTER_CPU_S : REQUESTER_CPU_NS;
}

static unsigned tzc400_filter(hwaddr addr)
{
    return (addr >> GRANULE_BITS) % TZC400_NUM_FILTERS;
}

/*
 * vCPUs walk the regions without the BQL while another one may be programming
 * them. A register write changes one word, so the walk sees the regions as
 * they were before or after it, and tzc400_config_changed() does the rest.
 */
static bool tzc400_region_matches(const TZC400Region *r, unsigned filter,
                                  hwaddr addr)
{
    hwaddr base = deposit64(qatomic_read(&r->base_low), 32, 32,
                            qatomic_read(&r->base_high));
    hwaddr top = deposit64(qatomic_read(&r->top_low), 32, 32,
                           qatomic_read(&r->top_high));

    return (qatomic_read(&r->attributes) & BIT(filter)) &&
           base <= addr && addr <= top;
}

static IOMMUAccessFlags tzc400_region_access(const TZC400Region *r,
                                             TZC400Requester who)
{
    uint32_t bits;
    bool rd, wr;

    if (who == REQUESTER_CPU_S) {
        bits = qatomic_read(&r->attributes);
        rd = FIELD_EX32(bits, REGION_ATTRIBUTES, S_RD_EN);
        wr = FIELD_EX32(bits, REGION_ATTRIBUTES, S_WR_EN);
    } else {
        bits = qatomic_read(&r->id_access) >> tzc400_nsaid[who];
        rd = FIELD_EX32(bits, REGION_ID_ACCESS, NSAID_RD_EN) & 1;
        wr = FIELD_EX32(bits, REGION_ID_ACCESS, NSAID_WR_EN) & 1;
    }
    return IOMMU_ACCESS_FLAG(rd, wr);
}

/* What @who may do at @addr; @overlap is set if the regions contradict. */
static IOMMUAccessFlags tzc400_access(TZC400State *s, hwaddr addr,
                                      TZC400Requester who, bool *overlap)
{
    const TZC400Region *match = &s->region[0];
    unsigned filter = tzc400_filter(addr);
    int i;

    *overlap = false;
    for (i = 1; i < TZC400_NUM_REGIONS; i++) {
        if (!tzc400_region_matches(&s->region[i], filter, addr)) {
            continue;
        }
        if (match != &s->region[0]) {
            *overlap = true;
            return IOMMU_NONE;
        }
        match = &s->region[i];
    }
    return tzc400_region_access(match, who);
}

static bool tzc400_gate_open(TZC400State *s, hwaddr addr)
{
    return qatomic_read(&s->open_request) & BIT(tzc400_filter(addr));
}

static IOMMUTLBEntry tzc400_translate(IOMMUMemoryRegion *iommu, hwaddr offset,
                                      IOMMUAccessFlags flags, int iommu_idx)
{
    TZC400State *s = container_of(iommu, TZC400State, upstream);
    IOMMUAccessFlags need = flags == IOMMU_NONE ? IOMMU_RW : flags;
    hwaddr addr = s->base_address + offset;
    bool overlap, pass;

    pass = iommu_idx == REQUESTER_BACKDOOR ||
           (tzc400_gate_open(s, addr) &&
            (tzc400_access(s, addr, iommu_idx, &overlap) & need) == need);
    trace_tzc400_translate(addr, need, iommu_idx, pass);

    return (IOMMUTLBEntry) {
        .target_as = pass ? &s->downstream_as : &s->guard_as,
        .iova = offset & ~GRANULE_MASK,
        .translated_addr = offset & ~GRANULE_MASK,
        .addr_mask = GRANULE_MASK,
        .perm = IOMMU_RW,
    };
}

static int tzc400_attrs_to_index(IOMMUMemoryRegion *iommu, MemTxAttrs attrs)
{
    return tzc400_requester(container_of(iommu, TZC400State, upstream), attrs);
}

static int tzc400_num_indexes(IOMMUMemoryRegion *iommu)
{
    return REQUESTER_COUNT;
}

static void tzc400_update_irq(TZC400State *s)
{
    qemu_set_irq(s->irq, (s->action & R_ACTION_INT_MASK) &&
                         (s->int_status & R_INT_STATUS_STATUS_MASK));
}

/* Only the first failure of each filter unit since INT_CLEAR is described. */
static void tzc400_record_failure(TZC400State *s, hwaddr addr, MemTxAttrs attrs,
                                  bool is_write, bool overlap)
{
    TZC400Requester who = tzc400_requester(s, attrs);
    unsigned filter = tzc400_filter(addr);
    TZC400Failure *f = &s->failure[filter];
    uint32_t control = 0;

    if (s->int_status & BIT(R_INT_STATUS_STATUS_SHIFT + filter)) {
        s->int_status |= BIT(R_INT_STATUS_OVERRUN_SHIFT + filter);
        return;
    }
    control = FIELD_DP32(control, FAIL_CONTROL, PRIVILEGED,
                         who != REQUESTER_DMA && !attrs.user);
    control = FIELD_DP32(control, FAIL_CONTROL, NON_SECURE,
                         who != REQUESTER_CPU_S);
    control = FIELD_DP32(control, FAIL_CONTROL, WRITE, is_write);

    f->address_low = addr;
    f->address_high = addr >> 32;
    f->control = control;
    f->id = tzc400_nsaid[who];
    s->int_status |= BIT(R_INT_STATUS_STATUS_SHIFT + filter);
    if (overlap) {
        s->int_status |= BIT(R_INT_STATUS_OVERLAP_SHIFT + filter);
    }
}

/*
 * Judges an access that was sent to the guard region: its page is closed to
 * the requester, or open in one direction only.
 */
static bool tzc400_guard_pass(TZC400State *s, hwaddr addr, MemTxAttrs attrs,
                              bool is_write, MemTxResult *result)
{
    bool overlap;

    if (!tzc400_gate_open(s, addr)) {
        *result = MEMTX_DECODE_ERROR;
        return false;
    }
    if (tzc400_access(s, addr, tzc400_requester(s, attrs), &overlap) &
        (is_write ? IOMMU_WO : IOMMU_RO)) {
        return true;
    }
    trace_tzc400_blocked(addr, is_write, attrs.secure, attrs.unspecified);
    tzc400_record_failure(s, addr, attrs, is_write, overlap);
    tzc400_update_irq(s);
    *result = s->action & R_ACTION_DECERR_MASK ? MEMTX_DECODE_ERROR : MEMTX_OK;
    return false;
}

static MemTxResult tzc400_guard_read(void *opaque, hwaddr offset,
                                     uint64_t *data, unsigned size,
                                     MemTxAttrs attrs)
{
    TZC400State *s = opaque;
    MemTxResult result;
    uint8_t buf[8];

    *data = 0;
    if (!tzc400_guard_pass(s, s->base_address + offset, attrs, false,
                           &result)) {
        return result;
    }
    result = address_space_read(&s->downstream_as, offset, attrs, buf, size);
    *data = ldn_le_p(buf, size);
    return result;
}

static MemTxResult tzc400_guard_write(void *opaque, hwaddr offset,
                                      uint64_t data, unsigned size,
                                      MemTxAttrs attrs)
{
    TZC400State *s = opaque;
    MemTxResult result;
    uint8_t buf[8];

    if (!tzc400_guard_pass(s, s->base_address + offset, attrs, true,
                           &result)) {
        return result;
    }
    stn_le_p(buf, size, data);
    return address_space_write(&s->downstream_as, offset, attrs, buf, size);
}

static const MemoryRegionOps tzc400_guard_ops = {
    .read_with_attrs = tzc400_guard_read,
    .write_with_attrs = tzc400_guard_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.min_access_size = 1,
    .valid.max_access_size = 8,
    .valid.unaligned = true,
    .impl.min_access_size = 1,
    .impl.max_access_size = 8,
    .impl.unaligned = true,
};

static void tzc400_barrier(CPUState *cpu, run_on_cpu_data data)
{
}

/*
 * The new configuration rules once the register write completes. Requesters
 * that cache translations are told to drop them; vCPUs do so at their next exit
 * to the main loop. The writing vCPU waits there, in front of its next
 * instruction, until each of the others has been there.
 */
static void tzc400_config_changed(TZC400State *s)
{
    IOMMUTLBEvent event = {
        .type = IOMMU_NOTIFIER_UNMAP,
        .entry = {
            .target_as = &s->downstream_as,
            .addr_mask = HWADDR_MAX,
            .perm = IOMMU_NONE,
        },
    };
    int i;

    for (i = 0; i < REQUESTER_COUNT; i++) {
        memory_region_notify_iommu(&s->upstream, i, event);
    }
    if (current_cpu) {
        async_safe_run_on_cpu(current_cpu, tzc400_barrier, RUN_ON_CPU_NULL);
    }
}

static uint32_t *tzc400_region_reg(TZC400Region *r, hwaddr offset)
{
    switch (offset) {
    case A_REGION_BASE_LOW:
        return &r->base_low;
    case A_REGION_BASE_HIGH:
        return &r->base_high;
    case A_REGION_TOP_LOW:
        return &r->top_low;
    case A_REGION_TOP_HIGH:
        return &r->top_high;
    case A_REGION_ATTRIBUTES:
        return &r->attributes;
    case A_REGION_ID_ACCESS:
        return &r->id_access;
    default:
        return NULL;
    }
}

static uint32_t *tzc400_failure_reg(TZC400Failure *f, hwaddr offset)
{
    switch (offset) {
    case A_FAIL_ADDRESS_LOW:
        return &f->address_low;
    case A_FAIL_ADDRESS_HIGH:
        return &f->address_high;
    case A_FAIL_CONTROL:
        return &f->control;
    case A_FAIL_ID:
        return &f->id;
    default:
        return NULL;
    }
}

static uint32_t tzc400_build_config(void)
{
    uint32_t r = 0;

    r = FIELD_DP32(r, BUILD_CONFIG, NO_OF_REGIONS, TZC400_NUM_REGIONS - 1);
    r = FIELD_DP32(r, BUILD_CONFIG, ADDRESS_WIDTH, ADDRESS_BITS - 1);
    r = FIELD_DP32(r, BUILD_CONFIG, NO_OF_FILTERS, TZC400_NUM_FILTERS - 1);
    return r;
}

/* Registers that come in arrays: NULL if there is none at @offset. */
static uint32_t *tzc400_array_reg(TZC400State *s, hwaddr offset, int *region)
{
    hwaddr i;

    *region = -1;
    if (offset >= A_REGION_BASE_LOW) {
        i = (offset - A_REGION_BASE_LOW) / REGION_STRIDE;
        if (i >= TZC400_NUM_REGIONS) {
            return NULL;
        }
        *region = i;
        return tzc400_region_reg(&s->region[i], offset - i * REGION_STRIDE);
    }
    if (offset >= A_FAIL_ADDRESS_LOW) {
        i = (offset - A_FAIL_ADDRESS_LOW) / FAIL_STRIDE;
        if (i >= TZC400_NUM_FILTERS) {
            return NULL;
        }
        return tzc400_failure_reg(&s->failure[i], offset - i * FAIL_STRIDE);
    }
    return NULL;
}

static uint32_t tzc400_reg_value(TZC400State *s, hwaddr offset)
{
    uint32_t *reg;
    int region;

    switch (offset) {
    case A_BUILD_CONFIG:
        return tzc400_build_config();
    case A_ACTION:
        return s->action;
    case A_GATE_KEEPER:
        return s->open_request |
               s->open_request << R_GATE_KEEPER_OPEN_STATUS_SHIFT;
    case A_SPECULATION_CTRL:
        return s->speculation_ctrl;
    case A_INT_STATUS:
        return s->int_status;
    }
    if (offset >= A_PID4) {
        return tzc400_id[(offset - A_PID4) / 4];
    }
    reg = tzc400_array_reg(s, offset, &region);
    if (reg) {
        return *reg;
    }
    qemu_log_mask(LOG_GUEST_ERROR,
                  "tzc400: read of bad offset 0x%" HWADDR_PRIx "\n", offset);
    return 0;
}

static MemTxResult tzc400_read(void *opaque, hwaddr offset, uint64_t *data,
                               unsigned size, MemTxAttrs attrs)
{
    if (!attrs.secure) {
        qemu_log_mask(LOG_GUEST_ERROR, "tzc400: Non-secure read\n");
        *data = 0;
        return MEMTX_ERROR;
    }
    *data = tzc400_reg_value(opaque, offset);
    trace_tzc400_read(offset, *data);
    return MEMTX_OK;
}

static void tzc400_region_write(TZC400State *s, int i, hwaddr offset,
                                uint32_t *reg, uint32_t value)
{
    uint32_t filters = FIELD_EX32(s->region[i].attributes, REGION_ATTRIBUTES,
                                  FILTER_EN);
    uint32_t old = *reg;

    switch (offset - i * REGION_STRIDE) {
    case A_REGION_BASE_LOW:
        value &= ~GRANULE_MASK;
        break;
    case A_REGION_TOP_LOW:
        value |= GRANULE_MASK;
        break;
    case A_REGION_BASE_HIGH:
    case A_REGION_TOP_HIGH:
        value &= ADDRESS_HIGH_MASK;
        break;
    case A_REGION_ATTRIBUTES:
        value &= R_REGION_ATTRIBUTES_S_RD_EN_MASK |
                 R_REGION_ATTRIBUTES_S_WR_EN_MASK |
                 R_REGION_ATTRIBUTES_FILTER_EN_MASK;
        /* Region 0 is there for all filter units. */
        value |= i == 0 ? FILTERS_MASK : 0;
        filters |= value & R_REGION_ATTRIBUTES_FILTER_EN_MASK;
        break;
    }
    qatomic_set(reg, value);
    if (value != old && filters) {
        tzc400_config_changed(s);
    }
}

static void tzc400_array_write(TZC400State *s, hwaddr offset, uint32_t value)
{
    uint32_t *reg;
    int region;

    reg = tzc400_array_reg(s, offset, &region);
    /* Region 0 is all of the address space, so its bounds are fixed. */
    if (region > 0 || (region == 0 && offset >= A_REGION_ATTRIBUTES)) {
        if (reg) {
            tzc400_region_write(s, region, offset, reg, value);
            return;
        }
    }
    qemu_log_mask(LOG_GUEST_ERROR,
                  "tzc400: write to bad or read-only offset 0x%" HWADDR_PRIx
                  "\n", offset);
}

static MemTxResult tzc400_write(void *opaque, hwaddr offset, uint64_t value,
                                unsigned size, MemTxAttrs attrs)
{
    TZC400State *s = opaque;
    uint32_t old = s->open_request;

    if (!attrs.secure) {
        qemu_log_mask(LOG_GUEST_ERROR, "tzc400: Non-secure write\n");
        return MEMTX_ERROR;
    }
    trace_tzc400_write(offset, value);

    switch (offset) {
    case A_ACTION:
        s->action = value & (R_ACTION_DECERR_MASK | R_ACTION_INT_MASK);
        tzc400_update_irq(s);
        break;
    case A_GATE_KEEPER:
        qatomic_set(&s->open_request,
                    value & R_GATE_KEEPER_OPEN_REQUEST_MASK);
        if (s->open_request != old) {
            tzc400_config_changed(s);
        }
        break;
    case A_SPECULATION_CTRL:
        s->speculation_ctrl = value & 3;
        break;
    case A_INT_CLEAR:
        value &= FILTERS_MASK;
        s->int_status &= ~(value << R_INT_STATUS_STATUS_SHIFT |
                           value << R_INT_STATUS_OVERRUN_SHIFT |
                           value << R_INT_STATUS_OVERLAP_SHIFT);
        tzc400_update_irq(s);
        break;
    default:
        tzc400_array_write(s, offset, value);
        break;
    }
    return MEMTX_OK;
}

static const MemoryRegionOps tzc400_ops = {
    .read_with_attrs = tzc400_read,
    .write_with_attrs = tzc400_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.min_access_size = 4,
    .valid.max_access_size = 4,
    .impl.min_access_size = 4,
    .impl.max_access_size = 4,
};

/* Gates closed; region 0 lets nobody in. */
static void tzc400_reset_enter(Object *obj, ResetType type)
{
    TZC400State *s = TZC400(obj);
    int i;

    s->action = 0;
    s->open_request = 0;
    s->speculation_ctrl = 0;
    s->int_status = 0;
    memset(s->failure, 0, sizeof(s->failure));
    memset(s->region, 0, sizeof(s->region));
    for (i = 0; i < TZC400_NUM_REGIONS; i++) {
        s->region[i].top_low = GRANULE_MASK;
    }
    s->region[0].top_low = UINT32_MAX;
    s->region[0].top_high = ADDRESS_HIGH_MASK;
    s->region[0].attributes = FILTERS_MASK;
}

static void tzc400_reset_hold(Object *obj, ResetType type)
{
    tzc400_update_irq(TZC400(obj));
}

static void tzc400_realize(DeviceState *dev, Error **errp)
{
    SysBusDevice *sbd = SYS_BUS_DEVICE(dev);
    TZC400State *s = TZC400(dev);
    uint64_t size;

    if (!s->downstream) {
        error_setg(errp, "tzc400 'downstream' link not set");
        return;
    }
    size = memory_region_size(s->downstream);
    if ((size | s->base_address) & GRANULE_MASK) {
        error_setg(errp, "tzc400 'downstream' is not aligned to 4 KiB");
        return;
    }

    memory_region_init_io(&s->regs, OBJECT(dev), &tzc400_ops, s,
                          "tzc400-regs", 0x1000);
    memory_region_init_iommu(&s->upstream, sizeof(s->upstream),
                             TYPE_TZC400_IOMMU_MEMORY_REGION, OBJECT(dev),
                             "tzc400-upstream", size);
    memory_region_init_io(&s->guard, OBJECT(dev), &tzc400_guard_ops, s,
                          "tzc400-guard", size);
    address_space_init(&s->downstream_as, s->downstream, "tzc400-downstream");
    address_space_init(&s->guard_as, &s->guard, "tzc400-guard");

    sysbus_init_mmio(sbd, &s->regs);
    sysbus_init_mmio(sbd, MEMORY_REGION(&s->upstream));
    sysbus_init_irq(sbd, &s->irq);
}

static const VMStateDescription vmstate_tzc400_failure = {
    .name = "tzc400-failure",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(address_low, TZC400Failure),
        VMSTATE_UINT32(address_high, TZC400Failure),
        VMSTATE_UINT32(control, TZC400Failure),
        VMSTATE_UINT32(id, TZC400Failure),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_tzc400_region = {
    .name = "tzc400-region",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(base_low, TZC400Region),
        VMSTATE_UINT32(base_high, TZC400Region),
        VMSTATE_UINT32(top_low, TZC400Region),
        VMSTATE_UINT32(top_high, TZC400Region),
        VMSTATE_UINT32(attributes, TZC400Region),
        VMSTATE_UINT32(id_access, TZC400Region),
        VMSTATE_END_OF_LIST()
    }
};

static int tzc400_post_load(void *opaque, int version_id)
{
    tzc400_config_changed(opaque);
    return 0;
}

static const VMStateDescription vmstate_tzc400 = {
    .name = "tzc400",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = tzc400_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(action, TZC400State),
        VMSTATE_UINT32(open_request, TZC400State),
        VMSTATE_UINT32(speculation_ctrl, TZC400State),
        VMSTATE_UINT32(int_status, TZC400State),
        VMSTATE_STRUCT_ARRAY(failure, TZC400State, TZC400_NUM_FILTERS, 1,
                             vmstate_tzc400_failure, TZC400Failure),
        VMSTATE_STRUCT_ARRAY(region, TZC400State, TZC400_NUM_REGIONS, 1,
                             vmstate_tzc400_region, TZC400Region),
        VMSTATE_END_OF_LIST()
    }
};

static const Property tzc400_properties[] = {
    DEFINE_PROP_LINK("downstream", TZC400State, downstream,
                     TYPE_MEMORY_REGION, MemoryRegion *),
    DEFINE_PROP_UINT64("base-address", TZC400State, base_address, 0),
};

static void tzc400_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    dc->desc = "Arm TZC-400 TrustZone Address Space Controller";
    dc->realize = tzc400_realize;
    dc->vmsd = &vmstate_tzc400;
    device_class_set_props(dc, tzc400_properties);
    rc->phases.enter = tzc400_reset_enter;
    rc->phases.hold = tzc400_reset_hold;
}

static void tzc400_iommu_memory_region_class_init(ObjectClass *klass,
                                                  void *data)
{
    IOMMUMemoryRegionClass *imrc = IOMMU_MEMORY_REGION_CLASS(klass);

    imrc->translate = tzc400_translate;
    imrc->attrs_to_index = tzc400_attrs_to_index;
    imrc->num_indexes = tzc400_num_indexes;
}

static const TypeInfo tzc400_types[] = {
    {
        .name = TYPE_TZC400,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(TZC400State),
        .class_init = tzc400_class_init,
    },
    {
        .name = TYPE_TZC400_IOMMU_MEMORY_REGION,
        .parent = TYPE_IOMMU_MEMORY_REGION,
        .class_init = tzc400_iommu_memory_region_class_init,
    },
};

DEFINE_TYPES(tzc400_types)
