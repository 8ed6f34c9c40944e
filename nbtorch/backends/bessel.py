"""The modified Bessel functions of the first kind, orders 0 and 1, scaled by ``exp(-|x|)``, on any array module.

Up to 8 a Chebyshev series in x, beyond one in 1 / x, fitted once, when first needed: to the power series, all of whose
terms are positive, and for large numbers to Hankel's asymptotic expansion (Abramowitz and Stegun 9.6.10 and 9.7.1).
"""

from __future__ import annotations

import functools
import math
from typing import Any

from .chebyshev import clenshaw, fit

_SPLIT = 8.0


def _power_series(order: int, x: float) -> float:
    """``exp(-x) I(x) / x**order``."""
    term = math.exp(-x) / 2**order
    terms: list[float] = []
    k = 0
    while term > 1e-300 and (k < x or term > 1e-25 * max(terms)):
        terms.append(term)
        k += 1
        term *= x * x / 4 / (k * (k + order))
    return math.fsum(terms)


def _asymptotic(order: int, x: float) -> float:
    """``sqrt(x) exp(-x) I(x)`` for x from 30."""
    total = term = 1.0
    for k in range(1, 25):
        term *= -(4 * order**2 - (2 * k - 1) ** 2) / (8 * k * x)
        total += term
    return total / math.sqrt(2 * math.pi)


@functools.cache
def _series(order: int) -> tuple[list[float], list[float]]:
    def near(t: float) -> float:
        return _power_series(order, (t + 1) / 2 * _SPLIT)

    def far(t: float) -> float:
        u = (t + 1) / 2 / _SPLIT
        if u < 1 / 30:
            return _asymptotic(order, 1 / u)
        return _power_series(order, 1 / u) * (1 / u) ** (order + 0.5)

    return fit(near, 30), fit(far, 26)


def _scaled(xp: Any, x: Any, order: int) -> Any:
    near, far = _series(order)
    size = xp.absolute(x)
    inner = clenshaw(near, xp.minimum(size, _SPLIT) * (2 / _SPLIT) - 1)
    beyond = xp.maximum(size, _SPLIT)
    outer = clenshaw(far, 2 * _SPLIT / beyond - 1) / xp.sqrt(beyond)
    return xp.where(size > _SPLIT, xp.copysign(outer, x) if order else outer, inner * x if order else inner)


def i0e(xp: Any, x: Any) -> Any:
    """``exp(-|x|) I0(x)``, float64."""
    return _scaled(xp, x, 0)


def i1e(xp: Any, x: Any) -> Any:
    """``exp(-|x|) I1(x)``, float64."""
    return _scaled(xp, x, 1)


def i0(xp: Any, x: Any) -> Any:
    """``I0(x)``, float64."""
    return _grown(xp, x, _scaled(xp, x, 0))


def i1(xp: Any, x: Any) -> Any:
    """``I1(x)``, float64."""
    return _grown(xp, x, _scaled(xp, x, 1))


def _grown(xp: Any, x: Any, scaled: Any) -> Any:
    # In two steps: exp(x) overflows a little before the result does.
    half = xp.exp(xp.absolute(x) / 2)
    return scaled * half * half
