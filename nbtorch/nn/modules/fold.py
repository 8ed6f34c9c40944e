"""Layers between images and the windows in them."""

from __future__ import annotations

from collections.abc import Sequence

from ...tensor import Tensor
from .. import functional as F
from .module import Module

__all__ = ["Fold", "Unfold"]

Sizes = int | Sequence[int]


class Fold(Module):
    """Adds windows up to the image that they were cut from: the transpose of :class:`Unfold`.

    Args:
        output_size: the size of the image.
        kernel_size: the size of a window.
        dilation: the step between the elements of a window.
        padding: zeros that had been around the image.
        stride: the step from one window to the next.

    Shape:
        input ``(n, channels * window, windows)`` or without ``n``; output ``(n, channels, *output_size)``.
    """

    def __init__(
        self, output_size: Sizes, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )


class Unfold(Module):
    """The windows of an image side by side, each as a column.

    Args:
        kernel_size: the size of a window.
        dilation: the step between the elements of a window.
        padding: zeros around the image.
        stride: the step from one window to the next.

    Shape:
        input ``(n, channels, h, w)`` or without ``n``; output ``(n, channels * window, windows)``.
    """

    def __init__(self, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
