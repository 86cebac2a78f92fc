# SPDX-License-Identifier: BSD-3-Clause
"""Watching S-VMs: tv top, and the tracepoints of the N-visor."""
import re

from tv import no_svm, rows, until

TRACING = '/sys/kernel/tracing'
EVENTS = f'{TRACING}/events/twinvisor'
FAST, SLOW = 1000, 50000  # microseconds that a round of the guest takes, at least
TITLES = ['EXITS', 'IRQ', 'WFX', 'FAULT', 'MMIO', 'CALL', 'SYSREG', 'BOUNCE', 'OTHER', 'ANSWER', 'NOTIFY', 'LATE']


def busy(m, pause):
    """The job of an S-VM that does the same things again and again (rates.c), and its VMM's process."""
    before = {r.pid for r in rows(m)}
    job = m.start(f'tv run -- /mnt/rates {pause}')
    new = until(m, lambda m: [r for r in rows(m) if r.pid not in before and r.state == 'running'], 'it runs')
    return job, new[0].pid


def tables(text):
    """Of each table of tv top, its rows: [{title: number, 'PID': process, 'NAME': ...}, ...]"""
    found = []
    for part in re.split(r'^tv top .*\n', text, flags=re.M)[1:]:
        head, *lines = part.rstrip().splitlines()
        assert head.split()[:4] == ['S-VM', 'PID', 'VCPUS', 'CHUNKS'], head
        titles = head.split()
        found.append([dict(zip(titles, line.split(maxsplit=len(titles) - 1))) for line in lines if line])
    return found


def rates(row):
    return {title: float(row[title]) for title in TITLES}


def about(value, other):
    return 0.7 * other < value < 1.4 * other


def answered(m):
    return int(m.run('/mnt/answered')[1])


def shown(t, m, pid):
    """One S-VM: what it does is shown, in the right proportions."""
    status, text = m.run('tv top -b -n 2 -d 1')
    both = tables(text)
    t.equal((status, [[row['PID'] for row in table] for table in both]), (0, [[pid], [pid]]),
            'tv top: two tables of the one S-VM')
    for row in (rates(table[0]) for table in both):
        t.ok(row['MMIO'] > 1 and about(row['CALL'], 2 * row['MMIO']) and about(row['ANSWER'], 4 * row['MMIO']),
             'tv top: calls, MMIO and ID registers as the guest makes them', str(row))
        t.ok(row['EXITS'] >= row['MMIO'] + row['CALL'] and row['SYSREG'] == row['BOUNCE'] == row['NOTIFY'] == 0,
             'tv top: the sum is of all, and what the guest does not do is zero', str(row))
    t.ok(both[0][0]['NAME'] == 'rates' and int(both[0][0]['CHUNKS']) > 0, 'tv top: name and chunks', text)


def sorted_by_exits(t, m):
    """Two, the lazy one first in the list: the busy one is first in the table."""
    lazy, lazy_pid = busy(m, SLOW)
    eager, eager_pid = busy(m, FAST)
    t.equal([r.pid for r in rows(m)], [lazy_pid, eager_pid], 'tv top: in the list, the lazy one is first')
    table = tables(m.run('tv top -b -n 1 -d 1')[1])[0]
    t.equal([row['PID'] for row in table], [eager_pid, lazy_pid], 'tv top: the busiest is first')
    table = tables(m.run('tv top -n 1 -d 1 0')[1])[0]
    t.equal([row['PID'] for row in table], [lazy_pid], 'tv top 0: only that one, plain without a terminal')
    watch = m.start('tv top -b -d 0.2')
    watch.expect(rf'\n +1 +{eager_pid} ')
    m.stop(eager)
    watch.expect(r': 1 S-VMs.*\n.*NAME\n +0 +' + lazy_pid)
    m.stop(lazy)
    watch.expect(r': 0 S-VMs')
    m.stop(watch)
    t.ok(True, 'tv top: goes on when S-VMs end')
    no_svm(m)


