/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hunt (I4): every system register that this CPU has at Non-secure EL2, by number and not
 * by a list that somebody could forget to add to; and memory. A secret names itself (probe.h).
 */
#include "nvisor.h"

#define MRS 0xd5300000
#define MSR 0xd5100000
#define RET 0xd65f03c0
#define DRAM_END 0x100000000ull
#define PAGE 4096

struct access {
	uint64_t value, undefined;
};

/* anyreg.S */
struct access any_reg(const void *code, uint64_t value);

extern uint8_t _start[], _end[]; /* of the image */

/* Reading these takes an interrupt: ICC_IAR0_EL1, ICC_IAR1_EL1, ICC_NMIAR1_EL1. */
static const uint16_t shy[] = {SYSREG(3, 0, 12, 8, 0), SYSREG(3, 0, 12, 12, 0),
			       SYSREG(3, 0, 12, 9, 5)};

static struct {
	uint32_t mrs, mrs_ret, msr, msr_ret;
} code[SYSREGS];
static uint16_t known[SYSREGS];
static uint64_t knowns;

static int is_shy(uint64_t reg)
{
	for (uint64_t i = 0; i < LENGTH(shy); i++)
		if (shy[i] == reg)
			return 1;
	return 0;
}

int reg_exists(uint64_t reg)
{
	return !any_reg(&code[reg].mrs, 0).undefined;
}

uint64_t reg_read(uint64_t reg)
{
	return any_reg(&code[reg].mrs, 0).value;
}

void reg_write(uint64_t reg, uint64_t value)
{
	any_reg(&code[reg].msr, value);
}

void hunt_begin(void)
{
	for (uint64_t reg = 0; reg < SYSREGS; reg++) {
		code[reg].mrs = MRS | reg << 5;
		code[reg].msr = MSR | reg << 5;
		code[reg].mrs_ret = code[reg].msr_ret = RET;
	}
	__asm__ volatile("dsb sy\n\tic iallu\n\tdsb sy\n\tisb");
	for (uint64_t reg = 0; reg < SYSREGS; reg++)
		if (!is_shy(reg) && reg_exists(reg))
			known[knowns++] = reg;
	say("", "system registers that can be read", knowns);
}

/* A half of one counts where the register has only one. */
static int is_secret(uint64_t v)
{
	uint64_t low = v & 0xfffff000, high = v >> 32 & 0xfffff000;

	return low == SECRET_MARK ? high == SECRET_MARK || v >> 32 == 0 : high == SECRET_MARK;
}

static void found(const char *where, uint64_t at, uint64_t v)
{
	put("# ");
	put(where);
	put(" ");
	put_hex(at);
	say(" holds", "a secret", v);
}

uint64_t hunt_sysregs(void)
{
	uint64_t finds = 0;

	for (uint64_t i = 0; i < knowns; i++) {
		uint64_t v = reg_read(known[i]);

		if (!is_secret(v))
			continue;
		finds++;
		found("system register", known[i], v);
	}
	return finds;
}

uint64_t hunt_words(const char *where, const uint64_t *words, uint64_t n)
{
	uint64_t finds = 0;

	for (uint64_t i = 0; i < n; i++) {
		if (!is_secret(words[i]))
			continue;
		if (!finds++)
			found(where, (uint64_t)&words[i], words[i]);
	}
	return finds;
}

uint64_t hunt_memory(uint64_t secure_end)
{
	uint64_t image_end = ((uint64_t)_end + PAGE - 1) & ~(uint64_t)(PAGE - 1);
	const struct {
		uint64_t from, to;
	} ordinary[] = {{RAM, (uint64_t)_start}, {image_end, POOL}, {secure_end, DRAM_END}};
	uint64_t finds = 0;

	for (uint64_t i = 0; i < LENGTH(ordinary); i++)
		finds += hunt_words("ordinary memory", (uint64_t *)ordinary[i].from,
				    (ordinary[i].to - ordinary[i].from) / 8);
	return finds;
}
