"""Pooling: the maximum, the average or a norm over windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import ops
from ...ops import adaptive_avg_pool1d, avg_pool1d, max_pool1d, max_pool1d_with_indices, max_pool2d, max_pool3d, pooling
from ...ops.writing import takes_out
from ...tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "fractional_max_pool2d",
    "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
]  # fmt: skip

Sizes = int | Sequence[int]


def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """:func:`max_pool2d` and where the maxima are."""
    return pooling.max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, True)  # type: ignore[no-any-return]


def max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """:func:`max_pool3d` and where the maxima are."""
    return pooling.max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, True)  # type: ignore[no-any-return]


@takes_out
def avg_pool2d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The average of each window of ``(n, channels, h, w)``.

    The arguments are those of :func:`avg_pool1d`; with ``divisor_override`` sums are divided by that.
    """
    return pooling.avg_pool(  # type: ignore[no-any-return]
        2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


@takes_out
def avg_pool3d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The average of each window of ``(n, channels, d, h, w)``.

    The arguments are those of :func:`avg_pool1d`; with ``divisor_override`` sums are divided by that.
    """
    return pooling.avg_pool(  # type: ignore[no-any-return]
        3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def adaptive_max_pool1d(input: Tensor, output_size: Sizes, return_indices: bool = False) -> Any:
    """Maxima over windows that cover the input as evenly as can be: the output has the given size."""
    return pooling.adaptive_max_pool(1, input, output_size, return_indices)


def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: Sizes, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """:func:`adaptive_max_pool1d` and where the maxima are."""
    return pooling.adaptive_max_pool(1, input, output_size, True)  # type: ignore[no-any-return]


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Averages over windows that cover the input as evenly as can be: the output has the given size."""
    return pooling.adaptive_avg_pool(2, input, output_size)  # type: ignore[no-any-return]


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima over windows that cover the input as evenly as can be: the output has the given size."""
    return pooling.adaptive_max_pool(2, input, output_size, return_indices)


def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """:func:`adaptive_max_pool2d` and where the maxima are."""
    return pooling.adaptive_max_pool(2, input, output_size, True)  # type: ignore[no-any-return]


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """Averages over windows that cover the input as evenly as can be: the output has the given size."""
    return pooling.adaptive_avg_pool(3, input, output_size)  # type: ignore[no-any-return]


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Maxima over windows that cover the input as evenly as can be: the output has the given size."""
    return pooling.adaptive_max_pool(3, input, output_size, return_indices)


def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """:func:`adaptive_max_pool3d` and where the maxima are."""
    return pooling.adaptive_max_pool(3, input, output_size, True)  # type: ignore[no-any-return]


def _fractional(
    n: int, input: Tensor, kernel_size: Any, output_size: Any, output_ratio: Any, samples: Tensor | None, indices: bool
) -> Any:
    function = f"fractional_max_pool{n}d"
    if output_size is None and output_ratio is None:
        raise ValueError(f"{function} requires specifying either an output_size or an output_ratio")
    pooling.check_plane(function, n, input)
    shape = tuple(input.shape)
    if output_size is None:
        ratios = tuple(output_ratio) if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * n
        if not all(0 < r < 1 for r in ratios):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {ratios})")
        output_size = tuple(int(s * r) for s, r in zip(shape[-n:], ratios, strict=True))
    sizes = pooling.sizes_of(function, "output_size", output_size, n)
    if samples is None:
        batch = 1 if len(shape) == n + 1 else shape[0]
        samples = ops.rand(batch, shape[-n - 1], n, dtype=input.dtype, device=input.device)
    return pooling.fractional_max_pool(n, input, kernel_size, sizes, samples, indices)


def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Maxima over windows drawn at random, so that the output may be any fraction of the input (Graham 2014).

    Args:
        input: ``(n, channels, h, w)``, also without ``n``.
        kernel_size: the size of a window.
        output_size: how many windows; or
        output_ratio: their number as a fraction, between 0 and 1, of the input's size.
        return_indices: also give where the maxima are.
        _random_samples: ``(n, channels, 2)`` numbers in [0, 1) that decide where the windows are.
    """
    return _fractional(2, input, kernel_size, output_size, output_ratio, _random_samples, return_indices)


def fractional_max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """:func:`fractional_max_pool2d` and where the maxima are."""
    return _fractional(2, input, kernel_size, output_size, output_ratio, _random_samples, True)  # type: ignore[no-any-return]


def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Maxima over windows drawn at random, so that the output may be any fraction of the input (Graham 2014).

    Args:
        input: ``(n, channels, d, h, w)``, also without ``n``.
        kernel_size: the size of a window.
        output_size: how many windows; or
        output_ratio: their number as a fraction, between 0 and 1, of the input's size.
        return_indices: also give where the maxima are.
        _random_samples: ``(n, channels, 3)`` numbers in [0, 1) that decide where the windows are.
    """
    return _fractional(3, input, kernel_size, output_size, output_ratio, _random_samples, return_indices)


def fractional_max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Sizes,
    output_size: Sizes | None = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """:func:`fractional_max_pool3d` and where the maxima are."""
    return _fractional(3, input, kernel_size, output_size, output_ratio, _random_samples, True)  # type: ignore[no-any-return]


def _lp_pool(n: int, input: Tensor, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool) -> Tensor:
    kernel = pooling.sizes_of(f"lp_pool{n}d", "kernel_size", kernel_size, n)
    count = 1
    for k in kernel:
        count *= k
    mean = pooling.avg_pool(n, input.pow(norm_type), kernel, stride, 0, ceil_mode, True, None)
    # Signs and sizes apart: an odd power keeps signs, and a root of what is negative has no meaning.
    return (mean.sign() * ops.relu(mean.abs()) * count).pow(1.0 / norm_type)  # type: ignore[no-any-return]


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Tensor:
    """The p-norm of each window of ``(n, channels, length)``, p being ``norm_type``."""
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Tensor:
    """The p-norm of each window of ``(n, channels, h, w)``, p being ``norm_type``."""
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Tensor:
    """The p-norm of each window of ``(n, channels, d, h, w)``, p being ``norm_type``."""
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Zeros with ``input`` where :func:`max_pool1d` took it from, which ``indices`` say."""
    return pooling.max_unpool(1, input, indices, kernel_size, stride, padding, output_size)  # type: ignore[no-any-return]


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Zeros with ``input`` where :func:`max_pool2d` took it from, which ``indices`` say."""
    return pooling.max_unpool(2, input, indices, kernel_size, stride, padding, output_size)  # type: ignore[no-any-return]


def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Zeros with ``input`` where :func:`max_pool3d` took it from, which ``indices`` say."""
    return pooling.max_unpool(3, input, indices, kernel_size, stride, padding, output_size)  # type: ignore[no-any-return]
