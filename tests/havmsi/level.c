/* SPDX-License-Identifier: BSD-3-Clause */
/* The host is at EL1 and nothing gets it, or its code, to where the S-visor is. */
#include "host.h"

#define EL1 (1 << 2)
#define DTB_MAGIC 0xedfe0dd0
#define DAIF 0x3c0
#define CONTEXT 0x1234567812345678
#define STANDBY 1 /* power state of CPU_SUSPEND */

#define UNTOUCHED(i) (0xa5a5000000000000 + (i))

#define SECURE_UART 0x09040000
#define HVC 0xd4000002
#define SMC 0xd4000003
#define IMM(i) ((i) << 5)

#define SPSR_EL2H 0x3c9
#define SPSR_EL2T 0x3c8
#define SPSR_EL3H 0x3cd

static bool entered_right(uint64_t cpu, uint64_t context)
{
	volatile struct entered *e = &entered[cpu];

	return e->el == EL1 && !(e->sctlr & 0x1005) && (e->daif & DAIF) == DAIF &&
	       e->x[0] == context;
}

static void test_entry(void)
{
	ok(entered[0].el == EL1, "the host starts at EL1");
	ok(!(entered[0].sctlr & 0x1005), "with its MMU and caches off");
	ok((entered[0].daif & DAIF) == DAIF, "and all interrupts masked");
	ok(*(volatile uint32_t *)entered[0].x[0] == DTB_MAGIC, "x0 is the device tree's address");
	ok(!(entered[0].x[1] | entered[0].x[2] | entered[0].x[3]), "x1-x3 are 0");
}

/* ---- PSCI ------------------------------------------------------------------------- */

/* CPUs that there are not, more of them than the S-visor can know of. */
static bool invalid_cpus(void)
{
	bool good = true;

	for (uint64_t mpidr = 1 << 16; mpidr < (1 << 16) + 2 * TV_MAX_CPUS; mpidr++)
		good &= turn_on(PSCI_CPU_ON, mpidr, 0) == PSCI_INVALID;
	return good;
}

static uint64_t returns_one(uint64_t arg)
{
	return arg + 1;
}

static bool works(uint64_t cpu)
{
	begin_on(cpu, returns_one, 41);
	return end_on(cpu) == 42;
}

static void test_cpu_on(void)
{
	ok(invalid_cpus(), "CPU_ON of CPUs that there are not: invalid");
	for (uint64_t cpu = 1; cpu < CPUS; cpu++) {
		uint64_t fid = cpu == 3 ? PSCI_CPU_ON_32 : PSCI_CPU_ON;

		must(turn_on(fid, cpu, CONTEXT + cpu), "CPU_ON, after those");
		put_result(works(cpu), fid == PSCI_CPU_ON ? "64-bit " : "32-bit ",
			   "CPU_ON starts a CPU");
		put_result(entered_right(cpu, fid == PSCI_CPU_ON ? CONTEXT + cpu
								 : (uint32_t)(CONTEXT + cpu)),
			   fid == PSCI_CPU_ON ? "64-bit " : "32-bit ",
			   "CPU_ON: at EL1, MMU off, masked, its context in x0");
	}
}

static void test_on_and_off(void)
{
	uint64_t times = entered[1].times;

	ok(turn_on(PSCI_CPU_ON, 1, 7) == PSCI_ALREADY_ON, "CPU_ON of a CPU that is on: already on");
	ok(turn_on(PSCI_CPU_ON, 0, 7) == PSCI_ALREADY_ON, "nor of itself");
	ok(works(1) && entered[1].times == times, "it goes on where it was");
	turn_off(1);
	ok(is_off(1), "CPU_OFF turns it off");
	must(turn_on(PSCI_CPU_ON, 1, CONTEXT), "CPU_ON after CPU_OFF");
	ok(works(1) && entered_right(1, CONTEXT), "and on again, by what this call says, at EL1");
}

