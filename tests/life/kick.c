/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kick PID TIMES: so many signals to each vCPU of a QEMU with debug-threads=on, the one by which
 * QEMU itself gets a vCPU out of KVM_RUN. Prints the number of vCPUs.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST 64

/* Of a vCPU's thread: "CPU <n>/KVM" */
static int is_vcpu(const char *task)
{
	char name[16] = "";
	FILE *file = fopen(task, "r");

	if (!file)
		return 0;
	if (!fgets(name, sizeof(name), file))
		*name = 0;
	fclose(file);
	return !strncmp(name, "CPU ", 4);
}

static int find(int pid, int tid[MOST])
{
	char path[64];
	struct dirent *entry;
	int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && n < MOST && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/comm", pid, entry->d_name);
		if (is_vcpu(path))
			tid[n++] = atoi(entry->d_name);
	}
	return n;
}

int main(int argc, char **argv)
{
	int tid[MOST], pid, n;

	if (argc != 3)
		return 64;
	pid = atoi(argv[1]);
	n = find(pid, tid);

	for (long i = 0; i < n * atol(argv[2]); i++)
		if (syscall(SYS_tgkill, pid, tid[i % n], SIGUSR1)) {
			perror("tgkill");
			return 1;
		}
	printf("%d\n", n);
	return !n;
}
