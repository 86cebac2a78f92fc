# SPDX-License-Identifier: BSD-3-Clause
"""A full Debian as a VM of the server that counts, with disks and a network card: commands in it and their costs."""
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

from arm64 import program
from counted import WHO, difference
from guests import qemu
from tv import exits_in

HERE = Path(__file__).resolve().parent
LIMIT = 900  # seconds, of anything
SERVER, GUEST = '10.1.0.1', '10.1.0.2'
# The measured disk is a file in the server's RAM, so that no disk is measured but what is between it and the guest.
# cache=none, as on servers; since Linux 6.6 tmpfs takes it.
SCRATCH = '/tmp/scratch'
DEVICES = ['-drive', 'if=none,id=r0,format=raw,file=/dev/vda,snapshot=on,cache=unsafe',
           '-device', 'virtio-blk-pci,drive=r0',
           '-drive', f'if=none,id=d0,format=raw,file={SCRATCH},cache=none,aio=threads',
           '-device', 'virtio-blk-pci,drive=d0',
           '-drive', 'if=none,id=b0,format=raw,file=/tmp/bench.img,readonly=on',
           '-device', 'virtio-blk-pci,drive=b0',
           '-netdev', 'tap,id=n0,ifname=tap0,script=no,downscript=no,vhost=on',
           '-device', 'virtio-net-pci,netdev=n0,romfile=']
SETUP = f'''set -e
head -c {{scratch}}M /dev/zero >{SCRATCH}
cp /mnt/bench.img /tmp/
ip tuntap add tap0 mode tap
ip addr add {SERVER}/24 dev tap0
ip link set tap0 up
mkdir -p /run/disk
mount -o ro {{root}} /run/disk
for where in proc dev; do mount --rbind /$where /run/disk/$where; done
mkfifo /run/console
'''
IN_DISK = 'chroot /run/disk '  # a program of the guest's, on the server

# n is what the command is told, few and many; a `unit` is n * each, or what the guest says; `who` counts.
Workload = namedtuple('Workload', 'name unit where command few many each who', defaults=(1, WHO))


def share(where, tree, *links, mib=4):
    """What the server finds in /mnt: `mark`, links, and bench.img, a disk with `tree` for the guest."""
    program(tree / 'mark', HERE / 'mark.c')
    subprocess.run(['mke2fs', '-q', '-t', 'ext4', '-O', '^has_journal', '-d', tree, where / 'bench.img', f'{mib}M'],
                   check=True)
    shutil.move(tree / 'mark', where / 'mark')
    for path in links:
        (where / path.name).hardlink_to(path)


def on_server(machine, command):
    status, text = machine.run(command, LIMIT)
    if status:
        sys.exit(f'{command}: status {status}\n{text}')
    return text


class Vm:
    """One on the server, with a shell of its own on its console. `boot` is what it cost till its first program ran,
    if that program marks it."""

    def __init__(self, machine, secure, counted, more, cpus=1):
        self.machine, self.secure, self.counted = machine, secure, counted
        self.command = ('tv run -- ' if secure else '') + qemu(
            'disk', initrd='/mnt/disk.initrd', extra=DEVICES, more=more, cpus=cpus)

    def __enter__(self):
        self.job = self.machine.start(f'/mnt/mark 1; exec 3<>/run/console; {self.command} <&3 2>&1 | cat')
        self.job.expect(r'^# ', LIMIT)
        self.boot = self.between()
        self.send('mount -o ro /dev/vdc /mnt && exec sh /mnt/guest')
        self.job.expect(r'^bench: ready', LIMIT)
        return self

    def __exit__(self, kind, _value, _trace):
        if kind is None:
            self.send('exit')
            self.job.wait(LIMIT)

    def server(self, command):
        return on_server(self.machine, command)

    def send(self, line):
        self.server(f"cat >/run/console <<'END'\n{line}\nEND")

    def guest(self, command):
        """Gives the units that it did, if it says so."""
        self.send(command)
        found = self.job.expect(r'^bench: done (\d+) *(\d*)\r?\n', LIMIT)
        if found[1] != '0':
            sys.exit(f'{command}: status {found[1]} in the guest\n{self.job.text[-3000:]}')
        return int(found[2] or 0)

    def exits(self):
        """Of the guest, all; KVM has not all those of an S-VM."""
        if not self.secure:
            return int(self.server('cat /sys/kernel/debug/kvm/*-*/exits'))
        return sum(exits_in(self.server('tv stats')))

    def between(self):
        """By who, and by function, from the mark 1 to the mark 2 that were the last."""
        marks = self.counted.marks()
        if [label for label, _ in marks[-2:]] != [1, 2]:
            return None
        return difference(marks[-1][1], marks[-2][1], 1), self.counted.functions(len(marks) - 1)

    def once(self, workload, n):
        """What n operations cost, with all around them, by who, by function; exits count as one more who."""
        before, units = self.exits(), 0
        command = f'/mnt/mark 1; {workload.command.format(n=n)} >/tmp/out 2>&1 && /mnt/mark 2 || (tail /tmp/out; false)'
        if workload.where == 'guest':
            units = self.guest(command)
        else:
            self.server(command)
        exits = self.exits() - before
        cost, by = self.between()
        cost['exits'] = exits
        return units or n * workload.each, cost, by

    def cost(self, workload):
        """Of one unit."""
        few_units, few, few_by = self.once(workload, workload.few)
        many_units, many, many_by = self.once(workload, workload.many)
        units = many_units - few_units
        cost = difference(many, few, units)
        cost['instructions'] = sum(cost[who] for who in workload.who)
        return cost, difference(many_by, few_by, units)
