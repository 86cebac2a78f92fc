// SPDX-License-Identifier: BSD-3-Clause
/*
 * The S-visor's own record of PSCI (DEN 0022): the N-visor schedules vCPUs, but which of them
 * are on, and where they start, is between the guest and the S-visor (I5).
 */
#include "esr.h"
#include "vcpu.h"

#define SMC64(id) ((id) | 0x40000000)
#define SMCCC_VERSION 0x80000000
#define SMCCC_1_1 0x10001
#define PSCI_VERSION 0x84000000
#define PSCI_1_1 0x10001
#define CPU_SUSPEND 0x84000001
#define CPU_OFF 0x84000002
#define CPU_ON 0x84000003
#define AFFINITY_INFO 0x84000004
#define MIGRATE_INFO_TYPE 0x84000006
#define SYSTEM_OFF 0x84000008
#define SYSTEM_RESET 0x84000009
#define PSCI_FEATURES 0x8400000a
#define SYSTEM_RESET2 0x84000012
#define VENDOR_RESET 0x80000000 /* types of SYSTEM_RESET2: 0, and those from here on */

#define SUCCESS 0
#define NOT_SUPPORTED -1
#define INVALID_PARAMETERS -2
#define ALREADY_ON -4
#define ON_PENDING -5
#define INTERNAL_FAILURE -6
#define LAST_ERROR -9

#define NOT_TO_MIGRATE 2 /* no Trusted OS that would have to move with a CPU */

#define AFFINITY_ON 0
#define AFFINITY_OFF 1
#define AFFINITY_ON_PENDING 2

static bool answer(struct vcpu *v, int64_t result)
{
	v->regs.x[0] = result;
	return true;
}

/* An argument of the call, 32 bits of it if the call is an SMC32 one. */
static uint64_t argument(const struct vcpu *v, unsigned i)
{
	return v->regs.x[0] & 0x40000000 ? v->regs.x[i] : (uint32_t)v->regs.x[i];
}

/*
 * What of PSCI an S-VM has. All the rest, known or yet to come, is refused here: SYSTEM_SUSPEND
 * and CPU_DEFAULT_SUSPEND would have the N-visor start a vCPU over, and KVM has none of it.
 */
static bool supported(uint32_t id)
{
	switch (id) {
	case SMCCC_VERSION:
	case PSCI_VERSION:
	case CPU_SUSPEND:
	case SMC64(CPU_SUSPEND):
	case CPU_OFF:
	case CPU_ON:
	case SMC64(CPU_ON):
	case AFFINITY_INFO:
	case SMC64(AFFINITY_INFO):
	case MIGRATE_INFO_TYPE:
	case SYSTEM_OFF:
	case SYSTEM_RESET:
	case PSCI_FEATURES:
	case SYSTEM_RESET2:
	case SMC64(SYSTEM_RESET2):
		return true;
	default:
		return false;
	}
}

static bool is_psci(uint32_t id)
{
	return (id & ~SMC64(0x1fU)) == PSCI_VERSION;
}

static struct vcpu *find_target(struct vm *vm, uint64_t mpidr)
{
	for (unsigned i = 0; i < vm->vcpus; i++) {
		if (vm->vcpu[i]->regs.mpidr == mpidr)
			return vm->vcpu[i];
	}
	return NULL;
}

/*
 * OFF -> PENDING, before the N-visor hears of it: so it cannot run the target earlier, nor
 * with another entry.
 */
static bool cpu_on_locked(struct vm *vm, struct vcpu *v)
{
	struct vcpu *target = find_target(vm, argument(v, 1));

	assert_held(&vm->lock);
	if (!target)
		return answer(v, INVALID_PARAMETERS);
	if (target->state == VCPU_PENDING)
		return answer(v, ON_PENDING);
	if (target->state != VCPU_OFF)
		return answer(v, ALREADY_ON);
	target->state = VCPU_PENDING;
	target->on_entry = argument(v, 2);
	target->on_context = argument(v, 3);
	target->on_endian = v->regs.sys.sctlr_el1 & SCTLR_EE;
	target->on_by = v;
	v->call = CALL_CPU_ON;
	v->call_arg[0] = argument(v, 1);
	return false;
}

static bool cpu_on(struct vm *vm, struct vcpu *v)
{
	bool answered;

	spin_lock(&vm->lock);
	answered = cpu_on_locked(vm, v);
	spin_unlock(&vm->lock);
	return answered;
}

