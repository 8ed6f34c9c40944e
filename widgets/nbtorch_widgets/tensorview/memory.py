"""Memory: which storage a tensor lies in, and where in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nbtorch_widgets.tensorview.read import Array, dtype_name, host_array, layout, lowest_address, root_of, unwrap


class Tape(NamedTuple):
    """One storage, or the piece of it that is shown."""

    dtype: str
    #: Elements of the whole storage, and the first one in `cells`.
    size: int
    first: int
    cells: Array


class Placed(NamedTuple):
    """A tensor on a tape: element `i, j, ...` is cell `offset + i * strides[0] + j * strides[1] + ...`."""

    tape: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int

    @property
    def contiguous(self) -> bool:
        """Whether walking through the elements in order walks through memory in order, without a gap."""
        expected = 1
        for size, step in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if size != 1 and step != expected and 0 not in self.shape:
                return False
            expected *= size
        return True

    @property
    def offsets(self) -> npt.NDArray[np.intp]:
        """The cell of each element, in the tensor's shape."""
        found = np.full(self.shape, self.offset, np.intp)
        for axis, (size, step) in enumerate(zip(self.shape, self.strides, strict=True)):
            along = np.arange(size) * step
            found += along.reshape([-1 if a == axis else 1 for a in range(len(self.shape))])
        return found


class Memory(NamedTuple):
    start: int
    end: int
    dtype: str
    itemsize: int
    read: Callable[[int, int], Array]


def locate(name: str, tensor: Any) -> tuple[Memory, int, tuple[int, ...], tuple[int, ...]]:
    """The memory that a tensor lies in, the address of its first element, its shape and its strides in elements."""
    inner = unwrap(tensor)
    strides, _ = layout(inner)
    if strides is None:
        raise TypeError(
            f"StrideTape expected tensors that lie in memory by strides; {name!r} of type {type(tensor).__name__} "
            "does not say its strides"
        )
    shape = tuple(int(size) for size in inner.shape)
    if isinstance(inner, np.ndarray):
        root = root_of(inner)
        start = lowest_address(root)
        span = sum((size - 1) * abs(step) for size, step in zip(root.shape, root.strides, strict=True))
        cells = 0 if root.size == 0 else span // inner.itemsize + 1

        def read_array(first: int, count: int) -> Array:
            flat = root[tuple(slice(None, None, -1 if step < 0 else 1) for step in root.strides)]
            line = np.lib.stride_tricks.as_strided(flat, (cells,), (inner.itemsize,), writeable=False)
            host, why = host_array(line[first : first + count])
            return _plain(name, host, why)

        address = int(inner.__array_interface__["data"][0])
        memory = Memory(start, start + cells * inner.itemsize, inner.dtype.name, inner.itemsize, read_array)
        return memory, address, shape, strides
    storage = inner.untyped_storage()
    itemsize = int(inner.element_size())
    start = int(storage.data_ptr())
    cells = int(storage.nbytes()) // itemsize

    def read_tensor(first: int, count: int) -> Array:
        host, why = host_array(inner.detach().as_strided((count,), (1,), first))
        return _plain(name, host, why)

    memory = Memory(start, start + cells * itemsize, dtype_name(inner, None), itemsize, read_tensor)
    return memory, start + int(inner.storage_offset()) * itemsize, shape, strides


def _plain(name: str, host: Array | None, why: str) -> Array:
    if host is None or host.dtype.kind == "c":
        raise TypeError(f"StrideTape expected real numbers in {name!r}" + (f": {why}" if why else ""))
    return host
