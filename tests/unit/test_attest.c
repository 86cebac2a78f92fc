// SPDX-License-Identifier: BSD-3-Clause
/* Tokens, run-time measurements and sealing keys: what a guest gets. */
#include <cbor.h>

#include "unit_attest.h"

static struct svm vm;
static uint8_t challenge[64], token[4096];
static size_t token_size;

static void start(void)
{
	boot_attested();
	vm = svm_unsealed();
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_OK);
	memset(challenge, 0xc4, sizeof(challenge));
}

static int64_t guest_calls(uint64_t id, uint64_t a, uint64_t b, uint64_t c)
{
	guest_x[0] = id, guest_x[1] = a, guest_x[2] = b, guest_x[3] = c;
	guest_calls_hvc(&vm);
	return guest_x[0];
}

/* The byte string at `at`; steps past it. */
static const uint8_t *bytes(CborValue *at, size_t want)
{
	const uint8_t *p;
	size_t n;

	check(cbor_value_is_byte_string(at));
	check_eq(cbor_value_begin_string_iteration(at), 0);
	check_eq(cbor_value_get_byte_string_chunk(at, &p, &n, at), 0);
	check_eq(cbor_value_finish_string_iteration(at), 0);
	check(!want || n == want);
	return p;
}

static void key_is(CborValue *at, int64_t want)
{
	int64_t key;

	check(cbor_value_is_integer(at));
	check_eq(cbor_value_get_int64(at, &key), 0);
	check_eq(key, want);
	check_eq(cbor_value_advance(at), 0);
}

/* The claims of the S-VM in token[], whose signature is checked: an iterator over the map. */
static CborParser parsers[3];

static void claims(CborValue *at)
{
	uint8_t public[64], hash[32];
	const uint8_t *payload, *signature, *inner;
	CborValue value, map;
	struct p256_check c;
	enum p256_state state;
	size_t size;

	check_eq(cbor_parser_init(token, token_size, 0, &parsers[0], &value), 0);
	check_eq(cbor_value_advance_fixed(&value), 0); /* tag 399 */
	check_eq(cbor_value_enter_container(&value, &map), 0);
	key_is(&map, 44234);
	check(!memcmp(bytes(&map, 16), "platform's token", 16));
	key_is(&map, 44241);
	check_eq(cbor_value_get_string_length(&map, &size), 0);
	inner = bytes(&map, 0);
	check_eq(cbor_parser_init(inner, size, 0, &parsers[1], &value), 0);
	check_eq(cbor_value_advance_fixed(&value), 0); /* tag 18 */
	check_eq(cbor_value_enter_container(&value, &map), 0);
	bytes(&map, 3);
	check_eq(cbor_value_advance(&map), 0);
	check_eq(cbor_value_get_string_length(&map, &size), 0);
	payload = bytes(&map, 0);
	signature = bytes(&map, 64);
	cose_hash(payload, size, hash);
	p256_public(record_key, public);
	check(p256_check_begin(&c, public, hash, signature));
	do
		state = p256_check_step(&c);
	while (state == P256_MORE);
	check_eq(state, P256_DONE);
	check_eq(cbor_parser_init(payload, size, 0, &parsers[2], &value), 0);
	check_eq(cbor_value_enter_container(&value, at), 0);
}

static void check_claims(const uint8_t personalization[64], const uint8_t rem0[32])
{
	struct tv_args a = call(TV_VM_MEASUREMENT, vm.handle, 0, 0, 0);
	uint8_t key[COSE_KEY_SIZE], public[64];
	CborValue at, array;

	claims(&at);
	key_is(&at, 10);
	check(!memcmp(bytes(&at, 64), challenge, 64));
	key_is(&at, 265);
	check_eq(cbor_value_advance(&at), 0);
	key_is(&at, 44235);
	check(!memcmp(bytes(&at, 64), personalization, 64));
	key_is(&at, 44236);
	check_eq(cbor_value_advance(&at), 0);
	key_is(&at, 44237);
	p256_public(record_key, public);
	cose_key(key, public);
	check(!memcmp(bytes(&at, COSE_KEY_SIZE), key, sizeof(key)));
	key_is(&at, 44238);
	check(!memcmp(bytes(&at, 32), &a.x[1], 32));
	key_is(&at, 44239);
	check_eq(cbor_value_enter_container(&at, &array), 0);
	check(!memcmp(bytes(&array, 32), rem0, 32));
}

static const uint8_t zero[64];

