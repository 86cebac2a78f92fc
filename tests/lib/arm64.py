# SPDX-License-Identifier: BSD-3-Clause
"""Programs for the server's user space."""
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
INCLUDE = [f'-I{TOP}/{path}' for path in ('include', 'nvisor/overlay/include/uapi', 'tests/lib/kvm')]


def program(target, *sources):
    subprocess.run(['aarch64-linux-gnu-gcc', '-std=gnu11', '-O2', '-static', '-Wall', '-Wextra', '-Werror',
                    *INCLUDE, '-o', target, *sources], check=True)
