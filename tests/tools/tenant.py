# SPDX-License-Identifier: BSD-3-Clause
"""tv verify, tv policy and tv boot, against tokens, policies and logs made by other libraries: the good are taken, and
of the bad each is refused with the name of what is wrong."""
import datetime
import hashlib
import struct

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

CURVE = ec.SECP256R1()
CHALLENGE, MEASUREMENT, SVISOR = bytes(range(64)), bytes(range(32)), b'\x5b' * 32
SECURED = 0x3000


def new_key():
    return ec.generate_private_key(CURVE)


def sha256(data):
    return hashlib.sha256(data).digest()


def halves(key):
    numbers = key.public_key().public_numbers()
    return numbers.x.to_bytes(32, 'big'), numbers.y.to_bytes(32, 'big')


def cose_key(key):
    x, y = halves(key)
    return cbor2.dumps({1: 2, -1: 1, -2: x, -3: y})


def sign1(payload, key, header=None, protected=cbor2.dumps({1: -7})):
    signed_part = cbor2.dumps(['Signature1', protected, b'', payload])
    r, s = utils.decode_dss_signature(key.sign(signed_part, ec.ECDSA(hashes.SHA256())))
    signature = r.to_bytes(32, 'big') + s.to_bytes(32, 'big')
    return cbor2.dumps(cbor2.CBORTag(18, [protected, header or {}, payload, signature]))


def certificate(subject, key, issuer, issuer_key, ca):
    def name(text):
        return x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, text)])
    begin = datetime.datetime(2024, 1, 1)
    return (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(begin)
            .not_valid_after(begin + datetime.timedelta(36500))
            .add_extension(x509.BasicConstraints(ca, None), True).sign(issuer_key, hashes.SHA256()))


class Maker:
    """A device's maker, a device, and its S-visor."""

    def __init__(self, b):
        self.root_key, self.device_key, self.svisor_key = new_key(), new_key(), new_key()
        root = certificate('root', self.root_key, 'root', self.root_key, True)
        self.device = certificate('device', self.device_key, 'root', self.root_key, False)
        self.root = b.file('root.pem', root.public_bytes(serialization.Encoding.PEM))

    def platform(self):
        return {10: sha256(cose_key(self.svisor_key)), 256: b'\1' + bytes(32),
                265: 'tag:twinvisor.example,2026:platform#1.0.0', 2395: SECURED, 2396: bytes(32),
                2399: [{1: n, 2: d, 4: '1', 5: bytes(32), 6: 'sha-256'} for n, d in (('BL2', bytes(32)), ('BL32', SVISOR))],
                2401: b'', 2402: 'sha-256'}

    def svm(self):
        return {10: CHALLENGE, 265: 'tag:twinvisor.example,2026:svm#1.0.0', 44235: bytes(64), 44236: 'sha-256',
                44237: cose_key(self.svisor_key), 44238: MEASUREMENT, 44239: [bytes(32)] * 4, 44240: 'sha-256'}

    def token(self, platform=None, svm=None, device_key=None, svisor_key=None, chain=None):
        """Claims: changes, of which None takes one out."""
        def changed(claims, changes):
            claims = {**claims, **(changes or {})}
            return cbor2.dumps({k: v for k, v in claims.items() if v is not None})
        header = {33: chain or self.device.public_bytes(serialization.Encoding.DER)}
        return cbor2.dumps(cbor2.CBORTag(399, {
            44234: sign1(changed(self.platform(), platform), device_key or self.device_key, header),
            44241: sign1(changed(self.svm(), svm), svisor_key or self.svisor_key)}))


WANTED = ('--challenge', CHALLENGE.hex(), '--measurement', MEASUREMENT.hex(), '--svisor', SVISOR.hex())


