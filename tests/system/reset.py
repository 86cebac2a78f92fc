# SPDX-License-Identifier: BSD-3-Clause
"""Memory outlives a reset: what host root finds in it after the next boot."""
import re

from guests import BOOT, Beating, nvm, svm
from machine import Machine

PSCI_SYSTEM_RESET = 0x84000009
NVM_SEED = '5eed0f0d'  # of the N-VM whose secret shows that memory is kept


def hunt(t, m, name):
    """The S-VMs' secret is nowhere; the N-VM's says that this could have been otherwise."""
    status, text = m.run('tv-hunt', timeout=300)
    t.ok(status == 0, f'{name}: no secret of an S-VM is in memory', text)
    t.ok(', 0 refused by hardware' in text, f'{name}: all memory could be read', text)
    text = m.run(f'tv-hunt --seed {NVM_SEED}', timeout=300)[1]
    t.ok('found in 0 pages' not in text, f'{name}: memory is kept: the secret of an N-VM is there', text)


def wiped(m):
    """Chunks wiped each time that the machine went down."""
    return [int(n) for n in re.findall(r'going down: (\d+) chunks wiped', m.svisor_log())]


def by_linux(t, m):
    ordinary = m.start(nvm('hold', seed=NVM_SEED))
    m.start(svm('hold')).expect('guest: secret planted', BOOT)
    ordinary.expect('guest: secret planted', BOOT)
    m.reset('echo b >/proc/sysrq-trigger')
    hunt(t, m, 'reset')
    t.ok(len(wiped(m)) == 1 and wiped(m)[0] > 0, 'reset: the S-visor has wiped chunks', m.svisor_log())


def while_running(t, m):
    """Linux stops all other CPUs before a reset; an attacker does not."""
    m.run('insmod /mnt/tvattack.ko')
    t.equal(m.run('/mnt/smc 0xf2000042')[1].split()[0], '-1', 'reset: the normal world cannot ask for the wipe')
    first, second = Beating(m), Beating(m)
    t.case('reset: S-VMs run', first.beats_on)
    m.reset(f'/mnt/smc {PSCI_SYSTEM_RESET:#x}')
    t.equal(second.job.status, None, 'reset: S-VMs ran until then')
    status, text = m.run('tv-hunt', timeout=300)
    t.ok(status == 0, 'reset while S-VMs run: their secret is not in memory', text)
    t.ok(len(wiped(m)) == 2 and wiped(m)[1] > wiped(m)[0], 'reset while S-VMs run: chunks were wiped',
         m.svisor_log())


def power_off(t, m):
    Beating(m)
    m.start('busybox poweroff -f')
    m.wait_off()
    t.ok(len(wiped(m)) == 3 and wiped(m)[2] > 0, 'power off: chunks were wiped', m.svisor_log())


def resets(t, share):
    with Machine(share=share, log='reset', resets=True) as m:
        m.expect_panic = True  # TF-A's own, on the secure UART, if QEMU is slow to pull the plug
        for part in (by_linux, while_running, power_off):
            t.case(part.__name__, part, t, m)
        t.ok('S-visor: PANIC' not in m.svisor_log(), 'reset: the S-visor had no trouble', m.svisor_log())
