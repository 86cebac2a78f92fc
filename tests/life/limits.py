# SPDX-License-Identifier: BSD-3-Clause
"""As many S-VMs as there can be, more in sequence than there are VMIDs, and what is said at the limits."""
import re
from pathlib import Path

from guests import BOOT
from tv import all_back, heap_free, rows, until

ABI = (Path(__file__).resolve().parents[2] / 'include/twinvisor/abi.h').read_text()
PROCESSES, TURNS = 4, 75  # more than 256 in all
CROWD, ORDINARY, ROUNDS = 16, 4, 500


def abi(name):
    return int(re.search(rf'#define {name} (\d+)', ABI)[1])


def limits(t, m):
    free = heap_free(m)
    most = abi('TV_MAX_VMS')
    status, text = m.run('tv run -- /mnt/churn limit', timeout=600)
    t.ok(status == 0 and f'{most} run, one more: ENOMEM\n' in text, 'limits: S-VMs at once', text)
    t.ok('tv: the launch failed: TV_VM_CREATE of the S-visor gave -6' in text, 'limits: tv says which call failed', text)
    t.ok(re.search(r'twinvisor: VMM \d+: launch failed: -12', m.run('dmesg')[1]), 'limits: the log says so too')
    most = abi('TV_MAX_VCPUS')
    t.equal(m.run(f'tv run -- /mnt/churn vcpus {most}')[1], 'none\n', 'limits: vCPUs of one')
    text = m.run(f'tv run -- /mnt/churn vcpus {most + 1}')[1]
    t.ok('E2BIG\n' in text, 'limits: one vCPU more', text)
    all_back(t, m, free, 'limits')


def churn(t, m):
    """A page that was never written must read as zero, whatever a VM of the same VMID had there."""
    free = heap_free(m)
    status, text = m.run(f'tv run -- /mnt/churn turns {PROCESSES} {TURNS}', timeout=1200)
    n = PROCESSES * TURNS
    t.equal((status, text), (0, f'{n} of {n} ran well\n'), f'churn: {PROCESSES} VMMs at a time')
    all_back(t, m, free, 'churn')


def crowd(t, m):
    """S-VMs and N-VMs, made at once, run at once, gone at once."""
    free = heap_free(m)
    s_vms = m.start(f'tv run -- /mnt/churn crowd {CROWD} {ROUNDS}')
    n_vms = m.start(f'/mnt/churn crowd {ORDINARY} {ROUNDS}')
    until(m, lambda m: [r.state for r in rows(m)] == CROWD * ['running'], f'{CROWD} S-VMs run', 2 * BOOT)
    for name, n, job in ('S-VMs', CROWD, s_vms), ('N-VMs', ORDINARY, n_vms):
        t.equal(job.wait(5 * BOOT), (0, f'{n} of {n} ran well\n'), f'crowd: {n} {name} at once, beside the others')
    all_back(t, m, free, 'crowd')
