"""How the elements of a tensor lie in memory: PyTorch's memory formats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


class layout:
    """A kind of tensor storage; there is one, ``strided``."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"


class memory_format:
    """An order of the dimensions in memory: ``contiguous_format``, ``channels_last`` and the like."""

    __slots__ = ("name", "order")

    def __init__(self, name: str, order: tuple[int, ...] | None = None) -> None:
        self.name = name
        self.order = (
            order  # the dimensions from the outermost in memory to the innermost; None where any number will do
        )

    def __repr__(self) -> str:
        return f"torch.{self.name}"


strided = layout("strided")
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last", (0, 2, 3, 1))
channels_last_3d = memory_format("channels_last_3d", (0, 2, 3, 4, 1))


def order_of(format: memory_format, ndim: int) -> tuple[int, ...]:
    """The dimensions from the outermost in memory to the innermost.

    Raises:
        RuntimeError: for a format that tensors of this number of dimensions don't have.
    """
    if format.order is None:
        return tuple(range(ndim))
    if len(format.order) != ndim:
        raise RuntimeError(
            f"required rank {len(format.order)} tensor to use {format.name} format\n"
            f"  got: a tensor with {ndim} dimensions"
        )
    return format.order


def order_in_memory(array: Any) -> tuple[int, ...]:
    """The dimensions of an array from the outermost in memory to the innermost."""
    return tuple(sorted(range(array.ndim), key=lambda d: -array.strides[d]))


def inverse(order: Sequence[int]) -> tuple[int, ...]:
    """The permutation that undoes ``order``."""
    return tuple(sorted(range(len(order)), key=order.__getitem__))


def dense_strides(shape: Sequence[int], order: Sequence[int]) -> tuple[int, ...]:
    """Strides without gaps, where ``order`` names the dimensions from the outermost to the innermost."""
    out = [0] * len(shape)
    for i, d in enumerate(order):
        out[d] = math.prod(max(shape[k], 1) for k in order[i + 1 :])
    return tuple(out)
