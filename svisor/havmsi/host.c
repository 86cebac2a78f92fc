// SPDX-License-Identifier: BSD-3-Clause
/*
 * The host on each CPU: run till it calls, or touches what is not mapped for it. Interrupts are its
 * own and do not come here; neither does anything else that it does by itself.
 */
#include "esr.h"
#include "gic.h"
#include "guest.h"
#include "has.h"
#include "host.h"
#include "ledger.h"
#include "log.h"
#include "svisor.h"
#include "sysreg.h"
#include "wipe.h"

/* HCR_EL2 (DDI 0487 D24.2.48): stage 2, cache maintenance by set and way not weaker than it, SMCs
 * trapped, AArch64. Interrupts are EL1's. */
#define HCR_VM (1ULL << 0)
#define HCR_SWIO (1ULL << 1)
#define HCR_TSC (1ULL << 19)
#define HCR_RW (1ULL << 31)
#define HCR_HOST (HCR_VM | HCR_SWIO | HCR_TSC | HCR_RW)

#define CPTR_HOST 0x33ffULL /* RES1: nothing traps (D24.2.34) */
#define CNTHCTL_HOST 3      /* nor the counter and the timer */
#define PSTATE_EL1H_MASKED 0x3c5
#define PMCR_E 1ULL
#define PAR_F 1ULL
#define PAR_ADDRESS 0x0000fffffffff000ULL

/* PSCI (DEN 0022), and what of the rest is the host's to ask EL3 (DEN 0028, DEN 0098) */
#define SMC64_BIT 0x40000000
#define PSCI(n) (0x84000000 | (n))
#define PSCI_CPU_SUSPEND PSCI(1)
#define PSCI_CPU_OFF PSCI(2)
#define PSCI_CPU_ON PSCI(3)
#define PSCI_SYSTEM_OFF PSCI(8)
#define PSCI_SYSTEM_RESET PSCI(9)
#define PSCI_FEATURES PSCI(0xa)
#define PSCI_SYSTEM_RESET2 PSCI(0x12)
#define PSCI_LAST PSCI(0x1f)
/* VERSION to AFFINITY_INFO, MIGRATE_INFO_TYPE, SYSTEM_OFF, _RESET, FEATURES, NODE_HW_STATE, STAT_*,
 * SYSTEM_RESET2. Those that would start the host anew, at an address of its own, are known here. */
#define PSCI_PASSED 0x7275fU
#define TRNG_FIRST PSCI(0x50)
#define TRNG_LAST PSCI(0x53)
#define OWNER(call) ((call) >> 24 & 0x3f)
#define OWNER_ARM 0
#define NOT_SUPPORTED ((uint64_t)-1)

#define MPIDR_AFFINITY 0xff00ffffffULL

/* A CPU's host, while it is not in. */
static struct host {
	uint64_t x[31];
	uint64_t pc, pstate;
	struct guest_sysregs sys;
	uint64_t pmcr, pmuserenr;
} hosts[TV_MAX_CPUS];

/* Where CPU_ON, or CPU_SUSPEND, lets a CPU start. CPUs are known by their order. */
static struct spinlock starts_lock;
static struct start {
	uint64_t mpidr, entry, context;
} starts[TV_MAX_CPUS];
static unsigned cpus = 1;

static const struct tv_manifest *board;

static struct host *this_host(void)
{
	return &hosts[cpu_index()];
}

/* ---- to a guest and back ---------------------------------------------------- */

void host_out(uint64_t hcr)
{
	struct host *h = this_host();

#define X(name) h->sys.name = read_sysreg(name);
	GUEST_SYSREGS(X)
#undef X
	if (cpu_has.pmu) {
		h->pmuserenr = read_sysreg(pmuserenr_el0);
		h->pmcr = read_sysreg(pmcr_el0);
		load_sysreg(pmcr_el0, h->pmcr & ~PMCR_E);
	}
	guest_stage2_vmid(HOST_VMID); /* and no table */
	load_sysreg(hcr_el2, hcr);
	gic_load();
}

static void govern_host(void)
{
	load_sysreg(hcr_el2, HCR_HOST);
	load_sysreg(vmpidr_el2, read_sysreg(mpidr_el1));
	load_sysreg(cntvoff_el2, 0);
	isb(); /* EL1's registers are whole before its stage 2 is there */
	load_sysreg(vttbr_el2, host_stage2());
}

void host_in(void)
{
	const struct host *h = this_host();

	gic_unload();
#define X(name) load_sysreg(name, h->sys.name);
	GUEST_SYSREGS(X)
#undef X
	if (cpu_has.pmu) {
		load_sysreg(pmuserenr_el0, h->pmuserenr);
		load_sysreg(pmcr_el0, h->pmcr);
	}
	govern_host();
}

