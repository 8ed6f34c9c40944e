"""Special functions that neither NumPy nor every array module has, on any array module.

``erf`` is interpolated at Chebyshev nodes against the standard library's ``math.erf``, once, when first needed: the
error function itself up to 2, and its complement scaled by exp(x**2) beyond, where the plain function is all ones.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

_SPLIT = 2.0  # below: erf(x) / x as a series in x**2; above: a series in 1 / x
_FAR = 6.0  # erf(6) is 1 to the last bit of a double


@functools.cache
def _series() -> tuple[list[float], list[float]]:
    from numpy.polynomial import chebyshev  # not with nbtorch: it takes as long to import as all of the graph

    nodes = np.cos(np.pi * (np.arange(40) + 0.5) / 40)

    def fit(f: Any, degree: int) -> list[float]:
        values = np.array([f(float(t)) for t in nodes])
        return [float(c) for c in chebyshev.chebfit(nodes, values, degree)]

    def near(t: float) -> float:  # t in [-1, 1] stands for x**2 in [0, 4]
        x = math.sqrt((t + 1) / 2) * _SPLIT
        return math.erf(x) / x

    def far(t: float) -> float:  # t in [-1, 1] stands for 1 / x in [1/6, 1/2]
        x = 1 / _reciprocal(t)
        return math.erfc(x) * math.exp(x * x)

    return fit(near, 25), fit(far, 25)


def _reciprocal(t: Any) -> Any:
    low, high = 1 / _FAR, 1 / _SPLIT
    return low + (t + 1) / 2 * (high - low)


def _clenshaw(series: list[float], t: Any) -> Any:
    """The Chebyshev series at ``t`` by Clenshaw's recurrence."""
    b1 = b2 = t * 0
    for c in reversed(series[1:]):
        b1, b2 = 2 * t * b1 - b2 + c, b1
    return t * b1 - b2 + series[0]


def erf(xp: Any, x: Any) -> Any:
    """The error function, within 2e-15 in float64 and a unit or two in the last place of float32.

    Args:
        xp: the array module of ``x``.
        x: a floating array of any shape.
    """
    if x.dtype.itemsize < 4:  # half precision would lose places in each of the many steps
        return erf(xp, x.astype(np.float32)).astype(x.dtype)
    near, far = _series()
    size = xp.minimum(xp.absolute(x), _FAR)
    squared = xp.minimum(size, _SPLIT) ** 2
    inner = x * _clenshaw(near, squared * (2 / _SPLIT**2) - 1)
    beyond = xp.maximum(size, _SPLIT)
    low, high = 1 / _FAR, 1 / _SPLIT
    tail = _clenshaw(far, (1 / beyond - low) * (2 / (high - low)) - 1) * xp.exp(-beyond * beyond)
    outer = xp.sign(x) * (1 - tail)
    # A NaN fails the comparison and stays NaN through the product with x.
    return xp.where(size > _SPLIT, outer, inner).astype(x.dtype)
