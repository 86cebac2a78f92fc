// SPDX-License-Identifier: BSD-3-Clause
/* N-VMs: their calls, and how a vCPU goes in and comes out. */
#include <pthread.h>
#include <stdatomic.h>

#include "heap.h"
#include "unit_nvm.h"
#include "wipe.h"

TEST(info, "nvm: the host is told of the virtual GIC")
{
	boot();
	check_eq(call(TV_HOST_INFO, 0, 0, 0, 0).x[0], TV_OK);
	check_eq(call(TV_HOST_INFO, 0, 0, 0, 0).x[1], HOST_VTR);
}

TEST(create, "nvm: what is asked of root, level and address bits is as for S-VMs")
{
	uint64_t root = HOST_DRAM + 0x100000;

	boot();
	add_pool();
	check_eq(smc(TV_NVM_CREATE, root, 40, 2, 0), TV_EINVAL);
	check_eq(smc(TV_NVM_CREATE, root, 40, (1ULL << 32) + 1, 0), TV_EINVAL);
	check_eq(smc(TV_NVM_CREATE, root, (1ULL << 32) + 40, 1, 0), TV_EINVAL);
	check_eq(smc(TV_NVM_CREATE, root, 30, 1, 0), TV_EINVAL);
	check_eq(smc(TV_NVM_CREATE, root + PAGE(1), 40, 1, 0), TV_EINVAL);
	check_eq(smc(TV_NVM_CREATE, HOST_SVISOR, 39, 1, 0), TV_EINVAL);
	check_eq(smc(TV_CHUNK_TAKE, TV_SVISOR, CHUNK(0), 0, 0), TV_OK);
	check_eq(smc(TV_NVM_CREATE, CHUNK(0), 39, 1, 0), TV_EINVAL);
	check_eq(smc(TV_NVM_CREATE, root, 40, 1, 0), TV_OK);
	check_audit();
}

TEST(many, "nvm: as many as there are slots; each VMID is one's own, and no S-VM's")
{
	bool seen[256] = {false};
	struct nvm n;
	unsigned made;

	boot();
	for (made = 0;; made++) {
		struct tv_args a = call(TV_NVM_CREATE, HOST_DRAM + 0x100000, 40, 1, 0);

		if (a.x[0]) {
			check_eq(a.x[0], TV_ENOMEM);
			check_eq(a.x[1], 0);
			break;
		}
		n.handle = a.x[1];
		check_eq(nvm_run_new(&n), TV_OK);
		check(host_run.vmid > TV_MAX_VMS && host_run.vmid < 256 && !seen[host_run.vmid]);
		seen[host_run.vmid] = true;
	}
	check_eq(made, 64);
	check_eq(destroy(&n), TV_OK);
	check_eq(smc(TV_NVM_CREATE, HOST_DRAM + 0x100000, 40, 1, 0), TV_OK);
	check_audit();
}

TEST(no_heap, "nvm: with the heap empty none is made, and a slot is not lost")
{
	boot();
	while (heap_alloc(1))
		;
	for (unsigned i = 0; i < 100; i++)
		check_eq(smc(TV_NVM_CREATE, HOST_DRAM + 0x100000, 40, 1, 0), TV_ENOHEAP);
}

/* No call knows it. */
static void check_unknown(uint64_t handle)
{
	struct nvm n = {.handle = handle};

	check_eq(nvm_run_new(&n), TV_ENOENT);
	check_eq(forget(&n, 0, 0), TV_ENOENT);
	check_eq(destroy(&n), TV_ENOENT);
}

TEST(handles, "nvm: a stale, wrong or S-VM's handle is none")
{
	struct nvm n;
	struct svm vm;
	uint64_t old;

	boot();
	add_pool();
	check_unknown(0);
	n = nvm_new();
	old = n.handle;
	check_unknown(old + 1);
	check_unknown(old + 64);
	check_unknown(old + 0xff);
	check_unknown(old + (1 << 8));
	check_unknown(old | 1ULL << 63);
	check_unknown(-1);
	check_eq(destroy(&n), TV_OK);
	check_unknown(old);
	n = nvm_new();
	check(n.handle != old);
	check_unknown(old);
	check_eq(nvm_run_new(&n), TV_OK);
	vm = svm_launch(0, 1, 1);
	check_eq(destroy(&n), TV_OK);
	check_unknown(vm.handle);
	n = nvm_new();
	check_eq(svm_destroy(n.handle), TV_ENOENT);
}

