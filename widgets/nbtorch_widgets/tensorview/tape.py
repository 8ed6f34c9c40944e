"""`StrideTape`: memory as a tape of cells, and where the elements of tensors lie on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import traitlets

from nbtorch_widgets import protocol
from nbtorch_widgets.tensorview import pages
from nbtorch_widgets.tensorview.read import (
    Array,
    dtype_name,
    host_array,
    layout,
    lowest_address,
    named,
    root_of,
    unwrap,
)
from nbtorch_widgets.widget import NotebookWidget

_CELLS = 1 << 13  # of a tape, at most: 64 KB of doubles


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


class _Memory(NamedTuple):
    start: int
    end: int
    dtype: str
    itemsize: int
    read: Callable[[int, int], Array]


class StrideTape(NotebookWidget):
    """Where the elements of a tensor and of its views lie in memory.

        StrideTape(x, x.T, x[1:])

    Tensors that share a storage stand on one tape: moving over an element shows its cell, and over a cell all elements
    in it. A stride of 0 (`x.expand(...)`) puts many elements into one cell. A copy has a tape of its own.
    """

    kind = traitlets.Unicode("stridetape").tag(sync=True)
    #: Header and bytes of the tapes in one value (`protocol.pack_file`): it is saved with the notebook.
    shown = traitlets.Bytes(b"").tag(sync=True)

    def __init__(
        self, x: Any, *views: Any, names: Iterable[str] | None = None, language: str | None = None, **more: Any
    ) -> None:
        if names is None:
            names = ["x", *(f"view {place}" for place in range(1, len(views) + 1))]
        self._tensors = named([x, *views], names, more, "x")
        self.tapes: list[Tape] = []
        self.placed: dict[str, Placed] = {}
        self._place()
        super().__init__(**({} if language is None else {"language": language}))
        self._show()

    def refresh(self) -> StrideTape:
        """Show the memory as it is now."""
        self._place()
        self._show()
        return self

    def _place(self) -> None:
        memories: list[_Memory] = []
        found: list[tuple[str, int, tuple[int, ...], tuple[int, ...], int]] = []
        for name, tensor in self._tensors.items():
            memory, address, shape, strides = _locate(name, tensor)
            for tape, other in enumerate(memories):
                if other.dtype == memory.dtype and memory.start < other.end and other.start < memory.end:
                    if memory.start <= other.start and memory.end >= other.end:
                        memories[tape] = memory
                    break
            else:
                tape = len(memories)
                memories.append(memory)
            found.append((name, tape, shape, strides, address))
        placed = {
            name: Placed(tape, shape, strides, (address - memories[tape].start) // memories[tape].itemsize)
            for name, tape, shape, strides, address in found
        }
        tapes = []
        for place, memory in enumerate(memories):
            size = (memory.end - memory.start) // memory.itemsize
            begin = min(p.offset for p in placed.values() if p.tape == place)
            first = 0 if size <= _CELLS else max(0, min(begin, size - _CELLS))
            tapes.append(Tape(memory.dtype, size, first, memory.read(first, min(size - first, _CELLS))))
        self.placed, self.tapes = placed, tapes

    def _show(self) -> None:
        pieces = [pages.native(tape.cells) for tape in self.tapes]
        tapes = [
            {"dtype": t.dtype, "code": pages.code(t.cells), "size": t.size, "first": t.first, "bytes": len(piece)}
            for t, piece in zip(self.tapes, pieces, strict=True)
        ]
        tensors = [
            {
                "name": name,
                "tape": p.tape,
                "shape": list(p.shape),
                "strides": list(p.strides),
                "offset": p.offset,
                "contiguous": p.contiguous,
            }
            for name, p in self.placed.items()
        ]
        header = {"v": protocol.VERSION, "tapes": tapes, "tensors": tensors}
        self.shown = protocol.pack_file(header, b"".join(pieces))

    # ---- outside a live page ----

    @property
    def offsets(self) -> dict[str, npt.NDArray[np.intp]]:
        """For each tensor the cell of each of its elements, in its shape."""
        return {name: placed.offsets for name, placed in self.placed.items()}

    @property
    def storage(self) -> Array:
        """The cells of the first tape."""
        return self.tapes[0].cells

    def to_svg(self) -> str:
        from nbtorch_widgets.tensorview.picture import tape_svg

        return tape_svg(self.tapes, self.placed, repr(self))

    def plot(self) -> Any:
        """The tape and the views below it as a figure of matplotlib."""
        from nbtorch_widgets.tensorview.picture import plot

        return plot({name: {"storage offset": placed.offsets} for name, placed in self.placed.items()})

    def __repr__(self) -> str:
        tapes = " and ".join(f"{tape.size} {tape.dtype}" for tape in self.tapes)
        tensors = "; ".join(
            f"{name} {p.shape} strides {p.strides} offset {p.offset}{'' if p.contiguous else ' not contiguous'}"
            for name, p in self.placed.items()
        )
        return f"StrideTape({tapes} in memory: {tensors})"


def _locate(name: str, tensor: Any) -> tuple[_Memory, int, tuple[int, ...], tuple[int, ...]]:
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
        memory = _Memory(start, start + cells * inner.itemsize, inner.dtype.name, inner.itemsize, read_array)
        return memory, address, shape, strides
    storage = inner.untyped_storage()
    itemsize = int(inner.element_size())
    start = int(storage.data_ptr())
    cells = int(storage.nbytes()) // itemsize

    def read_tensor(first: int, count: int) -> Array:
        host, why = host_array(inner.detach().as_strided((count,), (1,), first))
        return _plain(name, host, why)

    memory = _Memory(start, start + cells * itemsize, dtype_name(inner, None), itemsize, read_tensor)
    return memory, start + int(inner.storage_offset()) * itemsize, shape, strides


def _plain(name: str, host: Array | None, why: str) -> Array:
    if host is None or host.dtype.kind == "c":
        raise TypeError(f"StrideTape expected real numbers in {name!r}" + (f": {why}" if why else ""))
    return host
