# SPDX-License-Identifier: BSD-3-Clause
"""S-VMs that the host stops for a while, or disturbs all the time; and a host that wants to sleep."""
from guests import BOOT, Beating, console, qemu
from monitor import MONITOR, monitor
from tv import all_back, exits, heap_free, no_svm, rows

TIMES = 5
SIGNALS = 20000  # for each vCPU
ROUND = 120  # seconds


class Rounds:
    """An S-VM of two vCPUs that would notice a clock gone back or a wake-up lost."""

    def __init__(self, m, extra):
        self.job = m.start(console('tv run -- ' + qemu('smp', cpus=2, extra=extra)))
        self.more(1, BOOT)

    def more(self, n, limit=ROUND):
        for _ in range(n):
            self.job.expect(r'guest: smp round \d+\s', limit)
        return 'FAILED' not in self.job.text


def stands_still(t, m, other, name):
    """No exit of the first S-VM, while the second goes on. Beats of that one may have been waiting to be read."""
    before = after = exits(m)
    for _ in range(TIMES):
        other.beats_on()
        after = exits(m)
        if after[1] > before[1]:
            break
    t.ok(before[0] == after[0] and before[1] < after[1], name, f'exits before: {before}, after: {after}')


def paused(t, m):
    free = heap_free(m)
    vm, other = Rounds(m, MONITOR), Beating(m)
    for n in range(TIMES):
        t.equal(monitor(m, 'stop'), 'VM status: paused', f'pause {n}: the VMM says so')
        stands_still(t, m, other, f'pause {n}: nothing runs')
        t.equal(monitor(m, 'cont'), 'VM status: running', f'pause {n}: over')
        t.case(f'pause {n}: the guest goes on, its clock too', vm.more, 2)
    for job in (vm.job, other.job):
        m.stop(job)
    all_back(t, m, free, 'pauses')


def interrupted(t, m):
    """KVM_RUN by signals, without end; and the whole VMM by job control."""
    free = heap_free(m)
    vm = Rounds(m, ('-name', 'signals,debug-threads=on'))
    other = Beating(m)
    pid = next(r.pid for r in rows(m) if r.vcpus == '2')
    storm = m.start(f'/mnt/kick {pid} {SIGNALS}')
    t.case('signals: the guest gets on under a storm of them', vm.more, 1)
    t.equal(storm.wait(600), (0, '2\n'), 'signals: both vCPUs got all of theirs')
    t.case('signals: and goes on after it', vm.more, 2)
    m.run(f'kill -STOP {pid}')
    stands_still(t, m, other, 'SIGSTOP: nothing runs')
    m.run(f'kill -CONT {pid}')
    t.case('SIGCONT: the guest goes on', vm.more, 2)
    for job in (vm.job, other.job):
        m.stop(job)
    all_back(t, m, free, 'signals')


def suspend(t, m):
    """The host does not sleep while an S-visor needs what sleep may lose."""
    states = m.run('cat /sys/power/state')[1].split()
    t.ok('freeze' in states, 'suspend: this kernel could', states)
    vm = Beating(m)
    for state in states:
        status, text = m.run(f'bash -c "echo {state} >/sys/power/state"')
        t.ok(status != 0 and 'Device or resource busy' in text, f'suspend ({state}): is refused', text)
    t.ok('twinvisor: no suspend' in m.run('dmesg')[1], 'suspend: and the reason is told')
    t.case('suspend: the S-VM goes on', vm.beats_on)
    m.stop(vm.job)
    no_svm(m)
