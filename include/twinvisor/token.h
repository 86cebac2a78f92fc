/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tokens and launch policies: what BL2 and the S-visor write, the S-visor and tenants read.
 * docs/attestation.md has what each claim holds.
 */
#ifndef TWINVISOR_TOKEN_H
#define TWINVISOR_TOKEN_H

/* ---- COSE (RFC 9052, RFC 9360) ------------------------------------------- */

#define COSE_TAG_SIGN1 18
#define COSE_X5CHAIN 33
#define COSE_ES256 0xa1, 0x01, 0x26 /* the protected header: {1 (alg): -7} */

/* ---- the token: a collection of two (draft-ffm-rats-cca-token) ------------ */

#define TV_TOKEN_TAG 399
#define TV_TOKEN_PLATFORM 44234
#define TV_TOKEN_SVM 44241

/* Of both */
#define TV_CLAIM_CHALLENGE 10
#define TV_CLAIM_PROFILE 265
#define TV_TOKEN_HASH "sha-256"

/* Of the platform's, and of one software component */
#define TV_PLATFORM_PROFILE "tag:twinvisor.example,2026:platform#1.0.0"
#define TV_CLAIM_INSTANCE 256
#define TV_CLAIM_LIFECYCLE 2395
#define TV_CLAIM_IMPLEMENTATION 2396
#define TV_CLAIM_SOFTWARE 2399
#define TV_CLAIM_CONFIG 2401
#define TV_CLAIM_HASH 2402
#define TV_SOFTWARE_TYPE 1
#define TV_SOFTWARE_MEASUREMENT 2
#define TV_SOFTWARE_VERSION 4
#define TV_SOFTWARE_SIGNER 5
#define TV_SOFTWARE_HASH 6
#define TV_SOFTWARE_SVISOR "BL32" /* a type */

/* Of the S-VM's */
#define TV_SVM_PROFILE "tag:twinvisor.example,2026:svm#1.0.0"
#define TV_CLAIM_PERSONALIZATION 44235
#define TV_CLAIM_SVM_HASH 44236
#define TV_CLAIM_KEY 44237
#define TV_CLAIM_INITIAL 44238
#define TV_CLAIM_EXTENSIBLE 44239
#define TV_CLAIM_KEY_HASH 44240
#define TV_CLAIM_POLICY -75000
#define TV_CLAIM_TENANT -75001

/* ---- a launch policy's claims, in this order ------------------------------ */

#define TV_POLICY_FORMAT 1
#define TV_POLICY_FORMAT_1 1 /* the only one */
#define TV_POLICY_TENANT 2
#define TV_POLICY_MEASUREMENT 3 /* may be missing */
#define TV_POLICY_DEBUG 4
#define TV_POLICY_VERSION 5
#define TV_POLICY_DATA 6 /* may be missing */

#endif
