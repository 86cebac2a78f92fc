# SPDX-License-Identifier: BSD-3-Clause
"""The emulated server for tests: platform/qemu-virt/machine.py under the name that tests import."""
import importlib.util
from pathlib import Path

_file = Path(__file__).resolve().parents[2] / 'platform/qemu-virt/machine.py'
_spec = importlib.util.spec_from_file_location('qemu_virt_machine', _file)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

Machine, MachineError, Job = _module.Machine, _module.MachineError, _module.Job
MODE, SVISOR = _module.MODE, _module.SVISOR
