// SPDX-License-Identifier: GPL-2.0-only
/*
 * An S-VM's attestation for its user space: tokens by configfs-tsm, measurements in sysfs, laid
 * out as the kernel's tsm-mr has them, and keys for sealing by an ioctl. The S-visor answers the
 * calls (include/twinvisor/abi.h).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/arm-smccc.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/miscdevice.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/tsm.h>
#include <linux/uaccess.h>
#include <linux/version.h>

#include <twinvisor/abi.h>
#include <twinvisor_guest.h>

#define RSI_1_0 0x10000
#define CHALLENGE_MIN 32
#define CHALLENGE_MAX 64
#define HASH 32 /* SHA-256 */
#define TOKEN_MAX SZ_32K /* of configfs-tsm */

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#define tsm_report_ops tsm_ops
#define tsm_report_register tsm_register
#define tsm_report_unregister tsm_unregister
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define const_attribute
#else
#define const_attribute const
#endif

/* Arguments and results in the same registers. */
static void call(struct arm_smccc_1_2_regs *regs)
{
	if (arm_smccc_1_1_get_conduit() == SMCCC_CONDUIT_SMC)
		arm_smccc_1_2_smc(regs, regs);
	else
		arm_smccc_1_2_hvc(regs, regs);
}

/* Bytes that a call takes or gives, from register xN on. */
static u8 *bytes(struct arm_smccc_1_2_regs *regs, int n)
{
	return (u8 *)regs + n * sizeof(regs->a0);
}

/* ---- tokens ---------------------------------------------------------------- */

/* An upper bound of the token's size, or 0. */
static size_t token_begin(const u8 *challenge, size_t size)
{
	struct arm_smccc_1_2_regs regs = { .a0 = TV_RSI_TOKEN_INIT };

	memcpy(bytes(&regs, 1), challenge, size);
	call(&regs);
	if (regs.a0 != TV_RSI_SUCCESS || !regs.a1 || regs.a1 > TOKEN_MAX) {
		pr_err("no token: %s (%ld)\n",
		       regs.a0 == TV_RSI_ERROR_STATE ? "this machine's firmware does not attest" :
						       "the S-visor refuses",
		       (long)regs.a0);
		return 0;
	}
	return regs.a1;
}

/* Signing takes the S-visor several calls; between them, others run. */
static ssize_t token_rest(void *granule, u8 *token, size_t room)
{
	struct arm_smccc_1_2_regs regs;
	size_t size = 0;

	do {
		regs = (struct arm_smccc_1_2_regs){
			.a0 = TV_RSI_TOKEN_CONTINUE,
			.a1 = virt_to_phys(granule),
			.a3 = SZ_4K,
		};
		call(&regs);
		if ((regs.a0 != TV_RSI_SUCCESS && regs.a0 != TV_RSI_INCOMPLETE) ||
		    regs.a1 > SZ_4K || regs.a1 > room - size) {
			pr_err("the S-visor ended the token after %zu bytes: %ld\n", size,
			       (long)regs.a0);
			return -EIO;
		}
		memcpy(token + size, granule, regs.a1);
		size += regs.a1;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	} while (regs.a0 == TV_RSI_INCOMPLETE);
	return size;
}

static int report_new(struct tsm_report *report, void *data)
{
	u8 *token = NULL;
	ssize_t size = -EIO;
	size_t room;
	void *granule;

	if (report->desc.inblob_len < CHALLENGE_MIN || report->desc.inblob_len > CHALLENGE_MAX)
		return -EINVAL;
	granule = (void *)__get_free_page(GFP_KERNEL | __GFP_ZERO);
	if (!granule)
		return -ENOMEM;
	/* RSI has a token begun and ended on the same CPU. */
	migrate_disable();
	room = token_begin(report->desc.inblob, report->desc.inblob_len);
	if (room) {
		token = kvzalloc(room, GFP_KERNEL);
		size = token ? token_rest(granule, token, room) : -ENOMEM;
	}
	migrate_enable();
	free_page((unsigned long)granule);
	if (size < 0) {
		kvfree(token);
		return size;
	}
	report->outblob = token;
	report->outblob_len = size;
	return 0;
}

static bool attribute_visible(int n)
{
	return n == TSM_REPORT_GENERATION || n == TSM_REPORT_PROVIDER;
}

static bool blob_visible(int n)
{
	return n == TSM_REPORT_INBLOB || n == TSM_REPORT_OUTBLOB;
}

static const struct tsm_report_ops report_ops = {
	.name = KBUILD_MODNAME,
	.report_new = report_new,
	.report_attr_visible = attribute_visible,
	.report_bin_attr_visible = blob_visible,
};

/* ---- measurements ---------------------------------------------------------- */

