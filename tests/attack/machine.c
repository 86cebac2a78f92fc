/* SPDX-License-Identifier: BSD-3-Clause */
/* The machine under attack: the module, physical memory, CPUs. */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attack.h"

/* fp.S */
long ioctl_fp(int fd, unsigned long request, void *arg, const uint64_t *before, uint64_t *after);

#define RESERVED "/sys/firmware/devicetree/base/reserved-memory/bl32@*/reg"

uint64_t attack_pool, svisor = 0x0e100000;
bool hosted;
static int dev = -1, mem = -1;
static struct tva_pool pool;
static uint8_t *map;
static uint64_t next_ordinary;
static __thread sigjmp_buf caught;
static __thread volatile bool guarded;

static void on_fault(int sig)
{
	if (guarded)
		siglongjmp(caught, 1);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* Firmware keeps the kernel off the S-visor's memory where that is DRAM. */
static void find_svisor(void)
{
	glob_t found;
	uint64_t reg;
	int fd;

	if (glob(RESERVED, 0, NULL, &found))
		return;
	fd = open(found.gl_pathv[0], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, &reg, sizeof(reg)) != sizeof(reg))
		die("%s: %s", found.gl_pathv[0], strerror(errno));
	close(fd);
	globfree(&found);
	svisor = be64toh(reg);
	hosted = true;
}

void machine_open(void)
{
	find_svisor();
	dev = open("/dev/tv-attack", O_RDWR | O_CLOEXEC);
	if (dev < 0)
		die("/dev/tv-attack: %s: load tvattack.ko first", strerror(errno));
	mem = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	if (mem < 0)
		die("/dev/mem: %s: the attacks need CONFIG_DEVMEM", strerror(errno));
	pool.size = POOL_SIZE;
	if (ioctl(dev, TVA_POOL, &pool))
		die("no %lu MiB of contiguous memory: %s", POOL_SIZE >> 20, strerror(errno));
	if (pool.status)
		die("TV_POOL_ADD: %ld", (long)pool.status);
	attack_pool = pool.index;
	map = mmap(NULL, pool.size, PROT_READ | PROT_WRITE, MAP_SHARED, dev, pool.base);
	if (map == MAP_FAILED)
		die("mmap of the pool: %s", strerror(errno));
	signal(SIGBUS, on_fault);
	signal(SIGSEGV, on_fault);
	signal(SIGILL, on_fault);
}

void batch_fp(struct tva_batch *b, const uint64_t before[64], uint64_t after[64])
{
	if (ioctl_fp(dev, TVA_BATCH, b, before, after))
		die("TVA_BATCH failed");
}

/* The gate keeps no FP register, so every batch must take them for lost. */
void batch(struct tva_batch *b)
{
	static const uint64_t zero[64];
	uint64_t lost[64];

	batch_fp(b, zero, lost);
}

struct result smc(uint64_t fn, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct tva_batch t = {.ncalls = 1, .call = {{.x = {fn, a, b, c, d, 5, 6, 7}}}};
	uint64_t *r = t.call[0].r;

	batch(&t);
	if (t.call[0].changed)
		die("SMC %#lx changed registers, mask %#lx", fn, t.call[0].changed);
	return (struct result){(int64_t)r[0], {r[1], r[2], r[3], r[4]}};
}

uint64_t ordinary(size_t pages)
{
	uint64_t half = pool.size / 2, pa = pool.base + half + next_ordinary;

	if (next_ordinary + pages * PAGE > half)
		die("out of ordinary memory");
	next_ordinary += pages * PAGE;
	memset(at(pa), 0, pages * PAGE);
	return pa;
}

void *at(uint64_t pa)
{
	return map + (pa - pool.base);
}

uint64_t chunk_base(unsigned int i)
{
	return pool.base + i * CHUNK;
}

static void *map_at(int fd, uint64_t pa, size_t size, int prot)
{
	void *p = mmap(NULL, size, prot, MAP_SHARED, fd, pa);

	if (p == MAP_FAILED)
		die("mapping of %#lx: %s", pa, strerror(errno));
	return p;
}

void *physical(uint64_t pa, size_t size, int prot)
{
	return map_at(mem, pa, size, prot);
}

static void access_now(void *p, char how, uint64_t *value)
{
	if (how == 'r')
		*value = *(volatile uint64_t *)p;
	else if (how == 'w')
		*(volatile uint64_t *)p = *value;
	else
		((void (*)(void))p)();
}

/* /dev/mem makes what it maps never executable, so that is the module's part. */
enum outcome touch(uint64_t pa, char how, uint64_t *value)
{
	int prot = how == 'x' ? PROT_READ | PROT_EXEC : PROT_READ | PROT_WRITE;
	void *p = map_at(how == 'x' ? dev : mem, pa & ~(PAGE - 1), PAGE, prot);
	volatile enum outcome r = FAULTED; /* survives the jump */

	if (!sigsetjmp(caught, 1)) {
		guarded = true;
		access_now((uint8_t *)p + (pa & (PAGE - 1)), how, value);
		r = DONE;
	}
	guarded = false;
	munmap(p, PAGE);
	return r;
}

void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("CPU %d: %s", cpu, strerror(errno));
}

int cpus(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}
