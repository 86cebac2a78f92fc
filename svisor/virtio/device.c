// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "bounce.h"
#include "device.h"
#include "heap.h"
#include "vm.h"

/* Feature bits (virtio 1.2, 6): what is the device's own, bits 0-23 and 50-63, changes nothing in
 * a queue. Of the others, those that the S-visor knows. */
#define FEATURE(n) (1ULL << (n))
#define F_ANY_LAYOUT FEATURE(27)
#define F_INDIRECT FEATURE(28)
#define F_EVENT_IDX FEATURE(29)
#define F_VERSION_1 FEATURE(32)
#define F_ACCESS_PLATFORM FEATURE(33)
#define F_RING_PACKED FEATURE(34)
#define F_ORDER_PLATFORM FEATURE(36)
#define F_DEVICE (0xffffffULL | ~0ULL << 50)
#define ALLOWED \
	(F_DEVICE | F_ANY_LAYOUT | F_INDIRECT | F_EVENT_IDX | F_VERSION_1 | F_ACCESS_PLATFORM | \
	 F_RING_PACKED | F_ORDER_PLATFORM)

#define STATUS_NEEDS_RESET 0x40
#define INTERRUPT_QUEUE 1
#define NO_VECTOR 0xffff

enum { BALLOON_INFLATE, BALLOON_DEFLATE }; /* queues of a balloon; then statistics */
/* Of its features, those whose queues name free pages by address: hints, poison, reports. */
#define BALLOON_BARRED (FEATURE(3) | FEATURE(4) | FEATURE(5))

static uint64_t allowed(const struct device *dev)
{
	return ALLOWED & ~(dev->balloon ? BALLOON_BARRED : 0);
}

static uint64_t half(uint64_t value, unsigned select)
{
	return select == 0 ? value & UINT32_MAX : select == 1 ? value >> 32 : 0;
}

static struct device_queue *selected(struct device *dev)
{
	return dev->queue < DEVICE_QUEUES ? &dev->vq[dev->queue] : NULL;
}

static uint64_t put_half(uint64_t old, const struct reg_access *a, uint64_t value)
{
	uint64_t mask = a->bytes == 8 ? ~0ULL : (uint64_t)UINT32_MAX << a->shift;

	return (old & ~mask) | (value << a->shift & mask);
}

static struct queue_setup setup_of(const struct device *dev, const struct device_queue *vq)
{
	return (struct queue_setup){
		.size = vq->size,
		.align = dev->legacy && dev->align ? dev->align : sizeof(uint32_t),
		.page = dev->guest_page > TV_PAGE_SIZE ? dev->guest_page : TV_PAGE_SIZE,
		.packed = dev->accepted & F_RING_PACKED,
		.indirect = dev->accepted & F_INDIRECT,
		.event_idx = dev->accepted & F_EVENT_IDX,
		.frames = dev->balloon && vq <= &dev->vq[BALLOON_DEFLATE],
		.drops = dev->balloon && vq == &dev->vq[BALLOON_INFLATE],
	};
}

static uint64_t interrupt_of(const struct device *dev, const struct device_queue *vq)
{
	if (!dev->is_pci || vq->vector >= DEVICE_VECTORS)
		return TV_LATE_WIRED;
	return TV_LATE_MSI | (uint64_t)(dev->pci.where / PCI_FUNCTION) << 32 | dev->msi[vq->vector];
}

uint64_t device_interrupt(const struct device *dev, const struct queue *q)
{
	for (unsigned i = 0; i < DEVICE_QUEUES; i++) {
		if (dev->vq[i].q == q)
			return interrupt_of(dev, &dev->vq[i]);
	}
	return 0;
}

/* Makes sure that the queue has a shadow. */
static bool has_shadow(struct vm *vm, struct device *dev, struct device_queue *vq,
		       enum queue_need *need)
{
	struct queue_setup s = setup_of(dev, vq);

	if (!vq->q)
		vq->q = queue_create(vm, &s, need);
	if (!vq->q && *need == NEED_NOTHING)
		dev->broken = true;
	return vq->q;
}

static void drop_queue(struct vm *vm, struct device_queue *vq)
{
	if (vq->q)
		queue_destroy(vm, vq->q);
	*vq = (struct device_queue){.vector = NO_VECTOR};
}

