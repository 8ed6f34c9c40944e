"""The everyday surface of ``torch.cuda``, over CuPy, which is imported when a question needs it and never before."""

from __future__ import annotations

import functools
from typing import Any

from .backends.device import device as Device

Where = int | str | Device | None


def _reason(error: Exception) -> str:
    """The first line of an error, with its kind."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


@functools.cache
def why_unavailable() -> str | None:
    """Why no tensor can live on a GPU here, and what to do about it; None where one can. Never raises."""
    try:
        import cupy
    except ImportError as error:
        return (
            f"CuPy can't be imported ({_reason(error)})\n"
            "  expected: CuPy 14 and an NVIDIA GPU with its driver\n"
            "  fix: pip install 'nbtorch[cuda13]' (for drivers of CUDA 12: 'nbtorch[cuda12]'), or stay on device 'cpu'"
        )
    except Exception as error:  # a broken installation fails in ways of its own
        return f"CuPy is installed but fails to load ({_reason(error)})\n  fix: reinstall it; never two CuPy packages"
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:
        return (
            f"CuPy {cupy.__version__} finds no usable GPU ({_reason(error)})\n"
            "  expected: an NVIDIA GPU, and a driver no older than CuPy's CUDA\n"
            "  fix: check `nvidia-smi`; stay on device 'cpu' where there is no GPU"
        )
    return None if count else "there is no NVIDIA GPU in this machine\n  fix: stay on device 'cpu'"


def is_available() -> bool:
    """Whether tensors can live on device ``cuda``. Never raises; ``why_unavailable`` says what is missing."""
    return why_unavailable() is None


def device_count() -> int:
    """How many GPUs can be used; 0 where there is none."""
    return int(_cupy().cuda.runtime.getDeviceCount()) if is_available() else 0


def _cupy() -> Any:
    """CuPy, where it can be used.

    Raises:
        RuntimeError: with the reason where it can't.
    """
    reason = why_unavailable()
    if reason is not None:
        raise RuntimeError(f"device 'cuda' can't be used: {reason}")
    import cupy

    return cupy


def require(index: int) -> Any:
    """CuPy, if GPU ``index`` is there.

    Raises:
        RuntimeError: without CuPy or a GPU, or for an index beyond the last GPU.
    """
    cupy = _cupy()
    count = int(cupy.cuda.runtime.getDeviceCount())
    if not 0 <= index < count:
        raise RuntimeError(
            f"CUDA error: invalid device ordinal\n  got: device 'cuda:{index}'\n"
            f"  expected: an index from 0 to {count - 1}\n  fix: use device 'cuda:0'"
        )
    return cupy


def _index(where: Where) -> int:
    """The number of the GPU meant; None is the current one.

    Raises:
        ValueError: for a device of another kind.
    """
    if where is None:
        return current_device()
    wanted = Device(where)
    if wanted.type != "cuda":
        raise ValueError(f"Expected a cuda device, but got: {wanted}")
    return current_device() if wanted.index is None else wanted.index


def current_device() -> int:
    """The number of the GPU that ``"cuda"`` without a number means.

    Raises:
        RuntimeError: where no GPU can be used.
    """
    return int(_cupy().cuda.runtime.getDevice())


def get_device_name(device: Where = None) -> str:
    """The product name of a GPU, as the driver gives it.

    Raises:
        RuntimeError: where it isn't there.
    """
    index = _index(device)
    name = require(index).cuda.runtime.getDeviceProperties(index)["name"]
    return name.decode() if isinstance(name, bytes) else str(name)


def synchronize(device: Where = None) -> None:
    """Waits until everything queued on a GPU is done: before stopping a clock.

    Raises:
        RuntimeError: where it isn't there.
    """
    index = _index(device)
    require(index).cuda.Device(index).synchronize()


def memory_allocated(device: Where = None) -> int:
    """Bytes that arrays hold on a GPU now, in CuPy's memory pool; 0 where there is no GPU."""
    if not is_available():
        return 0
    index = _index(device)
    cupy = require(index)
    with cupy.cuda.Device(index):
        return int(cupy.get_default_memory_pool().used_bytes())


def memory_reserved(device: Where = None) -> int:
    """Bytes that the memory pool holds on a GPU, used or kept for reuse; 0 where there is no GPU."""
    if not is_available():
        return 0
    index = _index(device)
    cupy = require(index)
    with cupy.cuda.Device(index):
        return int(cupy.get_default_memory_pool().total_bytes())


def max_memory_allocated(device: Where = None) -> int:
    """The most bytes that the memory pool has held since ``empty_cache``, an upper bound of what PyTorch gives.

    CuPy's pool keeps no high-water mark of the bytes in use, but does not shrink by itself: its size is that mark,
    rounded up to whole blocks.
    """
    return memory_reserved(device)


def empty_cache() -> None:
    """Gives memory that the pool keeps for reuse back to the driver; does nothing where there is no GPU."""
    if is_available():
        _cupy().get_default_memory_pool().free_all_blocks()
        _cupy().get_default_pinned_memory_pool().free_all_blocks()


def manual_seed(seed: int) -> None:
    """Seeds the random numbers of tensors on a GPU. They are drawn on the host, so this is ``nbtorch.manual_seed``."""
    from .tensor.random import manual_seed as seed_host

    seed_host(seed)


def manual_seed_all(seed: int) -> None:
    """``manual_seed``, for every GPU."""
    manual_seed(seed)
