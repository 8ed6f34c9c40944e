"""The gamma function's family on any array module: its logarithm, that logarithm's derivatives, Hurwitz's zeta.

Methods, all of them in Abramowitz and Stegun, chapters 6 and 23, and the NIST handbook's chapter 25: the reflection
formula below 1/2, the recurrence up to where Stirling's or Euler and Maclaurin's expansion is exact to the last place,
and for the logarithm near its zeros 1 and 2 the Taylor series there. All arrays are float64.
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction
from typing import Any

_LOG_ROOT_TAU = math.log(2 * math.pi) / 2
_EULER = 0.57721566490153286061


@functools.cache
def bernoulli(count: int) -> list[Fraction]:
    """The Bernoulli numbers of even index 2, 4, ..., 2 * count."""
    numbers = [Fraction(1)]
    for n in range(1, 2 * count + 1):
        numbers.append(-sum((math.comb(n + 1, k) * b for k, b in enumerate(numbers)), Fraction(0)) / (n + 1))
    return numbers[2::2]


@functools.cache
def stirling() -> list[float]:
    """The coefficients of x**-1, x**-3, ... in the logarithm's expansion."""
    return [float(b / (2 * n * (2 * n - 1))) for n, b in enumerate(bernoulli(8), 1)]


@functools.cache
def _taylor() -> list[float]:
    """``log(gamma(2 + t)) / t`` as a polynomial: the coefficients are values of Riemann's zeta."""
    series = [1 - _EULER]
    for k in range(2, 32):
        # zeta(k) - 1, the sum from 2, its rest by Euler and Maclaurin.
        rest = 20.0 ** (1 - k) / (k - 1) + 20.0**-k / 2 + k * 20.0 ** (-k - 1) / 12
        rest -= k * (k + 1) * (k + 2) * 20.0 ** (-k - 3) / 720
        rest += k * (k + 1) * (k + 2) * (k + 3) * (k + 4) * 20.0 ** (-k - 5) / 30240
        series.append((-1) ** k * math.fsum([*(float(n) ** -k for n in range(2, 20)), rest]) / k)
    return series


def polynomial(series: list[float], t: Any) -> Any:
    total = t * 0 + series[-1]
    for c in reversed(series[:-1]):
        total = total * t + c
    return total


def lgamma_from_half(xp: Any, x: Any) -> Any:
    """For ``x`` >= 1/2."""
    # Near 1 and 2.
    low = x < 1.5
    y = xp.where(low, x + 1, x)
    product = xp.ones_like(x)
    for _ in range(6):  # down from below 8
        high = y > 2.5
        product = xp.where(high, product * (y - 1), product)
        y = xp.where(high, y - 1, y)
    t = xp.where(low, x - 1, y - 2)
    # log1p for a small x - 1; elsewhere the logarithm of what the recurrence took out.
    taken = xp.where(low, -xp.log1p(xp.where(low, x - 1, 0.0)), xp.log(product))
    near = t * polynomial(_taylor(), t) + taken
    # Stirling's.
    far = xp.maximum(x, 8.0)
    inverse = 1 / far
    logarithm = xp.log(far)
    series = inverse * polynomial(stirling(), inverse * inverse)
    # (x - 1/2) (log x - 1), not x log x - x: the difference of two infinities has no value.
    return xp.where(x < 8, near, (far - 0.5) * (logarithm - 1) + (_LOG_ROOT_TAU - 0.5) + series)


def sin_pi(xp: Any, x: Any) -> Any:
    """``sin(pi x)``, exact at whole numbers and accurate beside them."""
    rest = x - 2 * xp.rint(x / 2)  # in [-1, 1]
    size = xp.absolute(rest)
    return xp.copysign(xp.sin(math.pi * xp.where(size > 0.5, 1 - size, size)), rest)


def lgamma(xp: Any, x: Any) -> Any:
    """``log(|gamma(x)|)``; infinite at 0 and the negative whole numbers."""
    left = x < 0.5
    positive = lgamma_from_half(xp, xp.where(left, 1 - x, x))
    sine = xp.absolute(sin_pi(xp, xp.where(left & (x > -math.inf), x, 0.5)))
    reflected = math.log(math.pi) - xp.log(sine) - positive
    return xp.where(left, xp.where(x == -math.inf, math.inf, reflected), positive)


