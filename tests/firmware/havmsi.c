/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stand-in for the S-visor of cores without Secure EL2 (BL32 at Non-secure EL2): says in TAP how
 * it was entered, what EL3 does for it and what devices can do to it; then starts the kernel's
 * stand-in, at EL1.
 */
#include "havmsi.h"
#include "record.h"

#define EL2 (2 << 2)
#define DAIF 0x3c0
#define MMU_AND_CACHES 0x1005
#define HCR_RW (1ull << 31)
#define SPSR_EL1H 0x3c5
#define CONTEXT 0x77

/* fw_cfg copies to memory by DMA. */
#define FW_CFG_DMA ((volatile uint64_t *)0x09020010)
#define DMA_ERROR 1
#define DMA_READ_SIGNATURE (1 << 3 | 1 << 1)
#define QEMU_LE 0x554d4551u /* "QEMU" */
#define ORDINARY 0x60100000ul
#define TZC_INT_STATUS 0x10
#define TZC_INT_CLEAR 0x14
#define TZC_FAIL_ID(filter) (0x2c + 0x10 * (filter))

#define be32(v) __builtin_bswap32(v)
#define be64(v) __builtin_bswap64(v)

static const struct tv_manifest *manifest;
static volatile uint64_t second_el, second_context;
static volatile uint32_t own_pages[2][TV_PAGE_SIZE / 4] __attribute__((aligned(TV_PAGE_SIZE)));

void _start(void);

static void ok(int good, const char *name)
{
	put_result(good, "", name);
}

static int64_t el3(uint32_t fid, uint64_t address, uint64_t *value)
{
	uint64_t r[GPRS] = {fid, address, *value};

	smc(r);
	*value = r[1];
	return r[0];
}

static uint64_t device_read(uint64_t address)
{
	uint64_t value = 0;

	return el3(TV_EL3_READ, address, &value) == TV_OK ? value : ~0ull;
}

static int64_t device_write(uint64_t address, uint64_t value)
{
	return el3(TV_EL3_WRITE, address, &value);
}

void say_char(char c)
{
	device_write(manifest->uart, c);
}

static void test_entry(uint64_t index, uint64_t cold)
{
	ok(read_reg("currentel") == EL2, "BL32 is entered at EL2");
	ok(read_reg("daif") == DAIF && !(read_reg("sctlr_el2") & MMU_AND_CACHES),
	   "with interrupts masked, MMU and caches off");
	ok(index == 0 && cold == 1, "x1 is its index, x2 says that this is the first entry");
	put("# manifest ");
	put_hex((uint64_t)manifest);
	for (uint64_t i = 0; i < sizeof(*manifest) / 8; i++) {
		put(" ");
		put_hex(((const uint64_t *)manifest)[i]);
	}
	put("\r\n");
}

static void test_devices(void)
{
	uint64_t base = manifest->tzc + TZC_REGION(1), last = manifest->tzc + TZC_REGION(8);
	uint64_t top = manifest->base + manifest->size - 1;

	ok(device_read(manifest->tzc) == 0x03002f08, "EL3 reads the TZC-400's page for EL2");
	ok((device_read(manifest->uart + 0xfe0) & 0xff) == 0x11 &&
		   (device_read(manifest->uart + 0xffc) & 0xff) == 0xb1,
	   "and the UART's, to its end");
	ok(device_write(base, 0xdeadbeef00000000 | PATTERN) == TV_OK &&
		   device_read(base) == PATTERN,
	   "EL3 writes 32 bits for EL2");
	ok(device_read(last) == manifest->base && device_read(last + 4) == 0 &&
		   device_read(last + 8) == (top & 0xffffffff) &&
		   device_read(last + 12) == top >> 32 && device_read(last + 16) == 0xc000000f &&
		   device_read(last + 20) == 0x00010001,
	   "the TZC-400's last region lets CPUs alone to BL32's memory");
}

