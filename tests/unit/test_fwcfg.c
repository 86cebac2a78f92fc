// SPDX-License-Identifier: BSD-3-Clause
/* fw_cfg by DMA (QEMU: docs/specs/fw_cfg.rst): requests and data go by bounce memory (I7). */
#include "bounce.h"
#include "firmware.h"
#include "vm.h"

#define DMA (FWCFG + 0x10)
#define LOW (FWCFG + 0x14)

#define REQUEST (PRIVATE + 0x100)
#define BUFFER (PRIVATE + PAGE(1))
#define PIECE 0x40000u

#define ERROR 1u
#define READ 2u
#define SKIP 4u
#define SELECT 8u
#define WRITE 16u
#define KEY(n) ((uint32_t)(n) << 16)

#define STORE(sas) (DABT | ISV(sas, 0, 5, (sas) == 3) | ISS_WNR | FAULT_L3)

struct request { /* big-endian */
	uint32_t control, length;
	uint64_t address;
};

/* ---- the guest ------------------------------------------------------------ */

static void ask_at(uint64_t at, uint32_t control, uint32_t length, uint64_t address)
{
	struct request r = {__builtin_bswap32(control), __builtin_bswap32(length),
			    __builtin_bswap64(address)};

	for (unsigned i = 0; i < sizeof(r); i++)
		*fw_private(at + i) = ((uint8_t *)&r)[i];
}

static void ask(uint32_t control, uint32_t length, uint64_t address)
{
	ask_at(REQUEST, control, length, address);
}

static void go_at(unsigned vcpu, uint64_t flags, uint64_t at)
{
	fw_access(vcpu, flags, DMA, STORE(3), __builtin_bswap64(at));
}

static void go(unsigned vcpu)
{
	go_at(vcpu, 0, REQUEST);
}

static uint32_t answer(void)
{
	return __builtin_bswap32(((struct request *)fw_private(REQUEST))->control);
}

/* All that the guest has named is over, with this answer, and nobody has heard of it. */
static void check_over(uint32_t want)
{
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(shared()->gpr[5], 0);
	check_eq(answer(), want);
	check_eq(fw_trim(), 0);
}

static void touch_block(void)
{
	fw_access(0, 0, BLOCK, DABT | FAULT_L3, 0);
	check_eq(shared()->exit, TV_EXIT_IRQ);
}

/* ---- the back end --------------------------------------------------------- */

static uint8_t *outside(uint64_t ipa)
{
	check(ipa >= fw_base);
	return (uint8_t *)host_mem(fw_given((ipa - fw_base) / TV_PAGE_SIZE)) + ipa % TV_PAGE_SIZE;
}

static uint64_t told_at(void)
{
	check_eq(shared()->exit, TV_EXIT_MMIO);
	check_eq(shared()->hpfar, HPFAR(DMA));
	check_eq(shared()->far, DMA & 0xfff);
	check_eq(shared()->esr, STORE(3) & ~(1UL << 25));
	return __builtin_bswap64(shared()->gpr[5]);
}

/* The request that it is told of, which is this. Gives the data's address. */
static uint64_t told(uint32_t control, uint32_t length)
{
	struct request *r = (struct request *)outside(told_at());

	check_eq(__builtin_bswap32(r->control), control);
	check_eq(__builtin_bswap32(r->length), length);
	return __builtin_bswap64(r->address);
}

static void put(uint64_t ipa, uint64_t size, uint8_t value)
{
	for (uint64_t i = 0; i < size; i++)
		*outside(ipa + i) = value;
}

static bool is_there(uint64_t ipa, uint64_t size, uint8_t value)
{
	bool ok = true;

	for (uint64_t i = 0; i < size; i++)
		ok &= *outside(ipa + i) == value;
	return ok;
}

static void answered(uint32_t control)
{
	((struct request *)outside(told_at()))->control = __builtin_bswap32(control);
}

