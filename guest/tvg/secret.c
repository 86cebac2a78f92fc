/* SPDX-License-Identifier: BSD-3-Clause */
/* What both sides do; by OpenSSL. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "secret.h"

#define LABEL "TwinVisor secret 1"
#define AES_KEY 32
#define IV 12
#define DH_SIZE 32

static bool send_all(int fd, const void *bytes, size_t size)
{
	while (size) {
		ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);

		if (n < 0)
			return false;
		bytes = (const char *)bytes + n;
		size -= n;
	}
	return true;
}

static bool receive_all(int fd, uint8_t *bytes, size_t size)
{
	ssize_t n = recv(fd, bytes, size, MSG_WAITALL);

	if (n >= 0 && (size_t)n < size)
		errno = ECONNRESET;
	return n == (ssize_t)size;
}

bool message_send(int fd, enum message type, const void *bytes, size_t size)
{
	uint8_t head[5] = {type, size >> 24, size >> 16, size >> 8, size};

	return send_all(fd, head, sizeof(head)) && send_all(fd, bytes, size);
}

int message_receive(int fd, enum message *type, uint8_t bytes[MESSAGE_MAX])
{
	uint8_t head[5];
	uint32_t size;

	if (!receive_all(fd, head, sizeof(head)))
		return -1;
	size = (uint32_t)head[1] << 24 | head[2] << 16 | head[3] << 8 | head[4];
	*type = head[0];
	if (size > MESSAGE_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	return !size || receive_all(fd, bytes, size) ? (int)size : -1;
}

EVP_PKEY *key_make(uint8_t point[POINT_SIZE])
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	uint8_t *encoded = NULL;

	if (key && EVP_PKEY_get1_encoded_public_key(key, &encoded) == POINT_SIZE) {
		memcpy(point, encoded, POINT_SIZE);
	} else {
		EVP_PKEY_free(key);
		key = NULL;
	}
	OPENSSL_free(encoded);
	return key;
}

bool challenge_make(const uint8_t nonce[NONCE_SIZE], const uint8_t point[POINT_SIZE],
		    uint8_t challenge[CHALLENGE_SIZE])
{
	uint8_t both[NONCE_SIZE + POINT_SIZE];

	memcpy(both, nonce, NONCE_SIZE);
	memcpy(both + NONCE_SIZE, point, POINT_SIZE);
	return EVP_Digest(both, sizeof(both), challenge, NULL, EVP_sha512(), NULL);
}

/* A key of that point, which OpenSSL checks to be on the curve. */
static EVP_PKEY *key_of(const uint8_t point[POINT_SIZE])
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point,
						  POINT_SIZE),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	if (context && EVP_PKEY_fromdata_init(context) > 0)
		EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(context);
	return key;
}

static bool diffie_hellman(EVP_PKEY *mine, EVP_PKEY *other, uint8_t out[DH_SIZE])
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(mine, NULL);
	size_t size = DH_SIZE;
	bool good = context && other && EVP_PKEY_derive_init(context) > 0 &&
		    EVP_PKEY_derive_set_peer(context, other) > 0 &&
		    EVP_PKEY_derive(context, out, &size) > 0 && size == DH_SIZE;

	EVP_PKEY_CTX_free(context);
	return good;
}

static bool expand(const struct session *s, const uint8_t dh[DH_SIZE], uint8_t out[AES_KEY + IV])
{
	uint8_t info[sizeof(LABEL) - 1 + 2 * POINT_SIZE];
	EVP_KDF *hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *context = hkdf ? EVP_KDF_CTX_new(hkdf) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, "SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)dh, DH_SIZE),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)s->nonce,
						  NONCE_SIZE),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, sizeof(info)),
		OSSL_PARAM_construct_end(),
	};
	bool good;

	memcpy(info, LABEL, sizeof(LABEL) - 1);
	memcpy(info + sizeof(LABEL) - 1, s->guest, POINT_SIZE);
	memcpy(info + sizeof(LABEL) - 1 + POINT_SIZE, s->verifier, POINT_SIZE);
	good = context && EVP_KDF_derive(context, out, AES_KEY + IV, params) > 0;
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(hkdf);
	return good;
}

static bool agree(const struct session *s, const uint8_t *other, uint8_t out[AES_KEY + IV])
{
	EVP_PKEY *key = key_of(other);
	uint8_t dh[DH_SIZE];
	bool good = diffie_hellman(s->mine, key, dh) && expand(s, dh, out);

	EVP_PKEY_free(key);
	OPENSSL_cleanse(dh, sizeof(dh));
	return good;
}

bool secret_close(const struct session *s, const uint8_t *secret, size_t size, uint8_t *out)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	uint8_t key[AES_KEY + IV];
	int n;
	bool good = context && agree(s, s->guest, key) &&
		    EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, key + AES_KEY) &&
		    EVP_EncryptUpdate(context, out, &n, secret, size) &&
		    EVP_EncryptFinal_ex(context, out + n, &n) &&
		    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, out + size);

	EVP_CIPHER_CTX_free(context);
	OPENSSL_cleanse(key, sizeof(key));
	return good;
}

bool secret_open(const struct session *s, const uint8_t *closed, size_t size, uint8_t *out)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	uint8_t key[AES_KEY + IV];
	int n;
	bool good = context && size >= TAG_SIZE && agree(s, s->verifier, key) &&
		    EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, key + AES_KEY) &&
		    EVP_DecryptUpdate(context, out, &n, closed, size - TAG_SIZE) &&
		    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_SIZE,
					(void *)(closed + size - TAG_SIZE)) &&
		    EVP_DecryptFinal_ex(context, out + n, &n);

	EVP_CIPHER_CTX_free(context);
	OPENSSL_cleanse(key, sizeof(key));
	return good;
}
