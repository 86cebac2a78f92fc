// SPDX-License-Identifier: BSD-3-Clause
/* LPIs: what leaves for KVM's vITS, when, where to, and nothing else (I7). */
#include "lpi.h"

/* ---- commands ------------------------------------------------------------- */

TEST(commands, "its: new commands are there before GITS_CWRITER is shown, and no more")
{
	uint64_t there;

	lpi_start();
	there = set_queue(3);
	check(there >= BOUNCE && there + PAGE(3) <= BOUNCE_END && there % 0x10000 == 0);
	check_eq(shared()->gpr[5] & ~CBASER_ADDRESS, VALID | 2);
	check(arrived(there, QUEUE, 0, PAGE(3)));
	write64(0, GITS_CWRITER, 0x40);
	check_shown(GITS_CWRITER, 0x40);
	check(arrived(there, QUEUE, 0x40, PAGE(3)));
	write64(1, GITS_CWRITER, PAGE(2) + 0x20);
	check(arrived(there, QUEUE, PAGE(2) + 0x20, PAGE(3)));
	lpi_end();
}

TEST(commands_ring, "its: the queue is a ring")
{
	uint64_t there;

	lpi_start();
	there = set_queue(1);
	write64(0, GITS_CWRITER, 0xfe0);
	check(arrived(there, QUEUE, 0xfe0, PAGE(1)));
	memset(guest_at(QUEUE), 0x77, 0x40);
	write64(0, GITS_CWRITER, 0x20);
	check_eq(*(uint64_t *)at_bounce(there + 0xfe0), QUEUE + 0xfe0);
	check_eq(*(uint64_t *)at_bounce(there + 0x18), 0x7777777777777777);
	check_eq(*(uint64_t *)at_bounce(there + 0x20), QUEUE + 0x20);
}

TEST(commands_halves, "its: GITS_CBASER by halves, and the guest reads its own address")
{
	uint64_t low, high;

	lpi_start();
	write32(0, GITS_CBASER, QUEUE | 1);
	low = shown(0xffff0000);
	write32(0, GITS_CBASER + 4, VALID >> 32);
	high = shown(0xfffff);
	check_eq(shared()->gpr[5] >> 31, 1);
	check(low >= BOUNCE && low < BOUNCE_END && high == 0);
	write32(0, GITS_CWRITER, 0x60);
	check(arrived(low, QUEUE, 0x60, PAGE(2)));
	check_eq(read64(GITS_CBASER, VALID | low | 0x780), VALID | QUEUE | 0x780);
}

TEST(commands_restart, "its: GITS_CBASER starts the queue anew, and its old room is free")
{
	uint64_t there;

	lpi_start();
	for (unsigned i = 0; i < 100; i++) {
		there = set_queue(1 + i % 3);
		write64(0, GITS_CWRITER, 0x20);
		check(arrived(there, QUEUE, 0x20, 0x40) || i);
	}
	lpi_end();
}

TEST(commands_none, "its: no commands of a queue that is not valid, or beyond it, or outside RAM")
{
	uint64_t there;

	lpi_start();
	write64(0, GITS_CBASER, QUEUE);
	there = shown(CBASER_ADDRESS);
	write64(0, GITS_CWRITER, 0x40);
	check(arrived(there, QUEUE, 0, PAGE(1)));
	there = set_queue(1);
	write64(0, GITS_CWRITER, 0x1000);
	check(arrived(there, QUEUE, 0, PAGE(1)));
	write64(0, GITS_CBASER, VALID | (RAM + RAM_SIZE));
	there = shown(CBASER_ADDRESS);
	write64(0, GITS_CWRITER, 0x40);
	check(arrived(there, QUEUE, 0, PAGE(1)));
	write64(0, GITS_CBASER, VALID | DEVICE);
	write64(0, GITS_CWRITER, 0x40);
	check(arrived(there, QUEUE, 0, PAGE(1)));
	write64(0, GITS_CBASER, VALID | (RAM + 0x800000)); /* never touched */
	write64(0, GITS_CWRITER, 0x40);
	check(arrived(there, QUEUE, 0, PAGE(1)));
}

TEST(commands_again, "its: GITS_CBASER written again, all commands arrive anew")
{
	uint64_t there;

	lpi_start();
	there = set_queue(1);
	write64(0, GITS_CWRITER, 0x40);
	check_eq(set_queue(1), there);
	clear(there, PAGE(1));
	write64(0, GITS_CWRITER, 0x40);
	check(arrived(there, QUEUE, 0x40, PAGE(1)));
	lpi_end();
}

