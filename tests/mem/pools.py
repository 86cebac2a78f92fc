# SPDX-License-Identifier: BSD-3-Clause
"""What tv mem shows, and S-VMs that use memory."""
import re
from collections import namedtuple

from pathlib import Path

from arm64 import program
from guests import BOOT

HERE = Path(__file__).resolve().parent
Pool = namedtuple('Pool', 'owners run legend')


def build(share):
    share.mkdir(parents=True, exist_ok=True)
    program(share / 'hog', HERE / 'hog.c', HERE / 'guest.S', HERE.parent / 'lib/kvm/tinyvm.c')


def free_kib(m):
    """What Linux says is free, its cache dropped: the pools' lent chunks among it."""
    m.run('sync; echo 3 >/proc/sys/vm/drop_caches')
    return int(m.run("grep MemFree /proc/meminfo | tr -cd '0-9'")[1])


def pools(m):
    """Of each pool: a sign a chunk, the length of the run, and of each letter the legend's count."""
    status, text = m.run('tv mem')
    assert status == 0, text
    legend = {letter: int(n) for letter, n in re.findall(r'^(\w): VMM \d+, (\d+) chunks', text, re.M)}
    found = []
    for head, body in re.findall(r'^pool \d+: (.*)\n((?: *\d+  \S+\n)+)', text, re.M):
        signs = ''.join(line.split()[1] for line in body.splitlines())
        run = int(re.search(r'secure: (\d+)', head)[1])
        assert signs.find('|') in (run, -1), text
        found.append(Pool(signs.replace('|', ''), run, legend))
    return found


class Hog:
    """An S-VM that uses so many MiB and checks them all the time."""

    def __init__(self, machine, mib):
        self.machine = machine
        self.job = machine.start(f'tv run -- /mnt/hog {mib}')
        self.job.expect('hog: round 1\n', BOOT)

    def goes_on(self):
        """True once it has come two whole rounds further."""
        last = int(re.findall(r'round (\d+)\n', self.job.text)[-1])
        self.job.expect(rf'hog: round {last + 2}\n', BOOT)
        return 'CHANGED' not in self.job.text

    def stop(self):
        self.machine.stop(self.job)
