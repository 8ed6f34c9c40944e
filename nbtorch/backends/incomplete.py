"""The incomplete gamma functions, regularised, on any array module.

By size of ``a`` and ``x``: the power series, Legendre's continued fraction, and where ``a`` is large and ``x`` near it,
Temme's uniform expansion (NIST handbook 8.7, 8.9 and 8.12), whose coefficients are worked out exactly, once, when first
needed. Every element goes through all of them, with arguments that suit each, and the one that fits is taken. All
arrays are float64.
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction
from typing import Any

from .errorfunction import erfc
from .gamma import bernoulli, lgamma_from_half, polynomial

_ORDERS, _DEGREE = 13, 17  # of Temme's expansion: powers of 1 / a, and of eta in each


@functools.cache
def _temme() -> list[list[float]]:
    """The power series in eta of the first coefficients c_k of 8.12.7, by 8.12.9 and 8.12.10."""
    n = _DEGREE + 2 * _ORDERS + 2
    # mu, with mu - log(1 + mu) = eta**2 / 2, so that mu mu' = eta (1 + mu).
    mu = [Fraction(0), Fraction(1)]
    for k in range(2, n + 1):
        known = sum((mu[i] * (k + 1 - i) * mu[k + 1 - i] for i in range(2, k)), Fraction(0))
        mu.append((mu[k - 1] - known) / (k + 1))
    # eta / mu.
    inverse = [Fraction(1)]
    for k in range(1, n):
        inverse.append(-sum((mu[i + 1] * inverse[k - i] for i in range(1, k + 1)), Fraction(0)))
    # Stirling's series for gamma itself, from that of its logarithm.
    logarithm = [Fraction(0)] * (_ORDERS + 1)
    for j, b in enumerate(bernoulli(_ORDERS), 1):
        if 2 * j - 1 <= _ORDERS:
            logarithm[2 * j - 1] = b / (2 * j * (2 * j - 1))
    stirling = [Fraction(1)]
    for k in range(1, _ORDERS + 1):
        stirling.append(sum((i * logarithm[i] * stirling[k - i] for i in range(1, k + 1)), Fraction(0)) / k)
    series = [inverse[1:]]
    for k in range(1, _ORDERS):
        before, sign = series[-1], (-1) ** k
        # The terms in 1 / eta cancel.
        series.append([(i + 2) * before[i + 2] + sign * stirling[k] * inverse[i + 1] for i in range(len(before) - 2)])
    return [[float(c) for c in s[:_DEGREE]] for s in series]


def _factor(xp: Any, a: Any, x: Any) -> Any:
    """``x**a exp(-x) / gamma(a + 1)``."""
    return xp.exp(a * xp.log(x) - x - lgamma_from_half(xp, a + 1))


def _lower_series(xp: Any, a: Any, x: Any) -> Any:
    """The lower function for ``x`` up to about ``a``."""
    total = term = xp.ones_like(x)
    below = a
    for _ in range(120):
        below = below + 1
        term = term * (x / below)
        total = total + term
    return total * _factor(xp, a, x)


def _upper_series(xp: Any, a: Any, x: Any) -> Any:
    """The upper function for ``a`` and ``x`` up to 1, where the lower one is nearly 1."""
    exponent = a * xp.log(x) - lgamma_from_half(xp, a + 1)
    total = xp.zeros_like(x)
    term = xp.ones_like(x)
    for n in range(1, 22):
        term = term * x / -n
        total = total + term / (a + n)
    return -xp.expm1(exponent) - xp.exp(exponent) * a * total


def _upper_fraction(xp: Any, a: Any, x: Any) -> Any:
    """The upper function for ``x`` beyond ``a``, from the far end of the continued fraction."""
    count = 160
    tail = x + (2 * count + 1) - a
    for n in range(count, 0, -1):
        tail = x + (2 * n - 1) - a - n * (n - a) / tail
    return _factor(xp, a, x) * a / tail


def _uniform(xp: Any, a: Any, x: Any) -> tuple[Any, Any]:
    """Both functions for ``a`` from 20 and ``x`` within a third of it."""
    mu = (x - a) / a
    # (mu - log(1 + mu)) / mu**2, whose logarithm would cancel.
    eta = mu * xp.sqrt(2 * polynomial([(-1) ** n / n for n in range(2, 44)], mu))
    total = xp.zeros_like(a)
    for series in reversed(_temme()):
        total = total / a + polynomial(series, eta)
    rest = xp.exp(-0.5 * a * eta * eta) / xp.sqrt(2 * math.pi * a) * total
    spread = eta * xp.sqrt(a / 2)
    return 0.5 * erfc(xp, -spread) - rest, 0.5 * erfc(xp, spread) + rest


def _both(xp: Any, a: Any, x: Any) -> tuple[Any, Any]:
    """The lower and the upper function."""
    a, x = xp.broadcast_arrays(a, x)
    usual = (a > 0) & (x > 0) & (a < math.inf) & (x < math.inf)
    uniform = usual & (a > 20) & (xp.absolute(x - a) < 0.3 * a)
    small = usual & (a < 1) & (x <= 1)
    beyond = usual & ~uniform & ~small & (x > a + 1)
    within = usual & ~uniform & ~small & ~beyond

    def pick(mask: Any, of_a: float, of_x: float) -> tuple[Any, Any]:
        return xp.where(mask, a, of_a), xp.where(mask, x, of_x)

    series = _lower_series(xp, *pick(within, 2.0, 1.0))
    near_zero = _upper_series(xp, *pick(small, 0.5, 0.5))
    fraction = _upper_fraction(xp, *pick(beyond, 1.0, 3.0))
    low, high = _uniform(xp, *pick(uniform, 30.0, 30.0))
    lower = xp.where(uniform, low, xp.where(small, 1 - near_zero, xp.where(beyond, 1 - fraction, series)))
    upper = xp.where(uniform, high, xp.where(small, near_zero, xp.where(beyond, fraction, 1 - series)))
    # At the ends.
    empty = (x == 0) & ~(a <= 0) | (a == math.inf) & ~(x < 0) & (x != math.inf)
    full = (a == 0) & (x > 0) | (x == math.inf) & ~(a < 0) & (a != math.inf)
    rest = xp.where(usual, lower, math.nan), xp.where(usual, upper, math.nan)
    return (
        xp.where(empty, 0.0, xp.where(full, 1.0, rest[0])),
        xp.where(empty, 1.0, xp.where(full, 0.0, rest[1])),
    )


def igamma(xp: Any, a: Any, x: Any) -> Any:
    """The lower incomplete gamma function, regularised: from 0 at x = 0 to 1."""
    return _both(xp, a, x)[0]


def igammac(xp: Any, a: Any, x: Any) -> Any:
    """The upper incomplete gamma function, regularised: ``1 - igamma``."""
    return _both(xp, a, x)[1]
