// SPDX-License-Identifier: GPL-2.0-only
/* /dev/twinvisor, and the start of it all. */
#include <linux/arm-smccc.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kvm_host.h>
#include <linux/miscdevice.h>
#include <linux/notifier.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/suspend.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include <asm/virt.h>

#include "twinvisor.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

struct tv_file {
	struct list_head list;	/* all that are open */
	struct pid *tgid;	/* the opener */
	u64 launched;		/* S-VMs of it and its descendants */
	struct tv_log *log;	/* of the last launch of any of them, or NULL ... */
	bool unread;		/* ... and nobody has asked for it yet */
	bool watching;		/* under tv_svms_lock */
	u64 policy_size;	/* of the S-VMs to come; 0: none */
	u8 policy[TV_RUN_DATA_SIZE];
};

static LIST_HEAD(tv_files);
static DEFINE_SPINLOCK(tv_files_lock);	/* and for what is in them, if nothing else is said */
static DECLARE_WAIT_QUEUE_HEAD(tv_launches);
static unsigned int tv_watchers;	/* files; under tv_svms_lock */
/* The S-visor's, as TV_VERSION gave them; without one, both are 0 */
u32 tv_abi;
u64 tv_features;

static void tv_tell_file(struct tv_file *file, struct tv_log *log)
{
	tv_log_put(file->log);
	refcount_inc(&log->users);
	file->log = log;
	file->unread = true;
	file->launched += !log->err;
}

/* Tells those who may wait for it that the calling process has launched an S-VM, or has tried to. */
void tv_tell_launch(struct tv_log *log)
{
	struct task_struct *task;
	struct tv_file *file;

	rcu_read_lock();
	spin_lock(&tv_files_lock);
	for (task = current; task->pid; task = rcu_dereference(task->real_parent))
		list_for_each_entry(file, &tv_files, list)
			if (file->tgid == task_tgid(task))
				tv_tell_file(file, log);
	spin_unlock(&tv_files_lock);
	rcu_read_unlock();
	wake_up_interruptible(&tv_launches);
}

/* The policy that the nearest of the calling process's ancestors has given, for the S-VM. */
void tv_take_policy(struct tv_svm *svm)
{
	struct task_struct *task;
	struct tv_file *file;

	rcu_read_lock();
	spin_lock(&tv_files_lock);
	for (task = current; task->pid && !svm->policy_size;
	     task = rcu_dereference(task->real_parent))
		list_for_each_entry(file, &tv_files, list)
			if (file->tgid == task_tgid(task) && file->policy_size) {
				svm->policy_size = file->policy_size;
				memcpy(svm->policy, file->policy, file->policy_size);
			}
	spin_unlock(&tv_files_lock);
	rcu_read_unlock();
}

static int tv_open(struct inode *inode, struct file *filp)
{
	struct tv_file *file;

	if (!tv_abi)
		return -ENODEV;
	file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);
	if (!file)
		return -ENOMEM;
	file->tgid = get_pid(task_tgid(current));
	filp->private_data = file;
	spin_lock(&tv_files_lock);
	list_add(&file->list, &tv_files);
	spin_unlock(&tv_files_lock);
	return 0;
}

/* The S-visor counts as long as anybody looks. */
static int tv_watch(struct tv_file *file, bool on)
{
	s64 code = TV_OK;

	mutex_lock(&tv_svms_lock);
	if (file->watching == on)
		goto unlock;
	if (tv_watchers == !on)
		code = tv_smc(TV_WATCH, on, 0, 0, 0, NULL);
	if (!code) {
		file->watching = on;
		tv_watchers += on ? 1 : -1;
	}
unlock:
	mutex_unlock(&tv_svms_lock);
	return tv_errno(code);
}

static int tv_release(struct inode *inode, struct file *filp)
{
	struct tv_file *file = filp->private_data;

	tv_watch(file, false);
	spin_lock(&tv_files_lock);
	list_del(&file->list);
	spin_unlock(&tv_files_lock);
	tv_log_put(file->log);
	put_pid(file->tgid);
	kfree(file);
	return 0;
}

/*
 * For good: fork() and exec() hand it on, and nothing takes it back, so that no
 * wrapper and no daemon ends up with an ordinary VM.
 */
static int tv_arm(void)
{
	if (!thread_group_empty(current))
		return -EINVAL;
	task_set_twinvisor(current);
	return 0;
}

