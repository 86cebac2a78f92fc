/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In BL2, which runs when no other software does: derives the S-visor's keys from the
 * device's secret and from the measurements of all images, and signs the platform
 * token, laid out as that of Arm CCA (docs/boot.md).
 */
#include <errno.h>
#include <string.h>

#include <cbor.h>
#include <mbedtls/platform_util.h>

#include <arch_helpers.h>
#include <common/bl_common.h>
#include <common/debug.h>
#include <common/desc_image_load.h>
#include <drivers/measured_boot/event_log/event_log.h>
#include <drivers/measured_boot/metadata.h>
#include <lib/cassert.h>
#include <lib/utils.h>
#include <plat/common/platform.h>

#include <cose.h>
#include <hmac.h>
#include <p256.h>
#include <twinvisor/token.h>

#include "tvd_boot.h"

#define IMPLEMENTATION "TwinVisor on QEMU virt"

#define CLAIMS 8
#define SOFTWARE_CLAIMS 5 /* of one software component */

#define INSTANCE_TYPE 0x01U
#define MAX_IMAGES 8U
#define MAX_PAYLOAD 1536U

#define TO_TEXT_(x) #x
#define TO_TEXT(x) TO_TEXT_(x)

CASSERT(sizeof(struct tv_boot) <= TV_BOOT_SIZE, assert_tv_boot_size);
CASSERT(PLAT_EVENT_LOG_MAX_SIZE <= sizeof(((struct tv_boot *)0)->log), assert_tv_boot_log);
CASSERT(TCG_DIGEST_SIZE == HASH_SIZE, assert_tvd_digest_size);

IMPORT_SYM(uintptr_t, __STACKS_START__, STACK_BASE);
extern uint8_t tvd_secret[], tvd_secret_end[];
extern const uint8_t tvd_certificate[], tvd_certificate_end[];

struct keys {
	uint8_t secret[HASH_SIZE], cdi[HASH_SIZE];
	uint8_t device[P256_SIZE];
	struct p256_signing signing;
};

/* Of an image's name in the event log, the one in the token */
static const struct {
	const char *event, *type, *version;
} types[] = {
	{MBOOT_BL2_IMAGE_STRING, "BL2", NULL},
	{MBOOT_BL31_IMAGE_STRING, "BL31", NULL},
	{MBOOT_BL32_IMAGE_STRING, TV_SOFTWARE_SVISOR, TO_TEXT(TV_SVISOR_VERSION)},
	{MBOOT_BL33_IMAGE_STRING, "BL33", ""},
};

static uint8_t digests[MAX_IMAGES][HASH_SIZE];
static const char *names[MAX_IMAGES];
static unsigned int images;

static struct keys keys __aligned(CACHE_WRITEBACK_GRANULE);
static uint8_t payload[MAX_PAYLOAD];

static void erase(void *data, size_t size)
{
	mbedtls_platform_zeroize(data, size);
	flush_dcache_range((uintptr_t)data, size);
}

/*
 * The part of the stack that is free now. What is called here has no stack of its
 * own, and interrupts are masked.
 */
static void erase_stack(void)
{
	uintptr_t sp;

	__asm__ volatile("mov %0, sp" : "=r"(sp));
	zeromem((void *)STACK_BASE, sp - STACK_BASE);
	flush_dcache_range(STACK_BASE, sp - STACK_BASE);
}

#pragma weak tvd_device_secret
int tvd_device_secret(uint8_t secret[32])
{
	if ((tvd_secret_end - tvd_secret) < HASH_SIZE)
		return -ENOENT;

	memcpy(secret, tvd_secret, HASH_SIZE);
	erase(tvd_secret, HASH_SIZE);

	return 0;
}

