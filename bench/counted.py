# SPDX-License-Identifier: BSD-3-Clause
"""What the benchmarks share: a server of one CPU that counts its instructions, and plots."""
import subprocess

MACHINE = {'cpus': 1, 'threads': 'single', 'append': 'nokaslr'}  # of Machine()
ARGS = ('-icount', 'shift=0,sleep=off', '-seed', '1', '-rtc', 'clock=vm')


def plot(out, name, script, lines):
    """out/NAME.svg by gnuplot: `script` with {out} and {data}, and the lines of its data."""
    data, commands = out / f'{name}.dat', out / f'{name}.gp'
    data.write_text(''.join(f'{line}\n' for line in lines).replace('_', '\\\\_'))
    commands.write_text(script.format(out=out / f'{name}.svg', data=data))
    subprocess.run(['gnuplot', commands], check=True)
