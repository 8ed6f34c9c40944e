"""Images sampled at any place: spatial transformers (Jaderberg et al. 2015)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.variable import TensorT, Variable, wrap
from ..backends.layouts import in_rows
from ..backends.resampling import Along
from .dispatch import FLOATS_ONLY, FLOATS_OR_INT64, refuse_dtype
from .gathering import gather
from .interpolation import cubic_weights
from .operands import refuse_scalar, require_tensor
from .pooling import resample, transposed, truncated
from .record import Op, apply, check_same_device
from .shape import expand, reshape

__all__ = ["affine_grid_generator", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d"]

MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")

WITH_SLOPE = Op(
    "with_slope",
    lambda m, input, value, slope: m.copy(value),
    tensors=3,
    node="WithSlopeBackward0",
    input=lambda g, slope: g * slope,
    formula=r"\text{a function that is linear piece by piece: } f' = \text{the slope of the piece}",
    layout=in_rows,
)


def _reflected(m: Any, x: Any, low: float, high: float) -> tuple[Any, Any]:
    """``x`` thrown back at ``low`` and ``high`` as often as needed, and with which slope."""
    span = high - low
    if span == 0:
        return x * 0, x * 0
    from_low = x - low
    sign = m.where(from_low < 0, x * 0 - 1, x * 0 + 1)
    away = m.abs(from_low)
    rest = m.fmod(away, span)
    even = m.fmod(m.floor(away / span), 2) == 0
    return m.where(even, rest + low, high - rest), m.where(even, sign, -sign)


def _clipped(m: Any, x: Any, slope: Any, size: int) -> tuple[Any, Any]:
    inside = (x > 0) & (x < size - 1)
    return m.clamp(x, 0, size - 1), m.where(inside, slope, x * 0)


def _padded(m: Any, x: Any, size: int, padding: int, align: bool) -> tuple[Any, Any]:
    """Places beyond the edge brought back into the image, and the slope of doing so."""
    place, slope = x, m.ones(x.shape, x.dtype)
    if padding == 2:
        place, slope = _reflected(m, x, 0.0, size - 1.0) if align else _reflected(m, x, -0.5, size - 0.5)
    if padding:
        place, slope = _clipped(m, place, slope, size)
    return m.astype(place, x.dtype), m.astype(slope, x.dtype)


def _check(function: str, n: int | None, input: Any, grid: Any, mode: int, padding: int) -> int:
    require_tensor(function, "input", input)
    require_tensor(function, "grid", grid)
    check_same_device(WITH_SLOPE, (input, grid))
    a, b = tuple(input._array.shape), tuple(grid._array.shape)
    refuse_scalar(function, "input", input)
    refuse_scalar(function, "grid", grid)
    if input._array.dtype != grid._array.dtype:
        raise RuntimeError(
            f"{function}(): expected input and grid to have same floating dtype, but input has {input._dtype()!r} and "
            f"grid has {grid._dtype()!r}"
        )
    wanted = (4, 5) if n is None else (n + 2,)
    if len(a) not in wanted or len(b) != len(a):
        raise RuntimeError(
            f"{function}(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes "
            f"{list(a)} and grid with sizes {list(b)}"
        )
    if a[0] != b[0]:
        raise RuntimeError(
            f"{function}(): expected grid and input to have same batch size, but got input with sizes {list(a)} and "
            f"grid with sizes {list(b)}"
        )
    if b[-1] != len(a) - 2:
        raise RuntimeError(
            f"{function}(): expected grid to have size {len(a) - 2} in last dimension, but got grid with sizes "
            f"{list(b)}"
        )
    if 0 in a[2:]:
        raise RuntimeError(
            f"{function}(): expected input to have non-empty spatial dimensions, but input has sizes {list(a)}"
        )
    if mode not in (0, 1, 2) or padding not in (0, 1, 2):
        raise RuntimeError(f"{function}(): interpolation_mode and padding_mode are 0, 1 or 2, got {mode} and {padding}")
    if mode == 2 and len(a) == 5:
        raise RuntimeError(f"{function}(): bicubic interpolation only supports 4D input")
    refuse_dtype(function, input._dtype(), FLOATS_ONLY)
    return len(a) - 2


Tap = tuple[Any, Any, Any]  # places along one dimension, which of them are in the image, their weights


def _taps(m: Any, x: Any, size: int, mode: int, padding: int, align: bool) -> list[Tap]:
    """Along one dimension: which pixels are taken for the places ``x`` (a tensor), and with what weights."""
    scaled = (x + 1) * ((size - 1) / 2) if align else (x + 1) * (size / 2) - 0.5
    at = scaled._array

    def tap(place: Any, weight: Any) -> Tap:
        inside = (place >= 0) & (place <= size - 1)  # NaN is not: it takes nothing, or with padding the first pixel
        return m.astype(m.clamp(m.where(inside, place, 0), 0, size - 1), np.int64), inside, weight

    def attached(value: Any, slope: Any) -> Any:
        return apply(WITH_SLOPE, (scaled, wrap(value, m), wrap(slope, m)))

    if mode == 2:
        low = m.floor(at)
        weights = cubic_weights(attached(at - low, at * 0 + 1), -0.75)
        near = [_padded(m, low + i, size, padding, align)[0] for i in range(-1, 3)]
        return [tap(p, w) for p, w in zip(near, weights, strict=True)]
    place, slope = _padded(m, at, size, padding, align)
    if mode == 1:
        return [tap(m.round(place), None)]
    low = m.floor(place)
    share = attached(place - low, slope)
    return [tap(low, 1 - share), tap(low + 1, share)]


def _sample(input: Any, grid: Any, mode: int, padding: int, align: bool) -> Any:
    m = input._backend
    shape, out = tuple(input._array.shape), tuple(grid._array.shape[1:-1])
    n, count = len(shape) - 2, math.prod(out)
    batch, channels = shape[:2]
    flat = reshape(input, (batch, channels, math.prod(shape[2:])))
    places = reshape(grid, (batch, count, n))
    # The grid's coordinates are in the order x, y, z; the image's dimensions in the other.
    along = [_taps(m, places[:, :, n - 1 - i], shape[2 + i], mode, padding, align) for i in range(n)]
    shown = (batch, 1, count)

    def taken(index: Any, inside: Any) -> Any:
        values = gather(flat, 2, expand(wrap(index.reshape(shown), m), (batch, channels, count)))
        if padding or not count:
            return values
        return values.masked_fill(wrap(~inside.reshape(shown), m), 0)

    if mode == 2:  # row by row: the slope of a cubic is a small difference of large terms
        rows = []
        for row, here, share in along[0]:
            parts = [taken(row * shape[3] + p, here & i) * reshape(w, shown) for p, i, w in along[1]]
            rows.append((parts[0] + parts[1] + parts[2] + parts[3]) * reshape(share, shown))
        return reshape(rows[0] + rows[1] + rows[2] + rows[3], (batch, channels, *out))
    total: Any = None
    for taps in itertools.product(*along):
        index, inside, weight = 0, True, None
        for size, (place, here, share) in zip(shape[2:], taps, strict=True):
            index, inside = index * size + place, inside & here
            weight = share if weight is None else share * weight
        part = taken(index, inside)
        part = part if weight is None else part * reshape(weight, shown)
        total = part if total is None else total + part
    return reshape(total, (batch, channels, *out))


def _sampler(function: str, n: int | None, input: Any, grid: Any, mode: int, padding: int, align: bool) -> Any:
    _check(function, n, input, grid, mode, padding)
    return _sample(input, grid, mode, padding, align)


def grid_sampler(
    input: TensorT, grid: Variable, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> TensorT:
    """What :func:`nbtorch.nn.functional.grid_sample` computes; modes are numbers, in the order of its documentation."""
    return _sampler("grid_sampler", None, input, grid, interpolation_mode, padding_mode, align_corners)


def grid_sampler_2d(
    input: TensorT, grid: Variable, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> TensorT:
    """:func:`grid_sampler` for images."""
    return _sampler("grid_sampler_2d", 2, input, grid, interpolation_mode, padding_mode, align_corners)


def grid_sampler_3d(
    input: TensorT, grid: Variable, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> TensorT:
    """:func:`grid_sampler` for volumes."""
    return _sampler("grid_sampler_3d", 3, input, grid, interpolation_mode, padding_mode, align_corners)


def affine_grid_generator(theta: Any, size: Sequence[int], align_corners: bool) -> Any:
    """The places ``(n, *out, dimensions)`` to which the affine maps ``theta`` send the pixels of images of ``size``."""
    out = tuple(int(s) for s in size[2:])
    n, m, dtype = len(out), theta._backend, theta._array.dtype
    host = np.ones((*out, n + 1), np.float64)
    for i, s in enumerate(out):
        edge = (1.0 if align_corners else (s - 1) / s) if s > 1 else 0.0
        host[..., n - 1 - i] = np.linspace(-edge, edge, s).reshape(-1, *(1,) * (n - 1 - i))
    base = wrap(m.from_host(host.reshape(1, math.prod(out), n + 1).astype(dtype)), m)
    places = expand(base, (theta._array.shape[0], math.prod(out), n + 1)) @ theta.transpose(1, 2)
    return reshape(places, (theta._array.shape[0], *out, n))


def mean_of_neighbours(input: Any, size: int) -> Any:
    """The mean over the ``size`` channels around each, zeros beyond the first and the last."""
    channels = input._array.shape[1]
    taps = np.arange(channels)[:, None] - size // 2 + np.arange(size)
    inside = (taps >= 0) & (taps < channels)
    results = np.broadcast_to(np.arange(channels)[:, None], taps.shape)[inside]
    along = Along.of(channels, channels, results, taps[inside])
    whole = input._array.dtype.kind in "iub"
    refuse_dtype("local_response_norm", input._dtype(), FLOATS_OR_INT64)
    if not whole:
        along = along._replace(after=1.0 / size)
    rest = (None,) * (input._array.ndim - 2)
    total = resample(input, (along, *rest), (transposed(along), *rest))
    return truncated(total, size) if whole else total
