/* SPDX-License-Identifier: BSD-3-Clause */
/* The main job: one image as an ordinary and as a confidential VM. */
#ifndef DEMO_H
#define DEMO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LINE 512

struct vm {
	const char *name;
	const char *seed;
	char **argv;
	pid_t pid, vmm;
	int in, out;         /* its console */
	double start, up;    /* seconds; up = 0: not yet */
	bool planted, alive; /* said so */
	bool over;           /* console closed */
	char line[LINE];
	unsigned int fill;
};

/* process.c */
double now(void);
void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void vm_start(struct vm *vm);
void vm_say(struct vm *vm, const char *text);
int vm_end(struct vm *vm); /* wait status */
/* Reads the consoles until done() holds for each VM, or the time is over. */
bool until(struct vm *vms, int n, bool (*done)(const struct vm *vm), double deadline);
/* The output of a command, at most size - 1 bytes; returns its exit status. */
int output(char **argv, char *text, size_t size);

#endif
