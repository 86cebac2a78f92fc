# SPDX-License-Identifier: BSD-3-Clause
"""A tenant who keeps a disk's key at home, and a host that would like to have it.

The tenant's side is the build machine: it makes the disk, in a VM of its own, says what the S-VM has to be,
and runs the verifier. The emulated server is the host, whose network is a Relay, which hears all that is said.
"""
import base64
import gzip
import hashlib
import os
import re
import secrets
import select
import shlex
import shutil
import socket
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

from guests import qemu, svm
from machine import MODE, SVISOR, Machine

BUILD = Path(os.environ.get('TV_BUILD', 'build')).resolve()
TOP = Path(__file__).resolve().parents[2]
WHERE = BUILD / 'tests/attest'
SHARE = WHERE / 'share'
DISK = WHERE / 'disk.img'
INITRD = BUILD / 'secret/secret.initrd'
MESSAGE = 'nobody-but-the-tenant-knows-this'
TENANT, HOST_NET, SERVER = '10.0.9.2', '10.0.9.0/24', '10.0.9.15/24'  # addresses, as the server sees them
PATIENCE = 60  # seconds, for the verifier's word on a guest that is over
LIMIT = 300  # seconds, for anything here; an idle machine needs a tenth
NET = ('-netdev', f'user,id=home,net={HOST_NET},host={TENANT}', '-device', 'virtio-net-pci,netdev=home,romfile=')
ROOT = BUILD / 'keys/root.pem'  # certificate of who made the device


class Failed(Exception):
    pass


def make_disk(key):
    """The tenant's disk, made by a VM on the tenant's own machine."""
    DISK.unlink(missing_ok=True)
    with DISK.open('wb') as f:
        f.truncate(48 << 20)
    line = [BUILD / 'qemu/qemu-system-aarch64', '-M', 'virt,gic-version=3', '-cpu', 'cortex-a76', '-m', '512',
            '-nodefaults', '-display', 'none', '-no-reboot', '-serial', 'stdio',
            '-kernel', BUILD / 'guest/Image', '-initrd', INITRD, '-append',
            f'console=ttyAMA0 quiet tv.test=provision tv.key={key} tv.message={MESSAGE}',
            '-drive', f'if=none,id=d0,format=raw,file={DISK}', '-device', 'virtio-blk-pci,drive=d0']
    done = subprocess.run([str(w) for w in line], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=LIMIT, check=False, text=True, errors='replace')
    if 'guest: the disk is made' not in done.stdout:
        raise Failed(f"the tenant's VM did not make the disk:\n{done.stdout[-2000:]}")


def cpio(name, content):
    """An archive, in the kernel's format, of one executable file."""
    def entry(path, data, mode):
        fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path) + 1, 0)
        head = b'070701' + b''.join(b'%08x' % f for f in fields) + path.encode() + b'\0'
        head += b'\0' * (-len(head) % 4)
        return head + data + b'\0' * (-len(data) % 4)
    return entry(name, content, 0o100755) + entry('TRAILER!!!', b'', 0)


def make_share():
    """What the host has: the tenant's image, and one that gives the key away."""
    shutil.rmtree(SHARE, ignore_errors=True)
    SHARE.mkdir(parents=True)
    os.link(INITRD, SHARE / 'secret.initrd')
    unlock = (TOP / 'tools/secret/unlock').read_text()
    evil = unlock.replace("echo 'guest: the key is here'", 'echo "guest: the key is $(cat /tmp/key)"')
    assert evil != unlock
    (SHARE / 'evil.initrd').write_bytes(INITRD.read_bytes() + gzip.compress(cpio('test/unlock', evil.encode()), mtime=0))


class Relay(threading.Thread):
    """The network between the server and the tenant: passes on what it hears, and keeps it."""

    def __init__(self):
        super().__init__(daemon=True)
        self.to, self.heard, self.claim, self.change = None, b'', b'', lambda claim: claim
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def hear(self, sock):
        data = message(sock)
        self.heard += data
        return data

    def run(self):
        while True:
            try:
                guest, _ = self.listener.accept()
            except OSError:
                return
            with guest, socket.create_connection(('127.0.0.1', self.to)) as home:
                try:
                    guest.sendall(self.hear(home))
                    self.claim = self.hear(guest)
                    home.sendall(self.change(self.claim))
                    guest.sendall(self.hear(home))
                except (OSError, EOFError):
                    pass  # both see that the other is gone

    def close(self):
        self.listener.close()


def exactly(sock, n):
    data = b''
    while len(data) < n:
        got = sock.recv(n - len(data))
        if not got:
            raise EOFError
        data += got
    return data


def message(sock):
    """One of guest/tvg/secret.h, head and all."""
    head = exactly(sock, 5)
    return head + exactly(sock, int.from_bytes(head[1:], 'big'))


