// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "esr.h"
#include "host.h"
#include "leaves.h"
#include "ledger.h"
#include "lend.h"
#include "nvm.h"
#include "share.h"
#include "vm.h"
#include "wipe.h"

#define INDEX_BITS 8
#define MAX_NVMS 64
#define FIRST_VMID (TV_MAX_VMS + 1) /* behind those of S-VMs */

/* Rights in the normal S2PT (DDI 0487 D8.3.1.2); XN[0] alone is of EL1 and EL0 */
#define LEAF_AF (1ULL << 10)

/*
 *   state     may follow   what
 *   NVM_NONE               the slot is free
 *   NVM_LIVE  NONE         vCPUs may run
 * All guarded by `lock`; a vCPU that runs keeps it LIVE.
 */
enum nvm_state { NVM_NONE, NVM_LIVE };

static struct nvm {
	struct spinlock lock;
	enum nvm_state state;
	uint64_t generation;
	unsigned running;
	struct npt npt;
	struct s2pt s2;
	uint64_t last[TV_MAX_CPUS]; /* MPIDR + 1 of the vCPU that ran last there, or 0 */
} nvms[MAX_NVMS];

/* The vCPU that runs on each CPU */
static struct guest_regs running[TV_MAX_CPUS];

static struct nvm *nvm_lock(uint64_t handle)
{
	uint64_t index = handle & ((1 << INDEX_BITS) - 1);
	struct nvm *n;

	if (index >= MAX_NVMS)
		return NULL;
	n = &nvms[index];
	spin_lock(&n->lock);
	if (n->state == NVM_LIVE && n->generation == handle >> INDEX_BITS)
		return n;
	spin_unlock(&n->lock);
	return NULL;
}

static int create_locked(struct nvm *n, const struct npt *npt)
{
	assert_held(&n->lock);
	if (n->state != NVM_NONE)
		return TV_EBUSY;
	if (s2_init(&n->s2, FIRST_VMID + (n - nvms)) != TV_OK)
		return TV_ENOHEAP;
	n->npt = *npt;
	n->generation++;
	n->state = NVM_LIVE;
	return TV_OK;
}

static int create(const struct npt *npt, uint64_t *handle)
{
	int ret = npt_check(npt);

	if (ret != TV_OK)
		return ret;
	for (struct nvm *n = nvms; n < nvms + MAX_NVMS; n++) {
		spin_lock(&n->lock);
		ret = create_locked(n, npt);
		*handle = n->generation << INDEX_BITS | (n - nvms);
		spin_unlock(&n->lock);
		if (ret != TV_EBUSY)
			return ret;
	}
	return TV_ENOMEM;
}

static void forget_locked(struct nvm *n, uint64_t from, uint64_t to)
{
	assert_held(&n->lock);
	s2_remove(&n->s2, IPA(from), IPA(to), take_back);
}

static int forget(uint64_t handle, ipa_t ipa, uint64_t size)
{
	struct nvm *n = nvm_lock(handle);
	uint64_t limit;
	int ret = TV_OK;

	if (!n)
		return TV_ENOENT;
	limit = 1ULL << n->npt.bits;
	if (!size)
		forget_locked(n, 0, limit);
	else if (range_ok(ipa.v, size, limit))
		forget_locked(n, ipa.v, ipa.v + size);
	else
		ret = TV_EINVAL;
	spin_unlock(&n->lock);
	return ret;
}

static int destroy(uint64_t handle)
{
	struct nvm *n = nvm_lock(handle);
	int ret = TV_EBUSY;

	if (!n)
		return TV_ENOENT;
	if (!n->running) {
		forget_locked(n, 0, 1ULL << n->npt.bits);
		tlb_flush_vm(n->s2.vmid); /* walks, too */
		s2_free(&n->s2);
		memset(n->last, 0, sizeof(n->last));
		n->state = NVM_NONE;
		ret = TV_OK;
	}
	spin_unlock(&n->lock);
	return ret;
}

/* ---- stage-2 faults --------------------------------------------------------- */

/* Would the normal S2PT let this access through? A walk of stage 1 reads; where it is refused that
 * it may do, it was about to write: access flag or dirty state. */
static bool allows(uint64_t rights, uint64_t esr)
{
	bool walk = esr & ESR_ABT_S1PTW, fetch = !walk && ESR_EC(esr) == EC_IABT_LOWER;
	bool write = walk ? FSC_IS_PERMISSION(esr & ESR_ABT_FSC) : (esr & ESR_ABT_WNR);

	return (rights & LEAF_AF) && (rights & (write ? S2_WRITE : S2_READ)) &&
	       !(fetch && (rights & S2_XN));
}

/*
 *   before: mapped in some other way, or not at all
 *   after:  a page or a block of ordinary memory is, as asked for, and its chunk knows
 */
