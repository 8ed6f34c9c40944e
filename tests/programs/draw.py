"""The inputs of one example of a derivative test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import helpers
import numpy as np


class Draw:
    """Makes the inputs of one example: distinct numbers, none of them at a point without a derivative."""

    def __init__(self, shape: tuple[int, ...], seed: int) -> None:
        self.shape = shape
        self.numbers = np.random.default_rng(seed)
        self.leaves: list[Any] = []

    def __call__(self, *shape: int, low: float = -2.0, high: float = 2.0) -> Any:
        """A leaf that wants a gradient, float64; of the example's shape unless another is given."""
        return self.make(shape or self.shape, low, high)

    def make(self, shape: tuple[int, ...], low: float = -2.0, high: float = 2.0) -> Any:
        n = int(np.prod(shape))
        # A grid that meets neither whole nor half numbers, in random order.
        values = low + (high - low) * (self.numbers.permutation(n) + 0.37) / max(n, 1)
        leaf = helpers.to_nbtorch(values.reshape(shape), requires_grad=True)
        self.leaves.append(leaf)
        return leaf

    def whole(self, *shape: int, below: int) -> Any:
        """Indices: int64 in [0, below)."""
        return helpers.to_nbtorch(self.numbers.integers(0, below, shape))

    def mask(self, *shape: int) -> Any:
        return helpers.to_nbtorch(self.numbers.random(shape or self.shape) < 0.5)


Program = Callable[[Draw], Any]
