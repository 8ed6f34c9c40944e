"""How much memory of a GPU is in use: CuPy's memory pool, as ``torch.cuda.memory`` tells it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from ._gpu import Where, gpu, is_available, refuse_without_gpu

__all__ = [
    "empty_cache", "get_allocator_backend", "get_per_process_memory_fraction", "host_memory_stats",
    "list_gpu_processes", "max_memory_allocated", "max_memory_cached", "max_memory_reserved", "mem_get_info",
    "memory_allocated", "memory_cached", "memory_reserved", "memory_snapshot", "memory_stats",
    "memory_stats_as_nested_dict", "memory_summary", "reset_accumulated_memory_stats", "reset_max_memory_allocated",
    "reset_max_memory_cached", "reset_peak_memory_stats", "set_per_process_memory_fraction",
]  # fmt: skip


def _pool(where: Where) -> Any:
    """The memory pool of a GPU, and a context in which it is the current one's."""
    cupy, index = gpu(where)
    return cupy.get_default_memory_pool(), cupy.cuda.Device(index)


def _pool_bytes(where: Where, what: str) -> int:
    if not is_available():
        return 0
    pool, here = _pool(where)
    with here:
        return int(getattr(pool, what)())


def memory_allocated(device: Where = None) -> int:
    """Bytes that arrays hold now on a GPU, in CuPy's memory pool; 0 where there is no GPU."""
    return _pool_bytes(device, "used_bytes")


def memory_reserved(device: Where = None) -> int:
    """Bytes that CuPy's memory pool has of a GPU, in use or kept for reuse; 0 where there is no GPU."""
    return _pool_bytes(device, "total_bytes")


def max_memory_allocated(device: Where = None) -> int:
    """The most bytes in use since ``empty_cache``, from above: the size that the memory pool has grown to.

    The pool keeps no record of the bytes in use at their most, but doesn't shrink by itself.
    """
    return memory_reserved(device)


def max_memory_reserved(device: Where = None) -> int:
    """The size that the memory pool has grown to since ``empty_cache``."""
    return memory_reserved(device)


memory_cached, max_memory_cached = memory_reserved, max_memory_reserved


def empty_cache() -> None:
    """Gives the memory that the pool keeps for reuse back to the driver; does nothing where there is no GPU."""
    if is_available():
        cupy, _ = gpu(None)
        cupy.get_default_memory_pool().free_all_blocks()
        cupy.get_default_pinned_memory_pool().free_all_blocks()


def reset_peak_memory_stats(device: Where = None) -> None:
    """Begins a new maximum of memory in use: the pool gives back what it keeps."""
    empty_cache()


def reset_accumulated_memory_stats(device: Where = None) -> None:
    """Accepted: the pool counts nothing up."""


reset_max_memory_allocated = reset_max_memory_cached = reset_peak_memory_stats


def mem_get_info(device: Where = None) -> tuple[int, int]:
    """Free and total bytes of a GPU, as the driver tells them.

    Raises:
        RuntimeError: without a GPU.
    """
    cupy, index = gpu(device)
    with cupy.cuda.Device(index):
        free, total = cupy.cuda.runtime.memGetInfo()
    return int(free), int(total)


def memory_stats(device: Where = None) -> OrderedDict[str, int]:
    """What is known of the memory pool, under PyTorch's names; empty without a GPU."""
    if not is_available():
        return OrderedDict()
    used, kept = memory_allocated(device), memory_reserved(device)
    return OrderedDict(
        {
            "allocated_bytes.all.current": used, "allocated_bytes.all.peak": kept,
            "reserved_bytes.all.current": kept, "reserved_bytes.all.peak": kept,
        }
    )  # fmt: skip


def memory_stats_as_nested_dict(device: Where = None) -> dict[str, Any]:
    """:func:`memory_stats`, nested at the points of its names."""
    out: dict[str, Any] = {}
    for name, value in memory_stats(device).items():
        place = out
        *path, last = name.split(".")
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return out


def host_memory_stats() -> OrderedDict[str, int]:
    """Nothing is known of pinned memory."""
    return OrderedDict()


def memory_summary(device: Where = None, abbreviated: bool = False) -> str:
    """The memory pool in words.

    Raises:
        RuntimeError: without a GPU.
    """
    refuse_without_gpu()
    free, total = mem_get_info(device)
    lines = [f"{name:<30}{value / 2**20:>12.1f} MiB" for name, value in memory_stats(device).items()]
    return "\n".join([*lines, f"{'free on the GPU':<30}{free / 2**20:>12.1f} MiB of {total / 2**20:.1f} MiB"])


def memory_snapshot(mempool_id: Any = None) -> list[Any]:
    """Nothing is known of single blocks."""
    refuse_without_gpu()
    return []


def list_gpu_processes(device: Where = None) -> str:
    """Who else uses the GPU is known to ``nvidia-smi`` alone."""
    return "see what `nvidia-smi` says"


def set_per_process_memory_fraction(fraction: float, device: Where = None) -> None:
    """The memory pool may grow to this part of the GPU's memory.

    Raises:
        ValueError: unless it is between 0 and 1.
        RuntimeError: without a GPU.
    """
    refuse_without_gpu()
    if not 0 <= fraction <= 1:
        raise ValueError(f"Invalid fraction value: {fraction}. Allowed range: 0~1")
    pool, here = _pool(device)
    with here:
        pool.set_limit(fraction=fraction)


def get_per_process_memory_fraction(device: Where = None) -> float:
    """The part of the GPU's memory that the pool may grow to.

    Raises:
        RuntimeError: without a GPU.
    """
    refuse_without_gpu()
    pool, here = _pool(device)
    with here:
        limit = int(pool.get_limit())
    return limit / mem_get_info(device)[1] if limit else 1.0


def get_allocator_backend() -> str:
    """The name of what hands out memory."""
    return "cupy"
