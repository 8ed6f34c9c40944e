"""Standardizing the channels of a batch, in one generic body each.

Source: batch normalisation, Ioffe and Szegedy 2015.
"""

from __future__ import annotations

from typing import Any

Array = Any


def beside_channels(x: Array) -> tuple[int, ...]:
    """All dimensions of ``(n, channels, *)`` but that of the channels."""
    return (0, *range(2, x.ndim))


class ChannelPrimitives:
    """What batch normalisation computes of ``x``, ``(n, channels, *)``, in float32 or float64.

    Statistics have the shape ``(1, channels, 1, ...)``; weight and bias ``(channels,)``.
    """

    # Of the backend that this is a part of.
    mean: Any
    reshape: Any
    sum: Any

    def channel_statistics(self, x: Array) -> tuple[Array, Array]:
        """The mean and the variance of each channel."""
        dims = beside_channels(x)
        center = self.mean(x, dims, True)
        apart = x - center
        return center, self.mean(apart * apart, dims, True)

    def batch_norm(self, x: Array, weight: Any, bias: Any, center: Array, scale: Array) -> Array:
        """``(x - center) * scale * weight + bias``; weight and bias may be None."""
        y = (x - center) * scale
        if weight is not None:
            y = y * self.reshape(weight, center.shape)
        return y if bias is None else y + self.reshape(bias, center.shape)

    def batch_norm_backward(
        self, g: Array, x: Array, weight: Any, center: Array, scale: Array, fixed: bool, needs: tuple[bool, bool, bool]
    ) -> tuple[Any, Any, Any]:
        """The gradients of input, weight and bias of :meth:`batch_norm`; None for those that aren't needed.

        Args:
            g: the gradient of the result.
            x: the input.
            weight: as it was given.
            center: the means, with 1 over the deviations in ``scale``.
            scale: of the batch, or where ``fixed``, numbers that don't depend on it.
            fixed: whether they are.
            needs: which gradients are wanted.
        """
        dims = beside_channels(x)
        y = (x - center) * scale
        of_input = None
        if needs[0]:
            h = g if weight is None else g * self.reshape(weight, center.shape)
            if not fixed:
                # Without its mean and its part along y: neither changes the standardized values.
                h = h - self.mean(h, dims, True) - y * self.mean(h * y, dims, True)
            of_input = h * scale
        return of_input, self.sum(g * y, dims) if needs[1] else None, self.sum(g, dims) if needs[2] else None
