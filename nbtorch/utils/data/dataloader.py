"""Reading a dataset batch by batch."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, NamedTuple, NoReturn, TypeVar

from ...tensor import Generator, as_tensor
from .collate import default_collate, default_convert
from .dataset import Dataset, IterableDataset, Subset, TensorDataset
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, fresh_seed

__all__ = ["DataLoader", "WorkerInfo", "get_worker_info"]

T_co = TypeVar("T_co", covariant=True)


class WorkerInfo(NamedTuple):
    """What a worker process knows of itself."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


def get_worker_info() -> WorkerInfo | None:
    """The worker that is running, or None in the main process, where all loading happens."""
    return None


class _Endless(Sampler[None]):
    """Gives None for ever: a stream needs no indices."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)


class DataLoader(Generic[T_co]):
    """Goes through a dataset and gives batches.

    Args:
        dataset: samples by number, or a stream (:class:`IterableDataset`).
        batch_size: samples in a batch; None gives single samples.
        shuffle: a new random order in every pass.
        sampler: the order of the indices; instead of ``shuffle``.
        batch_sampler: lists of indices; instead of ``batch_size``, ``shuffle``, ``sampler`` and ``drop_last``.
        num_workers: accepted; samples are read in this process, which a note says once.
        collate_fn: puts a list of samples together; :func:`default_collate` when left out.
        pin_memory: accepted; memory is not pinned.
        drop_last: leave out a last batch that is not full.
        timeout: accepted; without workers nothing waits.
        worker_init_fn: accepted; there are no workers.
        multiprocessing_context: accepted; there are no workers.
        generator: where the random order comes from.
        prefetch_factor: accepted with ``num_workers > 0``.
        persistent_workers: accepted with ``num_workers > 0``.
        pin_memory_device: accepted.
        in_order: accepted; batches are always in order.

    Raises:
        ValueError: if arguments exclude each other or are out of range.
    """

    _fixed = frozenset(("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"))
    _initialized = False

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_worker_options(num_workers, timeout, prefetch_factor, persistent_workers, multiprocessing_context)
        self.dataset = dataset
        self.num_workers = num_workers
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.in_order = in_order
        self.persistent_workers = persistent_workers
        self.generator = generator

        self._is_stream = isinstance(dataset, IterableDataset)
        if self._is_stream:
            for name, value in (("shuffle", shuffle or None), ("sampler", sampler), ("batch_sampler", batch_sampler)):
                if value is not None:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
                    )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None:
            sampler = self._default_sampler(bool(shuffle))
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.collate_fn = collate_fn or (default_convert if batch_sampler is None else default_collate)
        self._initialized = True
        if num_workers > 0:
            _note_in_process()

    def _default_sampler(self, shuffle: bool) -> Sampler[Any]:
        if self._is_stream:
            return _Endless()
        sized: Any = self.dataset
        return RandomSampler(sized, generator=self.generator) if shuffle else SequentialSampler(sized)

    def __setattr__(self, name: str, value: Any) -> None:
        if self._initialized and name in self._fixed:
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    @property
    def _index_sampler(self) -> Any:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def __iter__(self) -> Iterator[Any]:
        return _LoaderIterator(self)

    def __len__(self) -> int:
        """How many batches one pass gives; for a stream, as many as its own length promises."""
        if not self._is_stream:
            return len(self._index_sampler)
        samples: int = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return samples
        return samples // self.batch_size if self.drop_last else -(-samples // self.batch_size)


class _LoaderIterator:
    """One pass through a loader."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._loader = loader
        self._indices = iter(loader._index_sampler)
        # PyTorch draws the seed of its workers at this point, with or without workers; so does nbtorch, because
        # otherwise the random numbers that come after would differ.
        self._base_seed = fresh_seed(loader.generator)
        self._fetch = _fetcher(loader)

    def __iter__(self) -> _LoaderIterator:
        return self

    def __next__(self) -> Any:
        return self._fetch(next(self._indices))

    def __len__(self) -> int:
        return len(self._loader._index_sampler)

    def __getstate__(self) -> NoReturn:
        raise NotImplementedError(f"{type(self).__name__} cannot be pickled")


def _fetcher(loader: DataLoader[Any]) -> Callable[[Any], Any]:
    """What turns an index, or a list of indices, into a batch."""
    dataset: Any = loader.dataset
    collate = loader.collate_fn
    batched = loader.batch_sampler is not None
    if loader._is_stream:
        return _stream_fetcher(iter(dataset), collate, batched, loader.drop_last)
    if not batched:
        return lambda index: collate(dataset[index])
    if collate is default_collate:
        whole = _whole_batches(dataset)
        if whole is not None:
            return whole
    read_many = getattr(dataset, "__getitems__", None)
    if callable(read_many):
        return lambda indices: collate(read_many(indices))
    return lambda indices: collate([dataset[index] for index in indices])


def _stream_fetcher(
    stream: Iterator[Any], collate: Callable[[Any], Any], batched: bool, drop_last: bool
) -> Callable[[Any], Any]:
    def fetch_one(_: Any) -> Any:
        return collate(next(stream))

    def fetch_batch(indices: list[Any]) -> Any:
        samples = list(itertools.islice(stream, len(indices)))
        if not samples or (drop_last and len(samples) < len(indices)):
            raise StopIteration
        return collate(samples)

    return fetch_batch if batched else fetch_one


def _whole_batches(dataset: Any) -> Callable[[list[int]], list[Any]] | None:
    """For plain tensors: one indexing for the batch in place of one for each sample; the result is the same.

    Subclasses may read their samples in another way, so they are left alone.
    """
    if type(dataset) is TensorDataset:
        tensors = dataset.tensors
        return lambda indices: [t[as_tensor(indices, device=t.device)] for t in tensors]
    if type(dataset) is Subset:
        inner = _whole_batches(dataset.dataset)
        if inner is not None:
            own = dataset.indices
            return lambda indices: inner([own[i] for i in indices])
    return None


def _check_worker_options(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool, context: Any
) -> None:
    if num_workers < 0:
        raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing. "
            "Let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None."
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")
    if context is not None and num_workers == 0:
        raise ValueError(
            "multiprocessing_context can only be used with multi-process loading (num_workers > 0), "
            f"but got num_workers={num_workers}"
        )


_noted = False


def _note_in_process() -> None:
    """Says, once in a process, that workers are not started."""
    global _noted
    if not _noted:
        _noted = True
        warnings.warn(
            "DataLoader: nbtorch reads samples in the main process, so num_workers has no effect here; "
            "the batches are the same. This note is shown once.",
            stacklevel=4,
        )