TEST(commands_bits, "its: only bits 19:5 of GITS_CWRITER count, and only 51:16 of GITS_CBASER")
{
	uint64_t there;

	lpi_start();
	write64(0, GITS_CBASER, VALID | QUEUE | 0x7ff0000000000f00);
	there = shown(CBASER_ADDRESS);
	check_eq(shared()->gpr[5] & ~CBASER_ADDRESS, VALID | 0x7ff0000000000f00);
	write64(0, GITS_CWRITER, 0xfffffffffff0007f);
	check_shown(GITS_CWRITER, 0xfffffffffff0007f);
	check(arrived(there, QUEUE, 0x60, PAGE(1)));
	write64(0, GITS_CBASER, VALID | (QUEUE + PAGE(1)));
	there = shown(CBASER_ADDRESS);
	write64(0, GITS_CWRITER, 0x80);
	check(arrived(there, QUEUE, 0x80, 0x80));
}

TEST(commands_partly, "its: of a queue that leads out of RAM, only what is in RAM arrives")
{
	uint64_t there, end = RAM + RAM_SIZE;

	lpi_most = lpi_present = 400;
	lpi_start();
	write64(0, GITS_CBASER, VALID | (end - 0x10000) | 255);
	there = shown(CBASER_ADDRESS);
	write64(0, GITS_CWRITER, 0xfffe0);
	check(arrived(there, end - 0x10000, 0, 0xf000)); /* never touched */
	check(arrived(there + 0xf000, end - 0x1000, 0x1000, 0xf0000));
	write64(0, GITS_CBASER, VALID | (RAM - 0x10000) | 255);
	there = shown(CBASER_ADDRESS);
	clear(there, PAGE(256));
	write64(0, GITS_CWRITER, 0x10020);
	check(arrived(there, RAM, 0, 0x10000));
	check(arrived(there + 0x10000, RAM, 0x20, 0x1000));
	lpi_end();
}

TEST(commands_zero, "its: XZR writes zero; an access of a big-endian guest is turned round")
{
	uint64_t there;

	lpi_start();
	there = set_queue(1);
	write64(0, GITS_CWRITER, 0xfe0);
	write_zero(0, GITS_CWRITER);
	check_eq(shared()->exit, TV_EXIT_MMIO);
	check(arrived(there, QUEUE, PAGE(1), PAGE(1)));
	lpi_big_endian = true;
	write64(0, GITS_CBASER, __builtin_bswap64(VALID | QUEUE));
	there = shown(CBASER_ADDRESS);
	clear(there, PAGE(1));
	write32(0, GITS_CWRITER, __builtin_bswap32(0x40));
	check_shown(GITS_CWRITER, 0x40);
	check(arrived(there, QUEUE, 0x40, PAGE(1)));
	check_eq(__builtin_bswap64(read64(GITS_CBASER, VALID | there)), VALID | QUEUE);
}

TEST(commands_in, "its: nothing enters, whatever bounce memory holds")
{
	lpi_start();
	memset(at_bounce(set_queue(3)), 0xff, PAGE(1));
	memset(at_bounce(set_table(16)), 0xff, PAGE(1));
	write32(0, GITS_CTLR, 1);
	for (unsigned i = 1; i < 200; i++) {
		write64(i & 1, GITS_CWRITER, i * 0x60 % PAGE(3));
		write64(i & 1, GICR_INVALLR, i);
	}
	for (unsigned i = 0; i < PAGE(3); i += 8)
		check_eq(*(uint64_t *)guest_at(QUEUE + i), QUEUE + i);
	for (unsigned i = 0; i < PAGE(PROP_PAGES); i += 8)
		check_eq(*(uint64_t *)guest_at(PROPS + i), PROPS + i);
	lpi_end();
}

/* ---- properties ----------------------------------------------------------- */

TEST(properties, "its: properties are there when the vITS reads them, and at no other time")
{
	uint64_t there;

	lpi_start();
	set_queue(1);
	there = set_table(14);
	check(there >= BOUNCE && there % 0x10000 == 0);
	check(arrived(there, PROPS, 0, PAGE(2)));
	write64(0, GITS_CWRITER, 0x20); /* not enabled: counts later */
	check(arrived(there, PROPS, 0, PAGE(2)));
	write32(0, GITS_CTLR, 1);
	check(arrived(there, PROPS, PAGE(2), PAGE(2)));
	memset(guest_at(PROPS), 0x99, PAGE(1));
	write64(0, GITS_CREADR, 0);
	write64(0, GICR_CTLR, 1);
	write32(0, GITS_CTLR, 1);
	check(!arrived(there, PROPS, PAGE(2), PAGE(2)));
	write64(0, GITS_CWRITER, 0x40);
	check(arrived(there, PROPS, PAGE(2), PAGE(2)));
}

