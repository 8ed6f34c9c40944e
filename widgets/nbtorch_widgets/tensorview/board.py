"""`BroadcastBoard`: how two shapes are aligned, which axes are stretched, and in backward which cells are summed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import traitlets

from nbtorch_widgets import protocol
from nbtorch_widgets.tensorview import picture
from nbtorch_widgets.tensorview.read import Array, clean, host_array, is_tensor
from nbtorch_widgets.tensorview.shapes import Numbers, align, crop, cropped, unbroadcast
from nbtorch_widgets.widget import NotebookWidget

_OPERATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    # What it computes, and its two local derivatives.
    "+": (np.add, lambda a, b: (np.ones_like(a), np.ones_like(a))),
    "-": (np.subtract, lambda a, b: (np.ones_like(a), -np.ones_like(a))),
    "*": (np.multiply, lambda a, b: (b, a)),
    "/": (np.divide, lambda a, b: (1 / b, -a / (b * b))),
}


class BroadcastBoard(NotebookWidget):
    """How the shapes of `a` and `b` meet in `a + b`: what is repeated, or which axis doesn't fit.

        BroadcastBoard(x, bias)
        BroadcastBoard((4, 3), (3,))             # shapes alone
        BroadcastBoard(x, bias, backward=True)   # the way back: which cells of the gradient are summed

    `op` is one of + - * /. With `backward`, the board starts on the way back; `grad` is the gradient of the result
    (ones, if it is left out).
    """

    kind = traitlets.Unicode("broadcastboard").tag(sync=True)
    #: Header and bytes of the board in one value (`protocol.pack_file`): it is saved with the notebook.
    shown = traitlets.Bytes(b"").tag(sync=True)
    #: Whether the board shows the way back.
    backward = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        a: Any,
        b: Any,
        *,
        op: str = "+",
        backward: bool = False,
        grad: Any = None,
        names: tuple[str, str] = ("a", "b"),
        language: str | None = None,
    ) -> None:
        if op not in _OPERATIONS:
            raise ValueError(f"BroadcastBoard expected op to be one of {' '.join(_OPERATIONS)}; got {op!r}")
        if len(names) != 2:
            raise ValueError(f"BroadcastBoard expected two names, got {names!r}")
        self.op = op
        self.names = (clean(names[0]), clean(names[1]))
        self.operands = (_numbers("a", a), _numbers("b", b))
        self.axes = align(self.operands[0].shape, self.operands[1].shape)
        self.result: Numbers | None = None
        #: The gradient of the result, and what of it comes to each cell of the operands before it is summed.
        self.incoming: Numbers | None = None
        self.shares: tuple[Numbers, Numbers] | None = None
        #: The gradients of the operands: `shares` summed over the stretched axes.
        self.gradients: tuple[Numbers, Numbers] | None = None
        if self.fits:
            self._compute(grad)
        super().__init__(**({} if language is None else {"language": language}))
        self.backward = bool(backward) and self.fits
        self._show()

    @property
    def fits(self) -> bool:
        return all(axis.kind != "clash" for axis in self.axes)

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of the result, or None if the operands don't fit."""
        return tuple(int(axis.out or 0) for axis in self.axes) if self.fits else None

    def _compute(self, grad: Any) -> None:
        shape = self.shape or ()
        forward, derivative = _OPERATIONS[self.op]
        with np.errstate(all="ignore"):
            a, b = (np.broadcast_to(operand, shape) for operand in self.operands)
            self.result = np.asarray(forward(a, b))
            self.incoming = np.ones(shape) if grad is None else _numbers("grad", grad)
            if self.incoming.shape != shape:
                raise ValueError(f"BroadcastBoard expected grad of shape {shape}, got {self.incoming.shape}")
            first, second = (np.asarray(self.incoming * local) for local in derivative(a, b))
            self.shares = first, second
            self.gradients = unbroadcast(first, self.operands[0].shape), unbroadcast(second, self.operands[1].shape)

    def _show(self) -> None:
        header: dict[str, Any] = {
            "v": protocol.VERSION,
            "op": self.op,
            "names": list(self.names),
            "shapes": [list(operand.shape) for operand in self.operands],
            "axes": [axis._asdict() for axis in self.axes],
        }
        arrays: dict[str, Numbers] = {}
        if self.shares and self.gradients and self.result is not None and self.incoming is not None:
            shown = crop(self.shape or ())
            header["shown"] = list(shown)
            arrays = {
                "a": cropped(self.operands[0], shown),
                "b": cropped(self.operands[1], shown),
                "out": cropped(self.result, shown),
                "grad": cropped(self.incoming, shown),
                "share_a": cropped(self.shares[0], shown),
                "share_b": cropped(self.shares[1], shown),
                "grad_a": cropped(self.gradients[0], shown),
                "grad_b": cropped(self.gradients[1], shown),
            }
        pieces = {name: np.ascontiguousarray(array, "<f8").tobytes() for name, array in arrays.items()}
        header["arrays"] = {name: len(piece) for name, piece in pieces.items()}
        self.shown = protocol.pack_file(header, b"".join(pieces.values()))

    # ---- outside a live page ----

    def to_svg(self) -> str:
        return picture.board_svg(self)

    def plot(self) -> Any:
        """The operands as they are stretched, and the result, as a figure of matplotlib."""
        panels: dict[str, dict[str, Array]] = {}
        for name, operand in zip(self.names, self.operands, strict=True):
            stretched = operand if self.shape is None else np.broadcast_to(operand, self.shape)
            panels[name] = {"value": np.asarray(stretched)}
        if self.result is not None:
            panels[f"{self.names[0]} {self.op} {self.names[1]}"] = {"value": self.result}
        return picture.plot(panels)

    def __repr__(self) -> str:
        a, b = (operand.shape for operand in self.operands)
        text = f"BroadcastBoard({self.names[0]} {a} {self.op} {self.names[1]} {b}"
        if self.fits:
            return f"{text} -> {self.shape}{', backward' if self.backward else ''})"
        return f"{text}: {self.problem})"

    @property
    def problem(self) -> str:
        """Why the shapes don't fit, in words; empty if they do."""
        clashes = [
            f"axis {place - len(self.axes)} has sizes {axis.a} and {axis.b}, neither equal nor 1"
            for place, axis in enumerate(self.axes)
            if axis.kind == "clash"
        ]
        return "; ".join(clashes)


def _numbers(name: str, value: Any) -> Numbers:
    if isinstance(value, tuple) and all(isinstance(size, int) and not isinstance(size, bool) for size in value):
        if any(size < 0 for size in value):
            raise ValueError(f"BroadcastBoard expected sizes of at least 0 in {name}, got {value}")
        if math.prod(value) > 1 << 22:
            raise ValueError(f"BroadcastBoard can't show a shape as large as {value}")
        return np.arange(math.prod(value), dtype=np.float64).reshape(value)
    if not is_tensor(value):
        raise TypeError(
            f"BroadcastBoard expected {name} to be a tensor, an array or a shape; got {type(value).__name__}"
        )
    array, why = host_array(value)
    if array is None or array.dtype.kind == "c":
        raise TypeError(f"BroadcastBoard expected real numbers in {name}" + (f": {why}" if why else ""))
    return array.astype(np.float64)