void host_find_ipa(struct guest_exit *exit)
{
	uint64_t par, found;

	if (exit->kind != GUEST_SYNC || !ESR_IS_ABORT(exit->esr) ||
	    !FSC_IS_PERMISSION(exit->esr & ESR_ABT_FSC) || (exit->esr & ESR_ABT_S1PTW))
		return;
	par = read_sysreg(par_el1);
	__asm__ volatile("at s1e1r, %0" ::"r"(exit->far));
	isb();
	found = read_sysreg(par_el1);
	write_sysreg(par_el1, par);
	exit->hpfar = (found & PAR_ADDRESS) >> 8;
	if (found & PAR_F)
		exit->kind = GUEST_IRQ;
}

/* ---- exceptions that the host gets instead ---------------------------------- */

/* Of the guest whose registers these are, that is the host: as if it were one of our own. */
static void inject(struct host *h, uint64_t esr, uint64_t far, bool far_valid)
{
	static struct guest_regs all[TV_MAX_CPUS];
	struct guest_regs *regs = &all[cpu_index()];

	regs->pc = h->pc;
	regs->pstate = h->pstate;
	regs->sys.vbar_el1 = read_sysreg(vbar_el1);
	regs->sys.sctlr_el1 = read_sysreg(sctlr_el1);
	guest_inject(regs, esr, far, far_valid);
	write_sysreg(elr_el1, regs->sys.elr_el1);
	write_sysreg(spsr_el1, regs->sys.spsr_el1);
	write_sysreg(esr_el1, esr);
	if (far_valid)
		write_sysreg(far_el1, far);
	h->pc = regs->pc;
	h->pstate = regs->pstate;
}

/* What is not its own answers as memory does that is closed to it: a synchronous external abort. */
static void inject_external(struct host *h, uint64_t esr)
{
	uint64_t ec = ESR_EC(esr) + (h->pstate & PSTATE_EL ? EC_ABT_SAME : 0);

	inject(h, ec << ESR_EC_SHIFT | ESR_IL | FSC_EXTERNAL | (esr & (ESR_ABT_WNR | ESR_ABT_CM)),
	       read_sysreg(far_el2), true);
}

static void touch(struct host *h, uint64_t esr)
{
	ipa_t ipa = HPFAR_IPA(read_sysreg(hpfar_el2));

	if (!FSC_HAS_IPA(esr & ESR_ABT_FSC) || host_map(ipa) != TV_OK)
		inject_external(h, esr);
}

/* ---- calls ------------------------------------------------------------------ */

/* Which CPU this is, of those that may come up: the next one, if it is new; or TV_MAX_CPUS. */
static unsigned find_cpu(uint64_t mpidr)
{
	unsigned i = 0;

	assert_held(&starts_lock);
	while (i < cpus && starts[i].mpidr != mpidr)
		i++;
	return i;
}

/*
 * EL3 is to start that CPU at entry, context: here, and then the host there, at EL1.
 *   why:    till EL3 has answered, the CPU may be on its way here by an earlier call; it waits for
 *           the lock. What is refused changes nothing, and is no CPU to be counted.
 */
static void start_locked(uint64_t *x, uint64_t mpidr)
{
	unsigned i = find_cpu(mpidr);
	struct start was;

	if (i == TV_MAX_CPUS) {
		x[0] = NOT_SUPPORTED;
		return;
	}
	was = starts[i];
	starts[i] = (struct start){.mpidr = mpidr, .entry = x[2], .context = x[3]};
	x[2] = (uint64_t)entry_warm;
	x[3] = i;
	el3_call(x);
	if (x[0])
		starts[i] = was;
	else if (i == cpus)
		cpus++;
}

static void cpu_on(uint64_t *x)
{
	spin_lock(&starts_lock);
	start_locked(x, x[1] & MPIDR_AFFINITY);
	spin_unlock(&starts_lock);
}

/* This CPU's own entry is nobody else's to change while it is on. */
static void cpu_suspend(uint64_t *x)
{
	unsigned cpu = cpu_index();

	spin_lock(&starts_lock);
	starts[cpu].entry = x[2];
	starts[cpu].context = x[3];
	spin_unlock(&starts_lock);
	x[2] = (uint64_t)entry_warm;
	x[3] = cpu;
	el3_call(x);
}

static bool has_reset2(uint64_t call)
{
	uint64_t x[SMC_REGISTERS] = {PSCI_FEATURES, (uint32_t)call};

	el3_call(x);
	return (int32_t)x[0] >= 0;
}