/* An attribute's `private` is RSI's index: 0 of the launch, 1 to 4 at run time. */
static ssize_t measurement_read(struct file *file, struct kobject *kobj,
				const_attribute struct bin_attribute *attribute, char *buf,
				loff_t offset, size_t size)
{
	struct arm_smccc_1_2_regs regs = {
		.a0 = TV_RSI_MEASUREMENT_READ,
		.a1 = (unsigned long)attribute->private,
	};

	call(&regs);
	if (regs.a0 != TV_RSI_SUCCESS)
		return -EIO;
	return memory_read_from_buffer(buf, size, &offset, bytes(&regs, 1), HASH);
}

static ssize_t measurement_extend(struct file *file, struct kobject *kobj,
				  const_attribute struct bin_attribute *attribute, char *buf,
				  loff_t offset, size_t size)
{
	struct arm_smccc_1_2_regs regs = {
		.a0 = TV_RSI_MEASUREMENT_EXTEND,
		.a1 = (unsigned long)attribute->private,
		.a2 = HASH,
	};

	if (offset || size != HASH)
		return -EINVAL;
	memcpy(bytes(&regs, 3), buf, HASH);
	call(&regs);
	return regs.a0 == TV_RSI_SUCCESS ? size : -EIO;
}

#define MEASUREMENT(label, index, rights, extend)                                               \
	static const_attribute struct bin_attribute label = {                                   \
		.attr = { .name = #label ":sha256", .mode = rights },                            \
		.size = HASH,                                                                   \
		.private = (void *)index,                                                       \
		.read = measurement_read,                                                       \
		.write = extend,                                                                \
	}

MEASUREMENT(rim, 0, 0444, NULL);
MEASUREMENT(rem0, 1, 0644, measurement_extend);
MEASUREMENT(rem1, 2, 0644, measurement_extend);
MEASUREMENT(rem2, 3, 0644, measurement_extend);
MEASUREMENT(rem3, 4, 0644, measurement_extend);

static const_attribute struct bin_attribute *const_attribute measurements[] = {
	&rim, &rem0, &rem1, &rem2, &rem3, NULL,
};

static const struct attribute_group measurement_group = {
	.name = "measurements",
	.bin_attrs = measurements,
};

static const struct attribute_group *groups[] = { &measurement_group, NULL };

/* ---- sealing --------------------------------------------------------------- */

static long seal(void __user *where)
{
	struct arm_smccc_1_2_regs regs = { .a0 = TV_GUEST_SEAL };
	struct twinvisor_guest_seal seal;
	long status = 0;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&seal, where, sizeof(seal)))
		return -EFAULT;
	memcpy(bytes(&regs, 1), seal.label, sizeof(seal.label));
	call(&regs);
	if (regs.a0) {
		status = -EOPNOTSUPP; /* the machine has no secret of its own */
	} else {
		memcpy(seal.key, bytes(&regs, 1), sizeof(seal.key));
		if (copy_to_user(where, &seal, sizeof(seal)))
			status = -EFAULT;
	}
	memzero_explicit(&regs, sizeof(regs));
	memzero_explicit(&seal, sizeof(seal));
	return status;
}

static long device_ioctl(struct file *file, unsigned int what, unsigned long argument)
{
	return what == TWINVISOR_GUEST_SEAL ? seal((void __user *)argument) : -ENOTTY;
}

static const struct file_operations device_ops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KBUILD_MODNAME,
	.fops = &device_ops,
	.groups = groups,
	.mode = 0600,
};

/* ---- the module ------------------------------------------------------------ */

/* Whether the S-visor answers. Whoever else does, KVM or firmware, does not know these calls. */
static int look(void)
{
	struct arm_smccc_1_2_regs regs = { .a0 = TV_RSI_VERSION, .a1 = RSI_1_0 };

	if (arm_smccc_1_1_get_conduit() == SMCCC_CONDUIT_NONE) {
		pr_info("not in an S-VM: this machine has no SMC calling convention\n");
		return -ENODEV;
	}
	call(&regs);
	if (regs.a0 == TV_RSI_ERROR_INPUT) {
		pr_info("the S-visor's attestation is of interfaces %#lx to %#lx, this module's %#x\n",
			regs.a1, regs.a2, RSI_1_0);
		return -ENODEV;
	}
	if (regs.a0 != TV_RSI_SUCCESS) {
		pr_info("not in an S-VM: nobody here attests (was it started by `tv run`?)\n");
		return -ENODEV;
	}
	return 0;
}

static int __init guest_init(void)
{
	int error = look();

	if (error)
		return error;
	error = misc_register(&device);
	if (error)
		return error;
	error = tsm_report_register(&report_ops, NULL);
	if (error) {
		pr_err("configfs-tsm does not take a provider: %d\n", error);
		misc_deregister(&device);
	}
	return error;
}
module_init(guest_init);

static void __exit guest_exit(void)
{
	tsm_report_unregister(&report_ops);
	misc_deregister(&device);
}
module_exit(guest_exit);

/* An S-VM has nothing to be found by but the calls themselves, so each machine with PSCI is asked. */
static const struct of_device_id __maybe_unused where[] = {
	{ .compatible = "arm,psci-1.0" },
	{}
};
MODULE_DEVICE_TABLE(of, where);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("TwinVisor: attestation of a confidential VM");
