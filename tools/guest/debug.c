/* SPDX-License-Identifier: BSD-3-Clause */
/* debug: what a debugger needs of the CPU. A child is stopped by a hardware breakpoint, stepped,
 * and stopped by a hardware watchpoint, at the right places, on all CPUs in turn. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <asm/ptrace.h>

#define ROUNDS 100
#define STEPS 4

/* DBGBCR and DBGWCR as Linux has them: E, EL0, BAS, and for watchpoints stores */
#define BREAK (1 | 2 << 1 | 0xf << 5)
#define WATCH (1 | 2 << 1 | 2 << 3 | 0xff << 5)

#define TRAP_HARDWARE 4 /* TRAP_HWBKPT */

static volatile uint64_t watched[3];

/* STEPS instructions, and the way back */
void target(void);
__asm__(".text\n.balign 4\n.global target\ntarget:\n.rept 4\n\tnop\n.endr\n\tret\n");

static void child(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	for (uint64_t i = 1;; i++) {
		raise(SIGSTOP);
		watched[0] = i;
		target();
		watched[2] = i;
		watched[1] = i;
	}
}

static bool set(pid_t pid, int kind, const volatile void *at, uint32_t control)
{
	struct user_hwdebug_state state = {.dbg_regs = {{.addr = (uintptr_t)at, .ctrl = control}}};
	struct iovec io = {&state,
			   offsetof(struct user_hwdebug_state, dbg_regs) + sizeof(*state.dbg_regs)};

	return ptrace(PTRACE_SETREGSET, pid, kind, &io) == 0;
}

static uint64_t pc(pid_t pid)
{
	struct user_pt_regs regs = {0};
	struct iovec io = {&regs, sizeof(regs)};

	ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &io);
	return regs.pc;
}

/* Lets it go on; the signal that stops it next, and its cause. */
static int go(pid_t pid, int request, siginfo_t *info)
{
	int status;

	if (ptrace(request, pid, NULL, NULL) || waitpid(pid, &status, 0) != pid ||
	    !WIFSTOPPED(status))
		return -1;
	ptrace(PTRACE_GETSIGINFO, pid, NULL, info);
	return WSTOPSIG(status);
}

static bool stops_at(pid_t pid, const volatile void *at)
{
	siginfo_t info;

	return go(pid, PTRACE_CONT, &info) == SIGTRAP && info.si_code == TRAP_HARDWARE &&
	       info.si_addr == at;
}

static bool steps(pid_t pid)
{
	siginfo_t info;

	for (uint64_t n = 1; n <= STEPS; n++) {
		if (go(pid, PTRACE_SINGLESTEP, &info) != SIGTRAP ||
		    pc(pid) != (uintptr_t)target + 4 * n)
			return false;
	}
	return true;
}

static bool move(pid_t pid, unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(pid, sizeof(set), &set) == 0;
}

static const char *round_of(pid_t pid, uint64_t i)
{
	siginfo_t info;

	if (!set(pid, NT_ARM_HW_BREAK, target, BREAK) ||
	    !set(pid, NT_ARM_HW_WATCH, &watched[1], WATCH))
		return "cannot be set";
	if (!stops_at(pid, target) || pc(pid) != (uintptr_t)target)
		return "breakpoint";
	if (!set(pid, NT_ARM_HW_BREAK, NULL, 0) || !steps(pid))
		return "single step";
	if (!stops_at(pid, &watched[1]))
		return "watchpoint";
	if ((uint64_t)ptrace(PTRACE_PEEKDATA, pid, &watched[2], NULL) != i ||
	    (uint64_t)ptrace(PTRACE_PEEKDATA, pid, &watched[1], NULL) != i - 1)
		return "watchpoint at another store";
	if (!set(pid, NT_ARM_HW_WATCH, NULL, 0) || go(pid, PTRACE_CONT, &info) != SIGSTOP)
		return "stop where none is";
	return NULL;
}

int main(void)
{
	unsigned cpus = sysconf(_SC_NPROCESSORS_ONLN);
	const char *wrong = NULL;
	pid_t pid = fork();
	int status;

	if (pid == 0)
		child();
	waitpid(pid, &status, 0);
	for (uint64_t i = 1; i <= ROUNDS && !wrong; i++) {
		wrong = move(pid, i % cpus) && move(0, i / 2 % cpus) ? round_of(pid, i)
								     : "cannot move";
		if (wrong)
			printf("guest: debug round %lu: %s\n", i, wrong);
	}
	kill(pid, SIGKILL);
	printf("guest: debug %s\n", wrong ? "FAILED" : "passed");
	return wrong != NULL;
}
