"""Arrays with a dimension that nobody sees: what ``vmap`` computes on.

A :class:`BatchedArray` has the shape of one example; its ``data`` has one dimension more, in front. A
:class:`BatchedBackend` offers NumPy's interface on such arrays: every operation and every derivative runs on them as
it is. Functions that batch by nature (elementwise, reductions, shapes, matrix products, most of ``linalg``) are
computed at once; the others example by example, and their results are stacked. An array that is the same for all
examples has a leading dimension of 1. Batches may be nested: ``data`` is then a BatchedArray in turn.
"""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np

from .base import Array, Backend
from .batched_array import BatchedArray
from .batched_rules import BatchedModule, is_wide


class Batch:
    """One ``vmap``: its size, what random numbers are to be in it, and its backends.

    Attributes:
        level: later batches have greater numbers. Where an array is in several, the latest is its outer shell.
    """

    _count = count(1).__next__

    def __init__(self, size: int, randomness: str = "error") -> None:
        self.size, self.randomness, self.level = size, randomness, Batch._count()
        self._backends: dict[int, tuple[Backend, BatchedBackend]] = {}

    def backend(self, base: Backend) -> BatchedBackend:
        """The backend of this batch over ``base``: the same object each time."""
        found = self._backends.get(id(base))
        if found is None:
            found = self._backends[id(base)] = (base, BatchedBackend(base, self))
        return found[1]


def batches_of(backend: Any) -> list[Batch]:
    """The batches that arrays of ``backend`` are in, the latest first."""
    found = []
    while hasattr(backend, "batch"):
        found.append(backend.batch)
        backend = backend.base
    return found


def inserted(backend: Any, batch: Batch) -> BatchedBackend:
    """The backend of arrays that are in ``batch`` too."""
    if not hasattr(backend, "batch") or backend.batch.level < batch.level:
        return batch.backend(backend)
    shell: Batch = backend.batch
    return shell.backend(inserted(backend.base, batch))


def removed(backend: Any, batch: Batch) -> Any:
    """The backend of arrays that are in ``batch`` no longer."""
    return backend.base if backend.batch is batch else backend.batch.backend(removed(backend.base, batch))


def enter(x: Array, backend: Any, dim: int, batch: Batch) -> Array:
    """``x`` with its dimension ``dim`` as the batch."""
    target = inserted(backend, batch)
    if target.batch is batch:
        return target.ndarray(backend.xp.moveaxis(x, dim, 0))
    return target.ndarray(enter(x.data, backend.base, dim + 1, batch))


def lift(x: Array, backend: Any, batch: Batch) -> Array:
    """``x`` as the same for every example."""
    target = inserted(backend, batch)
    if target.batch is batch:
        return target.ndarray(x.reshape((1, *x.shape)))
    return target.ndarray(lift(x.data, backend.base, batch))


def leave(x: Array, backend: Any, dim: int, batch: Batch) -> Array:
    """``x`` with the batch as dimension ``dim``."""
    if backend.batch is batch:
        return backend.base.xp.moveaxis(backend.full_data(x), 0, dim)
    return removed(backend, batch).ndarray(leave(x.data, backend.base, dim + 1, batch))


def sum_out(x: Array, backend: Any, batch: Batch) -> Array:
    """The sum of all examples."""
    if backend.batch is batch:
        return backend.base.as_array(backend.base.sum(backend.full_data(x), (0,)))
    return removed(backend, batch).ndarray(sum_out(x.data, backend.base, batch))


