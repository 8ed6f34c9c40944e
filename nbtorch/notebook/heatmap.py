"""A small heat map of an array as inline SVG: no script, no image data, a few kilobytes, the same every time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .markup import coordinate as _n
from .markup import number_text
from .palette import STEPS, hex_color, ink

Array = npt.NDArray[Any]

MAX_CELLS = 1600  # over all facets
_MAX_GRID = 800  # of one facet; 28 x 28 pixels fit
_MAX_SIDE = 64
_MAX_FACETS = 8
_MAX_NUMBERED = 8  # rows and columns up to which the cells carry their numbers
_MAX_MARKS = 200  # beyond that, the fill of a cell alone says that it is not finite
_CHUNK = 1 << 20
_NAN_FILL, _INF_FILL = "#cc79a7", "#3b3b3b"


class Statistics(NamedTuple):
    """Of all elements of an array; minimum, mean and maximum of the finite ones (NaN where there are none)."""

    minimum: float
    mean: float
    maximum: float
    nans: int
    infinities: int

    @property
    def scale(self) -> float:
        """The largest finite magnitude, 0 where there is none: where the palette ends."""
        return 0.0 if math.isnan(self.minimum) else max(abs(self.minimum), abs(self.maximum))


class Heatmap(NamedTuple):
    svg: str
    note: str
    """What of the array is not shown, or ""."""


def statistics(array: Array) -> Statistics:
    """One pass in pieces of constant size, so that a large tensor is not copied."""
    minimum, maximum, total = math.inf, -math.inf, 0.0
    finite_count = nans = infinities = 0
    flat = array.reshape(-1)
    for start in range(0, flat.size, _CHUNK):
        piece = flat[start : start + _CHUNK]
        if piece.dtype.kind == "f":
            finite = np.isfinite(piece)
            if not finite.all():
                bad = int(np.isnan(piece).sum())
                nans += bad
                infinities += int(piece.size - finite.sum()) - bad
                piece = piece[finite]
        if piece.size:
            minimum, maximum = min(minimum, float(piece.min())), max(maximum, float(piece.max()))
            with np.errstate(over="ignore"):  # a sum beyond the largest float is shown as inf
                total += float(piece.sum(dtype=np.float64))
            finite_count += piece.size
    if not finite_count:
        return Statistics(math.nan, math.nan, math.nan, nans, infinities)
    return Statistics(minimum, total / finite_count, maximum, nans, infinities)


def heatmap(array: Array, scale: float, label: str, max_cells: int = MAX_CELLS) -> Heatmap:
    """Draw an array of at least one dimension and one element; ``scale`` is the magnitude of the strongest colour.

    One dimension becomes a strip, two a grid, more a row of grids over the last two (the first slices). What is too
    large is thinned out evenly, and the note says so.
    """
    grid_shape = array.shape[-2:] if array.ndim > 1 else (1, array.shape[0])
    lead = array.shape[:-2] if array.ndim > 2 else ()
    facets = math.prod(lead)
    rows, columns = _fit(grid_shape, min(max_cells, _MAX_GRID))
    shown = min(facets, _MAX_FACETS, max(1, max_cells // (len(rows) * len(columns))))
    numbered = facets == 1 and len(rows) <= _MAX_NUMBERED and len(columns) <= _MAX_NUMBERED

    indices = [tuple(int(i) for i in np.unravel_index(k, lead)) for k in range(shown)] if lead else [()]
    width, height = _cell_size(len(rows), len(columns), shown, numbered)
    parts: list[str] = []
    x, top = 1.0, 13.0 if lead else 1.0
    for index in indices:
        grid = array[index].reshape(grid_shape)[np.ix_(rows, columns)]
        if lead:
            text = ", ".join(map(str, index))
            parts.append(f'<text x="{_n(x)}" y="9" font-size="9" fill="currentColor" opacity=".75">[{text}]</text>')
        parts.append(f'<g transform="translate({_n(x)} {_n(top)})">{_grid(grid, scale, width, height, numbered)}</g>')
        x += len(columns) * width + 8
    notes = []
    if shown < facets:
        notes.append(f"{shown} of {facets:,} slices")
    for name, chosen, size in (("row", rows, grid_shape[0]), ("column", columns, grid_shape[1])):
        if len(chosen) < size:
            notes.append(f"{len(chosen)} of {size:,} {name if array.ndim > 1 else 'element'}s")
    w, h = _n(x - 7), _n(top + len(rows) * height + 1)
    svg = (
        f'<svg width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" aria-label="{label}" '
        f'style="max-width:100%" font-family="ui-monospace,Menlo,Consolas,\'DejaVu Sans Mono\',monospace">'
        f"{''.join(parts)}</svg>"
    )
    return Heatmap(svg, f"showing {', '.join(notes)}" if notes else "")


def _fit(shape: Sequence[int], cells: int) -> tuple[list[int], list[int]]:
    """Indices of the rows and columns to show so that at most ``cells`` remain, evenly chosen, ends included."""
    rows, columns = (min(size, _MAX_SIDE) for size in shape)
    if rows * columns > cells:
        side = math.isqrt(cells)
        if rows <= side:
            columns = cells // rows
        elif columns <= side:
            rows = cells // columns
        else:
            rows = columns = side
    return _evenly(shape[0], rows), _evenly(shape[1], columns)


def _evenly(size: int, count: int) -> list[int]:
    if count >= size:
        return list(range(size))
    return [k * (size - 1) // (count - 1) for k in range(count)] if count > 1 else [0]


def _cell_size(rows: int, columns: int, facets: int, numbered: bool) -> tuple[float, float]:
    if numbered:
        return 52.0, 22.0
    side = float(min(22, max(3, 384 // (columns * facets), 1), max(4, 224 // rows)))
    return side, (max(side, 14.0) if rows == 1 else side)


def _grid(grid: Array, scale: float, width: float, height: float, numbered: bool) -> str:
    values = grid.astype(np.float64)
    finite = np.isfinite(values)
    levels = _levels(np.where(finite, values, 0.0), scale)
    rows, columns = values.shape
    fills: dict[str, list[str]] = {}
    for r in range(rows):
        c = 0
        while c < columns:  # one stroke per run of equal cells
            start, fill = c, _fill(values[r, c], int(levels[r, c]))
            while c < columns and _fill(values[r, c], int(levels[r, c])) == fill:
                c += 1
            fills.setdefault(fill, []).append(f"M{start} {r}h{c - start}")
    parts = [f'<g transform="scale({_n(width)} {_n(height)}) translate(0 .5)" shape-rendering="crispEdges">']
    parts += [f'<path d="{"".join(runs)}" stroke="{fill}"/>' for fill, runs in sorted(fills.items())]
    parts.append("</g>")
    if numbered:
        parts.append('<g font-size="11" text-anchor="middle">')
        for r in range(rows):
            for c in range(columns):
                parts.append(_number(grid[r, c], values[r, c], int(levels[r, c]), c * width, r * height, width, height))
        parts.append("</g>")
    elif not finite.all():
        parts.append(_marks(values, width, height))
    return "".join(parts)


def _levels(values: npt.NDArray[np.float64], scale: float) -> npt.NDArray[np.int64]:
    """Palette levels: 0 for exact zeros alone, so that a dead unit can be told from a small gradient."""
    if not scale:
        return np.zeros(values.shape, dtype=np.int64)
    # A value within rounding of a step belongs to it: 0.3 / 1.0 * 10 is not to be level 4.
    steps = np.ceil(np.abs(values) / scale * STEPS - 1e-9)
    clipped = np.clip(steps, np.where(values != 0, 1, 0), STEPS)
    levels: npt.NDArray[np.int64] = (np.sign(values) * clipped).astype(np.int64)
    return levels


def _fill(value: float, level: int) -> str:
    if math.isfinite(value):
        return hex_color(level)
    return _NAN_FILL if math.isnan(value) else _INF_FILL


def _number(item: Any, value: float, level: int, x: float, y: float, width: float, height: float) -> str:
    if not math.isfinite(value):
        text = "✕ nan" if math.isnan(value) else "▲ inf" if value > 0 else "▼ −inf"
        fill = "#111" if math.isnan(value) else "#fff"
    else:
        text, fill = str(bool(item)) if isinstance(item, np.bool_) else number_text(value, 3), ink(level)
    return f'<text x="{_n(x + width / 2)}" y="{_n(y + height / 2 + 4)}" fill="{fill}">{text}</text>'


def _marks(values: npt.NDArray[np.float64], width: float, height: float) -> str:
    """A cross on NaN, a triangle on infinities: colour alone does not say it."""
    crosses: list[str] = []
    triangles: list[str] = []
    for r, c in np.argwhere(~np.isfinite(values))[:_MAX_MARKS]:
        value = values[r, c]
        if math.isnan(value):
            crosses.append(f"M{c + 0.2:.1f} {r + 0.2:.1f}l.6 .6m0 -.6l-.6 .6")
        elif value > 0:
            triangles.append(f"M{c + 0.2:.1f} {r + 0.8:.1f}h.6l-.3 -.6z")
        else:
            triangles.append(f"M{c + 0.2:.1f} {r + 0.2:.1f}h.6l-.3 .6z")
    scale = f"scale({_n(width)} {_n(height)})"
    return (
        f'<g transform="{scale}"><path d="{"".join(crosses)}" stroke="#111" stroke-width=".12" fill="none"/>'
        f'<path d="{"".join(triangles)}" fill="#fff"/></g>'
    )
