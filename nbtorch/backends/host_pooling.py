"""Max pooling on the host: the way of the gradient found by comparing instead of by indices."""

from __future__ import annotations

from typing import Any

import numpy as np

from .pooling import PoolingPrimitives
from .windows import Windows

Array = Any


class HostPooling(PoolingPrimitives):
    """Max pooling's gradient without an index for each result."""

    def max_pool_backward(self, g: Array, x: Array, at: Windows) -> Array:
        out = self.max_pool(x, at)
        # Nothing equals NaN, so no maximum is found in the padding.
        region = self.covered(x, at, np.nan)
        grad = np.zeros(region.shape, g.dtype)
        once = all(s > d * (k - 1) for s, d, k in zip(at.stride, at.dilation, at.kernel, strict=True))
        free = np.ones(out.shape, np.bool_)
        for _, taken in at.taps():
            where: Any = (..., *taken)
            hit = region[where] == out
            np.logical_and(hit, free, hit)  # among equals the first
            np.logical_xor(free, hit, free)
            if once:
                np.multiply(g, hit, grad[where])
            else:
                grad[where] += g * hit
        if free.any():  # a NaN, which equals nothing
            return super().max_pool_backward(g, x, at)
        return self.uncovered(grad, at)