/* While it starts, others say where: the one call that was taken counts. */
static void test_started_once(void)
{
	bool good = true;

	for (uint64_t round = 0; round < 20 && good; round++) {
		turn_off(1);
		must(turn_on(PSCI_CPU_ON, 1, CONTEXT + round), "CPU_ON");
		for (int i = 0; i < 50; i++)
			good &= call(PSCI_CPU_ON, 1, 0, 0xbad, 0, 0) != 0;
		good &= works(1) && entered_right(1, CONTEXT + round);
	}
	ok(good, "CPU_ON that is refused does not change where a CPU starts");
}

static void test_suspend(void)
{
	uint64_t r[GPRS], good = 1;
	uint64_t times = entered[0].times;

	interrupts_on();
	timer(read_reg("cntfrq_el0") / 1000);
	for (int i = 0; i < GPRS; i++)
		r[i] = UNTOUCHED(i);
	r[0] = PSCI_CPU_SUSPEND;
	r[1] = STANDBY;
	smc(r);
	quiet();
	for (int i = 4; i < GPRS; i++)
		good &= r[i] == UNTOUCHED(i);
	ok(r[0] == 0 && entered[0].times == times, "CPU_SUSPEND to standby comes back");
	ok(good, "with x4-x30 as they were");
	ok(read_reg("currentel") == EL1, "at EL1");
}

/* ---- calls ------------------------------------------------------------------------ */

/* x0 = -1, and of the rest of x1-x30 nothing changes; of x1-x3, which PSCI may cut, half. */
static bool refused(void (*how)(uint64_t regs[GPRS]), uint64_t fid)
{
	uint64_t r[GPRS];
	bool good = true;

	for (int i = 0; i < GPRS; i++)
		r[i] = UNTOUCHED(i);
	r[0] = fid;
	how(r);
	for (int i = 1; i < 4; i++)
		good &= (uint32_t)r[i] == (uint32_t)UNTOUCHED(i);
	for (int i = 4; i < GPRS; i++)
		good &= r[i] == UNTOUCHED(i);
	if (!good || (int32_t)r[0] != -1)
		say("not refused", fid);
	return good && (int32_t)r[0] == -1;
}

static bool all_refused(void (*how)(uint64_t regs[GPRS]), uint64_t from, uint64_t to)
{
	bool good = true;

	for (uint64_t fid = from; fid <= to; fid++)
		good &= refused(how, fid);
	return good;
}

static void test_hvc(void)
{
	ok(all_refused(hvc, 0, 8), "HVC: there is no hypervisor stub of Linux's");
	ok(all_refused(hvc, 0xc6000000, 0xc6000040), "HVC: nor KVM's own calls");
	ok(all_refused(hvc, 0x86000000, 0x86000040), "HVC: nor a vendor's");
	ok(all_refused(hvc, 0x84000000, 0x8400001f), "HVC: nor PSCI");
	ok(all_refused(hvc, TV_VERSION, TV_SMC(0x4f)), "HVC: nor the S-visor's calls");
}

