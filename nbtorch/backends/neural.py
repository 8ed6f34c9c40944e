"""What networks compute often enough to be a primitive of its own, in one generic body each.

Sources: GELU, Hendrycks and Gimpel 2016; layer normalisation, Ba, Kiros and Hinton 2016.
"""

from __future__ import annotations

import math
from typing import Any

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
