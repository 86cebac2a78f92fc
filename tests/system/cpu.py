# SPDX-License-Identifier: BSD-3-Clause
"""What an S-VM finds of the CPU, beside what an N-VM on the same host does."""
import re

from guests import BOOT, console, qemu

# Of the server's CPU the S-visor hides nothing that KVM shows, nor the reverse: docs/registers.md.
ONLY_NVM = ONLY_SVM = set()


def features(text):
    found = re.search(r'^Features\s*: (.*)', text, re.M)
    return set(found[1].split()) if found else set()


def same_features(t, n_text, s_text):
    """Of two guests' /proc/cpuinfo."""
    n, s = features(n_text), features(s_text)
    t.ok('fp' in n and 'fp' in s, 'features: both guests tell theirs')
    t.equal((n - s, s - n), (ONLY_NVM, ONLY_SVM), "features: an S-VM's are an N-VM's")


def chosen(t, m):
    """The VMM's choice of SVE, if the CPU has it, and PMU is what the guest has, and what is measured."""
    sve = 'sve' in features(m.run('cat /proc/cpuinfo')[1])
    choices = (('host,sve=off', False), ('host,pmu=off', True)) if sve else (('host,pmu=off', False),)
    seen = {m.run('tv measure -- ' + qemu('check'))[1].strip()}
    for cpu, has_sve in choices:
        line = qemu('check').replace('-cpu host', f'-cpu {cpu}')
        offline = m.run('tv measure -- ' + line)[1].strip()
        job = m.start(console('tv run -- ' + line))
        job.expect('guest: up', BOOT)
        t.ok(offline in m.run('tv list')[1], f'-cpu {cpu}: tv measure and the S-visor agree', offline)
        status, text = job.wait(BOOT)
        t.ok(status == 0 and 'guest: checks passed' in text, f'-cpu {cpu}: runs well', text[-2000:])
        t.equal('sve' in features(text), has_sve, f'-cpu {cpu}: SVE or none')
        seen.add(offline)
    t.equal(len(seen), 1 + len(choices), 'each choice has its own measurement')