TEST(no_page, "nvm: a CPU without a shared page runs none")
{
	struct nvm n;

	boot();
	n = nvm_new();
	host_cpu(5);
	check_eq(smc(TV_NVM_RUN, n.handle, 0, 0, 0), TV_EFAULT);
	check_eq(destroy(&n), TV_OK);
}

TEST(refused, "nvm: lists that do not do are refused")
{
	struct nvm n;

	boot();
	n = nvm_new();
	GUEST({{GUEST_IRQ, 0, 0, 0}, NULL});
	host_lists_ok = false;
	check_eq(nvm_run_new(&n), TV_EINVAL);
	check_eq(guest_runs, 0);
	host_lists_ok = true;
	check_eq(nvm_run_new(&n), TV_OK);
	check_eq(guest_runs, 1);
}

TEST(counter, "nvm: its counter is as KVM sets it, ahead of the machine's too")
{
	static const uint64_t offset[] = {0, 100, -1UL, 1UL << 63};
	struct nvm n;

	boot();
	n = nvm_new();
	for (unsigned i = 0; i < 4; i++) {
		memset(shared(), 0, TV_PAGE_SIZE);
		state()->pstate = PSTATE_EL1H;
		shared()->cntvoff = offset[i];
		check_eq(smc(TV_NVM_RUN, n.handle, 0, 0, 0), TV_OK);
		check_eq(host_run.cntvoff, offset[i]);
	}
}

/* The CPU has AArch32 at EL0, or has it not: ID_AA64PFR0_EL1.EL0 */
static void each_mode(bool aarch32)
{
	struct nvm n;

	boot();
	host_id[8 * 4 + 0] = aarch32 ? 0x12 : 0x11;
	n = nvm_new();
	GUEST({{GUEST_IRQ, 0, 0, 0}, NULL});
	for (unsigned mode = 0; mode < 32; mode++) {
		bool ok = mode == 0 || mode == 4 || mode == 5 || (aarch32 && mode == 16);

		memset(shared(), 0, TV_PAGE_SIZE);
		state()->pstate = 0xf00003c0 | mode;
		check_eq(smc(TV_NVM_RUN, n.handle, 0, 0, 0), ok ? TV_OK : TV_EINVAL);
		if (ok)
			check_eq(guest_saw.pstate, 0xf00003c0 | mode);
	}
	check_eq(guest_runs, aarch32 ? 4 : 3);
}

TEST(pstate, "nvm: a vCPU enters EL1 or EL0, AArch32 only there, and never another level")
{
	each_mode(true);
}

TEST(pstate64, "nvm: a CPU without AArch32 does not enter it")
{
	each_mode(false);
}

/* clang-format off */
#define EACH_SYSREG(X) \
	X(sctlr, sctlr_el1) X(cpacr, cpacr_el1) X(ttbr0, ttbr0_el1) X(ttbr1, ttbr1_el1) X(tcr, tcr_el1) \
	X(mair, mair_el1) X(amair, amair_el1) X(vbar, vbar_el1) X(contextidr, contextidr_el1) \
	X(esr, esr_el1) X(afsr0, afsr0_el1) X(afsr1, afsr1_el1) X(far, far_el1) X(par, par_el1) \
	X(elr, elr_el1) X(spsr, spsr_el1) X(sp_el0, sp_el0) X(sp_el1, sp_el1) X(tpidr_el0, tpidr_el0) \
	X(tpidrro_el0, tpidrro_el0) X(tpidr_el1, tpidr_el1) X(csselr, csselr_el1) X(mdscr, mdscr_el1) \
	X(cntkctl, cntkctl_el1)
/* clang-format on */

