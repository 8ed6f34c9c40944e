"""What of a tensor goes to the front end: all its bytes if they are few, else a region or an image of blocks.

A tensor is shown as grids over its last two axes. The axis before them may be shown beside each other (facets); those
before that, and a long one, have sliders. Elements travel as little-endian bytes of their own dtype, so that the front
end can print each exactly. Where there are too many, a block of them travels as three bytes: its least and greatest
finite element, 1 to 255 with 128 for zero and 0 for none, and flags (NaN 1, infinity 2).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from nbtorch_widgets.gradients import INF, NAN
from nbtorch_widgets.tensorview.read import CODES, Array

_FACETS = 16  # grids beside each other at most
_FACET_CELLS = 4096  # elements of all of them together

Header: TypeAlias = dict[str, Any]
Window: TypeAlias = tuple[int, int, int, int]


class Shape(NamedTuple):
    """How a tensor of some shape is laid out: `sliders` are the axes that have one."""

    facets: int
    rows: int
    columns: int
    sliders: tuple[int, ...]

    @property
    def window(self) -> Window:
        return 0, self.rows, 0, self.columns


def grid_of(shape: tuple[int, ...]) -> Shape:
    rows = shape[-2] if len(shape) > 1 else 1
    columns = shape[-1] if shape else 1
    if len(shape) < 3:
        return Shape(1, rows, columns, ())
    faceted = shape[-3] <= _FACETS and shape[-3] * rows * columns <= _FACET_CELLS
    return Shape(shape[-3] if faceted else 1, rows, columns, tuple(range(len(shape) - (3 if faceted else 2))))


def whole(array: Array) -> tuple[Header, bytes]:
    return {"whole": True}, native(array)


def native(array: Array) -> bytes:
    """The elements one after another, little-endian."""
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()


def code(array: Array) -> str:
    return CODES[array.dtype.name]


def page(array: Array, scale: float, lead: tuple[int, ...], window: Window, budget: int) -> tuple[Header, bytes]:
    """A region of the grids at `lead`, one index for each slider, in at most `budget` bytes."""
    top, bottom, left, right = window
    grids = array[lead].reshape(-1, *(array.shape[-2:] if array.ndim > 1 else (1, array.size)))
    region = grids[:, top:bottom, left:right]
    header: Header = {"lead": list(lead), "window": list(window)}
    if region.nbytes <= budget:
        return {**header, "block": [1, 1]}, native(region)
    tall, wide = _block(region.shape[1], region.shape[2], max(1, budget // (3 * len(region))))
    header["block"] = [tall, wide]
    return {**header, "image": True}, b"".join(_image(region, scale, tall, wide))


def _block(rows: int, columns: int, cells: int) -> tuple[int, int]:
    """The size of blocks, as square as the region allows, so that at most `cells` of them cover it."""
    side = max(1, math.isqrt(cells))
    if rows <= side:
        return 1, math.ceil(columns / max(1, cells // rows))
    if columns <= side:
        return math.ceil(rows / max(1, cells // columns)), 1
    return math.ceil(rows / side), math.ceil(columns / side)


def _image(region: Array, scale: float, tall: int, wide: int) -> tuple[bytes, bytes, bytes]:
    """Least, greatest and flags of each block, `facets × block rows × block columns` each."""
    facets, rows, columns = region.shape
    size = (facets, math.ceil(rows / tall), math.ceil(columns / wide))
    least, greatest = np.full(size, np.inf), np.full(size, -np.inf)
    flags = np.zeros(size, np.uint8)
    starts = np.arange(0, columns, wide)
    for facet in range(facets):
        for row in range(size[1]):
            piece = region[facet, row * tall : (row + 1) * tall].astype(np.float64)
            finite = np.isfinite(piece)
            least[facet, row] = np.minimum.reduceat(np.where(finite, piece, np.inf).min(axis=0), starts)
            greatest[facet, row] = np.maximum.reduceat(np.where(finite, piece, -np.inf).max(axis=0), starts)
            if not finite.all():
                nan = np.isnan(piece)
                flags[facet, row] |= np.where(np.logical_or.reduceat(nan.any(axis=0), starts), NAN, 0).astype(np.uint8)
                infinite = (~finite & ~nan).any(axis=0)
                flags[facet, row] |= np.where(np.logical_or.reduceat(infinite, starts), INF, 0).astype(np.uint8)
    return _levels(least, scale).tobytes(), _levels(greatest, scale).tobytes(), flags.tobytes()


def _levels(values: npt.NDArray[np.float64], scale: float) -> npt.NDArray[np.uint8]:
    finite = np.isfinite(values)
    steps = np.round(np.where(finite, values, 0.0) / (scale or 1.0) * 127)
    # Zero is for exact zeros alone.
    steps = np.where((values > 0) & (steps == 0), 1, np.where((values < 0) & (steps == 0), -1, steps))
    return np.where(finite, 128 + np.clip(steps, -127, 127), 0).astype(np.uint8)
