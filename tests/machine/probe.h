/* SPDX-License-Identifier: BSD-3-Clause */
/* What the bare-metal probes of the emulated server share. */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIT(n) (1ul << (n))

#define SRAM_BASE 0x0e000000ul
#define DRAM_BASE 0x40000000ul
#define LOW_NS (DRAM_BASE + 0x100000) /* low code of the Non-secure world */

/* SCR_EL3 (DDI 0487) */
#define SCR_NS BIT(0)
#define SCR_HCE BIT(8)
#define SCR_RW BIT(10)
#define SCR_EEL2 BIT(18)
#define SCR_S (0x30 | SCR_HCE | SCR_RW | SCR_EEL2)
#define SCR_N (SCR_S | SCR_NS)

/* SPSR_EL3: where to go, with DAIF set or not */
#define TO_EL1 0x3c5ul
#define TO_EL2 0x3c9ul
#define TO_EL1_IRQ 0x345ul /* I and F clear */

#define HCR_VM BIT(0)
#define HCR_FMO BIT(3)
#define HCR_IMO BIT(4)
#define HCR_RW BIT(31)

/* Exception classes and fault status codes (ESR_ELx) */
#define EC_SYSREG 0x18
#define EC_IABT_LOWER 0x20
#define EC_IABT 0x21
#define EC_DABT_LOWER 0x24
#define EC_DABT 0x25
#define FSC_EXTERNAL 0x10
#define FSC_EXTERNAL_WALK2 0x16
#define ESR_WNR BIT(6)
#define ESR_S1PTW BIT(7)

#define esr_ec(esr) ((esr) >> 26 & 0x3f)
#define esr_fsc(esr) ((esr) & 0x3f)

#define sysreg_read(name) \
	({ \
		uint64_t v_; \
		asm volatile("mrs %0, " #name : "=r"(v_)); \
		v_; \
	})
#define sysreg_write(name, v) asm volatile("msr " #name ", %0; isb" ::"r"((uint64_t)(v)) : "memory")

typedef const char payload_t[];
extern payload_t low_start, low_end, el2_vectors, el1_vectors;
extern payload_t p_read, p_read32, p_write, p_write32, p_pair, p_ldadd, p_call, p_spin, p_watch;
extern payload_t p_protect_and_write, p_iar1, p_iar0, p_eoir1, p_dir, p_pmr;

/* Layout known to start.S. */
struct entry {
	uint64_t scr, spsr, pc;
	union {
		uint64_t arg[4];
		struct {
			uint64_t kind, x[14], esr, far, elr;
		} out;
	};
};

/* How a run ended: el 0 is the payload's own end, with x0; 1 and 2 an exception
 * taken to that level, 3 one taken to EL3. vector counts from 0 in the table. */
struct trap {
	unsigned el, vector;
	uint64_t x0, esr, far, hpfar;
};

void run_entry(struct entry *e);
void semihost(uint64_t op, const uint64_t *arg);
struct trap run(uint64_t scr, uint64_t spsr, const char *payload, uint64_t a0, uint64_t a1,
		uint64_t a2, uint64_t a3);

static inline struct trap run2(uint64_t scr, uint64_t spsr, const char *payload, uint64_t a0,
			       uint64_t a1)
{
	return run(scr, spsr, payload, a0, a1, 0, 0);
}

void low_ns_copy(void);

/* Set by main() to release CPU 1 and up. */
extern void (*volatile secondary_fn)(unsigned cpu);
void release_secondaries(void (*fn)(unsigned cpu));

void check(bool ok, const char *name);
void check_eq(uint64_t seen, uint64_t wanted, const char *name);
_Noreturn void finish(void);
_Noreturn void panic(uint64_t esr, uint64_t elr, uint64_t far);

static inline uint32_t read32(uint64_t a)
{
	return *(volatile uint32_t *)a;
}

static inline void write32(uint64_t a, uint32_t v)
{
	*(volatile uint32_t *)a = v;
	asm volatile("dsb sy" ::: "memory");
}

static inline uint64_t read64(uint64_t a)
{
	return *(volatile uint64_t *)a;
}

static inline void write64(uint64_t a, uint64_t v)
{
	*(volatile uint64_t *)a = v;
	asm volatile("dsb sy" ::: "memory");
}

#endif
