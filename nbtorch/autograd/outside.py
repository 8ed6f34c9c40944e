"""Changing many tensors in place at once, by their arrays, outside any graph: gradients are clipped and scaled so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .modes import grad_mode
from .variable import Variable, where_called

__all__ = ["arrays_of", "note_changes"]


def arrays_of(tensors: Sequence[Variable]) -> list[Any] | None:
    """The arrays behind the tensors, if they can be computed with, and written to, as they are.

    None where they are not of one device and one of NumPy's floating dtypes of at least four bytes, where one can't be
    written to, and where a graph or a tangent follows what is done.
    """
    if not tensors or grad_mode.enabled:
        return None
    backend, dtype = tensors[0]._backend, tensors[0]._array.dtype
    if dtype.kind != "f" or dtype.itemsize < 4:
        return None
    arrays = []
    for t in tensors:
        array = t._array
        if t._backend is not backend or array.dtype is not dtype or not getattr(array.flags, "writeable", True):
            return None
        arrays.append(array)
    return arrays


def note_changes(tensors: Sequence[Variable]) -> None:
    """Counts a change in place of each tensor, whose array was written to."""
    where = where_called()
    for t in tensors:
        storage = t._storage
        if storage is not None:
            storage.version += 1
            storage.changed = where
