"""Powers and their derivatives, as maths on arrays and on tensors: what the record of ``pow`` is made of."""

from __future__ import annotations

import math
from typing import Any

from ..autograd.variable import Variable
from .operands import NUMBERS

__all__: list[str] = []


def power(m: Any, input: Any, exponent: Any) -> Any:
    # NumPy's power is slow even for small whole exponents; these are what programs use.
    if isinstance(exponent, (int, float)) and not isinstance(input, NUMBERS):
        if exponent == 1:
            return m.copy(input)
        if exponent in (2, 3) or (exponent == 4 and input.dtype.itemsize > 2):
            return _product(m, input, int(exponent))
        if input.dtype.kind == "f":
            if exponent == 0.5:
                return m.sqrt(input)
            if exponent == -0.5:
                return m.rsqrt(input)
            if exponent in (-1, -2) or (exponent == -3 and input.dtype.itemsize > 2):
                return m.reciprocal(_product(m, input, -int(exponent)))
    if not isinstance(input, NUMBERS) and input.dtype.kind in "iu":
        return _integer_pow(m, input, exponent)
    if not isinstance(exponent, NUMBERS) and exponent.dtype.kind in "iu":
        return _integer_pow(m, m.full((), input, exponent.dtype), exponent)
    return m.pow(input, exponent)


def _product(m: Any, x: Any, times: int) -> Any:
    """``x`` to the power of 1, 2, 3 or 4."""
    if times == 1:
        return x
    out = m.mul(x, x)
    if times > 2:
        out *= x if times == 3 else out
    return out


def _integer_pow(m: Any, input: Any, exponent: Any) -> Any:
    """Whole numbers to whole powers; to a negative one only 1 and -1 give something other than 0."""
    if isinstance(exponent, NUMBERS):
        return m.pow(input, exponent)
    whole = m.pow(input, m.maximum(exponent, 0))
    odd = m.remainder(exponent, 2) != 0
    inverse = m.where(input == 1, input, m.where(input == -1, m.where(odd, input, -input), input * 0))
    return m.where(exponent < 0, inverse, whole)


def power_input(m: Any, g: Any, input: Any, exponent: Any) -> Any:
    if isinstance(exponent, (int, float)):
        if exponent == 2:
            return g * (2 * input)
        if isinstance(input, Variable):
            return g * 0 if exponent == 0 else g * (exponent * m.pow(input, exponent - 1))
        return g * 0 if exponent == 0 else g * (exponent * power(m, input, exponent - 1))
    # x**0 is 1 for every x, also where y * x**(y - 1) would be 0 * inf.
    return m.masked_fill(g * (exponent * m.pow(input, exponent - 1)), exponent == 0, 0)


def power_exponent(m: Any, g: Any, input: Any, exponent: Any, out: Any) -> Any:
    if isinstance(input, (int, float)):
        return g * (out * math.log(input)) if input > 0 else m.where(exponent >= 0, g * 0, g * math.nan)
    return m.masked_fill(g * (out * m.log(input)), (input == 0) & (exponent >= 0), 0)
