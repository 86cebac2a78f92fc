// SPDX-License-Identifier: BSD-3-Clause
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "svisor.h"
#include "twin.h"

/* Where the controller lets CPUs in, stage2.c says what is closed, of the host and of ourselves;
 * elsewhere the controller does. */
#ifdef TV_HAVMSI
#include "host.h"
#include "ledger.h"
#else
static void host_close(unsigned region, pa_t base, pa_t top)
{
	(void)region;
	(void)base;
	(void)top;
}

static bool host_access(pa_t a, size_t bytes)
{
	(void)bytes;
	return !host_secure(a.v);
}

static void host_accessed(void)
{
}
#endif

#ifdef TV_HAVMSI
#define FIRST_BANK (HOST_DRAM_SIZE + HOST_SVISOR_SIZE)
#else
#define FIRST_BANK HOST_DRAM_SIZE
#endif

struct tv_manifest host_manifest = {
	.magic = TV_MANIFEST_MAGIC,
	.cpus = 4,
	.base = HOST_SVISOR,
	.size = HOST_SVISOR_SIZE,
	.drams = 2,
	.dram = {{HOST_DRAM, FIRST_BANK}, {HOST_HIGH, HOST_HIGH_SIZE}},
};

void (*host_guest)(struct guest_regs *regs, struct guest_exit *out);
struct host_run host_run;
void (*host_ns_hook)(uint64_t pa);
void (*host_begin_hook)(void);
static bool guest_is_in[TV_MAX_CPUS];
void (*host_op_hook)(enum host_op op, uint64_t what);
uint64_t host_broken_page, host_counter;
unsigned host_entropy, host_regions, host_address_bits;
bool host_narrow;
unsigned host_count[HOST_OPS], host_when[HOST_OPS];
uint64_t host_what[HOST_OPS];
uint64_t host_id[64];
uint64_t host_hz;
unsigned host_sve;

static struct bank {
	uint64_t base, size;
	uint8_t *mem;
} banks[] = {
	{HOST_SVISOR, HOST_SVISOR_SIZE, NULL},
	{HOST_DRAM, HOST_DRAM_SIZE, NULL},
	{HOST_HIGH, HOST_HIGH_SIZE, NULL},
};
#define BANKS (sizeof(banks) / sizeof(banks[0]))

static struct {
	uint64_t base, top;
} regions[HOST_REGIONS];
static bool mapped[(HOST_DRAM_SIZE + HOST_HIGH_SIZE) / TV_CHUNK_SIZE];
static unsigned now;
static _Thread_local unsigned cpu;

static void trace(enum host_op op, uint64_t what)
{
	__atomic_fetch_add(&host_count[op], 1, __ATOMIC_RELAXED);
	__atomic_store_n(&host_when[op], __atomic_add_fetch(&now, 1, __ATOMIC_RELAXED),
			 __ATOMIC_RELAXED);
	__atomic_store_n(&host_what[op], what, __ATOMIC_RELAXED);
	if (host_op_hook)
		host_op_hook(op, what);
}

void host_forget(void)
{
	now = 0;
	memset(host_count, 0, sizeof(host_count));
	memset(host_when, 0, sizeof(host_when));
	memset(host_what, 0, sizeof(host_what));
}

static void fresh_bank(struct bank *b)
{
	if (b->mem)
		munmap(b->mem, b->size);
	b->mem = mmap(NULL, b->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b->mem == MAP_FAILED)
		panic("no memory for the machine");
}

