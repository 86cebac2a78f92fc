# SPDX-License-Identifier: BSD-3-Clause
"""That tv stats tells of what is lost."""
import re
from pathlib import Path

from guests import Beating
from tv import lost, no_svm, nothing_lost

ABI = (Path(__file__).resolve().parents[2] / 'include/twinvisor/abi.h').read_text()


def smc(m, call, *args):
    """One SMC behind KVM's back: (x0, x1)."""
    number = 0xf2000000 | int(re.search(rf'#define {call} TV_SMC\((\w+)\)', ABI)[1], 16)
    words = ' '.join(f'{a:#x}' for a in (number, *args))
    status, text = m.run(f'/mnt/smc {words}')
    assert status == 0, text
    code, result = text.split()
    return int(code), int(result, 16)


def losses(t, m):
    """What counts as lost can be: an S-VM of which KVM knows nothing, and its chunk."""
    vm = Beating(m)
    t.case('lost: nothing while an S-VM runs', nothing_lost, m)
    m.stop(vm.job)
    no_svm(m)
    m.run('mount -t debugfs none /sys/kernel/debug; insmod /mnt/tvattack.ko')
    chunk = int(m.run('cat /sys/kernel/debug/cma/twinvisor/base_pfn')[1]) << 12
    root = chunk - (64 << 20)  # any ordinary memory: it is only ever read
    code, handle = smc(m, 'TV_VM_CREATE', root, 39, 1)
    t.equal((code, lost(m)), (0, (1, 0, 0)), 'lost: an S-VM that KVM knows nothing of is')
    t.equal((smc(m, 'TV_CHUNK_TAKE', handle, chunk)[0], lost(m)), (0, (1, 1, 0)),
            'lost: and so is its chunk')
    while smc(m, 'TV_VM_DESTROY', handle)[0] == 1:
        pass
    t.case('lost: nothing after its end', nothing_lost, m)
    m.run('rmmod tvattack')
