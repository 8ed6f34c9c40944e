"""Bounded tables of measurements by step: what probes keep of a run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Table:
    """Rows of numbers, one a step: the recent past in full, the older past ever more sparsely.

    When it is full, every other row of its older three quarters goes, but those of the steps that `landmarks` returns
    stay as long as they fit into half of it: the steps of a run's overview, which don't depend on time.
    """

    def __init__(
        self,
        columns: Sequence[tuple[npt.DTypeLike, tuple[int, ...]]],
        capacity: int = 512,
        landmarks: Callable[[], Sequence[int] | Array] = tuple,
    ) -> None:
        """`columns` gives the dtype of each column and the shape of one row in it."""
        if capacity < 8:
            raise ValueError(f"expected a capacity of at least 8 rows, got {capacity}")
        self.capacity = capacity
        self._landmarks = landmarks
        self._steps = np.zeros(capacity, np.uint32)
        self._columns = [np.zeros((capacity, *shape), dtype) for dtype, shape in columns]
        self._count = 0
        self._lock = threading.Lock()  # a view reads on another thread than the loop's

    def __len__(self) -> int:
        return self._count

    @property
    def last_step(self) -> int:
        """The step of the newest row; 0 if there is none."""
        return int(self._steps[self._count - 1]) if self._count else 0

    def append(self, step: int, *values: npt.ArrayLike) -> None:
        """Add a row. Steps must come in rising order; one that doesn't is left out."""
        with self._lock:
            if self._count and step <= self._steps[self._count - 1]:
                return
            if self._count == self.capacity:
                self._thin()
            row = self._count
            self._steps[row] = step
            for column, value in zip(self._columns, values, strict=True):
                column[row] = value
            self._count = row + 1

    def cut(self, step: int) -> None:
        """Take away the rows after `step`: the run was rewound to it."""
        with self._lock:
            self._count = int(np.searchsorted(self._steps[: self._count], step, side="right"))

    def _thin(self) -> None:
        older = self.capacity * 3 // 4
        rows = np.arange(self.capacity)
        kept = (rows >= older) | (rows % 2 == 0)
        landmarks = np.isin(self._steps, np.asarray(self._landmarks(), np.uint32))
        if landmarks.sum() <= self.capacity // 2:
            kept |= landmarks
        if kept.all():
            kept[1::2] = False
        self._count = int(kept.sum())
        for column in (self._steps, *self._columns):
            column[: self._count] = column[kept]

    def since(self, step: int = 0, limit: int | None = None) -> list[Array]:
        """Steps and columns of the rows after `step`, at most the newest `limit`, copied."""
        with self._lock:
            first = int(np.searchsorted(self._steps[: self._count], step, side="right"))
            if limit is not None:
                first = max(first, self._count - limit)
            return [column[first : self._count].copy() for column in (self._steps, *self._columns)]

    def spread(self, limit: int) -> list[Array]:
        """At most `limit` rows of the whole table: the landmarks and the newest go first, then evenly chosen ones."""
        columns = self.since()
        steps = columns[0]
        if len(steps) <= limit:
            return columns
        chosen = np.isin(steps, np.asarray(self._landmarks(), np.uint32))
        chosen[-1] = True
        if chosen.sum() > limit:
            chosen[:] = False
        rest = np.flatnonzero(~chosen)
        more = limit - int(chosen.sum())
        if more > 0:
            chosen[rest[np.linspace(0, len(rest) - 1, more).round().astype(np.intp)]] = True
        return [column[chosen] for column in columns]

    def landmarks(self) -> list[Array]:
        """Steps and columns of the rows at the steps that `landmarks` returns, copied."""
        columns = self.since()
        chosen = np.isin(columns[0], np.asarray(self._landmarks(), np.uint32))
        return [column[chosen] for column in columns]
