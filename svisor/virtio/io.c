// SPDX-License-Identifier: BSD-3-Clause
#include "devtree.h"
#include "esr.h"
#include "heap.h"
#include "io.h"
#include "vcpu.h"

#define MMIO_VERSION 4 /* offsets in a virtio-mmio window */
#define MMIO_TYPE 8
#define MMIO_SIZE 0x100 /* of its registers; the device's own follow */

static bool is_in(uint64_t addr, struct range r)
{
	return addr - r.base < r.size;
}

static void add_transport(struct io *io, struct range r)
{
	struct range *hull = &io->transport_hull;
	uint64_t end = hull->base + hull->size;

	io->transport[io->transports++].window = r;
	if (!hull->size)
		*hull = r;
	if (r.base + r.size > end)
		end = r.base + r.size;
	if (r.base < hull->base)
		hull->base = r.base;
	hull->size = end - hull->base;
}

void io_find(const struct devtree *dt, const struct dt_node *node)
{
	struct io *io = &dt->vm->io;
	struct range r;

	if (dt_compatible(dt, node, "virtio,mmio")) {
		if (io->transports < IO_TRANSPORTS && dt_reg(dt, node, 0, &r))
			add_transport(io, r);
	} else if (dt_compatible(dt, node, "pci-host-ecam-generic")) {
		if (!io->ecam.size && dt_reg(dt, node, 0, &r))
			io->ecam = r;
	} else if (dt_compatible(dt, node, "qemu,fw-cfg-mmio")) {
		if (dt_reg(dt, node, 0, &r))
			io->fwcfg.window = r;
	}
	flash_find(dt, node);
	its_find(dt, node);
}

/* Devices that are given guest memory by its address, beside their queues, cannot be had: GPU,
 * IOMMU, memory, persistent memory (virtio 1.2, 5). */
static bool is_barred(unsigned type)
{
	return type == 16 || type == 23 || type == 24 || type == 27;
}

static bool is_barred_pci(uint64_t id)
{
	unsigned device = id >> 16 & 0xffff;

	return device > PCI_MODERN && is_barred(device - PCI_MODERN);
}

static struct device *new_device(enum queue_need *need)
{
	struct device *dev = heap_alloc(DEVICE_PAGES);

	if (!dev)
		*need = NEED_HEAP;
	return dev;
}

/* ---- virtio-mmio ---------------------------------------------------------- */

/* The S-visor follows a device from the first write of its driver on. */
static enum write_fate access_transport(struct vm *vm, struct vcpu *v, struct transport *t,
					uint64_t addr, bool write, unsigned bytes, uint64_t *value,
					enum queue_need *need)
{
	uint64_t offset = addr - t->window.base;

	v->io.transport = t;
	if (!write && offset == MMIO_VERSION)
		v->io.kind = IO_VERSION;
	if (!write && offset == MMIO_TYPE)
		v->io.kind = IO_TYPE;
	if (offset >= MMIO_SIZE || (!write && !t->dev))
		return WRITE_SHOW;
	if (!t->dev && vm->io.devices == IO_DEVICES)
		return WRITE_OVER;
	if (!t->dev) {
		t->dev = new_device(need);
		if (!t->dev)
			return WRITE_AGAIN;
		t->dev->legacy = t->version == 1;
		t->dev->balloon = t->type == TYPE_BALLOON;
		vm->io.device[vm->io.devices++] = t->dev;
	}
	v->io.kind = v->io.kind == IO_OTHER ? IO_REGISTER : v->io.kind;
	v->io.dev = t->dev;
	v->io.reg = mmio_reg(offset, bytes, t->dev->legacy);
	v->io.reg.addr = addr;
	return write ? device_write(vm, t->dev, &v->io.reg, value, need) : WRITE_SHOW;
}

/* What the guest was told first, it is told ever after. */
static uint64_t seen_version(struct transport *t, uint64_t value)
{
	if (!t->version) {
		t->version = value;
		if (t->dev)
			t->dev->legacy = value == 1;
	}
	return t->version;
}

static uint64_t seen_type(struct transport *t, uint64_t value)
{
	if (!t->type) {
		t->type = is_barred(value) ? 0 : value;
		if (t->dev)
			t->dev->balloon = t->type == TYPE_BALLOON;
	}
	return t->type;
}

