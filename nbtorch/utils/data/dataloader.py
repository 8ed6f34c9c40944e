"""Reading a dataset batch by batch."""

from __future__ import annotations

import itertools
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from ...tensor import Generator
from .collate import default_collate, default_convert
from .dataset import Dataset, IterableDataset
from .fetch import fetcher
from .passes import InProcess
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler
from .worker import WorkerInfo, get_worker_info

__all__ = ["DataLoader", "WorkerInfo", "get_worker_info"]

T_co = TypeVar("T_co", covariant=True)


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
        num_workers: processes that read samples beside this one; 0 reads them here. Batches come in the same order.
            Every worker has its own copy of the dataset; batches travel by pickling. Workers are forked on Linux,
            unless ``multiprocessing.set_start_method`` or ``multiprocessing_context`` says otherwise.
        collate_fn: puts a list of samples together; :func:`default_collate` when left out.
        pin_memory: accepted; memory is not pinned.
        drop_last: leave out a last batch that is not full.
        timeout: seconds to wait for a batch of the workers before RuntimeError is raised; 0 waits for ever.
        worker_init_fn: called in every worker with its number, after seeding and before reading.
        multiprocessing_context: how workers are started: ``"fork"``, ``"spawn"``, ``"forkserver"`` or a context.
        generator: where the random order and the seeds of the workers come from: worker ``i`` is seeded with
            a number drawn when a pass begins, plus ``i``.
        prefetch_factor: how many batches each worker makes in advance; 2 when left out.
        persistent_workers: keep the workers after a pass for the next.
        pin_memory_device: accepted.
        in_order: False gives batches as they become ready.

    Raises:
        ValueError: if arguments exclude each other or are out of range.

    An exception in a worker is raised here with its class and the worker's traceback; a worker that is killed, or takes
    longer than ``timeout``, raises RuntimeError. No process outlives the iterator, except persistent workers, which end
    with the loader.
    """

    _fixed = frozenset(("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"))
    _initialized = False
    _context: Any = None

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
        _check_worker_options(num_workers, timeout, prefetch_factor, persistent_workers)
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
        self._promised: int | None = None
        self._iterator: Any = None
        self._initialized = True
        if num_workers > 0:
            _check_processors(num_workers)

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
    def multiprocessing_context(self) -> Any:
        """How worker processes are started; None for the usual way."""
        return self._context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None:
            if self.num_workers == 0:
                raise ValueError(
                    "multiprocessing_context can only be used with multi-process loading (num_workers > 0), "
                    f"but got num_workers={self.num_workers}"
                )
            from .pool import checked_context

            context = checked_context(context)
        self._context = context

    @property
    def _index_sampler(self) -> Any:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def _fetcher(self) -> Callable[[Any], Any]:
        return fetcher(
            self.dataset,
            stream=self._is_stream,
            batched=self.batch_sampler is not None,
            collate=self.collate_fn,
            drop_last=self.drop_last,
        )

    def __iter__(self) -> Iterator[Any]:
        if self.num_workers == 0:
            return InProcess(self)
        from .workers import InWorkers  # with multiprocessing, which most programs never need

        if not self.persistent_workers:
            return InWorkers(self)
        if self._iterator is None or self._iterator.closed:
            self._iterator = InWorkers(self)
        else:
            self._iterator.restart(self)
        return self._iterator  # type: ignore[no-any-return]

    def __len__(self) -> int:
        """How many batches one pass gives; for a stream, as many as its own length promises."""
        if not self._is_stream:
            return len(self._index_sampler)
        samples: int = len(self.dataset)  # type: ignore[arg-type]
        self._promised = samples
        if self.batch_size is None:
            return samples
        return samples // self.batch_size if self.drop_last else -(-samples // self.batch_size)


def _check_worker_options(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool
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


def _check_processors(num_workers: int) -> None:
    """Warns, as PyTorch does, when there are more workers than processors."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if allowed is None or num_workers > allowed:
        warnings.warn(
            f"This DataLoader will create {num_workers} worker processes, but only {allowed} can run at a time here: "
            "fewer workers are likely to be faster.",
            stacklevel=3,
        )