/* The vCPU's last piece is served. */
static void served(unsigned vcpu, uint32_t control)
{
	uint64_t pc = guest_saw.pc;

	answered(control);
	fw_enter(vcpu, TV_RUN_DONE);
	check_eq(guest_saw.pc, pc + 4);
}

/* One is, and another follows: the guest makes the same write again. */
static void served_one(void)
{
	uint64_t pc = guest_saw.pc;

	answered(0);
	go_at(0, TV_RUN_DONE, REQUEST);
	check_eq(guest_saw.pc, pc);
}

/* ---- requests ------------------------------------------------------------- */

TEST(reads, "fw_cfg: what is read comes by bounce memory, and nothing leaves")
{
	uint64_t data;

	fw_start();
	fw_give(2);
	ask(SELECT | READ | KEY(0x19), 100, BUFFER + 8);
	go(0);
	data = told(SELECT | READ | KEY(0x19), 100);
	check(is_there(data, 1024, 0));
	check(is_there(told_at() + sizeof(struct request), 256, 0));
	put(data, 200, 0xaa);
	served(0, 0);
	check_eq(answer(), 0);
	check(fw_all(BUFFER, 8, 0x51) && fw_all(BUFFER + 8, 100, 0xaa));
	check(fw_all(BUFFER + 108, 4096 - 108, 0x51) && fw_all(REQUEST + 16, 64, 0x50));
	check_eq(fw_trim(), 0);
	fw_end();
}

TEST(writes, "fw_cfg: what is written leaves, and no more")
{
	uint64_t data;

	fw_start();
	fw_give(4);
	ask(SELECT | WRITE | KEY(0x21), 5000, BUFFER + 4000);
	go(0);
	data = told(SELECT | WRITE | KEY(0x21), 5000);
	check(is_there(data, 96, 0x51) && is_there(data + 96, 4096, 0x52));
	check(is_there(data + 4192, 808, 0x53) && is_there(data + 5000, 512, 0));
	put(data, 5000, 0xaa); /* nothing of it comes back */
	served(0, 0);
	check_eq(answer(), 0);
	check(fw_all(BUFFER, 4096, 0x51) && fw_all(BUFFER + 4096, 4096, 0x52));
	fw_end();
}

TEST(read_pieces, "fw_cfg: much is read piece by piece, and selected once")
{
	const uint32_t length[] = {PIECE, PIECE, 5000};

	fw_start();
	fw_give(65);
	touch_block();
	ask(SELECT | READ | KEY(0x19), 2 * PIECE + 5000, BLOCK + 16);
	go(0);
	for (unsigned i = 0; i < 3; i++) {
		put(told(i ? READ : SELECT | READ | KEY(0x19), length[i]), length[i], 0xa0 + i);
		if (i < 2)
			served_one();
	}
	check_eq(answer(), SELECT | READ | KEY(0x19));
	served(0, 0);
	check_eq(answer(), 0);
	check(fw_all(BLOCK, 16, 0) && fw_all(BLOCK + 16, PIECE, 0xa0));
	check(fw_all(BLOCK + 16 + PIECE, PIECE, 0xa1));
	check(fw_all(BLOCK + 16 + 2 * PIECE, 5000, 0xa2));
	check(fw_all(BLOCK + 16 + 2 * PIECE + 5000, 100, 0));
	check_eq(fw_trim(), 0);
	fw_end();
}

TEST(write_pieces, "fw_cfg: much is written so, too; exactly one piece is one")
{
	fw_start();
	fw_give(65);
	ask(WRITE, 2 * PIECE, BLOCK);
	touch_block();
	memset(fw_private(BLOCK), 0xb0, PIECE);
	memset(fw_private(BLOCK + PIECE), 0xb1, PIECE);
	go(0);
	check(is_there(told(WRITE, PIECE), PIECE, 0xb0));
	memset(fw_private(BLOCK), 0xbb, PIECE); /* it has left */
	served_one();
	check(is_there(told(WRITE, PIECE), PIECE, 0xb1));
	served(0, 0);
	check_eq(answer(), 0);
	ask(WRITE, PIECE, BLOCK);
	go(0);
	told(WRITE, PIECE);
	served(0, 0);
	fw_end();
}