/* ---- PCI ------------------------------------------------------------------ */

static struct device *function_at(struct vm *vm, uint32_t where)
{
	for (unsigned i = vm->io.devices; i > 0; i--) {
		struct device *dev = vm->io.device[i - 1];

		if (dev->is_pci && dev->pci.where == where)
			return dev;
	}
	return NULL;
}

static enum write_fate access_config(struct vm *vm, struct vcpu *v, uint64_t addr, bool write,
				     unsigned bytes, uint64_t value, enum queue_need *need)
{
	unsigned at = (addr - vm->io.ecam.base) % PCI_FUNCTION;

	v->io.kind = IO_CONFIG;
	v->io.where = addr - vm->io.ecam.base - at;
	v->io.at = at;
	v->io.dev = function_at(vm, v->io.where);
	if (write && v->io.dev)
		pci_config_write(v->io.dev, at, bytes, value);
	/* If this read finds a device, there is room for it. */
	if (write || at || v->io.dev || vm->io.spare || vm->io.devices == IO_DEVICES)
		return WRITE_SHOW;
	vm->io.spare = new_device(need);
	return vm->io.spare ? WRITE_SHOW : WRITE_AGAIN;
}

/* A virtio device that cannot be followed is not there. */
static uint64_t seen_config(struct vm *vm, struct vcpu *v, uint64_t value)
{
	unsigned bytes = abort_bytes(v->hw.esr);
	struct device *dev = v->io.dev;

	if (!dev && v->io.at == 0 && (value & 0xffff) == PCI_VIRTIO) {
		dev = is_barred_pci(value) ? NULL : vm->io.spare;
		if (!dev)
			return keep_bytes(~0ULL, bytes);
		vm->io.spare = NULL;
		dev->is_pci = true;
		dev->pci.where = v->io.where;
		vm->io.device[vm->io.devices++] = dev;
	}
	return dev ? pci_config_read(dev, v->io.at, bytes, value) : value;
}

static enum write_fate access_device(struct vm *vm, struct vcpu *v, uint64_t addr, bool write,
				     unsigned bytes, uint64_t *value, enum queue_need *need)
{
	for (unsigned i = vm->io.devices; i > 0; i--) {
		struct device *dev = vm->io.device[i - 1];

		if (is_in(addr, dev->window[0])) {
			v->io.reg = pci_common_reg(addr - dev->window[0].base, bytes);
		} else if (is_in(addr, dev->window[1])) {
			v->io.reg = (struct reg_access){
				.reg = REG_NOTIFY, .bytes = bytes, .addr = addr};
		} else if (is_in(addr, dev->window[2])) {
			v->io.reg = (struct reg_access){.reg = REG_INTERRUPT, .bytes = bytes};
		} else if (is_in(addr, dev->window[3])) {
			v->io.reg = pci_msi_reg(addr - dev->window[3].base, bytes);
		} else {
			continue;
		}
		v->io.kind = IO_REGISTER;
		v->io.dev = dev;
		return write ? device_write(vm, dev, &v->io.reg, value, need) : WRITE_SHOW;
	}
	return WRITE_SHOW;
}

/* ---- all ------------------------------------------------------------------ */

enum write_fate io_access(struct vm *vm, struct vcpu *v, uint64_t addr, bool write, unsigned bytes,
			  uint64_t *value, enum queue_need *need)
{
	struct io *io = &vm->io;

	assert_held(&vm->lock);
	*need = NEED_NOTHING;
	v->io.kind = IO_OTHER; /* the other fields mean something with other kinds only */
	v->io.addr = addr;
	v->io.value = *value;
	if (its_at(vm, addr)) {
		v->io.kind = IO_ITS;
		return write ? its_write(vm, addr, bytes, value, need) : WRITE_SHOW;
	}
	if (write && is_in(addr, io->fwcfg.window)) {
		uint64_t offset = addr - io->fwcfg.window.base;

		if (fwcfg_is_request(offset, bytes))
			v->io.kind = IO_FWCFG;
		return fwcfg_write(vm, v, offset, bytes, value, need);
	}
	if (is_in(addr, io->ecam))
		return access_config(vm, v, addr, write, bytes, *value, need);
	for (unsigned i = 0; is_in(addr, io->transport_hull) && i < io->transports; i++) {
		if (is_in(addr, io->transport[i].window))
			return access_transport(vm, v, &io->transport[i], addr, write, bytes, value,
						need);
	}
	return access_device(vm, v, addr, write, bytes, value, need);
}

