"""One pass through a loader."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from typing import Any, NoReturn

from .sampler import fresh_seed
from .worker import Failure

__all__ = ["InProcess", "LoaderIterator"]


class LoaderIterator(ABC):
    """One pass through a loader; the base of the two ways to make batches."""

    def __init__(self, loader: Any) -> None:
        # Not the loader itself: a loader with persistent workers keeps its iterator, and neither may keep the other.
        self._dataset = loader.dataset
        self._index_sampler = loader._index_sampler
        self._num_workers: int = loader.num_workers
        self._indices = iter(self._index_sampler)
        # PyTorch draws the seed of its workers at this point, with or without workers; so does nbtorch, because
        # otherwise the random numbers that come after would differ.
        self._base_seed = fresh_seed(loader.generator)
        self._begin_pass(loader)

    def _begin_pass(self, loader: Any) -> None:
        self._promised = loader._promised
        self._given = 0

    def __iter__(self) -> LoaderIterator:
        return self

    def __next__(self) -> Any:
        batch = self._next_batch()
        if isinstance(batch, Failure):
            # The exception's traceback must not keep the workers alive when nobody else does.
            del self
            batch.reraise()
        self._given += 1
        if self._promised is not None and self._given > self._promised:
            self._warn_of_length()
        return batch

    @abstractmethod
    def _next_batch(self) -> Any:
        """The next batch, or the failure that came in its place."""

    def _warn_of_length(self) -> None:
        note = (
            f"Length of IterableDataset {self._dataset} was reported to be {self._promised} (when accessing "
            f"len(dataloader)), but {self._given} samples have been fetched."
        )
        if self._num_workers > 0:
            note += (
                " Every worker iterates its own copy of the dataset: share the work by get_worker_info() in __iter__."
            )
        warnings.warn(note, stacklevel=3)

    def __len__(self) -> int:
        return len(self._index_sampler)

    def __getstate__(self) -> NoReturn:
        raise NotImplementedError(f"{type(self).__name__} cannot be pickled")


class InProcess(LoaderIterator):
    """A pass whose batches are made in this process."""

    def __init__(self, loader: Any) -> None:
        if loader.timeout != 0:
            raise AssertionError("timeout needs num_workers > 0: without workers nothing can be interrupted")
        super().__init__(loader)
        self._fetch = loader._fetcher()

    def _next_batch(self) -> Any:
        return self._fetch(next(self._indices))