TEST(fails, "fw_cfg: an error of the back end ends it, amid it or not")
{
	fw_start();
	fw_give(65);
	ask(READ, 100, BUFFER);
	go(0);
	told(READ, 100);
	served(0, ERROR);
	check_eq(answer(), ERROR);
	touch_block();
	ask(READ, 3 * PIECE, BLOCK);
	go(0);
	served_one();
	told(READ, PIECE);
	served(0, ERROR);
	check_eq(answer(), ERROR);
	check_eq(fw_trim(), 0);
	fw_end();
}

TEST(no_data, "fw_cfg: what moves no data is one request, wherever its buffer would be")
{
	static const uint32_t control[] = {SELECT | KEY(5), SKIP, SELECT | SKIP | KEY(7), 0};

	fw_start();
	fw_give(1);
	for (unsigned i = 0; i < 4; i++) {
		ask(control[i], 3 * PIECE, DEVICE);
		go(0);
		told(control[i], 3 * PIECE);
		served(0, 0);
		check_eq(answer(), 0);
	}
	ask(READ, 0, DEVICE);
	go(0);
	told(READ, 0);
	served(0, 0);
	check_eq(answer(), 0);
	fw_end();
}

/* ---- registers ------------------------------------------------------------ */

static void write_half(uint64_t addr, uint32_t value)
{
	fw_access(0, 0, addr, STORE(2), __builtin_bswap32(value));
}

TEST(halves, "fw_cfg: the address by halves: the second one counts")
{
	fw_base = 0x500000000;
	fw_start();
	fw_give(1);
	ask(READ, 100, BUFFER);
	write_half(DMA, 1); /* 4 GiB further on, where no RAM is */
	check_eq(shared()->exit, TV_EXIT_MMIO);
	check_eq(__builtin_bswap32(shared()->gpr[5]), 5);
	fw_enter(0, TV_RUN_DONE);
	write_half(LOW, REQUEST);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(answer(), READ);
	write_half(DMA, 0);
	check_eq(shared()->gpr[5], __builtin_bswap32(5));
	fw_enter(0, TV_RUN_DONE);
	write_half(LOW, REQUEST);
	check_eq(shared()->exit, TV_EXIT_MMIO);
	check_eq(shared()->far, LOW & 0xfff);
	check_eq(shared()->gpr[5], 0); /* the first of bounce memory */
	((struct request *)outside(fw_base))->control = 0;
	fw_enter(0, TV_RUN_DONE);
	check_eq(answer(), 0);
	go(0);
	check_eq(told_at(), fw_base);
	fw_end();
}

TEST(big_endian, "fw_cfg: a guest whose data are big-endian has the address as it is")
{
	fw_big_endian = true;
	fw_start();
	fw_give(1);
	ask(READ, 100, BUFFER);
	fw_access(0, 0, DMA, STORE(3), REQUEST);
	put(told(READ, 100), 100, 0xaa);
	served(0, 0);
	check(fw_all(BUFFER, 100, 0xaa));
	fw_end();
}