def only_while_watched(t, m):
    """The S-visor counts as long as somebody looks, and not when that one is dead."""
    job, _ = busy(m, FAST)
    t.equal((m.run('tv list; tv stats')[0], answered(m)), (0, 0), 'counting: none before anybody watches')
    watch = m.start('tv top -b -d 0.2')
    until(m, answered, 'exits are counted')
    other = m.start('tv top -b -d 0.2')
    other.expect('EXITS')
    m.stop(watch)
    seen = answered(m)
    t.ok(until(m, lambda m: answered(m) > seen, 'exits are counted on'), 'counting: goes on for the second')
    m.stop(other)
    seen = answered(m)
    watch = tables(m.run('tv stats; tv top -b -n 1 -d 0.5')[1])
    t.ok(rates(watch[0][0])['ANSWER'] > 0, 'counting: begins again for the next')
    now = answered(m)
    m.run('tv stats; sleep 0.5')
    t.equal((seen > 0, answered(m)), (True, now), 'counting: ends when the last one is killed, or done')
    m.stop(job)
    no_svm(m)


def on_a_terminal(t, m):
    """Ends on q and on Ctrl-C, and leaves the terminal as it was."""
    for key, name in (('q', 'q'), ('\x03', 'Ctrl-C')):
        job = m.start("socat -t 5 - 'SYSTEM:trap true INT; tv top -d 0.2; echo status $?; stty -a,pty,setsid,ctty,stderr'")
        job.expect(r'\x1b\[\?1049h')
        job.expect(r'EXITS[^\0]*EXITS', 30)
        t.ok(all(len(line) < 100 for line in job.text.splitlines()), f'tv top: lines end where the screen does ({name})')
        job.send(key)
        job.expect(r'\x1b\[\?1049l[^\0]*status 0', 30)
        job.expect(r' icanon')
        job.expect(r' echo ')
        t.ok(True, f'tv top: {name} ends it, and the terminal is as before')
        m.stop(job)


def errors(t, m):
    status, text = m.run('tv top -n 1 -d 0.1 7')
    t.ok(status == 1 and 'there is no S-VM 7: see tv list' in text, 'tv top: an S-VM that is not there', text)
    t.equal(m.run('tv top -b -n 1 -d 0.1')[0], 0, 'tv top: no S-VM is no error')


def top(t, m):
    errors(t, m)
    job, pid = busy(m, FAST)
    shown(t, m, pid)
    on_a_terminal(t, m)
    m.stop(job)
    no_svm(m)
    sorted_by_exits(t, m)
    only_while_watched(t, m)


def trace(m):
    return m.run(f'cat {TRACING}/trace')[1]


def tracepoints(t, m):
    t.equal(m.run(f'cat {EVENTS}/enable {TRACING}/events/enable'), (0, '0\n0\n'), 'tracepoints: off at boot')
    t.equal(sorted(m.run(f'ls -d {EVENTS}/tv_*')[1].split()),
            [f'{EVENTS}/tv_{name}' for name in ('bounce', 'chunk', 'enter', 'exit', 'late')],
            'tracepoints: those that there are')
    job, pid = busy(m, FAST)
    t.ok('tv_' not in trace(m), 'tracepoints: nothing while they are off')
    m.run(f'echo 1 >{EVENTS}/enable')
    m.run('tv top -b -n 1 -d 0.5')
    m.stop(job)
    no_svm(m)
    m.run('tv reclaim 1')
    m.run(f'echo 0 >{EVENTS}/enable')
    text = trace(m)
    for what, line in (('an entry', rf'tv_enter: vmm={pid} vcpu=0$'),
                       ('a call', rf'tv_exit: vmm={pid} vcpu=0 code=0 CALL esr=0x58000000 ipa=0x0$'),
                       ('a device', rf'tv_exit: vmm={pid} vcpu=0 code=0 MMIO esr=0x919f00[0-9a-f]+ ipa=0x9000000$'),
                       ('chunks that become free', rf'tv_chunk: release vmm={pid} chunk=0x[0-9a-f]+ to=0x0$'),
                       ('a chunk that goes back', r'tv_chunk: give back vmm=0 chunk=0x[0-9a-f]+ to=0x0$')):
        t.ok(re.search(line, text, re.M), f'tracepoints: {what}', text[-1500:])
    names = re.findall(r'tv_(enter|exit):', text)
    names = names[max(names.index('enter'), names.index('exit')):]  # from when both are on
    t.ok(len(names) > 100 and all(a != b for a, b in zip(names, names[1:])), 'tracepoints: enter and exit by turns')
    m.run(f'echo >{TRACING}/trace')


def watching(t, m):
    tracepoints(t, m)
    top(t, m)
