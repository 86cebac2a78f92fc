# SPDX-License-Identifier: BSD-3-Clause
"""VMMs that die: by SIGKILL at any moment, by the OOM killer."""
from guests import BOOT, Beating, console, qemu
from tv import all_back, heap_free, rows, until

DELAYS = [n / 5 for n in range(1, 26)]  # seconds: from before the VM is made to a booting kernel
GROUP = '/sys/fs/cgroup/vmm'


def started(m, _job):
    until(m, lambda m: m.run('pgrep qemu-system')[0] == 0, 'QEMU runs')


def in_state(state):
    def reached(m, _job):
        until(m, lambda m: state in [r.state for r in rows(m)], state)
    return reached


def says(text):
    def said(_m, job):
        job.expect(text, BOOT)
    return said


MOMENTS = {
    'as it starts': started,
    'during the launch': in_state('launching'),
    'at the first instruction': in_state('running'),
    'in user space': says('guest: secret planted'),
    'after a panic': says('Kernel panic'),
}


def killed(t, m):
    free = heap_free(m)
    for name, reach in MOMENTS.items():
        job = m.start(console('tv run -- ' + qemu('panic', cpus=2, reboot=True)))
        reach(m, job)
        t.equal(m.stop(job)[0], 137, f'killed {name}')
        all_back(t, m, free, f'killed {name}')


def one_after_the_other(delays):
    command = qemu('beat', cpus=2)
    return ' '.join(f'timeout -s KILL {d} tv run -- {command} </dev/null >/dev/null 2>&1;' for d in delays)


def killed_anywhen(t, m):
    free = heap_free(m)
    other = Beating(m)
    jobs = [m.start(one_after_the_other(DELAYS[n::2])) for n in range(2)]
    for job in jobs:
        job.wait(10 * BOOT)
    t.case(f'killed at {len(DELAYS)} moments: another S-VM goes on', other.beats_on)
    m.stop(other.job)
    all_back(t, m, free, f'killed at {len(DELAYS)} moments')


def beating(m, before):
    """An S-VM that beats; `before` is done by what becomes its VMM, and nobody else."""
    job = m.start(console(f'({before} exec tv run -- {qemu("beat")})'))
    job.expect(r'guest: beat \d+\s', BOOT)
    return job


def by_cgroup(t, m, other):
    m.run('mount -t cgroup2 none /sys/fs/cgroup; echo +memory >/sys/fs/cgroup/cgroup.subtree_control')
    m.run(f'mkdir {GROUP}')
    job = beating(m, f'echo $BASHPID >{GROUP}/cgroup.procs;')
    m.run(f'echo 4M >{GROUP}/memory.max', timeout=BOOT)
    t.equal(job.wait(BOOT)[0], 137, 'out of memory (cgroup): the VMM is killed')
    t.ok('oom_kill 0' not in m.run(f'grep "oom_kill " {GROUP}/memory.events')[1],
         'out of memory (cgroup): by the OOM killer')
    t.case('out of memory (cgroup): another S-VM goes on', other.beats_on)


def by_host(t, m, other):
    """Something eats all memory, also what the pool lends; the VMM is the OOM killer's first choice."""
    job = beating(m, 'echo 1000 >/proc/self/oom_score_adj;')
    status, _ = m.run('set -o pipefail; head -c 16G /dev/zero | tail', timeout=10 * BOOT)
    t.equal(status, 137, 'out of memory: what eats it is killed in the end')
    t.equal(job.wait(BOOT)[0], 137, 'out of memory: the VMM is killed before')
    t.case('out of memory: another S-VM goes on', other.beats_on, BOOT)


def out_of_memory(t, m):
    free = heap_free(m)
    other = Beating(m)
    by_cgroup(t, m, other)
    by_host(t, m, other)
    m.stop(other.job)
    all_back(t, m, free, 'out of memory')
