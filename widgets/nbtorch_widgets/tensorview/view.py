"""`TensorView`: the elements of tensors as heat maps, each beside its gradient."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from typing import Any, cast

import numpy as np
import traitlets

from nbtorch.notebook.heatmap import Statistics, statistics
from nbtorch_widgets import protocol
from nbtorch_widgets.tensorview import pages, picture
from nbtorch_widgets.tensorview.board import BroadcastBoard
from nbtorch_widgets.tensorview.read import Array, Reading, is_tensor, named, read
from nbtorch_widgets.tensorview.tape import StrideTape
from nbtorch_widgets.widget import NotebookWidget

_BUDGET = 1 << 16  # bytes of a message, and of what a notebook saves
_PERIOD = 0.1  # seconds between two updates


class TensorView(NotebookWidget):
    """Tensors in the notebook: value beside gradient, the exact number and its place in memory under the cursor.

        TensorView(model.weight)
        TensorView(w=model.weight, b=model.bias)

    Takes tensors of nbtorch and PyTorch, NumPy arrays, numbers, and objects with `data` (and `grad`), of any shape and
    dtype. It shows them as they were when it was made or last refreshed (`refresh`), and holds them for that.
    """

    kind = traitlets.Unicode("tensorview").tag(sync=True)
    #: Header and bytes of all tensors in one value (`protocol.pack_file`): it is saved with the notebook.
    shown = traitlets.Bytes(b"").tag(sync=True)
    #: "sign" or "magnitude": what the colours say.
    colours = traitlets.Enum(["sign", "magnitude"], "sign").tag(sync=True)

    def __init__(
        self, *tensors: Any, names: Iterable[str] | None = None, language: str | None = None, **more: Any
    ) -> None:
        listed = list(tensors)
        if len(listed) == 1 and isinstance(listed[0], Mapping):
            more = {**{str(name): tensor for name, tensor in listed.pop().items()}, **more}
        self._tensors = named(listed, names, more, "tensor")
        if not self._tensors:
            raise TypeError("TensorView expected at least one tensor: TensorView(model.weight)")
        for name, tensor in self._tensors.items():
            if not is_tensor(tensor):
                raise TypeError(
                    f"TensorView expected tensors, arrays or objects with .data; {name!r} is of type "
                    f"{type(tensor).__name__}"
                )
        self._readings: dict[str, Reading] = {}
        self._refreshed = -math.inf
        self._late = False
        super().__init__(**({} if language is None else {"language": language}))
        self.on_msg(self._receive)
        self._read()

    # ---- other views of tensors ----

    @classmethod
    def tape(cls, x: Any, *views: Any, **options: Any) -> StrideTape:
        """`StrideTape(x, ...)`: where the elements lie in memory."""
        return StrideTape(x, *views, **options)

    @classmethod
    def broadcast(cls, a: Any, b: Any, **options: Any) -> BroadcastBoard:
        """`BroadcastBoard(a, b)`: how two shapes meet."""
        return BroadcastBoard(a, b, **options)

    # ---- the tensors now ----

    def refresh(self) -> TensorView:
        """Show the tensors as they are now. May be called in a loop: what is shown changes ten times a second at most.

        The last state of a cell's loop is shown when the cell ends.
        """
        now = time.monotonic()
        shell = _shell()
        if shell is not None and now - self._refreshed < _PERIOD:
            if not self._late:
                self._late = True
                shell.events.register("post_run_cell", self._catch_up)
            return self
        self._read()
        return self

    def _catch_up(self, *_: Any) -> None:
        shell = _shell()
        if shell is not None:
            shell.events.unregister("post_run_cell", self._catch_up)
        self._late = False
        self._read()

    def _read(self) -> None:
        self._readings = {name: read(tensor) for name, tensor in self._tensors.items()}
        self._refreshed = time.monotonic()
        panels = sum(len(_panels(reading)) for reading in self._readings.values())
        budget = _BUDGET // max(1, panels)
        tensors: list[dict[str, Any]] = []
        pieces: list[bytes] = []
        for name, reading in self._readings.items():
            grid = pages.grid_of(reading.shape)
            described = []
            for role, array in _panels(reading).items():
                facts = statistics(array)
                if array.nbytes <= budget:
                    header, piece = pages.whole(array)
                else:
                    lead = (0,) * len(grid.sliders)
                    header, piece = pages.page(array, facts.scale, lead, grid.window, budget)
                described.append(
                    {
                        "role": role,
                        "code": pages.code(array),
                        "stats": _numbers(facts),
                        "page": {**header, "at": sum(map(len, pieces)), "bytes": len(piece)},
                    }
                )
                pieces.append(piece)
            tensors.append(
                {
                    "name": name,
                    "type": reading.type,
                    "dtype": reading.dtype,
                    "shape": list(reading.shape),
                    "strides": None if reading.strides is None else list(reading.strides),
                    "offset": reading.offset,
                    "note": reading.note,
                    "grid": [grid.facets, grid.rows, grid.columns],
                    "sliders": list(grid.sliders),
                    "panels": described,
                }
            )
        self.shown = protocol.pack_file({"v": protocol.VERSION, "tensors": tensors}, b"".join(pieces))

    # ---- the front end asks ----

    def _receive(self, _widget: Any, message: Any, _buffers: Any) -> None:
        """A region of one tensor, when it is too large to be sent whole. Runs on a thread of the kernel's."""
        try:
            index, lead, window, identity = _request(message)
            reading = list(self._readings.values())[index]
            grid = pages.grid_of(reading.shape)
            panels = _panels(reading)
            _check(grid, reading.shape, lead, window)
            made = [
                pages.page(array, statistics(array).scale, lead, window, _BUDGET // len(panels))
                for array in panels.values()
            ]
        except (ValueError, TypeError, LookupError, ZeroDivisionError) as error:
            self.send({"op": "error", "message": str(error)[:200]})
            return
        headers, at = [], 0
        for header, piece in made:
            headers.append({**header, "at": at, "bytes": len(piece)})
            at += len(piece)
        reply = {"op": "page", "id": identity, "tensor": index, "panels": headers}
        self.send(reply, buffers=[b"".join(piece for _, piece in made)])

    # ---- outside a live page ----

    @property
    def values(self) -> Any:
        """The elements as shown: an array, or with several tensors a dict of them."""
        return self._arrays("array")

    @property
    def gradient(self) -> Any:
        """The gradient as shown, or None: an array, or with several tensors a dict of them."""
        return self._arrays("gradient")

    def _arrays(self, field: str) -> Any:
        found = {name: getattr(reading, field) for name, reading in self._readings.items()}
        return next(iter(found.values())) if len(found) == 1 else found

    def to_svg(self) -> str:
        return picture.tensors_svg(
            {name: (reading, _panels(reading)) for name, reading in self._readings.items()}, repr(self)
        )

    def plot(self) -> Any:
        """The same as a figure of matplotlib."""
        return picture.plot({name: _panels(reading) for name, reading in self._readings.items()})

    def __repr__(self) -> str:
        return f"TensorView({', '.join(_words(name, reading) for name, reading in self._readings.items())})"


def _panels(reading: Reading) -> dict[str, Array]:
    """What is shown of a tensor: its values, and its gradient where there is one; complex ones as two."""
    found: dict[str, Array] = {}
    for role, array in (("value", reading.array), ("gradient", reading.gradient)):
        if array is None:
            continue
        if array.dtype.kind == "c":
            plain = array.astype(np.complex128) if array.dtype.itemsize > 16 else array
            found[f"{role}.real"], found[f"{role}.imag"] = plain.real, plain.imag
        else:
            found[role] = array
    return found


def _words(name: str, reading: Reading) -> str:
    text = f"{name}: {reading.dtype} {reading.shape}"
    for role, array in _panels(reading).items():
        facts = statistics(array)
        if array.size == 0:
            text += ", empty"
        elif math.isnan(facts.minimum):
            text += f", {role} not finite"
        elif role != "gradient":
            text += f", {_short(facts.minimum)} to {_short(facts.maximum)}"
        else:
            text += f", max|grad| {_short(facts.scale)}"
        text += f", {facts.nans} NaN" if facts.nans else ""
        text += f", {facts.infinities} infinite" if facts.infinities else ""
    return text


def _short(value: float) -> str:
    return f"{value:.3g}"


def _numbers(facts: Statistics) -> dict[str, Any]:
    return {
        "min": protocol.number(facts.minimum),
        "mean": protocol.number(facts.mean),
        "max": protocol.number(facts.maximum),
        "nan": facts.nans,
        "inf": facts.infinities,
    }


def _request(message: Any) -> tuple[int, tuple[int, ...], pages.Window, Any]:
    if not isinstance(message, dict) or message.get("op") != "page":
        raise ValueError(f"expected the operation page, got {str(message)[:80]!r}")
    index, lead, window = message.get("tensor"), message.get("lead"), message.get("window")
    if not isinstance(index, int) or index < 0 or not isinstance(lead, list) or not isinstance(window, list):
        raise ValueError("expected tensor, lead and window")
    if len(window) != 4 or not all(type(i) is int for i in [*lead, *window]):
        raise ValueError("expected lead and window of integers, window of four")
    return index, tuple(lead), cast(pages.Window, tuple(window)), message.get("id")


def _check(grid: pages.Shape, shape: tuple[int, ...], lead: tuple[int, ...], window: pages.Window) -> None:
    top, bottom, left, right = window
    inside = len(lead) == len(grid.sliders) and all(
        0 <= i < shape[axis] for i, axis in zip(lead, grid.sliders, strict=True)
    )
    if not inside or not (0 <= top < bottom <= grid.rows and 0 <= left < right <= grid.columns):
        raise ValueError(f"{[*lead, *window]} lies outside a tensor of shape {shape}")


def _shell() -> Any:
    """IPython's shell, if the code runs in one; nothing is imported for it."""
    import sys

    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
