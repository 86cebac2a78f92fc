/* SPDX-License-Identifier: BSD-3-Clause */
/* SHA-256 is all that tv takes from Mbed TLS. */
#define MBEDTLS_SHA256_C
