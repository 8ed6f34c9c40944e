"""The error function and its family, which neither NumPy nor every array module has, on any array module.

Near 0, ``erf(x) / x`` is a Chebyshev series in x**2, fitted to the standard library's ``math.erf``. Elsewhere all
comes from the scaled complement ``exp(x**2) erfc(x)``: over all positive numbers one series in (x - c) / (x + c),
after Shepherd and Laframboise 1981, fitted to Laplace's continued fraction. Both are made once, when first needed. The
inverses are Newton's method on the logarithm. In float32 ``erf`` is the hyperbolic tangent of a polynomial.

Each function takes and gives float64 arrays, ``erf`` those of any floating dtype; :func:`in_double` serves the others.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .chebyshev import clenshaw, fit

_SPLIT = 1.0  # below: erf(x) / x as a series in x**2; above: 1 - erfc(x)
_FAR = 6.0  # erf(6) is 1 to the last bit of a double
_CENTRE = 3.75  # where the variable of the scaled complement's series is 0


def in_double(function: Callable[..., Any], xp: Any, *arrays: Any) -> Any:
    """``function(xp, *arrays)`` computed in float64, the result in the dtype of the first array."""
    d = arrays[0].dtype
    if d == np.float64:
        return function(xp, *arrays)
    return function(xp, *[a.astype(np.float64) for a in arrays]).astype(d)


@functools.cache
def _series() -> list[float]:
    def value(t: float) -> float:  # t in [-1, 1] stands for x**2 in [0, 1]
        x = math.sqrt((t + 1) / 2) * _SPLIT
        return math.erf(x) / x

    return fit(value, 16)


# atanh(erf(x)) / x in powers of x**2: least squares over [0, 4], weighted so that the error of erf is even.
_SINGLE = [
    np.float32(c)
    for c in (
        1.1283792472481027, 0.1027698634606058, -1.9528633738753005e-4, -6.148402158869365e-4, 8.459757165977123e-5,
        -4.7948459908717794e-6, 2.7603445404422722e-8, 5.4204586513728614e-9,
    )
]  # fmt: skip


def _erf_single(xp: Any, x: Any) -> Any:
    # The last coefficient is positive, so that large numbers, and infinity, come to 1.
    square = x * x
    power = square * _SINGLE[-1]
    for c in _SINGLE[-2:0:-1]:
        power += c
        power *= square
    power += _SINGLE[0]
    power *= x
    return xp.tanh(power)


def erf(xp: Any, x: Any) -> Any:
    """The error function, within 1e-15 in float64 and 1.5e-7, or 4 units in the last place, in float32.

    Args:
        xp: the array module of ``x``.
        x: a floating array of any shape.
    """
    if x.dtype.itemsize < 4:  # half precision would lose places in each of the many steps
        return erf(xp, x.astype(np.float32)).astype(x.dtype)
    if x.dtype == np.float32:
        return _erf_single(xp, x)
    size = xp.minimum(xp.absolute(x), _FAR)
    inner = x * clenshaw(_series(), xp.minimum(size, _SPLIT) ** 2 * (2 / _SPLIT**2) - 1)
    beyond = xp.maximum(size, _SPLIT)
    outer = xp.sign(x) * (1 - _scaled(xp, beyond) * xp.exp(-beyond * beyond))
    # A NaN fails the comparison and stays NaN through the product with x.
    return xp.where(size > _SPLIT, outer, inner).astype(x.dtype)


@functools.cache
def _scaled_series() -> list[float]:
    """``(1 + 2 x) erfcx(x)`` as a series in ``(x - 3.75) / (x + 3.75)``."""

    def value(t: float) -> float:
        x = _CENTRE * (1 + t) / (1 - t)
        if x < 1:
            scaled = math.exp(x * x) * math.erfc(x)
        else:  # Laplace's continued fraction, from the far end
            tail = 0.0
            for k in range(400, 0, -1):
                tail = k / 2 / (x + tail)
            scaled = 1 / (math.sqrt(math.pi) * (x + tail))
        return (1 + 2 * x) * scaled

    return fit(value, 32)


def _square_exp(xp: Any, x: Any, sign: float) -> Any:
    """``exp(sign * x**2)`` to full precision: the rounding of ``x**2`` would be multiplied by ``x**2``."""
    coarse = xp.trunc(x * 16) / 16
    return xp.exp(sign * coarse * coarse) * xp.exp(sign * (x - coarse) * (x + coarse))


def _scaled(xp: Any, x: Any) -> Any:
    """``exp(x**2) erfc(x)`` for ``x`` >= 0."""
    # Written so that an infinite x gives 0.
    return clenshaw(_scaled_series(), 1 - 2 * _CENTRE / (x + _CENTRE)) / (1 + 2 * x)


def erfcx(xp: Any, x: Any) -> Any:
    """``exp(x**2) * erfc(x)``."""
    positive = _scaled(xp, xp.absolute(x))
    inside = xp.maximum(xp.minimum(x, 0.0), -30.0)  # below -26.7 the result is infinite
    return xp.where(x < 0, 2 * _square_exp(xp, inside, 1.0) - positive, positive)


def erfc(xp: Any, x: Any) -> Any:
    """``1 - erf(x)`` without cancellation."""
    size = xp.absolute(x)
    inside = xp.minimum(size, 30.0)  # beyond 27.3 the result is 0
    tail = _scaled(xp, inside) * _square_exp(xp, inside, -1.0)
    return xp.where(size < 0.5, 1 - erf(xp, x), xp.where(x < 0, 2 - tail, tail))


def _from_tail(xp: Any, q: Any) -> Any:
    """The ``x`` >= 0 with ``erfc(x) = q``, for ``q`` in (0, 1/2]."""
    logarithm = xp.log(q)
    # Winitzki's approximation, good to 2e-3, then Newton's method on log(erfc(x)) = log(q), nearly a parabola.
    half = (logarithm + xp.log1p(1 - q)) / 2
    t = 2 / (math.pi * 0.147) + half
    x = xp.sqrt(xp.sqrt(t * t - half * (2 / 0.147)) - t)
    for _ in range(4):
        scaled = _scaled(xp, x)
        x = x + (xp.log(scaled) - x * x - logarithm) * scaled * (math.sqrt(math.pi) / 2)
    return x


def _from_middle(xp: Any, y: Any) -> Any:
    """The ``x`` with ``erf(x) = y``, for ``|y|`` <= 1/2."""
    half = xp.log1p(-y * y) / 2
    t = 2 / (math.pi * 0.147) + half
    x = xp.copysign(xp.sqrt(xp.maximum(xp.sqrt(t * t - half * (2 / 0.147)) - t, 0.0)), y)
    for _ in range(3):
        x = x - (erf(xp, x) - y) * xp.exp(x * x) * (math.sqrt(math.pi) / 2)
    return x


def erfinv(xp: Any, y: Any) -> Any:
    """The inverse of ``erf``: infinite at -1 and 1, NaN beyond."""
    size = xp.absolute(y)
    middle = _from_middle(xp, xp.where(size <= 0.5, y, 0.0))
    outer = (size > 0.5) & (size < 1)
    tail = xp.copysign(_from_tail(xp, xp.where(outer, 1 - size, 0.5)), y)
    ends = xp.where(size == 1, xp.copysign(xp.full_like(y, math.inf), y), xp.full_like(y, math.nan))
    return xp.where(size <= 0.5, middle, xp.where(outer, tail, ends))


def ndtr(xp: Any, x: Any) -> Any:
    """The distribution function of the standard normal distribution."""
    return 0.5 * erfc(xp, x * -math.sqrt(0.5))


def ndtri(xp: Any, p: Any) -> Any:
    """The quantile of the standard normal distribution; infinite at 0 and 1, NaN outside."""
    low = xp.minimum(p, 1 - p)
    tail = (low > 0) & (low < 0.25)
    outer = xp.copysign(_from_tail(xp, xp.where(tail, 2 * low, 0.5)), p - 0.5)
    middle = _from_middle(xp, xp.where(low >= 0.25, 2 * p - 1, 0.0))
    ends = xp.where(p == 0, -math.inf, xp.where(p == 1, math.inf, xp.full_like(p, math.nan)))
    return xp.where(low >= 0.25, middle * math.sqrt(2), xp.where(tail, outer * math.sqrt(2), ends))


def log_ndtr(xp: Any, x: Any) -> Any:
    """The logarithm of ``ndtr(x)``, also where that is 0."""
    t = x * math.sqrt(0.5)
    left = xp.log(_scaled(xp, xp.maximum(-t, 0.0)) / 2) - t * t
    return xp.where(x < -1, left, xp.log1p(-0.5 * erfc(xp, xp.maximum(t, -1.0))))