TEST(properties_late,
     "its: commands of a time when the ITS was off have properties read once it is on")
{
	uint64_t there;

	lpi_start();
	set_queue(1);
	there = set_table(14);
	write32(0, GITS_CTLR, 1); /* nothing is due */
	write32(0, GITS_CTLR, 0);
	check(arrived(there, PROPS, 0, PAGE(2)));
	write64(0, GITS_CWRITER, 0x20);
	write64(0, GITS_CWRITER, 0x20); /* no new one */
	write32(0, GITS_CTLR, 0xfffffffe);
	check(arrived(there, PROPS, 0, PAGE(2)));
	write32(0, GITS_CTLR, 1);
	check(arrived(there, PROPS, PAGE(2), PAGE(2)));
	clear(there, PAGE(2));
	write64(0, GITS_CWRITER, 0x20);
	write32(0, GITS_CTLR, 1);
	check(arrived(there, PROPS, 0, PAGE(2)));
}

TEST(properties_still_due, "its: ... however often they were read meanwhile")
{
	uint64_t there;

	lpi_start();
	set_queue(1);
	there = set_table(14);
	write64(0, GITS_CWRITER, 0x20);
	write64(0, GICR_INVALLR, 0);
	check(arrived(there, PROPS, PAGE(2), PAGE(2)));
	clear(there, PAGE(2));
	write32(0, GITS_CTLR, 1);
	check(arrived(there, PROPS, PAGE(2), PAGE(2)));
	lpi_end();
}

TEST(properties_moved,
     "its: a table moves, in halves too, and keeps its room while its size is the same")
{
	uint64_t there, high;

	lpi_start();
	there = set_table(14);
	write64(0, GICR_PROPBASER + NEXT_RD, (PROPS + PAGE(3)) | 13 | 0x0700000000000780);
	check_shown(GICR_PROPBASER + NEXT_RD, there | 13 | 0x0700000000000780);
	write64(0, GICR_INVALLR, 0);
	check(arrived(there, PROPS + PAGE(3), PAGE(2), PAGE(2)));
	write32(1, GICR_PROPBASER, (uint32_t)(PROPS + PAGE(5)) | 13);
	check_shown(GICR_PROPBASER, (uint32_t)there | 13);
	write64(0, GICR_INVALLR, 0);
	check(arrived(there, PROPS + PAGE(5), PAGE(2), PAGE(2)));
	write32(1, GICR_PROPBASER + 4, 1); /* far outside RAM */
	high = shown(0xffffffff);
	check_eq(high, there >> 32);
	clear(there, PAGE(2));
	write64(0, GICR_INVALLR, 0);
	check(arrived(there, PROPS, 0, PAGE(2)));
	check_eq(read64(GICR_PROPBASER, there | 13),
		 0x100000000 | (uint32_t)(PROPS + PAGE(5)) | 13);
}

TEST(properties_now, "its: GICR_INVLPIR and GICR_INVALLR of any redistributor have them read")
{
	static const uint64_t reg[] = {GICR_INVLPIR, GICR_INVALLR, GICR_INVALLR + 7 * NEXT_RD};
	uint64_t there;

	lpi_start();
	write64(0, GICR_PROPBASER + 3 * NEXT_RD, PROPS | 13);
	there = shown(PROPBASER_ADDRESS);
	for (unsigned i = 0; i < 3; i++) {
		memset(guest_at(PROPS), 0x11 * i, PAGE(1));
		write64(0, reg[i], 8192);
		check(arrived(there, PROPS, PAGE(2), PAGE(2)));
	}
}

TEST(properties_size, "its: as many properties as IDbits says, 16 bits at most; none below 14")
{
	uint64_t there;

	lpi_start();
	check_eq(set_table(13), 0);
	there = set_table(32);
	write64(0, GICR_INVALLR, 0);
	check(arrived(there, PROPS, PAGE(PROP_PAGES), PAGE(PROP_PAGES)));
	check_eq(read64(GICR_PROPBASER, there | 31), PROPS | 31);
	lpi_end();
}

