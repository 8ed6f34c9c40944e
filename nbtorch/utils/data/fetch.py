"""Turning an index, or a list of indices, into a batch; the same in this process and in a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...tensor import as_tensor
from .collate import default_collate
from .dataset import Subset, TensorDataset

__all__ = ["fetcher"]

Fetch = Callable[[Any], Any]


def fetcher(dataset: Any, *, stream: bool, batched: bool, collate: Callable[[Any], Any], drop_last: bool) -> Fetch:
    """What turns an index, or a list of indices, into a batch.

    Args:
        dataset: where samples come from.
        stream: whether the dataset is iterated; then indices only say how many samples are wanted.
        batched: whether lists of indices are given.
        collate: puts the samples together.
        drop_last: for a stream, whether a last batch that is not full is left out.
    """
    if stream:
        return _from_stream(iter(dataset), collate, batched, drop_last)
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


def _from_stream(stream: Iterator[Any], collate: Callable[[Any], Any], batched: bool, drop_last: bool) -> Fetch:
    ended = False

    def fetch_one(_: Any) -> Any:
        return collate(next(stream))

    def fetch_batch(indices: list[Any]) -> Any:
        nonlocal ended
        samples: list[Any] = []
        while not ended and len(samples) < len(indices):
            try:
                samples.append(next(stream))
            except StopIteration:
                ended = True  # An iterator that would start again after its end is not asked again.
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
