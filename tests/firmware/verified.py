# SPDX-License-Identifier: BSD-3-Clause
"""Verified and measured boot: what the flash must be to start at all, and what the S-visor gets then.

SEED     of the bits that are flipped: in each image and certificate two at its ends, and
ROUNDS   that many at random
"""
import hashlib
import json
import os
import random
import re
import select
import socket
import struct
import subprocess
import time

import bare
import cbor2
import eat
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SEED, ROUNDS = int(os.environ.get('SEED') or 1), int(os.environ.get('ROUNDS') or 4)
LIMIT = 60  # seconds for a boot
FIP = 0x40000
SECRET = b'TwinVisor: this secret is public'
IMPLEMENTATION = b'TwinVisor on QEMU virt'
ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
ABI = [int(re.search(rf'#define TV_ABI_{part} (\d+)', bare.ABI)[1]) for part in ('MAJOR', 'MINOR')]
NORMAL_WORLD = r'^(not )?ok - '  # the caller's first result

# Entry of the FIP: (its UUID, which of BL1 and BL2 checks it, what that calls it)
ENTRIES = {
    'tb-fw': ('5ff9ec0b4d223e4da544c39d81c73f0a', 'BL1', 'BL2'),
    'soc-fw': ('47d4086d4cfe98469b952950cbbd5a00', 'BL2', 'BL31'),
    'tos-fw': ('05d0e18953dc13478d2b500a4b7a3e38', 'BL2', 'BL32'),
    'nt-fw': ('d6d0eea7fcead54b97829934f234b6e4', 'BL2', 'BL33'),
    'tb-fw-cert': ('d6e269ea5d63e4118d8c9fbabe9956a5', 'BL1', 'certificate of BL2'),
    'trusted-key-cert': ('827ee890f860e411a1b4777a21b4f94c', 'BL2', 'certificate of the trusted keys'),
    'soc-fw-key-cert': ('8ab8beccf960e4119ad0eb4822d8dcf8', 'BL2', 'key certificate of BL31'),
    'tos-fw-key-cert': ('9477d603fb60e41185ddb7105b8cee04', 'BL2', 'key certificate of BL32'),
    'nt-fw-key-cert': ('8ad5832afb60e4118aafdf30bbc49859', 'BL2', 'key certificate of BL33'),
    'soc-fw-cert': ('e2b20c205e63e4119ce8abccf92bb666', 'BL2', 'content certificate of BL31'),
    'tos-fw-cert': ('a49f44115e63e41187283f05722af33d', 'BL2', 'content certificate of BL32'),
    'nt-fw-cert': ('8ec4c1f35d63e411a7a987ee40b23fa7', 'BL2', 'content certificate of BL33'),
}
IMAGES = {'tb-fw': ('BL2', b'BL_2'), 'soc-fw': ('BL31', b'SECURE_RT_EL3'),
          'tos-fw': ('BL32', b'SECURE_RT_EL2_TVD'), 'nt-fw': ('BL33', b'BL_33')}


def sha256(data):
    return hashlib.sha256(data).digest()


def hkdf(secret, info, salt=bytes(32)):
    return HKDF(hashes.SHA256(), 32, salt, info).derive(secret)


def private_key(secret, info):
    """p256_key() of crypto/p256.c"""
    key = hkdf(secret, info)
    while not 0 < int.from_bytes(key, 'big') < ORDER:
        key = hkdf(key, info)
    return key


def cose_key(private):
    public = ec.derive_private_key(int.from_bytes(private, 'big'), eat.CURVE).public_key().public_numbers()
    return cbor2.dumps({1: 2, -1: 1, -2: public.x.to_bytes(32, 'big'), -3: public.y.to_bytes(32, 'big')})


DEVICE_KEY = private_key(SECRET, b'TwinVisor device key')


def stub_options():
    """What the stub searches the firmware's memory for."""
    return [f'-D{name}={",".join(map(str, value))}'
            for name, value in (('DEVICE_SECRET', SECRET), ('DEVICE_KEY', DEVICE_KEY))]


# ---- the flash --------------------------------------------------------------