static int tv_policy(struct tv_file *file, struct twinvisor_policy __user *arg)
{
	struct twinvisor_policy policy;
	u8 *bytes;

	if (copy_from_user(&policy, arg, sizeof(policy)))
		return -EFAULT;
	if (!policy.size || policy.size > sizeof(file->policy))
		return -EINVAL;
	bytes = memdup_user(u64_to_user_ptr(policy.policy), policy.size);
	if (IS_ERR(bytes))
		return PTR_ERR(bytes);
	spin_lock(&tv_files_lock);
	memcpy(file->policy, bytes, policy.size);
	file->policy_size = policy.size;
	spin_unlock(&tv_files_lock);
	kfree(bytes);
	return 0;
}

/* Candidates are nothing yet; most are a VMM's scratch VMs. */
static bool tv_shown(struct tv_svm *svm)
{
	return READ_ONCE(svm->state) != TV_CANDIDATE;
}

static struct tv_svm *tv_nth(u32 index)
{
	struct tv_svm *svm;

	lockdep_assert_held(&tv_svms_lock);
	list_for_each_entry(svm, &tv_svms, list)
		if (tv_shown(svm) && !index--)
			return svm;
	return NULL;
}

static int tv_info(struct tv_file *file, struct twinvisor_info __user *arg)
{
	struct twinvisor_info info = {
		.abi_major = tv_abi >> 16,
		.abi_minor = tv_abi & 0xffff,
		.launched = READ_ONCE(file->launched),
	};
	struct tv_svm *svm;

	mutex_lock(&tv_svms_lock);
	list_for_each_entry(svm, &tv_svms, list)
		info.vms += tv_shown(svm);
	mutex_unlock(&tv_svms_lock);
	tv_pool_info(&info);
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static void tv_count(struct twinvisor_vm *vm, struct tv_vcpu *vcpu)
{
	int i;

	for (i = 0; i < TWINVISOR_EXITS; i++)
		vm->exits[i] += READ_ONCE(vcpu->exits[i]);
	vm->refused += READ_ONCE(vcpu->refused);
	vm->late += READ_ONCE(vcpu->lates);
}

/* A snapshot of what may change; no two numbers need be of one moment. */
static void tv_describe(struct twinvisor_vm *vm, struct tv_svm *svm)
{
	u64 out[4];
	int i;

	vm->pid = svm->pid;
	vm->state = READ_ONCE(svm->state) - TV_LAUNCHING + TWINVISOR_LAUNCHING;
	vm->vcpus = atomic_read(&svm->kvm->online_vcpus);
	vm->handle = READ_ONCE(svm->id);
	vm->memory = READ_ONCE(svm->ram);
	vm->chunks = READ_ONCE(svm->chunks);
	vm->private_pages = READ_ONCE(svm->pages);
	vm->loaded_pages = READ_ONCE(svm->loaded);
	vm->launches = READ_ONCE(svm->launches);
	vm->moved = READ_ONCE(svm->moved);
	vm->returned = READ_ONCE(svm->returned);
	vm->bounce_pages = READ_ONCE(svm->bounce_pages);
	vm->bounce_most = READ_ONCE(svm->bounce_most);
	if (svm->created && !tv_smc(TV_VM_ANSWERED, svm->id, 0, 0, 0, out))
		vm->answered = out[0];
	if (svm->log)
		memcpy(vm->measurement, svm->log->measurement, sizeof(vm->measurement));
	for (i = 0; i < TV_MAX_VCPUS; i++)
		tv_count(vm, &svm->vcpu[i]);
}

static int tv_vm(struct twinvisor_vm __user *arg)
{
	struct twinvisor_vm vm = {};
	struct tv_svm *svm;

	if (get_user(vm.index, &arg->index))
		return -EFAULT;
	mutex_lock(&tv_svms_lock);
	svm = tv_nth(vm.index);
	if (svm)
		tv_describe(&vm, svm);
	mutex_unlock(&tv_svms_lock);
	if (!svm)
		return -ENOENT;
	return copy_to_user(arg, &vm, sizeof(vm)) ? -EFAULT : 0;
}

static struct tv_log *tv_log_get(struct tv_log *log)
{
	if (log)
		refcount_inc(&log->users);
	return log ?: ERR_PTR(-EAGAIN);
}

static struct tv_log *tv_last_log(struct tv_file *file)
{
	struct tv_log *log;

	spin_lock(&tv_files_lock);
	log = tv_log_get(file->log);
	file->unread = false;
	spin_unlock(&tv_files_lock);
	return log;
}

static struct tv_log *tv_log_of(u32 index)
{
	struct tv_log *log;
	struct tv_svm *svm;

	mutex_lock(&tv_svms_lock);
	svm = tv_nth(index);
	log = svm ? tv_log_get(svm->log) : ERR_PTR(-ENOENT);
	mutex_unlock(&tv_svms_lock);
	return log;
}

static int tv_last_launch(struct tv_file *file, struct twinvisor_launch __user *arg)
{
	struct twinvisor_launch launch;
	struct tv_log *log;
	int err = 0;

	if (copy_from_user(&launch, arg, sizeof(launch)))
		return -EFAULT;
	log = launch.vm == TWINVISOR_LAST ? tv_last_log(file) : tv_log_of(launch.vm);
	if (IS_ERR(log))
		return PTR_ERR(log);
	launch = (struct twinvisor_launch) {
		.vm = launch.vm, .error = -log->err, .code = log->code, .call = log->call,
		.size = log->size, .room = min_t(u64, launch.room, log->size),
		.log = launch.log,
	};
	memcpy(launch.measurement, log->measurement, sizeof(launch.measurement));
	if (copy_to_user(u64_to_user_ptr(launch.log), log->bytes, launch.room) ||
	    copy_to_user(arg, &launch, sizeof(launch)))
		err = -EFAULT;
	tv_log_put(log);
	return err;
}

static __poll_t tv_poll(struct file *filp, poll_table *wait)
{
	struct tv_file *file = filp->private_data;

	poll_wait(filp, &tv_launches, wait);
	return READ_ONCE(file->unread) ? EPOLLIN | EPOLLRDNORM : 0;
}

/* By the shared page of the CPU that this is */
static s64 tv_smc_queue_stats(struct tv_svm *svm, u32 index, struct tv_queue *stats)
{
	s64 code;

	preempt_disable();
	code = tv_smc(TV_QUEUE_STATS, svm->id, index, 0, 0, NULL);
	memcpy(stats, (void *)tv_share_page() + TV_RUN_DATA, sizeof(*stats));
	preempt_enable();
	return code;
}

static int tv_queue(struct twinvisor_queue __user *arg)
{
	struct twinvisor_queue queue;
	struct tv_queue stats;
	struct tv_svm *svm;
	s64 code = TV_ENOENT;

	if (copy_from_user(&queue, arg, sizeof(queue)))
		return -EFAULT;
	mutex_lock(&tv_svms_lock);
	svm = tv_nth(queue.vm);
	if (svm && svm->created)
		code = tv_smc_queue_stats(svm, queue.index, &stats);
	mutex_unlock(&tv_svms_lock);
	if (code)
		return tv_errno(code);
	queue = (struct twinvisor_queue) {
		.vm = queue.vm, .index = queue.index, .where = stats.where,
		.queue = stats.index, .size = stats.size, .broken = stats.broken,
		.flying = stats.flying, .requests = stats.requests,
		.bytes_out = stats.bytes_out, .bytes_in = stats.bytes_in,
		.copies = stats.copies, .notified = stats.notified,
		.forwarded = stats.forwarded, .refused = stats.refused,
	};
	return copy_to_user(arg, &queue, sizeof(queue)) ? -EFAULT : 0;
}

/* Bounce memory that no I/O is in is let go of along with chunks. */
static void tv_trim_all(void)
{
	struct tv_svm *svm;

	mutex_lock(&tv_svms_lock);
	list_for_each_entry(svm, &tv_svms, list)
		tv_bounce_trim(svm);
	mutex_unlock(&tv_svms_lock);
}

static int tv_reclaim(u64 __user *arg)
{
	u64 chunks;

	if (get_user(chunks, arg))
		return -EFAULT;
	tv_trim_all();
	return put_user(tv_pool_reclaim(chunks), arg);
}

static int tv_map(struct twinvisor_pool __user *arg)
{
	struct twinvisor_pool map;
	s32 *owners;
	int err;

	if (copy_from_user(&map, arg, sizeof(map)))
		return -EFAULT;
	map.room = min_t(u64, map.room, SZ_1M);
	owners = kvcalloc(map.room, sizeof(*owners), GFP_KERNEL);
	if (map.room && !owners)
		return -ENOMEM;
	err = tv_pool_map(&map, owners);
	if (!err && (copy_to_user(u64_to_user_ptr(map.owners), owners,
				  min(map.room, map.chunks) * sizeof(*owners)) ||
		     copy_to_user(arg, &map, sizeof(map))))
		err = -EFAULT;
	kvfree(owners);
	return err;
}

static int tv_audit(struct twinvisor_audit __user *arg)
{
	struct twinvisor_audit audit;
	u64 out[4];
	s64 code = tv_smc(TV_AUDIT, 0, 0, 0, 0, out);

	if (code)
		return tv_errno(code);
	audit = (struct twinvisor_audit) {
		.violations = out[0], .chunks = out[1], .vms = out[2], .heap_free = out[3],
	};
	return copy_to_user(arg, &audit, sizeof(audit)) ? -EFAULT : 0;
}

static int tv_stats(struct twinvisor_stats __user *arg)
{
	struct twinvisor_stats stats = {};
	int err;

	mutex_lock(&tv_svms_lock);
	err = tv_pool_stats(&stats);
	mutex_unlock(&tv_svms_lock);
	if (err)
		return err;
	return copy_to_user(arg, &stats, sizeof(stats)) ? -EFAULT : 0;
}

/* A piece of the firmware's event log, by the shared page of the CPU that this is */
static s64 tv_smc_event_log(u64 offset, void *piece, u64 *size)
{
	u64 out[4];
	s64 code;

	preempt_disable();
	code = tv_smc(TV_EVENT_LOG, offset, 0, 0, 0, out);
	memcpy(piece, (void *)tv_share_page() + TV_RUN_DATA, TV_RUN_DATA_SIZE);
	preempt_enable();
	*size = out[0];
	return code;
}

static int tv_event_log(struct twinvisor_event_log __user *arg)
{
	struct twinvisor_event_log log;
	u64 at = 0;
	void *piece;
	int err;

	if (copy_from_user(&log, arg, sizeof(log)))
		return -EFAULT;
	piece = kmalloc(TV_RUN_DATA_SIZE, GFP_KERNEL);
	if (!piece)
		return -ENOMEM;
	do {
		u64 n;

		err = tv_errno(tv_smc_event_log(at, piece, &log.size));
		if (err)
			break;
		log.room = min(log.room, log.size);
		n = min_t(u64, log.room - at, TV_RUN_DATA_SIZE);
		if (copy_to_user(u64_to_user_ptr(log.log) + at, piece, n))
			err = -EFAULT;
		at += n;
	} while (!err && at < log.room);
	kfree(piece);
	if (!err && copy_to_user(arg, &log, sizeof(log)))
		err = -EFAULT;
	return err;
}

static long tv_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case TWINVISOR_ARM:
		return tv_arm();
	case TWINVISOR_INFO:
		return tv_info(filp->private_data, argp);
	case TWINVISOR_VM:
		return tv_vm(argp);
	case TWINVISOR_RECLAIM:
		return tv_reclaim(argp);
	case TWINVISOR_AUDIT:
		return tv_audit(argp);
	case TWINVISOR_STATS:
		return tv_stats(argp);
	case TWINVISOR_QUEUE:
		return tv_queue(argp);
	case TWINVISOR_POOL:
		return tv_map(argp);
	case TWINVISOR_WATCH:
		return tv_watch(filp->private_data, true);
	case TWINVISOR_POLICY:
		return tv_policy(filp->private_data, argp);
	case TWINVISOR_LAUNCH:
		return tv_last_launch(filp->private_data, argp);
	case TWINVISOR_EVENT_LOG:
		return tv_event_log(argp);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations tv_fops = {
	.owner = THIS_MODULE,
	.open = tv_open,
	.release = tv_release,
	.unlocked_ioctl = tv_ioctl,
	.poll = tv_poll,
	.llseek = noop_llseek,
};

static struct miscdevice tv_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "twinvisor",
	.fops = &tv_fops,
	.mode = 0600,
};