class BatchedBackend(Backend):
    """The primitives on the arrays of a batch, computed by those of ``base``, a device's or another batch's."""

    def __init__(self, base: Backend, batch: Batch) -> None:
        self.base, self.batch, self.size, self.level = base, batch, batch.size, batch.level
        module: Any = BatchedModule(self, base.xp)
        module.ndarray = type("BatchedArray", (BatchedArray,), {"__slots__": (), "backend": self})
        super().__init__(module, base.device)

    def unbatched(self, x: Array) -> Array:
        """An array of the base, as the same for every example."""
        return self.ndarray(x.reshape((1, *x.shape)))

    def full_data(self, x: Any) -> Any:
        """The data of ``x`` with one entry for each example."""
        data = x.data
        return data if data.shape[0] == self.size else self.base.xp.broadcast_to(data, (self.size, *data.shape[1:]))

    def wrapped(self, data: Any) -> Any:
        if isinstance(data, (tuple, list)):
            parts = [self.wrapped(d) for d in data]
            make = getattr(type(data), "_make", None)
            return make(parts) if make is not None else type(data)(parts)
        return self.ndarray(data)

    def aligned(self, x: Any, ndim: int) -> Any:
        """The data of ``x``, as of examples with ``ndim`` dimensions."""
        data = x.data
        missing = ndim + 1 - data.ndim
        return data.reshape((data.shape[0], *(1,) * missing, *data.shape[1:])) if missing > 0 else data

    def as_array(self, x: Any) -> Array:
        return x if type(x) is self.ndarray else self.unbatched(self.base.as_array(x))

    def from_host(self, array: np.ndarray[Any, Any]) -> Array:
        if type(array) is self.ndarray:
            return array
        return self.unbatched(self.base.from_host(array))

    def to_host(self, array: Array) -> np.ndarray[Any, Any]:
        # NumPy's functions find their way back here through its protocols, and work on the batch.
        return self.ndarray(self.base.to_host(array.data))

    def shares_memory(self, x: Array, view: Array) -> bool:
        return view is x or self.base.shares_memory(x.data, view.data)

    def filled(self, function: Any, shape: Any, args: Any, kwargs: Any) -> Array:
        """New memory has an entry for each example: they may be given different values."""
        whole = (self.size, *((shape,) if isinstance(shape, (int, np.integer)) else shape))
        value = args[0] if args else None
        if isinstance(value, BatchedArray):
            out = self.base.empty(whole, args[1] if len(args) > 1 else value.dtype)
            out[...] = self.aligned(self.as_array(value), len(whole) - 1)
            return self.ndarray(out)
        return self.ndarray(function(whole, *args, **kwargs))

    # -- example by example ---
    def example(self, x: Any, i: int) -> Any:
        """What ``x`` is for the ``i``-th example."""
        if isinstance(x, BatchedArray) and x.backend is self:
            return x.data[0 if x.data.shape[0] == 1 else i]
        if isinstance(x, (tuple, list)) and not hasattr(x, "_fields"):
            return type(x)(self.example(v, i) for v in x)
        return x

    def loop(self, function: Any, args: Any, kwargs: Any) -> Any:
        """``function`` for each example, the results stacked."""
        wide = any(is_wide(x, self) for x in (*args, *kwargs.values()))
        rows = [
            function(*[self.example(a, i) for a in args], **{k: self.example(v, i) for k, v in kwargs.items()})
            for i in range(self.size if wide else 1)
        ]
        return self._stacked(rows)

    def _stacked(self, rows: list[Any]) -> Any:
        first = rows[0] if rows else None
        if isinstance(first, (tuple, list)):
            parts = [self._stacked(list(column)) for column in zip(*rows, strict=True)]
            make = getattr(type(first), "_make", None)
            return make(parts) if make is not None else type(first)(parts)
        if first is None or isinstance(first, (bool, str)):
            return first
        arrays = [self.base.as_array(r) for r in rows]
        if any(a.shape != arrays[0].shape for a in arrays):
            raise RuntimeError(
                "vmap: an operation whose result has another shape for each example can't be batched (a dynamic shape)"
                "\n  fix: use operations whose shapes don't depend on the numbers, such as torch.where"
            )
        return self.ndarray(self.base.xp.stack(arrays))

    def nonzero(self, x: Array) -> Array:
        raise RuntimeError(
            "vmap: It looks like you're attempting to use an operator that returns a tensor whose shape depends on the "
            "numbers (nonzero, or a boolean index).\n  fix: torch.where(mask, x, 0) keeps the shape"
        )