def entries(flash):
    """{name: (offset in the flash, size)} of what is in its FIP"""
    names, found, at = {bytes.fromhex(u): n for n, (u, _, _) in ENTRIES.items()}, {}, FIP + 16
    while (uuid := flash[at:at + 16]) != bytes(16):
        name = names[uuid]
        offset, size = struct.unpack_from('<QQ', flash, at + 16)
        found[name] = FIP + offset, size
        at += 40
    return found


def part(flash, name):
    offset, size = entries(flash)[name]
    return flash[offset:offset + size]


def flipped(flash, offset, bit):
    changed = bytearray(flash)
    changed[offset] ^= 1 << bit
    return bytes(changed)


def signed(out, flash, rot_key, **changed):
    """The flash with new certificates by that key, and images changed: tb_fw=, tos_fw=..."""
    arguments, payload = [], []
    for name in entries(flash):
        path = f'{out}/{name}.part'
        if not name.endswith('cert'):
            with open(path, 'wb') as file:
                file.write(changed.get(name.replace('-', '_'), part(flash, name)))
        arguments += [f'--{name}', path]
        payload += [f'--{name}', path]
    bare.call(f'{bare.TFA_SRC}/tools/cert_create/cert_create', '-n', '--key-alg', 'ecdsa',
              '--rot-key', rot_key, '--tfw-nvctr', '0', '--ntfw-nvctr', '0', *arguments)
    bare.call(f'{bare.TFA_SRC}/tools/fiptool/fiptool', 'create', *payload, f'{out}/fip')
    with open(f'{out}/fip', 'rb') as fip:
        return flash[:FIP] + fip.read()


# ---- the machine ------------------------------------------------------------

class Machine:
    """A boot, up to a line that says where it led."""

    def __init__(self, out, flash, cpu, machine=None, *args):
        self.log = self.secure = ''
        self.deadline = time.monotonic() + LIMIT
        self.files = {n: f'{out}/{n}' for n in ('flash', 'secure', 'qmp')}
        with open(self.files['flash'], 'wb') as file:
            file.write(flash)
        machine = machine or bare.MACHINE + (',tzc=on' if bare.has_tzc() else '')
        command = bare.qemu(machine, cpu, cpus=1) + [
            '-bios', self.files['flash'], '-serial', 'stdio', '-serial', f'file:{self.files["secure"]}',
            '-qmp', f'unix:{self.files["qmp"]},server=on,wait=off', *args]
        self.qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.qemu.kill()
        self.qemu.wait()
        self.qemu.stdout.close()

    def until(self, pattern):
        """Reads the console till a line has the pattern; False if it never does."""
        while not re.search(pattern, self.log, re.M):
            left = self.deadline - time.monotonic()
            if left < 0 or not select.select([self.qemu.stdout], [], [], left)[0]:
                return False
            data = os.read(self.qemu.stdout.fileno(), 4096)
            if not data:
                return False
            self.log += data.decode(errors='replace').replace('\r', '')
        with open(self.files['secure'], errors='replace') as file:
            self.secure = file.read().replace('\r', '')
        return True

    def stopped(self, handler):
        """The boot CPU comes to that loop of two instructions, which masks all interrupts."""
        with socket.socket(socket.AF_UNIX) as qmp:
            qmp.settimeout(LIMIT)
            qmp.connect(self.files['qmp'])
            talk = qmp.makefile('rw')
            talk.readline()
            for name, arguments in (('qmp_capabilities', {}),
                                    *[('human-monitor-command', {'command-line': 'info registers'})] * 100):
                talk.write(json.dumps({'execute': name, 'arguments': arguments}) + '\n')
                talk.flush()
                while 'return' not in (answer := json.loads(talk.readline())):
                    pass
                found = re.search(r'PC=([0-9a-f]+)', str(answer['return']))
                if found and handler <= int(found[1], 16) <= handler + 8:
                    return True
        return False


def symbol(elf, name):
    return int(re.search(rf'^(\w+) \w {name}$', bare.call('aarch64-linux-gnu-nm', elf), re.M)[1], 16)


def error_handlers(tfa):
    """{BL1 and BL2: where it stays when it refuses to go on}"""
    return {stage.upper(): symbol(f'{tfa}/qemu/release/{stage}/{stage}.elf', 'plat_error_handler')
            for stage in ('bl1', 'bl2')}