TEST(token_whole, "attest: a token holds challenge, measurement and key, and is signed")
{
	start();
	token_size = token_get(&vm, challenge, 4000, token);
	check_claims(zero, zero);
}

TEST(token_pieces, "attest: a token comes in pieces of any size, the same")
{
	uint8_t again[4096];

	start();
	token_size = token_get(&vm, challenge, 4000, token);
	check_eq(token_get(&vm, challenge, 7, again), token_size);
	check(!memcmp(again, token, token_size));
	check_eq(token_get(&vm, challenge, token_size, again), token_size);
	challenge[63] ^= 1;
	check_eq(token_get(&vm, challenge, 4000, again), token_size);
	check(memcmp(again, token, token_size));
}

TEST(token_bounded, "attest: making a token lets interrupts through: no call does more than a step")
{
	unsigned calls = 0;

	start();
	check_eq(guest_calls(TV_RSI_TOKEN_INIT, 0, 0, 0), TV_RSI_SUCCESS);
	do
		calls++;
	while (guest_calls(TV_RSI_TOKEN_CONTINUE, RAM, 0, 4096) == TV_RSI_INCOMPLETE);
	check(calls >= 16);
	check_eq(guest_x[0], TV_RSI_SUCCESS);
	check_eq(guest_calls(TV_RSI_TOKEN_CONTINUE, RAM, 0, 4096), TV_RSI_ERROR_STATE);
}

TEST(token_args, "attest: a token goes into one page of RAM, and nowhere else")
{
	start();
	check_eq(guest_calls(TV_RSI_TOKEN_CONTINUE, RAM, 0, 4096), TV_RSI_ERROR_STATE);
	check_eq(guest_calls(TV_RSI_TOKEN_INIT, 0, 0, 0), TV_RSI_SUCCESS);
	for (unsigned i = 0; i < P256_STEPS - 1; i++)
		check_eq(guest_calls(TV_RSI_TOKEN_CONTINUE, RAM, 0, 4096), TV_RSI_INCOMPLETE);
	check_eq(guest_calls(TV_RSI_TOKEN_CONTINUE, RAM + 8, 0, 4096), TV_RSI_ERROR_INPUT);
	check_eq(guest_calls(TV_RSI_TOKEN_CONTINUE, RAM - PAGE(1), 0, 4096), TV_RSI_ERROR_INPUT);
	check_eq(guest_calls(TV_RSI_TOKEN_CONTINUE, RAM + RAM_SIZE, 0, 4096), TV_RSI_ERROR_INPUT);
	check_eq(guest_calls(TV_RSI_TOKEN_CONTINUE, -PAGE(1), 0, 4096), TV_RSI_ERROR_INPUT);
	check_eq(guest_calls(TV_RSI_TOKEN_CONTINUE, RAM, 1, 4096), TV_RSI_ERROR_INPUT);
	check_eq(guest_calls(TV_RSI_TOKEN_CONTINUE, RAM, 4097, 1), TV_RSI_ERROR_INPUT);
	check_eq(guest_calls(TV_RSI_TOKEN_CONTINUE, RAM, 1, -1UL), TV_RSI_ERROR_INPUT);
	check_eq(guest_calls(TV_RSI_TOKEN_CONTINUE, RAM, 0, 0), TV_RSI_ERROR_INPUT);
	check(all_words(CHUNK(0), TV_PAGE_SIZE, 0x1111111111111111));
	check_eq(guest_calls(TV_RSI_TOKEN_CONTINUE, RAM, 0, 4096), TV_RSI_SUCCESS);
	check(all_words(CHUNK(0) + PAGE(1), PAGE(1), 0));
}

TEST(token_fault, "attest: a page that the guest has never touched is had from the N-visor first")
{
	start();
	check_eq(guest_calls(TV_RSI_TOKEN_INIT, 0, 0, 0), TV_RSI_SUCCESS);
	for (unsigned i = 0; i < P256_STEPS - 1; i++)
		check_eq(guest_calls(TV_RSI_TOKEN_CONTINUE, RAM, 0, 4096), TV_RSI_INCOMPLETE);
	guest_x[0] = TV_RSI_TOKEN_CONTINUE, guest_x[1] = RAM + PAGE(9), guest_x[2] = 0;
	guest_x[3] = 4096;
	guest_call_from(RAM + 0x104, &vm);
	check_eq(shared()->exit, TV_EXIT_FAULT);
	check_eq(shared()->hpfar, HPFAR(RAM + PAGE(9)));
	npt_page(&vm.npt, RAM + PAGE(9), CHUNK(0) + PAGE(9));
	GUEST({{GUEST_IRQ, 0, 0, 0}, NULL});
	check_eq(run(&vm, 0, 0), TV_OK);
	check_eq(guest_saw.pc, RAM + 0x100); /* the HVC is made again */
	check_eq(guest_saw.x[0], TV_RSI_TOKEN_CONTINUE);
	check_eq(guest_calls(TV_RSI_TOKEN_CONTINUE, RAM + PAGE(9), 0, 4096), TV_RSI_SUCCESS);
	check(memcmp(host_mem(CHUNK(0) + PAGE(9)), zero, sizeof(zero)));
	check_audit();
}

