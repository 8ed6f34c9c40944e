"""What networks compute often enough to be a primitive of its own, in one generic body each.

Sources: GELU, Hendrycks and Gimpel 2016; layer normalisation, Ba, Kiros and Hinton 2016; attention, Vaswani et al.
2017.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .activations import Activations
from .special import SpecialFunctions

Array = Any


class NeuralPrimitives(Activations, SpecialFunctions):
    """Activations, shares and normalisations, with their derivatives."""

    # Of the backend that this is a part of.
    amax: Any
    exp: Any
    log: Any
    mean: Any
    numel: Any
    reshape: Any
    sum: Any

    def gelu(self, x: Array) -> Array:
        """``x`` times the distribution function of the standard normal distribution."""
        return (self.erf(x * math.sqrt(0.5)) + 1.0) * x * 0.5

    def softmax(self, x: Array, dim: int) -> Array:
        powers = self.exp(x - self.amax(x, (dim,), True))
        return powers / self.sum(powers, (dim,), True)

    def log_softmax(self, x: Array, dim: int) -> Array:
        shifted = x - self.amax(x, (dim,), True)
        return shifted - self.log(self.sum(self.exp(shifted), (dim,), True))

    def pick(self, x: Array, index: Array) -> Array:
        """From each row of a matrix the number at ``index``, one for each row."""
        return x[self.xp.arange(x.shape[0]), index]

    def pick_backward(self, g: Array, index: Array, shape: Any) -> Array:
        """Zeros of ``shape`` with ``g``, a number or one for each row, at ``index``."""
        out = self.xp.zeros(tuple(shape), g.dtype)
        out[self.xp.arange(shape[0]), index] = g
        return out

    def layer_norm(self, x: Array, weight: Any, bias: Any, inner: int, eps: float) -> tuple[Array, Array, Array]:
        """Mean 0 and variance 1 over the last ``inner`` dimensions, then scaled and shifted.

        Args:
            x: the numbers.
            weight: of the shape of these dimensions, or None for 1.
            bias: of their shape, or None for 0.
            inner: how many they are.
            eps: added to the variance.

        Returns:
            The result, the means and 1 over the deviations; the last two keep the dimensions.
        """
        dims = tuple(range(x.ndim - inner, x.ndim))
        center = self.mean(x, dims, True)
        apart = x - center
        scale = self.rsqrt(self.mean(apart * apart, dims, True) + eps)
        y = apart * scale
        if weight is not None:
            y = y * weight
        return y if bias is None else y + bias, center, scale

    def layer_norm_backward(
        self, g: Array, x: Array, weight: Any, center: Array, scale: Array, inner: int, needs: tuple[bool, bool, bool]
    ) -> tuple[Any, Any, Any]:
        """The gradients of input, weight and bias of :meth:`layer_norm`; None for those that aren't needed."""
        outer, dims = tuple(range(x.ndim - inner)), tuple(range(x.ndim - inner, x.ndim))
        y = (x - center) * scale
        of_input = None
        if needs[0]:
            h = g if weight is None else g * weight
            # Without its mean and its part along y: neither changes the standardized values.
            of_input = (h - self.mean(h, dims, True) - y * self.mean(h * y, dims, True)) * scale
        return (
            of_input,
            self._over(g * y, outer) if needs[1] else None,
            self._over(g, outer) if needs[2] else None,
        )

    def _over(self, x: Array, dims: tuple[int, ...]) -> Array:
        return self.sum(x, dims) if dims else x

    # -- attention ---
    def later(self: Any, length: int, keys: int) -> Array:
        """Which keys stand behind the query: a matrix (length, keys) of bools."""
        return self.arange(0, keys, 1, np.int64) > self.arange(0, length, 1, np.int64).reshape(length, 1)

    def attention(
        self: Any, query: Array, key: Array, value: Array, bias: Any, alive: Any, drop: Any, scale: float, causal: bool
    ) -> tuple[Array, Any]:
        """For each query the mean of the values, weighted by how well the keys fit.

        Args:
            query: shape (*, L, E).
            key: shape (*, S, E).
            value: shape (*, S, F).
            bias: added to the scores, shape (*, L, S), or None.
            alive: what the weights are multiplied by, before anything else looks at them, or None.
            drop: what they are multiplied by for the values, or None.
            scale: what the products of queries and keys are multiplied by.
            causal: whether no query looks at keys behind it.

        Returns:
            The means, shape (*, L, F), and what :meth:`attention_backward` needs.
        """
        late = self.later(query.shape[-2], key.shape[-2]) if causal else None
        shares = shares_of_keys(self, query, key, bias, alive, late, scale)
        return self.matmul(shares if drop is None else shares * drop, value), shares

    def attention_backward(
        self: Any, g: Array, query: Array, key: Array, value: Array, bias: Any, alive: Any, drop: Any, scale: float,
        causal: bool, kept: Any, needs: Any,
    ) -> tuple[Any, Any, Any, Any]:  # fmt: skip
        """The gradients of query, key, value and bias of :meth:`attention`; None for those that aren't needed."""
        return shares_backward(self, g, query, key, value, drop, scale, kept, needs)


def shares_of_keys(m: Any, query: Any, key: Any, bias: Any, alive: Any, late: Any, scale: float) -> Any:
    """The weight of each key for each query; of arrays or of tensors, as ``m`` is."""
    scores = m.matmul(query * scale, m.transpose(key, -2, -1))
    if bias is not None:
        scores = scores + bias
    if late is not None:
        scores = m.masked_fill(scores, late, -math.inf)
    # Of no keys at all there is no largest score, and nothing to share.
    shares = m.softmax(scores, -1) if scores.shape[-1] else scores
    return shares if alive is None else shares * alive


def shares_backward(
    m: Any, g: Any, query: Any, key: Any, value: Any, drop: Any, scale: float, shares: Any, needs: Any
) -> tuple[Any, Any, Any, Any]:
    """The gradients of query, key, value and bias; of arrays or of tensors, as ``m`` is."""
    of_query = of_key = of_value = of_bias = None
    if needs[2]:
        of_value = m.matmul(m.transpose(shares if drop is None else shares * drop, -2, -1), g)
    if needs[0] or needs[1] or needs[3]:
        h = m.matmul(g, m.transpose(value, -2, -1))
        if drop is not None:
            h = h * drop
        h = h * shares
        h = h - shares * m.sum(h, (h.ndim - 1,), True)
        of_query = m.matmul(h, key) * scale if needs[0] else None
        of_key = m.matmul(m.transpose(h, -2, -1), query) * scale if needs[1] else None
        of_bias = h if needs[3] else None
    return of_query, of_key, of_value, of_bias
