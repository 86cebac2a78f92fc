// SPDX-License-Identifier: GPL-2.0-only
/*
 * Goes through the call gate for a vCPU that does not exist, a few and then many times, with marks
 * between, when it is loaded.
 */
#include <linux/arm-smccc.h>
#include <linux/irqflags.h>
#include <linux/module.h>

#include "abi.h"
#include "mark.h"
#include "micro.h"

static int few = 1, many = 1;
module_param(few, int, 0);
module_param(many, int, 0);

static noinline void mark(u64 label)
{
	register u64 x0 asm("x0") = label;

	asm volatile("hint #%0" : : "i"(MARK_HINT), "r"(x0));
}

static noinline void cross(int n)
{
	while (n--) {
		register u64 x0 asm("x0") = TV_VCPU_RUN;
		register u64 x1 asm("x1") = 0;
		register u64 x2 asm("x2") = 0;

		asm volatile("smc #0"
			     : "+r"(x0), "+r"(x1), "+r"(x2)
			     :
			     : "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
			       "x14", "x15", "x16", "x17", "cc", "memory");
	}
}

static int __init tvgate_init(void)
{
	unsigned long flags;

	local_irq_save(flags);
	cross(few);
	mark(MARK_FEW);
	cross(few);
	mark(MARK_MANY);
	cross(many);
	mark(MARK_END);
	local_irq_restore(flags);
	return -EAGAIN; /* nothing stays */
}
module_init(tvgate_init);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("counts what the call gate costs");
