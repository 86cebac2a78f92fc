# SPDX-License-Identifier: BSD-3-Clause
"""Debug and PMU: the same programs pass in an N-VM and in an S-VM, on two vCPUs that the host moves
about; and the host's counters see nothing of what an S-VM does. Without Secure EL2, N-VMs have no PMU."""
import re

from guests import BOOT, nvm, svm
from machine import MODE, Machine

SECONDS = 3
# Each taskset takes its time, so the vCPUs run for a while in between.
HOP = ('while :; do for cpus in 0,1 1,2 2,3 3,0; do '
       'for vmm in $(pgrep qemu-system); do taskset -acp $cpus $vmm; done; done; done >/dev/null')
ONE_CPU = 'taskset -c 1 '  # of the server's, for the VMM and all its threads


def moved(t, m, test, name, command):
    hop = m.start(HOP)
    status, text = m.run(command(test, cpus=2), timeout=2 * BOOT)
    m.stop(hop)
    t.ok(status == 0 and f'guest: {test} passed' in text, f'{name} of 2 vCPUs: {test}', text[-2000:])


def debug_and_counts(t, m):
    for test in 'debug', 'counts':
        if test != 'counts' or not MODE:
            moved(t, m, test, 'N-VM', nvm)
        moved(t, m, test, 'S-VM', svm)


def seen_by_host(m, command):
    """Of a vCPU that never rests: (cycles, instructions, nanoseconds) of its CPU as the host counts
    them, and in how many tries it counts the instructions of a loop right itself: [tries, all]."""
    job = m.start(command('count').replace('qemu-system', ONE_CPU + 'qemu-system'))
    job.expect('guest: counts passed', 2 * BOOT)
    status, text = m.run(f'taskset -c 2 /mnt/counted 1 {SECONDS}', timeout=300)
    assert status == 0, text
    guest = re.search(r'instructions exact in (\d+) of (\d+) tries', job.text)
    m.stop(job)
    return [int(n) for n in re.findall(r'\d+', text)], guest and [int(n) for n in guest.groups()]


def host_counters(t, m):
    if not MODE:
        (cycles, _, ns), _ = seen_by_host(m, nvm)
        t.ok(cycles > ns / 2, 'host counters: an N-VM is counted', f'{cycles} cycles in {ns} ns')
    (cycles, _, ns), _ = seen_by_host(m, svm)
    t.ok(cycles < ns / 2, 'host counters: an S-VM is not', f'{cycles} cycles in {ns} ns')


class Counting(Machine):
    """Only with icount has the machine a counter of instructions."""

    def command(self):
        line = [word.replace('thread=multi', 'thread=single') for word in super().command()]
        return line + ['-icount', 'shift=0']


def instructions(t, share):
    with Counting(share=share, log='counters') as m:
        (_, n_host, n_ns), n_own = seen_by_host(m, nvm)
        (_, s_host, s_ns), s_own = seen_by_host(m, svm)
    # Without any VM some three quarters of the tries are exact.
    t.ok(n_own and s_own and s_own[0] > s_own[1] / 2, 'instructions: an S-VM counts those of a loop exactly',
         f'of an N-VM {n_own}, of an S-VM {s_own}')
    t.ok(n_host > n_ns / 10 and s_host < n_host / 4, 'instructions: the host counts those of an N-VM alone',
         f'{n_host} in {n_ns} ns, {s_host} in {s_ns} ns')
