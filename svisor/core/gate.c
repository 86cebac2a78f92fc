// SPDX-License-Identifier: BSD-3-Clause
/*
 * The S-visor's doors. Handlers are thin: they pass arguments on and place results.
 */
#include "audit.h"
#include "cpuid.h"
#include "heap.h"
#include "ledger.h"
#include "log.h"
#include "nvm.h"
#include "platform.h"
#include "share.h"
#include "svisor.h"
#include "vcpu.h"
#include "wipe.h"

/* Arguments x[1]-x[4] in, results x[1]-x[4] out (zero at first); returns x0. */
typedef int64_t handler_fn(const uint64_t *in, uint64_t *out);

static int64_t do_version(const uint64_t *in, uint64_t *out)
{
	(void)in;
	out[1] = TV_ABI_MAJOR << 16 | TV_ABI_MINOR;
	out[2] = guest_address_bits();
	out[3] = cpuid_features();
	return TV_OK;
}

static int64_t do_cpu_share(const uint64_t *in, uint64_t *out)
{
	(void)out;
	return share_set(PA(in[1]));
}

static int64_t do_pool_add(const uint64_t *in, uint64_t *out)
{
	return ledger_pool_add(in[1], in[2], &out[1]);
}

static int64_t do_chunk_return(const uint64_t *in, uint64_t *out)
{
	return ledger_return(in[1], &out[1]);
}

static int64_t do_vm_create(const uint64_t *in, uint64_t *out)
{
	struct npt npt = {.root = in[1], .bits = in[2], .level = in[3]};

	return vm_create(&npt, in[4], &out[1]);
}

static int64_t do_vm_ram(const uint64_t *in, uint64_t *out)
{
	(void)out;
	return vm_ram(in[1], in[2], in[3]);
}

static int64_t do_vcpu_create(const uint64_t *in, uint64_t *out)
{
	return vcpu_create(in[1], in[2], in[3], &out[1]);
}

static int64_t do_vm_load(const uint64_t *in, uint64_t *out)
{
	return launch_load(in[1], IPA(in[2]), PA(in[3]), PA(in[4]), &out[1]);
}

static int64_t do_vm_seal(const uint64_t *in, uint64_t *out)
{
	(void)out;
	return launch_seal(in[1]);
}

static int64_t do_vm_measurement(const uint64_t *in, uint64_t *out)
{
	return launch_measurement(in[1], &out[1]);
}

static int64_t do_vm_destroy(const uint64_t *in, uint64_t *out)
{
	(void)out;
	return vm_destroy(in[1]);
}

static int64_t do_audit(const uint64_t *in, uint64_t *out)
{
	struct audit a;
	int ret = audit_run(&a);

	(void)in;
	if (ret != TV_OK)
		return ret;
	out[1] = a.violations;
	out[2] = a.chunks;
	out[3] = a.vms;
	out[4] = heap_available();
	return TV_OK;
}

static int64_t do_chunk_take(const uint64_t *in, uint64_t *out)
{
	(void)out;
	return vm_take_chunk(in[1], PA(in[2]));
}

static int64_t do_chunk_move(const uint64_t *in, uint64_t *out)
{
	(void)out;
	return vm_move_chunk(in[1], PA(in[2]), PA(in[3]));
}

static int64_t do_chunk_free(const uint64_t *in, uint64_t *out)
{
	(void)out;
	return vm_free_chunk(in[1], PA(in[2]));
}

static int64_t do_stats(const uint64_t *in, uint64_t *out)
{
	struct stats s;
	int ret;

	if (in[1] > TV_STATS_HEAP)
		return TV_EINVAL;
	ret = stats_run(&s);
	if (ret != TV_OK)
		return ret;
	out[1] = in[1] == TV_STATS_HEAP ? s.pages : s.vms;
	out[2] = in[1] == TV_STATS_HEAP ? s.available : s.owned;
	out[3] = in[1] == TV_STATS_HEAP ? s.recorded : s.secure;
	out[4] = in[1] == TV_STATS_HEAP ? 0 : s.heap_chunks;
	return TV_OK;
}

static int64_t do_vm_bounce(const uint64_t *in, uint64_t *out)
{
	(void)out;
	return vm_bounce(in[1], in[2], in[3]);
}

static int64_t do_bounce_add(const uint64_t *in, uint64_t *out)
{
	return vm_bounce_add(in[1], in[2], &out[1]);
}

static int64_t do_bounce_trim(const uint64_t *in, uint64_t *out)
{
	return vm_bounce_trim(in[1], &out[1]);
}

static int64_t do_vm_show(const uint64_t *in, uint64_t *out)
{
	(void)out;
	return vm_show(in[1], IPA(in[2]), PA(in[3]));
}

static int64_t do_queue_stats(const uint64_t *in, uint64_t *out)
{
	(void)out;
	return vm_queue_stats(in[1], in[2]);
}

static int64_t do_watch(const uint64_t *in, uint64_t *out)
{
	(void)out;
	if (in[1] > 1)
		return TV_EINVAL;
	gate_watch(in[1]);
	return TV_OK;
}

static int64_t do_vm_answered(const uint64_t *in, uint64_t *out)
{
	return vm_answered(in[1], &out[1]);
}