TEST(properties_outside, "its: properties outside RAM are left out")
{
	uint64_t there, last = RAM + RAM_SIZE - PAGE(1);

	lpi_start();
	write64(0, GICR_PROPBASER, last | 13);
	there = shown(PROPBASER_ADDRESS);
	write64(0, GICR_INVALLR, 0);
	check(arrived(there, last, PAGE(1), PAGE(2)));
}

static void ask_for_stolen_time(struct guest_regs *regs)
{
	regs->x[0] = 0xc5000021; /* DEN 0057: PV_TIME_ST */
}

TEST(properties_stolen, "its: the page of stolen time is no RAM, and does not leave")
{
	uint64_t there, page;

	lpi_start();
	GUEST({{GUEST_SYNC, EC(0x16), 0, 0}, ask_for_stolen_time});
	check_eq(run(&lpi_vm, 0, 0), TV_OK);
	page = guest_saw.x[0];
	check(page % TV_PAGE_SIZE == 0 && host_guest_leaf(host_run.s2_root, page));
	write64(0, GICR_PROPBASER, page | 13);
	there = shown(PROPBASER_ADDRESS);
	memset(at_bounce(there), 0x77, PAGE(1));
	write64(0, GICR_INVALLR, 0);
	for (unsigned i = 0; i < PAGE(1); i++)
		check_eq(*(uint8_t *)at_bounce(there + i), 0x77);
	lpi_end();
}

/* ---- room ----------------------------------------------------------------- */

TEST(room_wanted, "its: without room it is wanted first, and the write comes then")
{
	lpi_present = 0;
	lpi_start();
	write64(0, GITS_CBASER, VALID | QUEUE | 1);
	check_eq(shared()->exit, TV_EXIT_BOUNCE);
	check(shared()->size >= PAGE(2) && shared()->gpr[5] == 0 && shared()->hpfar == 0);
	lpi_give(32);
	check(set_queue(2) >= BOUNCE);
	lpi_end();
}

TEST(room_answer,
     "its: where room is wanted there is nothing to answer, and nothing is stepped past")
{
	lpi_present = 0;
	lpi_start();
	write64(0, GICR_PROPBASER, PROPS | 15);
	check_eq(shared()->exit, TV_EXIT_BOUNCE);
	check_eq(run(&lpi_vm, 0, TV_RUN_ABORT), TV_EINVAL);
	check_eq(run(&lpi_vm, 0, TV_RUN_UNDEF), TV_EINVAL);
	GUEST({{GUEST_IRQ, 0, 0, 0}, NULL});
	check_eq(run(&lpi_vm, 0, TV_RUN_DONE | TV_RUN_SERROR), TV_OK);
	check_eq(guest_saw.pc, RAM);
	check(host_run.vserror);
	check_eq(read64(GICR_PROPBASER, 0), 0);
	lpi_end();
}

TEST(room_full, "its: what there is no room for has no address, till there is")
{
	uint64_t there;

	lpi_most = lpi_present = 18;
	lpi_start();
	there = set_queue(3);
	check(there != 0);
	check_eq(set_table(15), 0); /* six pages, at the next 64 KiB */
	write64(0, GICR_INVALLR, 0);
	check_eq(read64(GICR_PROPBASER, 14), PROPS | 14);
	check_eq(set_table(14), there + 0x10000);
	write64(0, GICR_INVALLR, 0);
	check(arrived(there + 0x10000, PROPS, PAGE(2), PAGE(2)));
	write64(0, GITS_CBASER, VALID | QUEUE | 255); /* more than there can ever be */
	check_shown(GITS_CBASER, VALID | 255);
	write64(0, GITS_CWRITER, 0xfe0);
	check_shown(GITS_CWRITER, 0xfe0);
	check_eq(set_table(15), there);
	lpi_end();
}

TEST(room_back, "its: room that is given up can be had back by the N-visor")
{
	struct tv_args a;

	lpi_start();
	set_queue(2);
	set_table(14);
	a = call(TV_BOUNCE_TRIM, lpi_vm.handle, 0, 0, 0);
	check_eq(a.x[1], 18);
	check_eq(set_table(13), 0);
	a = call(TV_BOUNCE_TRIM, lpi_vm.handle, 0, 0, 0);
	check_eq(a.x[1], 2);
	lpi_end();
}

TEST(gone, "its: an S-VM that ends leaves nothing to the next")
{
	lpi_start();
	set_queue(1);
	set_table(16);
	write32(0, GITS_CTLR, 1);
	lpi_end();
	lpi_launch(0, nothing, 0); /* without a device tree */
	check(!its_works() && !rd_works());
	lpi_end();
	lpi_launch(DTB, nothing, 0);
	write64(0, GITS_CWRITER, 0x20);
	check_shown(GITS_CWRITER, 0x20);
	check_eq(read64(GITS_CBASER, 0), 0);
	lpi_end();
}

