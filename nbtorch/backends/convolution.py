"""Convolution's three maps as matrix products: the output, the gradient of the input, the gradient of the weight.

Each is linear in each of its two operands, and each is the derivative of the others. The windows of a few images at a
time are copied into the columns of a matrix (``im2col``), with the images side by side, so that one product does the
work of them all and the matrix stays in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .windows import WindowPrimitives, Windows

Array = Any


class ConvolutionPrimitives(WindowPrimitives):
    """Convolution on any array module: inputs ``(n, channels, *size)``, weights ``(out, channels/groups, *kernel)``."""

    # How many bytes of columns are made at a time: a device has memory to spare and wants large products.
    columns_at_a_time = 1 << 28

    def convolution(self, x: Array, weight: Array, bias: Array | None, at: Windows, groups: int) -> Array:
        """The correlation of ``x`` with ``weight``, plus ``bias`` for each output channel."""
        if x.dtype.itemsize < 4:
            return self._wider(lambda x, weight, bias: self.convolution(x, weight, bias, at, groups), x, weight, bias)
        n, planes = x.shape[0], weight.shape[0]
        shift = None if bias is None else bias.reshape(-1, *(1,) * len(at.out))
        w = weight.reshape(groups, planes // groups, -1)
        if at.pointwise:
            out = self.xp.matmul(w, x.reshape(n, groups, x.shape[1] // groups, at.number)).reshape(n, planes, *at.out)
            if shift is not None:
                out += shift
            return out
        return self._correlate(x, w, shift, at)

    def _correlate(self, x: Array, w: Array, shift: Array | None, at: Windows) -> Array:
        n, planes = x.shape[0], w.shape[0] * w.shape[1]
        out = self.xp.empty((n, planes, *at.out), x.dtype)
        for a, b, columns in self._columns(x, w.shape[0], at):
            part = self.xp.matmul(w, columns).reshape(planes, b - a, *at.out).swapaxes(0, 1)
            out[a:b] = part if shift is None else part + shift
        return out

    def convolution_input(self, g: Array, weight: Array, bias: Array | None, at: Windows, groups: int) -> Array:
        """The gradient of a convolution's input; with a bias, a transposed convolution."""
        if g.dtype.itemsize < 4:
            return self._wider(
                lambda g, weight, bias: self.convolution_input(g, weight, bias, at, groups), g, weight, bias
            )
        n, channels = g.shape[0], weight.shape[1] * groups
        w = weight.reshape(groups, weight.shape[0] // groups, -1)
        if at.pointwise:
            out = self.xp.matmul(w.swapaxes(1, 2), g.reshape(n, groups, g.shape[1] // groups, at.number)).reshape(
                n, channels, *at.size
            )
        else:
            out = self._correlate_back(g, w, channels, at)
        if bias is not None:
            out += bias.reshape(-1, *(1,) * len(at.size))
        return out

    def _correlate_back(self, g: Array, w: Array, channels: int, at: Windows) -> Array:
        n = g.shape[0]
        out = self.xp.empty((n, channels, *at.size), g.dtype)
        for a, b in self._chunks(n, channels * at.elements * at.number * g.dtype.itemsize):
            rows = self._side_by_side(g[a:b], w.shape[0])
            columns = self.xp.matmul(w.swapaxes(1, 2), rows)
            columns = columns.reshape(channels, at.elements, b - a, at.number).swapaxes(1, 2)
            out[a:b] = self.col2im(columns, at).swapaxes(0, 1)
        return out

    def convolution_weight(self, g: Array, x: Array, at: Windows, groups: int) -> Array:
        """The gradient of a convolution's weight."""
        if g.dtype.itemsize < 4:
            return self._wider(lambda g, x, _: self.convolution_weight(g, x, at, groups), g, x, None)
        n, channels, planes = x.shape[0], x.shape[1], g.shape[1]
        shape = (planes, channels // groups, *at.kernel)
        if not (g.size and x.size):
            return self.xp.zeros(shape, g.dtype)
        if at.pointwise:
            rows = g.reshape(n, groups, planes // groups, at.number)
            columns = x.reshape(n, groups, channels // groups, at.number)
            return self.xp.matmul(rows, columns.swapaxes(2, 3)).sum(0).reshape(shape)
        return self._correlate_weight(g, x, groups, at).reshape(shape)

    def _correlate_weight(self, g: Array, x: Array, groups: int, at: Windows) -> Array:
        total = None
        for a, b, columns in self._columns(x, groups, at):
            part = self.xp.matmul(self._side_by_side(g[a:b], groups), columns.swapaxes(1, 2))
            total = part if total is None else total + part
        return total

    def _columns(self, x: Array, groups: int, at: Windows) -> Iterator[tuple[int, int, Array]]:
        """The windows of a few images at a time: ``(groups, channels/groups * elements, images * number)``."""
        windows = self.sliding(self.covered(x, at), at)
        channels = x.shape[1]
        for a, b in self._chunks(x.shape[0], channels * at.elements * at.number * x.dtype.itemsize):
            # The images go behind the elements of a window: (channels, *kernel, images, *out).
            order = (*range(1, 2 + len(at.kernel)), 0, *range(2 + len(at.kernel), windows.ndim))
            part = windows[a:b].transpose(order)
            yield a, b, part.reshape(groups, channels // groups * at.elements, (b - a) * at.number)

    def _chunks(self, n: int, bytes_each: int) -> Iterator[tuple[int, int]]:
        most = max(1, self.columns_at_a_time // max(1, bytes_each))
        pieces = -(-n // most)
        step = -(-n // max(1, pieces))
        for a in range(0, n, max(1, step)):
            yield a, min(n, a + step)

    @staticmethod
    def _side_by_side(g: Array, groups: int) -> Array:
        """``(images, channels, *size)`` as ``(groups, channels/groups, images * size)``."""
        return g.swapaxes(0, 1).reshape(groups, g.shape[1] // groups, -1)

    @staticmethod
    def _wider(function: Any, a: Array, b: Array, bias: Array | None) -> Array:
        """Half precision is computed in float32 (narrow integers in int64), as sums of many products need it."""
        wide = np.int64 if a.dtype.kind in "iub" else np.float32
        out = function(a.astype(wide), b.astype(wide), None if bias is None else bias.astype(wide))
        return out.astype(a.dtype)
