"""Pooling on the host: gradients of maxima found by comparing instead of by indices, averages as matrix products."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .pooling import PoolingPrimitives, smallest
from .resampling import Along
from .windows import Windows

Array = Any

# The integers that hold the bits of a number: times 0 or 1 they are exact, also for infinities.
_BITS: dict[Any, Any] = {np.dtype(f"f{n}"): np.dtype(f"i{n}") for n in (2, 4, 8)}
_MANY = 8  # elements of a window whose greatest is found faster at once than one after the other
_FEW = 16  # numbers that one comes from, or goes to, where a dense matrix costs less than steps


def _taps(at: Windows, i: int) -> list[slice]:
    """For each element of a window along dimension ``i``, where it is in all windows of the covered region."""
    reach = (at.out[i] - 1) * at.stride[i] + 1
    return [slice(t * at.dilation[i], t * at.dilation[i] + reach, at.stride[i]) for t in range(at.kernel[i])]


def _in_line(positions: Any, size: int) -> bool:
    """Whether windows along one dimension lie side by side and leave nothing out."""
    return positions.size == size and bool((positions.T.reshape(-1) == np.arange(size)).all())


@functools.lru_cache(64)
def _dense(maps: tuple[Any, ...], dtype: Any) -> Array:
    """The matrix ``(elements, results)`` of maps along several dimensions."""
    matrix: Any = np.ones((1, 1))
    for wrapped in maps:
        along: Along = wrapped.along
        one = np.zeros((along.size, along.out))
        places = np.arange(along.out)
        for put, take, weight in along.steps:
            elements = np.arange(along.size)[take]
            results = places if put is None else places[put]
            one[elements, results] += 1.0 if weight is None else weight
        if along.before is not None:
            one *= np.reshape(along.before, (-1, 1))
        if along.after is not None:
            one *= along.after
        matrix = np.kron(matrix, one)
    return matrix.astype(dtype)


class _Same:
    """A map as a key: maps hold arrays, and are the same where they are one object."""

    __slots__ = ("along",)

    def __init__(self, along: Along) -> None:
        self.along = along

    def __hash__(self) -> int:
        return id(self.along)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.along is self.along


class HostPooling(PoolingPrimitives):
    """Overrides for NumPy arrays."""

    def max_pool_indices(self, x: Array, positions: Sequence[Any]) -> Array:
        n = len(positions)
        size = x.shape[x.ndim - n :]
        elements = math.prod(len(p) for p in positions)
        if elements < _MANY or not x.size or not all(map(_in_line, positions, size)):
            return super().max_pool_indices(x, positions)
        # Windows side by side: (..., out, kernel, out, kernel) and so on, the kernels brought to the end.
        lead = x.ndim - n
        split = x.reshape(*x.shape[:lead], *(length for p in positions for length in p.shape[::-1]))
        ends = (*range(lead, split.ndim, 2), *range(lead + 1, split.ndim, 2))
        windows = split.transpose(*range(lead), *ends).reshape(*x.shape[:lead], *(p.shape[1] for p in positions), -1)
        place = windows.argmax(-1)
        best = np.take_along_axis(windows, place[..., None], -1)
        if best.dtype.kind == "f" and np.isnan(best).any():  # the last NaN counts
            return super().max_pool_indices(x, positions)
        index: Any = 0
        for i, (within, p) in enumerate(
            zip(np.unravel_index(place, [len(p) for p in positions]), positions, strict=True)
        ):
            index = index * size[i] + within + p[0].reshape(-1, *(1,) * (n - 1 - i))
        return index

    def max_pool_backward(self, g: Array, x: Array, at: Windows) -> Array:
        bits = _BITS.get(x.dtype)
        if bits is None or g.dtype != x.dtype or not g.size:
            return super().max_pool_backward(g, x, at)
        n, lead = len(at.size), x.ndim - len(at.size)
        # Along one dimension after the other, the last one first: then the first of equal maxima is the first in rows.
        best = self.covered(x, at, smallest(x.dtype))
        stages = []
        for i in reversed(range(n)):
            before = (slice(None),) * (lead + i)
            shape, whole = best.shape, best
            better = []
            for t, tap in enumerate(_taps(at, i)):
                part = whole[(*before, tap)]
                if at.stride[i] > 1 and i == n - 1:
                    part = np.ascontiguousarray(part)  # it is read twice
                if t == 0:
                    best = part
                else:
                    better.append(np.greater(part, best))
                    best = np.maximum(best, part)
            stages.append((shape, better))
        flat = np.ascontiguousarray(best).reshape(-1)
        # Nothing is greater than NaN; and where all is -inf, the padding can't be told from the image.
        if math.isnan(flat.dot(flat)) or (not at.inside and np.minimum.reduce(flat) == -math.inf):
            return super().max_pool_backward(g, x, at)
        rest = g.view(bits)
        for i, (shape, better) in enumerate(reversed(stages)):
            rest = self._to_the_best(rest, shape, better, at, i, lead + i)
        return self.uncovered(rest.view(g.dtype), at)

    @staticmethod
    def _to_the_best(rest: Array, shape: Any, better: list[Array], at: Windows, i: int, dim: int) -> Array:
        """Gradients, as bits, along dimension ``i`` of the windows: each to the last element that was better."""
        k, s, d = at.kernel[i], at.stride[i], at.dilation[i]
        if k == 1 and s == 1:
            return rest
        apart = s > d * (k - 1)
        out = np.empty(shape, rest.dtype) if s == k and d == 1 else np.zeros(shape, rest.dtype)
        number = out.view(f"f{out.itemsize}")
        before = (slice(None),) * dim
        for t, tap in reversed(list(enumerate(_taps(at, i)))):
            where = (*before, tap)
            part = rest
            if t:
                hit = better[t - 1]
                if apart:
                    np.multiply(rest, hit, out[where])
                else:
                    part = np.multiply(rest, hit)
                rest = np.multiply(rest, np.logical_not(hit, hit))
            elif apart:
                out[where] = rest
            if not apart:
                np.add(number[where], part.view(number.dtype), number[where])
        return out

    def resample(self, x: Array, maps: tuple[Along | None, ...], back: Any = None) -> Array:
        n = len(maps)
        size = math.prod(x.shape[x.ndim - n :])
        out = tuple(s if m is None else m.out for s, m in zip(x.shape[x.ndim - n :], maps, strict=True))
        if None in maps or min(size, math.prod(out)) > _FEW or x.dtype.kind != "f" or x.itemsize < 4 or not x.size:
            return super().resample(x, maps, back)
        matrix = _dense(tuple([_Same(m) for m in maps if m is not None]), x.dtype)
        lead = x.shape[: x.ndim - n]
        found = x.reshape(-1, size).dot(matrix).reshape(*lead, *out)
        # A number that has no part in a result is multiplied by 0, which an infinity would turn into NaN.
        return found if np.isfinite(found).all() else super().resample(x, maps, back)
