// SPDX-License-Identifier: BSD-3-Clause
#include "probe.h"

#define UART_BASE 0x09000000ul
#define SYS_EXIT 0x18
#define ADP_STOPPED_APPLICATION_EXIT 0x20026

void (*volatile secondary_fn)(unsigned cpu);

static void put(const char *s)
{
	while (*s)
		write32(UART_BASE, *s++);
}

static void put_hex(uint64_t v)
{
	int i;

	put("0x");
	for (i = 60; i >= 0; i -= 4)
		write32(UART_BASE, "0123456789abcdef"[v >> i & 15]);
}

void check(bool ok, const char *name)
{
	put(ok ? "ok - " : "not ok - ");
	put(name);
	put("\n");
}

void check_eq(uint64_t seen, uint64_t wanted, const char *name)
{
	check(seen == wanted, name);
	if (seen == wanted)
		return;
	put("# seen ");
	put_hex(seen);
	put(" wanted ");
	put_hex(wanted);
	put("\n");
}

void finish(void)
{
	const uint64_t exit[2] = {ADP_STOPPED_APPLICATION_EXIT, 0};

	put("done\n");
	for (;;)
		semihost(SYS_EXIT, exit);
}

void panic(uint64_t esr, uint64_t elr, uint64_t far)
{
	put("not ok - no exception at EL3\n# esr ");
	put_hex(esr);
	put(" elr ");
	put_hex(elr);
	put(" far ");
	put_hex(far);
	put("\n");
	finish();
}

static const char *low_ns(const char *low)
{
	return (const char *)(LOW_NS + (low - low_start));
}

void low_ns_copy(void)
{
	uint64_t i;

	for (i = 0; i < (uint64_t)(low_end - low_start); i += 4)
		write32(LOW_NS + i, read32((uint64_t)low_start + i));
}

struct trap run(uint64_t scr, uint64_t spsr, const char *payload, uint64_t a0, uint64_t a1,
		uint64_t a2, uint64_t a3)
{
	bool ns = scr & SCR_NS;
	struct entry e = {
		.scr = scr,
		.spsr = spsr,
		.pc = (uint64_t)(ns ? low_ns(payload) : payload),
		.arg = {a0, a1, a2, a3},
	};
	struct trap t = {.el = 3};

	sysreg_write(vbar_el1, ns ? low_ns(el1_vectors) : el1_vectors);
	/* VBAR_EL2 is there only with EL2 enabled; at EL3 it always is. */
	sysreg_write(vbar_el2, ns ? low_ns(el2_vectors) : el2_vectors);
	run_entry(&e);

	t.vector = e.out.kind;
	t.esr = e.out.esr;
	t.far = e.out.far;
	t.x0 = e.out.x[0];
	if (e.out.kind % 4 || esr_ec(e.out.esr) != 0x17)
		return t;
	t.el = e.out.esr & 0xffff;
	if (t.el) {
		t.esr = e.out.x[9];
		t.far = e.out.x[10];
		t.hpfar = e.out.x[11];
		t.vector = e.out.x[13];
	}
	return t;
}

void release_secondaries(void (*fn)(unsigned cpu))
{
	secondary_fn = fn;
	asm volatile("dsb sy; sev" ::: "memory");
}
