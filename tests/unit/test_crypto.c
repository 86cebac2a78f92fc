// SPDX-License-Identifier: BSD-3-Clause
/* crypto/: known answers, and signatures that are none. */
#include "unit_attest.h"

static void from_hex(const char *hex, uint8_t *out)
{
	for (unsigned byte; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		*out++ = byte;
}

#define CHECK_HEX(bytes, hex) \
	do { \
		uint8_t want_[sizeof(hex) / 2]; \
		from_hex(hex, want_); \
		check(!memcmp(bytes, want_, sizeof(want_))); \
	} while (0)

TEST(hmac_answers, "crypto: HMAC-SHA256 gives what RFC 4231 says")
{
	uint8_t key[20], out[32];
	struct hmac h;

	memset(key, 0x0b, sizeof(key));
	hmac_begin(&h, key, sizeof(key));
	hmac_add(&h, "Hi ", 3);
	hmac_add(&h, "There", 5);
	hmac_end(&h, out);
	CHECK_HEX(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	hmac_begin(&h, (const uint8_t *)"Jefe", 4);
	hmac_add(&h, "what do ya want for nothing?", 28);
	hmac_end(&h, out);
	CHECK_HEX(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(hkdf_answer, "crypto: HKDF gives what another implementation of RFC 5869 does")
{
	uint8_t secret[32], salt[32], out[32];

	memset(secret, 0x0b, sizeof(secret));
	memset(salt, 0x0c, sizeof(salt));
	hkdf(secret, salt, "TwinVisor CDI", out);
	CHECK_HEX(out, "96ecfde583dce36e7aa84a615fce10248f1e5982182498a59fef906af2795a2a");
}

static const char rfc6979_key[] =
	"C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
static const char rfc6979_public[] =
	"60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
	"7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299";

static void sign(const char *message, uint8_t signature[64])
{
	uint8_t key[32], hash[32];
	struct p256_signing s;
	unsigned steps = 1;

	from_hex(rfc6979_key, key);
	hash_bytes(message, strlen(message), hash);
	p256_sign_begin(&s, key, hash);
	for (; p256_sign_step(&s, signature) == P256_MORE; steps++)
		;
	check(steps <= P256_STEPS);
	for (unsigned i = 0; i < sizeof(s); i++)
		check_eq(((uint8_t *)&s)[i], 0);
}

TEST(signature, "crypto: keys and signatures are those of RFC 6979, A.2.5")
{
	uint8_t key[32], public[64], signature[64];

	from_hex(rfc6979_key, key);
	p256_public(key, public);
	CHECK_HEX(public, "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
			  "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299");
	sign("sample", signature);
	CHECK_HEX(signature, "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
			     "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8");
	sign("test", signature);
	CHECK_HEX(signature, "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
			     "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083");
}

static enum p256_state verify(const uint8_t public[64], const char *message,
			      const uint8_t signature[64])
{
	enum p256_state state;
	struct p256_check c;
	uint8_t hash[32];

	hash_bytes(message, strlen(message), hash);
	if (!p256_check_begin(&c, public, hash, signature))
		return P256_WRONG;
	do
		state = p256_check_step(&c);
	while (state == P256_MORE);
	return state;
}

TEST(verified, "crypto: a right signature passes; any bit of it, of the message or of the key "
	       "wrong, it does not")
{
	uint8_t public[64], signature[64];

	from_hex(rfc6979_public, public);
	sign("sample", signature);
	check_eq(verify(public, "sample", signature), P256_DONE);
	check_eq(verify(public, "sampls", signature), P256_WRONG);
	for (unsigned bit = 0; bit < 512; bit += 37) {
		signature[bit / 8] ^= 1 << bit % 8;
		check_eq(verify(public, "sample", signature), P256_WRONG);
		signature[bit / 8] ^= 1 << bit % 8;
		public[bit / 8] ^= 1 << bit % 8;
		check_eq(verify(public, "sample", signature), P256_WRONG);
		public[bit / 8] ^= 1 << bit % 8;
	}
	check_eq(verify(public, "sample", signature), P256_DONE);
}

TEST(verify_edges, "crypto: r or s that is 0 or n or more is no signature")
{
	static const char n[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
	uint8_t public[64], signature[64], good[64];

	from_hex(rfc6979_public, public);
	sign("sample", good);
	for (unsigned half = 0; half < 64; half += 32) {
		memcpy(signature, good, sizeof(good));
		memset(signature + half, 0, 32);
		check_eq(verify(public, "sample", signature), P256_WRONG);
		from_hex(n, signature + half);
		check_eq(verify(public, "sample", signature), P256_WRONG);
		memset(signature + half, 0xff, 32);
		check_eq(verify(public, "sample", signature), P256_WRONG);
	}
}

TEST(key, "crypto: a key is of its secret and its purpose")
{
	uint8_t a[32] = {1}, b[32] = {2}, key[3][32];

	p256_key(a, "one", key[0]);
	p256_key(a, "two", key[1]);
	p256_key(b, "one", key[2]);
	check(memcmp(key[0], key[1], 32));
	check(memcmp(key[0], key[2], 32));
	p256_key(a, "one", key[1]);
	check(!memcmp(key[0], key[1], 32));
}