static void change_all(struct guest_regs *regs)
{
	for (unsigned i = 0; i < 31; i++)
		regs->x[i] += 1000;
	regs->pc += 4;
	regs->pstate = 0x3c0;
#define X(name, real) regs->sys.real += 1000;
	EACH_SYSREG(X)
#undef X
	regs->fpcr++;
	regs->fpsr++;
	for (unsigned i = 0; i < 512; i++)
		(&regs->z[0][0])[i]++;
}

TEST(all_state, "nvm: all of a vCPU's state comes from KVM, and goes back to it")
{
	struct tv_state saw;
	struct nvm n;
	unsigned k = 1;

	boot();
	n = nvm_new();
	GUEST({{GUEST_SYNC, EC(0x16) | 5, 0x1234, 0x5670}, change_all});
	memset(shared(), 0, TV_PAGE_SIZE);
	for (unsigned i = 0; i < 31; i++)
		shared()->gpr[i] = k++;
	shared()->pc = 0x80000;
#define X(name, real) state()->name = k++;
	EACH_SYSREG(X)
#undef X
	state()->pstate = PSTATE_EL1H;
	state()->traps = 0x4000;
	fp()->fpcr = k++;
	fp()->fpsr = k++;
	for (unsigned i = 0; i < 512; i++)
		(&fp()->q[0][0])[i] = i;
	saw = *state();
	check_eq(smc(TV_NVM_RUN, n.handle, 0x101, 0, 0), TV_OK);
	check(guest_saw.ordinary);
	check_eq(guest_saw.mpidr, 0x101);
	check_eq(guest_saw.traps, 0x4000);
	check_eq(guest_saw.pc, 0x80000);
	check_eq(guest_saw.features, 0);
	k = 1;
	for (unsigned i = 0; i < 31; i++) {
		check_eq(guest_saw.x[i], k++);
		check_eq(shared()->gpr[i], guest_saw.x[i] + 1000);
	}
#define X(name, real) \
	check_eq(guest_saw.sys.real, k++); \
	check_eq(state()->name, saw.name + 1000);
	EACH_SYSREG(X)
#undef X
	check_eq(guest_saw.fpcr, k);
	check_eq(guest_saw.fpsr, k + 1);
	check_eq(fp()->fpcr, k + 1);
	check_eq(fp()->fpsr, k + 2);
	for (unsigned i = 0; i < 512; i++) {
		check_eq((&guest_saw.z[0][0])[i], (uint8_t)i);
		check_eq((&fp()->q[0][0])[i], (uint8_t)(i + 1));
	}
	check_eq(shared()->pc, 0x80004);
	check_eq(state()->pstate, 0x3c0);
	check_eq(shared()->exit, TV_EXIT_SYNC);
	check_eq(shared()->esr, EC(0x16) | 5);
	check_eq(shared()->far, 0x1234);
	check_eq(shared()->hpfar, 0x5670);
}

TEST(exits, "nvm: interrupts, SErrors and all synchronous exceptions come to KVM")
{
	struct nvm n;

	boot();
	n = nvm_new();
	npt_page(&n.npt, RAM, ORDINARY);
	GUEST({{GUEST_SERROR, EC(0x24) | 7, 0, HPFAR(RAM)}, NULL}, {{GUEST_IRQ, 0, 0, 0}, NULL},
	      SYNC(EC(0x24) | 0x10, 0, HPFAR(RAM)), SYNC(EC(0x16) | TRANSLATION_L3, 0, HPFAR(RAM)));
	check_eq(nvm_run_new(&n), TV_OK);
	check_eq(shared()->exit, TV_EXIT_NVM_SERROR);
	check_eq(shared()->esr, EC(0x24) | 7);
	check_eq(nvm_run_new(&n), TV_OK);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	for (unsigned i = 0; i < 2; i++) { /* an external abort; no abort at all */
		check_eq(nvm_run_new(&n), TV_OK);
		check_eq(shared()->exit, TV_EXIT_SYNC);
	}
	check_eq(guest_runs, 4);
}

