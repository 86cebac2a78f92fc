# SPDX-License-Identifier: BSD-3-Clause
"""QEMU's monitor in the server, of one VM at a time."""
from guests import BOOT

MONITOR = ('-monitor', 'tcp:127.0.0.1:4444,server=on,wait=off')


def monitor(m, command):
    """Has it do this; gives the state of the VM after that."""
    status, text = m.run("bash -c 'exec 3<>/dev/tcp/127.0.0.1/4444; "
                         f'printf "{command}\\ninfo status\\n" >&3; '
                         "grep -m 1 -a -o \"VM status: .*\" <&3'", timeout=BOOT)
    assert status == 0, text
    return text.strip()