TEST(others,
     "fw_cfg: other registers, and reads, are as they were; odd accesses are heard by nobody")
{
	static const struct {
		uint8_t offset, sas;
		bool heard;
	} tries[] = {{0, 3, true},     {0, 0, true},     {8, 1, true},     {0xc, 2, true},
		     {0x10, 0, false}, {0x10, 1, false}, {0x12, 1, false}, {0x14, 3, false},
		     {0x14, 0, false}, {0x16, 1, false}, {0x17, 0, false}};

	fw_start();
	fw_give(1);
	ask(READ, 100, BUFFER);
	for (unsigned i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		uint64_t at = FWCFG + tries[i].offset, pc = guest_saw.pc;

		fw_access(0, 0, at, STORE(tries[i].sas), 0x7766554433221100);
		check_eq(shared()->exit, tries[i].heard ? TV_EXIT_MMIO : TV_EXIT_IRQ);
		check_eq(shared()->gpr[5] & 0xff, 0);
		fw_enter(0, tries[i].heard ? TV_RUN_DONE : 0);
		check_eq(guest_saw.pc, i ? pc + 4 : RAM + 4);
	}
	fw_access(0, 0, DMA, STORE(3) & ~(uint64_t)ISS_WNR, 0);
	check_eq(shared()->exit, TV_EXIT_MMIO);
	shared()->flags = TV_RUN_DONE;
	shared()->gpr[5] = 0x47464320554d4551;
	GUEST({{GUEST_IRQ, 0, 0, 0}, NULL});
	check_eq(run_as_is(&fw_vm, 0), TV_OK);
	check_eq(guest_saw.x[5], 0x47464320554d4551);
	fw_access(0, 0, FWCFG + 0x18, STORE(2), 0x1234); /* behind it */
	check_eq(shared()->gpr[5], 0x1234);
	check_eq(answer(), READ);
	check_eq(fw_trim(), 0);
	fw_end();
}

/* ---- what makes no sense -------------------------------------------------- */

TEST(buffer_outside, "fw_cfg: a buffer not all in RAM is an error, and nobody hears of it")
{
	static const struct {
		uint64_t at;
		uint32_t length;
	} bad[] = {{DEVICE, 1},   {RAM - 1, 2}, {RAM + RAM_SIZE - 99, 100},
		   {BUFFER, ~0u}, {-50UL, 100}, {BOUNCE + RAM_SIZE, 16}};

	fw_start();
	fw_give(1);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (uint32_t control = READ; control <= WRITE; control *= WRITE / READ) {
			ask(control, bad[i].length, bad[i].at);
			go(0);
			check_eq(answer(), ERROR);
			check_eq(shared()->exit, TV_EXIT_IRQ);
			check_eq(guest_runs, 2);
		}
	}
	check_over(ERROR);
	fw_end();
}

TEST(request_outside, "fw_cfg: a request not all in RAM, or never written, is passed over")
{
	const uint64_t bad[] = {DEVICE, RAM - 8,  RAM + RAM_SIZE - 8, -8UL,
				0,      UNMAPPED, UNMAPPED - 8,       RAM + RAM_SIZE};

	fw_start();
	fw_give(1);
	ask(READ, 100, BUFFER);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		go_at(0, 0, bad[i]);
		check_eq(shared()->exit, TV_EXIT_IRQ);
		check_eq(guest_runs, 2);
		check_eq(guest_saw.pc, RAM + 4 * (i + 1));
	}
	check_over(READ);
	go(0);
	fw_end();
}

/* ---- what it waits for ---------------------------------------------------- */

TEST(pages, "fw_cfg: pages of the buffer that are not there are faults, one by one")
{
	fw_start();
	fw_give(8);
	ask(READ, PAGE(3), UNMAPPED - 100);
	for (unsigned i = 0; i < 3; i++) {
		go(0);
		check_eq(shared()->exit, TV_EXIT_FAULT);
		check_eq(shared()->hpfar, HPFAR(UNMAPPED + PAGE(i)));
		check_eq(shared()->gpr[5], 0);
		check_eq(run(&fw_vm, 0, TV_RUN_ABORT), TV_EINVAL);
		check_eq(run(&fw_vm, 0, TV_RUN_DONE), TV_OK); /* not yet */
		check_eq(shared()->exit, TV_EXIT_FAULT);
		npt_page(&fw_vm.npt, UNMAPPED + PAGE(i), CHUNK(0) + PAGE(100 - i));
	}
	go(0);
	check_eq(guest_saw.pc, RAM);
	put(told(READ, PAGE(3)), PAGE(3), 0xaa);
	served(0, 0);
	check(fw_all(UNMAPPED - 100, PAGE(3), 0xaa));
	check(fw_all(UNMAPPED - 200, 100, 0x53) && fw_all(UNMAPPED + PAGE(3) - 100, 100, 0));
	fw_end();
}

