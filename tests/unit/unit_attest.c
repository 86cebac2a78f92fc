// SPDX-License-Identifier: BSD-3-Clause
#include <cbor.h>

#include "unit_attest.h"

uint32_t record_lifecycle = TV_LIFECYCLE_DEVELOPMENT;
const uint8_t record_key[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
uint64_t guest_x[11];

void boot_attested(void)
{
	struct tv_boot *record;

	host_reset();
	host_manifest.boot = HOST_SVISOR + HOST_SVISOR_SIZE - TV_BOOT_SIZE;
	record = host_mem(host_manifest.boot);
	*record = (struct tv_boot){
		.magic = TV_BOOT_MAGIC,
		.lifecycle = record_lifecycle,
		.token_size = 16,
		.log_size = TV_RUN_DATA_SIZE + 100,
		.token = "platform's token",
	};
	memcpy(record->key, record_key, sizeof(record->key));
	memset(record->seal, 0x5e, sizeof(record->seal));
	for (unsigned i = 0; i < record->log_size; i++)
		record->log[i] = i;
	host_boot(&host_manifest);
	boot_rest();
	add_pool();
}

size_t policy_sign(const uint8_t *payload, size_t size, uint8_t key,
		   uint8_t document[TV_RUN_DATA_SIZE])
{
	uint8_t private[32], hash[32], signature[64];
	struct p256_signing s;

	memset(private, key, sizeof(private));
	cose_hash(payload, size, hash);
	p256_sign_begin(&s, private, hash);
	while (p256_sign_step(&s, signature) == P256_MORE)
		;
	return cose_sign1(document, TV_RUN_DATA_SIZE, payload, size, NULL, 0, signature);
}

size_t policy_make(const struct terms *terms, uint8_t document[TV_RUN_DATA_SIZE])
{
	uint8_t payload[512], private[32], public[64];
	CborEncoder cbor, map;

	memset(private, terms->key, sizeof(private));
	p256_public(private, public);
	cbor_encoder_init(&cbor, payload, sizeof(payload), 0);
	cbor_encoder_create_map(&cbor, &map, 4 + !!terms->measurement + !!terms->data);
	cbor_encode_uint(&map, 1);
	cbor_encode_uint(&map, 1);
	cbor_encode_uint(&map, 2);
	cbor_encode_byte_string(&map, public, sizeof(public));
	if (terms->measurement) {
		cbor_encode_uint(&map, 3);
		cbor_encode_byte_string(&map, terms->measurement, 32);
	}
	cbor_encode_uint(&map, 4);
	cbor_encode_boolean(&map, terms->debug);
	cbor_encode_uint(&map, 5);
	cbor_encode_uint(&map, terms->version);
	if (terms->data) {
		cbor_encode_uint(&map, 6);
		cbor_encode_byte_string(&map, (const uint8_t *)terms->data, strlen(terms->data));
	}
	check_eq(cbor_encoder_close_container(&cbor, &map), 0);
	return policy_sign(payload, cbor_encoder_get_buffer_size(&cbor, payload), terms->key,
			   document);
}

int64_t policy_give(uint64_t handle, const uint8_t *document, size_t size)
{
	int64_t ret;
	unsigned calls = 0;

	memcpy((uint8_t *)shared() + TV_RUN_DATA, document, size);
	do {
		ret = smc(TV_VM_POLICY, handle, size, 0, 0);
		/* It is read once. */
		memset((uint8_t *)shared() + TV_RUN_DATA, 0xff, TV_RUN_DATA_SIZE);
		check(++calls < 100);
	} while (ret == TV_AGAIN);
	return ret;
}

struct svm svm_unsealed(void)
{
	struct svm vm = svm_new();
	uint64_t from = ordinary_page();

	check_eq(take(&vm, 0), TV_OK);
	memset(host_mem(from), 0x11, TV_PAGE_SIZE);
	check_eq(smc(TV_VM_LOAD, vm.handle, RAM, from, CHUNK(0)), TV_OK);
	memset(shared(), 0, sizeof(*shared()));
	shared()->pc = RAM;
	check_eq(smc(TV_VCPU_CREATE, vm.handle, 0, TV_VCPU_ON, 0), TV_OK);
	return vm;
}

static void make_call(struct guest_regs *regs)
{
	memcpy(regs->x, guest_x, sizeof(guest_x));
}

static uint64_t call_pc;

static void make_call_from(struct guest_regs *regs)
{
	make_call(regs);
	regs->pc = call_pc;
}

void guest_call_from(uint64_t pc, struct svm *vm)
{
	call_pc = pc;
	GUEST({{.kind = GUEST_SYNC, .esr = EC(0x16)}, make_call_from});
	check_eq(run(vm, 0, 0), TV_OK);
}

void guest_calls_hvc(struct svm *vm)
{
	GUEST({{.kind = GUEST_SYNC, .esr = EC(0x16)}, make_call});
	check_eq(run(vm, 0, 0), TV_OK);
	check_eq(shared()->exit, TV_EXIT_IRQ);
	check_eq(guest_runs, 2);
	memcpy(guest_x, guest_saw.x, sizeof(guest_x));
}

size_t token_get(struct svm *vm, const uint8_t challenge[64], size_t piece, uint8_t token[4096])
{
	size_t size = 0;
	unsigned calls = 0;

	guest_x[0] = TV_RSI_TOKEN_INIT;
	memcpy(&guest_x[1], challenge, 64);
	guest_calls_hvc(vm);
	check_eq(guest_x[0], TV_RSI_SUCCESS);
	check_eq(guest_x[1], 4096);
	do {
		guest_x[0] = TV_RSI_TOKEN_CONTINUE;
		guest_x[1] = RAM;
		guest_x[2] = 8;
		guest_x[3] = piece;
		guest_calls_hvc(vm);
		check(guest_x[0] == TV_RSI_SUCCESS || guest_x[0] == TV_RSI_INCOMPLETE);
		check(guest_x[1] <= piece && size + guest_x[1] <= 4096);
		memcpy(token + size, (uint8_t *)host_mem(CHUNK(0)) + 8, guest_x[1]);
		size += guest_x[1];
		check(++calls < 5000);
	} while (guest_x[0] == TV_RSI_INCOMPLETE);
	return size;
}
