// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include <mbedtls/platform_util.h>

/* p256-m gets no random numbers from us: nonces are not drawn. */
#include <psa/crypto.h>
#define psa_generate_random(output, size) (-1)
#define MBEDTLS_PSA_P256M_DRIVER_ENABLED
/*
 * Multiplying 32 bits by 32 takes the same time for all values, on Arm (with PSTATE.DIT it is a
 * promise) and on x86. And p256-m's other way is one that GCC 14 makes wrong code of for AArch64:
 * it widens a product of halves and takes the whole words.
 */
#define MUL64_IS_CONSTANT_TIME
#include <p256-m.c>

#include "hmac.h"
#include "p256.h"

#define BITS_A_STEP 16

static void erase(void *p, size_t size)
{
	mbedtls_platform_zeroize(p, size);
}

/*
 * s * P, s in [1, n - 1], P on the curve and not 0: a signed binary ladder over an odd scalar, s or
 * n - s, as p256-m's scalar_mult() has it and proves it.
 */
static void product_begin(struct p256_product *m, const uint32_t px[8], const uint32_t py[8],
			  const uint32_t s[8])
{
	uint32_t zero[8];

	u256_set32(zero, 0);
	memcpy(m->px, px, sizeof(m->px));
	memcpy(m->py, py, sizeof(m->py));
	m256_sub_p(m->py_negative, zero, py);
	u256_sub(m->s, p256_n.m, s);
	m->negate = ~s[0] & 1;
	u256_cmov(m->s, s, 1 - m->negate);

	memcpy(m->x, px, sizeof(m->x));
	memcpy(m->y, py, sizeof(m->y));
	u256_cmov(m->y, m->py_negative, m->negate);
	m256_set32(m->z, 1, &p256_p);
	m->bits = 255;
}

/* True when (x, y) is the product, affine. */
static bool product_step(struct p256_product *m)
{
	uint32_t py[8];

	for (unsigned n = 0; n < BITS_A_STEP && m->bits; n++, m->bits--) {
		uint32_t bit = (m->s[m->bits / 32] >> m->bits % 32) & 1;

		memcpy(py, m->py, sizeof(py));
		u256_cmov(py, m->py_negative, 1 - (bit ^ m->negate));
		point_double(m->x, m->y, m->z);
		point_add(m->x, m->y, m->z, m->px, py);
	}
	erase(py, sizeof(py));
	if (m->bits)
		return false;
	point_to_affine(m->x, m->y, m->z);
	return true;
}

void p256_key(const uint8_t secret[32], const char *info, uint8_t key[P256_SIZE])
{
	static const uint8_t salt[HASH_SIZE];
	uint32_t scalar[8];

	/* Once in 2^32 secrets, the first is no scalar. */
	hkdf(secret, salt, info, key);
	while (scalar_from_bytes(scalar, key))
		hkdf(key, salt, info, key);
	erase(scalar, sizeof(scalar));
}

void p256_public(const uint8_t key[P256_SIZE], uint8_t public[2 * P256_SIZE])
{
	struct p256_product m;
	uint32_t scalar[8];

	scalar_from_bytes(scalar, key);
	product_begin(&m, p256_gx, p256_gy, scalar);
	while (!product_step(&m))
		;
	point_to_bytes(public, m.x, m.y);
	erase(scalar, sizeof(scalar));
	erase(&m, sizeof(m));
}

/* The hash, reduced to below n (RFC 6979, 2.3.4) */
static void reduce_hash(const uint8_t hash[P256_SIZE], uint8_t reduced[P256_SIZE])
{
	uint32_t h[8];

	u256_from_bytes(h, hash);
	ecdsa_m256_mod_n(h);
	u256_to_bytes(reduced, h);
}

/* K = HMAC(V, byte, more), V = HMAC(V) */
static void drbg_update(uint8_t k[32], uint8_t v[32], uint8_t byte, const uint8_t *key,
			const uint8_t *hash)
{
	struct hmac h;

	hmac_begin(&h, k, 32);
	hmac_add(&h, v, 32);
	hmac_add(&h, &byte, 1);
	if (key) {
		hmac_add(&h, key, P256_SIZE);
		hmac_add(&h, hash, P256_SIZE);
	}
	hmac_end(&h, k);
	hmac_begin(&h, k, 32);
	hmac_add(&h, v, 32);
	hmac_end(&h, v);
}

