"""Interpolation between pixels: each mode is a sparse matrix along each dimension.

Where pixels are taken from is computed as PyTorch does, in float32 unless the input is float64, so that the same ones
are taken. Cubic convolution after Keys 1981; antialiasing widens the filter by the factor of the reduction.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ..autograd.variable import wrap
from ..backends.resampling import Along
from .pooling import adaptive_avg_pool, run_separable, separable

__all__: list[str] = []

Host = np.ndarray[Any, Any]

UPSAMPLE = {
    (mode, n): separable(f"upsample_{name}{n}d", f"Upsample{node}{n}DBackward0")
    for mode, name, node, sizes in (
        ("nearest", "nearest", "Nearest", (1, 2, 3)),
        ("nearest-exact", "nearest_exact", "NearestExact", (1, 2, 3)),
        ("linear", "linear", "Linear", (1,)),
        ("bilinear", "bilinear", "Bilinear", (2,)),
        ("bicubic", "bicubic", "Bicubic", (2,)),
        ("trilinear", "trilinear", "Trilinear", (3,)),
    )
    for n in sizes
}
UPSAMPLE_AA = {
    mode: separable(f"upsample_{mode}2d_aa", f"Upsample{mode.capitalize()}2DAaBackward0")
    for mode in ("bilinear", "bicubic", "lanczos")
}


def _step(size: int, out: int, scale: float | None, align: bool, kind: Any) -> Any:
    """How far apart, in pixels of the input, two neighbours of the output are."""
    if align:
        return kind(size - 1) / kind(out - 1) if out > 1 else kind(0)
    if scale is not None and scale > 0:
        return kind(1.0 / scale)
    return kind(size) / kind(out)


def _sources(size: int, out: int, scale: float | None, align: bool, kind: Any) -> Host:
    """The place in the input, in pixels, of each pixel of the output."""
    i = np.arange(out).astype(kind)
    step = _step(size, out, scale, align, kind)
    found: Host = i * step if align else (i + kind(0.5)) * step - kind(0.5)
    return found


def _from_taps(size: int, out: int, taps: Host, weights: Host | None) -> Along:
    """The map that takes ``taps`` ``(count, out)`` with ``weights`` of the same shape."""
    results = np.broadcast_to(np.arange(out), taps.shape).reshape(-1)
    return Along.of(size, out, results, taps.reshape(-1), None if weights is None else weights.reshape(-1))


@functools.lru_cache(256)
def nearest_map(size: int, out: int, scale: float | None, exact: bool, wide: bool) -> Along:
    """The nearest pixel; the plain mode rounds down, as PyTorch's and OpenCV's."""
    kind: Any = np.float64 if wide else np.float32
    i = np.arange(out).astype(kind) + kind(0.5 if exact else 0)
    taken = np.floor(i * _step(size, out, scale, False, kind)).astype(np.int64)
    return _from_taps(size, out, np.minimum(taken, size - 1)[None], None)


@functools.lru_cache(256)
def linear_map(size: int, out: int, scale: float | None, align: bool, wide: bool) -> Along:
    """The two nearest pixels, weighed by how near they are."""
    kind = np.float64 if wide else np.float32
    at = np.maximum(_sources(size, out, scale, align, kind), 0)
    low = np.minimum(np.floor(at).astype(np.int64), size - 1)
    high = np.minimum(low + 1, size - 1)
    share = np.clip(at - low, 0, 1).astype(kind)
    return _from_taps(size, out, np.stack([low, high]), np.stack([1 - share, share]).astype(kind))


def cubic_weights(t: Any, a: float) -> list[Any]:
    """The weights of the four pixels around a place that is ``t`` beyond the second of them."""

    def near(x: Any) -> Any:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: Any) -> Any:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return [far(t + 1), near(t), near(1 - t), far(2 - t)]


@functools.lru_cache(256)
def cubic_map(size: int, out: int, scale: float | None, align: bool, wide: bool) -> Along:
    """The four nearest pixels; those beyond the edge are taken from it."""
    kind = np.float64 if wide else np.float32
    at = _sources(size, out, scale, align, kind)
    low = np.minimum(np.floor(at).astype(np.int64), size - 1)
    weights = np.stack(cubic_weights(np.clip(at - low, 0, 1).astype(kind), -0.75)).astype(kind)
    return _from_taps(size, out, np.clip(low + np.arange(-1, 3)[:, None], 0, size - 1), weights)


def _triangle(x: Host) -> Host:
    return np.maximum(1 - np.abs(x), 0)


def _keys(x: Host) -> Host:
    x = np.abs(x)
    a = x.dtype.type(-0.5)
    near, far = ((a + 2) * x - (a + 3)) * x * x + 1, (((x - 5) * x + 8) * x - 4) * a
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(x: Host) -> Host:
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


_FILTERS = {"bilinear": (_triangle, 2), "bicubic": (_keys, 4), "lanczos": (_lanczos, 6)}


@functools.lru_cache(256)
def antialiased_map(mode: str, size: int, out: int, scale: float | None, align: bool, wide: bool) -> Along:
    """A filter as wide as the pixels of the output."""
    kind: Any = np.float64 if wide else np.float32
    filtered, width = _FILTERS[mode]
    step: Any = _step(size, out, scale, align, kind)
    larger: Any = max(step, kind(1))
    support: Any = kind(width * 0.5) * larger
    center: Any = step * (np.arange(out).astype(kind) + kind(0.5))
    first = np.maximum((center - support + kind(0.5)).astype(np.int64), 0)
    end = np.minimum((center + support + kind(0.5)).astype(np.int64), size)
    taps = first + np.arange(max(int((end - first).max()), 1))[:, None]
    inside = taps < end
    weights = np.where(inside, filtered((taps - center + kind(0.5)).astype(kind) / larger), 0).astype(kind)
    total = weights.sum(0)
    weights = weights / np.where(total == 0, 1, total)
    results = np.broadcast_to(np.arange(out), taps.shape)
    return Along.of(size, out, results[inside], taps[inside], weights[inside])


def upsample(
    mode: str, input: Any, sizes: tuple[int, ...], scales: tuple[float | None, ...], align: bool, antialias: bool
) -> Any:
    """``input`` ``(n, channels, *size)`` with its last dimensions resampled to ``sizes``.

    Args:
        mode: as in :func:`nbtorch.nn.functional.interpolate`.
        input: the images.
        sizes: of the output.
        scales: the factors that were asked for, where they and not the sizes say how far pixels are apart.
        align: whether the corner pixels' centres stay where they are.
        antialias: whether the filter grows with the reduction.
    """
    shape = tuple(input._array.shape)
    n = len(shape) - 2
    if min(sizes) <= 0 or 0 in shape[1:]:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input (size: {list(shape[2:])}) output (size: "
            f"{list(sizes)})"
        )
    if mode == "area":
        return adaptive_avg_pool(n, input, sizes)
    dtype = input._array.dtype
    if dtype.kind in "ib" or (dtype.kind == "u" and mode in ("linear", "trilinear")):
        raise NotImplementedError(f"\"upsample_{mode}\" not implemented for '{input._dtype()!r}'\n  fix: x.float()")
    wide = dtype == np.float64
    if dtype == np.uint8 and mode not in ("nearest", "nearest-exact"):
        return _in_bytes(mode, input, sizes, scales, align, antialias)
    maps: list[Along | None] = []
    for size, out, scale in zip(shape[2:], sizes, scales, strict=True):
        if antialias:
            maps.append(antialiased_map(mode, size, out, scale, align, wide))
        elif mode in ("nearest", "nearest-exact"):
            # For images PyTorch's plain mode looks at the sizes first, for other data at the scale alone.
            asked = None if mode == "nearest" and n == 2 and out in (size, 2 * size) else scale
            maps.append(nearest_map(size, out, asked, mode == "nearest-exact", wide))
        elif mode == "bicubic":
            maps.append(cubic_map(size, out, scale, align, wide))
        else:
            # As in PyTorch, a dimension that keeps its size is copied, whatever the scale.
            maps.append(None if size == out else linear_map(size, out, scale, align, wide))
    op = UPSAMPLE_AA[mode] if antialias else UPSAMPLE[mode, n]
    return run_separable(op, input, tuple(maps))


@functools.lru_cache(256)
def _whole_weights(
    mode: str, size: int, out: int, scale: float | None, align: bool, antialias: bool
) -> tuple[Along, int]:
    """A map with whole numbers of 16 bits for weights, and how many of the bits are behind the point."""
    if antialias:
        along = antialiased_map(mode, size, out, scale, align, True)
    elif mode == "bicubic":
        along = cubic_map(size, out, scale, align, True)
    else:
        along = linear_map(size, out, scale, align, True)
    matrix = np.zeros((out, size))
    for put, take, weight in along.steps:
        rows, columns = np.arange(out)[slice(None) if put is None else put], np.arange(size)[take]
        matrix[rows, columns] += 1 if weight is None else weight
    places = 0
    while places < 22 and int(0.5 + matrix.max() * (1 << (places + 1))) < 1 << 15:
        places += 1
    scaled = matrix * (1 << places)
    whole = np.trunc(scaled + np.where(scaled < 0, -0.5, 0.5)).astype(np.int32)
    results, elements = np.nonzero(whole)
    return Along.of(size, out, results, elements, whole[results, elements]), places


def _in_bytes(
    mode: str, input: Any, sizes: tuple[int, ...], scales: tuple[float | None, ...], align: bool, antialias: bool
) -> Any:
    """Images of bytes, in whole numbers as PyTorch and Pillow do: rows first, rounded to bytes in between."""
    m, x = input._backend, input._backend.copy(input._array)
    shape = tuple(x.shape)
    for dim in (3, 2):
        if shape[dim] == sizes[dim - 2]:
            continue
        along, places = _whole_weights(mode, shape[dim], sizes[dim - 2], scales[dim - 2], align, antialias)
        maps = (None, along) if dim == 3 else (along, None)
        total = m.resample(m.astype(x, np.int32), maps)
        x = m.astype(m.clamp((total + (1 << (places - 1))) >> places, 0, 255), np.uint8)
    return wrap(x, m, input._result_class)


def scaled_size(size: int, scale: float) -> int:
    """The size of a dimension after scaling, rounded down."""
    return math.floor(float(size) * scale)
