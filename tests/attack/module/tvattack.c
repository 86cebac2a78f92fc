// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile host kernel in a module: raw SMCs, a pool of contiguous memory and
 * EL2 registers of the tester's choice. For tests only; it asks for no mercy.
 */
#include <linux/arm-smccc.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/log2.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/pointer_auth.h>
#include <asm/kvm_hyp.h>
#include <asm/sysreg.h>
#include <asm/virt.h>

#include "tvattack.h"

static DEFINE_MUTEX(pool_lock);
static struct tva_pool pool;
static struct tv_run *shared[NR_CPUS];
static void (*kernel_share)(void); /* names the kernel's own page again */

/*
 * x18 and up must come back as they were: some are loaded with a known value here and compared
 * after, so a leaking one shows. SP_EL0 is the kernel's "current", and lost after TV_VCPU_RUN.
 */
static void make_call(struct tva_call *c)
{
	register unsigned long x0 asm("x0") = c->x[0];
	register unsigned long x1 asm("x1") = c->x[1];
	register unsigned long x2 asm("x2") = c->x[2];
	register unsigned long x3 asm("x3") = c->x[3];
	register unsigned long x4 asm("x4") = c->x[4];
	register unsigned long x5 asm("x5") = c->x[5];
	register unsigned long x6 asm("x6") = c->x[6];
	register unsigned long x7 asm("x7") = c->x[7];
	register unsigned long x20 asm("x20") = 20;
	register unsigned long x23 asm("x23") = 23;
	register unsigned long x28 asm("x28") = 28;
	unsigned long sp_el0;

	asm volatile("mrs %[sp_el0], sp_el0\n\tsmc #0\n\tmsr sp_el0, %[sp_el0]"
		     : [sp_el0] "=&r"(sp_el0), "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x6),
		       "+r"(x7), "+r"(x20), "+r"(x23), "+r"(x28)
		     :
		     : "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory");
	c->r[0] = x0;
	c->r[1] = x1;
	c->r[2] = x2;
	c->r[3] = x3;
	c->r[4] = x4;
	c->changed = (u64)(x20 != 20) << 20 | (u64)(x23 != 23) << 23 | (u64)(x28 != 28) << 28;
}

static u64 swap_reg(u64 id, u64 value)
{
	u64 old = 0;

#define SWAP(name, reg) \
	case TVA_##name: \
		old = read_sysreg_s(reg); \
		write_sysreg_s(value, reg); \
		break
	switch (id) {
		SWAP(ELR_EL2, sys_reg(3, 4, 4, 0, 1));
		SWAP(SPSR_EL2, sys_reg(3, 4, 4, 0, 0));
		SWAP(HCR_EL2, sys_reg(3, 4, 1, 1, 0));
		SWAP(VTTBR_EL2, sys_reg(3, 4, 2, 1, 0));
		SWAP(VTCR_EL2, sys_reg(3, 4, 2, 1, 2));
		SWAP(TCR_EL1, SYS_TCR_EL12);
		SWAP(SCTLR_EL1, SYS_SCTLR_EL12);
		SWAP(TTBR0_EL1, SYS_TTBR0_EL12);
		SWAP(VBAR_EL1, SYS_VBAR_EL12);
		SWAP(MAIR_EL1, SYS_MAIR_EL12);
		SWAP(MDCR_EL2, sys_reg(3, 4, 1, 1, 1));
		SWAP(HSTR_EL2, sys_reg(3, 4, 1, 1, 3));
		SWAP(VMPIDR_EL2, sys_reg(3, 4, 0, 0, 5));
		SWAP(VPIDR_EL2, sys_reg(3, 4, 0, 0, 0));
		SWAP(CNTVOFF_EL2, sys_reg(3, 4, 14, 0, 3));
		SWAP(ICH_HCR_EL2, SYS_ICH_HCR_EL2);
		SWAP(ICH_VMCR_EL2, SYS_ICH_VMCR_EL2);
		SWAP(ICH_AP1R0_EL2, SYS_ICH_AP1R0_EL2);
		SWAP(ICH_LR0_EL2, SYS_ICH_LR0_EL2);
		SWAP(ICH_LR1_EL2, SYS_ICH_LR1_EL2);
		SWAP(CPTR_EL2, sys_reg(3, 4, 1, 1, 2));
		SWAP(CNTHCTL_EL2, sys_reg(3, 4, 14, 1, 0));
	case TVA_CNTKCTL_EL1:
		old = read_sysreg_el1(SYS_CNTKCTL);
		write_sysreg_el1(value, SYS_CNTKCTL);
		break;
		SWAP(PMUSERENR_EL0, SYS_PMUSERENR_EL0);
		SWAP(ZCR_EL2, sys_reg(3, 4, 1, 2, 0));
		SWAP(VSESR_EL2, sys_reg(3, 4, 5, 2, 3));
	}
#undef SWAP
	isb();
	return old;
}

static u64 swap_in_page(u64 *at, u64 value)
{
	u64 old = *at;

	*at = value;
	return old;
}

/* The same at EL1 */
static u64 swap_hosted(struct tv_run *run, u64 id, u64 value)
{
	struct tv_gic *gic = (void *)run + TV_RUN_GIC;

	gic->lists = 2;
	switch (id) {
	case TVA_ICH_HCR_EL2:
		return swap_in_page(&gic->hcr, value);
	case TVA_ICH_VMCR_EL2:
		return swap_in_page(&gic->vmcr, value);
	case TVA_ICH_AP1R0_EL2:
		return swap_in_page(&gic->ap1r[0], value);
	case TVA_ICH_LR0_EL2:
		return swap_in_page(&gic->lr[0], value);
	case TVA_ICH_LR1_EL2:
		return swap_in_page(&gic->lr[1], value);
	case TVA_CNTKCTL_EL1:
	case TVA_PMUSERENR_EL0:
		return swap_reg(id, value);
	}
	return 0;
}