void host_reset(void)
{
	for (unsigned i = 0; i < BANKS; i++)
		fresh_bank(&banks[i]);
	memset(banks[0].mem, 0xa5, banks[0].size);
	memset(regions, 0, sizeof(regions));
	memset(mapped, 0, sizeof(mapped));
	for (unsigned i = 0; i < TV_MAX_POOLS; i++)
		host_close(i, PA(0), PA(0));
	host_guest = NULL;
	host_ns_hook = NULL;
	host_begin_hook = NULL;
	memset(guest_is_in, 0, sizeof(guest_is_in));
	host_op_hook = NULL;
	host_broken_page = 1;
	host_counter = 1000;
	host_entropy = -1;
	host_lists_ok = true;
	host_narrow = false;
	host_regions = HOST_REGIONS;
	host_address_bits = 48;
	memset(host_id, 0, sizeof(host_id));
	host_id[8 * 5] = 6 << 8; /* ID_AA64DFR0_EL1: PMUv3p5 */
	host_hz = 1000000000;
	host_sve = 1 << 1 | 1 << 2 | 1 << 4 | 1 << 8;
	host_cpu(0);
	host_forget();
}

void host_boot(const struct tv_manifest *m)
{
	svisor_init(m);
#ifdef TV_HAVMSI
	host_stage2_init(&ledger.board);
#endif
}

#ifdef TV_HAVMSI
uint64_t host_gic(void)
{
	return HOST_VTR;
}
#endif

void host_cpu(unsigned index)
{
	cpu = index;
}

void *host_mem(uint64_t pa)
{
	for (unsigned i = 0; i < BANKS; i++) {
		if (pa - banks[i].base < banks[i].size)
			return banks[i].mem + (pa - banks[i].base);
	}
	return NULL;
}

static bool in_region(uint64_t pa)
{
	for (unsigned i = 0; i < HOST_REGIONS; i++) {
		if (pa >= regions[i].base && pa < regions[i].top)
			return true;
	}
	return false;
}

bool host_secure(uint64_t pa)
{
	return pa - HOST_SVISOR < HOST_SVISOR_SIZE || in_region(pa);
}

uint64_t host_guest_leaf(uint64_t s2_root, uint64_t ipa)
{
	uint64_t table = s2_root;
	uint64_t desc = 0;

	for (int shift = 39; shift >= 12; shift -= 9) {
		uint64_t *entry = host_mem(table + (ipa >> shift & 511) * 8);

		desc = *entry;
		if (!(desc & 1))
			return 0;
		if (shift > 12 && !(desc & 2)) /* as a page of it would be */
			return desc | 2 | (ipa & ((1ULL << shift) - 1) & ~0xfffULL);
		table = desc & 0xfffffffff000;
	}
	return desc;
}

void *host_guest_mem(uint64_t s2_root, uint64_t ipa)
{
	uint64_t desc = host_guest_leaf(s2_root, ipa);

	if (!desc)
		return NULL;
	if ((desc & 0xfff) != 0x7db || desc >> 48)
		panic("a leaf with other attributes");
	return (uint8_t *)host_mem(desc & 0xfffffffff000) + (ipa & 0xfff);
}

/* ---- arch.h -------------------------------------------------------------- */

unsigned cpu_index(void)
{
	return cpu;
}

/* There may be fewer CPUs than threads. */
void cpu_relax(void)
{
	sched_yield();
}

uint64_t counter_now(void)
{
	return __atomic_fetch_add(&host_counter, 1, __ATOMIC_RELAXED);
}

bool host_lists_ok;

bool guest_gic_take(volatile const struct tv_run *page)
{
	(void)page;
	return host_lists_ok;
}

void guest_gic_give(volatile struct tv_run *page)
{
	(void)page;
}

uint64_t counter_hz(void)
{
	return host_hz;
}

bool random64(uint64_t *out)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005 + 1442695040888963407;
	*out = state | 0x8000000000000001;
	return host_entropy && host_entropy--;
}

uint64_t id_register(unsigned crm, unsigned op2)
{
	return host_id[8 * crm + op2];
}

unsigned sve_length(unsigned most)
{
	while (most && !(host_sve >> most & 1))
		most--;
	return most;
}

unsigned guest_address_bits(void)
{
	return host_address_bits;
}

void panic(const char *why)
{
	fprintf(stderr, "PANIC: %s\n", why);
	abort();
}