static int map(struct nvm *n, ipa_t ipa, pa_t at, uint64_t size, uint64_t rights)
{
	uint64_t unit = size >= BLOCK_SIZE ? BLOCK_SIZE : TV_PAGE_SIZE;
	uint64_t base = ipa.v & ~(unit - 1);
	pa_t to = PA(at.v & ~(unit - 1));
	int ret;

	assert_held(&n->lock);
	forget_locked(n, base, base + unit);
	if (!lend(to, unit))
		return TV_EDENIED;
	ret = s2_put(&n->s2, IPA(base), to, unit == BLOCK_SIZE ? 2 : 3, rights);
	if (ret != TV_OK)
		take_back(to, unit);
	return ret;
}

/* What hardware would say that walks the normal S2PT: there is something, with fewer rights, or
 * old. KVM takes a translation fault to mean that there is nothing, and changes nothing if there
 * is. */
static int refuse(struct guest_exit *exit, uint64_t size, uint64_t rights)
{
	uint64_t level = size < BLOCK_SIZE ? 3 : size == BLOCK_SIZE ? 2 : 1;
	uint64_t fsc = (rights & LEAF_AF) ? FSC_PERMISSION : FSC_ACCESS_FLAG;

	exit->esr = (exit->esr & ~ESR_ABT_FSC) | fsc | level;
	return TV_AGAIN;
}

/* TV_AGAIN: it is KVM's to see to. */
static int serve(struct nvm *n, struct guest_exit *exit)
{
	ipa_t ipa = HPFAR_IPA(exit->hpfar);
	uint64_t size, rights;
	pa_t at;
	int ret;

	spin_lock(&n->lock);
	ret = npt_leaf(&n->npt, ipa, &at, &size, &rights);
	if (ret == TV_OK)
		ret = allows(rights, exit->esr) ? map(n, ipa, at, size, rights)
						: refuse(exit, size, rights);
	else if (ret == TV_ENOENT)
		ret = TV_AGAIN;
	spin_unlock(&n->lock);
	return ret;
}

static bool is_stage2_fault(const struct guest_exit *exit)
{
	uint64_t fsc = exit->esr & ESR_ABT_FSC;

	return exit->kind == GUEST_SYNC && ESR_IS_ABORT(exit->esr) &&
	       (FSC_HAS_IPA(fsc) || FSC_IS_PERMISSION(fsc));
}

/* ---- running ---------------------------------------------------------------- */

static volatile void *at(volatile struct tv_run *page, size_t offset)
{
	return (volatile uint8_t *)page + offset;
}

/* clang-format off */
#define EL1(X, name) X(name, name##_el1)
#define STATE(X) \
	EL1(X, sctlr) EL1(X, cpacr) EL1(X, ttbr0) EL1(X, ttbr1) EL1(X, tcr) EL1(X, mair) \
	EL1(X, amair) EL1(X, vbar) EL1(X, contextidr) EL1(X, esr) EL1(X, afsr0) EL1(X, afsr1) \
	EL1(X, far) EL1(X, par) EL1(X, elr) EL1(X, spsr) EL1(X, csselr) EL1(X, mdscr) \
	EL1(X, cntkctl) X(sp_el0, sp_el0) X(sp_el1, sp_el1) X(tpidr_el0, tpidr_el0) \
	X(tpidrro_el0, tpidrro_el0) X(tpidr_el1, tpidr_el1)
/* clang-format on */

/* AArch64 at EL1 or EL0, or AArch32 at EL0 if the CPU has that (ID_AA64PFR0_EL1.EL0): all else
 * would be an illegal return, which stays at our own level. */
static bool pstate_ok(uint64_t pstate)
{
	if (pstate & PSTATE_AARCH32)
		return (pstate & 0xf) == 0 && (id_register(4, 0) & 0xf) == 2;
	return (pstate & 0xf) == 0 || (pstate & 0xf) == 4 || (pstate & 0xf) == 5;
}

static bool take_state(struct guest_regs *regs, volatile struct tv_run *page)
{
	volatile const struct tv_state *s = at(page, TV_RUN_STATE);
	volatile const struct tv_fp *fp = at(page, TV_RUN_FP);

	for (unsigned i = 0; i < 31; i++)
		regs->x[i] = page->gpr[i];
	regs->pc = page->pc;
	regs->pstate = s->pstate;
	regs->traps = s->traps;
#define X(name, reg) regs->sys.reg = s->name;
	STATE(X)
#undef X
	regs->fpcr = fp->fpcr;
	regs->fpsr = fp->fpsr;
	for (unsigned i = 0; i < 64; i++)
		((uint64_t *)regs->z)[i] = ((volatile const uint64_t *)fp->q)[i];
	return pstate_ok(regs->pstate);
}

static void give_state(const struct guest_regs *regs, volatile struct tv_run *page)
{
	volatile struct tv_state *s = at(page, TV_RUN_STATE);
	volatile struct tv_fp *fp = at(page, TV_RUN_FP);

	for (unsigned i = 0; i < 31; i++)
		page->gpr[i] = regs->x[i];
	page->pc = regs->pc;
	s->pstate = regs->pstate;
#define X(name, reg) s->name = regs->sys.reg;
	STATE(X)
#undef X
	fp->fpcr = regs->fpcr;
	fp->fpsr = regs->fpsr;
	for (unsigned i = 0; i < 64; i++)
		((volatile uint64_t *)fp->q)[i] = ((const uint64_t *)regs->z)[i];
}

