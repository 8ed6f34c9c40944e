"""``torch.accelerator``: the GPU, whatever its kind."""

from __future__ import annotations

from typing import Any

from .. import cuda
from ..annex import name_what_is_missing
from ..backends.device import device

__all__ = [
    "current_accelerator", "current_device_idx", "current_device_index", "current_stream", "device_count",
    "device_index", "empty_cache", "get_device_capability", "get_memory_info", "is_available",
    "max_memory_allocated", "max_memory_reserved", "memory_allocated", "memory_reserved", "memory_stats",
    "reset_accumulated_memory_stats", "reset_peak_memory_stats", "set_device_idx", "set_device_index",
    "set_stream", "synchronize",
]  # fmt: skip


def is_available() -> bool:
    """Whether there is a GPU to compute on."""
    return cuda.is_available()


def current_accelerator(check_available: bool = False) -> device | None:
    """The kind of GPU there is; None where there is none."""
    return device("cuda") if cuda.is_available() else None


def device_count() -> int:
    """How many GPUs can be used."""
    return cuda.device_count()


def _require() -> None:
    """
    Raises:
        RuntimeError: without a GPU.
    """
    if not cuda.is_available():
        raise RuntimeError(f"Cannot access accelerator device when none is available.\n  why: {cuda.why_unavailable()}")


def synchronize(device: Any = None) -> None:
    """Waits until everything queued on the GPU is done."""
    _require()
    cuda.synchronize(device)


def current_device_index() -> int:
    """The index of the GPU that this thread works on."""
    _require()
    return cuda.current_device()


def set_device_index(device: Any) -> None:
    """Makes a GPU the one that this thread works on."""
    _require()
    cuda.set_device(device)


current_device_idx, set_device_idx = current_device_index, set_device_index


class device_index:
    """``with torch.accelerator.device_index(1):`` makes a GPU the current one until the end; None changes nothing."""

    def __init__(self, device: int | None) -> None:
        self._inner = cuda.device(-1 if device is None else device)

    def __enter__(self) -> None:
        self._inner.__enter__()

    def __exit__(self, *exc: Any) -> None:
        self._inner.__exit__(*exc)


def current_stream(device: Any = None) -> cuda.Stream:
    """The queue that work goes to now."""
    _require()
    return cuda.current_stream(device)


def set_stream(stream: cuda.Stream) -> None:
    """Work goes to ``stream`` from now on."""
    _require()
    cuda.set_stream(stream)


def empty_cache() -> None:
    """Gives memory that is kept for reuse back to the driver."""
    _require()
    cuda.empty_cache()


def memory_allocated(device: Any = None) -> int:
    """Bytes that tensors hold now."""
    _require()
    return cuda.memory_allocated(device)


def memory_reserved(device: Any = None) -> int:
    """Bytes in use or kept for reuse."""
    _require()
    return cuda.memory_reserved(device)


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes in use, from above."""
    _require()
    return cuda.max_memory_allocated(device)


def max_memory_reserved(device: Any = None) -> int:
    """The most bytes in use or kept for reuse."""
    _require()
    return cuda.max_memory_reserved(device)


def memory_stats(device: Any = None) -> dict[str, int]:
    """What is known of the memory pool."""
    _require()
    return cuda.memory_stats(device)


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The compute capability of the GPU, major and minor."""
    _require()
    return cuda.get_device_capability(device)


def get_memory_info(device: Any = None) -> tuple[int, int]:
    """Free and total bytes."""
    _require()
    return cuda.mem_get_info(device)


def reset_peak_memory_stats(device: Any = None) -> None:
    """Begins a new maximum."""
    _require()
    cuda.reset_peak_memory_stats(device)


def reset_accumulated_memory_stats(device: Any = None) -> None:
    """Accepted: nothing is counted up."""
    _require()


name_what_is_missing(globals())