class Verifier:
    """The tenant's program, and what it said."""

    def __init__(self, key, measurement, svisor):
        (WHERE / 'key').write_text(key)
        line = [BUILD / 'tools/bin/verifier', '--debug', '--root', ROOT, '--measurement', measurement,
                '--svisor', svisor, WHERE / 'key']
        self.process = subprocess.Popen([str(w) for w in line], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)
        first = self.process.stdout.readline()
        found = re.search(r'port (\d+)', first)
        if not found:
            raise Failed(f'no verifier: {first}{self.process.stdout.read()}')
        self.port = int(found[1])

    def verdict(self):
        """Its line about the guest that has just asked."""
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            raise Failed('the verifier says nothing: no guest has asked it')
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.terminate()
        self.process.wait()


@contextmanager
def closing(what):
    try:
        yield what
    finally:
        what.close()


def replay(port, claim):
    """What the verifier answers to a claim that another guest once made."""
    with socket.create_connection(('127.0.0.1', port), timeout=LIMIT) as home:
        message(home)
        home.sendall(claim)
        answer = message(home)
    return chr(answer[0]), answer[5:].decode(errors='replace')


def guest(port, make=svm, initrd='secret'):
    """The command that runs the tenant's VM, on the server."""
    extra = ['-drive', 'if=none,id=d0,format=raw,file=/dev/vda,snapshot=on', '-device', 'virtio-blk-pci,drive=d0',
             '-netdev', 'user,id=n0', '-device', 'virtio-net-pci,netdev=n0,romfile=']
    return make('unlock', initrd=f'/mnt/{initrd}.initrd', extra=extra, more=f'tv.verifier={TENANT}:{port}')


def tree(dtb):
    return subprocess.run(['dtc', '-q', '-s', '-I', 'dtb', '-O', 'dts', dtb], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def device_tree(m, port):
    """The guest's device tree: the server's, which is to be what the tenant's own QEMU makes but for the CPU's name."""
    words = shlex.split(guest(port, make=lambda *a, **kw: qemu(*a, **kw)))
    theirs, ours = WHERE / 'server.dtb', WHERE / 'tenant.dtb'
    m.run('tv run -- ' + shlex.join(dump(words, '/tmp/dtb')))  # offered what an S-VM is
    theirs.write_bytes(base64.b64decode(m.run('base64 -w 0 /tmp/dtb; rm /tmp/dtb')[1]))
    with_ours = {'qemu-system-aarch64': BUILD / 'qemu/qemu-system-aarch64', '/guest/Image': BUILD / 'guest/Image',
                 '/mnt/secret.initrd': INITRD, 'host': 'cortex-a76'}
    own = [with_ours.get(w, w) for w in words if w != '-enable-kvm']
    own = own[:own.index('-drive')] + own[own.index('-serial'):]  # devices do not show in it
    subprocess.run(dump(own, ours), check=True, stdin=subprocess.DEVNULL)
    if tree(ours).replace('"arm,cortex-a76"', '"arm,armv8"') != tree(theirs):
        raise Failed("the server's device tree is not the one that the tenant expects")
    return theirs


def dump(words, where):
    return [f'{w},dumpdtb={where}' if str(w).startswith('virt,') else w for w in words]


def measurement(m, port):
    """What the S-VM has to be, as the tenant computes it at home."""
    line = [BUILD / 'tools/bin/tv', 'measure', '--kernel', BUILD / 'guest/Image', '--initrd', INITRD, '--dtb',
            device_tree(m, port), '--memory', '512M', '--cpus', '1', '--sve', '0' if MODE else '16']
    return subprocess.run(line, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def svisor():
    return hashlib.sha256(SVISOR.read_bytes()).hexdigest()


class Case:
    """One guest that asks: what it said, what the verifier did."""

    def __init__(self, m, relay, verifier, command):
        relay.to = verifier.port
        self.status, self.text = m.run(command, LIMIT)
        self.text = self.text.replace('\r', '')
        self.shown = re.findall(r'^guest: on the disk: (.*)$', self.text, re.M)
        self.key = re.findall(r'^guest: the key is (.*)$', self.text, re.M)
        why = re.findall(r'^tvg: (.*)$|twinvisor_guest: (not in .*)$', self.text, re.M)
        self.why = '; '.join(filter(None, (word for words in why for word in words)))


@contextmanager
def machine():
    """The server, with the tenant's disk and image, and a way to the tenant; the disk's key, the relay."""
    WHERE.mkdir(parents=True, exist_ok=True)
    key = secrets.token_hex(32)
    make_disk(key)
    make_share()
    with Machine(disks=[DISK], share=SHARE, log='attest', args=NET) as m, closing(Relay()) as relay:
        status, text = m.run(f'ip addr add {SERVER} dev eth0 && ip link set eth0 up')
        if status:
            raise Failed(f'the server has no network: {text}')
        yield m, key, relay
