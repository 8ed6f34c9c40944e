"""Grids of coordinates, the positions of triangles, and single numbers as tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.variable import wrap
from ..backends import new_on
from ..backends.dtypes import dtype as DType
from ..backends.dtypes import get_default_dtype, int32, int64
from .creation import full
from .joining import stack
from .operands import require_tensor

__all__ = ["cartesian_prod", "meshgrid", "scalar_tensor", "tril_indices", "triu_indices"]


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Any, ...]:
    """Grids of coordinates: each vector stretched over the dimensions of the others.

    Raises:
        RuntimeError: for an unknown ``indexing`` (``"ij"`` or ``"xy"``).
    """
    vectors = list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else list(tensors)
    if not vectors:
        raise RuntimeError("meshgrid expects a non-empty TensorList\n  expected: one vector for each dimension")
    for v in vectors:
        require_tensor("meshgrid", "tensors", v)
        if v.ndim > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: shape {v.shape}")
    if any(v.dtype != vectors[0].dtype for v in vectors):
        raise RuntimeError(
            "meshgrid expects all tensors to have the same dtype\n  got: " + ", ".join(repr(v.dtype) for v in vectors)
        )
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    swap = indexing == "xy" and len(vectors) >= 2
    if swap:
        vectors[:2] = vectors[1::-1]
    shape = [v.numel() for v in vectors]
    grids = [v.reshape([-1 if i == j else 1 for j in range(len(vectors))]).expand(shape) for i, v in enumerate(vectors)]
    if swap:
        grids[:2] = grids[1::-1]
    return tuple(grids)


def cartesian_prod(*tensors: Any) -> Any:
    """Every combination of one element from each vector, one row each."""
    for t in tensors:
        require_tensor("cartesian_prod", "tensors", t)
        if t._array.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(t._array.shape)}")
    return stack([g.reshape(-1) for g in meshgrid(*tensors)], 1) if len(tensors) > 1 else tensors[0]


def scalar_tensor(
    s: Any,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:
    """A 0-d tensor of a number, of the default dtype unless given."""
    return full((), s, dtype=dtype or get_default_dtype(), device=device, requires_grad=requires_grad)


def _triangle(function: str, lower: bool, row: int, col: int, offset: int, d: DType, device: Any) -> Any:
    for name, n in (("row", row), ("col", col)):
        if n < 0:
            raise RuntimeError(f"{name} must be non-negative, got {n}\n  operation: {function}")
    if d not in (int32, int64):
        raise NotImplementedError(f'"{function}" not implemented for {d!r}\n  expected: torch.int64 or torch.int32')
    backend = new_on(device)
    found = (np.tril_indices if lower else np.triu_indices)(row, offset, col)
    return wrap(backend.from_host(np.stack(found).astype(d.numpy)), backend)


def tril_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: DType = int64,
    device: Any = None,
    layout: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Any:
    """The positions of the lower triangle of a matrix of ``row`` by ``col``: rows in the first line, columns below.

    Raises:
        NotImplementedError: for a dtype other than int32 and int64.
        RuntimeError: for a negative size.
    """
    return _triangle("tril_indices", True, row, col, offset, dtype, device)


def triu_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: DType = int64,
    device: Any = None,
    layout: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Any:
    """The positions of the upper triangle of a matrix of ``row`` by ``col``: rows in the first line, columns below.

    Raises:
        NotImplementedError: for a dtype other than int32 and int64.
        RuntimeError: for a negative size.
    """
    return _triangle("triu_indices", False, row, col, offset, dtype, device)
