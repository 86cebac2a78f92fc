# SPDX-License-Identifier: BSD-3-Clause
"""What struct tv_manifest is to have."""
import bare

RECORD = 0x3000  # TV_BOOT_SIZE


def reg(dtb, node, words):
    """The first address in a node's reg."""
    cells = bare.call('fdtget', '-t', 'x', dtb, node, 'reg').split()
    return int(''.join(c.zfill(8) for c in cells[:words]), 16)


def timer_ppis(dtb, node):
    """A bit for each PPI of the second and third interrupt, which are EL1's and Non-secure."""
    cells = [int(c, 16) for c in bare.call('fdtget', '-t', 'x', dtb, '/' + node, 'interrupts').split()]
    return sum(1 << number for number in (cells[4], cells[7]))


def expected(out, machine, tzc, base=0x0e100000, size=0x00f00000, host=(0, 0, 0, 0, 0)):
    """Its words, for a machine whose S-visor has that memory; host: address and x0-x3 of the kernel."""
    dtb = f'{out}/machine.dtb'
    bare.call(*bare.qemu(f'{machine},dumpdtb={dtb}'))
    nodes = bare.call('fdtget', '-l', dtb, '/').split()
    tzc_base = reg(dtb, '/' + next(n for n in nodes if n.startswith('tzc')), 2) if tzc else 0
    timers = timer_ppis(dtb, next(n for n in nodes if n.startswith('timer')))
    return [0x3156544d | bare.CPUS << 32, base, size, 0x09040000, tzc_base,
            1 | timers << 32, base + size - RECORD, *host, 0x40000000, bare.RAM]
