"""The everyday surface of ``torch.cuda``, over CuPy, which is imported when a question needs it and never before.

Without a GPU each function answers as in a PyTorch without CUDA: a no, a zero, nothing, or an error that says why.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ..annex import missing
from ..backends.cupy import load_cupy, why_unavailable
from ..backends.device import device as _Device
from ..tensor import legacy
from . import amp as amp
from . import memory as memory
from . import nvtx as nvtx
from . import random as random
from . import streams as streams
from ._gpu import Where, gpu, is_available, refuse_without_gpu
from .memory import *
from .random import *
from .streams import *

__all__ = [
    "OutOfMemoryError", "amp", "can_device_access_peer", "current_device", "default_generators", "device",
    "device_count", "device_of", "get_arch_list", "get_device_capability", "get_device_name", "get_device_properties",
    "get_gencode_flags", "get_sync_debug_mode", "has_half", "has_magma", "init", "ipc_collect", "is_available",
    "is_bf16_supported", "is_initialized", "is_tf32_supported", "memory", "nvtx", "random", "set_device",
    "set_sync_debug_mode", "streams", "synchronize", "why_unavailable",
]  # fmt: skip
__all__ += [*memory.__all__, *random.__all__, *streams.__all__]

has_half, has_magma = True, False
default_generators: tuple[Any, ...] = ()


class OutOfMemoryError(RuntimeError):
    """A GPU's memory is full: for ``except`` clauses; what CuPy raises says the same in its own class."""


def device_count() -> int:
    """How many GPUs can be used; 0 where there is none."""
    return int(load_cupy().cuda.runtime.getDeviceCount()) if is_available() else 0


def init() -> None:
    """Makes sure that a GPU can be used.

    Raises:
        RuntimeError: where none can.
    """
    refuse_without_gpu()


def is_initialized() -> bool:
    """Whether a GPU can be used: nothing has to be made ready first."""
    return is_available()


def current_device() -> int:
    """The index of the GPU that this thread works on.

    Raises:
        RuntimeError: where no GPU can be used.
    """
    return gpu(None)[1]


def _none(device: Any) -> bool:
    """Whether an index means "no GPU": PyTorch lets -1 change nothing."""
    return type(device) is int and device < 0


def set_device(device: int | str | _Device) -> None:
    """Makes a GPU the one that this thread works on; a negative index changes nothing.

    Raises:
        RuntimeError: where it isn't there.
    """
    if not _none(device):
        cupy, index = gpu(device)
        cupy.cuda.Device(index).use()


class device:
    """``with torch.cuda.device(1):`` makes a GPU the current one of this thread until the end.

    Raises:
        RuntimeError: where it isn't there.
    """

    def __init__(self, device: Where) -> None:
        self.idx = -1
        self._device: Any = None
        if not _none(device):
            cupy, self.idx = gpu(device)
            self._device = cupy.cuda.Device(self.idx)

    def __enter__(self) -> None:
        if self._device is not None:
            self._device.__enter__()

    def __exit__(self, *exc: Any) -> None:
        if self._device is not None:
            self._device.__exit__(*exc)


class device_of(device):
    """``with torch.cuda.device_of(x):`` makes the GPU that ``x`` lives on the current one; for the CPU, none."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj.get_device() if obj.is_cuda else -1)


def get_device_properties(device: Where = None) -> SimpleNamespace:
    """Name, memory, processors and capability of a GPU.

    Raises:
        RuntimeError: where it isn't there.
    """
    cupy, index = gpu(device)
    told = cupy.cuda.runtime.getDeviceProperties(index)
    return SimpleNamespace(
        name=get_device_name(index),
        total_memory=int(told["totalGlobalMem"]),
        multi_processor_count=int(told["multiProcessorCount"]),
        major=int(told["major"]),
        minor=int(told["minor"]),
        warp_size=int(told["warpSize"]),
        max_threads_per_multi_processor=int(told["maxThreadsPerMultiProcessor"]),
        is_integrated=int(told["integrated"]),
        is_multi_gpu_board=int(told["isMultiGpuBoard"]),
    )


def get_device_name(device: Where = None) -> str:
    """The product name of a GPU, as the driver gives it.

    Raises:
        RuntimeError: where it isn't there.
    """
    cupy, index = gpu(device)
    name = cupy.cuda.runtime.getDeviceProperties(index)["name"]
    return name.decode() if isinstance(name, bytes) else str(name)


def get_device_capability(device: Where = None) -> tuple[int, int]:
    """The compute capability of a GPU, major and minor.

    Raises:
        RuntimeError: where it isn't there.
    """
    cupy, index = gpu(device)
    digits = str(cupy.cuda.Device(index).compute_capability)
    return int(digits[:-1]), int(digits[-1])


def can_device_access_peer(device: Where, peer_device: Where) -> bool:
    """Whether one GPU can read another's memory.

    Raises:
        RuntimeError: where one of them isn't there.
    """
    (cupy, a), (_, b) = gpu(device), gpu(peer_device)
    return bool(cupy.cuda.runtime.deviceCanAccessPeer(a, b))


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether there is a GPU that computes in bfloat16 (capability 8.0 and later)."""
    return is_available() and get_device_capability() >= (8, 0)


def is_tf32_supported() -> bool:
    """Whether there is a GPU with TF32 (capability 8.0 and later)."""
    return is_bf16_supported()


def get_arch_list() -> list[str]:
    """For which GPUs code was compiled beforehand: none, CuPy compiles for the one there is."""
    return []


def get_gencode_flags() -> str:
    """With which flags: none."""
    return ""


def ipc_collect() -> None:
    """Accepted: memory is not shared between processes.

    Raises:
        RuntimeError: without a GPU.
    """
    refuse_without_gpu()


def set_sync_debug_mode(debug_mode: int | str) -> None:
    """Accepted.

    Raises:
        RuntimeError: without a GPU.
    """
    refuse_without_gpu()


def get_sync_debug_mode() -> int:
    """0: synchronisations are silent.

    Raises:
        RuntimeError: without a GPU.
    """
    refuse_without_gpu()
    return 0


def synchronize(device: Where = None) -> None:
    """Waits until everything queued on a GPU is done: before a clock is stopped.

    Raises:
        RuntimeError: where it isn't there.
    """
    cupy, index = gpu(device)
    cupy.cuda.Device(index).synchronize()


def __getattr__(name: str) -> Any:
    if name == "_initialized":  # what reversible networks ask before they note the generators' states
        return is_initialized()
    if name in legacy.__all__ and name.endswith("Tensor"):
        found = globals()[name] = legacy.legacy_type(name, getattr(legacy, name).dtype, is_cuda=True)
        return found
    return missing(__name__, name)
