# SPDX-License-Identifier: BSD-3-Clause
"""QEMU's monitor in the server, of one VM at a time."""
import re

from guests import BOOT

MONITOR = ('-monitor', 'tcp:127.0.0.1:4444,server=on,wait=off')


def said(m, command):
    """Has it do this; gives what it says, with the state of the VM after that."""
    status, text = m.run("bash -c 'exec 3<>/dev/tcp/127.0.0.1/4444; "
                         f'printf "{command}\\ninfo status\\n" >&3; '
                         "sed \"/VM status:/q\" <&3'", timeout=BOOT)
    assert status == 0, text
    return text


def monitor(m, command):
    """Has it do this; gives the state of the VM after that."""
    return re.search(r'VM status: .*', said(m, command))[0].strip()