/* (name, from, to): calls that are nobody's to make */
static const struct {
	const char *name;
	uint64_t from, to;
} no_calls[] = {
	{"MIGRATE", 0x84000005, 0x84000005},
	{"MIGRATE_INFO_UP_CPU", 0xc4000007, 0xc4000007},
	{"CPU_FREEZE, CPU_DEFAULT_SUSPEND", 0x8400000b, 0x8400000c},
	{"CPU_DEFAULT_SUSPEND", 0xc400000c, 0xc400000c},
	{"SYSTEM_SUSPEND and SET_SUSPEND_MODE", 0x8400000e, 0x8400000f},
	{"SYSTEM_SUSPEND, 64 bits", 0xc400000e, 0xc400000e},
	{"MEM_PROTECT and what PSCI has not yet", 0x84000013, 0x8400001f},
	{"64-bit MEM_PROTECT and what PSCI has not yet", 0xc4000013, 0xc400001f},
	{"SYSTEM_RESET2, which this firmware has not", 0x84000012, 0x84000012},
	{"64-bit SYSTEM_RESET2", 0xc4000012, 0xc4000012},
	{"SDEI", 0xc4000020, 0xc400003f},
	{"SDEI, 32 bits", 0x84000020, 0x8400003f},
	{"FF-A and what else is Arm's", 0x84000054, 0x840000ff},
	{"64-bit FF-A and what else is Arm's", 0xc4000054, 0xc40000ff},
	{"RMI and RSI", 0xc4000150, 0xc40001cf},
	{"a CPU's vendor's", 0x81000000, 0x81000010},
	{"a SoC's vendor's", 0xc2000000, 0xc2000010},
	{"a board's vendor's", 0xc3000000, 0xc3000010},
	{"a hypervisor's", 0xc5000000, 0xc5000030},
	{"a vendor's hypervisor's", 0xc6000000, 0xc6000030},
	{"a trusted application's", 0xb0000000, 0xb0000010},
	{"another trusted OS's", 0xb2000000, 0xb2000010},
	{"what a trusted OS is asked for", 0xbf00ff00, 0xbf00ff03},
	{"yielding ones", 0x72000000, 0x72000010},
	{"the S-visor's, behind the last", TV_SMC(TV_CALLS), TV_SMC(0x3f)},
	{"TV_SVISOR_READY, _RETURN", TV_SVISOR_READY, TV_SVISOR_RETURN},
	{"TV_DISPATCH_WIPE", TV_DISPATCH_WIPE, TV_DISPATCH_WIPE},
	{"TV_SVISOR_COUNT", TV_SVISOR_COUNT, TV_SVISOR_COUNT},
	{"TV_EL3_READ, _WRITE", TV_EL3_READ, TV_EL3_WRITE},
	{"behind them", TV_SMC(0x46), TV_SMC(0x80)},
	{"the last numbers", 0xfffffff0, 0xffffffff},
};

static void test_smc(void)
{
	for (uint64_t i = 0; i < LENGTH(no_calls); i++)
		put_result(all_refused(smc, no_calls[i].from, no_calls[i].to),
			   "SMC, refused: ", no_calls[i].name);
}

/* The driver looks at what the Secure UART has said. */
static void test_el3(void)
{
	uint64_t found = 0x5a5a;

	ok((int64_t)call(TV_EL3_WRITE, SECURE_UART, '~', 0, 0, 0) == -1 &&
		   (int64_t)call(TV_EL3_READ, SECURE_UART + 0x18, 0x5a5a, 0, 0, &found) == -1 &&
		   found == SECURE_UART + 0x18,
	   "what only EL3 reaches is not for the host to read or write");
	ok((int64_t)call(TV_VERSION, 0, 0, 0, 0, &found) == TV_OK &&
		   found == (TV_ABI_MAJOR << 16 | TV_ABI_MINOR),
	   "the S-visor is there after all that");
	ok(call(TV_HOST_INFO, 0, 0, 0, 0, &found) == TV_OK && (found & 0x1f) < TV_MAX_LISTS,
	   "TV_HOST_INFO tells of the list registers");
}

/* An immediate makes nothing of a call that it is not without. */
static void test_immediates(void)
{
	static const uint32_t imms[] = {0, 1, 2, 0x4b, 0x4d52, 0x8000, 0xffff};
	struct caught c;
	bool good = true;

	for (uint64_t i = 0; i < LENGTH(imms); i++) {
		good &= attempt(&c, code_of(SMC | IMM(imms[i])), TV_EL3_WRITE, SECURE_UART, '~') ||
			(int64_t)c.value == -1;
		good &= attempt(&c, code_of(HVC | IMM(imms[i])), 1, _start, 0) ||
			(int64_t)c.value == -1;
	}
	ok(good, "no immediate of SMC or HVC makes a difference");
	ok(read_reg("currentel") == EL1, "the host is at EL1 still");
}

/* ---- registers -------------------------------------------------------------------- */

static bool is_undefined(uint32_t instruction)
{
	const void *code = code_of(instruction);
	struct caught c;

	return attempt(&c, code, 0, 0, 0) && EC(c.esr) == EC_UNKNOWN && (c.esr & ESR_IL) &&
	       c.elr == (uint64_t)code && c.vector == VECTOR_SYNC;
}

