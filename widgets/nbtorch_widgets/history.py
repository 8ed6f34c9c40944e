"""What a run remembers: bounded tables of samples, one row a sampled step, one column a parameter.

A run that is rewound goes on as a new branch; the rows of the older branches stay. The branches that lead to the newest
one, each up to the step where the next leaves it, are its lineage: the run's own past.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Float32s: TypeAlias = npt.NDArray[np.float32]
Flags: TypeAlias = npt.NDArray[np.uint8]


class Branch(NamedTuple):
    """One way that a run went."""

    number: int
    """0 for the first, then counted in the order in which they began."""
    parent: int | None
    """The branch that it left; None for the first."""
    start: int
    """The step after which it left its parent: its own first step is `start + 1`."""
    end: int
    """The last step that it came to."""


class Samples(NamedTuple):
    """Rows of a history, ordered by branch and step. R rows, P parameters."""

    steps: npt.NDArray[np.uint32]
    """[R] the step, counted from 1, after which the row was taken."""
    loss: Float32s
    """[R] NaN with no flag of its own where the loss isn't known."""
    norms: Float32s
    """[R, P] the L2 norm of each parameter's gradient."""
    flags: Flags
    """[R, P] the marks of `gradients`: NAN, INF, ZERO, NO_GRAD, FROZEN."""
    branch: npt.NDArray[np.uint32]
    """[R] the branch that took the step; all 0 unless the run was rewound."""

    def __len__(self) -> int:
        return len(self.steps)

    @classmethod
    def empty(cls, capacity: int, parameters: int) -> Samples:
        return cls(
            np.zeros(capacity, np.uint32),
            np.full(capacity, np.nan, np.float32),
            np.zeros((capacity, parameters), np.float32),
            np.zeros((capacity, parameters), np.uint8),
            np.zeros(capacity, np.uint32),
        )

    def take(self, rows: slice | npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Samples:
        """The chosen rows, copied."""
        return Samples(
            self.steps[rows].copy(),
            self.loss[rows].copy(),
            self.norms[rows].copy(),
            self.flags[rows].copy(),
            self.branch[rows].copy(),
        )

    def merge(self, other: Samples) -> Samples:
        """The rows of both, ordered by branch and step, each step of a branch once."""
        both = Samples(
            np.concatenate((self.steps, other.steps)),
            np.concatenate((self.loss, other.loss)),
            np.concatenate((self.norms, other.norms)),
            np.concatenate((self.flags, other.flags)),
            np.concatenate((self.branch, other.branch)),
        )
        _, first = np.unique(both.branch.astype(np.uint64) << np.uint64(32) | both.steps, return_index=True)
        return both.take(first)

    def lineage(self, branches: Sequence[Branch]) -> Samples:
        """The rows on the way to the last of `branches`, ordered by step: the run's own past."""
        if len(branches) < 2:
            return self
        mine = np.zeros(len(self), bool)
        for number, end in lineage(branches).items():
            mine |= (self.branch == number) & (self.steps <= end)
        chosen = self.take(mine)
        return chosen.take(np.argsort(chosen.steps, kind="stable"))


def lineage(branches: Sequence[Branch]) -> dict[int, int]:
    """The branches that lead to the last one, newest first, with the last step that belongs to the way."""
    by_number = {branch.number: branch for branch in branches}
    at: Branch | None = branches[-1]
    limit = 0xFFFFFFFF
    found = {}
    while at is not None:
        found[at.number] = limit
        limit = min(limit, at.start)
        at = by_number.get(at.parent) if at.parent is not None else None
    return found


class History:
    """The recent past in full, the older past ever more sparsely, in at most `capacity` rows.

    When the table is full, every other row of its older three quarters goes; so a long run keeps its beginning.
    """

    def __init__(self, parameters: int, capacity: int = 512) -> None:
        if capacity < 8:
            raise ValueError(f"expected a capacity of at least 8 rows, got {capacity}")
        self.capacity = capacity
        self._table = Samples.empty(capacity, parameters)
        self._order = np.zeros(capacity, np.int64)
        self._count = 0
        #: Rows ever added.
        self.added = 0

    def __len__(self) -> int:
        return self._count

    def append(self, step: int, loss: float, norms: Float32s, flags: Flags, branch: int = 0) -> None:
        """Add a row. Branches must come in rising order, and steps in each of them."""
        if self._count == self.capacity:
            self._keep(self._rows_to_keep())
        table, row = self._table, self._count
        table.steps[row] = step
        table.loss[row] = loss
        table.norms[row] = norms
        table.flags[row] = flags
        table.branch[row] = branch
        self.added += 1
        self._order[row] = self.added
        self._count = row + 1

    def _rows_to_keep(self) -> npt.NDArray[np.intp]:
        older = self.capacity * 3 // 4
        rows = np.arange(self.capacity)
        kept: npt.NDArray[np.intp] = rows[(rows >= older) | (rows % 2 == 0)]
        return kept

    def _keep(self, rows: npt.NDArray[np.intp]) -> None:
        for column in (*self._table, self._order):
            column[: len(rows)] = column[rows]
        self._count = len(rows)

    def since(self, added: int, limit: int | None = None) -> Samples:
        """The rows added after the first `added` ones, at most the newest `limit` of them, copied."""
        first = int(np.searchsorted(self._order[: self._count], added, side="right"))
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

    def rewind(self, step: int) -> None:
        """The run goes on after `step`, in a new branch."""
        self._slot = (step - 1) // self.stride if step else -1

    def append(self, step: int, loss: float, norms: Float32s, flags: Flags, branch: int = 0) -> None:
        super().append(step, loss, norms, flags, branch)
        self._slot = (step - 1) // self.stride

    def _rows_to_keep(self) -> npt.NDArray[np.intp]:
        self.stride *= 2
        steps = self._table.steps[: self._count].astype(np.int64)
        slots = (steps - 1) // self.stride + (self._table.branch[: self._count].astype(np.int64) << 32)
        first: npt.NDArray[np.intp] = np.sort(np.unique(slots, return_index=True)[1])
        # Many short branches may have one row each; then every other of them goes.
        return first if len(first) < self.capacity else first[::2]
