# SPDX-License-Identifier: BSD-3-Clause
"""The emulated server, booted from what the build made, and commands run in it.

    with Machine() as m:
        status, text = m.run('uname -r')
        job = m.start('cat')            # has its own channel; as many at a time as the machine has
        job.send('hello\\n')
        job.expect('hel+o', timeout=5)
        status, text = job.wait(timeout=5)
"""
import base64
import os
import re
import secrets
import selectors
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

BUILD = Path(os.environ['TV_BUILD'])
# MODE=havmsi: cores without Secure EL2, of which TV_CPU may name others. (the core, its firmware, what is in that)
MODE = os.environ.get('MODE') or None
CORES = {None: ('neoverse-n2', 'tfa', 'svisor'),
         'havmsi': (os.environ.get('TV_CPU') or 'cortex-a57', 'tfa-havmsi', 'svisor-havmsi')}
CPU, FIRMWARE, SVISOR = CORES[MODE]
SVISOR = BUILD / SVISOR / 'svisor.bin'
CPUS, MEMORY, POOL, CHANNELS = 4, '3G', '1G', 4  # unless a Machine is given others
BOOT_TIMEOUT = 300  # seconds; an idle machine needs a few
KERNEL_AT = 0x40200000  # KERNEL of dispatcher/build.sh
TROUBLE = re.compile(r'.*(?:Oops|BUG|WARNING|Call trace|Kernel panic).*')
# The OOM killer's report, with its call trace, is no trouble if a test has asked for it.
OOM_REPORT = re.compile(r'^.* invoked oom-killer: .*?out of memory: Killed process .*?$', re.M | re.S | re.I)
SVISOR_TROUBLE = re.compile(r'.*PANIC.*')
LAST_LINES = 15
END_LENGTH = 40  # of the line that ends a command's output, at most


class MachineError(Exception):
    """The machine, or what runs in it, did not do what was waited for."""


def tail(path, lines=LAST_LINES):
    text = path.read_text(errors='replace') if path.exists() else ''
    return ''.join(f'    {line}\n' for line in text.splitlines()[-lines:])


class Channel:
    """One port of the server; all that it ever said is kept."""

    def __init__(self, machine, path):
        self.machine = machine
        self.sock = socket.socket(socket.AF_UNIX)
        connect(self.sock, path, machine)
        self.sock.setblocking(False)
        self.data = bytearray()
        self.busy = False

    def receive(self, deadline, what):
        """Waits for more data, or fails when time is up or the machine is gone; what() says more."""
        with selectors.DefaultSelector() as sel:
            sel.register(self.sock, selectors.EVENT_READ)
            ready = sel.select(max(0, deadline - time.monotonic()))
        if not ready:
            raise MachineError(f'timeout: {what()}\n{self.machine.tails()}')
        got = self.sock.recv(65536)
        if not got:
            raise MachineError(f'the machine went down: {what()}\n{self.machine.tails()}')
        self.data += got
        return got


def connect(sock, path, machine):
    """QEMU makes its sockets just after it starts."""
    deadline = time.monotonic() + BOOT_TIMEOUT
    while True:
        try:
            return sock.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            if machine.qemu.poll() is not None or time.monotonic() > deadline:
                raise MachineError(f'QEMU did not start:\n{machine.tails()}') from None
            time.sleep(0.01)  # polls for the socket; there is nothing to wait on


