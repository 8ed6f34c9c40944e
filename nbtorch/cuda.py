"""The everyday surface of ``torch.cuda``, over CuPy, which is imported when a question needs it and never before."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from .backends.cupy import load_cupy, why_unavailable
from .backends.device import device as _Device
from .ops.random import manual_seed as _seed_host

__all__ = [
    "current_device", "device", "device_count", "empty_cache", "get_device_capability", "get_device_name",
    "is_available", "is_bf16_supported", "manual_seed", "manual_seed_all", "max_memory_allocated", "memory_allocated",
    "memory_reserved", "reset_peak_memory_stats", "set_device", "synchronize", "why_unavailable",
]  # fmt: skip


def is_available() -> bool:
    """Whether tensors can live on device ``cuda``. Never raises; ``why_unavailable()`` says what is missing."""
    return why_unavailable() is None


def device_count() -> int:
    """How many GPUs can be used; 0 where there is none."""
    return int(load_cupy().cuda.runtime.getDeviceCount()) if is_available() else 0


def current_device() -> int:
    """The index of the GPU that this thread works on.

    Raises:
        RuntimeError: where no GPU can be used.
    """
    return int(load_cupy().cuda.runtime.getDevice())


def _gpu(where: int | str | _Device | None) -> tuple[Any, int]:
    """CuPy and the index of a GPU; None is the current one.

    Raises:
        ValueError: for a device of another kind.
        RuntimeError: where it can't be used.
    """
    if where is not None:
        wanted = _Device(where)
        if wanted.type != "cuda":
            raise ValueError(f"Expected a cuda device, but got: {wanted}")
        if wanted.index is not None:
            return load_cupy(wanted.index), wanted.index
    return load_cupy(), current_device()


def set_device(device: int | str | _Device) -> None:
    """Makes a GPU the one that this thread works on.

    Raises:
        RuntimeError: where it isn't there.
    """
    cupy, index = _gpu(device)
    cupy.cuda.Device(index).use()


class device:
    """``with nbtorch.cuda.device(1):`` makes a GPU the current one of this thread until the end.

    Raises:
        RuntimeError: where it isn't there.
    """

    def __init__(self, device: int | str | _Device) -> None:
        cupy, self.idx = _gpu(device)
        self._device = cupy.cuda.Device(self.idx)

    def __enter__(self) -> None:
        self._device.__enter__()

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._device.__exit__(kind, value, tb)


def get_device_name(device: int | str | _Device | None = None) -> str:
    """The product name of a GPU, as the driver gives it.

    Raises:
        RuntimeError: where it isn't there.
    """
    cupy, index = _gpu(device)
    name = cupy.cuda.runtime.getDeviceProperties(index)["name"]
    return name.decode() if isinstance(name, bytes) else str(name)


def get_device_capability(device: int | str | _Device | None = None) -> tuple[int, int]:
    """The compute capability of a GPU, major and minor.

    Raises:
        RuntimeError: where it isn't there.
    """
    cupy, index = _gpu(device)
    digits = str(cupy.cuda.Device(index).compute_capability)
    return int(digits[:-1]), int(digits[-1])


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether there is a GPU that computes in bfloat16 (capability 8.0 and later)."""
    return is_available() and get_device_capability() >= (8, 0)


def reset_peak_memory_stats(device: int | str | _Device | None = None) -> None:
    """Begins a new maximum of memory in use: the pool gives back what it keeps."""
    empty_cache()


def synchronize(device: int | str | _Device | None = None) -> None:
    """Waits until everything queued on a GPU is done: before a clock is stopped.

    Raises:
        RuntimeError: where it isn't there.
    """
    cupy, index = _gpu(device)
    cupy.cuda.Device(index).synchronize()


def memory_allocated(device: int | str | _Device | None = None) -> int:
    """Bytes that arrays hold now on a GPU, in CuPy's memory pool; 0 where there is no GPU."""
    return _pool_bytes(device, "used_bytes")


def memory_reserved(device: int | str | _Device | None = None) -> int:
    """Bytes that CuPy's memory pool has of a GPU, in use or kept for reuse; 0 where there is no GPU."""
    return _pool_bytes(device, "total_bytes")


def max_memory_allocated(device: int | str | _Device | None = None) -> int:
    """The most bytes in use since ``empty_cache``, from above: the size that the memory pool has grown to.

    The pool keeps no record of the bytes in use at their most, but doesn't shrink by itself.
    """
    return memory_reserved(device)


def _pool_bytes(where: int | str | _Device | None, what: str) -> int:
    if not is_available():
        return 0
    cupy, index = _gpu(where)
    with cupy.cuda.Device(index):
        return int(getattr(cupy.get_default_memory_pool(), what)())


def empty_cache() -> None:
    """Gives the memory that the pool keeps for reuse back to the driver; does nothing where there is no GPU."""
    if is_available():
        cupy = load_cupy()
        cupy.get_default_memory_pool().free_all_blocks()
        cupy.get_default_pinned_memory_pool().free_all_blocks()


def manual_seed(seed: int) -> None:
    """Seeds random tensors on a GPU. Their numbers are drawn on the host, so this is ``nbtorch.manual_seed``."""
    _seed_host(seed)


def manual_seed_all(seed: int) -> None:
    """``manual_seed``, for every GPU."""
    manual_seed(seed)


def __getattr__(name: str) -> Any:
    if name == "amp":  # torch.cuda.amp is the older name of torch.amp
        from . import amp

        return amp
    if name.endswith("Tensor"):
        from .tensor import legacy

        if name in legacy.__all__:
            found = globals()[name] = legacy.legacy_type(name, getattr(legacy, name).dtype, is_cuda=True)
            return found
    raise AttributeError(f"module 'nbtorch.cuda' has no attribute {name!r}")
