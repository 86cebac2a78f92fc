// SPDX-License-Identifier: BSD-3-Clause
#include <sys/wait.h>

#include "fixture.h"

static struct test *first, **last = &first;
static uint64_t next_page;
static struct step script[16];
static unsigned script_steps;

uint64_t svm_features;
struct guest_regs guest_saw;
unsigned guest_runs;

void test_register(struct test *t)
{
	*last = t;
	last = &t->next;
}

static bool passes(const struct test *t)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alarm(60);
		t->run();
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Arguments: part of the names of the tests to run; none: all. UNIT_FIRST: the first failure
 * is the end. */
int main(int argc, char **argv)
{
	unsigned n = 0, failed = 0;

	for (const struct test *t = first; t; t = t->next) {
		if (argc > 1 && !strstr(t->name, argv[1]))
			continue;
		if (passes(t)) {
			printf("ok %u - %s\n", ++n, t->name);
		} else {
			printf("not ok %u - %s\n", ++n, t->name);
			failed++;
			if (getenv("UNIT_FIRST"))
				return 1;
		}
	}
	printf("1..%u\n", n);
	return failed != 0;
}

/* ---- the N-visor --------------------------------------------------------- */

struct tv_args call(uint64_t function, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct tv_args args = {{function, a, b, c, d}};

	svisor_call(&args);
	return args;
}

int64_t smc(uint64_t function, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return call(function, a, b, c, d).x[0];
}

uint64_t ordinary_page(void)
{
	next_page += TV_PAGE_SIZE;
	check(next_page <= TV_CHUNK_SIZE);
	return HOST_DRAM + next_page - TV_PAGE_SIZE;
}

/* The shared pages come first. */
void boot_rest(void)
{
	next_page = 0;
	for (unsigned cpu = 0; cpu < 4; cpu++) {
		host_cpu(cpu);
		check_eq(smc(TV_CPU_SHARE, ordinary_page(), 0, 0, 0), TV_OK);
	}
	host_cpu(0);
}

void boot(void)
{
	host_reset();
	host_boot(&host_manifest);
	boot_rest();
}

void add_pool(void)
{
	struct tv_args a = call(TV_POOL_ADD, POOL, POOL_CHUNKS * TV_CHUNK_SIZE, 0, 0);

	check_eq(a.x[0], TV_OK);
	check_eq(a.x[1], 0);
}

struct tv_run *shared(void)
{
	return host_mem(HOST_DRAM + PAGE(cpu_index()));
}

bool shows(const struct tv_run *want)
{
	const struct tv_run *p = shared();

	return !memcmp(p->gpr, want->gpr, sizeof(p->gpr)) && p->exit == want->exit &&
	       p->esr == want->esr && p->far == want->far && p->hpfar == want->hpfar &&
	       p->size == want->size && p->lines == want->lines && p->late == want->late;
}

struct tv_args audit(void)
{
	return call(TV_AUDIT, 0, 0, 0, 0);
}

uint64_t lost_pages(void)
{
	struct tv_args a = call(TV_STATS, TV_STATS_HEAP, 0, 0, 0);

	check_eq(a.x[0], TV_OK);
	return a.x[1] - a.x[2] - a.x[3];
}

void check_audit(void)
{
	struct tv_args a = audit();

	check_eq(a.x[0], TV_OK);
	check_eq(a.x[1], 0);
	check_eq(lost_pages(), 0);
}

bool all_words(uint64_t pa, uint64_t size, uint64_t value)
{
	const uint64_t *p = host_mem(pa);

	for (uint64_t i = 0; i < size / 8; i++) {
		if (p[i] != value)
			return false;
	}
	return true;
}

struct npt_model npt_new(void)
{
	uint64_t page = ordinary_page();

	if (page & TV_PAGE_SIZE) /* two tables, aligned to their size */
		page = ordinary_page();
	ordinary_page();
	return (struct npt_model){page};
}

uint64_t *npt_entry(struct npt_model *n, uint64_t ipa, unsigned level)
{
	uint64_t table = n->root;
	uint64_t index = ipa >> 30;

	for (unsigned at = NPT_LEVEL; at < level; at++) {
		uint64_t *entry = (uint64_t *)host_mem(table) + index;

		if (!*entry)
			*entry = ordinary_page() | 3;
		table = *entry & 0xfffffffff000;
		index = ipa >> (12 + 9 * (2 - at)) & 511;
	}
	return (uint64_t *)host_mem(table) + index;
}

void npt_page(struct npt_model *n, uint64_t ipa, uint64_t pa)
{
	*npt_entry(n, ipa, 3) = pa | 0x7ff;
}

struct svm svm_new(void)
{
	struct svm vm = {.npt = npt_new()};
	struct tv_args a = call(TV_VM_CREATE, vm.npt.root, NPT_BITS, NPT_LEVEL, svm_features);

	check_eq(a.x[0], TV_OK);
	vm.handle = a.x[1];
	check_eq(smc(TV_VM_RAM, vm.handle, RAM, RAM_SIZE, 0), TV_OK);
	return vm;
}

int64_t load_page(uint64_t handle, uint64_t ipa, uint64_t from, uint64_t page)
{
	(void)smc(TV_CHUNK_TAKE, handle, page & ~(uint64_t)(TV_CHUNK_SIZE - 1), 0, 0);
	return smc(TV_VM_LOAD, handle, ipa, from, page);
}

int64_t take(const struct svm *vm, unsigned chunk)
{
	return smc(TV_CHUNK_TAKE, vm->handle, CHUNK(chunk), 0, 0);
}

struct svm svm_launch(unsigned chunk, uint64_t word, unsigned vcpus)
{
	struct svm vm = svm_new();
	uint64_t from = ordinary_page();

	check_eq(take(&vm, chunk), TV_OK);
	for (unsigned i = 0; i < TV_PAGE_SIZE / 8; i++)
		((uint64_t *)host_mem(from))[i] = word;
	check_eq(smc(TV_VM_LOAD, vm.handle, RAM, from, CHUNK(chunk)), TV_OK);
	memset(shared(), 0, sizeof(*shared()));
	shared()->pc = RAM;
	for (unsigned i = 0; i < vcpus; i++)
		check_eq(smc(TV_VCPU_CREATE, vm.handle, i, i == 0 ? TV_VCPU_ON : 0, 0), TV_OK);
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_OK);
	return vm;
}

int64_t svm_destroy(uint64_t handle)
{
	int64_t ret;

	do {
		ret = smc(TV_VM_DESTROY, handle, 0, 0, 0);
	} while (ret == TV_AGAIN);
	return ret;
}

/* ---- the guest ----------------------------------------------------------- */

static void scripted_guest(struct guest_regs *regs, struct guest_exit *out)
{
	guest_saw = *regs;
	if (guest_runs < script_steps) {
		const struct step *s = &script[guest_runs];

		*out = s->exit;
		if (s->act)
			s->act(regs);
	}
	guest_runs++;
}

void guest_script(const struct step *steps, unsigned n)
{
	check(n <= sizeof(script) / sizeof(script[0]));
	memcpy(script, steps, n * sizeof(*steps));
	script_steps = n;
	guest_runs = 0;
	host_guest = scripted_guest;
}

int64_t run_as_is(struct svm *vm, unsigned vcpu)
{
	return smc(TV_VCPU_RUN, vm->handle, vcpu, 0, 0);
}

int64_t run(struct svm *vm, unsigned vcpu, uint64_t flags)
{
	memset(shared(), 0, sizeof(*shared()));
	shared()->flags = flags;
	return run_as_is(vm, vcpu);
}
