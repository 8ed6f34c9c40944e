"""How shapes meet: aligned from the right, stretched where one is 1, summed again on the way back."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

_CELLS = 1024  # of a result that are shown, at most
_ROWS, _COLUMNS = 24, 32

Numbers: TypeAlias = npt.NDArray[np.float64]
Kind = Literal["same", "stretch a", "stretch b", "new a", "new b", "clash"]


class Axis(NamedTuple):
    """One axis of the aligned shapes; None where an operand has no such axis."""

    a: int | None
    b: int | None
    out: int | None
    kind: Kind


def align(a: tuple[int, ...], b: tuple[int, ...]) -> list[Axis]:
    """The axes of both shapes, aligned from the right, the left one first."""
    length = max(len(a), len(b))
    axes = []
    for place in range(-length, 0):
        one = a[place] if -place <= len(a) else None
        other = b[place] if -place <= len(b) else None
        axes.append(Axis(one, other, *_meet(one, other)))
    return axes


def _meet(a: int | None, b: int | None) -> tuple[int | None, Kind]:
    if a is None or b is None:
        return (b, "new a") if a is None else (a, "new b")
    if a == b:
        return a, "same"
    if a == 1:
        return b, "stretch a"
    if b == 1:
        return a, "stretch b"
    return None, "clash"


def unbroadcast(grad: Numbers, shape: tuple[int, ...]) -> Numbers:
    """Sum over the axes along which `shape` was stretched to `grad.shape`: the reverse of broadcasting."""
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    axes = tuple(axis for axis, size in enumerate(shape) if size == 1 and grad.shape[axis] != 1)
    return np.asarray(grad.sum(axis=axes, keepdims=True) if axes else grad)


def crop(shape: tuple[int, ...]) -> tuple[int, ...]:
    """As much of a shape as is shown."""
    limits = [*([8] * max(0, len(shape) - 2)), _ROWS, _COLUMNS][-len(shape) :] if shape else []
    shown = [min(size, limit) for size, limit in zip(shape, limits, strict=True)]
    while math.prod(shown) > _CELLS:
        longest = shown.index(max(shown))
        shown[longest] = max(1, shown[longest] // 2)
    return tuple(shown)


def cropped(array: Numbers, shown: tuple[int, ...]) -> Numbers:
    """The piece of an operand that meets the shown piece of the result."""
    sizes = shown[len(shown) - array.ndim :]
    return array[tuple(slice(0, size) for size in sizes)]
