/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * devicekey SECRET: writes the public key of the device whose secret that file holds, as
 * SubjectPublicKeyInfo (DER). At build, for its certificate; BL2 makes the same key.
 */
#include <stdio.h>

#include "p256.h"

/* SEQUENCE {SEQUENCE {id-ecPublicKey, prime256v1}, BIT STRING}, and a point that is not compressed */
static const uint8_t head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
			       0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
			       0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

int main(int argc, char **argv)
{
	uint8_t secret[33], key[P256_SIZE], public[2 * P256_SIZE];
	FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;

	if (!file || fread(secret, 1, sizeof(secret), file) != 32) {
		fprintf(stderr, "devicekey: a file of 32 bytes is needed\n");
		return 1;
	}
	fclose(file);
	p256_key(secret, "TwinVisor device key", key);
	p256_public(key, public);
	return fwrite(head, sizeof(head), 1, stdout) != 1 ||
	       fwrite(public, sizeof(public), 1, stdout) != 1;
}
