# SPDX-License-Identifier: BSD-3-Clause
"""Attestation tokens, read by libraries that neither the S-visor nor `tv verify` uses (docs/attestation.md)."""
import hashlib

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

CURVE = ec.SECP256R1()


def sign1(token, key=None, root=None):
    """(claims, payload) of a COSE_Sign1 by `key`, or by the key of its certificate, which `root` has issued."""
    tagged = cbor2.loads(token)
    protected, unprotected, payload, signature = tagged.value
    assert tagged.tag == 18 and cbor2.loads(protected) == {1: -7}
    if root:
        device = x509.load_der_x509_certificate(unprotected[33])
        device.verify_directly_issued_by(root)
        key = device.public_key()
    signed_part = cbor2.dumps(['Signature1', protected, b'', payload])
    r, s = (int.from_bytes(half, 'big') for half in (signature[:32], signature[32:]))
    key.verify(utils.encode_dss_signature(r, s), signed_part, ec.ECDSA(hashes.SHA256()))
    return cbor2.loads(payload), payload


def in_order(payload):
    """Each map's keys rise, as deterministic CBOR has them; each number is as short as can be."""
    return cbor2.dumps(cbor2.loads(payload), canonical=True) == payload or \
        cbor2.dumps(cbor2.loads(payload)) == payload


def public_key(encoded):
    """Of a COSE_Key."""
    key = cbor2.loads(encoded)
    assert (key[1], key[-1]) == (2, 1)
    numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(key[-2], 'big'), int.from_bytes(key[-3], 'big'), CURVE)
    return numbers.public_key()


def read(token, root):
    """(platform's claims, S-VM's claims) of a token that a root certificate (PEM) vouches for."""
    both = cbor2.loads(token)
    assert both.tag == 399 and list(both.value) == [44234, 44241]
    platform, payload = sign1(both.value[44234], root=x509.load_pem_x509_certificate(root))
    assert in_order(payload)
    inner = cbor2.loads(cbor2.loads(both.value[44241]).value[2])
    assert hashlib.sha256(inner[44237]).digest() == platform[10]
    svm, payload = sign1(both.value[44241], key=public_key(inner[44237]))
    assert in_order(payload)
    return platform, svm