static void swap_regs(struct tva_batch *b, struct tv_run *run)
{
	u64 i;

	for (i = 0; i < b->nregs; i++) {
		struct tva_reg *r = &b->reg[i];

		r->value = is_kernel_in_hyp_mode() ? swap_reg(r->id, r->value) :
						     swap_hosted(run, r->id, r->value);
	}
}

static void share(void *page)
{
	struct tva_call c = {.x = {TV_CPU_SHARE, virt_to_phys(page)}};

	make_call(&c);
}

/* What a vCPU leaves changed, as it does for KVM: see nvisor's gate. */
struct user_regs {
	u64 tpidr, tpidrro;
};

static void save_user(struct user_regs *u)
{
	u->tpidr = read_sysreg(tpidr_el0);
	u->tpidrro = read_sysreg(tpidrro_el0);
}

static __always_inline void restore_user(const struct user_regs *u)
{
	write_sysreg(u->tpidr, tpidr_el0);
	write_sysreg(u->tpidrro, tpidrro_el0);
	ptrauth_thread_switch_kernel(current);
	ptrauth_thread_switch_user(current);
}

static void run_batch(struct tva_batch *b)
{
	struct user_regs user;
	struct tv_run *run;
	unsigned long flags;
	u64 i;

	local_irq_save(flags);
	save_user(&user);
	run = shared[smp_processor_id()];
	memcpy(run, &b->run, sizeof(*run));
	memcpy((u8 *)run + TV_RUN_DATA, b->data, sizeof(b->data));
	if (b->flags & TVA_OWN_SHARE)
		share(run);
	swap_regs(b, run);
	for (i = 0; i < b->ncalls; i++)
		make_call(&b->call[i]);
	swap_regs(b, run);
	if (kernel_share)
		kernel_share();
	memcpy(&b->run, run, sizeof(*run));
	memcpy(b->data, (u8 *)run + TV_RUN_DATA, sizeof(b->data));
	restore_user(&user);
	local_irq_restore(flags);
}

static long do_batch(void __user *arg)
{
	struct tva_batch *b = memdup_user(arg, sizeof(*b));
	long ret = 0;

	if (IS_ERR(b))
		return PTR_ERR(b);
	if (b->ncalls > TVA_CALLS || b->nregs > TVA_REGS)
		ret = -EINVAL;
	else
		run_batch(b);
	if (!ret && copy_to_user(arg, b, sizeof(*b)))
		ret = -EFAULT;
	kfree(b);
	return ret;
}

static void add_pool(void)
{
	struct tva_call c = {.x = {TV_POOL_ADD, pool.base, pool.size / 2}};

	make_call(&c);
	pool.status = c.r[0];
	pool.index = c.r[1];
}

/* It is never freed: once named to the S-visor it may be Secure. */
static int find_pool(u64 size)
{
	unsigned long nr = size >> PAGE_SHIFT, pfn;

	for (pfn = round_up(PHYS_PFN(PHYS_OFFSET), nr); nr; pfn += nr) {
		if (!pfn_valid(pfn + nr - 1))
			return -ENOMEM;
		if (!alloc_contig_range(pfn, pfn + nr, MIGRATE_MOVABLE, GFP_KERNEL))
			break;
	}
	pool.base = PFN_PHYS(pfn);
	pool.size = size;
	memset(phys_to_virt(pool.base), 0, size);
	add_pool();
	return 0;
}

static long do_pool(void __user *arg)
{
	struct tva_pool want;
	long ret = 0;

	if (copy_from_user(&want, arg, sizeof(want)))
		return -EFAULT;
	if (!is_power_of_2(want.size) || want.size < PAGE_SIZE)
		return -EINVAL;
	mutex_lock(&pool_lock);
	if (!pool.size)
		ret = find_pool(want.size);
	if (!ret && copy_to_user(arg, &pool, sizeof(pool)))
		ret = -EFAULT;
	mutex_unlock(&pool_lock);
	return ret;
}

static long tva_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case TVA_BATCH:
		return do_batch((void __user *)arg);
	case TVA_POOL:
		return do_pool((void __user *)arg);
	}
	return -ENOTTY;
}

static int tva_mmap(struct file *file, struct vm_area_struct *vma)
{
	return remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff, vma->vm_end - vma->vm_start,
			       vma->vm_page_prot);
}

static const struct file_operations tva_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = tva_ioctl,
	.mmap = tva_mmap,
};

static struct miscdevice tva_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "tv-attack",
	.fops = &tva_fops,
	.mode = 0600,
};

static int __init tva_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
	{
		shared[cpu] = (struct tv_run *)get_zeroed_page(GFP_KERNEL);
		if (!shared[cpu])
			return -ENOMEM;
	}
	kernel_share = __symbol_get("tv_share_cpu");
	if (!kernel_share)
		pr_warn("tvattack: no tv_share_cpu in this kernel: its own S-VMs will not run "
			"on\n");
	return misc_register(&tva_dev);
}
module_init(tva_init);

MODULE_DESCRIPTION("Hostile host kernel for TwinVisor's attack tests");
MODULE_LICENSE("GPL");
