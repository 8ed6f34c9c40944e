"""Where numbers live: dtypes, devices, and for each kind of device one set of array primitives.

NumPy is always there. CuPy and the strict test device are loaded when a tensor is first asked to live on them.
"""

from __future__ import annotations

import importlib
from typing import Any

from .base import Array, Backend
from .device import ELSEWHERE, chosen, device
from .host_memory import keep_freed_memory
from .numpy import NumpyBackend, share_work
from .threads import count_shares, default_threads, use_threads

__all__ = ["Array", "Backend", "device", "get_backend", "host", "new_on", "set_threads"]

keep_freed_memory()
host = NumpyBackend()
_threads = default_threads()
count_shares(_threads)
if _threads > 1:
    share_work(host, _threads)
_backends: dict[device, Backend] = {host.device: host}


def set_threads(count: int) -> None:
    """How many threads the host uses for matrix products and large elementwise work."""
    use_threads(count)
    share_work(host, count)


def get_backend(where: str | int | device | Backend | None) -> Backend:
    """The primitives of a device.

    Args:
        where: a device or its name, or its primitives themselves; None means the CPU.

    Raises:
        RuntimeError: for an unknown device, or one that can't be used here, with the reason.
    """
    if where is None:
        return host
    found = _backends.get(where)  # type: ignore[arg-type]
    if found is None:
        if isinstance(where, Backend):
            return where
        wanted = where if isinstance(where, device) else device(where)
        found = _backends.get(wanted)
        if found is None:
            found = _backends[wanted] = _load(wanted)
    return found


def new_on(where: str | int | device | Backend | None) -> Backend:
    """The primitives of the device that a new tensor is to live on: as :func:`get_backend`, but where none is named,
    the one chosen by ``set_default_device`` or ``with torch.device(…)``.
    """
    if where is None:
        where = chosen.device
        if where is None:
            return host
    return get_backend(where)


def _load(where: device) -> Backend:
    index = 0 if where.index is None else where.index
    same = device(where.type, index)
    if same in _backends:
        return _backends[same]
    if where.type == "cpu":
        backend: Backend = host
    elif where.type == "strict":
        from .strict import StrictBackend

        backend = StrictBackend(same)
    elif where.type in ELSEWHERE:
        raise NotImplementedError(
            f"PyTorch is not linked with support for {where.type} devices\n  got: device '{where}'\n"
            "  fix: use 'cpu', or 'cuda' where CuPy and an NVIDIA GPU are present"
        )
    else:
        from .cupy import CupyBackend

        backend = CupyBackend(same)
    _backends[same] = backend
    return backend


def __getattr__(name: str) -> Any:
    switches = importlib.import_module(".switches", __name__)
    if name in switches.__all__ or name in ("fp32_precision", "disable_global_flags"):
        return getattr(switches, name)
    raise AttributeError(f"module 'nbtorch.backends' has no attribute {name!r}")
