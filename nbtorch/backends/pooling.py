"""Maxima over windows, and where they are."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .resampling import ResamplingPrimitives
from .windows import WindowPrimitives, Windows

Array = Any
Host = np.ndarray[Any, Any]


def smallest(dtype: Any) -> Any:
    """What no maximum is smaller than."""
    return np.iinfo(dtype).min if dtype.kind in "iu" else -math.inf


def window_positions(at: Windows) -> list[Host]:
    """For each dimension ``(kernel, out)``: where the elements of the windows are.

    Those beyond the edge are replaced by the first that is not, which changes no maximum.
    """
    found = []
    for n, o, k, s, b, d in zip(*at, strict=True):
        positions = (np.arange(o) * s - b) + (np.arange(k) * d)[:, None]
        first = np.where(positions[0] < 0, positions[0] % d, positions[0])
        found.append(np.where((positions < 0) | (positions >= n), first, positions))
    return found


class PoolingPrimitives(WindowPrimitives, ResamplingPrimitives):
    """Max pooling on any array module."""

    add_at: Callable[[Array, Any, Any], None]  # of the rest of the backend

    def max_pool(self, x: Array, at: Windows) -> Array:
        """The maximum of each window; NaN where one is in it."""
        region = self.covered(x, at, smallest(x.dtype))
        first = x.ndim - len(at.size)
        for i, (o, k, s, d) in enumerate(zip(at.out, at.kernel, at.stride, at.dilation, strict=True)):
            lead = (slice(None),) * (first + i)
            out = None
            for t in range(k):
                part = region[(*lead, slice(t * d, t * d + (o - 1) * s + 1, s))]
                if out is None:
                    out, fresh = part, False
                elif fresh:
                    self.xp.maximum(out, part, out=out)
                else:
                    out, fresh = self.xp.maximum(out, part), True
            region = out
        return region if fresh else region.copy()

    def max_pool_indices(self, x: Array, positions: Sequence[Host]) -> Array:
        """Where the first maximum of each window is, as an index into the flattened last dimensions."""
        return self._best(self._parts(x, positions))

    def _parts(self, x: Array, positions: Sequence[Host]) -> Iterator[tuple[Array, Array]]:
        """For each element of a window, its value and its flat index in all windows."""
        size = x.shape[x.ndim - len(positions) :]
        for tap in itertools.product(*(range(len(p)) for p in positions)):
            part, flat = x, np.zeros((), np.int64)
            for i, (t, p) in enumerate(zip(tap, positions, strict=True)):
                dim = x.ndim - len(positions) + i
                part = self.xp.take(part, self.xp.asarray(p[t]), dim)
                flat = flat[..., None] * size[i] + p[t]
            yield part, self.xp.asarray(flat)

    def _best(self, parts: Iterator[tuple[Array, Array]]) -> Array:
        best = index = None
        for part, flat in parts:
            if best is None:
                best, index = part, self.xp.broadcast_to(flat, part.shape)
                continue
            better = part > best
            if part.dtype.kind not in "iu":
                better |= part != part
            best, index = self.xp.where(better, part, best), self.xp.where(better, flat, index)
        return index

    def max_pool_indices_at(self, x: Array, starts: Sequence[Array], kernel: Sequence[int]) -> Array:
        """``max_pool_indices`` where each plane has windows of its own: ``starts`` ``(n, channels, out)`` for each."""
        n = len(kernel)
        size = x.shape[2:]
        flat = x.reshape(*x.shape[:2], math.prod(size))

        def parts() -> Iterator[tuple[Array, Array]]:
            for tap in itertools.product(*map(range, kernel)):
                index: Any = 0
                for i, (t, s) in enumerate(zip(tap, starts, strict=True)):
                    shape = (*s.shape[:2], *(1,) * i, s.shape[2], *(1,) * (n - 1 - i))
                    index = index * size[i] + (s + t).reshape(shape)
                columns = index.reshape(*x.shape[:2], math.prod(index.shape[2:]))
                taken = self.xp.take_along_axis(flat, columns, 2)
                yield taken.reshape(index.shape), index

        return self._best(parts())

    def max_pool_backward(self, g: Array, x: Array, at: Windows) -> Array:
        """The gradient of :meth:`max_pool`: each maximum's goes to the first place where it is."""
        n = len(at.size)
        index = self.max_pool_indices(x, window_positions(at))
        lead = x.shape[: x.ndim - n]
        planes = math.prod(lead)
        flat = self.xp.zeros((planes * math.prod(at.size),), g.dtype)
        base = self.xp.arange(planes).reshape(*lead, *(1,) * n) * math.prod(at.size)
        self.add_at(flat, (index + base).reshape(-1), g.reshape(-1))
        return flat.reshape(x.shape)