TEST(serror, "nvm: a virtual SError is made pending when KVM says so")
{
	struct nvm n;

	boot();
	n = nvm_new();
	check_eq(nvm_run_new(&n), TV_OK);
	check(!host_run.vserror);
	memset(shared(), 0, TV_PAGE_SIZE);
	state()->pstate = PSTATE_EL1H;
	shared()->flags = TV_RUN_SERROR;
	check_eq(smc(TV_NVM_RUN, n.handle, 0, 0, 0), TV_OK);
	check(host_run.vserror);
	check_eq(shared()->flags, 0);
}

static unsigned flushes(struct nvm *n, unsigned cpu, uint64_t mpidr)
{
	unsigned before = host_count[HOST_TLB_LOCAL];

	host_cpu(cpu);
	memset(shared(), 0, TV_PAGE_SIZE);
	state()->pstate = PSTATE_EL1H;
	check_eq(smc(TV_NVM_RUN, n->handle, mpidr, 0, 0), TV_OK);
	host_cpu(0);
	return host_count[HOST_TLB_LOCAL] - before;
}

TEST(last, "nvm: a CPU on which another vCPU of it ran last forgets that one's stage 1")
{
	struct nvm n, other;

	boot();
	n = nvm_new();
	other = nvm_new();
	check_eq(flushes(&n, 0, 0), 1);
	check_eq(host_what[HOST_TLB_LOCAL], host_run.vmid);
	check_eq(flushes(&n, 0, 0), 0);
	check_eq(flushes(&n, 0, 1), 1);
	check_eq(flushes(&n, 0, 1), 0);
	check_eq(flushes(&n, 1, 1), 1);
	check_eq(flushes(&other, 0, 1), 1);
	check_eq(flushes(&n, 0, 1), 0);
	check_eq(flushes(&n, 0, 0), 1);
	check_eq(destroy(&n), TV_OK);
	n = nvm_new();
	check_eq(flushes(&n, 0, 0), 1);
}

static struct nvm busy;

static void meanwhile(struct guest_regs *regs)
{
	(void)regs;
	host_cpu(1);
	check_eq(destroy(&busy), TV_EBUSY);
	check_eq(forget(&busy, 0, 0), TV_OK);
	host_cpu(0);
}

TEST(destroy_busy, "nvm: while a vCPU runs it is not destroyed, and forgets nevertheless")
{
	uint64_t size;

	boot();
	busy = nvm_new();
	npt_page(&busy.npt, RAM, ORDINARY);
	check(reads(&busy, RAM));
	check(nvm_leaf(RAM, &size));
	GUEST({{GUEST_IRQ, 0, 0, 0}, meanwhile});
	check_eq(nvm_run_new(&busy), TV_OK);
	check(!nvm_leaf(RAM, &size));
	check_eq(destroy(&busy), TV_OK);
	check_audit();
}

TEST(refused_over, "nvm: a vCPU that was refused does not run on")
{
	struct nvm n;

	boot();
	n = nvm_new();
	host_lists_ok = false;
	check_eq(nvm_run_new(&n), TV_EINVAL);
	host_lists_ok = true;
	check_eq(destroy(&n), TV_OK);
}

TEST(heap_back, "nvm: all of the heap is back when it is destroyed, and counted till then")
{
	struct nvm n;
	uint64_t before;
	uint64_t stats;

	boot();
	add_pool();
	before = audit().x[4];
	stats = call(TV_STATS, TV_STATS_HEAP, 0, 0, 0).x[3];
	n = nvm_new();
	for (unsigned i = 0; i < 4; i++) {
		npt_page(&n.npt, RAM + i * (1UL << 31), ORDINARY + PAGE(i));
		check(reads(&n, RAM + i * (1UL << 31)));
	}
	check_eq(audit().x[4], before - 1 - 1 - 2 * 4); /* the root; of each level */
	check_eq(call(TV_STATS, TV_STATS_HEAP, 0, 0, 0).x[3], stats + 10);
	check_audit();
	check_eq(destroy(&n), TV_OK);
	check_eq(audit().x[4], before);
	check_eq(call(TV_STATS, TV_STATS_HEAP, 0, 0, 0).x[3], stats);
	check_audit();
}

