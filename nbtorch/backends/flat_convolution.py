"""Convolution on the host, with long rows.

NumPy copies and adds long rows several times faster than short ones, and the rows of an image are short. Where windows
move one element at a time, an image may be taken as one row: window ``(i, j)`` then begins at ``i * width + j``, and
element ``(k, l)`` of all windows is one run of the row. The windows that begin near the end of a line and go on in the
next are computed too and thrown away.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .convolution import ConvolutionPrimitives
from .windows import Windows

Array = Any


class _Row:
    """An image of the covered region as one row.

    Attributes:
        wide: the sizes of the results with the useless ones.
        run: from the first window's beginning to the last one's, in elements.
        keep: the slices that take the useful results.
    """

    keep: tuple[Any, ...]

    def __init__(self, at: Windows) -> None:
        covered = at.covered
        self.steps = tuple(math.prod(covered[i + 1 :]) for i in range(len(covered)))
        self.length = math.prod(covered)
        self.wide = (at.out[0], *covered[1:])
        self.run = sum((o - 1) * step for o, step in zip(at.out, self.steps, strict=True)) + 1
        self.keep = (..., *(slice(0, o) for o in at.out))
        self.count = math.prod(self.wide)
        # Where the run of each element of a window begins.
        self.starts = [
            sum(t * d * s for t, d, s in zip(tap, at.dilation, self.steps, strict=True)) for tap, _ in at.taps()
        ]


@functools.lru_cache(256)
def _row(at: Windows) -> _Row | None:
    """Images as rows; None where windows jump, or more of the results would be useless than not."""
    if max(at.stride) > 1 or not at.number:
        return None
    row = _Row(at)
    return row if row.count <= 2 * at.number else None


@functools.lru_cache(256)
def _turned(at: Windows) -> Windows | None:
    """The windows over the output in which each element of the input finds its gradients, the last one first.

    None where windows jump, or an element would look for them beyond the first window.
    """
    before = tuple(d * (k - 1) - b for d, k, b in zip(at.dilation, at.kernel, at.before, strict=True))
    if max(at.stride) > 1 or min(before) < 0:
        return None
    return Windows(at.out, at.size, at.kernel, at.stride, before, at.dilation)


class FlatConvolution(ConvolutionPrimitives):
    """The host's convolution: the generic one where windows jump, images as rows where they don't."""

    columns_at_a_time = 1 << 19  # what stays in the cache of one core

    def _correlate(self, x: Array, w: Array, shift: Array | None, at: Windows) -> Array:
        row = _row(at)
        if row is None:
            return super()._correlate(x, w, shift, at)
        n, planes = x.shape[0], w.shape[0] * w.shape[1]
        out = np.empty((n, planes, *at.out), x.dtype)
        for a, b, columns in self._flat_columns(x, w.shape[0], at, row):
            part = np.matmul(w, columns).reshape(planes, b - a, *row.wide).swapaxes(0, 1)[row.keep]
            if shift is None:
                out[a:b] = part
            else:
                np.add(part, shift, out[a:b])
        return out

    def _correlate_back(self, g: Array, w: Array, channels: int, at: Windows) -> Array:
        n, planes = g.shape[:2]
        alone = w.shape[:2] == (channels, 1)
        if alone and max(at.stride) > 1 and at.number and g.dtype.kind == "f" and np.isfinite(w).all():
            # Channels of their own have little to multiply: zeros between the gradients cost less than jumping.
            close = tuple((o - 1) * s + 1 for o, s in zip(at.out, at.stride, strict=True))
            places: Any = (..., *(slice(None, None, s) for s in at.stride))
            spread = np.zeros((n, planes, *close), g.dtype)
            spread[places] = g
            return self._correlate_back(spread, w, channels, at._replace(out=close, stride=(1,) * len(close)))
        if planes <= 2 * channels:
            turned = _turned(at)
            if turned is not None:
                w = w.reshape(w.shape[0], w.shape[1], -1, at.elements)[..., ::-1].swapaxes(1, 2)
                # In order: BLAS takes no matrix that runs backwards, as that of single channels still would.
                w = np.ascontiguousarray(w.reshape(w.shape[0], w.shape[1], -1))
                return self._correlate(g, w, None, turned)
        row = _row(at)
        if row is None:
            return super()._correlate_back(g, w, channels, at)
        w = w.swapaxes(1, 2)
        out = np.empty((n, channels, *at.size), g.dtype)
        for a, b in self._chunks(n, channels * at.elements * row.count * g.dtype.itemsize):
            rows = self._flat_rows(g[a:b], planes, row).reshape(w.shape[0], w.shape[2], -1)
            columns = np.matmul(w, rows).reshape(channels, at.elements, b - a, row.count)[..., : row.run]
            region = np.zeros((channels, b - a, row.length), g.dtype)
            for i, start in enumerate(row.starts):
                run = region[:, :, start : start + row.run]
                np.add(run, columns[:, i], run)
            out[a:b] = self.uncovered(region.reshape(channels, b - a, *at.covered), at).swapaxes(0, 1)
        return out

    def _correlate_weight(self, g: Array, x: Array, groups: int, at: Windows) -> Array:
        row = _row(at)
        if row is None:
            return super()._correlate_weight(g, x, groups, at)
        planes = g.shape[1]
        total: Any = None
        for a, b, columns in self._flat_columns(x, groups, at, row):
            rows = self._flat_rows(g[a:b], planes, row).reshape(groups, planes // groups, -1)
            part = np.matmul(rows, columns.swapaxes(1, 2))
            total = part if total is None else np.add(total, part, total)
        # A useless window times 0 is 0, unless it holds an infinity.
        return total if np.isfinite(total).all() else super()._correlate_weight(g, x, groups, at)

    @staticmethod
    def _flat_rows(g: Array, planes: int, row: _Row) -> Array:
        """``(images, planes, *out)`` as ``(planes, images, *wide)``, 0 where a window is useless."""
        rows = np.zeros((planes, g.shape[0], *row.wide), g.dtype)
        rows[row.keep] = g.swapaxes(0, 1)
        return rows

    def _flat_columns(self, x: Array, groups: int, at: Windows, row: _Row) -> Iterator[tuple[int, int, Array]]:
        region = np.ascontiguousarray(self.covered(x, at))
        n, channels = region.shape[:2]
        item = region.itemsize
        plane = row.length * item
        shape = (channels, *at.kernel, n, row.run)
        steps = [d * s * item for d, s in zip(at.dilation, row.steps, strict=True)]
        runs = np.lib.stride_tricks.as_strided(region, shape, (plane, *steps, channels * plane, item))
        buffer = None
        for a, b in self._chunks(n, channels * at.elements * row.count * item):
            if buffer is None or buffer.shape[-2] != b - a:
                buffer = np.empty((channels, *at.kernel, b - a, row.count), x.dtype)
                buffer[..., row.run :] = 0
            buffer[..., : row.run] = runs[..., a:b, :]
            yield a, b, buffer.reshape(groups, channels // groups * at.elements, (b - a) * row.count)