class Job:
    """A command that runs in the server."""

    def __init__(self, channel, command):
        self.channel = channel
        self.token = secrets.token_hex(16)  # no output has it by chance
        self.end = re.compile(rb'\n%s (\d+)\n' % self.token.encode())
        self.status = None
        self.seen = self.searched = 0  # how far expect() and poll() have come
        channel.busy = True
        channel.data.clear()
        code = base64.b64encode(command.encode()).decode()
        self.send(f'{self.token} {code}\n')

    def send(self, text):
        self.channel.sock.setblocking(True)
        self.channel.sock.sendall(text.encode())
        self.channel.sock.setblocking(False)

    def poll(self):
        """The exit status, if the end has been read."""
        if self.status is not None:
            return self.status
        found = self.end.search(self.channel.data, self.searched)
        self.searched = max(0, len(self.channel.data) - END_LENGTH)
        if found:
            self.status = int(found[1])
            del self.channel.data[found.start():]
            self.channel.busy = False
            self.output = bytes(self.channel.data)
        return self.status

    @property
    def text(self):
        data = self.channel.data if self.status is None else self.output
        return bytes(data).decode(errors='replace')

    def expect(self, pattern, timeout=60):
        """Waits until the output since the last expect() holds the pattern; gives the match."""
        deadline = time.monotonic() + timeout
        while True:
            found = re.compile(pattern, re.M).search(self.text, self.seen)
            if found:
                self.seen = found.end()
                return found
            if self.poll() is not None:
                raise MachineError(f'command ended with {self.status} before {pattern!r}:\n{self.text}')
            self.channel.receive(deadline, lambda: f'no {pattern!r} in the output:\n{self.text[-2000:]}')

    def wait(self, timeout=60, sink=None):
        """Waits for the end; gives status and output. Output also goes to sink as it comes."""
        deadline = time.monotonic() + timeout
        given = 0
        while self.poll() is None:
            self.channel.receive(deadline, lambda: f'the command still runs after {timeout} s:\n'
                                                   f'{self.text[-2000:]}')
            if sink and self.poll() is None:
                upto = max(given, len(self.channel.data) - END_LENGTH)
                sink(bytes(self.channel.data[given:upto]))
                given = upto
        if sink:
            sink(self.output[given:])
        return self.status, self.text


