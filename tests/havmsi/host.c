/* SPDX-License-Identifier: BSD-3-Clause */
#include "host.h"

#define MRS 0xd5200000
#define RET 0xd65f03c0
#define GICD 0x08000000
#define GICR(cpu) (0x080a0000 + ((cpu) << 17))
#define SGI_FRAME 0x10000
#define KICK 1
#define PPI_TIMER 30

static struct mail {
	uint64_t (*function)(uint64_t arg);
	uint64_t arg, result;
	uint64_t off;
	volatile uint64_t state;
} __attribute__((aligned(64))) mails[CPUS];
enum { OFF, IDLE, POSTED, DONE };

uint64_t call(uint64_t fid, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t *x1)
{
	uint64_t r[GPRS] = {fid, a, b, c, d};

	smc(r);
	if (x1)
		*x1 = r[1];
	return r[0];
}

void say(const char *name, uint64_t value)
{
	put("# ");
	put(name);
	put(" = ");
	put_hex(value);
	put("\r\n");
}

void ok(bool good, const char *name)
{
	put_result(good, "", name);
}

void result(bool good, const char *a, const char *b, const char *c)
{
	put(good ? "ok - " : "not ok - ");
	put(a);
	put(b);
	put(c);
	put("\r\n");
}

static _Noreturn void end(void)
{
	call(PSCI_SYSTEM_OFF, 0, 0, 0, 0, 0);
	for (;;)
		;
}

void must(uint64_t status, const char *what)
{
	if (status == TV_OK)
		return;
	say(what, status);
	ok(false, what);
	end();
}

void died(uint64_t esr, uint64_t elr, uint64_t far);
void died(uint64_t esr, uint64_t elr, uint64_t far)
{
	say("ESR", esr);
	say("ELR", elr);
	say("FAR", far);
	ok(false, "an exception that nobody expects");
	end();
}

void audit(const char *group)
{
	uint64_t found = 1, status = call(TV_AUDIT, 0, 0, 0, 0, &found);

	if (status || found)
		say("violations", found);
	put_result(status == TV_OK && !found, group, ": the audit finds nothing wrong");
}

/* ---- CPUs ------------------------------------------------------------------------ */

uint64_t this_cpu(void)
{
	return read_reg("mpidr_el1") & 0xff;
}

uint64_t counter_offset(void)
{
	uint64_t virtual, physical;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tisb\n\tmrs %1, cntpct_el0"
			 : "=&r"(virtual), "=&r"(physical));
	return physical - virtual;
}

int64_t turn_on(uint64_t fid, uint64_t cpu, uint64_t context)
{
	return call(fid, cpu, (uint64_t)_start, context, 0, 0);
}

bool is_off(uint64_t cpu)
{
	return call(PSCI_AFFINITY_INFO, cpu, 0, 0, 0, 0) == 1;
}

void begin_on(uint64_t cpu, uint64_t (*function)(uint64_t arg), uint64_t arg)
{
	while (mails[cpu].state != IDLE)
		;
	mails[cpu].function = function;
	mails[cpu].arg = arg;
	__asm__ volatile("dmb sy" ::: "memory");
	mails[cpu].state = POSTED;
	kick(cpu);
}

uint64_t end_on(uint64_t cpu)
{
	while (mails[cpu].state != DONE)
		;
	__asm__ volatile("dmb sy" ::: "memory");
	mails[cpu].state = IDLE;
	return mails[cpu].result;
}

void turn_off(uint64_t cpu)
{
	begin_on(cpu, 0, 0);
	while (!is_off(cpu))
		;
	mails[cpu].state = OFF;
}

uint64_t on_each(uint64_t (*function)(uint64_t arg), uint64_t arg)
{
	uint64_t sum = function(arg);

	for (uint64_t cpu = 1; cpu < CPUS; cpu++) {
		begin_on(cpu, function, arg);
		sum += end_on(cpu);
	}
	return sum;
}

/* ---- interrupts ------------------------------------------------------------------ */

void interrupts_on(void)
{
	volatile uint32_t *gicd = (void *)GICD;
	volatile uint32_t *gicr = (void *)(GICR(this_cpu()) + SGI_FRAME);

	gicd[0] |= 0x12;                              /* GICD_CTLR: ARE_NS, EnableGrp1A */
	gicr[0x100 / 4] = 1 << PPI_TIMER | 1 << KICK; /* GICR_ISENABLER0 */
	write_reg("s3_0_c4_c6_0", 0xff);              /* ICC_PMR_EL1 */
	write_reg("s3_0_c12_c12_7", 1);               /* ICC_IGRPEN1_EL1 */
}

void timer(uint64_t ticks)
{
	write_reg("cntp_tval_el0", ticks);
	write_reg("cntp_ctl_el0", 1);
}

void kick(uint64_t cpu)
{
	__asm__ volatile("dsb sy");
	write_reg("s3_0_c12_c11_5", KICK << 24 | 1 << cpu); /* ICC_SGI1R_EL1 */
}

/* An interrupt that is pending is over; or it is none. */
static uint64_t take(void)
{
	uint64_t taken = read_reg("s3_0_c12_c12_0"); /* ICC_IAR1_EL1 */

	if (taken < 1020)
		write_reg("s3_0_c12_c12_1", taken); /* ICC_EOIR1_EL1 */
	return taken;
}

void quiet(void)
{
	write_reg("cntp_ctl_el0", 0);
	while (take() < 1020)
		;
}

/* One kick comes with each function, after it: it is over before that runs. */
static void serve(struct mail *m)
{
	interrupts_on();
	m->state = IDLE;
	for (;;) {
		while (take() != KICK)
			__asm__ volatile("wfi" ::: "memory");
		if (m->state != POSTED)
			continue;
		__asm__ volatile("dmb sy" ::: "memory");
		if (!m->function)
			call(PSCI_CPU_OFF, 0, 0, 0, 0, 0);
		m->result = m->function(m->arg);
		__asm__ volatile("dmb sy" ::: "memory");
		m->state = DONE;
	}
}

/* ---- any instruction -------------------------------------------------------------- */

const void *code_of(uint32_t instruction)
{
	static uint32_t code[CPUS][16] __attribute__((aligned(64)));
	uint32_t *here = code[this_cpu()];

	here[0] = instruction;
	here[1] = RET;
	__asm__ volatile("dc civac, %0\n\tdsb sy\n\tic iallu\n\tdsb sy\n\tisb" ::"r"(here)
			 : "memory");
	return here;
}

int reg_read(uint32_t reg, uint64_t *value)
{
	struct caught c;

	if (attempt(&c, code_of(MRS | reg << 5), 0))
		return 0;
	*value = c.value;
	return 1;
}

void start(uint64_t cpu);
void start(uint64_t cpu)
{
	if (cpu)
		serve(&mails[cpu]);
	test_level();
	test_memory();
	test_ordinary();
	test_svms();
	put("# end\r\n");
	end();
}
