# SPDX-License-Identifier: BSD-3-Clause
"""What a launch was: its log, what tv measure makes of it, and what a policy refuses."""
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from guests import BOOT, console, qemu
from machine import SVISOR
from tv import no_svm, rows, running

BUILD = Path(os.environ.get('TV_BUILD', 'build')).resolve()
LOG = '/tmp/launch.log'


def share(directory):
    """What these tests need in the server: UEFI, and the key of a tenant's."""
    shutil.copy(BUILD / 'guests/uefi/usr/share/qemu-efi-aarch64/QEMU_EFI.fd', directory)
    subprocess.run(['openssl', 'ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', directory / 'tenant.pem'],
                   check=True, stdout=subprocess.DEVNULL)


def start(m, command, options=''):
    return m.start(console(f'tv run --launch-log {LOG} {options} -- {command}'))


def explain(m, command, log=LOG):
    """(status, lines after the two measurements) of tv measure --log."""
    status, text = m.run(f'tv measure --log {log} -- {command}', timeout=BOOT)
    return status, text.splitlines()[2:]


def end(t, m, job, name):
    m.stop(job)
    t.case(f'{name}: none is left', no_svm, m)


def logged(t, m):
    job = start(m, qemu('hold'))
    job.expect('guest: secret planted', BOOT)
    measured = running(m).measurement
    t.equal(m.run(f'sha256sum <{LOG}')[1].split()[:1], [measured], "launch log: its hash is the measurement")
    t.equal(m.run('tv log 0 | sha256sum')[1].split()[:1], [measured], 'launch log: tv log has the same')
    t.equal(explain(m, qemu('hold')), (0, ['equal']), 'launch log: tv measure --log finds it equal')
    status, lines = explain(m, qemu('hold', more='rd.break'))
    t.ok(status == 1 and lines and all(line.startswith('device tree: ') for line in lines),
         'launch log: another command line is in the device tree', lines)
    status, lines = explain(m, qemu('hold', memory=1024, cpus=2))
    t.ok(status == 1 and any(line.startswith('RAM range 0: ') for line in lines) and 'vCPUs: 1, expected 2' in lines,
         'launch log: other memory, other CPUs', lines)
    t.equal(m.run('tv log 7')[0], 1, 'launch log: of an S-VM that is not there')
    end(t, m, job, 'launch log')


def tampered(t, m):
    """Some bytes of the initrd are others."""
    m.run("cp /guest/initrd /tmp/initrd; printf TAMPERED | dd of=/tmp/initrd bs=1 seek=81925 conv=notrunc 2>/dev/null")
    job = start(m, qemu('hold', initrd='/tmp/initrd'))
    running(m)
    status, lines = explain(m, qemu('hold'))
    t.ok(status == 1 and lines == ['initrd: pages 0x48014000-0x48015000 differ'],
         'launch log: the page of the initrd that was changed is named', lines)
    end(t, m, job, 'changed initrd')


def firmware(t, m):
    """A VM that starts from UEFI is measured offline, too."""
    m.run('cp /mnt/QEMU_EFI.fd /tmp/code.fd; truncate -s 64M /tmp/code.fd')
    for name, args in (('drive', ('-drive', 'if=pflash,format=raw,unit=0,readonly=on,file=/tmp/code.fd')),
                       ('bios', ('-bios', '/mnt/QEMU_EFI.fd'))):
        command = qemu('none', kernel=None, extra=args, cpus=2)
        job = start(m, command)
        job.expect('UEFI firmware', BOOT)
        offline = m.run('tv measure -- ' + command)[1].strip()
        t.equal([r.measurement for r in rows(m)], [offline], f'UEFI by {name}: the measurement that tv measure computes')
        t.equal(explain(m, command), (0, ['equal']), f'UEFI by {name}: the launch log is equal')
        end(t, m, job, f'UEFI by {name}')


def refused(t, m, name, policy, want):
    """The S-visor does not start what `policy` is not for; tv says why."""
    job = start(m, qemu('hold'), f'--policy {policy}')
    job.expect(want, BOOT)
    t.ok(True, f'policy: {name} is refused, and tv says so')
    t.ok('guest:' not in job.text, f'policy: {name}: the guest never runs', job.text)
    t.ok(all(r.state == 'dead' for r in rows(m)), f'policy: {name}: nothing runs')
    end(t, m, job, f'policy: {name}')


def policies(t, m):
    sign = 'tv policy --sign /mnt/tenant.pem --debug'
    m.run('head -c 100 /dev/urandom >/tmp/garbage')
    refused(t, m, 'garbage', '/tmp/garbage', 'tv: the S-visor refused the launch: /tmp/garbage is no launch policy')
    m.run(f'{sign} --measurement {"5a" * 32} /tmp/other')
    refused(t, m, 'another measurement', '/tmp/other', r'refused the launch: it is not the one that the policy names')
    t.equal(explain(m, qemu('hold')), (0, ['equal']), 'policy: what was refused has a launch log')
    m.run(f"{sign} /tmp/forged; printf FORGERY! | dd of=/tmp/forged bs=1 seek=100 conv=notrunc 2>/dev/null")
    refused(t, m, 'one that was changed', '/tmp/forged', 'refused the launch: /tmp/forged was changed after it was signed')
    m.run(f'{sign} --version 99 /tmp/newer')
    refused(t, m, 'a newer S-visor', '/tmp/newer', 'older than the policy wants .*: 99 at least')
    m.run(f'{sign.replace(" --debug", "")} /tmp/strict')
    refused(t, m, 'a machine that is secured', '/tmp/strict', 'does not allow a machine that can be debugged')
    m.run(f'{sign} --measurement $(tv measure -- {qemu("hold")}) /tmp/right')
    job = start(m, qemu('hold'), '--policy /tmp/right')
    job.expect('guest: secret planted', BOOT)
    t.equal([r.state for r in rows(m)], ['running'], 'policy: the one for this S-VM lets it start')
    end(t, m, job, 'policy')
    status, text = m.run(f'tv run --policy /nonexistent -- true')
    t.ok(status == 1 and 'No such file' in text, 'policy: there has to be one', text)
    status, text = m.run(f'head -c 2049 /dev/zero >/tmp/long; tv run --policy /tmp/long -- true')
    t.ok(status == 1 and '2048 at most' in text, 'policy: not longer than the S-visor takes', text)


def booted(t, m):
    """tv boot: the S-visor that the firmware has measured is the one that was built."""
    images = dict(line.split() for line in m.run('tv boot')[1].splitlines())
    with SVISOR.open('rb') as image:
        t.equal(images.get('SECURE_RT_EL2_TVD'), hashlib.file_digest(image, 'sha256').hexdigest(),
                'tv boot: the S-visor is in the event log')
    again = m.run('tv boot --raw >/tmp/log && tv boot /tmp/log')[1]
    t.equal(dict(line.split() for line in again.splitlines()), images, 'tv boot: the raw log says the same')


def launches(t, m):
    for part in (booted, logged, tampered, firmware, policies):
        t.case(f'launches: {part.__name__}', part, t, m)