/* The nonce of RFC 6979, 3.2 */
static void make_nonce(const uint8_t key[P256_SIZE], const uint8_t hash[P256_SIZE],
		       uint8_t nonce[P256_SIZE])
{
	uint8_t k[32], v[32], reduced[P256_SIZE];
	uint32_t scalar[8];
	struct hmac h;

	reduce_hash(hash, reduced);
	memset(k, 0, sizeof(k));
	memset(v, 1, sizeof(v));
	drbg_update(k, v, 0, key, reduced);
	drbg_update(k, v, 1, key, reduced);
	for (;;) {
		hmac_begin(&h, k, 32);
		hmac_add(&h, v, 32);
		hmac_end(&h, v);
		if (!scalar_from_bytes(scalar, v))
			break;
		drbg_update(k, v, 0, NULL, NULL);
	}
	memcpy(nonce, v, P256_SIZE);
	erase(k, sizeof(k));
	erase(v, sizeof(v));
	erase(scalar, sizeof(scalar));
}

void p256_sign_begin(struct p256_signing *s, const uint8_t key[P256_SIZE],
		     const uint8_t hash[P256_SIZE])
{
	uint32_t nonce[8];

	memcpy(s->key, key, P256_SIZE);
	memcpy(s->hash, hash, P256_SIZE);
	make_nonce(key, hash, s->nonce);
	scalar_from_bytes(nonce, s->nonce);
	product_begin(&s->product, p256_gx, p256_gy, nonce);
	erase(nonce, sizeof(nonce));
}

/* r = x of k * G; s = (hash + r * key) / k; all modulo n. Neither is 0 but once in 2^256. */
static void finish_signature(const struct p256_signing *s, uint8_t signature[2 * P256_SIZE])
{
	uint32_t r[8], k[8], e[8], d[8];

	memcpy(r, s->product.x, sizeof(r));
	m256_done(r, &p256_p);
	ecdsa_m256_mod_n(r);
	u256_to_bytes(signature, r);

	m256_prep(r, &p256_n);
	scalar_from_bytes(k, s->nonce);
	m256_prep(k, &p256_n);
	scalar_from_bytes(d, s->key);
	m256_prep(d, &p256_n);
	ecdsa_m256_from_hash(e, s->hash, P256_SIZE);
	m256_mul(d, r, d, &p256_n);
	m256_add(d, e, d, &p256_n);
	m256_inv(k, k, &p256_n);
	m256_mul(d, k, d, &p256_n);
	m256_to_bytes(signature + P256_SIZE, d, &p256_n);
	erase(k, sizeof(k));
	erase(d, sizeof(d));
}

enum p256_state p256_sign_step(struct p256_signing *s, uint8_t signature[2 * P256_SIZE])
{
	if (!product_step(&s->product))
		return P256_MORE;
	finish_signature(s, signature);
	erase(s, sizeof(*s));
	return P256_DONE;
}

bool p256_check_begin(struct p256_check *c, const uint8_t public[2 * P256_SIZE],
		      const uint8_t hash[P256_SIZE], const uint8_t signature[2 * P256_SIZE])
{
	uint32_t s[8], u2[8], px[8], py[8];

	if (scalar_from_bytes(c->r, signature) || scalar_from_bytes(s, signature + P256_SIZE) ||
	    point_from_bytes(px, py, public))
		return false;
	m256_prep(s, &p256_n);
	m256_inv(s, s, &p256_n);
	ecdsa_m256_from_hash(c->u1, hash, P256_SIZE);
	m256_mul(c->u1, c->u1, s, &p256_n);
	m256_done(c->u1, &p256_n);
	memcpy(u2, c->r, sizeof(u2));
	m256_prep(u2, &p256_n);
	m256_mul(u2, u2, s, &p256_n);
	m256_done(u2, &p256_n);
	c->second = false;
	product_begin(&c->product, px, py, u2);
	return true;
}

/* Of u1 * G + u2 * Q, x modulo n is to be r. */
static enum p256_state compare(struct p256_check *c)
{
	uint32_t x[8], y[8];

	if (c->second)
		point_add_or_double_leaky(x, y, c->product.x, c->product.y, c->x, c->y);
	else
		memcpy(x, c->product.x, sizeof(x));
	m256_done(x, &p256_p);
	ecdsa_m256_mod_n(x);
	return u256_diff(x, c->r) ? P256_WRONG : P256_DONE;
}

enum p256_state p256_check_step(struct p256_check *c)
{
	if (!product_step(&c->product))
		return P256_MORE;
	/* u1 is 0 if the hash is: then there is no second product. */
	if (c->second || !u256_diff0(c->u1))
		return compare(c);
	memcpy(c->x, c->product.x, sizeof(c->x));
	memcpy(c->y, c->product.y, sizeof(c->y));
	c->second = true;
	product_begin(&c->product, p256_gx, p256_gy, c->u1);
	return P256_MORE;
}