TEST(room, "fw_cfg: room is wanted first, as much as a piece needs")
{
	fw_start();
	ask(READ, PAGE(2), BUFFER);
	go(0);
	check_eq(shared()->exit, TV_EXIT_BOUNCE);
	check_eq(shared()->size, PAGE(2) + BOUNCE_UNIT);
	check_eq(shared()->gpr[5], 0);
	check_eq(run(&fw_vm, 0, TV_RUN_ABORT), TV_EINVAL);
	fw_give(2);
	go_at(0, TV_RUN_DONE, REQUEST); /* too little, and nothing is stepped past */
	check_eq(shared()->exit, TV_EXIT_BOUNCE);
	check_eq(guest_saw.pc, RAM);
	fw_give(1);
	go(0);
	told(READ, PAGE(2));
	served(0, 0);
	check_eq(answer(), 0);
	fw_end();
}

TEST(room_later, "fw_cfg: while others have all of it, the guest tries again")
{
	struct vm *vm;
	uint32_t at;

	fw_most = 2;
	fw_start();
	fw_give(2);
	vm = vm_lock(fw_vm.handle);
	check_eq(bounce_alloc(&vm->io.bounce, TV_PAGE_SIZE, BOUNCE_UNIT, &at), TV_OK);
	vm_unlock(vm);
	ask(READ, TV_PAGE_SIZE, BUFFER);
	for (unsigned i = 0; i < 3; i++) {
		go(0);
		check_eq(shared()->exit, TV_EXIT_IRQ);
		check_eq(guest_runs, 1);
	}
	bounce_free(&vm->io.bounce, at, TV_PAGE_SIZE);
	go(0);
	check_eq(guest_saw.pc, RAM);
	told(READ, TV_PAGE_SIZE);
	served(0, 0);
	check_eq(answer(), 0);
	fw_end();
}

TEST(other_vcpu, "fw_cfg: another vCPU's request waits, and then is made")
{
	fw_start();
	fw_give(65);
	touch_block();
	ask(READ, PIECE + 10, BLOCK);
	ask_at(REQUEST + 64, SELECT | KEY(3), 0, 0);
	go(0);
	for (unsigned i = 0; i < 3; i++) {
		go_at(1, 0, REQUEST + 64);
		check_eq(shared()->exit, TV_EXIT_IRQ);
		check_eq(guest_runs, 1);
	}
	fw_access(1, 0, DEVICE, STORE(3), 0x1234); /* all else goes on */
	check_eq(shared()->gpr[5], 0x1234);
	go_at(0, TV_RUN_DONE, REQUEST);
	told(READ, 10);
	served(0, 0);
	go_at(1, 0, REQUEST + 64);
	told(SELECT | KEY(3), 0);
	served(1, 0);
	fw_end();
}

TEST(unserved, "fw_cfg: a write that is not served comes again, the same, in the same room")
{
	uint64_t at;

	fw_start();
	fw_give(65);
	touch_block();
	ask(READ, PIECE, BLOCK);
	go(0);
	at = told_at();
	for (unsigned i = 0; i < 3; i++) {
		go(0);
		check_eq(told_at(), at);
	}
	served(0, 0);
	check_eq(answer(), 0);
	check_eq(fw_trim(), 0);
	fw_end();
}

TEST(never, "fw_cfg: what there can never be room for is an error")
{
	for (fw_most = 0; fw_most < 2; fw_most++) {
		fw_start();
		ask(READ, PAGE(2), BUFFER);
		go(0);
		check_over(ERROR);
		fw_end();
	}
}