static void reset(struct vm *vm, struct device *dev)
{
	for (unsigned i = 0; i < DEVICE_QUEUES; i++)
		drop_queue(vm, &dev->vq[i]);
	dev->accepted = 0;
	dev->broken = false;
	dev->status = 0;
	dev->offered_select = dev->accepted_select = dev->queue = 0;
}

void device_free(struct vm *vm, struct device *dev)
{
	reset(vm, dev);
	heap_free(dev, DEVICE_PAGES);
}

size_t device_heap(const struct device *dev)
{
	size_t pages = DEVICE_PAGES;

	for (unsigned i = 0; i < DEVICE_QUEUES; i++)
		pages += dev->vq[i].q ? queue_heap(dev->vq[i].q) : 0;
	return pages;
}

/* ---- writes --------------------------------------------------------------- */

/* The back end learns where the shadow is, however late the guest says where its own is. */
static enum write_fate write_part(struct vm *vm, struct device *dev, const struct reg_access *a,
				  uint64_t *value, enum queue_need *need)
{
	struct device_queue *vq = selected(dev);
	enum queue_part part = a->reg - REG_PART;
	uint64_t shown;

	if (!vq || !has_shadow(vm, dev, vq, need))
		return *need == NEED_NOTHING ? WRITE_OVER : WRITE_AGAIN;
	vq->part[part] = put_half(vq->part[part], a, *value);
	shown = bounce_ipa(&vm->io.bounce, vq->q->shadow[part]) >> a->shift;
	*value = a->bytes == 8 ? shown : shown & UINT32_MAX;
	return WRITE_SHOW;
}

static enum write_fate start(struct vm *vm, struct device *dev, struct device_queue *vq,
			     enum queue_need *need)
{
	if (vq->q->live || queue_start(vm, vq->q, vq->part, need))
		return WRITE_SHOW;
	if (*need != NEED_NOTHING)
		return WRITE_AGAIN;
	dev->broken = true;
	return WRITE_OVER;
}

static enum write_fate write_ready(struct vm *vm, struct device *dev, uint64_t value,
				   enum queue_need *need)
{
	struct device_queue *vq = selected(dev);

	if (!(value & 1))
		return WRITE_SHOW;
	if (!vq || !vq->q) { /* enabled without a place */
		dev->broken = true;
		return WRITE_OVER;
	}
	return start(vm, dev, vq, need);
}

/* Legacy: all parts in a row (virtio 1.2, 2.7.2), and the queue begins at once. */
static enum write_fate write_pfn(struct vm *vm, struct device *dev, uint64_t *value,
				 enum queue_need *need)
{
	struct device_queue *vq = selected(dev);
	uint64_t base = *value * dev->guest_page, shadow;
	enum write_fate fate;

	if (!*value)
		return WRITE_SHOW;
	if (!vq || !dev->guest_page) {
		dev->broken = true;
		return WRITE_OVER;
	}
	if (!has_shadow(vm, dev, vq, need))
		return *need == NEED_NOTHING ? WRITE_OVER : WRITE_AGAIN;
	shadow = bounce_ipa(&vm->io.bounce, vq->q->shadow[PART_DESC]);
	for (unsigned i = 0; i < PARTS; i++)
		vq->part[i] = base + (vq->q->shadow[i] - vq->q->shadow[PART_DESC]);
	fate = start(vm, dev, vq, need);
	*value = shadow / dev->guest_page;
	return fate;
}

static enum write_fate notify(struct vm *vm, struct device *dev, const struct reg_access *a,
			      uint64_t value, enum queue_need *need)
{
	struct device_queue *vq = value < DEVICE_QUEUES ? &dev->vq[value] : NULL;
	bool tell;

	if (!vq || !vq->q || !vq->q->live || dev->broken)
		return WRITE_OVER;
	vq->q->doorbell = a->addr;
	vq->q->bell_bytes = a->bytes;
	vq->q->index = value;
	queue_rung(vq->q);
	*need = queue_push(vm, vq->q);
	if (*need != NEED_NOTHING) {
		vq->q->rung = 0; /* what comes then is the same */
		return WRITE_AGAIN;
	}
	vq->q->stats.notified++;
	tell = vq->q->tell;
	vq->q->tell = false;
	vq->q->stats.forwarded += tell;
	return tell ? WRITE_SHOW : WRITE_OVER;
}

