"""A loader gone through epoch after epoch, from which a loop can go back to where it was."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

from nbtorch_widgets.randomness import Randomness

Batch = TypeVar("Batch")


class Place(NamedTuple):
    """A place in the data."""

    source: Any
    """The loader."""
    epoch: int
    """0 before the first."""
    taken: int
    """Batches of that epoch that were given out."""
    done: bool
    """Whether they are known to be all."""
    last_epoch: int
    """The epoch with which the pass over the loader ends."""
    start: Randomness | None
    """The random streams when the epoch's first batch was asked for."""


def is_one_shot(source: Any) -> bool:
    """Whether it can be gone through only once."""
    return hasattr(source, "__next__")


class Batches(Generic[Batch]):
    """The batches of a loader, for some epochs."""

    batch: Batch

    def __init__(
        self,
        source: Iterable[Batch],
        epoch: int,
        epochs: int,
        per_epoch: int | None,
        remember: Callable[[], Randomness] | None,
    ) -> None:
        self.epoch = epoch
        self.source = source
        self._last_epoch = epoch + epochs
        self._per_epoch = per_epoch
        self._remember = remember
        self._iterator: Iterator[Batch] | None = None
        self._taken = 0
        self._start: Randomness | None = None

    @property
    def can_go_back(self) -> bool:
        return not is_one_shot(self.source)

    def advance(self) -> bool:
        """Get the next batch into `batch`, of the next epoch if need be; False if there is none."""
        while True:
            if self._iterator is None:
                if self.epoch >= self._last_epoch:
                    return False
                self.epoch += 1
                self._start = self._remember() if self._remember is not None else None
                self._iterator, self._taken = iter(self.source), 0
            try:
                self.batch = next(self._iterator)
            except StopIteration:
                self._iterator = None
                continue
            self._taken += 1
            return True

    @property
    def place(self) -> Place:
        """Where the loop stands after a step: before the batch that it will ask for next."""
        done = self._iterator is None or self._taken == self._per_epoch
        return Place(self.source, self.epoch, self._taken, done, self._last_epoch, self._start)

    def open(self, place: Place) -> Iterator[Batch] | None:
        """Go through the epoch of `place` again up to there, with the random streams of then, which this changes.

        The loop itself stays where it is until `use`, or `stay` if something fails.
        """
        if place.done:
            return None
        assert place.start is not None
        place.start.restore()
        iterator: Iterator[Batch] = iter(place.source)
        for number in range(place.taken):
            try:
                next(iterator)
            except StopIteration:
                raise IndexError(f"the loader has only {number} batches now; there were {place.taken}") from None
        return iterator

    def use(self, place: Place, iterator: Iterator[Batch] | None) -> None:
        """Go on at `place` with what `open` gave."""
        self._iterator, self._taken, self._start = iterator, place.taken, place.start
        self.source, self.epoch, self._last_epoch = place.source, place.epoch, place.last_epoch

    def stay(self) -> None:
        """Go on as if `open` hadn't been called. A loader with lasting workers has one iterator: it starts anew."""
        if self._iterator is not None and getattr(self.source, "persistent_workers", False):
            with contextlib.suppress(Exception):
                self._iterator = self.open(self.place._replace(done=False))