TEST(room_none, "its: an S-VM that can have no more shows no address, and goes on")
{
	lpi_most = lpi_present = 0;
	lpi_start();
	check_eq(set_queue(1), 0);
	write64(0, GITS_CWRITER, 0x40);
	check_shown(GITS_CWRITER, 0x40);
	check_eq(set_table(16), 0);
	write64(0, GICR_INVALLR, 0);
	check_shown(GICR_INVALLR, 0);
	lpi_end();
}

TEST(room_broken, "its: room that is no longer ordinary does no harm")
{
	uint64_t there;

	lpi_start();
	set_queue(1);
	host_broken_page = lpi_bounce[0];
	write64(0, GITS_CWRITER, 0x40);
	check_shown(GITS_CWRITER, 0x40);
	there = set_table(15);
	host_broken_page = lpi_bounce[(there - BOUNCE) / TV_PAGE_SIZE + 2];
	write64(0, GICR_INVALLR, 0);
	check_shown(GICR_INVALLR, 0);
	check(arrived(there, PROPS, PAGE(2), PAGE(3)));
	check(arrived(there + PAGE(3), PROPS + PAGE(3), PAGE(3), PAGE(3)));
	lpi_end();
}

/* ---- other registers ------------------------------------------------------ */

TEST(pending, "its: the vITS never reads pending tables")
{
	lpi_start();
	write64(0, GICR_PENDBASER, QUEUE);
	check_shown(GICR_PENDBASER, QUEUE | 1UL << 62);
	write32(0, GICR_PENDBASER + 4 + NEXT_RD, 0);
	check_shown(GICR_PENDBASER + 4 + NEXT_RD, 1UL << 30);
	write32(0, GICR_PENDBASER, QUEUE);
	check_shown(GICR_PENDBASER, QUEUE);
}

TEST(others, "its: no other register, no read and no odd access has anything copied")
{
	uint64_t there;

	lpi_start();
	there = set_queue(1);
	write64(0, GITS_CREADR, 0x40);
	write64(0, GITS_TRANSLATER, 0x40);
	write32(0, GITS_CWRITER + 4, 0x40);
	access_by(0, GITS_CWRITER, 0x40, 3, ISS_READ);
	access_by(0, GITS_CWRITER, 0x40, 1, ISS_WNR);
	access_by(0, GITS_CWRITER + 2, 0x40, 2, ISS_WNR);
	write64(0, DEVICE + 0x88, 0x40);
	check(arrived(there, QUEUE, 0, PAGE(1)));
	check_eq(read64(GITS_CWRITER, 0x1234), 0x1234);
	check_eq(read64(GITS_BASER, QUEUE), QUEUE);
	set_table(14);
	check_eq(read64(RD + 0x80, 0x1234), 0x1234); /* the other one's register */
	check_eq(read64(ITS + 0x70, 0x1234), 0x1234);
	check_eq(read_by(GITS_CBASER + 2, 1, 0x1234), 0x1234);
	check_eq(read_by(GITS_CBASER + 2, 0, 0x12), 0x12);
	check_eq(read_by(GITS_CBASER + 4, 3, 0x1234), 0x1234);
}

TEST(flat, "its: the vITS is never told that a table is indirect")
{
	lpi_start();
	for (unsigned i = 0; i < 8; i++) {
		write64(0, GITS_BASER + 8 * i, VALID | INDIRECT | QUEUE);
		check_shown(GITS_BASER + 8 * i, VALID | QUEUE);
		write32(0, GITS_BASER + 8 * i + 4, 0xc0000001);
		check_shown(GITS_BASER + 8 * i + 4, 0x80000001);
		write32(0, GITS_BASER + 8 * i, 0xc0000001);
		check_shown(GITS_BASER + 8 * i, 0xc0000001);
	}
	write64(0, GITS_BASER - 8, INDIRECT);
	check_shown(GITS_BASER - 8, INDIRECT);
	write64(0, GITS_BASER + 0x40, INDIRECT);
	check_shown(GITS_BASER + 0x40, INDIRECT);
	write64(0, GITS_BASER, INDIRECT);
	write64(0, DEVICE + 0x100, INDIRECT);
	check_shown(DEVICE + 0x100, INDIRECT);
}
