"""NVIDIA GPUs: CuPy 14, which is imported when the first tensor is to live there and never before."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .accelerator import AcceleratorBackend
from .base import Array
from .device import device


def _first_line(error: Exception) -> str:
    """The kind of an error and the first line of what it says."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


class NoCudaError(RuntimeError, AssertionError):
    """There is no GPU to use: PyTorch's CPU build raises an AssertionError, its CUDA build a RuntimeError."""


@functools.cache
def why_unavailable() -> str | None:
    """Why no array can live on a GPU here, and what to do about it; None where one can. Never raises."""
    try:
        import cupy
    except ImportError as error:
        return (
            f"CuPy can't be imported ({_first_line(error)})\n"
            "  expected: CuPy 14, and an NVIDIA GPU with its driver\n"
            "  fix: pip install 'nbtorch[cuda13]' (for a driver of CUDA 12: 'nbtorch[cuda12]'), or use device 'cpu'"
        )
    except Exception as error:  # a broken installation fails in ways of its own
        return (
            f"CuPy is installed but fails to load ({_first_line(error)})\n"
            "  fix: reinstall it, and have one CuPy package alone; or use device 'cpu'"
        )
    try:
        count = int(cupy.cuda.runtime.getDeviceCount())
    except Exception as error:
        return (
            f"CuPy {cupy.__version__} finds no usable GPU ({_first_line(error)})\n"
            "  expected: an NVIDIA GPU, with a driver no older than CuPy's CUDA\n"
            "  fix: see what `nvidia-smi` says; use device 'cpu' where there is no GPU"
        )
    return None if count else "there is no NVIDIA GPU in this machine\n  fix: use device 'cpu'"


def load_cupy(index: int | None = None) -> Any:
    """The module ``cupy``, where it can be used.

    Args:
        index: a GPU that has to be there.

    Raises:
        RuntimeError: without CuPy or a GPU, with the reason; for an index beyond the last GPU.
    """
    reason = why_unavailable()
    if reason is not None:
        raise NoCudaError(f"device 'cuda' can't be used: {reason}")
    import cupy

    if index is not None:
        count = int(cupy.cuda.runtime.getDeviceCount())
        if not 0 <= index < count:
            raise RuntimeError(
                f"CUDA error: invalid device ordinal\n  got: device 'cuda:{index}'\n"
                f"  expected: an index from 0 to {count - 1}\n  fix: use device 'cuda:0'"
            )
    return cupy


class CupyBackend(AcceleratorBackend):
    """Arrays on one GPU.

    Everything is queued on CuPy's current stream and waited for only where a number is read. On a machine with
    several GPUs the primitives of all but the first switch to their GPU and back; plain operators between arrays run
    on the current GPU, so choose one with ``nbtorch.cuda.set_device`` before training on it.

    Args:
        device: ``cuda`` with the GPU's index.

    Raises:
        RuntimeError: where that GPU can't be used, with the reason.
    """

    def __init__(self, device: device) -> None:
        index = 0 if device.index is None else device.index
        cupy = load_cupy(index)
        import cupyx
        import cupyx.scipy.special

        super().__init__(cupy, device)
        self._gpu = cupy.cuda.Device(index)
        self._erf = cupyx.scipy.special.erf
        self._rsqrt = cupyx.rsqrt
        if index:
            self._switch_in_every_primitive()

    def _switch_in_every_primitive(self) -> None:
        for name in dir(self):
            primitive = getattr(self, name)
            if not name.startswith("_") and callable(primitive) and not isinstance(primitive, type):
                setattr(self, name, self._switching(primitive))

    def _switching(self, primitive: Callable[..., Any]) -> Callable[..., Any]:
        gpu = self._gpu

        @functools.wraps(primitive, assigned=("__name__", "__doc__"), updated=())
        def switching(*args: Any, **kwargs: Any) -> Any:
            with gpu:
                return primitive(*args, **kwargs)

        return switching

    def from_host(self, array: np.ndarray[Any, Any]) -> Array:
        with self._gpu:
            return self.xp.array(array)

    def memory(self, x: Array) -> Array:
        # A strided view doesn't know its base; every array knows its allocation.
        memory = x.data.mem
        pointer = self.xp.cuda.MemoryPointer(memory, 0)
        return self.xp.ndarray((memory.size // x.itemsize,), x.dtype, pointer)

    def synchronize(self) -> None:
        self._gpu.synchronize()

    def rsqrt(self, x: Array) -> Array:
        return self._rsqrt(x)

    def erf(self, x: Array) -> Array:
        # One kernel for the dozens of the generic body; for float16 it answers in float64.
        return self._erf(x).astype(x.dtype, copy=False)