TEST(not_its_own, "fw_cfg: what another vCPU writes to other registers is not the end of a request")
{
	fw_start();
	ask(READ, 100, BUFFER);
	go(0);
	check_eq(shared()->exit, TV_EXIT_BOUNCE);
	fw_access(1, 0, FWCFG + 8, STORE(1), 0x1900);
	check_eq(shared()->exit, TV_EXIT_MMIO);
	fw_enter(1, TV_RUN_DONE);
	check_eq(guest_saw.pc, RAM + 4);
	check_eq(answer(), READ);
	fw_give(1);
	go(0);
	put(told(READ, 100), 100, 0xaa);
	fw_access(1, 0, DMA, STORE(2), 0);
	check_eq(shared()->exit, TV_EXIT_MMIO);
	fw_enter(1, TV_RUN_DONE);
	check_eq(guest_saw.pc, RAM + 8);
	check_eq(answer(), READ);
	check(fw_all(BUFFER, 100, 0x51));
	go(0);
	put(told(READ, 100), 100, 0xaa);
	served(0, 0);
	check(fw_all(BUFFER, 100, 0xaa));
	check_eq(fw_trim(), 0);
	fw_end();
}

/* ---- back ends ------------------------------------------------------------ */

TEST(changed, "fw_cfg: what the back end makes of the request is without effect, but that it fails")
{
	struct request *r;

	fw_start();
	fw_give(8);
	ask(SELECT | READ | KEY(1), 100, BUFFER);
	go(0);
	put(told(SELECT | READ | KEY(1), 100), 2000, 0xaa);
	r = (struct request *)outside(told_at());
	r->length = ~0u;
	r->address = __builtin_bswap64(PRIVATE);
	served(0, ~ERROR);
	check_eq(answer(), 0);
	check(fw_all(BUFFER, 100, 0xaa) && fw_all(BUFFER + 100, 3996, 0x51));
	check(fw_all(REQUEST + 16, 64, 0x50));
	go(0); /* of the guest's request there is nothing to be done now */
	fw_end();
}

TEST(changed_by_guest, "fw_cfg: what the guest makes of its request meanwhile is without effect")
{
	fw_start();
	fw_give(65);
	touch_block();
	ask(READ, PIECE + 10, BLOCK);
	go(0);
	ask(WRITE, ~0u, DEVICE);
	put(told(READ, PIECE), PIECE, 0xa0);
	served_one();
	put(told(READ, 10), 10, 0xa1);
	served(0, 0);
	check(fw_all(BLOCK, PIECE, 0xa0) && fw_all(BLOCK + PIECE, 10, 0xa1));
	check(fw_all(BLOCK + PIECE + 10, 100, 0));
	fw_end();
}

TEST(broken, "fw_cfg: room that is no longer ordinary is an error of the request")
{
	fw_start();
	for (unsigned i = 0; i < 6; i++) {
		bool later = i >= 3;

		fw_give(3);
		ask(later ? READ : WRITE, PAGE(2), BUFFER);
		if (later) {
			go(0);
			answered(0);
		}
		host_broken_page = fw_given(i % 3);
		if (later)
			fw_enter(0, TV_RUN_DONE);
		else
			go(0);
		check_over(ERROR);
		host_broken_page = 1;
	}
	fw_end();
}

TEST(broken_piece, "fw_cfg: so it is amid a request, which is over then")
{
	fw_start();
	fw_give(65);
	touch_block();
	ask(READ, 3 * PIECE, BLOCK);
	go(0);
	answered(0);
	host_broken_page = fw_given(0);
	fw_enter(0, TV_RUN_DONE);
	check_over(ERROR);
	host_broken_page = 1;
	fw_give(65);
	ask(READ, 2 * PIECE, BLOCK);
	go(0);
	answered(0);
	fw_enter(0, TV_RUN_DONE);
	host_broken_page = fw_given(0);
	go(0);
	check_over(ERROR);
	host_broken_page = 1;
	fw_give(1);
	ask(READ, 100, BUFFER);
	go(0);
	told(READ, 100);
	fw_end();
}

TEST(ends, "fw_cfg: an S-VM that ends amid a request leaves nothing to the next")
{
	fw_start();
	fw_give(65);
	touch_block();
	ask(READ, 3 * PIECE, BLOCK);
	go(0);
	served_one();
	fw_end();
	fw_again();
	fw_give(1);
	ask(SELECT | KEY(3), 0, 0);
	go(1);
	told(SELECT | KEY(3), 0);
	served(1, 0);
	fw_end();
}
