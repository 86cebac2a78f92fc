# SPDX-License-Identifier: BSD-3-Clause
"""Firmware of cores without Secure EL2, where BL32 is at Non-secure EL2 in ordinary memory: BL32 and a kernel
are stood in for. Once with BL33 in the flash, on each core; once as the server is, with a kernel and without."""
import os
import re
import subprocess

import bare
import manifest
import verified

HERE = os.path.dirname(os.path.abspath(__file__))
CORES = 'cortex-a57', 'cortex-a72'
BASE, SIZE = 0x50000000, 0x01000000
MANIFEST = BASE + SIZE - manifest.RECORD - 0x1000
HOST = 0x60000000
DEVICE_TREE = 0x40000000
LIMIT = 60  # seconds for a boot: it needs one or two
REFUSED = 'TVD: no S-visor image, no EL2, or a device tree without what it needs'


def words(log, name):
    found = re.search(rf'^# {name}((?: [0-9a-f]{{16}})+)$', log, re.M)
    return [int(w, 16) for w in found[1].split()] if found else []


def reserved(out, log):
    """Whether the device tree that the kernel got keeps it off BL32's memory."""
    found = re.search(r'^# dtb ([0-9a-f]+)$', log, re.M)
    if not found:
        return False
    with open(f'{out}/kernel.dtb', 'wb') as file:
        file.write(bytes.fromhex(found[1]))
    node = '/reserved-memory/bl32'
    try:
        reg = bare.call('fdtget', '-t', 'x', f'{out}/kernel.dtb', node, 'reg').split()
        properties = bare.call('fdtget', '-p', f'{out}/kernel.dtb', node).split()
    except subprocess.CalledProcessError:
        return False
    return [int(c, 16) for c in reg] == [0, BASE, 0, SIZE] and 'no-map' in properties


def probe(out, flash, machine, core, host_x, *args):
    """[(ok or not ok, name)…] and the log of a boot."""
    log, secure = bare.boot(out, flash, machine, core, *args, limit=LIMIT)
    results = bare.results(log)
    wanted = [MANIFEST, *manifest.expected(out, machine, True, BASE, SIZE, (HOST, *host_x))]
    results.append(('ok' if words(log, 'manifest')[:len(wanted)] == wanted else 'not ok',
                    'x0 is the manifest\'s address, and it tells what the device tree says'))
    results.append(('ok' if words(log, 'host') == host_x else 'not ok', 'the manifest has the kernel\'s x0-x3'))
    results.append(('ok' if reserved(out, log) else 'not ok', 'the device tree reserves BL32\'s memory'))
    return results, log + secure


def refuses(out, flash, panic, machine, *args):
    """BL31 says that it lacks something, and stays where it is: no kernel starts."""
    with open(flash, 'rb') as file, verified.Machine(out, file.read(), CORES[0], machine, *args) as boot:
        said = boot.until(rf'^ERROR: +{REFUSED}$|{verified.NORMAL_WORLD}')
        good = said and REFUSED in boot.log and boot.stopped(panic)
        return bool(good) and not re.search(verified.NORMAL_WORLD, boot.log, re.M), boot.log


def unprotected(out, flash, tfa, machine):
    """Machines on which nothing would be kept from a kernel."""
    panic = verified.symbol(f'{tfa}/qemu/release/bl31/bl31.elf', 'plat_panic_handler')
    dtb = f'{out}/without.dtb'
    bare.call(*bare.qemu(f'{machine},dumpdtb={dtb}', CORES[0], cpus=1))
    node = next(n for n in bare.call('fdtget', '-l', dtb, '/').split() if n.startswith('tzc'))
    bare.call('fdtput', '-r', dtb, f'/{node}')
    for name, where, *args in (('EL2', machine.replace('virtualization=on', 'virtualization=off')),
                               ('a TZC-400 in the device tree', machine, '-dtb', dtb)):
        good, log = refuses(out, flash, panic, where, *args)
        yield ('ok' if good else 'not ok', f'no kernel starts without {name}'), log


def tests(out, machine):
    """[(ok or not ok, name)…] and the logs. machine has a TZC-400; without one, there is nothing to test."""
    svisor = bare.el2_image(out, 'havmsi', BASE, [f'{HERE}/{n}.c' for n in ('havmsi', 'ns', 'record')])
    host = bare.image(out, 'havmsi-host', HOST, [f'{HERE}/{n}' for n in (
        'havmsi_host.S', 'havmsi_host.c', 'smc.S', 'ns.c')])
    tfa, kernel_tfa = f'{bare.BUILD}/tfa-probe-havmsi', f'{bare.BUILD}/tfa-probe-havmsi-kernel'
    flash = bare.flash(tfa, svisor, host, True, mode='havmsi')
    kernel_flash = bare.flash(kernel_tfa, svisor, None, True, mode='havmsi', kernel=HOST)
    boots = [(core, (flash, machine, core, [0, 0, 0, 0])) for core in CORES]
    boots.append(('with a kernel', (kernel_flash, machine, CORES[0], [DEVICE_TREE, 0, 0, 0], '-device',
                                    f'loader,file={host},addr={HOST:#x},force-raw=on')))
    results, logs = [], ''
    for name, boot in boots:
        found, log = probe(out, *boot)
        results += [(result, f'havmsi, {name}: {text}') for result, text in found]
        logs += log
    for (result, text), log in unprotected(out, flash, tfa, machine):
        results.append((result, f'havmsi: {text}'))
        logs += log
    found, log = verified.havmsi_tests(out, tfa, CORES[0])
    return results + found, logs + log
