# SPDX-License-Identifier: BSD-3-Clause
"""LPIs: a PCIe port's MSIs reach the guest through KVM's vITS, on the vCPU that the guest wants."""
from guests import BOOT, console, qemu

# The port's MSI needs no DMA; what is plugged into it is an event.
PORT = ' -device pcie-root-port,id=rp0,chassis=1,slot=1 -chardev pipe,id=mon,path=/run/mon -mon mon'
COUNTS = r'guest: lpi counts (\d+) (\d+), goes on on CPU (\d+)\s'


def monitor(m, command):
    status, text = m.run(f'echo {command} >/run/mon.in')
    assert status == 0, text


def lpis(t, m, name, prefix):
    """One hot-plug event on each of two vCPUs."""
    m.run('rm -f /run/mon.in /run/mon.out; mkfifo /run/mon.in /run/mon.out; '
          '(exec cat /run/mon.out >/dev/null) &')
    job = m.start(console(prefix + qemu('lpi', cpus=2) + PORT))
    ready = job.expect(r'guest: (?:lpi \d+ ready on CPU (\d+)|no MSI)\s', BOOT)
    t.equal(ready[1], '0', f'{name}: an MSI of the ITS, on the first vCPU')
    monitor(m, 'device_add pci-testdev,bus=rp0,id=dev')
    first = job.expect(COUNTS, BOOT)
    t.ok(int(first[1]) > 0 and first[2] == '0', f'{name}: it is taken there', first[0])
    t.equal(first[3], '1', f'{name}: it moves to the second vCPU')
    monitor(m, 'device_del dev')
    while int((second := job.expect(COUNTS, BOOT))[2]) == 0:
        pass
    t.ok(int(second[2]) > 0, f'{name}: and is taken there', second[0])
    m.stop(job)


def lpi(t, m):
    lpis(t, m, 'LPIs of an N-VM', '')
    lpis(t, m, 'LPIs of an S-VM', 'tv run -- ')