static bool system_stops(struct vm *vm)
{
	spin_lock(&vm->lock);
	vm->state = VM_STOPPED;
	spin_unlock(&vm->lock);
	return false;
}

/* A type that is none would be refused after the S-VM has stopped. */
static bool reset2(struct vm *vm, struct vcpu *v)
{
	uint32_t type = v->regs.x[1];

	return type && type < VENDOR_RESET ? answer(v, INVALID_PARAMETERS) : system_stops(vm);
}

static bool matches(const struct vcpu *v, uint64_t affinity, uint64_t level)
{
	return level < 4 && !((v->regs.mpidr ^ affinity) >> (8 * level));
}

/* AFFINITY_INFO as the S-visor sees it: on if any is, off if all are. */
static int64_t affinity_of(struct vm *vm, uint64_t affinity, uint64_t level)
{
	int64_t state = INVALID_PARAMETERS;

	assert_held(&vm->lock);
	for (unsigned i = 0; i < vm->vcpus; i++) {
		const struct vcpu *other = vm->vcpu[i];

		if (!matches(other, affinity, level))
			continue;
		if (other->state == VCPU_ON || other->state == VCPU_RUNNING)
			return AFFINITY_ON;
		if (other->state == VCPU_PENDING)
			state = AFFINITY_ON_PENDING;
		else if (state != AFFINITY_ON_PENDING)
			state = AFFINITY_OFF;
	}
	return state;
}

/* Off for the S-visor: the N-visor is asked too, which may still be busy with switching off. */
static bool affinity_info(struct vm *vm, struct vcpu *v)
{
	int64_t state;

	v->call = CALL_AFFINITY;
	v->call_arg[0] = argument(v, 1);
	v->call_arg[1] = argument(v, 2);
	spin_lock(&vm->lock);
	state = affinity_of(vm, v->call_arg[0], v->call_arg[1]);
	spin_unlock(&vm->lock);
	return state == AFFINITY_OFF ? false : answer(v, state);
}

bool psci_call(struct vm *vm, struct vcpu *v)
{
	uint32_t id = v->regs.x[0];

	if (is_psci(id) && !supported(id))
		return answer(v, NOT_SUPPORTED);
	switch (id) {
	case CPU_ON:
	case SMC64(CPU_ON):
		return cpu_on(vm, v);
	case CPU_OFF:
		v->exit = TV_EXIT_OFF;
		return false;
	case AFFINITY_INFO:
	case SMC64(AFFINITY_INFO):
		return affinity_info(vm, v);
	case SYSTEM_OFF:
	case SYSTEM_RESET:
		return system_stops(vm);
	case SYSTEM_RESET2:
	case SMC64(SYSTEM_RESET2):
		return reset2(vm, v);
	case SMCCC_VERSION:
		return answer(v, SMCCC_1_1);
	case PSCI_VERSION:
		return answer(v, PSCI_1_1);
	case MIGRATE_INFO_TYPE:
		return answer(v, NOT_TO_MIGRATE);
	case PSCI_FEATURES:
		return answer(v, supported(v->regs.x[1]) ? SUCCESS : NOT_SUPPORTED);
	default:
		return false;
	}
}

/*
 * Refused: PENDING -> OFF, and the guest gets an error of PSCI's. But if this request has
 * started the target, nobody can refuse it any more; and another vCPU's later request is not
 * this one's to end.
 */
static void answer_cpu_on(struct vm *vm, struct vcpu *v, bool served)
{
	struct vcpu *target = find_target(vm, v->call_arg[0]);
	int32_t result = v->regs.x[0];
	bool waits = target->on_by == v;

	if (served && v->regs.x[0] == SUCCESS)
		return;
	if (waits)
		target->state = VCPU_OFF;
	if (served && !waits)
		answer(v, SUCCESS);
	else if (served)
		answer(v, result < 0 && result >= LAST_ERROR ? result : INTERNAL_FAILURE);
}

/* The N-visor can say no more than that what is off here is not off there yet. */
static void answer_affinity(struct vm *vm, struct vcpu *v)
{
	int64_t state = affinity_of(vm, v->call_arg[0], v->call_arg[1]);

	answer(v, state == AFFINITY_OFF && v->regs.x[0] != AFFINITY_OFF ? AFFINITY_ON : state);
}

void psci_answer(struct vm *vm, struct vcpu *v, bool served)
{
	assert_held(&vm->lock);
	if (v->call == CALL_CPU_ON)
		answer_cpu_on(vm, v, served);
	else if (v->call == CALL_AFFINITY && served)
		answer_affinity(vm, v);
}
