"""The poolings that PyTorch has both at its top and in ``nn.functional``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import pooling

__all__: list[str] = [
    "adaptive_avg_pool1d", "adaptive_max_pool1d", "avg_pool1d", "max_pool1d", "max_pool1d_with_indices", "max_pool2d",
    "max_pool3d",
]  # fmt: skip

Sizes = int | Sequence[int]


def max_pool1d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window of ``(n, channels, length)``.

    Args:
        input: also without ``n``.
        kernel_size: the size of a window, one number or one for each dimension, like the arguments that follow.
        stride: the step from window to window; the window's size unless given.
        padding: what counts as minus infinity on both sides; at most half a window.
        dilation: the step from element to element in a window.
        ceil_mode: whether the last window may reach beyond the end.
        return_indices: also give where the maxima are, as indices into the flattened plane.
    """
    return pooling.max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool1d_with_indices(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Any, Any]:
    """:func:`max_pool1d` and where the maxima are."""
    return pooling.max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool2d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window of ``(n, channels, h, w)``.

    The arguments are those of :func:`max_pool1d`.
    """
    return pooling.max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window of ``(n, channels, d, h, w)``.

    The arguments are those of :func:`max_pool1d`.
    """
    return pooling.max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def avg_pool1d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The average of each window of ``(n, channels, length)``.

    Args:
        input: also without ``n``.
        kernel_size: the size of a window, one number or one for each dimension, like the arguments that follow.
        stride: the step from window to window; the window's size unless given.
        padding: zeros on both sides; at most half a window.
        ceil_mode: whether the last window may reach beyond the end.
        count_include_pad: whether the zeros of the padding count.
    """
    return pooling.avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def adaptive_avg_pool1d(input: Any, output_size: Sizes) -> Any:
    """Averages over windows that cover the input as evenly as can be: the output has the given size."""
    return pooling.adaptive_avg_pool(1, input, output_size)


def adaptive_max_pool1d(input: Any, output_size: Sizes) -> tuple[Any, Any]:
    """Maxima over windows that cover the input as evenly as can be, and where they are.

    In ``nn.functional`` the function of this name gives the maxima alone unless asked.
    """
    return pooling.adaptive_max_pool(1, input, output_size, True)
