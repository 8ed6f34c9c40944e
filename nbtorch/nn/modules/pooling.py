"""Layers that take the maximum, the average or a norm over windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...tensor import Tensor
from .. import functional as F
from .module import Module
from .utils import _ntuple

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]

Sizes = int | Sequence[int]
OpenSizes = int | None | Sequence[int | None]
"""Sizes of which None means that of the input."""
Ratios = float | Sequence[float]


class _MaxPoolNd(Module):
    _dims: int

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        return getattr(F, f"max_pool{self._dims}d")(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """The maximum of each window of a signal.

    Args:
        kernel_size: the length of a window.
        stride: the step from one window to the next; that length when left out.
        padding: what the input is longer on both sides, without ever being the maximum.
        dilation: the step between the elements of a window.
        return_indices: also return where the maxima are, for :class:`MaxUnpool1d`.
        ceil_mode: whether a last window may reach beyond the input.

    Shape:
        input ``(n, channels, length)`` or without ``n``; output alike with
        ``(length + 2 padding - dilation (kernel_size - 1) - 1) // stride + 1``.
    """

    _dims = 1


class MaxPool2d(_MaxPoolNd):
    """The maximum of each window of an image; the arguments are those of :class:`MaxPool1d`.

    Shape:
        input ``(n, channels, h, w)`` or without ``n``; output ``(n, channels, h', w')``.
    """

    _dims = 2


class MaxPool3d(_MaxPoolNd):
    """The maximum of each window of a volume; the arguments are those of :class:`MaxPool1d`.

    Shape:
        input ``(n, channels, d, h, w)`` or without ``n``; output ``(n, channels, d', h', w')``.
    """

    _dims = 3


class _MaxUnpoolNd(Module):
    _dims: int

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        super().__init__()
        each = _ntuple(self._dims)
        self.kernel_size = each(kernel_size)
        self.stride = each(kernel_size if stride is None else stride)
        self.padding = each(padding)

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        unpool = getattr(F, f"max_unpool{self._dims}d")
        return unpool(input, indices, self.kernel_size, self.stride, self.padding, output_size)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """Puts maxima back where :class:`MaxPool1d` found them, among zeros.

    Args:
        kernel_size: the length of a window.
        stride: the step from one window to the next; that length when left out.
        padding: what had been added on both sides.

    Shape:
        input and indices ``(n, channels, length)``; the output has the size that the pooling came from, or the
        call's ``output_size``.
    """

    _dims = 1


class MaxUnpool2d(_MaxUnpoolNd):
    """Puts maxima back where :class:`MaxPool2d` found them; the arguments are those of :class:`MaxUnpool1d`."""

    _dims = 2


class MaxUnpool3d(_MaxUnpoolNd):
    """Puts maxima back where :class:`MaxPool3d` found them; the arguments are those of :class:`MaxUnpool1d`."""

    _dims = 3


class _AvgPoolNd(Module):
    kernel_size: Any
    stride: Any
    padding: Any

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPoolNd):
    """The average of each window of a signal.

    Args:
        kernel_size: the length of a window.
        stride: the step from one window to the next; that length when left out.
        padding: zeros on both sides.
        ceil_mode: whether a last window may reach beyond the input.
        count_include_pad: whether the zeros count in the average.

    Shape:
        input ``(n, channels, length)`` or without ``n``; output alike with
        ``(length + 2 padding - kernel_size) // stride + 1``.
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        each = _ntuple(1)
        self.kernel_size = each(kernel_size)
        self.stride = each(kernel_size if stride is None else stride)
        self.padding = each(padding)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)  # type: ignore[no-any-return]


