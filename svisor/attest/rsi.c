// SPDX-License-Identifier: BSD-3-Clause
/*
 * The guest's side: the attestation part of Arm's Realm Services Interface (DEN 0137 1.0, B5.3),
 * and sealing keys.
 */
#include <string.h>

#include <mbedtls/platform_util.h>

#include "attest.h"
#include "private.h"
#include "vcpu.h"

#define RSI_1_0 0x10000
#define MOST_EXTENDED 64 /* bytes at once */
#define NOT_SUPPORTED -1

static void answer(struct vcpu *v, int64_t result, uint64_t x1)
{
	v->regs.x[0] = result;
	v->regs.x[1] = x1;
}

/* x1: the version that the guest would like; the one that there is, in x1 and x2. */
static void version(struct vcpu *v)
{
	bool fits = v->regs.x[1] == RSI_1_0;

	answer(v, fits ? TV_RSI_SUCCESS : TV_RSI_ERROR_INPUT, RSI_1_0);
	v->regs.x[2] = RSI_1_0;
}

/* 0: the launch measurement; 1 to REMS: what the guest has extended. */
static void measurement_read(struct vm *vm, struct vcpu *v)
{
	uint64_t index = v->regs.x[1];
	const uint8_t *from;

	memset(&v->regs.x[1], 0, 8 * sizeof(v->regs.x[0]));
	if (index > REMS) {
		v->regs.x[0] = TV_RSI_ERROR_INPUT;
		return;
	}
	spin_lock(&vm->lock);
	from = index ? vm->attest.rem[index - 1] : vm->measurement;
	memcpy(&v->regs.x[1], from, HASH_SIZE);
	spin_unlock(&vm->lock);
	v->regs.x[0] = TV_RSI_SUCCESS;
}

/* rem = SHA-256(rem, value): x1 index, x2 size, x3-x10 value */
static void measurement_extend(struct vm *vm, struct vcpu *v)
{
	uint64_t index = v->regs.x[1], size = v->regs.x[2];
	uint8_t both[HASH_SIZE + MOST_EXTENDED];

	if (index < 1 || index > REMS || size > MOST_EXTENDED) {
		answer(v, TV_RSI_ERROR_INPUT, 0);
		return;
	}
	memcpy(both + HASH_SIZE, &v->regs.x[3], MOST_EXTENDED);
	spin_lock(&vm->lock);
	memcpy(both, vm->attest.rem[index - 1], HASH_SIZE);
	vectors_begin();
	hash_bytes(both, HASH_SIZE + size, vm->attest.rem[index - 1]);
	vectors_end();
	spin_unlock(&vm->lock);
	answer(v, TV_RSI_SUCCESS, 0);
}

/* x1-x8: the challenge */
static void token_init(struct vm *vm, struct vcpu *v)
{
	memcpy(v->token.challenge, &v->regs.x[1], CHALLENGE_SIZE);
	memset(&v->regs.x[1], 0, 8 * sizeof(v->regs.x[0]));
	if (!attest_possible()) {
		v->regs.x[0] = TV_RSI_ERROR_STATE;
		return;
	}
	spin_lock(&vm->lock);
	token_begin(vm, v);
	spin_unlock(&vm->lock);
	answer(v, TV_RSI_SUCCESS, TOKEN_MOST);
}

/* True: the guest has never touched the page, and makes its call again when the page is there. */
static bool want_page(struct vm *vm, struct vcpu *v, uint64_t ipa)
{
	assert_held(&vm->lock);
	if (!private_missing(vm, ipa, TV_PAGE_SIZE, &vm->io.page))
		return false;
	call_again(v);
	exit_need(vm, v, NEED_PAGE);
	return true;
}

/* x1: a page of RAM, x2: where in it, x3: bytes. Each call does a part, so that interrupts are
 * taken meanwhile. */
static void token_continue(struct vm *vm, struct vcpu *v)
{
	uint64_t ipa = v->regs.x[1], offset = v->regs.x[2], size = v->regs.x[3];
	bool more;

	if (v->token.state == TOKEN_NONE) {
		answer(v, TV_RSI_ERROR_STATE, 0);
		return;
	}
	if (!page_aligned(ipa) || !size || !range_ok(offset, size, TV_PAGE_SIZE) ||
	    !vm_is_ram(vm, ipa)) {
		answer(v, TV_RSI_ERROR_INPUT, 0);
		return;
	}
	if (!token_step(v)) {
		answer(v, TV_RSI_INCOMPLETE, 0);
		return;
	}
	spin_lock(&vm->lock);
	if (want_page(vm, v, ipa)) {
		spin_unlock(&vm->lock);
		return;
	}
	size = token_give(vm, v, ipa + offset, size, &more);
	spin_unlock(&vm->lock);
	if (!more)
		v->token.state = TOKEN_NONE;
	answer(v, !size ? TV_RSI_ERROR_INPUT : more ? TV_RSI_INCOMPLETE : TV_RSI_SUCCESS, size);
}

/* x1-x4: a label; the key is bound to it, to what was launched and to the policy. */
static void seal(struct vm *vm, struct vcpu *v)
{
	struct {
		uint8_t measurement[HASH_SIZE], policy[HASH_SIZE], label[HASH_SIZE];
	} bound;
	uint8_t context[HASH_SIZE], key[HASH_SIZE];

	if (!attest_possible()) {
		answer(v, NOT_SUPPORTED, 0);
		return;
	}
	memcpy(bound.label, &v->regs.x[1], HASH_SIZE);
	spin_lock(&vm->lock);
	memcpy(bound.measurement, vm->measurement, HASH_SIZE);
	memcpy(bound.policy, vm->attest.policy.digest, HASH_SIZE);
	spin_unlock(&vm->lock);
	vectors_begin();
	hash_bytes(&bound, sizeof(bound), context);
	attest_seal(context, key);
	vectors_end();
	v->regs.x[0] = 0;
	memcpy(&v->regs.x[1], key, HASH_SIZE);
	mbedtls_platform_zeroize(key, sizeof(key));
}

bool attest_call(struct vm *vm, struct vcpu *v)
{
	switch ((uint32_t)v->regs.x[0]) {
	case TV_RSI_VERSION:
		version(v);
		return true;
	case TV_RSI_FEATURES:
		answer(v, TV_RSI_SUCCESS, 0);
		return true;
	case TV_RSI_MEASUREMENT_READ:
		measurement_read(vm, v);
		return true;
	case TV_RSI_MEASUREMENT_EXTEND:
		measurement_extend(vm, v);
		return true;
	case TV_RSI_TOKEN_INIT:
		token_init(vm, v);
		return true;
	case TV_RSI_TOKEN_CONTINUE:
		token_continue(vm, v);
		return true;
	case TV_GUEST_SEAL:
		seal(vm, v);
		return true;
	default:
		return false;
	}
}
