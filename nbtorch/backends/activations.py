"""Elementwise functions of several steps, and the derivatives of them, as primitives.

Each body is plain maths on what the primitives of one name have in common: :class:`Slopes` is part of every backend and
of the mathematics of tensors, so that a derivative is written once for both. A backend may take fewer passes over the
memory than the formula does (see ``host_elementwise.py``); the body here is the oracle of that.
"""

from __future__ import annotations

import math
from typing import Any

Array = Any

ROOT_2_OVER_PI = math.sqrt(2.0 / math.pi)
GELU_CUBIC = 0.044715


def in_dtype_of(x: Array, result: Array) -> Array:
    """``result`` in the dtype of ``x``: array modules answer in float32 where bfloat16 meets a Python number."""
    return result if result.dtype == x.dtype else result.astype(x.dtype)


class Slopes:
    """The gradient ``g`` of a function's result as that of its input, given the input, or the result ``out``."""

    def direction(self: Any, x: Array) -> Array:
        """The sign of floating numbers, 0 for NaN."""
        return self.masked_fill(self.sign(x), x != x, 0)

    def abs_backward(self: Any, g: Array, input: Array) -> Array:
        return g * self.direction(input)

    def tanh_backward(self: Any, g: Array, out: Array) -> Array:
        return g * (1 - out * out)

    def sigmoid_backward(self: Any, g: Array, out: Array) -> Array:
        return g * (out * (1 - out))

    def relu_backward(self: Any, g: Array, out: Array) -> Array:
        return self.masked_fill(g, out == 0, 0)

    def leaky_relu_backward(self: Any, g: Array, input: Array, negative_slope: float) -> Array:
        return self.where(input > 0, g, g * negative_slope)

    def elu_backward(self: Any, g: Array, input: Array, alpha: float, scale: float, input_scale: float) -> Array:
        power = self.exp(self.clamp(input, None, 0) * input_scale)
        return self.where(input > 0, g * scale, g * power * (alpha * scale * input_scale))

    def silu_backward(self: Any, g: Array, input: Array) -> Array:
        gate = self.sigmoid(input)
        return g * (gate * (1 + input * (1 - gate)))

    def softplus_backward(self: Any, g: Array, input: Array, beta: float, threshold: float) -> Array:
        scaled = input * beta
        return self.where(scaled > threshold, g, g * self.sigmoid(scaled))

    def gelu_backward(self: Any, g: Array, input: Array) -> Array:
        density = self.exp(-0.5 * (input * input)) * (1 / math.sqrt(2 * math.pi))
        return g * (0.5 * (1.0 + self.erf(input * math.sqrt(0.5))) + input * density)

    def softmax_backward(self: Any, g: Array, out: Array, dim: int) -> Array:
        return out * (g - self.sum(g * out, (dim,), True))

    def log_softmax_backward(self: Any, g: Array, out: Array, dim: int) -> Array:
        return g - self.exp(out) * self.sum(g, (dim,), True)

    def gather_backward(self: Any, g: Array, dim: int, index: Array, shape: Any, distinct: bool = False) -> Array:
        """Zeros of ``shape`` with ``g`` added along ``dim`` at ``index``; no element twice where ``distinct``."""
        return self.scatter_add(self.new_zeros(g, shape), dim, index, g)

    def gelu_tanh_backward(self: Any, g: Array, input: Array) -> Array:
        squared = input * input
        share = self.sigmoid(2 * ROOT_2_OVER_PI * (input + GELU_CUBIC * squared * input))
        slope = 2 * ROOT_2_OVER_PI * (1.0 + 3 * GELU_CUBIC * squared)
        return g * share * (1.0 + input * slope * (1.0 - share))


class Activations(Slopes):
    """The functions themselves, on the arrays of one module.

    Attributes:
        xp: the array module, with NumPy's interface.
        ndarray: the class of its arrays.
    """

    xp: Any
    ndarray: type

    def expm1(self: Any, x: Array) -> Array:
        return self.xp.expm1(x)

    def log1p(self: Any, x: Array) -> Array:
        return self.xp.log1p(x)

    def logaddexp(self: Any, input: Array, other: Array) -> Array:
        return self.xp.logaddexp(input, other)

    def remainder(self: Any, input: Array, other: Any) -> Array:
        return self.xp.remainder(input, other)

    def fmod(self: Any, input: Array, other: Any) -> Array:
        return self.xp.fmod(input, other)

    def floor_divide(self: Any, input: Array, other: Any) -> Array:
        return self.xp.floor_divide(input, other)

    def rsqrt(self: Any, x: Array) -> Array:
        return 1 / self.sqrt(x)

    def sigmoid(self: Any, x: Array) -> Array:
        # Far left it is exp(x) to every digit, which 0.5 + 0.5 tanh(x / 2) is not; an overflow gives the 0 it should.
        return in_dtype_of(x, 1 / (1 + self.exp(-x)))

    def relu(self: Any, x: Array) -> Array:
        return self.maximum(x, 0)

    def softplus(self: Any, x: Array, beta: float, threshold: float) -> Array:
        scaled = x * beta
        small = self.log1p(self.exp(self.minimum(scaled, threshold))) / beta
        return in_dtype_of(x, self.where(scaled > threshold, x, small))

    def where(self: Any, condition: Array, input: Any, other: Any) -> Array:
        return self.xp.where(condition, input, other)

    def clamp(self: Any, x: Array, min: Any = None, max: Any = None) -> Array:
        if min is not None:
            x = self.maximum(x, min)
        if max is not None:
            x = self.minimum(x, max)
        return x

    def masked_fill(self: Any, x: Array, mask: Array, value: Any) -> Array:
        # A NumPy scalar travels with the kernel's arguments; an array made of a number would be uploaded first.
        value = self.astype(value, x.dtype) if type(value) is self.ndarray else x.dtype.type(value)
        return self.xp.where(mask, value, x)

    def leaky_relu(self: Any, x: Array, negative_slope: float) -> Array:
        return self.where(x > 0, x, x * negative_slope)

    def elu(self: Any, x: Array, alpha: float, scale: float, input_scale: float) -> Array:
        bent = self.expm1(self.minimum(x, 0) * input_scale) * (alpha * scale)
        return self.where(x > 0, x * scale, bent)

    def silu(self: Any, x: Array) -> Array:
        return x * self.sigmoid(x)

    def logsigmoid(self: Any, x: Array) -> Array:
        return self.minimum(x, 0) - self.log1p(self.exp(-self.abs(x)))

    def gelu_tanh(self: Any, x: Array) -> Array:
        # (1 + tanh(z)) / 2 is the sigmoid of 2 z, which doesn't lose the digits of small shares.
        return x * self.sigmoid(2 * ROOT_2_OVER_PI * (x + GELU_CUBIC * (x * x * x)))
