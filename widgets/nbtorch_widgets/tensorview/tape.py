"""`StrideTape`: memory as a tape of cells, and where the elements of tensors lie on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import traitlets

from nbtorch_widgets import protocol
from nbtorch_widgets.tensorview import pages, picture
from nbtorch_widgets.tensorview.memory import Memory, Placed, Tape, locate
from nbtorch_widgets.tensorview.read import Array, named
from nbtorch_widgets.widget import NotebookWidget

_CELLS = 1 << 13  # of a tape, at most: 64 KB of doubles


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
        memories: list[Memory] = []
        found: list[tuple[str, int, tuple[int, ...], tuple[int, ...], int]] = []
        for name, tensor in self._tensors.items():
            memory, address, shape, strides = locate(name, tensor)
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
        return picture.tape_svg(self.tapes, self.placed, repr(self))

    def plot(self) -> Any:
        """The tape and the views below it as a figure of matplotlib."""
        return picture.plot({name: {"storage offset": placed.offsets} for name, placed in self.placed.items()})

    def __repr__(self) -> str:
        tapes = " and ".join(f"{tape.size} {tape.dtype}" for tape in self.tapes)
        tensors = "; ".join(
            f"{name} {p.shape} strides {p.strides} offset {p.offset}{'' if p.contiguous else ' not contiguous'}"
            for name, p in self.placed.items()
        )
        return f"StrideTape({tapes} in memory: {tensors})"
