/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * demo: starts the stock Debian kernel under stock QEMU as an N-VM and as an S-VM,
 * beside each other, and shows what the host can know of each. Exit status 0 only
 * if all is as it should be. TV_DEMO_SECONDS: how long each step may take (300).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/twinvisor.h>

#include "demo.h"

#define IMAGE "/guest/Image"
#define INITRD "/guest/initrd"
#define N_SEED "6e6f726d616c"
#define S_SEED "736563726574"
#define QEMU(seed) \
	"qemu-system-aarch64", "-nodefaults", "-M", "virt,gic-version=3,dtb-randomness=off", \
		"-cpu", "host", "-enable-kvm", "-m", "512", "-smp", "1", "-no-reboot", "-display", \
		"none", "-serial", "stdio", "-kernel", IMAGE, "-initrd", INITRD, "-append", \
		"console=ttyAMA0 quiet tv.seed=" seed, NULL

static char *n_argv[] = {QEMU(N_SEED)};
static char *s_argv[] = {"tv", "run", "--", QEMU(S_SEED)};
static char *measure_argv[] = {"tv", "measure", "--", QEMU(S_SEED)};
static char *audit_argv[] = {"tv", "audit", NULL};

static struct vm vms[2] = {
	{.name = "N-VM", .seed = N_SEED, .argv = n_argv},
	{.name = "S-VM", .seed = S_SEED, .argv = s_argv},
};

static bool good = true;

static bool is_planted(const struct vm *vm)
{
	return vm->planted;
}

static bool is_alive(const struct vm *vm)
{
	return vm->alive;
}

static bool is_over(const struct vm *vm)
{
	return vm->over;
}

static double deadline(void)
{
	const char *seconds = getenv("TV_DEMO_SECONDS");

	return now() + (seconds ? atof(seconds) : 300);
}

static void show_command(char **argv)
{
	fputs("  $", stdout);
	for (; *argv; argv++)
		printf(strchr(*argv, ' ') ? " '%s'" : " %s", *argv);
	putchar('\n');
}

static const char *verdict(bool as_wanted)
{
	good &= as_wanted;
	return as_wanted ? "as it should be" : "WRONG";
}

static void hex(char *text, const unsigned char *bytes, int n)
{
	for (int i = 0; i < n; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
}

/* tv run's process stands for that of the VMM, its child. */
static pid_t parent_of(unsigned int pid)
{
	char path[32], text[256] = "";
	pid_t parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	file = fopen(path, "re");
	if (file && fgets(text, sizeof(text), file) && strrchr(text, ')'))
		sscanf(strrchr(text, ')'), ") %*c %d", &parent);
	if (file)
		fclose(file);
	return parent;
}

/* What the S-visor measured of the S-VM of this process or its child; which of them it is. */
static pid_t measured(pid_t pid, char text[65])
{
	pid_t vmm = pid;

	int fd = open("/dev/twinvisor", O_RDONLY | O_CLOEXEC);
	struct twinvisor_vm vm = {0};

	strcpy(text, "none");
	while (fd >= 0 && !ioctl(fd, TWINVISOR_VM, &vm)) {
		if (vm.pid == (unsigned int)pid || parent_of(vm.pid) == pid) {
			hex(text, vm.measurement, sizeof(vm.measurement));
			vmm = vm.pid;
		}
		vm.index++;
	}
	close(fd);
	return vmm;
}

static void show_measurement(void)
{
	char n[65], s[65], offline[256];
	bool equal;

	vms[0].vmm = measured(vms[0].pid, n);
	vms[1].vmm = measured(vms[1].pid, s);
	output(measure_argv, offline, sizeof(offline));
	offline[strcspn(offline, "\n")] = 0;
	equal = strlen(s) == 64 && !strcmp(s, offline);
	printf("\nLaunch measurement\n"
	       "  N-VM            %s: an ordinary VM has none\n"
	       "  S-VM            %s\n"
	       "  by tv measure   %s: %s, %s\n",
	       n, s, offline, equal ? "equal" : "NOT equal", verdict(equal && !strcmp(n, "none")));
}

static unsigned long found(const char *report, const char *seed)
{
	char key[64];
	const char *at;

	snprintf(key, sizeof(key), "secret %s: found in ", seed);
	at = strstr(report, key);
	if (!at)
		fail("the hunt gave no count for %s:\n%s", seed, report);
	return strtoul(at + strlen(key), NULL, 10);
}

static void hunt(void)
{
	char n_pid[16], s_pid[16], report[1024], *line;
	char *argv[] = {"tv-hunt", "--seed", N_SEED,  "--seed", S_SEED,
			"--pid",   n_pid,    "--pid", s_pid,    NULL};
	unsigned long n, s;

	snprintf(n_pid, sizeof(n_pid), "%d", vms[0].vmm);
	snprintf(s_pid, sizeof(s_pid), "%d", vms[1].vmm);
	printf("\nHost root hunts the secrets that the guests planted\n");
	show_command(argv);
	if (output(argv, report, sizeof(report)) > 1)
		fail("the hunt failed");
	n = found(report, N_SEED);
	s = found(report, S_SEED);
	for (line = strtok(report, "\n"); line; line = strtok(NULL, "\n"))
		printf("  %s\n", line);
	printf("  N-VM            found in %lu pages: %s\n", n, verdict(n > 0));
	printf("  S-VM            found in %lu pages: %s\n", s, verdict(s == 0));
}

static void start(void)
{
	printf("Stock Debian kernel, stock QEMU: as an N-VM and as an S-VM\n");
	for (int i = 0; i < 2; i++) {
		show_command(vms[i].argv);
		vm_start(&vms[i]);
	}
	if (!until(vms, 2, is_planted, deadline()))
		fail("no user space in both VMs");
	printf("\nBoot to user space, from the start of QEMU\n");
	for (int i = 0; i < 2; i++)
		printf("  %s            %.2f s\n", vms[i].name, vms[i].up - vms[i].start);
}

/* After the hunt both must still be at work; then they power themselves off. */
static void finish(void)
{
	char report[256] = "";
	bool alive, off;

	for (int i = 0; i < 2; i++)
		vm_say(&vms[i], "echo alive-$((6*7))\n");
	alive = until(vms, 2, is_alive, deadline());
	for (int i = 0; i < 2; i++)
		vm_say(&vms[i], "poweroff -f\n");
	off = until(vms, 2, is_over, deadline());
	for (int i = 0; off && i < 2; i++)
		off &= vm_end(&vms[i]) == 0;
	printf("\nAfter it\n"
	       "  both still at work, then powered off: %s\n",
	       verdict(alive && off));
	alive = !output(audit_argv, report, sizeof(report));
	report[strcspn(report, "\n")] = 0;
	printf("  S-visor's audit: %s: %s\n", report, verdict(alive));
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (access(IMAGE, R_OK) || access(INITRD, R_OK))
		fail("no " IMAGE " or " INITRD ": this is for the host that 'make run' boots");
	start();
	show_measurement();
	hunt();
	finish();
	printf("\n%s\n", good ? "All is as it should be." : "Something is WRONG: see above.");
	return !good;
}
