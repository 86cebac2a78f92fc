# SPDX-License-Identifier: BSD-3-Clause
"""Reboots: each is a launch of its own, with a measurement of its own."""
from guests import BOOT, console, qemu
from monitor import MONITOR, monitor
from tv import all_back, counts, heap_free, running, stats


def launches(m):
    """Of the one S-VM, by tv stats."""
    return counts(stats(m))[0]['LAUNCHES']


def boots(t, m, name, command, again, reboots=1, **how):
    """That many times after the first boot, by what `again` does, then killed."""
    free = heap_free(m)
    job = m.start(console('tv run -- ' + qemu(command, reboot=True, extra=MONITOR, **how)))
    offline = m.run('tv measure -- ' + qemu(command, **how))[1].strip()
    for n in range(reboots + 1):
        job.expect('guest: secret planted', 2 * BOOT)
        t.equal(running(m).measurement, offline, f'{name}: boot {n}: the measurement is that of tv measure')
        if n < reboots:
            again(m)
    t.ok(launches(m) >= reboots + 1, f'{name}: each reboot is a launch')
    m.stop(job)
    all_back(t, m, free, name)


def nothing(_m):
    pass


def reset(m):
    monitor(m, 'system_reset')


def reboots(t, m):
    boots(t, m, 'reboot', 'reboot', nothing, reboots=2)
    boots(t, m, 'reboot with 4 vCPUs', 'reboot', nothing, cpus=4)
    boots(t, m, 'system_reset', 'hold', reset, cpus=2)
    boots(t, m, 'panic=1', 'panic', nothing, more='panic=1', cpus=2)
