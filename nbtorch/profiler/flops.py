"""Floating-point operations of a call, from the shapes: a multiplication and an addition count as two."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from ..autograd.variable import Variable

__all__ = ["COUNTED_INSIDE", "count_flops"]

COUNTED_INSIDE = -1  # of an operation that calls one whose count is known

Shapes = list[tuple[int, ...]]


def _product(shapes: Shapes, out: tuple[int, ...]) -> int:
    """Every element of the result is a sum over the last dimension of the first matrix."""
    return 2 * prod(out) * shapes[0][-1]


def _added_product(shapes: Shapes, out: tuple[int, ...]) -> int:
    return 2 * prod(out) * shapes[1][-1]


def _convolution(shapes: Shapes, out: tuple[int, ...]) -> int:
    """Every element of the result is a sum over one filter."""
    return 2 * prod(out) * prod(shapes[1][1:])


def _transposed(shapes: Shapes, out: tuple[int, ...]) -> int:
    """Every element of the input is spread by one filter."""
    return 2 * prod(shapes[0]) * prod(shapes[1][1:])


def _elementwise(shapes: Shapes, out: tuple[int, ...]) -> int:
    return prod(out)


# The operations that PyTorch counts, and those that stand for them here.
_RULES: dict[str, Callable[[Shapes, tuple[int, ...]], int]] = {
    **dict.fromkeys(("aten::mm", "aten::bmm", "aten::matmul", "aten::mv", "aten::linear"), _product),
    **dict.fromkeys(("aten::addmm", "aten::baddbmm", "aten::addmv"), _added_product),
    **dict.fromkeys(("aten::conv1d", "aten::conv2d", "aten::conv3d"), _convolution),
    **{f"aten::conv_transpose{n}d": _transposed for n in (1, 2, 3)},
    **dict.fromkeys(("aten::add", "aten::mul"), _elementwise),
}


def count_flops(name: str, args: Any, out: Variable) -> int:
    """How many, or 0 where it isn't known."""
    rule = _RULES.get(name)
    if rule is None:
        return 0
    shapes: Shapes = [tuple(a._array.shape) for a in args if isinstance(a, Variable)]
    try:
        return rule(shapes, tuple(out._array.shape))
    except IndexError:  # arguments given by name, or numbers
        return 0
