"""Tensors with edges added: of one number, mirrored, repeated, or from the other end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autograd.variable import TensorT, wrap
from ..backends.layouts import in_image_order
from .conversion import clone
from .gathering import index_select
from .operands import Number, require_tensor
from .record import Op, apply
from .shape import sizes

__all__ = ["constant_pad_nd"]

Edges = tuple[tuple[int, int], ...]


CONSTANT_PAD = Op(
    "constant_pad_nd",
    lambda m, input, edges, value: m.constant_pad(input, edges, value),
    input=lambda m, g, edges: m.constant_pad(g, tuple((-a, -b) for a, b in edges), 0),
    formula=r"\text{the gradient without the edges}",
    layout=in_image_order,
)


@CONSTANT_PAD
def constant_pad(input: Any, edges: Edges, value: Number = 0) -> Any:
    """``input`` with edges (before, after) of ``value`` for each dimension; negative ones cut off."""
    return apply(CONSTANT_PAD, (input,), (edges, value))


def _pairs(function: str, input: Any, pad: Any) -> Edges:
    """The edges for each dimension, first to last; ``pad`` counts from the last dimension."""
    require_tensor(function, "input", input)
    lengths = sizes((tuple(pad),), function)
    ndim = input._array.ndim
    if len(lengths) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2\n  got: {list(lengths)}")
    if len(lengths) > 2 * ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(lengths)} and input of dimension {ndim}"
        )
    pairs = [(lengths[i], lengths[i + 1]) for i in range(0, len(lengths), 2)]
    edges = ((0, 0),) * (ndim - len(pairs)) + tuple(reversed(pairs))
    for (a, b), n in zip(edges, input._array.shape, strict=True):
        if n + a + b < 0 or n + min(a, 0) + min(b, 0) < 0:
            raise RuntimeError(
                f"narrow(): length must be non-negative.\n  why: padding {list(lengths)} cuts more than there is from "
                f"shape {tuple(input._array.shape)}"
            )
    return edges


def constant_pad_nd(input: TensorT, pad: Sequence[int], value: Number = 0) -> TensorT:
    """A copy with edges of ``value``: ``pad`` is (before, after) of the last dimension, then of the one before it.

    Negative lengths cut off.

    Raises:
        RuntimeError: for an odd number of lengths, too many of them, or a dimension cut to less than nothing.
    """
    edges = _pairs("constant_pad_nd", input, pad)
    if input._array.dtype.kind in "iub" and isinstance(value, float):
        value = int(value) if input._array.dtype.kind != "b" else bool(value)
    return constant_pad(input, edges, value)


def _mirrored(n: int, a: int, b: int) -> Any:
    at = np.abs(np.arange(-a, n + b))
    return np.where(at >= n, 2 * (n - 1) - at, at)


def _wrapped(n: int, a: int, b: int) -> Any:
    kept = np.arange(max(-a, 0), n - max(-b, 0))  # what is cut off is cut off first
    return kept[np.arange(-max(a, 0), len(kept) + max(b, 0)) % max(len(kept), 1)]


# From the size and the two lengths, which element stands at each place.
_PLACES: dict[str, Callable[[int, int, int], Any]] = {
    "reflect": _mirrored,
    "replicate": lambda n, a, b: np.clip(np.arange(-a, n + b), 0, n - 1),
    "circular": lambda n, a, b: _wrapped(n, a, b),
}


def pad(input: TensorT, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> TensorT:
    """A copy with edges added to the last dimensions, or cut off by negative lengths.

    Args:
        pad: (before, after) of the last dimension, then of the one before it, and so on.
        mode: ``"constant"``; ``"reflect"``, mirrored without the outermost element; ``"replicate"``, the outermost
            element repeated; ``"circular"``, from the other end. These three take 2-D to 5-D inputs and all but the
            first one or two dimensions.
        value: what constant edges are made of, 0 unless given.

    Raises:
        NotImplementedError: for another mode, or one that this number of dimensions doesn't have.
        RuntimeError: for lengths that don't fit.
    """
    edges = _pairs("pad", input, pad)
    if mode == "constant":
        return constant_pad_nd(input, pad, 0 if value is None else value)
    if mode not in _PLACES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}\n  expected: constant, {', '.join(_PLACES)}")
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument\n  got: value={value}')
    if input._array.dtype.kind == "b" and mode != "circular":
        raise NotImplementedError(f'padding with mode "{mode}" is not implemented for bools\n  fix: x.byte()')
    shape, count = tuple(input._array.shape), len(pad)
    if (count, len(shape)) not in ((2, 2), (2, 3), (4, 3), (4, 4), (6, 4), (6, 5)):
        raise NotImplementedError(
            f"Padding size {count} is not supported for {len(shape)}D input tensor.\n"
            "  expected: with 2-D or 3-D input 2 lengths, with 3-D or 4-D 4, with 4-D or 5-D 6"
        )
    last = count // 2
    if 0 in shape[len(shape) - last :] or (mode != "circular" and 0 in shape[1 if len(shape) == last + 2 else 0 :]):
        raise RuntimeError(
            f"Expected {last + 1}D or {last + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {list(shape)}"
        )
    for d, ((a, b), n) in enumerate(zip(edges, shape, strict=True)):
        if mode == "reflect" and (a >= n or b >= n) and (a or b):
            raise RuntimeError(
                "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
                f"({a}, {b}) at dimension {d} of input {list(shape)}"
            )
        if mode == "circular" and (a > n or b > n):
            raise RuntimeError(
                f"Padding value causes wrapping around more than once.\n  got: ({a}, {b}) for a dimension of size {n}"
            )
    out: Any = input
    for d, (a, b) in enumerate(edges):
        if a or b:
            n = shape[d]
            if n + a + b < 1 and mode != "circular":
                raise RuntimeError(
                    f"input (size {n}) is too small for padding ({a}, {b}) of dimension {d}: nothing would be left"
                )
            # All three only move elements: where a length is negative, the places begin or end further in.
            places = _PLACES[mode](n, a, b)
            out = index_select(out, d, wrap(out._backend.from_host(places.astype(np.int64)), out._backend))
    return clone(input) if out is input else out
