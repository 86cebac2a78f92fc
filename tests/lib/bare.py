# SPDX-License-Identifier: BSD-3-Clause
"""Bare images at EL2 on the emulated machine, in place of a kernel or of the S-visor.

QEMU     the emulator     (default build/qemu/qemu-system-aarch64)
TFA_SRC  prepared TF-A    (default build/src/tfa)
"""
import functools
import os
import re
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BARE = os.path.join(TOP, 'tests/firmware')  # start.S, smc.S, ns.c
BUILD = os.environ.get('TV_BUILD', os.path.join(TOP, 'build'))
QEMU = os.environ.get('QEMU', os.path.join(BUILD, 'qemu/qemu-system-aarch64'))
TFA_SRC = os.environ.get('TFA_SRC', os.path.join(BUILD, 'src/tfa'))
MACHINE = 'virt,secure=on,virtualization=on,gic-version=3'
CPUS, RAM = 4, 3 << 30
with open(os.path.join(TOP, 'include/twinvisor/abi.h')) as abi:
    ABI = abi.read()

CC = ['aarch64-linux-gnu-gcc', '-march=armv8-a', '-O2', '-Wall', '-Wextra', '-Werror', '-nostdlib',
      '-ffreestanding', '-fno-pic', '-static', '-no-pie', '-mgeneral-regs-only', '-mstrict-align',
      '-fno-stack-protector', '-fno-asynchronous-unwind-tables', '-Wl,--build-id=none',
      '-I' + BARE, '-I' + os.path.join(TOP, 'include')]


def call(*command, **kw):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, **kw).stdout


def image(out, name, base, sources, *options):
    """A raw image of the sources, the first of them at its start; .bss is part of it, zeroed."""
    elf, raw = f'{out}/{name}.elf', f'{out}/{name}.bin'
    call(*CC, *options, f'-Wl,-Ttext={base:#x}', '-o', elf, *sources)
    call('aarch64-linux-gnu-objcopy', '-O', 'binary', '--set-section-flags',
         '.bss=alloc,load,contents', elf, raw)
    return raw


def el2_image(out, name, base, sources, *options):
    """The same with what bare.h promises."""
    return image(out, name, base, [f'{BARE}/start.S', f'{BARE}/smc.S', *sources], *options)


def qemu(machine, cpu='neoverse-n2', cpus=CPUS):
    return [QEMU, '-M', machine, '-cpu', cpu, '-smp', str(cpus), '-m', str(RAM >> 20),
            '-display', 'none', '-nic', 'none', '-monitor', 'none']


@functools.cache
def has_tzc():
    """Whether this QEMU can put a TZC-400 in front of DRAM."""
    return ' tzc=' in subprocess.run([QEMU, '-M', 'virt,help'], stdout=subprocess.PIPE, text=True,
                                     check=True).stdout


def flash(out, svisor, bl33, tzc, fast=True, mode='', kernel=None):
    """TF-A with these two images, and the fast world switch or the slow one; `out` is kept from build to build.
    mode: TVD_MODE of dispatcher/build.sh; kernel: where BL33 will be, if it is not in the flash."""
    env = dict(os.environ, QEMU=QEMU, BL33=bl33 or '', TVD_FAST=str(int(fast)), TVD_MODE=mode)
    if kernel:
        env['KERNEL'] = hex(kernel)
    if not tzc:
        env['TZC_BASE'] = 'none'
    call(f'{TOP}/dispatcher/build.sh', TFA_SRC, out, svisor, env=env)
    return f'{out}/flash.bin'


def boot(out, bios, machine, cpu='neoverse-n2', *args, limit=400):
    """Runs till it powers off, for `limit` seconds at most: what both worlds printed."""
    command = qemu(machine, cpu) + ['-bios', bios, '-serial', f'file:{out}/ns.log',
                                    '-serial', f'file:{out}/secure.log', *args]
    try:
        subprocess.run(command, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        pass
    logs = [open(f'{out}/{n}.log', errors='replace').read() for n in ('ns', 'secure')]
    return logs[0].replace('\r', ''), logs[1]


def results(log):
    """[(ok or not ok, name)…], the last of them about the end."""
    found = re.findall(r'^((?:not )?ok) - (.*)$', log, re.M)
    ended = re.search(r'^# end$', log, re.M)
    return found + [('ok' if ended else 'not ok', 'the probe ran to its end')]


def tap(found, log):
    """Prints TAP; of failures the log too. Gives the exit status."""
    for number, (result, name) in enumerate(found, 1):
        print(f'{result} {number} - {name}')
    print(f'1..{len(found)}')
    if all(r == 'ok' for r, _ in found):
        return 0
    print(''.join(f'# {line}\n' for line in log.splitlines()), end='')
    return 1