class Machine:
    """Boots at entry of a with block; at its end turns off and looks for trouble in both logs."""

    def __init__(self, append='', disks=(), share=None, log='host', args=(), terminal=None,
                 resets=False, kernel='linux', threads='multi', memory=MEMORY, pool=POOL,
                 channels=CHANNELS, cpus=CPUS, firmware=FIRMWARE):
        self.expect_oops = self.expect_panic = False
        self.memory, self.pool, self.cpus = memory, pool, cpus
        self.ports = range(1, channels + 1)
        self.append, self.disks, self.share, self.args = append, disks, share, args
        self.firmware = BUILD / firmware / 'flash.bin'
        self.image = BUILD / kernel / 'arch/arm64/boot/Image'
        self.threads = threads  # 'single': the CPUs take turns, and share one clock
        self.resets = resets  # comes up again after a reset, rather than ending
        self.terminal = terminal  # path of a socket for the user's terminal, or None
        self.host_path = BUILD / f'log/{log}.log'
        name = 'svisor' if log == 'host' else f'{log}-svisor'
        self.svisor_path = BUILD / f'log/{name}.log'
        self.qemu_path = BUILD / f'log/{log}-qemu.log'
        self.dir = Path(tempfile.mkdtemp(prefix='tv'))
        self.channels = []
        self.qemu = None

    def share_disk(self):
        image = self.dir / 'share'
        size = sum(p.stat().st_size for p in Path(self.share).rglob('*') if p.is_file())
        subprocess.run(['mke2fs', '-q', '-t', 'ext4', '-O', '^has_journal', '-d', self.share, image,
                        f'{size // 2**20 * 5 // 4 + 8}M'], check=True)
        return image

    def drives(self):
        """Our disks on PCI; a test's raw disks on virtio-mmio."""
        yield BUILD / 'host.ext4', 'virtio-blk-pci,serial=host'
        if self.share:
            yield self.share_disk(), 'virtio-blk-pci,serial=share'
        for disk in self.disks:
            yield disk, 'virtio-blk-device'

    def command(self):
        root = 'vd' + chr(ord('a') + len(self.disks))  # Linux finds virtio-mmio before PCI
        line = [os.environ.get('TV_QEMU') or BUILD / 'qemu/qemu-system-aarch64',
                '-M', 'virt,secure=on,virtualization=on,gic-version=3,tzc=on',
                '-cpu', CPU, '-smp', self.cpus, '-m', self.memory,
                '-accel', f'tcg,thread={self.threads}', '-display', 'none', '-nodefaults',
                '-action', f'reboot={"reset" if self.resets else "shutdown"}',
                '-bios', self.firmware,
                '-device', f'loader,file={self.image},addr={KERNEL_AT:#x},force-raw=on',
                '-append', f'console=ttyAMA0 root=/dev/{root} rw init=/init panic=-1 '
                           f'tvpool={self.pool} channels={len(self.ports)} {self.append}',
                '-kernel', self.image,
                '-serial', f'file:{self.host_path}', '-serial', f'file:{self.svisor_path}',
                '-device', 'virtio-serial-pci,max_ports=16']
        for n, (path, device) in enumerate(self.drives()):
            line += ['-drive', f'if=none,id=d{n},format=raw,snapshot=on,file={path}',
                     '-device', f'{device},drive=d{n}']
        user = f'socket,id=c0,path={self.terminal},server=on,wait=off' if self.terminal else 'null,id=c0'
        line += ['-chardev', user, '-device', 'virtconsole,chardev=c0,nr=0']
        for n in self.ports:
            line += ['-chardev', f'socket,id=c{n},path={self.dir}/c{n},server=on,wait=on',
                     '-device', f'virtserialport,chardev=c{n},nr={n}']
        return [str(word) for word in (*line, *self.args)]

    def __enter__(self):
        self.host_path.parent.mkdir(parents=True, exist_ok=True)
        for log in (self.host_path, self.svisor_path):
            log.write_bytes(b'')
        with self.qemu_path.open('w') as log:
            self.qemu = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log,
                                         stderr=subprocess.STDOUT)
        try:
            self.channels = [Channel(self, self.dir / f'c{n}') for n in self.ports]
            self.wait_ready()
        except BaseException:
            self.off()
            raise
        return self

    def __exit__(self, kind, _value, _trace):
        self.off()
        if kind is None:
            self.check_logs()

    def wait_ready(self):
        deadline = time.monotonic() + BOOT_TIMEOUT
        for channel in self.channels:
            while b'ready' not in channel.data:
                channel.receive(deadline, lambda: 'the server did not come up')

    def off(self):
        if self.qemu:
            self.qemu.kill()
            self.qemu.wait()
        for channel in self.channels:
            channel.sock.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def wait_off(self, timeout=60):
        """Waits until the machine turns itself off."""
        try:
            self.qemu.wait(timeout)
        except subprocess.TimeoutExpired:
            raise MachineError(f'still on after {timeout} s\n{self.tails()}') from None

    def start(self, command):
        for channel in self.channels:
            if not channel.busy:
                return Job(channel, command)
        raise MachineError(f'all {len(self.ports)} channels are busy')

    def run(self, command, timeout=60, sink=None):
        return self.start(command).wait(timeout, sink)

    def reset(self, command):
        """Runs a command that resets the machine; waits until it is up again. Jobs are lost."""
        assert self.resets
        self.start(command)
        for channel in self.channels:
            channel.data.clear()
            channel.busy = False
        self.wait_ready()

    def stop(self, job, signal='KILL', timeout=60):
        """Ends a job and all it started."""
        port = self.channels.index(job.channel) + 1
        self.run(f'kill -{signal} -- -$(cat /run/job.{port}.pid)')
        return job.wait(timeout)

    def host_log(self):
        return self.host_path.read_text(errors='replace')

    def svisor_log(self):
        return self.svisor_path.read_text(errors='replace')

    def tails(self):
        return ''.join(f'  end of {p}:\n{tail(p)}' for p in
                       (self.qemu_path, self.host_path, self.svisor_path) if p.exists())

    def check_logs(self):
        trouble = [] if self.expect_oops else TROUBLE.findall(OOM_REPORT.sub('', self.host_log()))
        if not self.expect_panic:
            trouble += SVISOR_TROUBLE.findall(self.svisor_log())
        if trouble:
            raise AssertionError('trouble in the logs: ' + '; '.join(trouble[:5]))
