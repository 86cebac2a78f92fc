/* SPDX-License-Identifier: BSD-3-Clause */
/* All that the S-visor uses of mbedTLS. */
#define MBEDTLS_SHA256_C
