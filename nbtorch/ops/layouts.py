"""Tensors whose elements lie in memory in an order of one's own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..autograd.variable import Variable, wrap
from ..backends import get_backend, new_on
from ..backends.dtypes import dtype as DType
from ..backends.dtypes import get_default_dtype
from ..backends.layouts import (
    channels_last,
    channels_last_3d,
    contiguous_format,
    dense_strides,
    layout,
    memory_format,
    preserve_format,
    strided,
)
from .creation import as_numpy_dtype
from .memory import extent
from .shape import sizes

__all__ = [
    "channels_last", "channels_last_3d", "contiguous_format", "empty_permuted", "empty_strided", "layout",
    "memory_format", "preserve_format", "strided",
]  # fmt: skip


def _strided(function: str, size: Any, stride: Any, d: DType | None, backend: Any, requires_grad: bool) -> Any:
    shape, steps = sizes((size,), function), sizes((stride,), function)
    if len(shape) != len(steps):
        raise RuntimeError(
            f"{function}: dimensionality of sizes ({len(shape)}) must match dimensionality of strides ({len(steps)})"
        )
    if any(n < 0 for n in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    if any(s < 0 for s in steps):
        raise RuntimeError(f"{function}: Negative strides are not supported, got strides: {list(steps)}")
    flat = backend.empty((extent(shape, steps, 0),), as_numpy_dtype(d))
    out = wrap(backend.as_strided(flat, shape, steps, 0), backend)
    return out.requires_grad_() if requires_grad else out


def empty_strided(
    size: Any,
    stride: Any,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:
    """A tensor of shape ``size`` and these strides, with whatever its memory holds.

    Raises:
        RuntimeError: for negative sizes or strides, or another number of them.
    """
    return _strided("empty_strided", size, stride, dtype or get_default_dtype(), new_on(device), requires_grad)


def empty_permuted(
    size: Any,
    physical_layout: Sequence[int],
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:
    """A tensor without gaps, with whatever its memory holds.

    Args:
        size: its shape.
        physical_layout: the dimensions from the outermost in memory to the innermost.

    Raises:
        RuntimeError: where ``physical_layout`` does not name each dimension once.
    """
    shape, order = sizes((size,), "empty_permuted"), tuple(physical_layout)
    if len(order) != len(shape):
        raise RuntimeError(
            f"Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = "
            f"{len(shape)} is not equal to len(physical_layout) = {len(order)}"
        )
    for i, d in enumerate(order):
        if not 0 <= d < len(shape):
            raise RuntimeError(
                f"Dimension out of range (expected to be between 0 and {len(shape) - 1}, but got {d} at "
                f"index {i}).  NB: negative dims not currently supported; file an issue if you want it."
            )
        if d in order[:i]:
            raise RuntimeError("Duplicate dim not allowed")
    backend = new_on(device)
    if math.prod(shape) < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    return _strided(
        "empty_permuted", shape, dense_strides(shape, order), dtype or get_default_dtype(), backend, requires_grad
    )


class LayoutMethods(Variable):
    """Methods of ``Tensor`` about the order in memory."""

    __slots__ = ()

    def new_empty_strided(
        self,
        size: Any,
        stride: Any,
        dtype: DType | None = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
    ) -> Any:
        """``empty_strided`` with this tensor's dtype and device unless given."""
        backend = self._backend if device is None else get_backend(device)
        return _strided("new_empty_strided", size, stride, dtype or self._dtype(), backend, requires_grad)
