"""Elementwise functions on the host, with few passes over the memory and little memory of their own.

NumPy reads and writes an array of a million numbers in the time that it takes to add them; what costs is the number of
passes, fresh memory, and some functions that have no vector code of their own: ``np.where`` and ``np.copyto`` stumble
over a mask without a pattern (25 times a pass), ``np.maximum`` with a number takes three passes where ``clip`` takes
one, ``np.expm1`` and ``np.log1p`` call the C library for each number. Arrays of a function's own are changed in place.
What is not float32 or float64 takes the generic body.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .activations import GELU_CUBIC, ROOT_2_OVER_PI, Activations

try:
    from numpy._core.umath import clip  # type: ignore[attr-defined]
except ImportError:  # a NumPy that keeps it elsewhere

    def clip(x: Any, low: Any, high: Any, out: Any = None) -> Any:
        return np.minimum(np.maximum(x, low, out=out), high, out=out)


Array = Any

_F32, _F64 = np.dtype(np.float32), np.dtype(np.float64)
# Constants as 0-d arrays: NumPy takes them faster than Python's numbers.
_ZERO = {d: np.zeros((), d) for d in (_F32, _F64)}
_ONE = {d: np.ones((), d) for d in (_F32, _F64)}
_INF = {d: np.full((), np.inf, d) for d in (_F32, _F64)}
# The integers that hold the bits of a number.
BITS: dict[Any, Any] = {np.dtype(kind): np.dtype(f"i{np.dtype(kind).itemsize}") for kind in "?bhilqBHILQefd"}
_NUMBERS = (int, float)
_BOUNDS = (int, float, type(None))
_MANY = 4096  # from here on choosing by bits is faster than by branches


def _floats(x: Array) -> bool:
    return x.dtype in _ONE and x.ndim > 0


def _whole_quotient(a: Any, b: Any, rounded: Any) -> tuple[Array, Any] | None:
    """``rounded(a / b)`` of large float32 arrays in float64, and ``b``; None where that may be inexact.

    Two numbers of 24 bits whose quotient has no more than 28 differ from a whole multiple by more than the rounding of
    a double, and that multiple is a double. NumPy's own functions call the C library for each number.
    """
    if type(a) is not np.ndarray or a.dtype != _F32 or a.size < _MANY:
        return None
    if type(b) in _NUMBERS:
        b = float(np.float32(b))
        if not math.isfinite(b):
            return None
    elif type(b) is not np.ndarray or b.dtype != _F32 or b.size > a.size or not np.isfinite(b).all():
        return None
    quotient = np.divide(a, b, dtype=np.float64)
    rounded(quotient, quotient)
    return (quotient, b) if quotient.max() < 1 << 28 and quotient.min() > -(1 << 28) else None


def _rest(a: Array, found: tuple[Array, Any]) -> Array:
    quotient, b = found
    np.multiply(quotient, b, quotient)
    return np.subtract(a, quotient, quotient).astype(np.float32)


def _exchange_where(x: Array, mask: Array, before: Any, after: float) -> None:
    """Makes ``after`` of the number that ``before`` is wherever ``mask`` holds, in an array without gaps.

    Some at a time, so that what is exchanged takes no memory to speak of.
    """
    bits = BITS[x.dtype]
    differ = np.bitwise_xor(before.view(bits), x.dtype.type(after).view(bits))
    flat, chosen = x.view(bits).ravel("K"), mask.ravel("K")
    for start in range(0, flat.size, 1 << 15):
        part = flat[start : start + (1 << 15)]
        np.bitwise_xor(part, np.multiply(chosen[start : start + (1 << 15)], differ), part)


class HostElementwise(Activations):
    """Overrides for NumPy arrays."""

    # -- choosing by bits ---
    def where(self, condition: Array, input: Any, other: Any) -> Array:
        d, e = getattr(input, "dtype", None), getattr(other, "dtype", None)
        if (
            d is None
            or e is None  # asked for itself: NumPy's float64 equals None
            or condition.size < _MANY
            or condition.dtype.kind != "b"
            or d != e
            or d not in BITS
            or not (input.ndim or other.ndim)
        ):
            return np.where(condition, input, other)
        # other ^ ((input ^ other) · condition): every bit as it is, NaN and -0 too.
        bits = BITS[d]
        a, b = input.view(bits), other.view(bits)
        chosen = np.bitwise_xor(a, b)
        if chosen.shape == condition.shape:
            np.multiply(chosen, condition, chosen)
        else:
            chosen = np.multiply(chosen, condition)
        np.bitwise_xor(chosen, b, chosen)
        return chosen.view(d)

    def masked_fill(self, x: Array, mask: Array, value: Any) -> Array:
        bits = BITS.get(x.dtype)
        if bits is None or not x.ndim or mask.dtype.kind != "b":
            return super().masked_fill(x, mask, value)
        if type(value) in _NUMBERS and value == 0 and math.copysign(1, value) > 0:
            # Times 0 or 1: one pass, and infinities and NaNs are cleared too.
            cleared: Array = np.multiply(x.view(bits), ~mask)
            return cleared.view(x.dtype)
        if mask.size < _MANY:
            return super().masked_fill(x, mask, value)
        value = value.astype(x.dtype) if isinstance(value, np.ndarray) else np.asarray(x.dtype.type(value))
        return self.where(mask, value, x)

    def tril(self, x: Array, diagonal: int = 0) -> Array:
        if x.size < _MANY or x.dtype not in BITS:
            return np.tril(x, diagonal)
        kept = np.tri(x.shape[-2], x.shape[-1], diagonal, dtype=np.bool_)
        return np.multiply(x.view(BITS[x.dtype]), kept).view(x.dtype)

    def triu(self, x: Array, diagonal: int = 0) -> Array:
        if x.size < _MANY or x.dtype not in BITS:
            return np.triu(x, diagonal)
        kept = np.tri(x.shape[-2], x.shape[-1], diagonal - 1, dtype=np.bool_)
        return np.multiply(x.view(BITS[x.dtype]), ~kept).view(x.dtype)

    # -- bounds ---
    def relu(self, x: Array) -> Array:
        d = x.dtype
        return clip(x, _ZERO[d], _INF[d]) if d in _ZERO else np.maximum(x, 0)

    def clamp(self, x: Array, min: Any = None, max: Any = None) -> Array:
        d = x.dtype
        if d not in _ONE or not (type(min) in _BOUNDS and type(max) in _BOUNDS):
            return super().clamp(x, min, max)
        low = -_INF[d] if min is None else d.type(min)
        high = _INF[d] if max is None else d.type(max)
        if low != low or high != high:  # a bound that is NaN: clip has an opinion of its own
            return super().clamp(x, min, max)
        return clip(x, low, high)

    # -- exponentials ---
    def sigmoid(self, x: Array) -> Array:
        if not _floats(x):
            return super().sigmoid(x)
        out = np.negative(x)
        np.exp(out, out)
        np.add(out, _ONE[x.dtype], out)
        return np.reciprocal(out, out)

    def expm1(self, x: Array) -> Array:
        if not _floats(x):
            return np.expm1(x)
        # tanh(x / 2) · (exp(x) + 1): accurate near 0 as tanh is.
        out = np.multiply(x, 0.5)
        np.tanh(out, out)
        power = np.exp(x)
        np.add(power, _ONE[x.dtype], power)
        return np.multiply(out, power, out)

    def log1p(self, x: Array) -> Array:
        if not _floats(x):
            return np.log1p(x)
        # The logarithm of u = 1 + x, less what rounding u added: (u - 1 - x) / u. That is NaN where the logarithm is
        # infinite; fmin makes it a number.
        one = _ONE[x.dtype]
        u = np.add(x, one)
        error = np.subtract(u, one)
        np.subtract(error, x, error)
        np.divide(error, u, error)
        np.fmin(error, one, error)
        np.log(u, u)
        return np.subtract(u, error, u)

    def softplus(self, x: Array, beta: float, threshold: float) -> Array:
        if not _floats(x):
            return super().softplus(x, beta, threshold)
        # max(x, 0) + log1p(exp(-|x|)), which overflows nowhere.
        scaled = x if beta == 1 else np.multiply(x, beta)
        out = self._log1p_of_exp_minus(scaled)
        np.add(out, self.relu(scaled), out)
        if beta != 1:
            np.divide(out, beta, out)
        linear = np.greater(scaled, threshold)
        if linear.any():
            np.copyto(out, x, where=linear)
        return out

    def logsigmoid(self, x: Array) -> Array:
        if not _floats(x):
            return super().logsigmoid(x)
        return np.subtract(self.clamp(x, None, 0), self._log1p_of_exp_minus(x))

    def _log1p_of_exp_minus(self, x: Array) -> Array:
        """``log1p(exp(-|x|))``."""
        one = _ONE[x.dtype]
        t = np.abs(x)
        np.negative(t, t)
        np.exp(t, t)
        u = np.add(t, one)  # in [1, 2], so that the correction is a number
        np.subtract(t, u, t)
        np.add(t, one, t)
        np.divide(t, u, t)
        np.log(u, u)
        return np.add(u, t, u)

    def logaddexp(self, input: Array, other: Array) -> Array:
        a, b = input, other
        if type(a) is not np.ndarray or type(b) is not np.ndarray or not _floats(a) or a.dtype != b.dtype or not b.ndim:
            return np.logaddexp(a, b)
        # max(a, b) + log1p(exp(-|a - b|)); of equal infinities the difference is NaN, which fmin takes for infinite.
        gap = np.subtract(a, b)
        np.fmin(np.abs(gap, gap), _INF[a.dtype], gap)
        out = self._log1p_of_exp_minus(gap)
        return np.add(out, np.maximum(a, b), out)

    # -- division with a rest ---
    def remainder(self, input: Array, other: Any) -> Array:
        found = _whole_quotient(input, other, np.floor)
        return np.remainder(input, other) if found is None else _rest(input, found)

    def fmod(self, input: Array, other: Any) -> Array:
        found = _whole_quotient(input, other, np.trunc)
        return np.fmod(input, other) if found is None else _rest(input, found)

    def floor_divide(self, input: Array, other: Any) -> Array:
        found = _whole_quotient(input, other, np.floor)
        return np.floor_divide(input, other) if found is None else found[0].astype(np.float32)

    # -- signs ---
    def direction(self, x: Array) -> Array:
        if not _floats(x):
            return super().direction(x)
        return np.subtract(np.greater(x, 0).view(np.int8), np.less(x, 0).view(np.int8)).astype(x.dtype)

    # -- activations ---
    def leaky_relu(self, x: Array, negative_slope: float) -> Array:
        if not _floats(x) or not 0 < negative_slope <= 1:  # infinity times 0 is NaN
            return super().leaky_relu(x, negative_slope)
        out = np.multiply(x, negative_slope)
        return np.maximum(x, out, out=out)

    def elu(self, x: Array, alpha: float, scale: float, input_scale: float) -> Array:
        if not _floats(x) or not (input_scale > 0 and math.isfinite(alpha)):
            return super().elu(x, alpha, scale, input_scale)
        # Each side is 0 on the other's half, so that their sum is both. For t <= 0, expm1(t) is 2 h / (1 - h) with
        # h = tanh(t / 2), and no digits are lost.
        t = self.clamp(x, None, 0)
        np.multiply(t, 0.5 * input_scale, t)
        np.tanh(t, t)
        rest = np.subtract(_ONE[x.dtype], t)
        np.multiply(t, 2.0 * alpha * scale, t)
        np.divide(t, rest, t)
        positive = clip(x, _ZERO[x.dtype], _INF[x.dtype], rest)
        if scale != 1:
            np.multiply(positive, scale, positive)
        return np.add(t, positive, t)

    def silu(self, x: Array) -> Array:
        if not _floats(x):
            return super().silu(x)
        out = np.negative(x)
        np.exp(out, out)
        np.add(out, _ONE[x.dtype], out)
        return np.divide(x, out, out)

    def gelu_tanh(self, x: Array) -> Array:
        if not _floats(x):
            return super().gelu_tanh(x)
        out = self._gelu_power(x, np.multiply(x, x))
        return np.divide(x, out, out)

    @staticmethod
    def _gelu_power(x: Array, squared: Array) -> Array:
        """``1 + exp(-2 z)`` where the function is ``x (1 + tanh(z)) / 2``: the exponential is the faster one."""
        t = np.multiply(squared, -2 * ROOT_2_OVER_PI * GELU_CUBIC)
        np.add(t, -2 * ROOT_2_OVER_PI, t)
        np.multiply(t, x, t)
        np.exp(t, t)
        return np.add(t, _ONE[x.dtype], t)

    # -- derivatives ---
    def abs_backward(self, g: Array, input: Array) -> Array:
        if not _floats(input):
            return super().abs_backward(g, input)
        sign = np.subtract(np.greater(input, 0).view(np.int8), np.less(input, 0).view(np.int8))
        return np.multiply(g, sign)

    def tanh_backward(self, g: Array, out: Array) -> Array:
        if not _floats(out):
            return super().tanh_backward(g, out)
        slope = np.multiply(out, out)
        np.subtract(_ONE[out.dtype], slope, slope)
        return np.multiply(g, slope, slope)

    def sigmoid_backward(self, g: Array, out: Array) -> Array:
        if not _floats(out):
            return super().sigmoid_backward(g, out)
        slope = np.subtract(_ONE[out.dtype], out)
        np.multiply(slope, out, slope)
        return np.multiply(g, slope, slope)

    def relu_backward(self, g: Array, out: Array) -> Array:
        bits = BITS.get(out.dtype)
        if bits is None or not out.ndim or g.dtype != out.dtype:
            return super().relu_backward(g, out)
        passed: Array = np.multiply(g.view(bits), np.not_equal(out, 0))
        return passed.view(g.dtype)

    def leaky_relu_backward(self, g: Array, input: Array, negative_slope: float) -> Array:
        if not _floats(input) or not 0 <= negative_slope <= 1:
            return super().leaky_relu_backward(g, input, negative_slope)
        d = input.dtype
        slope = np.greater(input, _ZERO[d], out=np.empty_like(input), casting="unsafe")
        clip(slope, d.type(negative_slope), _ONE[d], slope)
        return np.multiply(g, slope, slope)

    def elu_backward(self, g: Array, input: Array, alpha: float, scale: float, input_scale: float) -> Array:
        if not _floats(input) or not math.isfinite(alpha) or not (input_scale > 0 and input.flags.forc):
            return super().elu_backward(g, input, alpha, scale, input_scale)
        slope = self.clamp(input, None, 0)  # exp(0) is 1, the slope on the other side
        if input_scale != 1:
            np.multiply(slope, input_scale, slope)
        np.exp(slope, slope)
        negative = slope.dtype.type(alpha * scale * input_scale)
        if negative != 1:
            np.multiply(slope, negative, slope)
        if negative != slope.dtype.type(scale):
            _exchange_where(slope, np.greater(input, 0), negative, scale)
        return np.multiply(g, slope, slope)

    def silu_backward(self, g: Array, input: Array) -> Array:
        if not _floats(input):
            return super().silu_backward(g, input)
        one = _ONE[input.dtype]
        gate = self.sigmoid(input)
        slope = np.subtract(one, gate)
        np.multiply(slope, input, slope)
        np.add(slope, one, slope)
        np.multiply(slope, gate, slope)
        return np.multiply(g, slope, slope)

    def softplus_backward(self, g: Array, input: Array, beta: float, threshold: float) -> Array:
        if not _floats(input):
            return super().softplus_backward(g, input, beta, threshold)
        scaled = input if beta == 1 else np.multiply(input, beta)
        slope = self.sigmoid(scaled)
        linear = np.greater(scaled, threshold)
        if linear.any():
            np.copyto(slope, 1, where=linear)
        return np.multiply(g, slope, slope)

    def gelu_tanh_backward(self, g: Array, input: Array) -> Array:
        if not _floats(input):
            return super().gelu_tanh_backward(g, input)
        one = _ONE[input.dtype]
        squared = np.multiply(input, input)
        share = self._gelu_power(input, squared)
        np.reciprocal(share, share)
        # share · (1 + 2 z' · x · (1 - share)) with the share (1 + tanh(z)) / 2.
        np.multiply(squared, 6 * ROOT_2_OVER_PI * GELU_CUBIC, squared)
        np.add(squared, 2 * ROOT_2_OVER_PI, squared)
        np.multiply(squared, input, squared)
        np.multiply(squared, np.subtract(one, share), squared)
        np.add(squared, one, squared)
        np.multiply(squared, share, squared)
        return np.multiply(g, squared, squared)
