"""Layers that add edges to signals, images and volumes."""

from __future__ import annotations

from collections.abc import Sequence

from ...tensor import Tensor
from .. import functional as F
from .module import Module
from .utils import _ntuple

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip

Lengths = int | Sequence[int]


class _PadNd(Module):
    """The lengths before and after each dimension, the last dimension first.

    Args:
        padding: one length for all edges, or one for each: (left, right, top, bottom, front, back); negative ones
            cut off.
    """

    _dims: int
    _mode: str

    def __init__(self, padding: Lengths) -> None:
        super().__init__()
        self.padding = _ntuple(2 * self._dims)(padding)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _CircularPadNd(_PadNd):
    _mode = "circular"

    def _check_input_dim(self, input: Tensor) -> None:
        n = self._dims
        if input.dim() not in (n + 1, n + 2):
            raise ValueError(f"expected {n + 1}D or {n + 2}D input (got {input.dim()}D input)")

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        return super().forward(input)


class _ConstantPadNd(_PadNd):
    _mode = "constant"

    def __init__(self, padding: Lengths, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ReflectionPadNd(_PadNd):
    _mode = "reflect"


class _ReplicationPadNd(_PadNd):
    _mode = "replicate"


class CircularPad1d(_CircularPadNd):
    """Continues signals around with their other end.

    Args:
        padding: one length for all edges, or (left, right); negative ones cut off.

    Shape:
        input ``(n, channels, length)`` or without ``n``; output alike, with the edges.
    """

    _dims = 1


class CircularPad2d(_CircularPadNd):
    """Continues images around with their other end.

    Args:
        padding: one length for all edges, or (left, right, top, bottom); negative ones cut off.

    Shape:
        input ``(n, channels, h, w)`` or without ``n``; output alike, with the edges.
    """

    _dims = 2


class CircularPad3d(_CircularPadNd):
    """Continues volumes around with their other end.

    Args:
        padding: one length for all edges, or (left, right, top, bottom, front, back); negative ones cut off.

    Shape:
        input ``(n, channels, d, h, w)`` or without ``n``; output alike, with the edges.
    """

    _dims = 3


class ConstantPad1d(_ConstantPadNd):
    """Adds edges of one value to signals.

    Args:
        padding: one length for all edges, or (left, right); negative ones cut off.
        value: what the edges are filled with.

    Shape:
        input ``(n, channels, length)`` or without ``n``; output alike, with the edges.
    """

    _dims = 1


class ConstantPad2d(_ConstantPadNd):
    """Adds edges of one value to images.

    Args:
        padding: one length for all edges, or (left, right, top, bottom); negative ones cut off.
        value: what the edges are filled with.

    Shape:
        input ``(n, channels, h, w)`` or without ``n``; output alike, with the edges.
    """

    _dims = 2


class ConstantPad3d(_ConstantPadNd):
    """Adds edges of one value to volumes.

    Args:
        padding: one length for all edges, or (left, right, top, bottom, front, back); negative ones cut off.
        value: what the edges are filled with.

    Shape:
        input ``(n, channels, d, h, w)`` or without ``n``; output alike, with the edges.
    """

    _dims = 3


class ReflectionPad1d(_ReflectionPadNd):
    """Mirrors signals at their edges, without the outermost element.

    Args:
        padding: one length for all edges, or (left, right); negative ones cut off.

    Shape:
        input ``(n, channels, length)`` or without ``n``; output alike, with the edges.
    """

    _dims = 1


class ReflectionPad2d(_ReflectionPadNd):
    """Mirrors images at their edges, without the outermost element.

    Args:
        padding: one length for all edges, or (left, right, top, bottom); negative ones cut off.

    Shape:
        input ``(n, channels, h, w)`` or without ``n``; output alike, with the edges.
    """

    _dims = 2


class ReflectionPad3d(_ReflectionPadNd):
    """Mirrors volumes at their edges, without the outermost element.

    Args:
        padding: one length for all edges, or (left, right, top, bottom, front, back); negative ones cut off.

    Shape:
        input ``(n, channels, d, h, w)`` or without ``n``; output alike, with the edges.
    """

    _dims = 3


class ReplicationPad1d(_ReplicationPadNd):
    """Repeats the outermost element of signals.

    Args:
        padding: one length for all edges, or (left, right); negative ones cut off.

    Shape:
        input ``(n, channels, length)`` or without ``n``; output alike, with the edges.
    """

    _dims = 1


class ReplicationPad2d(_ReplicationPadNd):
    """Repeats the outermost element of images.

    Args:
        padding: one length for all edges, or (left, right, top, bottom); negative ones cut off.

    Shape:
        input ``(n, channels, h, w)`` or without ``n``; output alike, with the edges.
    """

    _dims = 2


class ReplicationPad3d(_ReplicationPadNd):
    """Repeats the outermost element of volumes.

    Args:
        padding: one length for all edges, or (left, right, top, bottom, front, back); negative ones cut off.

    Shape:
        input ``(n, channels, d, h, w)`` or without ``n``; output alike, with the edges.
    """

    _dims = 3


class ZeroPad1d(ConstantPad1d):
    """Adds zeros to signals.

    Args:
        padding: one length for all edges, or (left, right); negative ones cut off.

    Shape:
        input ``(n, channels, length)`` or without ``n``; output alike, with the edges.
    """

    def __init__(self, padding: Lengths) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """Adds zeros to images.

    Args:
        padding: one length for all edges, or (left, right, top, bottom); negative ones cut off.

    Shape:
        input ``(n, channels, h, w)`` or without ``n``; output alike, with the edges.
    """

    def __init__(self, padding: Lengths) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad3d(ConstantPad3d):
    """Adds zeros to volumes.

    Args:
        padding: one length for all edges, or (left, right, top, bottom, front, back); negative ones cut off.

    Shape:
        input ``(n, channels, d, h, w)`` or without ``n``; output alike, with the edges.
    """

    def __init__(self, padding: Lengths) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"