class _AvgPoolOverridable(_AvgPoolNd):
    _dims: int

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return getattr(F, f"avg_pool{self._dims}d")(  # type: ignore[no-any-return]
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


class AvgPool2d(_AvgPoolOverridable):
    """The average of each window of an image.

    The arguments are those of :class:`AvgPool1d`; with ``divisor_override`` sums are divided by that.

    Shape:
        input ``(n, channels, h, w)`` or without ``n``; output ``(n, channels, h', w')``.
    """

    _dims = 2


class AvgPool3d(_AvgPoolOverridable):
    """The average of each window of a volume.

    The arguments are those of :class:`AvgPool1d`; with ``divisor_override`` sums are divided by that.

    Shape:
        input ``(n, channels, d, h, w)`` or without ``n``; output ``(n, channels, d', h', w')``.
    """

    _dims = 3


class _FractionalMaxPoolNd(Module):
    _dims: int
    _random_samples: Tensor | None

    def __init__(
        self,
        kernel_size: Sizes,
        output_size: Sizes | None = None,
        output_ratio: Ratios | None = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        name, each = type(self).__name__, _ntuple(self._dims)
        self.kernel_size = each(kernel_size)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else each(output_size)
        self.output_ratio = None if output_ratio is None else each(output_ratio)
        if output_size is None and output_ratio is None:
            raise ValueError(f"{name} requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < r < 1 for r in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def forward(self, input: Tensor) -> Any:
        return getattr(F, f"fractional_max_pool{self._dims}d")(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            _random_samples=self._random_samples,
        )


class FractionalMaxPool2d(_FractionalMaxPoolNd):
    """Maxima over windows drawn at random, so that the output may be any fraction of the input (Graham 2014).

    Args:
        kernel_size: the size of a window.
        output_size: how many windows; or
        output_ratio: their number as a fraction, between 0 and 1, of the input's size.
        return_indices: also return where the maxima are.

    Shape:
        input ``(n, channels, h, w)`` or without ``n``; output ``(n, channels, *output_size)``.
    """

    _dims = 2


class FractionalMaxPool3d(_FractionalMaxPoolNd):
    """Maxima over windows of a volume drawn at random; the arguments are those of :class:`FractionalMaxPool2d`.

    Shape:
        input ``(n, channels, d, h, w)`` or without ``n``; output ``(n, channels, *output_size)``.
    """

    _dims = 3

    def __init__(
        self,
        kernel_size: Sizes,
        output_size: Sizes | None = None,
        output_ratio: Ratios | None = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        if any(k <= 0 for k in _ntuple(3)(kernel_size)):
            raise ValueError(f"kernel_size must be greater than 0, but got {kernel_size}")
        super().__init__(kernel_size, output_size, output_ratio, return_indices, _random_samples)


class _LPPoolNd(Module):
    _dims: int

    def __init__(
        self, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        pool = getattr(F, f"lp_pool{self._dims}d")
        return pool(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPoolNd):
    """The p-norm of each window of a signal.

    Args:
        norm_type: p; 1 sums, and a large p nears the maximum.
        kernel_size: the length of a window.
        stride: the step from one window to the next; that length when left out.
        ceil_mode: whether a last window may reach beyond the input.

    Shape:
        input ``(n, channels, length)`` or without ``n``; output alike with ``(length - kernel_size) // stride + 1``.
    """

    _dims = 1


class LPPool2d(_LPPoolNd):
    """The p-norm of each window of an image; the arguments are those of :class:`LPPool1d`."""

    _dims = 2


class LPPool3d(_LPPoolNd):
    """The p-norm of each window of a volume; the arguments are those of :class:`LPPool1d`."""

    _dims = 3


class _AdaptiveMaxPoolNd(Module):
    _dims: int

    def __init__(self, output_size: OpenSizes, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        return getattr(F, f"adaptive_max_pool{self._dims}d")(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """Maxima over so many windows, which cover a signal of any length as evenly as can be.

    Args:
        output_size: how many windows.
        return_indices: also return where the maxima are.

    Shape:
        input ``(n, channels, length)`` or without ``n``; output ``(n, channels, output_size)``.
    """

    _dims = 1


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """Maxima over so many windows, which cover an image of any size as evenly as can be.

    Args:
        output_size: how many windows; one number, or one for each dimension with None for that of the input.
        return_indices: also return where the maxima are.
    """

    _dims = 2


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """Maxima over windows that cover a volume; the arguments are those of :class:`AdaptiveMaxPool2d`."""

    _dims = 3


class _AdaptiveAvgPoolNd(Module):
    _dims: int

    def __init__(self, output_size: OpenSizes) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        pool = getattr(F, f"adaptive_avg_pool{self._dims}d")
        return pool(input, self.output_size)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """Averages over so many windows, which cover a signal of any length as evenly as can be.

    Args:
        output_size: how many windows.

    Shape:
        input ``(n, channels, length)`` or without ``n``; output ``(n, channels, output_size)``.
    """

    _dims = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """Averages over so many windows, which cover an image of any size as evenly as can be.

    Args:
        output_size: how many windows; one number, or one for each dimension with None for that of the input.
    """

    _dims = 2


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """Averages over windows that cover a volume; the argument is that of :class:`AdaptiveAvgPool2d`."""

    _dims = 3
