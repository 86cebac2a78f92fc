// SPDX-License-Identifier: BSD-3-Clause
/*
 * The S-visor's own record of PSCI (DEN 0022): the N-visor schedules vCPUs, but which of them
 * are on, and where they start, is between the guest and the S-visor (I5).
 */
#include "vcpu.h"

#define SMC64(id) ((id) | 0x40000000)
#define CPU_OFF 0x84000002
#define CPU_ON 0x84000003
#define AFFINITY_INFO 0x84000004
#define SYSTEM_OFF 0x84000008
#define SYSTEM_RESET 0x84000009
#define SYSTEM_SUSPEND 0x8400000e
#define SYSTEM_RESET2 0x84000012
#define SYSTEM_OFF2 0x84000015
/* Stolen time (DEN 0057) would have the N-visor write into RAM; it cannot. */
#define PV_TIME_FEATURES 0xc5000020
#define PV_TIME_ST 0xc5000021

#define SUCCESS 0
#define NOT_SUPPORTED -1
#define INVALID_PARAMETERS -2
#define ALREADY_ON -4
#define ON_PENDING -5

#define AFFINITY_ON 0
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

static bool affinity_info(struct vcpu *v)
{
	v->call = CALL_AFFINITY;
	v->call_arg[0] = argument(v, 1);
	v->call_arg[1] = argument(v, 2);
	return false;
}

bool psci_call(struct vm *vm, struct vcpu *v)
{
	switch ((uint32_t)v->regs.x[0]) {
	case CPU_ON:
	case SMC64(CPU_ON):
		return cpu_on(vm, v);
	case CPU_OFF:
		v->exit = TV_EXIT_OFF;
		return false;
	case AFFINITY_INFO:
	case SMC64(AFFINITY_INFO):
		return affinity_info(v);
	case SYSTEM_OFF:
	case SYSTEM_RESET:
	case SYSTEM_RESET2:
	case SMC64(SYSTEM_RESET2):
	case SYSTEM_OFF2:
	case SMC64(SYSTEM_OFF2):
		return system_stops(vm);
	case SYSTEM_SUSPEND:
	case SMC64(SYSTEM_SUSPEND):
	case PV_TIME_FEATURES:
	case PV_TIME_ST:
		return answer(v, NOT_SUPPORTED);
	default:
		return false;
	}
}

/* Refused: PENDING -> OFF. But if the target runs already, nobody can refuse any more. */
static void answer_cpu_on(struct vm *vm, struct vcpu *v, bool served)
{
	struct vcpu *target = find_target(vm, v->call_arg[0]);

	if (served && v->regs.x[0] == SUCCESS)
		return;
	if (target->state == VCPU_PENDING)
		target->state = VCPU_OFF;
	else if (served)
		answer(v, SUCCESS);
}

static bool matches(const struct vcpu *v, uint64_t affinity, uint64_t level)
{
	static const uint64_t mask[] = {0xff00ffffff, 0xff00ffff00, 0xff00ff0000, 0xff00000000};

	return level < 4 && !((v->regs.mpidr ^ affinity) & mask[level]);
}

/* Only when all that match are off may the N-visor's answer stand: it may still be busy with
 * switching one off. */
static void answer_affinity(struct vm *vm, struct vcpu *v)
{
	bool pending = false;

	for (unsigned i = 0; i < vm->vcpus; i++) {
		const struct vcpu *other = vm->vcpu[i];

		if (!matches(other, v->call_arg[0], v->call_arg[1]))
			continue;
		if (other->state == VCPU_ON || other->state == VCPU_RUNNING) {
			answer(v, AFFINITY_ON);
			return;
		}
		pending |= other->state == VCPU_PENDING;
	}
	if (pending)
		answer(v, AFFINITY_ON_PENDING);
}

void psci_answer(struct vm *vm, struct vcpu *v, bool served)
{
	assert_held(&vm->lock);
	if (v->call == CALL_CPU_ON)
		answer_cpu_on(vm, v, served);
	else if (v->call == CALL_AFFINITY && served)
		answer_affinity(vm, v);
}