static void test_refused(void)
{
	const uint64_t tzc = manifest->tzc, uart = manifest->uart;
	/* The UART of the normal world, firmware's memory, our own, and what wraps to a device */
	const uint64_t bad[] = {tzc - 4,          tzc + 0x1000, uart - 4,
				uart + 0x1000,    tzc + 1,      tzc + 2,
				tzc + 3,          uart + 2,     0,
				0x0e001000,       0x09000000,   0x08000000,
				manifest->base,   ~3ull,        tzc | 1ull << 32,
				uart | 1ull << 63};
	static const uint32_t calls[] = {TV_VERSION,       TV_SMC(TV_CALLS), TV_SVISOR_READY,
					 TV_SVISOR_RETURN, TV_DISPATCH_WIPE, TV_SVISOR_COUNT,
					 0xBF00FF01};
	int read = 1, written = 1, none = 1;

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		uint64_t value = 0x5a;

		read &= el3(TV_EL3_READ, bad[i], &value) == TV_EINVAL && value == bad[i];
		written &= device_write(bad[i], 0x5a) == TV_EINVAL;
	}
	ok(read, "EL3 reads nothing else for EL2");
	ok(written, "and writes nothing else");
	for (unsigned int i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		uint64_t value = tzc;

		none &= el3(calls[i], tzc, &value) == TV_ENOSYS;
	}
	ok(none, "the other calls are none of EL3's");
}

/* What the device leaves in the control word of the descriptor. */
static uint32_t dma(volatile uint32_t *descriptor, volatile uint32_t *to)
{
	uint64_t address = (uint64_t)to;

	descriptor[0] = be32(DMA_READ_SIGNATURE);
	descriptor[1] = be32(4);
	descriptor[2] = be32(address >> 32);
	descriptor[3] = be32(address);
	*FW_CFG_DMA = be64((uint64_t)descriptor);
	return be32(descriptor[0]);
}

static void test_dma(void)
{
	volatile uint32_t *ordinary = (void *)ORDINARY, *page = (void *)(ORDINARY + TV_PAGE_SIZE);
	uint64_t filter = (uint64_t)own_pages[0] >> TV_PAGE_SHIFT & 3, status;

	page[0] = 0;
	ok(dma(ordinary, page) == 0 && page[0] == QEMU_LE,
	   "a device reads and writes ordinary memory");
	own_pages[0][0] = PATTERN;
	ok(dma(ordinary, own_pages[0]) == DMA_ERROR && own_pages[0][0] == PATTERN,
	   "no device writes BL32's");
	status = device_read(manifest->tzc + TZC_INT_STATUS);
	ok((status & 0xf) == 1u << filter && device_read(manifest->tzc + TZC_FAIL_ID(filter)) == 1,
	   "the TZC-400 has seen a device try");
	device_write(manifest->tzc + TZC_INT_CLEAR, 0xf);
	page[0] = 0;
	ok(dma(own_pages[1], page) == DMA_READ_SIGNATURE && page[0] == 0, "no device reads BL32's");
	device_write(manifest->tzc + TZC_INT_CLEAR, 0xf);
}

static void test_second_cpu(void)
{
	uint64_t r[GPRS] = {PSCI_CPU_ON, 1, (uint64_t)_start, CONTEXT};

	smc(r);
	while (r[0] == 0 && !second_el)
		;
	ok(second_el == EL2 && second_context == CONTEXT, "CPU_ON of EL2 starts a CPU at EL2");
}

/* The other CPU waits for what the kernel does, and looks whether it has changed anything. */
static void judge(uint64_t context)
{
	second_context = context;
	second_el = read_reg("currentel");
	while (!*HOST_HAS_TRIED)
		;
	ok(device_read(manifest->tzc + TZC_REGION(1)) == PATTERN,
	   "nor did EL1's writes change anything");
	*JUDGED = 1;
	for (;;)
		;
}

static void start_host(void)
{
	*HOST_HAS_TRIED = *JUDGED = 0;
	*HOST_TZC = manifest->tzc;
	*HOST_UART = manifest->uart;
	test_second_cpu();
	write_reg("hcr_el2", HCR_RW);
	write_reg("sctlr_el1", 0x30d00800);
	write_reg("spsr_el2", SPSR_EL1H);
	write_reg("elr_el2", manifest->host);
	register uint64_t x0 __asm__("x0") = manifest->host_x[0];
	register uint64_t x1 __asm__("x1") = manifest->host_x[1];
	register uint64_t x2 __asm__("x2") = manifest->host_x[2];
	register uint64_t x3 __asm__("x3") = manifest->host_x[3];
	__asm__ volatile("eret" ::"r"(x0), "r"(x1), "r"(x2), "r"(x3) : "memory");
}

void start(uint64_t x0, uint64_t index, uint64_t cold)
{
	if (read_reg("mpidr_el1") & 0xff)
		judge(x0);
	manifest = (const struct tv_manifest *)x0;
	show_boot((const struct tv_boot *)manifest->boot);
	test_entry(index, cold);
	test_devices();
	test_refused();
	test_dma();
	start_host();
}
