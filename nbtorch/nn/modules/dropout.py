"""Layers that drop values at random in training, and do nothing in evaluation."""

from __future__ import annotations

from ...tensor import Tensor
from .. import functional as F
from .module import Module

__all__ = ["AlphaDropout", "Dropout"]


class _Dropout(Module):
    """What the dropouts share.

    Args:
        p: the probability that a value is dropped.
        inplace: overwrite the input.

    Raises:
        ValueError: unless ``0 ≤ p ≤ 1``.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Sets each value to 0 with probability ``p`` and divides the others by ``1 - p``; any shape.

    Only in training: after ``module.eval()`` it returns its input.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Dropout that keeps mean and variance, for networks of :class:`SELU` (Klambauer et al. 2017); any shape."""

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training)