static void give_exit(const struct guest_exit *exit, bool vserror, volatile struct tv_run *page)
{
	static const uint64_t kinds[] = {
		[GUEST_SYNC] = TV_EXIT_SYNC,
		[GUEST_IRQ] = TV_EXIT_IRQ,
		[GUEST_SERROR] = TV_EXIT_NVM_SERROR,
	};

	page->exit = kinds[exit->kind];
	page->esr = exit->esr;
	page->far = exit->far;
	page->hpfar = exit->hpfar;
	page->flags = vserror ? TV_RUN_SERROR : 0; /* still pending */
}

/* Till something is KVM's. */
static int run(struct nvm *n, struct guest_regs *regs, uint64_t cntvoff,
	       volatile struct tv_run *page)
{
	bool vserror = page->flags & TV_RUN_SERROR;
	struct guest_exit exit;
	int ret = TV_OK;

	guest_begin();
	if (n->last[cpu_index()] != regs->mpidr + 1)
		tlb_flush_local(n->s2.vmid);
	n->last[cpu_index()] = regs->mpidr + 1;
	do {
		guest_run(regs, secure_pa(n->s2.root), n->s2.vmid, cntvoff, &vserror, &exit);
		if (is_stage2_fault(&exit))
			ret = serve(n, &exit);
	} while (is_stage2_fault(&exit) && ret == TV_OK && !gate_closed());
	guest_end();
	give_state(regs, page);
	give_exit(&exit, vserror, page);
	guest_gic_give(page);
	return ret == TV_AGAIN ? TV_OK : ret;
}

static int try_run(struct nvm *n, uint64_t mpidr, volatile struct tv_run *page)
{
	struct guest_regs *regs = &running[cpu_index()];
	uint64_t cntvoff = page->cntvoff;

	if (!take_state(regs, page) || !guest_gic_take(page))
		return TV_EINVAL;
	regs->mpidr = mpidr;
	regs->ordinary = true;
	return run(n, regs, cntvoff, page);
}

static int run_vcpu(uint64_t handle, uint64_t mpidr)
{
	volatile struct tv_run *page = share_page();
	struct nvm *n;
	int ret;

	if (!page)
		return TV_EFAULT;
	n = nvm_lock(handle);
	if (!n)
		return TV_ENOENT;
	n->running++;
	spin_unlock(&n->lock);
	ret = try_run(n, mpidr, page);
	spin_lock(&n->lock);
	n->running--;
	spin_unlock(&n->lock);
	return ret;
}

/* ---- the calls -------------------------------------------------------------- */

static int64_t do_create(const uint64_t *in, uint64_t *out)
{
	struct npt npt = {.root = in[1], .bits = in[2], .level = in[3]};

	return create(&npt, &out[1]);
}

int64_t nvm_call(const uint64_t *in, uint64_t *out)
{
	switch ((uint32_t)in[0]) {
	case TV_HOST_INFO:
		out[1] = host_gic();
		return TV_OK;
	case TV_NVM_CREATE:
		return do_create(in, out);
	case TV_NVM_RUN:
		return run_vcpu(in[1], in[2]);
	case TV_NVM_FORGET:
		return forget(in[1], IPA(in[2]), in[3]);
	case TV_NVM_DESTROY:
		return destroy(in[1]);
	default:
		return TV_ENOSYS;
	}
}

/* ---- audit ------------------------------------------------------------------ */

static uint64_t wrong; /* guarded by the audit's lock */

static void look(pa_t at, uint64_t size)
{
	for (uint64_t a = at.v; a < at.v + size; a += TV_PAGE_SIZE)
		wrong += !ledger_ordinary(PA(a));
}

uint64_t nvm_audit(void)
{
	wrong = host_audit();
	for (struct nvm *n = nvms; n < nvms + MAX_NVMS; n++) {
		spin_lock(&n->lock);
		if (n->state == NVM_LIVE)
			s2_each(&n->s2, look);
		spin_unlock(&n->lock);
	}
	return wrong;
}

static void let_go(unsigned n)
{
	while (n)
		spin_unlock(&nvms[--n].lock);
}

bool nvm_hold(uint64_t deadline)
{
	unsigned n = 0;

	while (n < MAX_NVMS && spin_try(&nvms[n].lock, deadline))
		n++;
	if (n == MAX_NVMS)
		return true;
	let_go(n);
	return false;
}

void nvm_let_go(void)
{
	let_go(MAX_NVMS);
}

size_t nvm_tables(void)
{
	size_t pages = host_tables();

	for (const struct nvm *n = nvms; n < nvms + MAX_NVMS; n++)
		pages += n->s2.tables;
	return pages;
}
