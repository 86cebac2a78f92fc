# SPDX-License-Identifier: BSD-3-Clause
"""What tv says on a booted server, and that nothing is left of S-VMs that are gone."""
import re
import time
from collections import namedtuple

from guests import BOOT

Row = namedtuple('Row', 'pid vcpus state mib chunks measurement')
ROW = re.compile(r'^ *\d+ +(\d+) +(\d+) +(\w+) +(\d+) MiB +(\d+) +([0-9a-f]{64})$', re.M)


def rows(m):
    """tv list: a Row of strings for each S-VM."""
    status, text = m.run('tv list')
    assert status == 0, text
    return [Row(*found) for found in ROW.findall(text)]


def until(m, condition, what, limit=BOOT):
    """The first true thing that condition(m) gives."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        found = condition(m)
        if found:
            return found
    raise AssertionError(f'still not: {what}')


def running(m):
    """The one S-VM, when it runs: not while it is being launched anew."""
    return until(m, lambda m: [r for r in rows(m) if r.state == 'running'], 'an S-VM runs')[0]


def audit(m):
    status, text = m.run('tv audit')
    assert status == 0 and 'violations 0' in text, text
    return text


def no_svm(m):
    """Waits till no S-VM is left: each goes some time after its VMM, when KVM has no user of it."""
    until(m, lambda m: 'S-VMs 0,' in audit(m), 'no S-VM is left')


def heap_free(m):
    """Free pages of the S-visor, when no S-VM is left and no chunk is secure."""
    no_svm(m)
    m.run('tv reclaim 1024')
    return int(re.search(r'free pages of the S-visor (\d+)', audit(m))[1])


def stats(m):
    status, text = m.run('tv stats')
    assert status == 0, text
    return text


def chunks_secure(m):
    return int(re.search(r'(\d+) secure', stats(m))[1])


def lost(m):
    """(VMIDs, chunks, pages) that only one of S-visor and KVM knows of."""
    return tuple(int(n) for n in re.search(r'lost: (\d+) VMIDs, (\d+) chunks, (\d+) pages', stats(m)).groups())


def nothing_lost(m):
    return lost(m) == (0, 0, 0)


def all_back(t, m, free, name):
    """No S-VM is left, nothing is lost, and the S-visor has as much memory free as before."""
    t.equal(heap_free(m), free, f'{name}: the S-visor has all its memory back')
    t.equal(chunks_secure(m), 0, f'{name}: Linux has all chunks back')
    t.equal(lost(m), (0, 0, 0), f'{name}: nothing is lost')


def counts(text):
    """Of what tv stats has said: for each S-VM, its numbers by the names of their columns."""
    lines = iter(text.splitlines())
    names = next((line.split() for line in lines if line.startswith('S-VM ')), ())
    rows = (line.split() for line in lines if re.fullmatch(r'[ \d]+', line))
    return [dict(zip(names, map(int, row))) for row in rows if len(row) == len(names)]


def exits_in(text):
    """Of what tv stats has said: the exits of each S-VM, all together; REFUSED is the first that is none."""
    return [sum(list(row.values())[1:list(row).index('REFUSED')]) for row in counts(text)]


def exits(m):
    return exits_in(stats(m))
