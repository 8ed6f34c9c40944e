"""The values of a function on a grid, coarse first: every eighth point, then every fourth, every second, all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from nbtorch_widgets.landscape.problems import Floats, Range

_STRIDES = (8, 4, 2, 1)


class Grid:
    """Values [R, R] over x (columns) and y (rows), both ascending; filled in by and by."""

    def __init__(self, x: Range, y: Range, resolution: int) -> None:
        self.xs: Floats = np.linspace(*x, resolution)
        self.ys: Floats = np.linspace(*y, resolution)
        self.values: npt.NDArray[np.float32] = np.zeros((resolution, resolution), np.float32)
        self.known: npt.NDArray[np.bool_] = np.zeros((resolution, resolution), bool)

    @property
    def complete(self) -> bool:
        return bool(self.known.all())

    @property
    def progress(self) -> float:
        """How much is known, from 0 to 1."""
        return float(self.known.mean())

    def take(self, values: Floats) -> None:
        """All values at once."""
        with np.errstate(over="ignore"):
            self.values[...] = values
        self.known[...] = True

    def fill(
        self, losses: Callable[[Sequence[tuple[float, float]]], Sequence[float]], chunk: int = 16
    ) -> Iterator[None]:
        """Compute what isn't known, a few points at a time."""
        for stride in _STRIDES:
            rows, columns = np.nonzero(~self.known[::stride, ::stride])
            missing = [(int(i) * stride, int(j) * stride) for i, j in zip(rows, columns, strict=True)]
            for first in range(0, len(missing), chunk):
                part = missing[first : first + chunk]
                found = losses([(float(self.xs[j]), float(self.ys[i])) for i, j in part])
                with np.errstate(over="ignore"):
                    for (i, j), value in zip(part, found, strict=True):
                        self.values[i, j] = value
                        self.known[i, j] = True
                yield

    def shown(self) -> npt.NDArray[np.float32]:
        """The values; where one isn't known, that of its nearest known neighbour below and to the left."""
        if self.complete:
            return self.values
        found = np.full(self.values.shape, np.nan, np.float32)
        done = np.zeros(self.known.shape, bool)
        index = np.arange(len(self.xs))
        for stride in reversed(_STRIDES):
            at = index // stride * stride
            known = self.known[np.ix_(at, at)] & ~done
            found[known] = self.values[np.ix_(at, at)][known]
            done |= known
        return found
