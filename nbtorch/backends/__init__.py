"""Where numbers live: dtypes, devices, and for each kind of device one set of array primitives.

NumPy is always there. CuPy and the strict test device are loaded when a tensor is first asked to live on them.
"""

from __future__ import annotations

from .base import Array, Backend
from .device import device
from .host_memory import keep_freed_memory
from .numpy import NumpyBackend
from .switches import cuda as cuda
from .switches import cudnn as cudnn
from .switches import mkl as mkl
from .switches import mkldnn as mkldnn
from .switches import mps as mps
from .switches import openmp as openmp

__all__ = ["Array", "Backend", "cpu", "device", "get_backend"]

keep_freed_memory()
cpu = NumpyBackend()
_backends: dict[device, Backend] = {cpu.device: cpu}


def get_backend(where: str | int | device | Backend | None) -> Backend:
    """The primitives of a device.

    Args:
        where: a device or its name, or its primitives themselves; None means the CPU.

    Raises:
        RuntimeError: for an unknown device, or one that can't be used here, with the reason.
    """
    if where is None:
        return cpu
    found = _backends.get(where)  # type: ignore[arg-type]
    if found is None:
        if isinstance(where, Backend):
            return where
        wanted = where if isinstance(where, device) else device(where)
        found = _backends.get(wanted)
        if found is None:
            found = _backends[wanted] = _load(wanted)
    return found


def _load(where: device) -> Backend:
    index = 0 if where.index is None else where.index
    same = device(where.type, index)
    if same in _backends:
        return _backends[same]
    if where.type == "cpu":
        backend: Backend = cpu
    elif where.type == "strict":
        from .strict import StrictBackend

        backend = StrictBackend(same)
    else:
        from .cupy import CupyBackend

        backend = CupyBackend(same)
    _backends[same] = backend
    return backend
