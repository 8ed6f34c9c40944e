"""Values set to zero at random, for training."""

from __future__ import annotations

import math

from ... import ops
from ...tensor import Tensor, empty_like
from .activations import SELU_ALPHA, SELU_SCALE, store

__all__ = [
    "alpha_dropout", "dropout",
]  # fmt: skip


def _check_probability(p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise ValueError(
            f"dropout probability has to be between 0 and 1, but got {p}\n  expected: the share of elements to drop"
        )


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Sets each value to 0 with probability ``p`` and divides the others by ``1 - p``; the input if not ``training``.

    Raises:
        ValueError: unless ``0 ≤ p ≤ 1``.
    """
    _check_probability(p)
    return store(input, ops.dropout(input, p, training), inplace)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout that keeps the mean 0 and variance 1 of a :func:`selu` network (Klambauer et al. 2017).

    Dropped values become the value that SELU has at minus infinity; then all are scaled and shifted.

    Raises:
        ValueError: unless ``0 ≤ p ≤ 1``.
    """
    _check_probability(p)
    if not training or p == 0.0:
        return input
    if p == 1.0:
        return store(input, input * 0, inplace)
    floor = -SELU_ALPHA * SELU_SCALE
    scale = 1 / math.sqrt((1 - p) * (1 + p * floor**2))
    kept = empty_like(input.detach()).bernoulli_(1 - p)
    result = (input * kept + floor * (1 - kept)) * scale - scale * floor * p
    return store(input, result, inplace)
