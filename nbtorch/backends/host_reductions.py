"""Sums, means, products and extremes on the host.

NumPy's loop over the inner dimension costs much for each row, so that it is slow where rows are short. Sums over the
last dimensions are products with a vector of ones, which BLAS computes. Over the other dimensions many short rows are
folded into one long row, reduced, and unfolded. Both add in more than one place at a time and so round less than a
plain loop; longer rows are left to NumPy's pairwise sum.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .host_channels import channel_sum, suits

Array = Any
Dims = tuple[int, ...] | None

_add: Any = np.add.reduce
_max: Any = np.maximum.reduce
_min: Any = np.minimum.reduce
_LEAST_TO_PART = 64  # elements of which a few are found sooner than all are sorted
_ROW_TO_ADD = 256  # a row that is added faster than the numbers in it one by one
_LARGE = 2048  # elements from which the shorter loops pay for finding them
_LONGEST = 1024  # a row that BLAS adds up
_FOLDED = 4096  # how long a row may become by folding
_SHORT_ROW = 48  # up to here the place of an extreme is found faster than the extreme
_FIRST = (0,)
_ONES = {np.dtype(d): np.ones(_LONGEST, d) for d in (np.float32, np.float64)}


class HostReductions:
    """Overrides for NumPy arrays."""

    def sum(self, x: Array, dim: Dims = None, keepdim: bool = False, dtype: Any = None) -> Array:
        if dtype is None:
            if x.dtype in _ONES:
                if dim == _FIRST and x.ndim == 2 and not keepdim and 0 < len(x) <= _LONGEST and x.flags.c_contiguous:
                    return np.matmul(_ONES[x.dtype][: len(x)], x)  # the gradient of a linear layer's bias
                if dim is not None and x.size >= _LARGE:
                    if (
                        x.ndim > 2
                        and type(dim) is tuple
                        and len(dim) == x.ndim - 1
                        and 1 not in dim
                        and not keepdim
                        and suits(x)
                    ):
                        return channel_sum(x)  # the gradient of a convolution's bias
                    return _reduced(np.add, x, dim, keepdim)
            elif x.dtype.itemsize == 2 and x.dtype.kind in "fV":
                return _add(x, dim, np.float32, None, keepdim).astype(x.dtype)
        return _add(x, dim, dtype, None, keepdim)

    def mean(self, x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
        # ndarray.mean is a Python function around a sum.
        if x.dtype.itemsize == 2:
            return super().mean(x, dim, keepdim)  # type: ignore[misc]
        total = self.sum(x, dim, keepdim)
        count = x.size // total.size if total.size else 0
        return total / x.dtype.type(count)

    def prod(self, x: Array, dim: Dims = None, keepdim: bool = False, dtype: Any = None) -> Array:
        if x.dtype in _ONES and dtype is None and x.size >= _LARGE:
            return _reduced(np.multiply, x, dim, keepdim)
        return x.prod(dim, dtype, None, keepdim)

    def amax(self, x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
        if x.dtype in _ONES and dim is not None and x.size >= _LARGE:
            return _reduced(np.maximum, x, dim, keepdim)
        return _max(x, dim, None, None, keepdim)

    def amin(self, x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
        if x.dtype in _ONES and dim is not None and x.size >= _LARGE:
            return _reduced(np.minimum, x, dim, keepdim)
        return _min(x, dim, None, None, keepdim)

    def cumsum(self, x: Array, dim: int) -> Array:
        after = math.prod(x.shape[dim + 1 :])
        if x.dtype not in _ONES or after < _ROW_TO_ADD or not x.shape[dim] or not x.flags.c_contiguous:
            return np.cumsum(x, dim, x.dtype)
        # Row after row: NumPy goes along each column by itself.
        out = np.empty_like(x)
        before = (slice(None),) * dim
        out[(*before, 0)] = x[(*before, 0)]
        for i in range(1, x.shape[dim]):
            np.add(out[(*before, i - 1)], x[(*before, i)], out[(*before, i)])
        return out

    def topk(self, x: Array, k: int, dim: int, largest: bool) -> Array:
        n = x.shape[dim] if x.ndim else 0
        if 0 < k <= n // 4 and n > _LEAST_TO_PART and x.dtype.kind in "fiu" and x.itemsize > 1 and x.size:
            lanes = np.ascontiguousarray(np.moveaxis(x, dim, -1))
            found = few_of_many(lanes.reshape(-1, n), k, largest)
            if found is not None:
                return np.moveaxis(found.reshape(*lanes.shape[:-1], k), -1, dim)
        return super().topk(x, k, dim, largest)  # type: ignore[misc]


def _reduced(ufunc: Any, x: Array, dim: Dims, keepdim: bool) -> Array:
    """``ufunc`` over ``dim`` of a large array, by the shorter loops where its layout is one of theirs."""
    ndim = x.ndim
    # A derivative names one dimension as a number where PyTorch's function of the name takes no more.
    dims = tuple(range(ndim)) if dim is None else (dim,) if isinstance(dim, int) else tuple(sorted(dim))
    y, along = x, dims
    if not x.flags.c_contiguous and x.flags.f_contiguous:
        y, along = x.T, tuple([ndim - 1 - d for d in dims[::-1]])
    found = _by_blocks(ufunc, y, along) if y.flags.c_contiguous and dims else None
    if found is None:
        return ufunc.reduce(x, dim, None, None, keepdim)
    if y is not x:
        found = found.T
    if keepdim:
        return found.reshape([1 if d in dims else n for d, n in enumerate(x.shape)])
    return found


def _by_blocks(ufunc: Any, x: Array, dims: tuple[int, ...]) -> Array | None:
    """``ufunc`` over ``dims`` of an array in rows, block by block of neighbouring dimensions, from the last."""
    shape = x.shape
    while dims:
        end = dims[-1] + 1
        start = end - 1
        while len(dims) > 1 and dims[-2] == start - 1:
            start, dims = start - 1, dims[:-1]
        dims = dims[:-1]
        n, after = math.prod(shape[start:end]), math.prod(shape[end:])
        if after == 1 and start:
            x = _rows(ufunc, x.reshape(-1, n))
        else:
            x = _columns(ufunc, x.reshape(-1, n, after))
        shape = (*shape[:start], *shape[end:])
    return np.asarray(x).reshape(shape)


def _rows(ufunc: Any, x: Array) -> Array:
    """``ufunc`` over each row of a matrix."""
    rows, n = x.shape
    if ufunc is np.add:
        return x.dot(_ONES[x.dtype][:n]) if n <= _LONGEST else _add(x, 1)
    if ufunc is not np.multiply and n <= _SHORT_ROW:
        best: Any = x.argmax(1) if ufunc is np.maximum else x.argmin(1)
        best += np.arange(0, rows * n, n)
        return x.reshape(-1).take(best)
    return ufunc.reduce(x, 1)


def _columns(ufunc: Any, x: Array) -> Array:
    """``ufunc`` over the middle one of three dimensions."""
    before, n, after = x.shape
    if ufunc is np.add and before > 1 and n <= _LONGEST:
        return np.matmul(_ONES[x.dtype][:n], x)
    fold = min(_FOLDED // max(after, 1), n // 4)
    if fold < 2 or (after == 1 and ufunc is not np.multiply):
        return ufunc.reduce(x, 1)
    length = n // fold
    whole = x if length * fold == n else x[:, : length * fold]
    out = ufunc.reduce(whole.reshape(before, length, fold * after), 1)
    out = ufunc.reduce(out.reshape(before, fold, after), 1)
    if length * fold < n:
        out = ufunc(out, ufunc.reduce(x[:, length * fold :], 1))
    return out


def few_of_many(x: Array, k: int, largest: bool) -> Array | None:
    """The indices of the ``k`` greatest (or least) of each row in order, of equal ones the first.

    Found among those that reach the k-th; None where that doesn't tell: NaNs, and ties in one of several rows.
    """
    rows, n = x.shape
    place = n - k if largest else k - 1
    bound = np.partition(x, place, 1)[:, place : place + 1]
    reached = x >= bound if largest else x <= bound
    if x.dtype.kind == "f" and np.isnan(x.max() if largest else bound.max()):
        return None
    row, column = np.divmod(np.flatnonzero(reached), n)
    if len(row) != rows * k:
        if rows > 1:
            return None
        column = column.reshape(1, -1)
    else:
        column = column.reshape(rows, k)
    found = np.take_along_axis(x, column, 1)
    if largest:  # the last of the reversed ones is the first
        order = found.shape[1] - 1 - np.argsort(found[:, ::-1], 1, kind="stable")[:, ::-1]
    else:
        order = np.argsort(found, 1, kind="stable")
    return np.take_along_axis(column, order[:, :k], 1)
