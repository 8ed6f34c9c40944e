"""Chebyshev series: a smooth function of one number, interpolated once, then evaluated on any array module."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


def fit(f: Callable[[float], float], degree: int) -> list[float]:
    """The series of degree ``degree`` that fits ``f``, a function of Python numbers on [-1, 1], at Chebyshev nodes."""
    count = degree + 15
    # All cosines are of multiples of one angle, below a whole turn: an angle that is large loses places.
    cosines = [math.cos(math.pi * i / (2 * count)) for i in range(4 * count)]
    values = [f(cosines[2 * j + 1]) for j in range(count)]
    series = [
        math.fsum(v * cosines[(2 * j + 1) * k % (4 * count)] for j, v in enumerate(values)) * 2 / count
        for k in range(degree + 1)
    ]
    series[0] /= 2
    return series


def clenshaw(series: list[float], t: Any) -> Any:
    """The series at the array ``t`` by Clenshaw's recurrence."""
    b1 = b2 = t * 0
    for c in reversed(series[1:]):
        b1, b2 = 2 * t * b1 - b2 + c, b1
    return t * b1 - b2 + series[0]