/* Finds the measurements, in the order of loading. We have written the log ourselves. */
static int read_log(const uint8_t *log, size_t size)
{
	const uint8_t *at = ((const tcg_pcr_event_t *)log)->event;

	at += ((const tcg_pcr_event_t *)log)->event_size;
	while (at < (log + size)) {
		const event2_header_t *event = (const event2_header_t *)at;
		const uint8_t *digest = event->digests.digests[0].digest;
		const event2_data_t *data = (const event2_data_t *)(digest + HASH_SIZE);

		if (event->event_type == EV_POST_CODE) {
			if (images == MAX_IMAGES)
				return -E2BIG;
			memcpy(digests[images], digest, HASH_SIZE);
			names[images] = (const char *)data->event;
			images++;
		}
		at = data->event + data->event_size;
	}

	return (images != 0U) ? 0 : -ENOENT;
}

static void derive(struct tv_boot *boot)
{
	static const uint8_t no_salt[HASH_SIZE];
	uint8_t measured[HASH_SIZE];

	hash_bytes(digests, images * HASH_SIZE, measured);
	p256_key(keys.secret, "TwinVisor device key", keys.device);
	hkdf(keys.secret, measured, "TwinVisor CDI", keys.cdi);
	p256_key(keys.cdi, "TwinVisor S-visor key", boot->key);
	hkdf(keys.cdi, no_salt, "TwinVisor sealing root", boot->seal);
}

/* SHA-256 of the COSE_Key of a private key's public half */
static void hash_public(const uint8_t key[P256_SIZE], uint8_t hash[HASH_SIZE])
{
	uint8_t public[2 * P256_SIZE], encoded[COSE_KEY_SIZE];

	p256_public(key, public);
	cose_key(encoded, public);
	hash_bytes(encoded, sizeof(encoded), hash);
}

static CborError put_bytes(CborEncoder *map, uint64_t claim, const uint8_t *bytes, size_t size)
{
	CborError err = cbor_encode_uint(map, claim);

	return err | cbor_encode_byte_string(map, bytes, size);
}

static CborError put_text(CborEncoder *map, uint64_t claim, const char *text)
{
	CborError err = cbor_encode_uint(map, claim);

	return err | cbor_encode_text_stringz(map, text);
}

static CborError put_image(CborEncoder *array, unsigned int image, const uint8_t signer[HASH_SIZE])
{
	const char *type = names[image], *version = "";
	CborEncoder map;
	CborError err;
	size_t i;

	for (i = 0U; i < ARRAY_SIZE(types); i++) {
		if (strcmp(names[image], types[i].event) == 0) {
			type = types[i].type;
			version = (types[i].version != NULL) ? types[i].version : get_version();
		}
	}

	err = cbor_encoder_create_map(array, &map, SOFTWARE_CLAIMS);
	err |= put_text(&map, TV_SOFTWARE_TYPE, type);
	err |= put_bytes(&map, TV_SOFTWARE_MEASUREMENT, digests[image], HASH_SIZE);
	err |= put_text(&map, TV_SOFTWARE_VERSION, version);
	err |= put_bytes(&map, TV_SOFTWARE_SIGNER, signer, HASH_SIZE);
	err |= put_text(&map, TV_SOFTWARE_HASH, TV_TOKEN_HASH);

	return err | cbor_encoder_close_container(array, &map);
}

static CborError put_images(CborEncoder *claims)
{
	unsigned int size, flags, i;
	CborError err = cbor_encode_uint(claims, TV_CLAIM_SOFTWARE);
	CborEncoder array;
	void *rotpk;

	/* DER of a hash, which is at its end */
	if ((plat_get_rotpk_info(NULL, &rotpk, &size, &flags) != 0) || (size < HASH_SIZE))
		return CborErrorImproperValue;

	err |= cbor_encoder_create_array(claims, &array, images);
	for (i = 0U; i < images; i++)
		err |= put_image(&array, i, (uint8_t *)rotpk + size - HASH_SIZE);

	return err | cbor_encoder_close_container(claims, &array);
}

