/* SPDX-License-Identifier: BSD-3-Clause */
/* What a bare image at EL2 has: start.S and smc.S. */
#ifndef BARE_H
#define BARE_H

#define CPUS 4
#define STACK_SHIFT 12
#define GPRS 31

#ifndef __ASSEMBLER__
#include <stdint.h>

/* Loads x0-x30 from regs[], executes SMC, and stores x0-x30 there. */
void smc(uint64_t regs[GPRS]);

#define read_reg(name) \
	({ \
		uint64_t v_; \
		__asm__ volatile("mrs %0, " name : "=r"(v_)); \
		v_; \
	})
#define write_reg(name, v) __asm__ volatile("msr " name ", %0\n\tisb" ::"r"((uint64_t)(v)))

/* Of the image: where start.S goes, with x0-x3 of the entry, and on an exception. */
void fatal(uint64_t esr, uint64_t elr);
#endif

#endif
