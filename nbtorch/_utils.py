"""``torch._utils``: what programs take from PyTorch's inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import cuda
from .backends.device import device as _Device
from .tensor import Tensor, cat

__all__: list[str] = []


def _flatten_dense_tensors(tensors: Sequence[Tensor]) -> Tensor:
    """All elements of several tensors in one row."""
    return cat([t.contiguous().view(-1) for t in tensors])


def _unflatten_dense_tensors(flat: Tensor, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The row of :func:`_flatten_dense_tensors` cut up again, into the shapes of ``tensors``."""
    out, start = [], 0
    for t in tensors:
        out.append(flat[start : start + t.numel()].view(t.shape))
        start += t.numel()
    return tuple(out)


def _get_device_index(device: Any, optional: bool = False, allow_cpu: bool = False) -> int:
    """The index of a device; -1 for the CPU, the current GPU's where it has none."""
    if isinstance(device, int):
        return device
    if device is None:
        return cuda.current_device()
    wanted = _Device(device)
    if wanted.type == "cpu" and allow_cpu:
        return -1
    if wanted.index is not None:
        return wanted.index
    if not optional:
        raise ValueError(f"Expected a torch.device with a specified index or an integer, but got:{device}")
    return cuda.current_device()


def _get_available_device_type() -> str | None:
    """The kind of GPU there is."""
    return "cuda" if cuda.is_available() else None


def _element_size(dtype: Any) -> int:
    """Bytes per element."""
    return int(dtype.itemsize)