def tokens(b):
    maker, other = Maker(b), new_key()

    def verify(token, *args):
        return b.tv('verify', '--root', maker.root, *WANTED, *args, b.file('token', token))

    def refused(why, token, *args):
        status, out, error = verify(token, *args)
        b.t.ok(status == 1 and not out and f'refused: ' in error and why in error, f'token refused: {why}', error)

    good = maker.token()
    status, out, error = verify(good)
    b.t.ok(status == 0 and MEASUREMENT.hex() in out and '(secured)' in out, 'token: a good one is taken', error)
    b.t.equal(verify(maker.token(platform={2395: 0x1000}), '--debug')[0], 0, 'token: one of development, if allowed')
    for cut in (1, len(good) // 2, len(good) - 1):
        refused('', good[:cut])
    refused('no token', good + b'\0')
    refused('tag 399', cbor2.dumps({}))
    refused('no S-VM token', cbor2.dumps(cbor2.CBORTag(399, {44234: cbor2.loads(good).value[44234]})))
    refused('S-VM token: tag', cbor2.dumps(cbor2.CBORTag(399, {44234: cbor2.loads(good).value[44234], 44241: b'\0'})))
    refused("certificate is malformed", maker.token(chain=b'\x30\x03\2\1\1'))
    stray = certificate('device', maker.device_key, 'root', other, False)
    refused('does not vouch', maker.token(chain=stray.public_bytes(serialization.Encoding.DER)))
    refused("signature is not the device's", maker.token(device_key=other))
    refused("signature is not the S-visor's", maker.token(svisor_key=other))
    refused('not the one that the platform vouches for', maker.token(svm={44237: cose_key(other)}, svisor_key=other))
    for claim in (10, 256, 265, 2395, 2396, 2399):
        refused(f'({claim})', maker.token(platform={claim: None}))
    for claim in (10, 265, 44235, 44237, 44238, 44239):
        refused(f'({claim})', maker.token(svm={claim: None}))
    refused('(44238)', maker.token(svm={44238: MEASUREMENT + b'\0'}))
    refused('(44239)', maker.token(svm={44239: [bytes(32)] * 3}))
    refused('software component 0', maker.token(platform={2399: [{1: 'BL32'}]}))
    refused('software component 0', maker.token(platform={2399: [{1: 'BL\n', 2: bytes(32), 4: '', 5: bytes(32)}]}))
    refused('no S-visor', maker.token(platform={2399: maker.platform()[2399][:1]}))
    refused('lifecycle 0x1000', maker.token(platform={2395: 0x1000}))
    refused('another challenge', maker.token(svm={10: bytes(64)}))
    refused('launch measurement', maker.token(svm={44238: bytes(32)}))
    refused('S-visor is another', good, '--svisor', '00' * 32)
    refused('run-time measurement 2', good, '--rem', f'2={"11" * 32}')
    flips(b, verify, good)
    with_policy(b, maker, verify, refused)


def flips(b, verify, good):
    bits = range(0, len(good) * 8, 331)
    taken = [bit for bit in bits if verify(good[:bit // 8] + bytes([good[bit // 8] ^ 1 << bit % 8]) + good[bit // 8 + 1:])[0] != 1]
    b.t.equal(taken, [], f'token: none with a flipped bit is taken, of {len(bits)}')


def with_policy(b, maker, verify, refused):
    document = policy_of(new_key())
    claims = {-75000: sha256(document), -75001: bytes(32)}
    policy = b.file('policy', document)
    b.t.equal(verify(maker.token(svm=claims), '--policy', policy)[0], 0, 'token: with the policy that was asked for')
    refused('without a policy', maker.token(), '--policy', policy)
    refused('another policy', maker.token(svm={**claims, -75000: bytes(32)}), '--policy', policy)
    refused('policy (', maker.token(svm={-75000: bytes(32)}))


def policy_of(key, **changes):
    x, y = halves(key)
    claims = {1: 1, 2: x + y, 3: MEASUREMENT, 4: True, 5: 1, 6: b'data'}
    claims.update({int(k[1:]): v for k, v in changes.items()})
    return sign1(cbor2.dumps({k: v for k, v in claims.items() if v is not None}), key)


def policies(b):
    key = new_key()

    def show(document):
        return b.tv('policy', b.file('policy', document))

    def refused(why, document):
        status, out, error = show(document)
        b.t.ok(status == 1 and not out and why in error, f'policy refused: {why}', error)

    status, out, error = show(policy_of(key))
    b.t.ok(status == 0 and MEASUREMENT.hex() in out and sha256(cose_key(key)).hex() in out and 'allowed' in out,
           'policy: a good one is shown', out + error)
    for name, value, why in (('c1', 2, 'format (1)'), ('c2', b'', 'key (2)'), ('c3', b'x', 'measurement (3)'),
                             ('c4', 1, 'debug (4)'), ('c4', None, 'debug (4)'), ('c5', -1, 'version (5)'),
                             ('c6', bytes(65), 'data (6)'), ('c7', 1, 'claims')):
        refused(why, policy_of(key, **{name: value}))
    refused('signature', policy_of(key)[:-1] + b'\0' if policy_of(key)[-1] else policy_of(key)[:-1] + b'\1')
    refused('cut short', policy_of(key)[:60])
    refused('tag', b'\xa0')
    pem = b.file('key.pem', key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                              serialization.NoEncryption()))
    made = b.dir / 'made'
    status, _, error = b.tv('policy', '--sign', pem, '--measurement', MEASUREMENT.hex(), '--debug', '--version', '1',
                            '--data', b'data'.hex(), made)
    payload = cbor2.loads(made.read_bytes()).value[2]
    b.t.ok(status == 0 and payload == cbor2.loads(policy_of(key)).value[2], 'policy: another library makes the same', error)
    b.t.equal(b.tv('policy', made)[0], 0, 'policy: what was made can be shown')
    status, _, error = b.tv('policy', '--sign', b.file('no.pem', b'nothing'), made)
    b.t.ok(status == 1 and 'no private key' in error, 'policy: a key that is none is named', error)
    for args in (('--measurement', '12'), ('--version', 'x'), ('--data', '1'), ('--data', '00' * 65)):
        b.t.equal(b.tv('policy', '--sign', pem, *args, made)[0], 64, f'policy: {" ".join(args)[:30]} is a mistake')


def event(kind, digest, data, count=1, algorithm=0xb, size=None):
    return struct.pack('<3IH', 0, kind, count, algorithm) + digest + \
        struct.pack('<I', len(data) if size is None else size) + data


def event_log(*events, signature=b'Spec ID Event03\0', kind=3):
    first = signature + bytes(20)
    return struct.pack('<2I20xI', 0, kind, len(first)) + first + b''.join(events)


def boot_logs(b):
    def show(log):
        return b.tv('boot', b.file('log', log))

    bl2, bl32 = event(1, bytes(32), b'BL_2\0'), event(1, SVISOR, b'BL_32\0')
    status, out, _ = show(event_log(event(3, bytes(32), b'\0'), bl2, bl32))
    b.t.equal((status, [line.split() for line in out.splitlines()]), (0, [['BL_2', '00' * 32], ['BL_32', SVISOR.hex()]]),
              'event log: images in order')
    good = event_log(bl2, bl32)
    for why, log in (('event 0: type', event_log(bl2, kind=1)), ('event 0: signature', event_log(bl2, signature=bytes(16))),
                     ('event 0', good[:20]), ('no image', event_log()), ('event 1', good[:70]),
                     ('event 2: size', good[:-1]), ('event 2', good[:-40]),
                     ('event 1: digests', event_log(event(1, bytes(32), b'x\0', count=2))),
                     ('event 1: digests', event_log(event(1, bytes(32), b'x\0', algorithm=4))),
                     ('event 1: size', event_log(event(1, bytes(32), b'x\0', size=1 << 31))),
                     ('event 1: name has no end', event_log(event(1, bytes(32), b'x'))),
                     ('event 1: name has no end', event_log(event(1, bytes(32), b'x' * 64 + b'\0'))),
                     ('event 1: name is not printable', event_log(event(1, bytes(32), b'\x1b[2J\0'))),
                     ('event 17: is one too many', event_log(*[bl2] * 17))):
        status, out, error = show(log)
        b.t.ok(status == 1 and not out and why in error, f'event log refused: {why}', error)


PARTS = tokens, policies, boot_logs
