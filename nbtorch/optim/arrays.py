"""Working on the arrays behind tensors, for steps that are taken outside the graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from sys import getrefcount
from typing import Any

from ..autograd.variable import Where, shared_storage
from ..tensor import Tensor

__all__ = ["BLOCK", "Workbench", "in_blocks", "mark_changed", "same_kind"]

# Elements worked on at once: a rule's temporaries, about three of this size, then stay in the processor's cache.
BLOCK = 1 << 17


class Workbench:
    """The functions of the host's backend that rules call, with results in buffers that are used again.

    A rule makes a handful of temporary arrays; made anew for each block of a large parameter, they would cost more than
    computing in them. A buffer is free again when nobody holds a view of it any more.
    """

    __slots__ = ("_buffers", "_m", "_size")

    def __init__(self, m: Any, size: int) -> None:
        self._m, self._size = m, size
        self._buffers: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._m, name)

    def _room(self, like: Any) -> Any:
        size = like.size
        if size > self._size or like.dtype.itemsize < 4:
            return None
        for buffer in self._buffers:
            if getrefcount(buffer) == 3 and buffer.dtype is like.dtype:  # the list, the loop, and the question
                break
        else:
            buffer = self._m.empty((self._size,), like.dtype)
            self._buffers.append(buffer)
        return buffer[:size].reshape(like.shape)

    def mul(self, a: Any, b: Any) -> Any:
        return self._m.mul(a, b, out=self._room(a))

    def add(self, a: Any, b: Any) -> Any:
        return self._m.add(a, b, out=self._room(a))

    def sub(self, a: Any, b: Any) -> Any:
        return self._m.sub(a, b, out=self._room(a))

    def div(self, a: Any, b: Any) -> Any:
        return self._m.div(a, b, out=self._room(a))

    def sqrt(self, a: Any) -> Any:
        return self._m.sqrt(a, out=self._room(a))

    def abs(self, a: Any) -> Any:
        return self._m.abs(a, out=self._room(a))

    def neg(self, a: Any) -> Any:
        return self._m.neg(a, out=self._room(a))

    def maximum(self, a: Any, b: Any) -> Any:
        return self._m.maximum(a, b, out=self._room(a))


def in_blocks(tensor: Tensor, arrays: Sequence[Any], block: int = BLOCK) -> Iterator[Sequence[Any]]:
    """The arrays as they are, or cut into pieces that belong together, where they are long and lie on the host.

    An elementwise rule has about three temporaries; as long as the parameter itself, they would go through main memory.

    Args:
        tensor: whose step it is.
        arrays: its own first; pieces are cut only if all are contiguous and of one shape.
        block: how many elements a piece has.
    """
    first = arrays[0]
    size = first.size
    if size <= block or tensor._backend.device.type != "cpu":
        yield arrays
        return
    shape = first.shape
    if not all(a.shape == shape and a.flags.c_contiguous for a in arrays):
        yield arrays
        return
    flat = [a.reshape(-1) for a in arrays]
    for start in range(0, size, block):
        yield [a[start : start + block] for a in flat]


def same_kind(param: Tensor, grad: Tensor, held: Iterable[Tensor] = ()) -> bool:
    """Whether the arrays can be computed with as they are: one floating dtype that NumPy has, and one device."""
    array, backend = param._array, param._backend
    dtype = array.dtype
    if dtype.kind != "f" or grad._array.dtype is not dtype or grad._backend is not backend:
        return False
    for t in held:
        if t._array.dtype is not dtype or t._backend is not backend:
            return False
    return getattr(array.flags, "writeable", True)


def mark_changed(tensor: Tensor, where: Where | None) -> None:
    """Count a change in place of a tensor whose array was written to, and note the line of the user's that did it."""
    storage = tensor._storage
    if storage is None:
        storage = shared_storage(tensor)
    storage.version += 1
    storage.changed = where
