"""What a run remembers: bounded tables of samples, one row a sampled step, one column a parameter."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Float32s: TypeAlias = npt.NDArray[np.float32]
Flags: TypeAlias = npt.NDArray[np.uint8]


class Samples(NamedTuple):
    """Rows of a history, oldest first. R rows, P parameters."""

    steps: npt.NDArray[np.uint32]
    """[R] the step, counted from 1, after which the row was taken."""
    loss: Float32s
    """[R] NaN with no flag of its own where the loss isn't known."""
    norms: Float32s
    """[R, P] the L2 norm of each parameter's gradient."""
    flags: Flags
    """[R, P] the marks of `gradients`: NAN, INF, ZERO, NO_GRAD, FROZEN."""

    def __len__(self) -> int:
        return len(self.steps)

    @classmethod
    def empty(cls, capacity: int, parameters: int) -> Samples:
        return cls(
            np.zeros(capacity, np.uint32),
            np.full(capacity, np.nan, np.float32),
            np.zeros((capacity, parameters), np.float32),
            np.zeros((capacity, parameters), np.uint8),
        )

    def take(self, rows: slice | npt.NDArray[np.intp]) -> Samples:
        """The chosen rows, copied."""
        return Samples(
            self.steps[rows].copy(), self.loss[rows].copy(), self.norms[rows].copy(), self.flags[rows].copy()
        )

    def merge(self, other: Samples) -> Samples:
        """The rows of both in the order of their steps, each step once."""
        both = Samples(
            np.concatenate((self.steps, other.steps)),
            np.concatenate((self.loss, other.loss)),
            np.concatenate((self.norms, other.norms)),
            np.concatenate((self.flags, other.flags)),
        )
        _, first = np.unique(both.steps, return_index=True)
        return both.take(first)


class History:
    """The recent past in full, the older past ever more sparsely, in at most `capacity` rows.

    When the table is full, every other row of its older three quarters goes; so a long run keeps its beginning.
    """

    def __init__(self, parameters: int, capacity: int = 512) -> None:
        if capacity < 8:
            raise ValueError(f"expected a capacity of at least 8 rows, got {capacity}")
        self.capacity = capacity
        self._table = Samples.empty(capacity, parameters)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, step: int, loss: float, norms: Float32s, flags: Flags) -> None:
        """Add a row. Steps must come in rising order."""
        if self._count == self.capacity:
            self._keep(self._rows_to_keep())
        table, row = self._table, self._count
        table.steps[row] = step
        table.loss[row] = loss
        table.norms[row] = norms
        table.flags[row] = flags
        self._count = row + 1

    def _rows_to_keep(self) -> npt.NDArray[np.intp]:
        older = self.capacity * 3 // 4
        rows = np.arange(self.capacity)
        kept: npt.NDArray[np.intp] = rows[(rows >= older) | (rows % 2 == 0)]
        return kept

    def _keep(self, rows: npt.NDArray[np.intp]) -> None:
        for column in self._table:
            column[: len(rows)] = column[rows]
        self._count = len(rows)

    def since(self, step: int, limit: int | None = None) -> Samples:
        """The rows after `step`, at most the newest `limit` of them, copied."""
        first = int(np.searchsorted(self._table.steps[: self._count], step, side="right"))
        if limit is not None:
            first = max(first, self._count - limit)
        return self._table.take(slice(first, self._count))

    def samples(self) -> Samples:
        """All rows, copied."""
        return self._table.take(slice(0, self._count))


class Overview(History):
    """A whole run, evenly sampled, by a rule of step numbers alone, never of time: it can be repeated exactly.

    Steps fall into slots of `stride` steps, and the first sample of each slot is kept. When the table is full the
    stride doubles. The capacity bounds what a run costs that nobody watches.
    """

    def __init__(self, parameters: int, capacity: int = 64, every: int = 1) -> None:
        super().__init__(parameters, capacity)
        self.stride = every
        self._every = every
        self._slot = -1

    def expect(self, total: int) -> None:
        """Choose the stride for a run of `total` steps; has an effect only before the first row."""
        if not self._count:
            # Two rows fewer than there are: one for the last step, one to spare.
            self.stride = max(1, -(-total // ((self.capacity - 2) * self._every))) * self._every

    def due(self, step: int) -> bool:
        """Whether a sample of `step` belongs into this table."""
        return (step - 1) // self.stride > self._slot

    def allows(self, step: int) -> bool:
        """Whether `every` lets `step` be sampled at all."""
        return (step - 1) % self._every == 0

    def append(self, step: int, loss: float, norms: Float32s, flags: Flags) -> None:
        super().append(step, loss, norms, flags)
        self._slot = (step - 1) // self.stride

    def _rows_to_keep(self) -> npt.NDArray[np.intp]:
        self.stride *= 2
        slots = (self._table.steps[: self._count].astype(np.int64) - 1) // self.stride
        first: npt.NDArray[np.intp] = np.unique(slots, return_index=True)[1]
        return first
