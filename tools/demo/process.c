/* SPDX-License-Identifier: BSD-3-Clause */
/* Child processes and their consoles. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("demo: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static pid_t spawn(char **argv, int in, int out)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork: %s", strerror(errno));
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(in, 0);
	dup2(out, 1);
	execvp(argv[0], argv);
	fprintf(stderr, "demo: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

void vm_start(struct vm *vm)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		fail("pipe: %s", strerror(errno));
	vm->start = now();
	vm->pid = spawn(vm->argv, in[0], out[1]);
	vm->in = in[1];
	vm->out = out[0];
	close(in[0]);
	close(out[1]);
}

void vm_say(struct vm *vm, const char *text)
{
	if (write(vm->in, text, strlen(text)) < 0)
		printf("%s: its console takes nothing: %s\n", vm->name, strerror(errno));
}

int vm_end(struct vm *vm)
{
	int status = 0;

	waitpid(vm->pid, &status, 0);
	return status;
}

static void take_line(struct vm *vm)
{
	vm->line[vm->fill] = 0;
	vm->fill = 0;
	vm->line[strcspn(vm->line, "\r")] = 0;
	if (!vm->up && strstr(vm->line, "guest: up"))
		vm->up = now();
	vm->planted |= !!strstr(vm->line, "guest: secret planted");
	vm->alive |= !strcmp(vm->line, "alive-42");
	if (!strncmp(vm->line, "guest:", 6) || !strncmp(vm->line, "qemu", 4))
		printf("  [%6.2f s] %s: %s\n", now() - vm->start, vm->name, vm->line);
}

static void take(struct vm *vm)
{
	char text[256];
	ssize_t n = read(vm->out, text, sizeof(text));

	vm->over = n <= 0;
	for (ssize_t i = 0; i < n; i++)
		if (text[i] == '\n' || vm->fill == LINE - 1)
			take_line(vm);
		else
			vm->line[vm->fill++] = text[i];
}

static bool wait_for_output(struct vm *vms, int n, double deadline)
{
	struct pollfd fds[4] = {0};
	double left = deadline - now();

	for (int i = 0; i < n; i++)
		fds[i] = (struct pollfd){.fd = vms[i].over ? -1 : vms[i].out, .events = POLLIN};
	if (left <= 0 || poll(fds, n, left * 1000 + 1) <= 0)
		return false;
	for (int i = 0; i < n; i++)
		if (fds[i].revents)
			take(&vms[i]);
	return true;
}

bool until(struct vm *vms, int n, bool (*done)(const struct vm *vm), double deadline)
{
	for (;;) {
		int ready = 0, over = 0;

		for (int i = 0; i < n; i++) {
			ready += done(&vms[i]);
			over += vms[i].over && !done(&vms[i]);
		}
		if (ready == n)
			return true;
		if (over || !wait_for_output(vms, n, deadline))
			return false;
	}
}

int output(char **argv, char *text, size_t size)
{
	int out[2], status;
	ssize_t n;
	size_t fill = 0;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC))
		fail("pipe: %s", strerror(errno));
	pid = spawn(argv, 0, out[1]);
	close(out[1]);
	while ((n = read(out[0], text + fill, size - 1 - fill)) > 0)
		fill += n;
	text[fill] = 0;
	close(out[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
