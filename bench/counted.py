# SPDX-License-Identifier: BSD-3-Clause
"""What the benchmarks share: a server that counts its instructions, who executes them, results, and plots."""
import bisect
import itertools
import json
import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get('TV_BUILD', 'build')).resolve()
HAVMSI = os.environ.get('MODE') == 'havmsi'  # S-VMs on a core without Secure EL2, N-VMs on the same core's own KVM
OUT = BUILD / ('bench-havmsi' if HAVMSI else 'bench')
# By kind of VM: N-VM, S-VM
FIRMWARE = ('tfa-plain', 'tfa-havmsi') if HAVMSI else ('tfa', 'tfa')
MACHINE = {'cpus': 1, 'threads': 'single', 'append': 'nokaslr'}  # of Machine()
ARGS = ('-icount', 'shift=0,sleep=off', '-seed', '1', '-rtc', 'clock=vm')
WHO = ('el3', 'svisor', 'host', 'host_user', 'guest', 'guest_user')  # count.c
EVENTS = ('eret', 'mrs', 'msr', 'isb', 'dsb', 'dmb', 'tlbi')
SYMBOLS = {'el3': f'{FIRMWARE[1]}/qemu/release/bl31/bl31.elf', 'host': 'linux/vmlinux',
           'svisor': 'svisor-havmsi/svisor.elf' if HAVMSI else 'svisor/svisor.elf'}


class Counted:
    """The marks of a server that counts (count.c), and between two of them the instructions by who; by function,
    too, if `profile` says where."""

    def __init__(self, name, profile=None, firmware=FIRMWARE[1]):
        OUT.mkdir(parents=True, exist_ok=True)
        plugin()
        self.path, self.profile = OUT / f'{name}.marks', profile
        self.path.unlink(missing_ok=True)
        options = f'{OUT}/count.so,out={self.path}' + ',el2=svisor' * (firmware == 'tfa-havmsi')
        if profile:
            shutil.rmtree(profile, ignore_errors=True)
            profile.mkdir(parents=True)
            self.symbols = {who: symbols(BUILD / path) for who, path in SYMBOLS.items()}
            options += f',profile={profile}'
        self.args = (*ARGS, '-plugin', options)  # of Machine()

    def marks(self):
        """[(label, Counter of who and of (who, event))…], since power-on."""
        keys = (*WHO, *itertools.product(WHO, EVENTS))
        lines = [[int(word) for word in line.split()] for line in self.path.read_text().splitlines()]
        return [(line[0], Counter(dict(zip(keys, line[1:], strict=True)))) for line in lines]

    def functions(self, number):
        """Instructions by (who, function) before the mark of that number, since the one before."""
        found = Counter()
        if not self.profile:
            return found
        with (self.profile / str(number)).open() as f:
            for line in f:
                who, address, n = line.split()
                who = WHO[int(who)]
                found[who, self.function(who, int(address, 16))] += int(n)
        return found

    def function(self, who, address):
        table = self.symbols.get(who)
        if not table:
            return '-'
        at = bisect.bisect_right(table, (address, '\x7f')) - 1
        return table[at][1] if at >= 0 else f'{address:#x}'


def symbols(elf):
    text = subprocess.run(['aarch64-linux-gnu-nm', elf], check=True, text=True, stdout=subprocess.PIPE).stdout
    found = re.findall(r'^([0-9a-f]+) [tTwW] ([^$].*)$', text, re.M)
    return sorted((int(at, 16), name) for at, name in found)


def plugin():
    flags = subprocess.run(['pkg-config', '--cflags', 'glib-2.0'], check=True, text=True, stdout=subprocess.PIPE)
    subprocess.run(['gcc', '-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC',
                    '-fvisibility=hidden', *flags.stdout.split(), f'-I{BUILD}/src/qemu/include/qemu',
                    '-o', OUT / 'count.so', HERE / 'count.c'], check=True)


def difference(many, few, units):
    """What many cost more than few, for each of `units`."""
    result = Counter(many)
    result.subtract(few)
    return Counter({what: n / units for what, n in result.items()})


def tell(f, costs, profiles):
    """The profile of an N-VM's and an S-VM's operation side by side, what differs most first."""
    n, s = profiles
    names = sorted(set(n) | set(s), key=lambda name: -abs(s[name] - n[name]))
    for who in WHO:
        print(f'{who:12} {costs[0][who]:10.0f} {costs[1][who]:10.0f} {costs[1][who] - costs[0][who]:+10.0f}', file=f)
    print(f'\n{"who":12} {"function":44} {"N-VM":>10} {"S-VM":>10} {"more":>10}', file=f)
    for key in names:
        if max(n[key], s[key]) >= 0.5:
            print(f'{key[0]:12} {key[1]:44} {n[key]:10.0f} {s[key]:10.0f} {s[key] - n[key]:+10.0f}', file=f)


def row(name, unit, n, s, ratio):
    """Of results.json; the slow world switch is measured by bench/micro alone."""
    return {'name': name, 'unit': unit, 'n_vm': n, 's_vm_slow': None, 's_vm_fast': s, 'ratio': ratio}


def record(table):
    """Puts rows into results.json, in the place of those of the same names."""
    path = OUT / 'results.json'
    rows = {row['name']: row for row in json.loads(path.read_text())} if path.exists() else {}
    rows.update((row['name'], row) for row in table)
    path.write_text(json.dumps([*rows.values()], indent=1) + '\n')


def quick():
    """Whether a first look is all that is wanted."""
    return 'quick' in words()


def chosen(names):
    """Those that BENCH picks; all if it names none."""
    wanted = [word for word in words() if word != 'quick']
    return [name for name in names if not wanted or any(word in name for word in wanted)]


def words():
    return os.environ.get('BENCH', '').split()


def plot(out, name, script, lines):
    """out/NAME.svg by gnuplot: `script` with {out} and {data}, and the lines of its data."""
    data, commands = out / f'{name}.dat', out / f'{name}.gp'
    data.write_text(''.join(f'{line}\n' for line in lines).replace('_', '\\\\_'))
    commands.write_text(script.format(out=out / f'{name}.svg', data=data))
    subprocess.run(['gnuplot', commands], check=True)