/* Keys in rising order, as deterministic CBOR has them. Returns the size, or 0. */
static size_t make_payload(const struct tv_boot *boot)
{
	static const uint8_t config[] = {TV_ABI_MAJOR, TV_ABI_MINOR, TVD_CONFIG};
	uint8_t challenge[HASH_SIZE], implementation[HASH_SIZE], instance[1 + HASH_SIZE];
	CborEncoder cbor, claims;
	CborError err;

	hash_public(boot->key, challenge);
	hash_public(keys.device, instance + 1);
	instance[0] = INSTANCE_TYPE;
	hash_bytes(IMPLEMENTATION, strlen(IMPLEMENTATION), implementation);

	cbor_encoder_init(&cbor, payload, sizeof(payload), 0);
	err = cbor_encoder_create_map(&cbor, &claims, CLAIMS);
	err |= put_bytes(&claims, TV_CLAIM_CHALLENGE, challenge, sizeof(challenge));
	err |= put_bytes(&claims, TV_CLAIM_INSTANCE, instance, sizeof(instance));
	err |= put_text(&claims, TV_CLAIM_PROFILE, TV_PLATFORM_PROFILE);
	err |= cbor_encode_uint(&claims, TV_CLAIM_LIFECYCLE);
	err |= cbor_encode_uint(&claims, boot->lifecycle);
	err |= put_bytes(&claims, TV_CLAIM_IMPLEMENTATION, implementation, sizeof(implementation));
	err |= put_images(&claims);
	err |= put_bytes(&claims, TV_CLAIM_CONFIG, config, sizeof(config));
	err |= put_text(&claims, TV_CLAIM_HASH, TV_TOKEN_HASH);
	err |= cbor_encoder_close_container(&cbor, &claims);

	return (err == CborNoError) ? cbor_encoder_get_buffer_size(&cbor, payload) : 0U;
}

static int make_token(struct tv_boot *boot)
{
	uint8_t hash[P256_SIZE], signature[2 * P256_SIZE];
	size_t size = make_payload(boot);

	if (size == 0U)
		return -E2BIG;

	cose_hash(payload, size, hash);
	p256_sign_begin(&keys.signing, keys.device, hash);
	while (p256_sign_step(&keys.signing, signature) == P256_MORE)
		;
	boot->token_size = cose_sign1(boot->token, sizeof(boot->token), payload, size,
				      tvd_certificate, tvd_certificate_end - tvd_certificate,
				      signature);

	return (boot->token_size != 0U) ? 0 : -E2BIG;
}

static int make_boot(struct tv_boot *boot, const uint8_t *log, size_t size)
{
	const bl_mem_params_node_t *svisor = get_bl_mem_params_node(BL32_IMAGE_ID);
	int rc;

	if ((svisor == NULL) ||
	    ((svisor->image_info.image_base + svisor->image_info.image_size) > TVD_IMAGE_LIMIT))
		return -EFBIG;

	memset(boot, 0, sizeof(*boot));
	rc = read_log(log, size);
	if (rc == 0)
		rc = tvd_device_secret(keys.secret);
	if (rc != 0)
		return rc;

	boot->lifecycle = TVD_LIFECYCLE;
	derive(boot);
	rc = make_token(boot);
	if (rc != 0) {
		erase(boot, sizeof(*boot));
		return rc;
	}

	memcpy(boot->log, log, size);
	boot->log_size = size;
	boot->magic = TV_BOOT_MAGIC;
	flush_dcache_range((uintptr_t)boot, sizeof(*boot));

	return 0;
}

/* Without struct tv_boot the S-visor works, but vouches for nothing. */
void tvd_boot_finish(const uint8_t *log, size_t size)
{
	int rc = make_boot((struct tv_boot *)TVD_BOOT_BASE, log, size);

	if (rc != 0)
		ERROR("BL2: no keys for the S-visor: %d\n", rc);

	erase(&keys, sizeof(keys));
	erase(tvd_secret, tvd_secret_end - tvd_secret);
	erase_stack();
}
