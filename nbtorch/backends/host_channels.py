"""Batch normalisation on the host.

An image with all its channels is one long row of a matrix: sums are products with ones, and a number for each channel,
repeated for each place of the image, meets all rows at full speed. Standardizing, scaling and shifting are one
multiplication and one addition; so is the gradient for each of its two arguments. Where means are large beside
deviations that would lose digits, and the generic body does it in its own order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .channels import ChannelPrimitives

Array = Any

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_FAR = 30  # how many deviations a mean may be from 0: as many units in the last place are lost
_FAR_FOR_SQUARES = 2  # the same where the square of that is lost
_BLOCK = 1 << 16  # elements of what is needed only between two steps


def suits(x: Array) -> bool:
    """Whether the rows of this file can be made of an array."""
    return bool(x.dtype in _FLOATS and x.size and x.flags.c_contiguous)


def _near(center: Array, scale: Array) -> bool:
    """Whether no mean is far from 0; not where there is a NaN."""
    return bool((np.abs(center * scale) <= _FAR).all())


def channel_sum(x: Array) -> Array:
    """The sum of each channel of ``(n, channels, *)``, in rows."""
    n, c = x.shape[:2]
    return _ones(n, x.dtype).dot(x.reshape(n, -1)).reshape(c, -1).sum(1)


def _channel_dot(x: Array, y: Array) -> Array:
    """The sum of the products of each channel."""
    n, c = x.shape[:2]
    return np.einsum("nk,nk->k", x.reshape(n, -1), y.reshape(n, -1)).reshape(c, -1).sum(1)


def _ones(n: int, dtype: Any) -> Array:
    out = np.empty(n, dtype)
    out.fill(1)
    return out


def _in_rows(x: Array) -> tuple[Array, int]:
    """``x`` in a shape that a number for each channel broadcasts to, and how often that is to be repeated."""
    n, c = x.shape[:2]
    k = x.size // (n * c)
    # Few images are not worth the repeating.
    return (x.reshape(n, c * k), k) if n >= 4 or k == 1 else (x.reshape(n, c, k), 0)


def _repeated(numbers: Array, times: int) -> Array:
    return numbers.reshape(-1, 1) if not times else numbers if times == 1 else np.repeat(numbers, times)


class HostChannels(ChannelPrimitives):
    """Batch normalisation with one pass for each operation that is left."""

    def channel_statistics(self, x: Array) -> tuple[Array, Array]:
        if not suits(x):
            return super().channel_statistics(x)
        c = x.shape[1]
        count = x.dtype.type(x.size // c)
        center = channel_sum(x) / count
        square = center * center
        var = _channel_dot(x, x) / count - square
        if not (square <= _FAR_FOR_SQUARES**2 * var).all():
            var = self._apart(x, center) / count
        shape = (1, c) + (1,) * (x.ndim - 2)
        return center.reshape(shape), var.reshape(shape)

    @staticmethod
    def _apart(x: Array, center: Array) -> Array:
        """The sum of the squares of ``x - center``, a few images at a time."""
        rows, times = _in_rows(x)
        middle = _repeated(center, times)
        total: Any = 0
        step = max(1, _BLOCK // rows[0].size)
        for a in range(0, rows.shape[0], step):
            part = np.subtract(rows[a : a + step], middle).reshape(-1, rows[0].size)
            total = total + np.einsum("nk,nk->k", part, part)
        return total.reshape(center.size, -1).sum(1)

    def batch_norm(self, x: Array, weight: Any, bias: Any, center: Array, scale: Array) -> Array:
        if not (suits(x) and _near(center, scale)):
            return super().batch_norm(x, weight, bias, center, scale)
        factor = scale.reshape(-1)
        if weight is not None:
            factor = factor * weight
        shift = -center.reshape(-1) * factor
        if bias is not None:
            shift += bias
        rows, times = _in_rows(x)
        out = np.multiply(rows, _repeated(factor, times))
        np.add(out, _repeated(shift, times), out)
        return out.reshape(x.shape)

    def batch_norm_backward(
        self, g: Array, x: Array, weight: Any, center: Array, scale: Array, fixed: bool, needs: tuple[bool, bool, bool]
    ) -> tuple[Any, Any, Any]:
        if not (suits(x) and g.dtype == x.dtype and _near(center, scale)):
            return super().batch_norm_backward(g, x, weight, center, scale, fixed, needs)
        g = np.ascontiguousarray(g)
        center, scale = center.reshape(-1), scale.reshape(-1)
        total = along = of_input = None
        if needs[2] or not fixed:
            total = channel_sum(g)
        if needs[1] or not fixed:
            along = (_channel_dot(g, x) - center * (channel_sum(g) if total is None else total)) * scale
        if needs[0]:
            factor = scale if weight is None else scale * weight
            rows, times = _in_rows(g)
            out = np.multiply(rows, _repeated(factor, times))
            if not fixed:
                assert along is not None
                slope = factor * scale * along / x.dtype.type(-(x.size // x.shape[1]))
                shift = factor * total / x.dtype.type(-(x.size // x.shape[1])) - slope * center
                self._add_line(out, _in_rows(x)[0], _repeated(slope, times), _repeated(shift, times))
            of_input = out.reshape(x.shape)
        return of_input, along if needs[1] else None, total if needs[2] else None

    @staticmethod
    def _add_line(out: Array, x: Array, slope: Array, shift: Array) -> None:
        """Adds ``x * slope + shift``, a few images at a time."""
        step = max(1, _BLOCK // x[0].size)
        for a in range(0, x.shape[0], step):
            part = np.multiply(x[a : a + step], slope)
            np.add(part, shift, part)
            some = out[a : a + step]
            np.add(some, part, some)