static void write_size(struct device *dev, uint64_t value)
{
	struct device_queue *vq = selected(dev);

	if (vq && vq->q && vq->q->setup.size != value) /* its place is told already */
		dev->broken = true;
	else if (vq)
		vq->size = value <= QUEUE_MOST ? value : 0;
}

static void write_vector(struct device *dev, uint64_t value)
{
	struct device_queue *vq = selected(dev);

	if (vq)
		vq->vector = value;
}

static void accept(struct device *dev, uint64_t *value)
{
	unsigned shift = 32 * dev->accepted_select;

	*value &= half(allowed(dev), dev->accepted_select);
	if (dev->accepted_select < 2)
		dev->accepted =
			(dev->accepted & ~((uint64_t)UINT32_MAX << shift)) | *value << shift;
}

enum write_fate device_write(struct vm *vm, struct device *dev, const struct reg_access *a,
			     uint64_t *value, enum queue_need *need)
{
	switch (a->reg) {
	case REG_OFFERED_SELECT:
		dev->offered_select = *value;
		break;
	case REG_ACCEPTED_SELECT:
		dev->accepted_select = *value;
		break;
	case REG_ACCEPTED:
		accept(dev, value);
		break;
	case REG_STATUS:
		dev->status = *value;
		break;
	case REG_QUEUE:
		dev->queue = *value;
		break;
	case REG_SIZE:
		write_size(dev, *value);
		break;
	case REG_VECTOR:
		write_vector(dev, *value);
		break;
	case REG_MSI:
		dev->msi[a->index] = *value;
		break;
	case REG_GUEST_PAGE:
		dev->guest_page = *value;
		break;
	case REG_ALIGN:
		dev->align = *value;
		break;
	case REG_PFN:
		return write_pfn(vm, dev, value, need);
	case REG_READY:
		return write_ready(vm, dev, *value, need);
	case REG_NOTIFY:
		return notify(vm, dev, a, *value, need);
	case REG_PART ... REG_PART_END:
		return write_part(vm, dev, a, value, need);
	default:
		break;
	}
	return WRITE_SHOW;
}

/* Only when the back end has given a queue up is its bounce memory free for other use. */
void device_written(struct vm *vm, struct device *dev, const struct reg_access *a, uint64_t value)
{
	struct device_queue *vq = selected(dev);

	if (a->reg == REG_STATUS && !value)
		reset(vm, dev);
	else if ((a->reg == REG_READY || a->reg == REG_PFN) && !value && vq)
		drop_queue(vm, vq);
}

/* ---- reads ---------------------------------------------------------------- */

static uint64_t seen_size(struct device *dev, uint64_t value)
{
	struct device_queue *vq = selected(dev);

	if (value > QUEUE_MOST)
		value = QUEUE_MOST;
	if (!vq)
		return 0;
	if (!vq->q && !vq->size)
		vq->size = value;
	return value;
}

static bool is_broken(const struct device *dev)
{
	bool broken = dev->broken;

	for (unsigned i = 0; i < DEVICE_QUEUES; i++)
		broken |= dev->vq[i].q && dev->vq[i].q->broken;
	return broken;
}

static uint64_t seen_part(struct device *dev, const struct reg_access *a)
{
	struct device_queue *vq = selected(dev);
	uint64_t value = vq ? vq->part[a->reg - REG_PART] >> a->shift : 0;

	return a->bytes == 8 ? value : value & UINT32_MAX;
}

/* An interrupt that the S-visor has asked for is about a queue, whatever the back end thinks. */
static uint64_t seen_interrupt(struct device *dev, uint64_t value)
{
	for (unsigned i = 0; i < DEVICE_QUEUES; i++) {
		struct queue *q = dev->vq[i].q;

		if (q && q->late) {
			q->late = false;
			value |= INTERRUPT_QUEUE;
		}
	}
	return value;
}

uint64_t device_read(struct device *dev, const struct reg_access *a, uint64_t value)
{
	switch (a->reg) {
	case REG_OFFERED:
		return value & half(allowed(dev), dev->offered_select);
	case REG_MOST:
	case REG_SIZE:
		return seen_size(dev, value);
	case REG_STATUS:
		return value | (is_broken(dev) ? STATUS_NEEDS_RESET : 0);
	case REG_PART ... REG_PART_END:
		return seen_part(dev, a);
	case REG_INTERRUPT:
		return seen_interrupt(dev, value);
	default:
		return value;
	}
}
