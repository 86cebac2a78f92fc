# SPDX-License-Identifier: BSD-3-Clause
"""Stolen time: what an S-VM's kernel says that it lost to others, in ticks of 10 ms."""
import re
import time

from guests import BOOT, console, qemu
from tv import no_svm

GROWN = 100  # ticks: what one of two busy S-VMs on one CPU loses in two seconds
PATIENCE = 300  # seconds, of a busy machine


def start(m, test, cpu):
    return m.start(console(f'taskset -c {cpu} tv run -- {qemu(test)}'))


def stolen(job):
    return [int(n) for n in re.findall(r'guest: steal (\d+)\s', job.text)]


def wait_for(job, condition, timeout):
    """Till the ticks that it has told make the condition true."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if condition(stolen(job)):
            return True
        job.expect(r'guest: steal \d+\s', timeout)  # one line more
    return False


def steal(t, m):
    busy = [start(m, 'busy', 1) for _ in range(2)]
    idle = start(m, 'idle', 2)
    for n, job in enumerate(busy):
        job.expect(r'guest: steal \d+\s', 2 * BOOT)
        t.ok(wait_for(job, lambda s: s[-1] - s[0] >= GROWN, PATIENCE),
             f'stolen time: busy S-VM {n} of two on one CPU sees it grow', job.text[-500:])
    wait_for(idle, lambda s: len(s) >= 6, PATIENCE)
    lost = stolen(idle)[5] - stolen(idle)[0]
    t.ok(lost < GROWN, 'stolen time: an idle S-VM on a CPU of its own loses little in 5 s', str(lost))
    for job in (*busy, idle):
        m.stop(job)
    t.case('stolen time: no S-VM is left', no_svm, m)
