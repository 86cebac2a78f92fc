# SPDX-License-Identifier: BSD-3-Clause
"""The S-visor from outside: what its code could write, and what the tables map that it has made."""
import bare

# op0, op1, CRn, CRm, op2, and the functions that write it: the way to boot
GOVERN = {
    'TTBR0_EL2': ((3, 4, 2, 0, 0), ['mmu_on']),
    'TCR_EL2': ((3, 4, 2, 0, 2), ['mmu_on']),
    'MAIR_EL2': ((3, 4, 10, 2, 0), ['mmu_on']),
    'SCTLR_EL2': ((3, 4, 1, 0, 0), ['mmu_on']),
    'VBAR_EL2': ((3, 4, 12, 0, 0), ['entry']),
    'TTBR1_EL2': ((3, 4, 2, 0, 1), []),
    'RMR_EL2': ((3, 4, 12, 0, 2), []),
}
MSR, MSRR = 0xd51, 0xd55  # bits 31:20
PAGE = 4096
VALID, TABLE, RO, XN = 1, 2, 1 << 7, 1 << 54
ADDRESS = 0x0000fffffffff000
M, WXN = 1, 1 << 19  # of SCTLR_EL2
NS_WINDOW, SECURE_WINDOW = 1 << 44, 2 << 44  # svisor/arch/aarch64/layout.h


def test(good, name, detail=''):
    return ('ok' if good else 'not ok', f'{name}{"" if good else f": {detail}"}')


class Image:
    """svisor.elf, and beside it svisor.bin, which is what boots."""

    def __init__(self, path):
        listed = bare.call('aarch64-linux-gnu-nm', '-n', '--defined-only', f'{path}.elf')
        names = [words for line in listed.splitlines() if len(words := line.split()) == 3]
        self.symbols = {name: int(value, 16) for value, _, name in names}
        self.functions = [(int(value, 16), name) for value, kind, name in names if kind in 'tT' and name[0] != '$']
        self.start, self.end = self.symbols['image_start'], self.symbols['text_end']
        with open(f'{path}.bin', 'rb') as file:
            self.text = file.read()[:self.end - self.start]

    def function(self, address):
        """The name that is next before it; two may be at one place."""
        last = max(at for at, _ in self.functions if at <= address)
        return [name for at, name in self.functions if at == last and name != 'image_start'][-1]

    def writes(self):
        """(function, (op0, op1, CRn, CRm, op2)) of each word of the text that is MSR or MSRR, whatever it is meant to be."""
        for at in range(0, len(self.text) - 3, 4):
            word = int.from_bytes(self.text[at:at + 4], 'little')
            if word >> 20 in (MSR, MSRR):
                yield (self.function(self.start + at),
                       (word >> 19 & 3, word >> 16 & 7, word >> 12 & 15, word >> 8 & 15, word >> 5 & 7))


def code_tests(image):
    writes = list(image.writes())
    yield test(len(writes) > 50, 'the image: instructions that write system registers are found', len(writes))
    for name, (encoding, wanted) in GOVERN.items():
        where = [function for function, found in writes if found == encoding]
        yield test(where == wanted, f'the image: {name} is written by {" ".join(wanted) or "nothing"}, once at most', where)


def leaves(word, table, level=0, va=0):
    """(va, pa, size, descriptor) of all that the table maps; word(address): 64 bits of memory"""
    size = PAGE << 9 * (3 - level)
    for i in range(512):
        entry = word(table + 8 * i)
        if not entry & VALID:
            continue
        if level < 3 and entry & TABLE:
            yield from leaves(word, entry & ADDRESS, level + 1, va + i * size)
        else:
            yield va + i * size, entry & ADDRESS & ~(size - 1), size, entry


def table_tests(image, base, memory):
    """Of EL2's tables; memory: the S-visor's, from base on"""
    def word(address):
        return int.from_bytes(memory[address - base:address - base + 8], 'little')

    registers = image.symbols['mmu_regs']
    table, sctlr = word(registers + 16), word(registers + 24)
    found = list(leaves(word, table)) if base <= table < base + len(memory) else []
    here = [leaf for leaf in found if leaf[0] < NS_WINDOW]
    code = [leaf for leaf in found if not leaf[3] & XN]
    windows = [leaf for leaf in found if leaf[0] >= NS_WINDOW]
    yield test(memory[:len(image.text)] == image.text, "EL2: the code is as it was built, after all that")
    yield test(len(here) > 10 and sctlr & M and sctlr & WXN, 'EL2: its tables are found, WXN is on', f'{sctlr:#x}')
    yield test(sum(leaf[2] for leaf in code) == image.end - image.start
               and all(va == pa and image.start <= va < image.end for va, pa, _, _ in code),
               'EL2: the text can be run, and nothing else', code)
    yield test(code and all(entry & RO for _, _, _, entry in code), 'EL2: the text cannot be written')
    yield test(all(va == pa and base <= va and va + size <= base + len(memory) for va, pa, size, _ in here),
               'EL2: what is mapped where it is, is its own memory', here)
    yield test(all(entry & RO for va, _, _, entry in here if va < image.symbols['rodata_end']),
               'EL2: constants cannot be written')
    yield test(all(va in (pa + NS_WINDOW, pa + SECURE_WINDOW) for va, pa, _, _ in windows) and windows,
               'EL2: windows show DRAM at its place', windows)
