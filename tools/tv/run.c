/* SPDX-License-Identifier: BSD-3-Clause */
/* tv run: start the VMM marked, stand in for it, and see that an S-VM came of it. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/twinvisor.h>
#include <twinvisor/abi.h>

#include "tv.h"

/* How long a command that went on in the background may take to its first S-VM */
#define GRACE_SECONDS 10

struct run {
	const char *policy, *log; /* files, or NULL */
	struct file policy_bytes;
	int command; /* index in argv */
	int fd;      /* /dev/twinvisor */
	int log_fd;
	bool failed; /* a launch did, and that was said */
	bool logged; /* the last one has been */
};

static const struct argp_option table[] = {
	{"policy", 'p', "FILE", 0, "the launch policy of its S-VMs, made by 'tv policy --sign'", 0},
	{"launch-log", 'l', "FILE", 0,
	 "write there, at each launch, what the S-visor has measured, be it refused: for 'tv "
	 "measure --log'",
	 0},
	{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct run *run = state->input;

	switch (key) {
	case 'p':
		run->policy = arg;
		return 0;
	case 'l':
		run->log = arg;
		return 0;
	case ARGP_KEY_ARG:
		run->command = state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no command given: tv run -- qemu-system-aarch64 ...");
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	table,
	parse,
	"-- COMMAND [ARGUMENT...]",
	"Run a VMM, unmodified; every VM that it creates becomes an S-VM when it first runs.\v"
	"Example:\n"
	"  tv run -- qemu-system-aarch64 -M virt,gic-version=3,dtb-randomness=off -cpu host "
	"-enable-kvm -m 512 -nographic -kernel Image -initrd initrd -append console=ttyAMA0",
	NULL,
	NULL,
	NULL,
};

static void give_policy(struct run *run)
{
	struct twinvisor_policy policy;

	run->policy_bytes = file_read(run->policy, "policy");
	policy = (struct twinvisor_policy){run->policy_bytes.size,
					   (uintptr_t)run->policy_bytes.data};
	if (policy.size > TV_RUN_DATA_SIZE)
		fail("policy %s: %zu bytes, a launch policy has %d at most", run->policy,
		     run->policy_bytes.size, TV_RUN_DATA_SIZE);
	if (ioctl(run->fd, TWINVISOR_POLICY, &policy))
		fail("policy %s: %s", run->policy, strerror(errno));
}

/* The child: marked, and with it all that it starts. */
static void become(int fd, char **command, const sigset_t *mask)
{
	int status;

	/* Killing tv kills the VMM, as if there were one process. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || ioctl(fd, TWINVISOR_ARM))
		fail("this process cannot be marked: %s", strerror(errno));
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(command[0], command);
	status = errno == ENOENT ? 127 : 126;
	fprintf(stderr, "tv: %s: %s\n", command[0], strerror(errno));
	_exit(status);
}

/* Signals that others send to tv are meant for the VMM. It has those of the terminal itself. */
static void pass_on(pid_t vmm, int signals)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) == sizeof(info) && info.ssi_signo != SIGCHLD &&
	    info.ssi_code <= 0)
		kill(vmm, info.ssi_signo);
}

/* A VMM whose launch has failed may go on without a word. */
static void hear_of_launch(struct run *run)
{
	struct twinvisor_launch launch;
	struct file log = {0};

	if (!get_launch(run->fd, TWINVISOR_LAST, &launch, run->log ? &log : NULL))
		return;
	if (launch.error) {
		launch_explain(&launch, run->policy, run->policy_bytes);
		run->failed = true;
	}
	if (run->log)
		run->logged = launch_write(run->log_fd, log, run->log);
	free(log.data);
}

/* Orphans of the VMM are ours, too. Tells whether the VMM has ended. */
static bool reap(pid_t vmm, int *status)
{
	int any;
	pid_t pid;

	while ((pid = waitpid(-1, &any, WNOHANG)) > 0)
		if (pid == vmm) {
			*status = any;
			return true;
		}
	return false;
}

static int wait_for(struct run *run, pid_t vmm, const sigset_t *set)
{
	struct pollfd fds[] = {
		{.fd = signalfd(-1, set, SFD_CLOEXEC), .events = POLLIN},
		{.fd = run->fd, .events = POLLIN},
	};
	int status = 0;

	if (fds[0].fd < 0)
		fail("signalfd: %s", strerror(errno));
	while (!reap(vmm, &status)) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[0].revents)
			pass_on(vmm, fds[0].fd);
		if (fds[1].revents)
			hear_of_launch(run);
	}
	close(fds[0].fd);
	return status;
}

/* Ends as the VMM did. */
static int end_as(int status, const sigset_t *mask)
{
	const struct rlimit none = {0, 0};

	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	setrlimit(RLIMIT_CORE, &none); /* the VMM has dumped its own */
	signal(WTERMSIG(status), SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	raise(WTERMSIG(status));
	return 128 + WTERMSIG(status);
}

static bool launched(int fd)
{
	struct twinvisor_info info;

	return !ioctl(fd, TWINVISOR_INFO, &info) && info.launched;
}

/* A daemon's first S-VM may come after the command has ended, so long as any process is left. */
static bool launched_in_time(int fd)
{
	const struct timespec tick = {0, 100 * 1000 * 1000};
	sigset_t child;
	int n;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	for (n = 0; n < GRACE_SECONDS * 10 && !launched(fd); n++) {
		if (waitpid(-1, NULL, WNOHANG) < 0)
			break;
		sigtimedwait(&child, NULL, &tick);
	}
	return launched(fd);
}

static void take_signals(sigset_t *set, sigset_t *old)
{
	static const int ours[] = {SIGCHLD, SIGHUP,  SIGINT,  SIGQUIT,
				   SIGTERM, SIGUSR1, SIGUSR2, SIGALRM};
	size_t i;

	sigemptyset(set);
	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigaddset(set, ours[i]);
	sigprocmask(SIG_BLOCK, set, old);
}

/* What was not heard of yet; false if there is no launch log that was to be. */
static bool conclude(struct run *run)
{
	struct pollfd unread = {.fd = run->fd, .events = POLLIN};

	if (poll(&unread, 1, 0) > 0)
		hear_of_launch(run);
	return run->logged || !run->log;
}

int cmd_run(int argc, char **argv)
{
	struct run run = {0};
	sigset_t set, old;
	int status;
	pid_t vmm;
	bool ok;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &run);
	run.fd = device_open(O_RDWR | O_CLOEXEC);
	if (run.policy)
		give_policy(&run);
	if (run.log)
		run.log_fd = open(run.log, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (run.log_fd < 0)
		fail("launch log %s: %s", run.log, strerror(errno));
	take_signals(&set, &old);
	/* What a daemon leaves behind stays our descendant, and is counted. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	vmm = fork();
	if (vmm < 0)
		fail("no process for the command: %s", strerror(errno));
	if (!vmm)
		become(run.fd, argv + run.command, &old);
	status = wait_for(&run, vmm, &set);
	ok = status || launched_in_time(run.fd);
	ok &= conclude(&run);
	if (!status && !launched(run.fd) && !run.failed)
		fprintf(stderr,
			"tv: %s succeeded, but no VM of it became an S-VM: does it use KVM?\n",
			argv[run.command]);
	return !status && !ok ? 1 : end_as(status, &old);
}
