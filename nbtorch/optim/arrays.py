"""Working on the arrays behind tensors, for steps that are taken outside the graph."""

from __future__ import annotations

from ..autograd.variable import Where, shared_storage
from ..tensor import Tensor

__all__ = ["mark_changed", "same_kind"]


def same_kind(param: Tensor, grad: Tensor, buffer: Tensor | None = None) -> bool:
    """Whether the arrays can be computed with as they are: one floating dtype that NumPy has, and one device."""
    array, backend = param._array, param._backend
    dtype = array.dtype
    return (
        dtype.kind == "f"
        and grad._array.dtype is dtype
        and grad._backend is backend
        and (buffer is None or (buffer._array.dtype is dtype and buffer._backend is backend))
        and getattr(array.flags, "writeable", True)
    )


def mark_changed(tensor: Tensor, where: Where | None) -> None:
    """Count a change in place of a tensor whose array was written to, and note the line of the user's that did it."""
    storage = tensor._storage
    if storage is None:
        storage = shared_storage(tensor)
    storage.version += 1
    storage.changed = where
