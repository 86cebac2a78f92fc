/* SPDX-License-Identifier: BSD-3-Clause */
/* tv run: start the VMM marked, stand in for it, and see that an S-VM came of it. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/twinvisor.h>

#include "tv.h"

/* How long a command that went on in the background may take to its first S-VM */
#define GRACE_SECONDS 10

static error_t parse(int key, char *arg, struct argp_state *state)
{
	int *command = state->input;

	(void)arg;
	if (key == ARGP_KEY_ARG) {
		*command = state->next - 1;
		state->next = state->argc;
		return 0;
	}
	if (key == ARGP_KEY_NO_ARGS)
		argp_error(state, "no command given: tv run -- qemu-system-aarch64 ...");
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	NULL,
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
static void pass_on(pid_t vmm, const siginfo_t *info)
{
	if (info->si_code <= 0)
		kill(vmm, info->si_signo);
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

static int wait_for(pid_t vmm, const sigset_t *set)
{
	int status = 0;
	siginfo_t info;

	while (!reap(vmm, &status))
		if (sigwaitinfo(set, &info) > 0 && info.si_signo != SIGCHLD)
			pass_on(vmm, &info);
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

int cmd_run(int argc, char **argv)
{
	int command = 0, status, fd;
	sigset_t set, old;
	pid_t vmm;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &command);
	fd = device_open(O_RDWR | O_CLOEXEC);
	take_signals(&set, &old);
	/* What a daemon leaves behind stays our descendant, and is counted. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	vmm = fork();
	if (vmm < 0)
		fail("no process for the command: %s", strerror(errno));
	if (!vmm)
		become(fd, argv + command, &old);
	status = end_as(wait_for(vmm, &set), &old);
	if (!status && !launched_in_time(fd)) {
		fprintf(stderr,
			"tv: %s succeeded, but no VM of it became an S-VM: does it use KVM?\n",
			argv[command]);
		return 1;
	}
	return status;
}
