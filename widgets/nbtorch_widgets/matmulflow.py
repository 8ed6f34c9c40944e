"""`MatmulFlow`: which cells meet in a matrix product, and how its gradient comes back to its factors."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets

from nbtorch_widgets.svg import CHARACTER, PAD, WIDTH, Canvas, fit
from nbtorch_widgets.tensorview import picture
from nbtorch_widgets.tensorview.read import clean, host_array, is_tensor, read
from nbtorch_widgets.tensorview.shapes import Numbers
from nbtorch_widgets.widget import NotebookWidget

_MOST = 8  # rows or columns that are shown
_WIDE, _HIGH = 42, 24
_STYLE = ".k{fill:none;stroke:#59636e}.u{fill:none;stroke:#1769aa;stroke-width:2}.v{stroke-width:4}"
_DARK = "@media(prefers-color-scheme:dark){.k{stroke:#9aa4af}.u{stroke:#6cb6ff}}"
_KOREAN = {"product": "곱", "gradient of the product": "곱의 그래디언트"}


class MatmulFlow(NotebookWidget):
    """The product of two matrices, cell by cell: choose a cell to see what it is made of, or what it reaches.

        MatmulFlow(A, B)
        MatmulFlow(A, B, grad=G, cell=("a", 0, 1))

    `grad` is the gradient of the product (ones, if it is left out); the factors' own `.grad` is shown where they have
    one. `cell` is chosen at first: of `"a"`, `"b"`, the product `"c"` or its gradient `"g"`, with row and column.
    """

    kind = traitlets.Unicode("matmulflow").tag(sync=True)
    #: The grids' cells as text: no number is lost to JSON.
    shown = traitlets.Dict().tag(sync=True)
    #: The chosen cell: `c,0,1`.
    cell = traitlets.Unicode("c,0,0").tag(sync=True)

    def __init__(
        self,
        a: Any,
        b: Any,
        *,
        grad: Any = None,
        cell: tuple[str, int, int] = ("c", 0, 0),
        names: tuple[str, str] = ("A", "B"),
        language: str | None = None,
    ) -> None:
        if len(names) != 2:
            raise ValueError(f"MatmulFlow expected two names, got {names!r}")
        self.names = (clean(names[0]), clean(names[1]))
        one, two = _matrix(self.names[0], a), _matrix(self.names[1], b)
        if one.shape[1] != two.shape[0]:
            raise ValueError(
                f"MatmulFlow can't multiply {one.shape} by {two.shape}: a row of {self.names[0]} has {one.shape[1]} "
                f"numbers and a column of {self.names[1]} has {two.shape[0]}. They are multiplied one by one, so both "
                "must be equally long."
            )
        with np.errstate(all="ignore"):
            product = one @ two
            back = np.ones(product.shape) if grad is None else _matrix("grad", grad)
            if back.shape != product.shape:
                raise ValueError(f"MatmulFlow expected grad of shape {product.shape}, the product's; got {back.shape}")
            #: The grids by name: `a`, `b`, the product `c`, its gradient `g`, and the factors' gradients `da`, `db`.
            self.history: dict[str, Numbers] = {
                "a": one, "b": two, "c": product, "g": back, "da": back @ two.T, "db": one.T @ back,
            }  # fmt: skip
        key, row, column = cell
        if key not in "abcg" or not (
            0 <= row < self.history[key].shape[0] and 0 <= column < self.history[key].shape[1]
        ):
            raise ValueError(f'MatmulFlow expected a cell such as ("c", 0, 0) that is in its grid; got {cell!r}')
        super().__init__(**({} if language is None else {"language": language}))
        own = {"ga": read(a).gradient, "gb": read(b).gradient}
        self.shown = {
            **{name: _texts(grid) for name, grid in self.history.items()},
            **{name: None if grid is None else _texts(grid) for name, grid in own.items()},
            "names": list(self.names),
        }
        self.cell = f"{key},{row},{column}"

    def to_svg(self) -> str:
        canvas = Canvas(_STYLE + _DARK, self.language)
        korean = canvas.say("ready") != "ready"
        say: dict[str, str] = _KOREAN if korean else {}
        product = f"{self.names[0]} @ {self.names[1]}"
        titles = {"a": self.names[0], "b": self.names[1], "c": f"{say.get('product', 'product')} {product}"}
        titles["g"] = say.get("gradient of the product", "gradient of the product")
        key, row, column = self._chosen()
        x, y, tall = float(PAD), float(PAD), 0.0
        for name, title in titles.items():
            grid = self.history[name]
            wide = max(grid.shape[1] * _WIDE, 7 * len(title))
            if x > PAD and x + wide > WIDTH - PAD:
                x, y, tall = float(PAD), y + tall, 0.0
            canvas.text(x, y + 10, title, "m")
            for i, j in np.ndindex(grid.shape):
                left, top = x + j * _WIDE, y + 18 + i * _HIGH
                here = (name, i, j) == (key, row, column)
                look = "u v" if here else "u" if _lit((key, row, column), (name, i, j)) else "k"
                canvas.rect(left + 2, top + 2, _WIDE - 4, _HIGH - 4, f'class="{look}" rx="3"')
                canvas.text(left + _WIDE - 7, top + 16, _text(grid[i, j]), "t l e" + (" b" if look != "k" else ""))
            x, tall = x + wide + 24, max(tall, grid.shape[0] * _HIGH + 34.0)
        canvas.text(PAD, y + tall + 8, fit(self._sentence(), int((WIDTH - 2 * PAD) / CHARACTER)), "t l")
        canvas.height = int(y + tall + 14)
        return canvas.render(repr(self))

    def plot(self) -> Any:
        """The factors, their product and its gradient, as a figure of matplotlib."""
        return picture.plot({name: {"value": self.history[name]} for name in "abcg"})

    def __repr__(self) -> str:
        (a, b), shapes = self.names, self.history
        return (
            f"MatmulFlow({a} {shapes['a'].shape} @ {b} {shapes['b'].shape} -> {shapes['c'].shape}: {self._sentence()})"
        )

    def _chosen(self) -> tuple[str, int, int]:
        key, row, column = self.cell.split(",")
        return key, int(row), int(column)

    def _sentence(self) -> str:
        """The chosen cell's sum, written out."""
        key, i, j = self._chosen()
        a, b, g = (self.history[name] for name in "abg")
        if key == "a":
            left, pairs, total = f"grad {self.names[0]}[{i}, {j}]", zip(g[i], b[j], strict=True), self.history["da"]
        elif key == "b":
            left, pairs, total = (
                f"grad {self.names[1]}[{i}, {j}]",
                zip(a[:, i], g[:, j], strict=True),
                self.history["db"],
            )
        else:
            left, pairs, total = (
                f"({self.names[0]} @ {self.names[1]})[{i}, {j}]", zip(a[i], b[:, j], strict=True), self.history["c"],
            )  # fmt: skip
        terms = ("·".join(f"({t})" if t.startswith("-") else t for t in map(_text, pair)) for pair in pairs)
        return f"{left} = {' + '.join(terms)} = {_text(total[i, j])}"