/*
 * Firmware and memory controller may lose in a suspend what keeps Secure memory
 * Secure. So there is none, with S-VMs or without.
 */
static int tv_pm(struct notifier_block *nb, unsigned long event, void *unused)
{
	if (event != PM_SUSPEND_PREPARE)
		return NOTIFY_DONE;
	pr_warn("twinvisor: no suspend: the S-visor would not outlive it\n");
	return notifier_from_errno(-EBUSY);
}

static struct notifier_block tv_pm_nb = {
	.notifier_call = tv_pm,
};

/* Asks the firmware, which knows no such call unless it carries an S-visor. */
static u32 __init tv_probe(void)
{
	u64 out[4];

	if (!is_kvm_arm_initialised() || (!is_kernel_in_hyp_mode() && !tv_hosted()) ||
	    arm_smccc_1_1_get_conduit() != SMCCC_CONDUIT_SMC)
		return 0;
	if (tv_smc(TV_VERSION, 0, 0, 0, 0, out) || out[0] >> 16 != TV_ABI_MAJOR)
		return 0;
	tv_features = out[2];
	return out[0];
}

static int __init tv_init(void)
{
	u32 abi = tv_probe();
	int err = 0;

	if (abi)
		err = register_pm_notifier(&tv_pm_nb) ?: tv_share_init() ?: tv_pool_init();
	if (abi && !err) {
		tv_abi = abi;
		pr_info("twinvisor: S-visor found, ABI %u.%u\n", abi >> 16, abi & 0xffff);
	}
	return misc_register(&tv_misc);
}
late_initcall(tv_init);
