/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a verifier gives a secret to an S-VM, over a connection that anybody may read and change:
 *
 *   verifier: NONCE    32 random bytes
 *   guest:    CLAIM    its public key, made for this, then an attestation token whose challenge is
 *                      SHA-512(nonce, public key)
 *   verifier: SECRET   its public key, made for this, then the secret and GCM's tag; or
 *             REFUSAL  a text
 *
 * Keys are P-256, uncompressed points. The AES-256 key and the nonce for GCM are HKDF-SHA256 of the
 * Diffie-Hellman secret, with the nonce as salt and both public keys in the info. The token is
 * about the guest: who the verifier is, the guest cannot tell.
 */
#ifndef SECRET_H
#define SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#define NONCE_SIZE 32
#define POINT_SIZE 65
#define CHALLENGE_SIZE 64
#define TAG_SIZE 16
#define SECRET_MAX 4096
#define MESSAGE_MAX 40000

enum message { NONCE = 'N', CLAIM = 'C', SECRET = 'S', REFUSAL = 'R' };

/* A message: its type, size in 4 bytes, big-endian, contents. False, -1: the connection failed or
 * brought something else; errno is set. */
bool message_send(int fd, enum message type, const void *bytes, size_t size);
int message_receive(int fd, enum message *type, uint8_t bytes[MESSAGE_MAX]);

/* A new key, and its public half. */
EVP_PKEY *key_make(uint8_t point[POINT_SIZE]);

bool challenge_make(const uint8_t nonce[NONCE_SIZE], const uint8_t point[POINT_SIZE],
		    uint8_t challenge[CHALLENGE_SIZE]);

struct session {
	const uint8_t *nonce, *guest, *verifier; /* guest, verifier: public keys */
	EVP_PKEY *mine;                          /* the private key of one of them */
};

/* Of `size` bytes: out gets TAG_SIZE more, or that many less. False: a key is no point of the
 * curve, or, in secret_open, somebody has changed something. */
bool secret_close(const struct session *s, const uint8_t *secret, size_t size, uint8_t *out);
bool secret_open(const struct session *s, const uint8_t *closed, size_t size, uint8_t *out);

#endif