static bool *chunk_mapped(uint64_t pa)
{
	uint64_t n =
		pa - HOST_DRAM < HOST_DRAM_SIZE ? pa - HOST_DRAM : pa - HOST_HIGH + HOST_DRAM_SIZE;

	if (n >= HOST_DRAM_SIZE + HOST_HIGH_SIZE)
		panic("not a chunk of DRAM");
	return &mapped[n / TV_CHUNK_SIZE];
}

void *secure_ptr(pa_t a)
{
	if (a.v - HOST_SVISOR >= HOST_SVISOR_SIZE && !(*chunk_mapped(a.v) && in_region(a.v)))
		panic("Secure access to memory that is not mapped as Secure");
	return host_mem(a.v);
}

pa_t secure_pa(const void *p)
{
	for (unsigned i = 0; i < BANKS; i++) {
		if ((uintptr_t)p - (uintptr_t)banks[i].mem < banks[i].size)
			return PA((const uint8_t *)p - banks[i].mem + banks[i].base);
	}
	panic("not memory of the machine");
}

pa_t image_end(void)
{
	return PA(HOST_SVISOR + HOST_IMAGE_SIZE);
}

/* host_accessed is to follow. */
static bool ns_access(uint64_t pa, size_t bytes)
{
	uint64_t page = pa & ~(uint64_t)(TV_PAGE_SIZE - 1);

	if (host_ns_hook)
		host_ns_hook(pa);
	if (pa + bytes > page + TV_PAGE_SIZE)
		panic("an access across pages");
	if (!host_mem(pa) || pa - HOST_SVISOR < HOST_SVISOR_SIZE)
		panic("an access outside DRAM: could be a device");
	return host_access(PA(pa), bytes) && page != host_broken_page;
}

bool ns_read64(pa_t a, uint64_t *out)
{
	return ns_read(out, a, sizeof(*out));
}

bool ns_read(void *to, pa_t from, size_t bytes)
{
	bool ok = ns_access(from.v, bytes);

	if (ok)
		memcpy(to, host_mem(from.v), bytes);
	else
		memset(to, 0xee, bytes); /* undefined, that is */
	host_accessed();
	return ok;
}

bool ns_write(pa_t to, const void *from, size_t bytes)
{
	bool ok = ns_access(to.v, bytes);

	if (ok)
		memcpy(host_mem(to.v), from, bytes);
	host_accessed();
	return ok;
}

void *ns_kept_ptr(pa_t page)
{
	if (host_ns_hook)
		host_ns_hook(page.v);
	return host_mem(page.v);
}

static bool vectors_lent[TV_MAX_CPUS];

static void must_be_in(void)
{
	if (!guest_is_in[cpu_index()] && !vectors_lent[cpu_index()])
		panic("vector registers are the N-visor's");
}

void vectors_begin(void)
{
	vectors_lent[cpu_index()] = true;
}

void vectors_end(void)
{
	vectors_lent[cpu_index()] = false;
}

bool ns_read_many(void *to, pa_t from, size_t bytes)
{
	must_be_in();
	return ns_read(to, from, bytes);
}

bool ns_write_many(pa_t to, const void *from, size_t bytes)
{
	must_be_in();
	return ns_write(to, from, bytes);
}

void ns_flush(pa_t base, size_t size)
{
	if (size != TV_CHUNK_SIZE)
		panic("flush of another size");
	trace(HOST_NS_FLUSH, base.v);
}

void chunk_map(pa_t chunk)
{
	if (!in_region(chunk.v) || *chunk_mapped(chunk.v))
		panic("chunk_map of an ordinary or mapped chunk");
	*chunk_mapped(chunk.v) = true;
	trace(HOST_CHUNK_MAP, chunk.v);
}

void chunk_unmap(pa_t chunk)
{
	if (!in_region(chunk.v) || !*chunk_mapped(chunk.v))
		panic("chunk_unmap of an ordinary or unmapped chunk");
	*chunk_mapped(chunk.v) = false;
	trace(HOST_CHUNK_UNMAP, chunk.v);
}