def digamma(xp: Any, x: Any) -> Any:
    """The derivative of ``lgamma``; NaN at negative whole numbers, infinite at 0."""
    left = x < 0.5
    y = xp.where(left, 1 - x, x)
    total = xp.zeros_like(x)
    for _ in range(10):  # up to 10
        low = y < 10
        total = xp.where(low, total - 1 / y, total)
        y = xp.where(low, y + 1, y)
    square = 1 / (y * y)
    series = [float(b / (2 * n)) for n, b in enumerate(bernoulli(8), 1)]
    total = total + (xp.log(y) - 0.5 / y - square * polynomial(series, square))
    whole = x == xp.floor(x)
    angle = x - xp.rint(x)
    cotangent = math.pi / xp.tan(math.pi * xp.where(left & ~whole, angle, 0.25))
    reflected = xp.where(whole, math.nan, total - cotangent)
    return xp.where(x == 0, xp.copysign(xp.full_like(x, math.inf), -x), xp.where(left, reflected, total))


def _zeta_from_one(xp: Any, s: Any, q: Any) -> Any:
    """Hurwitz's zeta for ``q`` > 0."""
    total = q**-s
    a = q
    for _ in range(9):
        a = a + 1
        total = total + a**-s
    # The rest by Euler and Maclaurin.
    power = a**-s
    total = total + (a ** (1 - s) / (s - 1) - 0.5 * power)
    factor = s
    power = power / a
    for k, b in enumerate(bernoulli(12)):
        total = total + factor * power * float(b / math.factorial(2 * k + 2))
        factor = factor * (s + (2 * k + 1)) * (s + (2 * k + 2))
        power = power / (a * a)
    return total


def zeta(xp: Any, s: Any, q: Any) -> Any:
    """Hurwitz's zeta, the sum of ``(q + k)**-s`` over k = 0, 1, ...; infinite at its poles, NaN where it has no value.

    Below 0, where ``s`` has to be whole, the terms with a negative base are a finite sum, the difference of two zetas.
    """
    s, q = xp.broadcast_arrays(s, q)
    defined = (s > 1) & (q > 0)
    total = _zeta_from_one(xp, xp.where(s > 1, s, 2.0), xp.where(q > 0, q, 1.0))
    floor = xp.floor(q)
    whole = q == floor
    negative = (s > 1) & (q < 0) & ~whole & (s == xp.floor(s))
    order, part = xp.where(negative, s, 2.0), xp.where(negative, q - floor, 0.5)
    rest, beyond = xp.where(negative, xp.ceil(q) - q, 0.5), xp.where(negative, 1 - q, 1.5)
    sign = xp.where(order == 2 * xp.floor(order / 2), 1.0, -1.0)
    folded = _zeta_from_one(xp, order, part) + sign * _zeta_from_one(xp, order, rest)
    folded = folded - sign * _zeta_from_one(xp, order, beyond)
    total = xp.where(defined, total, xp.where(negative, folded, math.nan))
    # A NaN of s is none of the orders below 1: PyTorch looks at q first.
    pole = (s == 1) | (~(s < 1) & (q <= 0) & whole)
    return xp.where(pole, math.inf, total)


def trigamma(xp: Any, x: Any, sine: Any) -> Any:
    """The derivative of ``digamma``, given ``sin(pi x)``, which the reflection formula divides by."""
    left = x < 0.5
    total = _zeta_from_one(xp, xp.full_like(x, 2.0), xp.where(left, 1 - x, x))
    return xp.where(left, (math.pi / sine) ** 2 - total, total)


def polygamma(xp: Any, x: Any, n: int) -> Any:
    """The derivative of order ``n`` of ``digamma``."""
    if n == 0:
        return digamma(xp, x)
    order = xp.full_like(x, float(n + 1))
    return (-1.0) ** (n + 1) * math.exp(math.lgamma(n + 1)) * zeta(xp, order, x)