TEST(destroy_order, "nvm: its tables are free only when no TLB knows its VMID")
{
	struct nvm n;
	uint16_t vmid;

	boot();
	n = nvm_new();
	check_eq(nvm_run_new(&n), TV_OK);
	vmid = host_run.vmid;
	host_forget();
	check_eq(destroy(&n), TV_OK); /* nothing was mapped; walks may be cached */
	check_eq(host_count[HOST_TLB_VM], 1);
	check_eq(host_what[HOST_TLB_VM], vmid);
}

static struct nvm endless;

static void always_faults(struct guest_regs *regs, struct guest_exit *out)
{
	(void)regs;
	*out = (struct guest_exit){GUEST_SYNC, EC(EC_DATA) | TRANSLATION_L3, 0, HPFAR(RAM)};
	__atomic_fetch_add(&guest_runs, 1, __ATOMIC_RELAXED);
}

static void *run_endless(void *arg)
{
	(void)arg;
	host_cpu(1);
	return (void *)nvm_run_new(&endless);
}

TEST(wipe_ends, "nvm: a guest whose faults are all served does not hold up the wipe")
{
	pthread_t thread;
	void *ret;

	boot();
	endless = nvm_new();
	npt_page(&endless.npt, RAM, ORDINARY);
	guest_runs = 0;
	host_guest = always_faults;
	check_eq(pthread_create(&thread, NULL, run_endless, NULL), 0);
	while (__atomic_load_n(&guest_runs, __ATOMIC_RELAXED) < 100)
		cpu_relax();
	check_eq(smc(TV_DISPATCH_WIPE, 0, 0, 0, 0), TV_OK);
	check_eq(pthread_join(thread, &ret), 0);
	check_eq((int64_t)ret, TV_OK);
	check_eq(nvm_run_new(&endless), TV_ESTATE);
	check_eq(destroy(&endless), TV_ESTATE);
}

static atomic_bool done;

static void *faults_on(void *arg)
{
	host_cpu(1);
	while (!atomic_load(&done)) {
		check_eq(nvm_run_new(&endless), TV_OK);
		check_eq(destroy(&endless), TV_OK);
		endless.handle = call(TV_NVM_CREATE, endless.npt.root, NPT_BITS, NPT_LEVEL, 0).x[1];
	}
	return arg;
}

static void one_fault(struct guest_regs *regs, struct guest_exit *out)
{
	static bool again;

	(void)regs;
	again = !again;
	if (again)
		*out = (struct guest_exit){GUEST_SYNC, EC(EC_DATA) | TRANSLATION_L3, 0, HPFAR(RAM)};
}

TEST(stats_meanwhile, "nvm: no page of the heap seems lost while one comes, faults and goes")
{
	pthread_t thread;

	boot();
	endless = nvm_new();
	npt_page(&endless.npt, RAM, ORDINARY);
	host_guest = one_fault;
	check_eq(pthread_create(&thread, NULL, faults_on, NULL), 0);
	for (unsigned i = 0; i < 2000; i++)
		check_eq(lost_pages(), 0);
	atomic_store(&done, true);
	check_eq(pthread_join(thread, NULL), 0);
}

static atomic_bool held;

/* A lock that is not freed */
static void keep(enum host_op op, uint64_t what)
{
	if (op != HOST_TLB_VM || what != host_run.vmid)
		return;
	host_op_hook = NULL;
	host_cpu(1);
	check_eq(smc(TV_STATS, TV_STATS_VMS, 0, 0, 0), TV_EBUSY);
	host_cpu(0);
	atomic_store(&held, true);
}

TEST(stats_lock, "nvm: a lock of one that is not freed is told by TV_STATS, and no other is kept")
{
	struct nvm n, other;

	boot();
	host_hz = 1000;
	other = nvm_new();
	n = nvm_new();
	npt_page(&n.npt, RAM, ORDINARY);
	check(reads(&n, RAM));
	host_op_hook = keep;
	check_eq(forget(&n, 0, 0), TV_OK);
	check(atomic_load(&held));
	check_audit();
	check_eq(nvm_run_new(&other), TV_OK);
	check_eq(nvm_run_new(&n), TV_OK);
}
