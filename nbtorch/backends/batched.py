"""Arrays with a dimension that nobody sees: what ``vmap`` computes on.

A :class:`BatchedArray` has the shape of one example; its ``data`` has one dimension more, in front. A
:class:`BatchedBackend` offers NumPy's interface on such arrays: every operation and every derivative runs on them as
it is. Functions that batch by nature (elementwise, reductions, shapes, matrix products, most of ``linalg``) are
computed at once; the others example by example, and their results are stacked. An array that is the same for all
examples has a leading dimension of 1. Batches may be nested: ``data`` is then a BatchedArray in turn.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import Array, Backend
from .batched_array import BatchedArray
from .batched_rules import BatchedModule, is_wide


class BatchedBackend(Backend):
    """The primitives on batches of ``size`` examples, computed by those of ``base``.

    Args:
        base: the backend of the data: a device's, or that of a batch around this one.
        size: the number of examples.
        level: counts the batches around this one.
    """

    def __init__(self, base: Backend, size: int, level: int) -> None:
        self.base, self.size, self.level = base, size, level
        module: Any = BatchedModule(self, base.xp)
        module.ndarray = type("BatchedArray", (BatchedArray,), {"__slots__": (), "backend": self})
        super().__init__(module, base.device)

    # -- in and out ---
    def enter(self, x: Array, dim: int) -> Array:
        """``x`` of the base with its dimension ``dim`` as the batch."""
        return self.ndarray(self.base.xp.moveaxis(x, dim, 0))

    def lift(self, x: Array) -> Array:
        """``x`` of the base as the same for every example."""
        return self.ndarray(x.reshape((1, *x.shape)))

    def leave(self, x: Array, dim: int) -> Array:
        """An array of the base with the batch as dimension ``dim``."""
        return self.base.xp.moveaxis(self.full_data(x), 0, dim)

    def sum_out(self, x: Array) -> Array:
        """The sum of all examples, an array of the base."""
        data = self.full_data(x)
        return self.base.sum(data, (0,))

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
        return x if type(x) is self.ndarray else self.lift(self.base.as_array(x))

    def from_host(self, array: np.ndarray[Any, Any]) -> Array:
        if type(array) is self.ndarray:
            return array
        return self.lift(self.base.from_host(array))

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