void pages_zero(pa_t page, size_t pages)
{
	for (size_t i = 0; i < pages; i++) {
		pa_t p = PA(page.v + i * TV_PAGE_SIZE);

		memset(secure_ptr(p), 0, TV_PAGE_SIZE);
		trace(HOST_PAGE_ZERO, p.v);
	}
}

void pages_copy(pa_t to, pa_t from, size_t pages)
{
	memcpy(secure_ptr(to), secure_ptr(from), pages * TV_PAGE_SIZE);
	for (size_t i = 0; i < pages; i++)
		trace(HOST_PAGE_COPY, to.v + i * TV_PAGE_SIZE);
}

void page_publish(pa_t page)
{
	(void)secure_ptr(page);
	trace(HOST_PAGE_PUBLISH, page.v);
}

uint64_t s2_normal(void)
{
	return 6 << 2;
}

void s2_write(uint64_t *entry, uint64_t value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
	trace(HOST_S2_WRITE, value);
}

void tlb_flush_ipa(uint16_t vmid, ipa_t ipa)
{
	trace(HOST_TLB_IPA, ipa.v | vmid);
}

void tlb_flush_vm(uint16_t vmid)
{
	trace(HOST_TLB_VM, vmid);
}

void tlb_flush_local(uint16_t vmid)
{
	trace(HOST_TLB_LOCAL, vmid);
}

#define PSTATE_START 0x3c5 /* EL1h, DAIF */

void guest_reset(struct guest_regs *regs, uint64_t mpidr, uint64_t features)
{
	memset(regs, 0, sizeof(*regs));
	regs->mpidr = mpidr;
	regs->features = features;
	regs->pstate = PSTATE_START;
}

void guest_begin(void)
{
	if (guest_is_in[cpu_index()])
		panic("impossible guest_begin");
	guest_is_in[cpu_index()] = true;
	if (host_begin_hook)
		host_begin_hook();
}

void guest_end(void)
{
	if (!guest_is_in[cpu_index()])
		panic("impossible guest_end");
	guest_is_in[cpu_index()] = false;
}

void guest_run(struct guest_regs *regs, pa_t s2_root, uint16_t vmid, uint64_t cntvoff,
	       bool *vserror, struct guest_exit *out)
{
	host_run = (struct host_run){s2_root.v, cntvoff, vmid, *vserror};
	*vserror = false;
	*out = (struct guest_exit){.kind = GUEST_IRQ};
	if (!guest_is_in[cpu_index()] || vmid == 0 || !host_secure(s2_root.v))
		panic("impossible guest_run");
	if (host_guest)
		host_guest(regs, out);
}

void guest_inject(struct guest_regs *regs, uint64_t esr, uint64_t far, bool far_valid)
{
	regs->sys.elr_el1 = regs->pc;
	regs->sys.spsr_el1 = regs->pstate;
	regs->sys.esr_el1 = esr;
	if (far_valid)
		regs->sys.far_el1 = far;
	regs->pc = regs->sys.vbar_el1 + (regs->pstate & 0xc ? 0x200 : 0x400);
	regs->pstate = PSTATE_START;
	trace(HOST_INJECT, esr);
}

/* ---- platform.h ---------------------------------------------------------- */

unsigned protect_regions(void)
{
	return host_regions;
}

bool protect_fits(pa_t base, uint64_t size)
{
	return base.v >> 24 == (base.v + size - 1) >> 24 || !host_narrow;
}

void protect_set(unsigned region, pa_t base, pa_t top)
{
	if (region >= host_regions || base.v > top.v || !page_aligned(base.v | top.v))
		panic("impossible protect_set");
	host_close(region, base, top);
	regions[region].base = base.v;
	regions[region].top = top.v;
	trace(HOST_PROTECT, top.v);
}

void protect_get(unsigned region, pa_t *base, pa_t *top)
{
	*base = PA(regions[region].base);
	*top = PA(regions[region].top);
}

void console_putc(char c)
{
	static const char *verbose;

	if (!verbose)
		verbose = getenv("TV_LOG") ? "1" : "";
	if (*verbose)
		fputc(c, stderr);
}