TEST(no_record, "attest: without a record of the firmware's there are no tokens and no keys")
{
	boot();
	add_pool();
	vm = svm_launch(0, 1, 1);
	check_eq(guest_calls(TV_RSI_TOKEN_INIT, 0, 0, 0), TV_RSI_ERROR_STATE);
	check_eq(guest_calls(TV_RSI_TOKEN_CONTINUE, RAM, 0, 4096), TV_RSI_ERROR_STATE);
	check_eq(guest_calls(TV_GUEST_SEAL, 0, 0, 0), -1);
	check_eq(guest_calls(TV_RSI_MEASUREMENT_READ, 0, 0, 0), TV_RSI_SUCCESS);
	check_eq(smc(TV_EVENT_LOG, 0, 0, 0, 0), TV_ENOENT);
}

static bool record_used(const struct tv_boot *record)
{
	host_reset();
	host_manifest.boot = HOST_SVISOR + HOST_SVISOR_SIZE - TV_BOOT_SIZE;
	memcpy(host_mem(host_manifest.boot), record, sizeof(*record));
	host_boot(&host_manifest);
	return attest_possible();
}

TEST(bad_record, "attest: a record that is none, or whose sizes are too large, is not used")
{
	static struct tv_boot record;

	record = (struct tv_boot){.token_size = 16};
	check(!record_used(&record));
	record = (struct tv_boot){.magic = TV_BOOT_MAGIC};
	check(!record_used(&record));
	record.token_size = sizeof(record.token) + 1;
	check(!record_used(&record));
	record.token_size = sizeof(record.token);
	record.log_size = sizeof(record.log) + 1;
	check(!record_used(&record));
	record.log_size = sizeof(record.log);
	check(record_used(&record));
}

TEST(record_erased, "attest: the record is erased where the firmware left it")
{
	start();
	check(all_words(host_manifest.boot, sizeof(struct tv_boot), 0));
}

TEST(event_log, "attest: the event log can be had, piece by piece, and no more than it")
{
	struct tv_args a;
	const uint8_t *data;

	start();
	data = (const uint8_t *)shared() + TV_RUN_DATA;
	a = call(TV_EVENT_LOG, 0, 0, 0, 0);
	check_eq(a.x[0], TV_OK);
	check_eq(a.x[1], TV_RUN_DATA_SIZE + 100);
	check_eq(data[255], 255);
	memset(shared(), 0xee, TV_PAGE_SIZE);
	check_eq(smc(TV_EVENT_LOG, TV_RUN_DATA_SIZE + 1, 0, 0, 0), TV_OK);
	check_eq(data[0], 1);
	check_eq(data[98], 99);
	check_eq(data[99], 0xee);
	check_eq(smc(TV_EVENT_LOG, TV_RUN_DATA_SIZE + 100, 0, 0, 0), TV_EINVAL);
	check_eq(smc(TV_EVENT_LOG, -1UL, 0, 0, 0), TV_EINVAL);
}

TEST(version, "attest: RSI's version is told, and another is not given")
{
	start();
	check_eq(guest_calls(TV_RSI_VERSION, 0x10000, 0, 0), TV_RSI_SUCCESS);
	check_eq(guest_x[1], 0x10000);
	check_eq(guest_x[2], 0x10000);
	check_eq(guest_calls(TV_RSI_VERSION, 0x20000, 0, 0), TV_RSI_ERROR_INPUT);
	check_eq(guest_calls(TV_RSI_FEATURES, 0, 0, 0), TV_RSI_SUCCESS);
	check_eq(guest_x[1], 0);
}

