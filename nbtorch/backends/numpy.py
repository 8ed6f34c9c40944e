"""The CPU: NumPy, with the primitives that a plain NumPy call does slowly written another way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .base import UFUNCS, Array, Backend
from .device import device
from .flat_convolution import FlatConvolution
from .host_attention import HostAttention
from .host_channels import HostChannels
from .host_elementwise import HostElementwise
from .host_indexing import HostIndexing
from .host_neural import HostNeural
from .host_pooling import HostPooling
from .host_recurrence import HostRecurrence
from .host_reductions import HostReductions
from .host_sums import HostSums
from .threads import SHARED, shared

_NDARRAY = np.ndarray


class _Piece:
    """A part of a vector that passes for the owner of its memory: its storage begins with it, and ends with it.

    The base of an array made of this is no array, which NumPy would look through.
    """

    __slots__ = ("__array_interface__", "_vector")

    def __init__(self, view: Array, vector: Array) -> None:
        self.__array_interface__ = view.__array_interface__
        self._vector = vector


class NumpyBackend(
    FlatConvolution, HostPooling, HostElementwise, HostIndexing, HostReductions, HostNeural, HostAttention,
    HostRecurrence, HostChannels, HostSums, Backend,
):  # fmt: skip
    """Arrays on the host. Overrides only what profiling showed to be slow in the generic body."""

    def __init__(self) -> None:
        super().__init__(np, device("cpu"))

    def to_host(self, array: Array) -> np.ndarray[Any, Any]:
        return array

    def as_array(self, x: Any) -> Array:
        return x if type(x) is _NDARRAY else np.asarray(x)

    def owns_memory(self, x: Array) -> bool:
        flags = x.flags  # a view of it holds a reference to it
        return bool(flags.owndata and flags.writeable)

    def address(self, x: Array) -> int:
        return int(x.__array_interface__["data"][0])

    def as_strided(self, x: Array, size: Sequence[int], stride: Sequence[int], offset: int) -> Array:
        # ndarray's constructor checks the bounds and keeps the owner as the base; stride_tricks does neither.
        item = x.itemsize
        return _NDARRAY(tuple(size), x.dtype, self.memory(x), offset * item, tuple([s * item for s in stride]))

    def index(self, x: Array, index: Any) -> Array:
        out = x[index]
        # A number for each dimension gives a NumPy scalar, which is a copy; with an ellipsis it is a view.
        return out if type(out) is _NDARRAY else x[(*index, ...)]

    def reduce_at(self, x: Array, index: Any, values: Array, ufunc: str) -> None:
        getattr(np, ufunc).at(x, index, values)

    def ones(self, shape: Sequence[int], dtype: Any) -> Array:
        out = np.empty(shape, dtype)  # np.ones is a Python function around these two
        out.fill(1)
        return out

    def matmul(self, a: Array, b: Array) -> Array:
        # ndarray.dot reaches BLAS with half the overhead of np.matmul, but means another thing beyond 2-D.
        if b.ndim == 2 and a.ndim > 2 and a.size and a.flags.c_contiguous:  # one product instead of one for each sample
            return a.reshape(-1, a.shape[-1]).dot(b).reshape(*a.shape[:-1], b.shape[1])
        return a.dot(b) if a.ndim <= 2 and b.ndim <= 2 else super().matmul(a, b)

    def running(self, function: str, x: Array, dim: int) -> Array:
        return getattr(np, function).accumulate(x, dim) if x.ndim else x.copy()

    def expand(self, x: Array, shape: Sequence[int]) -> Array:
        if not x.ndim and shape:  # the gradient of a sum; np.broadcast_to costs ten times as much
            out = _NDARRAY(shape, x.dtype, x, 0, (0,) * len(shape))
            out.flags.writeable = False
            return out
        return np.broadcast_to(x, shape)

    def cat(self, arrays: Sequence[Array], dim: int) -> Array:
        return np.concatenate(arrays, dim)

    def norm(self, x: Array) -> Array:
        if x.dtype.itemsize < 4:
            return super().norm(x)
        vector = x.reshape(-1)
        return np.asarray(np.sqrt(vector.dot(vector)))

    def joined(self, arrays: Sequence[Array], out: Array | None = None) -> Array:
        return np.concatenate(arrays, None, out)

    def pieces(self, vector: Array, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
        return [np.asarray(_Piece(view, vector)) for view in super().pieces(vector, shapes)]


def share_work(backend: NumpyBackend, threads: int) -> None:
    """Has costly elementwise functions of large arrays computed by so many threads."""
    for name in SHARED:
        method = getattr(NumpyBackend, name, None)
        plain: Any = getattr(np, UFUNCS[name]) if method is None else method.__get__(backend)
        if threads > 1:
            setattr(backend, name, shared(plain))
        elif method is None:
            setattr(backend, name, plain)
        else:
            backend.__dict__.pop(name, None)