static int64_t do_vm_policy(const uint64_t *in, uint64_t *out)
{
	(void)out;
	return vm_policy(in[1], in[2]);
}

static int64_t do_event_log(const uint64_t *in, uint64_t *out)
{
	return attest_event_log(in[1], &out[1]);
}

#define INDEX(call) ((call) - TV_SMC(0))

static handler_fn *const handlers[] = {
	[INDEX(TV_VERSION)] = do_version,
	[INDEX(TV_CPU_SHARE)] = do_cpu_share,
	[INDEX(TV_POOL_ADD)] = do_pool_add,
	[INDEX(TV_CHUNK_RETURN)] = do_chunk_return,
	[INDEX(TV_VM_CREATE)] = do_vm_create,
	[INDEX(TV_VM_RAM)] = do_vm_ram,
	[INDEX(TV_VCPU_CREATE)] = do_vcpu_create,
	[INDEX(TV_VM_LOAD)] = do_vm_load,
	[INDEX(TV_VM_SEAL)] = do_vm_seal,
	[INDEX(TV_VM_MEASUREMENT)] = do_vm_measurement,
	[INDEX(TV_VCPU_RUN)] = NULL, /* see svisor_call */
	[INDEX(TV_VM_DESTROY)] = do_vm_destroy,
	[INDEX(TV_AUDIT)] = do_audit,
	[INDEX(TV_CHUNK_TAKE)] = do_chunk_take,
	[INDEX(TV_STATS)] = do_stats,
	[INDEX(TV_CHUNK_MOVE)] = do_chunk_move,
	[INDEX(TV_VM_BOUNCE)] = do_vm_bounce,
	[INDEX(TV_BOUNCE_ADD)] = do_bounce_add,
	[INDEX(TV_BOUNCE_TRIM)] = do_bounce_trim,
	[INDEX(TV_VM_SHOW)] = do_vm_show,
	[INDEX(TV_QUEUE_STATS)] = do_queue_stats,
	[INDEX(TV_WATCH)] = do_watch,
	[INDEX(TV_VM_ANSWERED)] = do_vm_answered,
	[INDEX(TV_CHUNK_FREE)] = do_chunk_free,
	[INDEX(TV_VM_POLICY)] = do_vm_policy,
	[INDEX(TV_EVENT_LOG)] = do_event_log,
	[INDEX(TV_HOST_INFO)] = nvm_call,
	[INDEX(TV_NVM_CREATE)] = nvm_call,
	[INDEX(TV_NVM_RUN)] = nvm_call,
	[INDEX(TV_NVM_FORGET)] = nvm_call,
	[INDEX(TV_NVM_DESTROY)] = nvm_call,
};

_Static_assert(sizeof(handlers) / sizeof(handlers[0]) == TV_CALLS, "every call has a handler");

static int64_t dispatch(uint32_t call, const uint64_t *in, uint64_t *out)
{
	int64_t ret;

	if (call == INDEX(TV_DISPATCH_WIPE))
		return wipe_run();
	if (!gate_enter())
		return TV_ESTATE;
	ret = call < TV_CALLS ? handlers[call](in, out) : TV_ENOSYS;
	gate_leave();
	return ret;
}

static void others(uint32_t call, struct tv_args *a)
{
	uint64_t out[5] = {0};

	out[0] = dispatch(call, a->x, out);
	for (unsigned i = 0; i < 5; i++)
		a->x[i] = out[0] == TV_OK || i == 0 ? out[i] : 0;
}

/* Nearly all calls are to run a vCPU, which has no results but the code. */
void svisor_call(struct tv_args *a)
{
	uint32_t call = (uint32_t)a->x[0] - TV_SMC(0); /* wraps for what is below */

	if (call != INDEX(TV_VCPU_RUN))
		return others(call, a);
	if (gate_enter()) {
		a->x[0] = vcpu_run(a->x[1], a->x[2]);
		gate_leave();
	} else {
		a->x[0] = TV_ESTATE;
	}
	a->x[1] = a->x[2] = a->x[3] = a->x[4] = 0;
}

/* Does everything in the manifest lie where the S-visor can use it? */
static bool manifest_ok(const struct tv_manifest *m)
{
	return m->magic == TV_MANIFEST_MAGIC && m->drams <= TV_MAX_DRAM && m->cpus <= TV_MAX_CPUS &&
	       page_aligned(m->base | m->size) &&
	       (!m->boot || range_ok(m->boot - m->base, sizeof(struct tv_boot), m->size));
}

int svisor_join(void)
{
	return cpuid_check();
}

void svisor_init(const struct tv_manifest *m)
{
	pa_t free = image_end();

	if (!manifest_ok(m))
		panic("impossible manifest");
	attest_init(m->boot ? secure_ptr(PA(m->boot)) : NULL);
	heap_init(free, m->base + m->size - free.v);
	ledger_init(m);
	cpuid_init();
	log_line("TwinVisor %u.%u, %lu pages free, %u regions", TV_ABI_MAJOR, TV_ABI_MINOR,
		 (unsigned long)heap_available(), protect_regions());
	gate_open();
}