#define MSR(reg) (0xd5000000 | (reg) << 5)
#define MRS(reg) (0xd5200000 | (reg) << 5)

/* clang-format off */
static const struct {
	const char *name;
	uint32_t reg;
} el2_regs[] = {
	{"TTBR0_EL2", SYSREG(3, 4, 2, 0, 0)}, {"TTBR1_EL2", SYSREG(3, 4, 2, 0, 1)},
	{"TCR_EL2", SYSREG(3, 4, 2, 0, 2)}, {"SCTLR_EL2", SYSREG(3, 4, 1, 0, 0)},
	{"MAIR_EL2", SYSREG(3, 4, 10, 2, 0)}, {"AMAIR_EL2", SYSREG(3, 4, 10, 3, 0)},
	{"VBAR_EL2", SYSREG(3, 4, 12, 0, 0)}, {"RMR_EL2", SYSREG(3, 4, 12, 0, 2)},
	{"VTTBR_EL2", SYSREG(3, 4, 2, 1, 0)}, {"VTCR_EL2", SYSREG(3, 4, 2, 1, 2)},
	{"HCR_EL2", SYSREG(3, 4, 1, 1, 0)}, {"MDCR_EL2", SYSREG(3, 4, 1, 1, 1)},
	{"CPTR_EL2", SYSREG(3, 4, 1, 1, 2)}, {"HSTR_EL2", SYSREG(3, 4, 1, 1, 3)},
	{"HACR_EL2", SYSREG(3, 4, 1, 1, 7)}, {"ACTLR_EL2", SYSREG(3, 4, 1, 0, 1)},
	{"ELR_EL2", SYSREG(3, 4, 4, 0, 1)}, {"SPSR_EL2", SYSREG(3, 4, 4, 0, 0)},
	{"SP_EL1", SYSREG(3, 4, 4, 1, 0)}, {"ESR_EL2", SYSREG(3, 4, 5, 2, 0)},
	{"FAR_EL2", SYSREG(3, 4, 6, 0, 0)}, {"HPFAR_EL2", SYSREG(3, 4, 6, 0, 4)},
	{"CNTVOFF_EL2", SYSREG(3, 4, 14, 0, 3)}, {"CNTHCTL_EL2", SYSREG(3, 4, 14, 1, 0)},
	{"CNTHP_CTL_EL2", SYSREG(3, 4, 14, 2, 1)}, {"CNTHP_CVAL_EL2", SYSREG(3, 4, 14, 2, 2)},
	{"VPIDR_EL2", SYSREG(3, 4, 0, 0, 0)}, {"VMPIDR_EL2", SYSREG(3, 4, 0, 0, 5)},
	{"ICC_SRE_EL2", SYSREG(3, 4, 12, 9, 5)}, {"ICH_HCR_EL2", SYSREG(3, 4, 12, 11, 0)},
	{"ICH_VTR_EL2", SYSREG(3, 4, 12, 11, 1)}, {"ICH_VMCR_EL2", SYSREG(3, 4, 12, 11, 7)},
	{"ICH_LR0_EL2", SYSREG(3, 4, 12, 12, 0)}, {"ICH_AP0R0_EL2", SYSREG(3, 4, 12, 8, 0)},
	{"ICH_AP1R0_EL2", SYSREG(3, 4, 12, 9, 0)}, {"TPIDR_EL2", SYSREG(3, 4, 13, 0, 2)},
	{"SCR_EL3", SYSREG(3, 6, 1, 1, 0)}, {"VBAR_EL3", SYSREG(3, 6, 12, 0, 0)},
	{"ICC_SRE_EL3", SYSREG(3, 6, 12, 12, 5)}, {"SCTLR_EL12", SYSREG(3, 5, 1, 0, 0)},
}, el2_operations[] = {
	{"TLBI ALLE2", SYSREG(1, 4, 8, 7, 0)}, {"TLBI ALLE2IS", SYSREG(1, 4, 8, 3, 0)},
	{"TLBI VAE2IS", SYSREG(1, 4, 8, 3, 1)}, {"TLBI ALLE1", SYSREG(1, 4, 8, 7, 4)},
	{"TLBI ALLE1IS", SYSREG(1, 4, 8, 3, 4)}, {"TLBI VMALLS12E1", SYSREG(1, 4, 8, 7, 6)},
	{"TLBI VMALLS12E1IS", SYSREG(1, 4, 8, 3, 6)}, {"TLBI IPAS2E1", SYSREG(1, 4, 8, 4, 1)},
	{"TLBI IPAS2E1IS", SYSREG(1, 4, 8, 0, 1)}, {"AT S12E1R", SYSREG(1, 4, 7, 8, 4)},
	{"AT S12E1W", SYSREG(1, 4, 7, 8, 5)}, {"AT S1E2R", SYSREG(1, 4, 7, 8, 0)},
};
/* clang-format on */