static void psci(uint64_t *x)
{
	uint32_t call = (uint32_t)x[0] & ~SMC64_BIT;
	bool ok = PSCI_PASSED >> (call & 0x1f) & 1;

	if (!(x[0] & SMC64_BIT)) {
		for (unsigned i = 1; i < 4; i++)
			x[i] = (uint32_t)x[i];
	}
	switch (call) {
	case PSCI_CPU_ON:
		x[0] |= SMC64_BIT; /* our entry may be above 4 GiB */
		cpu_on(x);
		return;
	case PSCI_CPU_SUSPEND:
		x[0] |= SMC64_BIT;
		cpu_suspend(x);
		return;
	case PSCI_SYSTEM_RESET2:
		ok = has_reset2(x[0]);
		if (ok)
			wipe_run();
		break;
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
		wipe_run();
		break;
	default:
		break;
	}
	if (ok)
		el3_call(x);
	else
		x[0] = NOT_SUPPORTED;
}

/* Nothing that would have EL3 call the host back, at our level, is passed on (SDEI). */
static void other_call(uint64_t *x)
{
	uint32_t call = x[0] & ~SMC64_BIT;

	if (call >= PSCI(0) && call <= PSCI_LAST)
		psci(x);
	else if (OWNER(x[0]) == OWNER_ARM || (call >= TRNG_FIRST && call <= TRNG_LAST))
		el3_call(x);
	else
		x[0] = NOT_SUPPORTED;
}

static void smc(struct host *h)
{
	struct tv_args args;

	h->pc += 4;
	if ((uint32_t)h->x[0] - TV_SMC(0) >= TV_CALLS) {
		other_call(h->x);
		return;
	}
	for (unsigned i = 0; i < 5; i++)
		args.x[i] = h->x[i];
	svisor_call(&args);
	for (unsigned i = 0; i < 5; i++)
		h->x[i] = args.x[i];
}

static void serve_host(struct host *h)
{
	uint64_t esr = read_sysreg(esr_el2);

	switch (ESR_EC(esr)) {
	case EC_SMC64:
		smc(h);
		break;
	case EC_HVC64: /* the stub that Linux leaves at EL2 elsewhere is not there */
		h->x[0] = NOT_SUPPORTED;
		break;
	case EC_DABT_LOWER:
	case EC_IABT_LOWER:
		touch(h, esr);
		break;
	default:
		inject(h, ESR_IL, 0, false);
		break;
	}
}

/* ---- life ------------------------------------------------------------------- */

/* What governs the host, and does not change with guests that come and go. */
static void prepare(void)
{
	write_sysreg(ICC_SRE_EL2, ICC_SRE); /* the others are UNDEFINED before */
	isb();
	gic_find();
	gic_none();
	write_sysreg(cptr_el2, CPTR_HOST);
	write_sysreg(mdcr_el2, pmu_counters()); /* profiling, whose buffer EL2 owns, is nobody's */
	write_sysreg(cnthctl_el2, CNTHCTL_HOST);
	write_sysreg(sctlr_el1, SCTLR_EL1_RESET);
	govern_host();
}

static _Noreturn void run(struct host *h)
{
	for (;;) {
		load_sysreg(elr_el2, h->pc);
		load_sysreg(spsr_el2, h->pstate);
		guest_enter(h->x);
		h->pc = read_sysreg(elr_el2);
		h->pstate = read_sysreg(spsr_el2);
		serve_host(h);
	}
}

/* A CPU on which guests cannot run as on the first one is none for the host, either. */
static _Noreturn void turn_off(int64_t status)
{
	uint64_t x[SMC_REGISTERS] = {PSCI_CPU_OFF};

	log_line("CPU %u is not like the first one (%ld): it stays off", cpu_index(), (long)status);
	el3_call(x);
	panic("a CPU does not turn off");
}

_Noreturn void serve(int64_t status)
{
	struct host *h = this_host();
	unsigned cpu = cpu_index();

	if (status != TV_OK)
		turn_off(status);
	*h = (struct host){.pstate = PSTATE_EL1H_MASKED};
	if (board) {
		spin_lock(&starts_lock);
		h->pc = starts[cpu].entry;
		h->x[0] = starts[cpu].context;
		spin_unlock(&starts_lock);
	} else {
		board = &ledger.board;
		host_stage2_init(board);
		starts[0].mpidr = read_sysreg(mpidr_el1) & MPIDR_AFFINITY;
		h->pc = board->host;
		for (unsigned i = 0; i < 4; i++)
			h->x[i] = board->host_x[i];
	}
	prepare();
	run(h);
}