class Suite:
    """Of the firmware built in tfa; config is what its token says of how the S-visor is entered."""

    def __init__(self, out, tfa, what='', cpu='neoverse-n2', config=1):
        self.out, self.results, self.log = out, [], ''
        self.what, self.cpu, self.config = f'{what}verified boot', cpu, config
        self.handlers = error_handlers(tfa)
        with open(f'{tfa}/flash.bin', 'rb') as file:
            self.flash = file.read()

    def result(self, good, name, machine=None):
        self.results.append(('ok' if good else 'not ok', f'{self.what}: {name}'))
        if not good and machine:
            self.log += f'{name}:\n{machine.log}{machine.secure}\n'

    def boots(self, flash):
        """The boot's log, and the record that BL2 left: {magic, key, token...}."""
        with Machine(self.out, flash, self.cpu) as machine:
            machine.until(NORMAL_WORLD)
            found = re.findall(r'^stub: (\w+) ([0-9a-f]+)$', machine.secure, re.M)
            return machine, {name: bytes.fromhex(value) for name, value in found}

    def refuses(self, flash, stage, name, why='is not authentic'):
        """The boot ends, in that stage, with a message that says what it did not take."""
        with Machine(self.out, flash, self.cpu) as machine:
            said = machine.until(f'^ERROR: .*Failed to load .*\n|{NORMAL_WORLD}')
            message = rf'^ERROR: +{stage}: {name} \(id \d+\) {why}: refused$'
            good = (said and re.search(message, machine.log, re.M) and machine.stopped(self.handlers[stage])
                    and 'stub:' not in machine.secure and not re.search(NORMAL_WORLD, machine.log, re.M))
            return bool(good), machine

    def flips(self, draw, names=ENTRIES):
        for name, (offset, size) in entries(self.flash).items():
            if name not in names:
                continue
            stage, called = ENTRIES[name][1:]
            places = [0, size - 1] + [draw.randrange(size) for _ in range(ROUNDS)]
            for place in places:
                bit = draw.randrange(8)
                good, machine = self.refuses(flipped(self.flash, offset + place, bit), stage, called)
                if not good:
                    break
            self.result(good, f'{called} with a flipped bit is refused, last tried bit {bit} of byte {place}',
                        machine)

    def missing(self):
        """One of the names in the table of contents is changed."""
        at = self.flash.index(bytes.fromhex(ENTRIES['tos-fw'][0]), FIP)
        good, machine = self.refuses(flipped(self.flash, at, 0), 'BL2', 'BL32', 'cannot be loaded')
        self.result(good, 'firmware without BL32 is refused', machine)

    def other_root(self):
        key = f'{self.out}/other.pem'
        bare.call('openssl', 'ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key)
        good, machine = self.refuses(signed(self.out, self.flash, key), 'BL1', 'certificate of BL2')
        self.result(good, 'firmware that another root key signed is refused', machine)


# ---- the token --------------------------------------------------------------

def read_log(log):
    """[(name, digest)] of an event log (TCG PC Client, crypto agile, SHA-256 alone)"""
    at = 32 + struct.unpack_from('<I', log, 28)[0]
    events = []
    while at < len(log):
        kind, count, algorithm = struct.unpack_from('<4xIIH', log, at)
        assert (count, algorithm) == (1, 0xb)
        digest, size = log[at + 14:at + 46], struct.unpack_from('<I', log, at + 46)[0]
        if kind == 1:  # EV_POST_CODE
            events.append((log[at + 50:at + 50 + size].rstrip(b'\0'), digest))
        at += 50 + size
    assert at == len(log)
    return events


def wanted_keys(digests):
    cdi = hkdf(SECRET, b'TwinVisor CDI', sha256(b''.join(digests)))
    return private_key(cdi, b'TwinVisor S-visor key'), hkdf(cdi, b'TwinVisor sealing root')


def check_record(suite, machine, record, rot_public):
    digests = {name: sha256(part(suite.flash, name)) for name in IMAGES}
    events = [(event, digests[name]) for name, (_, event) in IMAGES.items()]
    suite.result(read_log(record['log']) == events, 'the event log has each image, in order', machine)
    suite.result((record['key'], record['seal']) == wanted_keys(digests.values()),
                 'key and sealing root are derived from secret and measurements', machine)
    suite.result(record['magic'] == b'MTB1' and record['lifecycle'] == b'\0\x10\0\0',
                 'the record says that the secret is the one of development')
    with open(f'{bare.BUILD}/keys/root.pem', 'rb') as file:
        claims, payload = eat.sign1(record['token'], root=x509.load_pem_x509_certificate(file.read()))
    suite.result(True, 'the root vouches for the device, the device for the token')
    suite.result(eat.in_order(payload), 'the token is in deterministic CBOR')
    components = claims.pop(2399)
    suite.result([(c[1], c[2]) for c in components] == [(IMAGES[n][0], d) for n, d in digests.items()],
                 'the token has the measurement of each image')
    suite.result(all(c[5] == sha256(rot_public) and c[6] == 'sha-256' and isinstance(c[4], str)
                     for c in components), 'and who signed it')
    version = {c[1]: c[4] for c in components}
    suite.result(version['BL32'] == '1' and bool(re.match(r'\d+\.\d+', version['BL31'])), 'and its version')
    suite.result(claims == {10: sha256(cose_key(record['key'])), 256: b'\1' + sha256(cose_key(DEVICE_KEY)),
                            265: 'tag:twinvisor.example,2026:platform#1.0.0', 2395: 0x1000,
                            2396: sha256(IMPLEMENTATION), 2401: bytes([*ABI, suite.config]), 2402: 'sha-256'},
                 'and the other claims, the S-visor\'s key among them')


def changes(suite, rot_key, record):
    """What another boot has of its own."""
    def boots(**changed):
        return suite.boots(signed(suite.out, suite.flash, rot_key, **changed))

    machine, again = boots()
    suite.result(again == record, 'the same images, signed again, have the same keys and token', machine)
    machine, other = boots(tos_fw=part(suite.flash, 'tos-fw') + b'\0')
    differ = all(other.get(n, record[n]) != record[n] for n in ('key', 'seal', 'token', 'log'))
    suite.result(differ, 'another S-visor has another key, sealing root and measurement', machine)
    bl2 = part(suite.flash, 'tb-fw')
    assert bl2.count(SECRET) == 1
    machine, other = boots(tb_fw=bl2.replace(SECRET, SECRET[::-1]))
    differ = all(other.get(n, record[n]) != record[n] for n in ('key', 'seal', 'token'))
    suite.result(differ, 'another device has another key and sealing root', machine)


def root_key():
    """The key that signs the firmware, and its public half."""
    key = os.environ.get('ROT_KEY', f'{bare.BUILD}/keys/rot.pem')
    return key, subprocess.run(['openssl', 'pkey', '-in', key, '-pubout', '-outform', 'DER'],
                               check=True, stdout=subprocess.PIPE).stdout


def starts(suite):
    """What the record has of firmware that starts; None if it does not."""
    machine, record = suite.boots(suite.flash)
    good = 'stub: record ends' in machine.secure
    suite.result(good, 'firmware that is what its certificates say starts', machine)
    return machine, record if good else None


def tests(out, tfa):
    """[(ok or not ok, name)…] and a log of what failed, of the firmware built in tfa."""
    suite = Suite(out, tfa)
    rot_key, rot_public = root_key()
    machine, record = starts(suite)
    if record:
        suite.result('stub: left: nothing else' in machine.secure, 'no secret is left in the firmware\'s memory',
                     machine)
        check_record(suite, machine, record, rot_public)
        changes(suite, rot_key, record)
        suite.flips(random.Random(SEED))
        suite.missing()
        suite.other_root()
    return suite.results, suite.log


def havmsi_tests(out, tfa, cpu):
    """The same of firmware with BL32 in ordinary memory, where only BL32 is another one."""
    suite = Suite(out, tfa, 'havmsi: ', cpu, config=2)
    rot_key, rot_public = root_key()
    machine, record = starts(suite)
    if record:
        check_record(suite, machine, record, rot_public)
        changes(suite, rot_key, record)
        suite.flips(random.Random(SEED), ('tos-fw', 'tos-fw-cert'))
        suite.missing()
    return suite.results, suite.log
