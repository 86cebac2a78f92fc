// SPDX-License-Identifier: BSD-3-Clause
/* Launch policies: what is accepted, what is refused, and what then runs. */
#include <cbor.h>

#include "unit_attest.h"

static struct svm vm;
static uint8_t document[TV_RUN_DATA_SIZE];

static void start(void)
{
	boot_attested();
	vm = svm_unsealed();
}

static int64_t give(const struct terms *terms)
{
	return policy_give(vm.handle, document, policy_make(terms, document));
}

static int64_t seal(void)
{
	return smc(TV_VM_SEAL, vm.handle, 0, 0, 0);
}

/* Refused: it never runs, but what it was measured as can be had; and then it goes. */
static void check_refused(int64_t code)
{
	check_eq(seal(), code);
	check_eq(call(TV_VM_MEASUREMENT, vm.handle, 0, 0, 0).x[0], TV_OK);
	check_eq(run(&vm, 0, 0), TV_ESTATE);
	check_eq(guest_runs, 0);
	check_eq(seal(), TV_ESTATE);
	check_audit();
	check_eq(svm_destroy(vm.handle), TV_OK);
	check_audit();
}

static void measured(uint8_t measurement[32])
{
	struct svm other = svm_unsealed();
	struct tv_args a;

	check_eq(smc(TV_VM_SEAL, other.handle, 0, 0, 0), TV_OK);
	a = call(TV_VM_MEASUREMENT, other.handle, 0, 0, 0);
	memcpy(measurement, &a.x[1], 32);
	check_eq(svm_destroy(other.handle), TV_OK);
}

TEST(good, "policy: with the right measurement the S-VM runs")
{
	uint8_t measurement[32];

	boot_attested();
	measured(measurement);
	vm = svm_unsealed();
	check_eq(give(&(struct terms){measurement, true, 1, "tenant", 7}), TV_OK);
	check_eq(seal(), TV_OK);
	check_eq(run(&vm, 0, 0), TV_OK);
}

TEST(measurement, "policy: with another measurement it never runs")
{
	uint8_t measurement[32];

	boot_attested();
	measured(measurement);
	measurement[31] ^= 1;
	vm = svm_unsealed();
	check_eq(give(&(struct terms){measurement, true, 0, NULL, 7}), TV_OK);
	check_refused(TV_EMEASURE);
}

TEST(any, "policy: one that names no measurement takes any")
{
	start();
	check_eq(give(&(struct terms){NULL, true, 0, NULL, 7}), TV_OK);
	check_eq(seal(), TV_OK);
}

TEST(version, "policy: an S-visor older than it wants is refused")
{
	start();
	check_eq(give(&(struct terms){NULL, true, TV_SVISOR_VERSION + 1, NULL, 7}), TV_OK);
	check_refused(TV_EVERSION);
}

TEST(lifecycle, "policy: a machine that can be debugged is refused unless it allows that")
{
	start();
	check_eq(give(&(struct terms){NULL, false, 0, NULL, 7}), TV_OK);
	check_refused(TV_ELIFECYCLE);
	record_lifecycle = TV_LIFECYCLE_SECURED;
	start();
	check_eq(give(&(struct terms){NULL, false, 0, NULL, 7}), TV_OK);
	check_eq(seal(), TV_OK);
}

TEST(no_record, "policy: a machine without a record counts as one that can be debugged")
{
	boot();
	add_pool();
	vm = svm_unsealed();
	check_eq(give(&(struct terms){NULL, false, 0, NULL, 7}), TV_OK);
	check_refused(TV_ELIFECYCLE);
}

TEST(once, "policy: it is given once, whole, and before sealing")
{
	size_t size = policy_make(&(struct terms){NULL, true, 0, NULL, 7}, document);

	start();
	memcpy((uint8_t *)shared() + TV_RUN_DATA, document, size);
	check_eq(smc(TV_VM_POLICY, vm.handle, size, 0, 0), TV_AGAIN);
	check_eq(seal(), TV_ESTATE);
	check_eq(policy_give(vm.handle, document, size), TV_OK);
	check_eq(policy_give(vm.handle, document, size), TV_ESTATE);
	check_eq(seal(), TV_OK);
	check_eq(policy_give(vm.handle, document, size), TV_ESTATE);
	check_eq(smc(TV_VM_POLICY, 0x1234, size, 0, 0), TV_ENOENT);
}

TEST(sizes, "policy: a size that does not fit the page is refused")
{
	start();
	check_eq(smc(TV_VM_POLICY, vm.handle, 0, 0, 0), TV_EINVAL);
	check_eq(smc(TV_VM_POLICY, vm.handle, TV_RUN_DATA_SIZE + 1, 0, 0), TV_EINVAL);
	check_eq(smc(TV_VM_POLICY, vm.handle, -1UL, 0, 0), TV_EINVAL);
	check_eq(seal(), TV_OK);
}