TEST(extended, "attest: run-time measurements are extended, read, and in the token")
{
	uint8_t want[32 + 64] = {0}, rem[32];

	start();
	guest_x[4] = 0x1122334455667788;
	check_eq(guest_calls(TV_RSI_MEASUREMENT_EXTEND, 1, 10, 0xabcdef), TV_RSI_SUCCESS);
	memcpy(want + 32, "\xef\xcd\xab\0\0\0\0\0\x88\x77", 10);
	hash_bytes(want, 42, rem);
	check_eq(guest_calls(TV_RSI_MEASUREMENT_READ, 1, 0, 0), TV_RSI_SUCCESS);
	check(!memcmp(&guest_x[1], rem, 32));
	for (unsigned i = 5; i <= 8; i++)
		check_eq(guest_x[i], 0);
	check_eq(guest_calls(TV_RSI_MEASUREMENT_READ, 2, 0, 0), TV_RSI_SUCCESS);
	check(!memcmp(&guest_x[1], zero, 32));
	token_size = token_get(&vm, challenge, 4000, token);
	check_claims(zero, rem);
	check_eq(guest_calls(TV_RSI_MEASUREMENT_EXTEND, 0, 10, 0), TV_RSI_ERROR_INPUT);
	check_eq(guest_calls(TV_RSI_MEASUREMENT_EXTEND, 5, 10, 0), TV_RSI_ERROR_INPUT);
	check_eq(guest_calls(TV_RSI_MEASUREMENT_EXTEND, 1, 65, 0), TV_RSI_ERROR_INPUT);
	check_eq(guest_calls(TV_RSI_MEASUREMENT_READ, 5, 0, 0), TV_RSI_ERROR_INPUT);
	check_eq(guest_calls(TV_RSI_MEASUREMENT_READ, 1, 0, 0), TV_RSI_SUCCESS);
	check(!memcmp(&guest_x[1], rem, 32));
}

TEST(extend_late, "attest: what is extended while a token is made is not in it")
{
	uint8_t again[4096];

	start();
	token_size = token_get(&vm, challenge, 4000, token);
	memcpy(&guest_x[1], challenge, sizeof(challenge));
	guest_x[0] = TV_RSI_TOKEN_INIT;
	guest_calls_hvc(&vm);
	check_eq(guest_calls(TV_RSI_MEASUREMENT_EXTEND, 1, 10, 1), TV_RSI_SUCCESS);
	while (guest_calls(TV_RSI_TOKEN_CONTINUE, RAM, 0, 4096) == TV_RSI_INCOMPLETE)
		;
	memcpy(again, host_mem(CHUNK(0)), token_size);
	check(!memcmp(again, token, token_size));
}

static void seal_key(uint64_t label, uint64_t key[4])
{
	guest_x[4] = 0;
	check_eq(guest_calls(TV_GUEST_SEAL, label, 0, 0), 0);
	memcpy(key, &guest_x[1], 32);
}

TEST(seal_once,
     "attest: a sealing key is of the label and the S-VM, and the same after a reboot of it")
{
	uint64_t key[4], other[4];

	start();
	seal_key(1, key);
	seal_key(2, other);
	check(memcmp(key, other, 32));
	check_eq(svm_destroy(vm.handle), TV_OK);
	vm = svm_unsealed();
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_OK);
	seal_key(1, other);
	check(!memcmp(key, other, 32));
	check_eq(svm_destroy(vm.handle), TV_OK);
	vm = svm_launch(0, 2, 1); /* another image */
	seal_key(1, other);
	check(memcmp(key, other, 32));
}

TEST(seal_policy, "attest: a sealing key is of the policy, too")
{
	uint8_t document[TV_RUN_DATA_SIZE];
	uint64_t key[4], other[4];
	size_t size = policy_make(&(struct terms){.debug = true, .key = 5}, document);

	start();
	seal_key(1, key);
	check_eq(svm_destroy(vm.handle), TV_OK);
	vm = svm_unsealed();
	check_eq(policy_give(vm.handle, document, size), TV_OK);
	check_eq(smc(TV_VM_SEAL, vm.handle, 0, 0, 0), TV_OK);
	seal_key(1, other);
	check(memcmp(key, other, 32));
}

TEST(wiped, "attest: when the machine goes down, no key is left")
{
	struct tv_args a = {{TV_DISPATCH_WIPE}};
	uint8_t context[32] = {0}, before[32], after[32];

	start();
	attest_seal(context, before);
	svisor_call(&a);
	attest_seal(context, after);
	check(memcmp(before, after, 32));
	boot_attested();
	attest_seal(context, after);
	check(!memcmp(before, after, 32));
}
