// SPDX-License-Identifier: BSD-3-Clause
/* Interrupts that a back end does not make, as the S-visor has looked at its ring in between. */
#include "twin.h"
#include "virtio.h"

#define WAIT 1000000 /* ns: after that a busy guest is helped, too */
#define INTERRUPT_STATUS 0x60

static const struct buffer in = {DATA, 16, WRITE};
static struct card c;
static struct ring r;

static void start_mmio(uint64_t features)
{
	r = mmio_ring(&c, 64, features);
}

/* The guest posts a chain, and wants to be told when the n-th from now on is used. */
static void ask(unsigned n)
{
	post(&r, 3, &in, 1);
	kick(&r);
	private_put(r.part[DRIVER] + 4 + 2 * r.size, &(uint16_t){r.used + n}, 2);
}

/* The back end has used it, and a vCPU enters before it looks at used_event. */
static void use(void)
{
	b_use(&r, 3, 16, 1);
}

static void see(void)
{
	unsigned id;
	uint32_t len;

	check(g_used(&r, &id, &len, 1));
	expect_any(DATA, 16);
}

static uint64_t late_idle(void)
{
	io_idles = true;
	check_eq(run(&io_vm, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_WFX);
	io_idles = false;
	return shared()->late;
}

static uint64_t late_busy(void)
{
	check_eq(run(&io_vm, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	return shared()->late;
}

TEST(idle, "late: a guest that idles, and has not seen what it wants to be told of")
{
	start_mmio(F_EVENT_IDX);
	check_eq(late_idle(), 0);
	ask(0);
	check_eq(late_idle(), 0);
	use();
	check_eq(late_idle(), TV_LATE_WIRED);
	check_eq(late_idle(), 0); /* once */
	see();
	private_put(r.part[DRIVER] + 4 + 2 * r.size, &r.used, 2);
	check_eq(late_idle(), 0);
	for (unsigned i = 0; i < 40; i++) {
		ask(0);
		use();
		check_eq(late_idle(), TV_LATE_WIRED);
		see();
		ask(0);
		check_eq(late_idle(), 0);
		use();
		enter();
		see();
	}
	io_end();
}

TEST(unwanted, "late: not if the guest does not want to be told, nor of more than it asked for")
{
	start_mmio(F_EVENT_IDX);
	ask(1);
	use();
	check_eq(late_idle(), 0);
	check_eq(late_idle(), 0);
	see();
	ask(1);
	use();
	enter();
	post(&r, 3, &in, 1);
	kick(&r);
	use();
	check_eq(late_idle(), TV_LATE_WIRED);
	see();
	see();
	io_end();
}

TEST(after, "late: one that asks only when it is there sees it itself")
{
	start_mmio(F_EVENT_IDX);
	ask(5);
	use();
	check_eq(late_idle(), 0);
	see();
	private_put(r.part[DRIVER] + 4 + 2 * r.size, &r.used, 2);
	check_eq(late_idle(), 0);
	io_end();
}

TEST(busy, "late: one that is busy may come to it yet, for a while")
{
	start_mmio(F_EVENT_IDX);
	ask(0);
	use();
	check_eq(late_busy(), 0);
	host_counter += WAIT / 2;
	check_eq(late_busy(), 0);
	host_counter += WAIT / 2;
	check_eq(late_busy(), TV_LATE_WIRED);
	host_counter += WAIT;
	check_eq(late_busy(), 0);
	see();
	private_put(r.part[DRIVER] + 4 + 2 * r.size, &r.used, 2);
	host_counter += WAIT;
	check_eq(late_busy(), 0);
	io_end();
}

TEST(told, "late: the interrupt status says once that a queue is meant")
{
	start_mmio(F_EVENT_IDX);
	ask(0);
	use();
	check_eq(guest_read_as(c.base + INTERRUPT_STATUS, 4, 0), 0);
	check_eq(late_idle(), TV_LATE_WIRED);
	check_eq(guest_read_as(c.base + INTERRUPT_STATUS, 4, 2), 3);
	check_eq(guest_read_as(c.base + INTERRUPT_STATUS, 4, 2), 2);
	see();
	io_end();
}

static void start_pci(void)
{
	io_start(64);
	c = pci_card(0);
	r = ring_start(&c, F_EVENT_IDX, 16);
	ask(0);
	use();
}

TEST(pci, "late: of a PCI function without MSIs any wired one, and its interrupt status")
{
	start_pci();
	check_eq(late_idle(), TV_LATE_WIRED);
	check_eq(guest_read_as(c.interrupt, 1, 0), 1);
	check_eq(guest_read_as(c.interrupt, 1, 0), 0);
	see();
	io_end();
}

#define MSI(data) (TV_LATE_MSI | (FUNCTION(0) - ECAM) / 0x1000 << 32 | (data))

TEST(msi, "late: the MSI that the guest has set last for the queue")
{
	start_pci();
	for (unsigned i = 0; i < 4; i++) {
		guest_write(c.msix + 16 * i, 4, 0x8090040);
		guest_write(c.msix + 16 * i + 4, 4, 0);
		guest_write(c.msix + 16 * i + 8, 4, 0x100 + i);
		guest_write(c.msix + 16 * i + 12, 4, 0);
	}
	guest_write(c.base + 0x16, 2, 0);
	guest_write(c.base + 0x1a, 2, 2);
	check_eq(late_idle(), MSI(0x102));
	see();
	ask(0);
	guest_write(c.msix + 16 * 2 + 8, 4, 0xffffffff);
	use();
	check_eq(late_idle(), MSI(0xffffffff));
	see();
	ask(0);
	guest_write(c.base + 0x1a, 2, 0xffff);
	use();
	check_eq(late_idle(), TV_LATE_WIRED);
	see();
	io_end();
}

static void check_never(uint64_t features)
{
	start_mmio(features);
	post(&r, 3, &in, 1);
	kick(&r);
	use();
	check_eq(late_idle(), 0);
	check_eq(back_get16(r.back[DRIVER]), 0); /* interrupts at each */
	host_counter += WAIT;
	check_eq(late_busy(), 0);
	see();
	io_end();
}

TEST(never, "late: never without used_event, and with packed rings: the back end always interrupts")
{
	check_never(0);
	check_never(F_PACKED);
	check_never(F_PACKED | F_EVENT_IDX);
}

TEST(broken, "late: nor of a queue that is broken")
{
	start_mmio(F_EVENT_IDX);
	ask(0);
	use();
	enter();
	see();
	ask(-1);
	b_use(&r, 9, 16, 1);
	check_eq(late_idle(), 0);
	check_broken(&r);
	io_end();
}
