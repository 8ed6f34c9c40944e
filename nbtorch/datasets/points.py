"""Points in the plane, and on a line: the small problems on which one sees what a model does.

All functions take ``generator`` or ``seed``: with a seed the same points come every time; without either the numbers
come from the default generator, which :func:`nbtorch.manual_seed` sets. Values are float32, labels int64.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..backends.dtypes import int64
from ..ops.creation import full, linspace, tensor
from ..ops.joining import cat, stack
from ..ops.random import Generator, rand, randn, randperm
from ..tensor import Tensor

__all__ = ["blobs", "lines", "moons", "spirals"]


def moons(
    n: int = 200, noise: float = 0.1, *, generator: Generator | None = None, seed: int | None = None
) -> tuple[Tensor, Tensor]:
    """Two half circles that reach into each other.

    Args:
        n: how many points, half of them (rounded up) in the first moon.
        noise: standard deviation of the normal noise on both coordinates.
        generator: where the random numbers come from.
        seed: instead of a generator.

    Returns:
        Points ``(n, 2)`` and labels ``(n,)``, 0 for the upper moon and 1 for the lower, in random order.
    """
    generator = _source(generator, seed)
    upper = linspace(0, math.pi, _positive(n) - n // 2)
    lower = linspace(0, math.pi, n // 2)
    points = cat([
        stack([upper.cos(), upper.sin()], 1),
        stack([1 - lower.cos(), 0.5 - lower.sin()], 1),
    ])  # fmt: skip
    return _shuffled(points, _labels([n - n // 2, n // 2]), noise, generator)


def spirals(
    n: int = 300,
    classes: int = 3,
    noise: float = 0.05,
    *,
    turns: float = 0.75,
    generator: Generator | None = None,
    seed: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Arms of a spiral, one for each class, that start at the origin and end at radius 1.

    Args:
        n: how many points, divided evenly among the classes; the first ones get what is left over.
        classes: how many arms.
        noise: standard deviation of the normal noise on both coordinates.
        turns: how often an arm goes round.
        generator: where the random numbers come from.
        seed: instead of a generator.

    Returns:
        Points ``(n, 2)`` and labels ``(n,)`` from 0 to ``classes - 1``, in random order.
    """
    generator = _source(generator, seed)
    sizes = _even_sizes(n, classes)
    arms = []
    for arm, size in enumerate(sizes):
        radius = linspace(0, 1, size)
        angle = 2 * math.pi * (turns * radius + arm / classes)
        arms.append(stack([radius * angle.cos(), radius * angle.sin()], 1))
    return _shuffled(cat(arms), _labels(sizes), noise, generator)


def blobs(
    n: int = 300,
    centers: int | Sequence[Sequence[float]] = 3,
    std: float = 0.4,
    *,
    generator: Generator | None = None,
    seed: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Round clouds of points, one for each class.

    Args:
        n: how many points, divided evenly among the classes; the first ones get what is left over.
        centers: how many clouds, which are then put on a circle of radius 2; or their centres, of any dimension ``d``.
        std: standard deviation of a cloud in every direction.
        generator: where the random numbers come from.
        seed: instead of a generator.

    Returns:
        Points ``(n, d)``, with ``d = 2`` unless centres are given, and labels ``(n,)``, in random order.
    """
    generator = _source(generator, seed)
    if isinstance(centers, int):
        angles = [2 * math.pi * k / centers for k in range(centers)]
        centers = [(2 * math.cos(angle), 2 * math.sin(angle)) for angle in angles]
    labels = _labels(_even_sizes(n, len(centers)))
    return _shuffled(tensor([[float(x) for x in centre] for centre in centers])[labels], labels, std, generator)


def lines(
    n: int = 100,
    slope: float = 2.0,
    intercept: float = 0.0,
    noise: float = 0.1,
    *,
    low: float = -1.0,
    high: float = 1.0,
    generator: Generator | None = None,
    seed: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Points near a straight line, for linear regression.

    Args:
        n: how many points.
        slope: of the line.
        intercept: its height at 0.
        noise: standard deviation of the normal noise on ``y``.
        low: lower end of the interval in which ``x`` is uniform.
        high: its upper end.
        generator: where the random numbers come from.
        seed: instead of a generator.

    Returns:
        ``x`` and ``y = slope · x + intercept + noise``, both ``(n, 1)``.
    """
    generator = _source(generator, seed)
    x = low + (high - low) * rand(_positive(n), 1, generator=generator)
    y = slope * x + intercept + noise * randn(n, 1, generator=generator)
    return x, y


def _source(generator: Generator | None, seed: int | None) -> Generator | None:
    if seed is None:
        return generator
    if generator is not None:
        raise ValueError("give either generator or seed, not both")
    return Generator().manual_seed(seed)


def _positive(n: int) -> int:
    if n < 1:
        raise ValueError(f"expected at least one point, got n={n}")
    return n


def _even_sizes(n: int, classes: int) -> list[int]:
    if classes < 1:
        raise ValueError(f"expected at least one class, got {classes}")
    return [_positive(n) // classes + (k < n % classes) for k in range(classes)]


def _labels(sizes: list[int]) -> Tensor:
    return cat([full((size,), k, dtype=int64) for k, size in enumerate(sizes)])  # type: ignore[no-any-return]


def _shuffled(points: Tensor, labels: Tensor, noise: float, generator: Generator | None) -> tuple[Tensor, Tensor]:
    """Noise on every coordinate, and a random order, so that the first rows hold all classes."""
    points = points + noise * randn(*points.shape, generator=generator)
    order = randperm(len(labels), generator=generator)
    return points[order], labels[order]
