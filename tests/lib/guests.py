# SPDX-License-Identifier: BSD-3-Clause
"""VMs in the emulated server: command lines of stock QEMU with the test guest."""
import re
import shlex

SECRET_SEED = '7477696e7669736f'  # tools/guest/secret.h: when tv.seed= is not given
BOOT = 180  # seconds


def qemu(test, seed=SECRET_SEED, memory=512, cpus=1, kernel='/guest/Image', initrd='/guest/initrd',
         reboot=False, more='', extra=()):
    """QEMU's command line; `test` is what the guest does when it is up (tools/guest/init); `more`
    are words for the kernel's, `extra` goes to QEMU. With kernel None, firmware finds one."""
    boot = ('-kernel', kernel, '-initrd', initrd, '-append',
            f'console=ttyAMA0 quiet tv.seed={seed} tv.test={test} {more}'.strip()) if kernel else ()
    return shlex.join(['qemu-system-aarch64', '-nodefaults',
                       '-M', 'virt,gic-version=3,dtb-randomness=off', '-cpu', 'host', '-enable-kvm',
                       '-m', str(memory), '-smp', str(cpus), *(() if reboot else ('-no-reboot',)),
                       '-display', 'none', *extra, '-serial', 'stdio', *boot])


def console(command):
    """The command on pipes: a QEMU that is killed leaves its console non-blocking for others."""
    return f'set -o pipefail; {command} </dev/null 2>&1 | cat'


def nvm(*args, **kw):
    return console(qemu(*args, **kw))


def svm(*args, **kw):
    return console('tv run -- ' + qemu(*args, **kw))


class Beating:
    """A VM that shows that it lives, and would say if its memory or registers had changed."""

    def __init__(self, machine, confidential=True, seed=SECRET_SEED):
        self.job = machine.start((svm if confidential else nvm)('beat', seed=seed))
        self.job.expect(r'guest: beat \d+\s', BOOT)

    def last(self):
        return max(int(n) for n in re.findall(r'guest: beat (\d+)\s', self.job.text))

    def beats_on(self, timeout=60):
        """True once it has come three beats further with all it had."""
        self.job.expect(rf'guest: beat {self.last() + 3}\b', timeout)
        return 'CHANGED' not in self.job.text