TEST(flipped, "policy: with any bit flipped it is malformed or not signed")
{
	uint8_t measurement[32] = {1};
	size_t size = policy_make(&(struct terms){measurement, true, 1, "tenant", 7}, document);

	start();
	for (unsigned bit = 0; bit < size * 8; bit++) {
		int64_t ret;

		document[bit / 8] ^= 1 << bit % 8;
		ret = policy_give(vm.handle, document, size);
		check(ret == TV_EPOLICY || ret == TV_ESIGNATURE);
		document[bit / 8] ^= 1 << bit % 8;
	}
	check_eq(policy_give(vm.handle, document, size), TV_OK);
}

TEST(cut, "policy: cut short or with more behind it, it is malformed")
{
	size_t size = policy_make(&(struct terms){NULL, true, 1, "tenant", 7}, document);

	start();
	for (size_t n = 1; n < size; n++)
		check_eq(policy_give(vm.handle, document, n), TV_EPOLICY);
	document[size] = 0;
	check_eq(policy_give(vm.handle, document, size + 1), TV_EPOLICY);
}

/* A payload of so many pairs, which begin with this format and a key, well signed, is malformed all
 * the same. */
#define ODD(pairs, format, ...) \
	odd(pairs, format, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void odd(uint8_t pairs, uint8_t format, const uint8_t *tail, size_t n)
{
	uint8_t payload[512] = {0xa0 | pairs, 1, format, 2, 0x58, 0x40}, private[32];
	size_t size;

	memset(private, 7, sizeof(private));
	p256_public(private, payload + 6);
	memcpy(payload + 70, tail, n);
	size = policy_sign(payload, 70 + n, 7, document);
	check_eq(policy_give(vm.handle, document, size), TV_EPOLICY);
}

TEST(odd_claims,
     "policy: claims that are unknown, double, in another order or of another type are refused")
{
	start();
	ODD(5, 1, 0x04, 0xf5, 0x05, 0x01, 0x07, 0x00);       /* one more */
	ODD(4, 1, 0x05, 0x01, 0x04, 0xf5);                   /* order */
	ODD(4, 1, 0x04, 0xf5, 0x04, 0xf5);                   /* double */
	ODD(4, 1, 0x04, 0x01, 0x05, 0x01);                   /* debug: 1 */
	ODD(4, 1, 0x04, 0xf5, 0x05, 0x20);                   /* version: -1 */
	ODD(4, 1, 0x04, 0xf5, 0x05, 0x41, 0x01);             /* version: a string */
	ODD(4, 1, 0x04, 0xf5, 0x05, 0xf9, 0x3c, 0x00);       /* version: 1.0 */
	ODD(3, 1, 0x04, 0xf5);                               /* one less */
	ODD(3, 1, 0xf5, 0x05, 0x01);                         /* a value without its key */
	ODD(5, 1, 0x03, 0x41, 0x00, 0x04, 0xf5, 0x05, 0x01); /* a measurement of one byte */
	ODD(5, 1, 0x04, 0xf5, 0x05, 0x01, 0x06, 0x5f, 0x41, 0x05, 0xff); /* data without a length */
	ODD(4, 2, 0x04, 0xf5, 0x05, 0x01);                               /* another format */
}

TEST(data_size, "policy: the tenant's data are 64 bytes at most")
{
	char data[66];

	memset(data, 'x', sizeof(data));
	data[65] = 0;
	start();
	check_eq(give(&(struct terms){NULL, true, 0, data, 7}), TV_EPOLICY);
	data[64] = 0;
	check_eq(give(&(struct terms){NULL, true, 0, data, 7}), TV_OK);
}

TEST(shared_view, "policy: without a shared page there is none")
{
	start();
	host_cpu(5);
	check_eq(smc(TV_VM_POLICY, vm.handle, 10, 0, 0), TV_EFAULT);
}

TEST(in_token, "policy: its digest, its key's and its data are in the token")
{
	uint8_t token[4096], challenge[64] = {0}, digest[32], key[COSE_KEY_SIZE], private[32],
			     public[64];
	char data[65];
	size_t size, n;
	bool found[3] = {0};

	memset(data, 'd', 64);
	data[64] = 0;
	start();
	size = policy_make(&(struct terms){NULL, true, 0, data, 7}, document);
	check_eq(policy_give(vm.handle, document, size), TV_OK);
	check_eq(seal(), TV_OK);
	n = token_get(&vm, challenge, 4096 - 8, token);
	hash_bytes(document, size, digest);
	memset(private, 7, sizeof(private));
	p256_public(private, public);
	cose_key(key, public);
	hash_bytes(key, sizeof(key), key);
	for (size_t i = 0; i + 64 <= n; i++) {
		found[0] |= !memcmp(token + i, digest, 32);
		found[1] |= !memcmp(token + i, key, 32);
		found[2] |= !memcmp(token + i, data, 64);
	}
	check(found[0] && found[1] && found[2]);
}
