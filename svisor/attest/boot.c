// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include <mbedtls/platform_util.h>

#include "arch.h"
#include "attest.h"
#include "share.h"

/* Constant once attest_init is over; all zero if there was no record. */
static struct tv_boot boot;
static uint8_t public_key[COSE_KEY_SIZE];

static bool record_ok(const struct tv_boot *record)
{
	return record && record->magic == TV_BOOT_MAGIC && record->token_size &&
	       record->token_size <= sizeof(record->token) &&
	       record->log_size <= sizeof(record->log);
}

void attest_init(const struct tv_boot *record)
{
	uint8_t public[2 * P256_SIZE];

	if (!record_ok(record))
		return;
	boot = *record;
	p256_public(boot.key, public);
	cose_key(public_key, public);
}

void attest_wipe(void)
{
	mbedtls_platform_zeroize(boot.key, sizeof(boot.key));
	mbedtls_platform_zeroize(boot.seal, sizeof(boot.seal));
}

bool attest_possible(void)
{
	return boot.token_size;
}

uint32_t attest_lifecycle(void)
{
	return boot.lifecycle;
}

void attest_sign(struct p256_signing *s, const uint8_t hash[P256_SIZE])
{
	p256_sign_begin(s, boot.key, hash);
}

const uint8_t *attest_public(void)
{
	return public_key;
}

const uint8_t *attest_platform(size_t *size)
{
	*size = boot.token_size;
	return boot.token;
}

void attest_seal(const uint8_t context[HASH_SIZE], uint8_t key[HASH_SIZE])
{
	hkdf(boot.seal, context, "TwinVisor sealing key", key);
}

int attest_event_log(uint64_t offset, uint64_t *size)
{
	uint64_t rest;

	if (!boot.log_size)
		return TV_ENOENT;
	if (offset >= boot.log_size)
		return TV_EINVAL;
	rest = boot.log_size - offset;
	*size = boot.log_size;
	return share_write_data(boot.log + offset,
				rest < TV_RUN_DATA_SIZE ? rest : TV_RUN_DATA_SIZE)
		       ? TV_OK
		       : TV_EFAULT;
}
