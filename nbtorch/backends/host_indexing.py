"""Taking and adding by index tensors on the host.

``np.add.at`` and indexing by several index arrays have a fast loop for vectors alone: here the places are counted
along the memory first, and the rest is done on vectors. Wide rows are added a row at a time: first the first of each
place, then the second, and so on, so that no two of one round meet.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = Any

_WIDE = 32  # numbers in a row from which adding whole rows pays
_FEW = 64  # so many rows are reached sooner by a product with ones and zeros
_ROUNDS = 64  # as many may be added to one place that way


def _counted(index: Array, n: int) -> Array | None:
    """Indices counted from the front; None where one is out of range."""
    if not index.size:
        return index
    low, high = index.min(), index.max()
    if low < -n or high >= n:
        return None
    return index if low >= 0 else np.where(index < 0, index + n, index)


class HostIndexing:
    """Overrides for NumPy arrays."""

    def gather(self, x: Array, dim: int, index: Array) -> Array:
        places = _places(x, dim, index)
        return super().gather(x, dim, index) if places is None else x.reshape(-1).take(places)  # type: ignore[misc]

    def scatter(self, x: Array, dim: int, index: Array, src: Any) -> Array:
        places = _places(x, dim, index)
        if places is None:
            return super().scatter(x, dim, index, src)  # type: ignore[misc]
        out = x.copy()
        if type(src) is np.ndarray and src.shape != index.shape and src.ndim:
            src = src[tuple(slice(0, n) for n in index.shape)]
        out.reshape(-1)[places] = src
        return out

    def scatter_add(self, x: Array, dim: int, index: Array, src: Array) -> Array:
        places = _places(x, dim, index)
        if places is None or src.dtype != x.dtype:
            return super().scatter_add(x, dim, index, src)  # type: ignore[misc]
        out = x.copy()
        if src.shape != index.shape:
            src = src[tuple(slice(0, n) for n in index.shape)]
        np.add.at(out.reshape(-1), places.reshape(-1), src.reshape(-1))
        return out

    def gather_backward(self, g: Array, dim: int, index: Array, shape: Any, distinct: bool = False) -> Array:
        out = np.zeros(shape, g.dtype)
        places = _places(out, dim, index)
        if places is None:
            return super().gather_backward(g, dim, index, shape, distinct)  # type: ignore[misc]
        if g.shape != index.shape:
            g = g[tuple(slice(0, n) for n in index.shape)]
        if distinct:
            out.reshape(-1)[places] = g
        else:
            np.add.at(out.reshape(-1), places.reshape(-1), g.reshape(-1))
        return out

    def index_backward(self, g: Array, index: Any, shape: Any, basic: bool) -> Array:
        items = index if type(index) is tuple else (index,)
        if not basic and len(items) == 1 and getattr(items[0], "dtype", None) == np.bool_ and items[0].ndim:
            basic = True  # a mask names no element twice
        return super().index_backward(g, index, shape, basic)  # type: ignore[misc]

    def add_at(self, x: Array, index: Any, values: Any) -> None:
        if not _add_along_memory(x, index, values):
            np.add.at(x, index, values)


def _places(x: Array, dim: int, index: Array) -> Array | None:
    """Where in the memory of ``x`` the elements stand that ``index`` names along ``dim``; None for other layouts."""
    if not index.size or not index.ndim or not x.flags.c_contiguous or index.ndim != x.ndim:
        return None
    step, places = 1, None
    for d in range(x.ndim - 1, -1, -1):
        if d == dim:
            part = index if step == 1 else index * step
        elif index.shape[d] == 1:
            part = None
        else:
            part = np.arange(0, index.shape[d] * step, step).reshape((-1,) + (1,) * (x.ndim - 1 - d))
        if part is not None:
            places = part if places is None else places + part
        step *= x.shape[d]
    return places


def _add_along_memory(x: Array, index: Any, values: Any) -> bool:
    """Adds at index arrays that stand beside each other, whole dimensions around them; False where it is otherwise."""
    items = index if type(index) is tuple else (index,)
    if not x.flags.c_contiguous or not x.size or x.dtype.kind not in "fiu" or len(items) > x.ndim:
        return False
    arrays = [i for i in items if type(i) is np.ndarray and i.dtype.kind in "iu"]
    first = next((d for d, i in enumerate(items) if type(i) is np.ndarray), 0)
    around = (*items[:first], *items[first + len(arrays) :])
    if not arrays or any(type(i) is not slice or i != slice(None) for i in around):
        return False
    if any(i is not j for i, j in zip(items[first : first + len(arrays)], arrays, strict=True)):
        return False
    before, after = x.shape[:first], x.shape[first + len(arrays) :]
    places: Any = None
    n = 1
    for array, size in zip(arrays[::-1], x.shape[first : first + len(arrays)][::-1], strict=True):
        part = _counted(array, size)
        if part is None:
            return False
        places = part if places is None else places + part * n
        n *= size
    region = (*before, *places.shape, *after)
    if type(values) is not np.ndarray or values.dtype != x.dtype:
        values = np.asarray(values).astype(x.dtype)
    if values.shape != region:
        values = np.broadcast_to(values, region)
    width, outer = math.prod(after), math.prod(before)
    places = places.reshape(-1)
    if outer == 1 and width > 1 and n <= _FEW and x.dtype.kind == "f" and x.itemsize >= 4:
        rows, vector = values.reshape(-1, width), values.reshape(-1)
        if np.isfinite(vector.dot(vector)):  # 0 times infinity would spoil other rows
            chosen = np.zeros((places.size, n), x.dtype)
            chosen[np.arange(places.size), places] = 1
            x += chosen.T.dot(rows).reshape(x.shape)
            return True
    if outer == 1 and width >= _WIDE and x.itemsize >= 4 and places.size * width >= 1 << 15:
        rows = x.reshape(n, width)
        if _add_rows(rows, places, values.reshape(-1, width)):
            return True
    if width > 1:
        places = (places[:, None] * width + np.arange(width)).reshape(-1)
    if outer > 1:
        places = (np.arange(outer)[:, None] * (n * width) + places).reshape(-1)
    np.add.at(x.reshape(-1), places, values.reshape(-1))
    return True


def _add_rows(x: Array, places: Array, rows: Array) -> bool:
    """``x[places[i]] += rows[i]`` for every i; False where one place is named too often for this way to pay."""
    if np.bincount(places, minlength=1).max() > _ROUNDS:
        return False
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    counts = np.diff(starts, append=len(ordered))
    longest = np.argsort(-counts, kind="stable")  # so that those with more to come stand in front
    starts, counts = starts[longest], counts[longest]
    total = rows.take(order[starts], 0)
    for k in range(1, int(counts[0])):
        m = int(np.searchsorted(-counts, -k))  # how many have more than k
        total[:m] += rows.take(order[starts[:m] + k], 0)
    x[ordered[starts]] += total
    return True
