"""Convolutions and transposed convolutions in one to three dimensions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...backends.dtypes import dtype as DType
from ...tensor import Tensor, empty
from .. import functional as F
from .. import init
from ..parameter import Parameter
from .module import Module
from .utils import _ntuple, _reverse_repeat_tuple

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

Sizes = int | Sequence[int]

_EDGES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """What the convolutions share; every size is a tuple already.

    Attributes:
        weight: ``(out_channels, in_channels / groups, *kernel_size)``, or ``(in_channels, out_channels / groups,
            *kernel_size)`` when transposed; drawn uniformly from ±1/sqrt(the weights of one output channel).
        bias: ``(out_channels,)`` or None, drawn from the same range.

    Raises:
        ValueError: where the channels don't divide into the groups, or a way of padding is unknown.
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        padding: str | tuple[int, ...],
        dilation: tuple[int, ...],
        transposed: bool,
        output_padding: tuple[int, ...],
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups:
            raise ValueError(f"in_channels must be divisible by groups\n  got: {in_channels} and {groups}")
        if out_channels % groups:
            raise ValueError(f"out_channels must be divisible by groups\n  got: {out_channels} and {groups}")
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be one of 'same', 'valid'")
            if padding == "same" and any(s != 1 for s in stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in _EDGES:
            raise ValueError(f"padding_mode must be one of {_EDGES}, but got padding_mode='{padding_mode}'")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        # What F.pad takes, for the edges that the convolution itself can't make.
        around: list[int] = []
        if isinstance(padding, str):
            for d, k in zip(reversed(dilation), reversed(kernel_size), strict=True):
                total = d * (k - 1) if padding == "same" else 0
                around += [total // 2, total - total // 2]
        else:
            around += _reverse_repeat_tuple(padding, 2)
        self._reversed_padding_repeated_twice = around
        channels = (in_channels, out_channels // groups) if transposed else (out_channels, in_channels // groups)
        self.weight = Parameter(empty((*channels, *kernel_size), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        # a = sqrt(5) makes the Kaiming bound 1/sqrt(fan_in).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        n = len(self.kernel_size)
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        for name, usual in (("padding", 0), ("dilation", 1), ("output_padding", 0)):
            value = getattr(self, name)
            if value != (usual,) * n:
                text += f", {name}={value}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class _Conv(_ConvNd):
    _dims: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        each = _ntuple(self._dims)
        super().__init__(
            in_channels,
            out_channels,
            each(kernel_size),
            each(stride),
            padding if isinstance(padding, str) else each(padding),
            each(dilation),
            False,
            each(0),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        convolve, padding = getattr(F, f"conv{self._dims}d"), self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            padding = (0,) * self._dims
        return convolve(input, weight, bias, self.stride, padding, self.dilation, self.groups)  # type: ignore[no-any-return]

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(_Conv):
    """Convolution (a correlation, the kernel isn't flipped) of signals with several channels.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output, one kernel for each.
        kernel_size: the length of a kernel.
        stride: the step of the kernel.
        padding: what is added on both sides of the input; ``"valid"`` for nothing, ``"same"`` for so much that the
            output is as long as the input.
        dilation: the step between the kernel's elements.
        groups: input and output channels are split into this many groups that don't meet.
        bias: whether there is an additive bias.
        padding_mode: what stands in the padding: ``zeros``, or the input by ``reflect``, ``replicate``, ``circular``.
        device: where the parameters are made.
        dtype: their floating-point type.

    Shape:
        input ``(n, in_channels, length)`` or without ``n``; output ``(n, out_channels, out)`` with
        ``out = (length + 2 padding - dilation (kernel_size - 1) - 1) // stride + 1``.
    """

    _dims = 1


class Conv2d(_Conv):
    """Convolution of images with several channels.

    The arguments are those of :class:`Conv1d`; sizes may be one number or one for each dimension.

    Shape:
        input ``(n, in_channels, h, w)`` or without ``n``; output ``(n, out_channels, h', w')``.
    """

    _dims = 2


class Conv3d(_Conv):
    """Convolution of volumes with several channels.

    The arguments are those of :class:`Conv1d`; sizes may be one number or one for each dimension.

    Shape:
        input ``(n, in_channels, d, h, w)`` or without ``n``; output ``(n, out_channels, d', h', w')``.
    """

    _dims = 3


class _ConvTransposeNd(_ConvNd):
    """What the transposed convolutions share: how the output's size is chosen."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        padding: tuple[int, ...],
        dilation: tuple[int, ...],
        transposed: bool,
        output_padding: tuple[int, ...],
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            transposed,
            output_padding,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _output_padding(
        self,
        input: Tensor,
        output_size: Sequence[int] | None,
        stride: Sequence[int],
        padding: Sequence[int],
        kernel_size: Sequence[int],
        num_spatial_dims: int,
        dilation: Sequence[int] | None = None,
    ) -> list[int]:
        """By how much the output is longer than it must be, so that it has the wanted size."""
        if output_size is None:
            return list(self.output_padding)
        n = num_spatial_dims
        first = 2 if input.dim() == n + 2 else 1
        wanted = list(output_size)
        if len(wanted) == first + n:
            wanted = wanted[first:]
        if len(wanted) != n:
            raise ValueError(
                f"ConvTranspose{n}D: for {input.dim()}D input, output_size must have {n} or {first + n} elements "
                f"(got {len(wanted)})"
            )
        spread = (1,) * n if dilation is None else dilation
        sizes = list(input.shape[first : first + n])
        least = [
            (size - 1) * s - 2 * p + d * (k - 1) + 1
            for size, s, p, d, k in zip(sizes, stride, padding, spread, kernel_size, strict=True)
        ]
        most = [low + s - 1 for low, s in zip(least, stride, strict=True)]
        if any(not low <= w <= high for low, w, high in zip(least, wanted, most, strict=True)):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range from {least} to {most} "
                f"(for an input of {sizes})"
            )
        return [w - low for w, low in zip(wanted, least, strict=True)]


class _ConvTranspose(_ConvTransposeNd):
    _dims: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        each = _ntuple(self._dims)
        super().__init__(
            in_channels,
            out_channels,
            each(kernel_size),
            each(stride),
            each(padding),
            each(dilation),
            True,
            each(output_padding),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        if self.padding_mode != "zeros":
            raise ValueError(f"Only `zeros` padding mode is supported for {type(self).__name__}")
        padding: Any = self.padding
        extra = self._output_padding(
            input, output_size, self.stride, padding, self.kernel_size, self._dims, self.dilation
        )
        convolve = getattr(F, f"conv_transpose{self._dims}d")
        return convolve(  # type: ignore[no-any-return]
            input, self.weight, self.bias, self.stride, padding, extra, self.groups, self.dilation
        )


class ConvTranspose1d(_ConvTranspose):
    """The transpose of :class:`Conv1d`: from the shape of its output to that of its input.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: the length of a kernel.
        stride: the step of the kernel in the output.
        padding: what is cut off on both sides of the output.
        output_padding: what the output is longer at its end, where the stride leaves several sizes open.
        groups: channels are split into this many groups that don't meet.
        bias: whether there is an additive bias.
        dilation: the step between the kernel's elements.
        padding_mode: ``zeros`` only.
        device: where the parameters are made.
        dtype: their floating-point type.

    Shape:
        input ``(n, in_channels, length)`` or without ``n``; output ``(n, out_channels, out)`` with
        ``out = (length - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1``; the call's
        ``output_size`` chooses ``output_padding`` so that ``out`` is that.
    """

    _dims = 1


class ConvTranspose2d(_ConvTranspose):
    """The transpose of :class:`Conv2d`, for images; the arguments are those of :class:`ConvTranspose1d`.

    Shape:
        input ``(n, in_channels, h, w)`` or without ``n``; output ``(n, out_channels, h', w')``.
    """

    _dims = 2


class ConvTranspose3d(_ConvTranspose):
    """The transpose of :class:`Conv3d`, for volumes; the arguments are those of :class:`ConvTranspose1d`.

    Shape:
        input ``(n, in_channels, d, h, w)`` or without ``n``; output ``(n, out_channels, d', h', w')``.
    """

    _dims = 3