/* All that there could be of other levels, by number: op1 of EL2, EL12, EL3 and beyond. */
static bool none_there(uint32_t op0, const char *what)
{
	uint64_t found = 0;

	for (uint32_t reg = SYSREG(op0, 4, 0, 0, 0); reg < SYSREG(op0 + 1, 0, 0, 0, 0); reg++) {
		if (is_undefined(MSR(reg)) && is_undefined(MRS(reg)))
			continue;
		if (!found++)
			say(what, reg);
	}
	return !found;
}

static void test_registers(void)
{
	for (uint64_t i = 0; i < LENGTH(el2_regs); i++)
		put_result(is_undefined(MSR(el2_regs[i].reg)) && is_undefined(MRS(el2_regs[i].reg)),
			   el2_regs[i].name, ", written and read, is Undefined");
	for (uint64_t i = 0; i < LENGTH(el2_operations); i++)
		put_result(is_undefined(MSR(el2_operations[i].reg)), el2_operations[i].name,
			   " is Undefined");
	ok(none_there(3, "register"),
	   "all system registers of EL2 and EL3, by number, are Undefined");
	ok(none_there(2, "debug register"), "so are debug registers of op1 4 and more");
	ok(none_there(1, "operation"), "so are operations of EL2 and EL3");
}

static uint64_t test_registers_here(uint64_t arg)
{
	(void)arg;
	for (uint64_t i = 0; i < LENGTH(el2_regs); i++)
		if (!is_undefined(MSR(el2_regs[i].reg)))
			return 1;
	return 0;
}

void return_to(uint64_t spsr);
extern const uint8_t returned[];

/* The next instruction then is the one that cannot run, here. */
static void test_illegal_return(void)
{
	static const struct {
		const char *name;
		uint64_t spsr;
	} levels[] = {{"EL2h", SPSR_EL2H}, {"EL2t", SPSR_EL2T}, {"EL3h", SPSR_EL3H}};
	struct caught c;

	for (uint64_t i = 0; i < LENGTH(levels); i++)
		put_result(attempt(&c, return_to, levels[i].spsr) && EC(c.esr) == EC_ILLEGAL &&
				   c.elr == (uint64_t)returned && (c.spsr & 0xc) == EL1 &&
				   read_reg("currentel") == EL1,
			   "ERET to an illegal state, and no further: ", levels[i].name);
}

static void test_identity(void)
{
	ok((read_reg("mpidr_el1") & 0xff) == 0 && read_reg("midr_el1") >> 24 == 0x41,
	   "MPIDR_EL1 and MIDR_EL1 are the CPU's");
	ok(counter_offset() < read_reg("cntfrq_el0") / 10, "CNTVCT_EL0 is CNTPCT_EL0");
}

void test_level(void)
{
	test_entry();
	test_identity();
	test_cpu_on();
	test_on_and_off();
	test_started_once();
	test_suspend();
	test_hvc();
	test_smc();
	test_el3();
	test_immediates();
	test_registers();
	ok(on_each(test_registers_here, 0) == 0, "EL2's registers are Undefined on each CPU");
	test_illegal_return();
	audit("level");
}