def _lit(chosen: tuple[str, int, int], cell: tuple[str, int, int]) -> bool:
    (key, row, column), (name, i, j) = chosen, cell
    if key == "a":
        return i == row if name in "cg" else name == "b" and i == column
    if key == "b":
        return j == column if name in "cg" else name == "a" and j == row
    return i == row if name == "a" else name == "b" and j == column


def _text(value: Any) -> str:
    return f"{float(value) + 0.0:.3g}"


def _texts(grid: Any) -> list[list[str]]:
    return [[_text(value) for value in row] for row in grid]


def _matrix(name: str, value: Any) -> Numbers:
    if not is_tensor(value):
        raise TypeError(f"MatmulFlow expected {name} to be a matrix of numbers; got {type(value).__name__}")
    array, why = host_array(value)
    if array is None or array.dtype.kind == "c":
        raise TypeError(f"MatmulFlow expected real numbers in {name}" + (f": {why}" if why else ""))
    if array.ndim != 2 or not 1 <= min(array.shape) <= max(array.shape) <= _MOST:
        raise ValueError(
            f"MatmulFlow shows matrices of at most {_MOST} rows and columns, so that every sum can be read; {name} has "
            f"the shape {array.shape}. Show a corner of it, {name}[:{_MOST}, :{_MOST}], or reshape a row to (1, n)."
        )
    return array.astype(np.float64)