bool io_written(struct vm *vm, struct vcpu *v)
{
	assert_held(&vm->lock);
	if (v->io.kind == IO_FWCFG)
		return fwcfg_written(vm, v);
	if (v->io.kind == IO_REGISTER)
		device_written(vm, v->io.dev, &v->io.reg, v->io.value);
	return true;
}

uint64_t io_read(struct vm *vm, struct vcpu *v, uint64_t value)
{
	assert_held(&vm->lock);
	switch (v->io.kind) {
	case IO_REGISTER:
		return device_read(v->io.dev, &v->io.reg, value);
	case IO_TYPE:
		return seen_type(v->io.transport, value);
	case IO_VERSION:
		return seen_version(v->io.transport, value);
	case IO_ITS:
		return its_read(vm, v->io.addr, abort_bytes(v->hw.esr), value);
	case IO_CONFIG:
		return seen_config(vm, v, value);
	default:
		return value;
	}
}

bool io_push(struct vm *vm, struct queue **told, enum queue_need *need)
{
	*need = NEED_NOTHING;
	if (!vm->io.live)
		return false;
	assert_held(&vm->lock);
	for (struct queue *q = vm->io.live; q && *need == NEED_NOTHING; q = q->next) {
		if ((q->starved && queue_may_go_on(vm, q)) || q->busy)
			*need = queue_push(vm, q);
		if (*need != NEED_NOTHING) {
			q->starved = true; /* no doorbell will ask again */
		} else if (q->tell) {
			q->tell = false;
			*told = q;
			return true;
		}
	}
	return *need != NEED_NOTHING;
}

void io_pull(struct vm *vm)
{
	if (!vm->io.live)
		return;
	assert_held(&vm->lock);
	for (struct queue *q = vm->io.live; q; q = q->next)
		queue_pull(vm, q);
}

static uint64_t interrupt_of(const struct vm *vm, const struct queue *q)
{
	uint64_t interrupt = 0;

	for (unsigned i = 0; !interrupt && i < vm->io.devices; i++)
		interrupt = device_interrupt(vm->io.device[i], q);
	return interrupt;
}

#define LATE_PER_SECOND 1024 /* a guest that is busy comes to it by itself in a part of that */

uint64_t io_late(struct vm *vm, bool idle)
{
	if (!vm->io.live)
		return 0;
	assert_held(&vm->lock);
	for (struct queue *q = vm->io.live; q; q = q->next) {
		if (!q->owed ||
		    (!idle && counter_now() - q->since < counter_hz() / LATE_PER_SECOND))
			continue;
		if (queue_is_late(vm, q))
			return interrupt_of(vm, q);
	}
	return 0;
}

bool io_stats(const struct vm *vm, uint64_t n, struct tv_queue *stats)
{
	const struct queue *q = vm->io.live;

	for (; q && n; n--)
		q = q->next;
	if (!q)
		return false;
	*stats = q->stats;
	stats->where = q->doorbell;
	stats->index = q->index;
	stats->size = q->setup.size;
	stats->broken = q->broken;
	stats->flying = q->flying;
	return true;
}

void io_free(struct vm *vm)
{
	struct io *io = &vm->io;

	for (unsigned i = 0; i < io->devices; i++)
		device_free(vm, io->device[i]);
	heap_free(io->spare, DEVICE_PAGES);
	flash_free(vm);
	bounce_free_all(&io->bounce);
}

size_t io_heap(const struct vm *vm)
{
	size_t pages =
		bounce_heap(&vm->io.bounce) + flash_heap(vm) + (vm->io.spare ? DEVICE_PAGES : 0);

	for (unsigned i = 0; i < vm->io.devices; i++)
		pages += device_heap(vm->io.device[i]);
	return pages;
}
