"""Differences, slopes and integrals of sampled functions; combinations of elements."""

from __future__ import annotations

import builtins
import itertools
import math
from typing import Any

import numpy as np

from ..autograd.variable import Variable, wrap
from .comparison import ne
from .joining import cat
from .operands import NUMBERS, normalize_dim, normalize_dims, numpy_names, require_tensor
from .writing import takes_out

__all__ = ["combinations", "cumulative_trapezoid", "diff", "gradient", "trapezoid", "trapz"]


def _part(x: Any, dim: int, start: int | None, end: int | None) -> Any:
    """``x[..., start:end, ...]``, in dimension ``dim``."""
    return x[(slice(None),) * dim + (slice(start, end),)]


def _joined(input: Any, dim: int, prepend: Any, append: Any) -> Any:
    for x in (prepend, append):
        if x is None:
            continue
        require_tensor("diff", "prepend and append", x)
        if x._array.ndim != input._array.ndim:
            raise RuntimeError(
                "diff expects prepend or append to be the same dimension as input\n"
                f"  got: {x._array.ndim} and {input._array.ndim} dimensions"
            )
        for i, (a, b) in enumerate(zip(input._array.shape, x._array.shape, strict=True)):
            if i != dim and a != b:
                raise RuntimeError(
                    "diff expects the shape of tensor to prepend or append to match that of input except along the "
                    f"differencing dimension; input.size({i}) = {a}, but got tensor.size({i}) = {b}"
                )
    parts = [x for x in (prepend, input, append) if x is not None]
    return cat(parts, dim) if len(parts) > 1 else input


@takes_out
@numpy_names
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None, *, out: Any = None) -> Any:
    """The differences of neighbours along ``dim``, taken ``n`` times; of bools, whether neighbours differ.

    Args:
        prepend: values to put before ``input`` along ``dim`` first.
        append: values to put behind it.

    Raises:
        RuntimeError: for a 0-d tensor, a negative ``n``, and where shapes don't fit.
    """
    require_tensor("diff", "input", input)
    if not input._array.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional\n  got: a 0-d tensor")
    d = normalize_dim(dim, input._array.ndim, "diff")
    x = _joined(input, d, prepend, append)
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if not n:
        return input.clone()
    for _ in range(min(n, x._array.shape[d])):
        after, before = _part(x, d, 1, None), _part(x, d, None, -1)
        x = ne(after, before) if x._array.dtype.kind == "b" else after - before
    return x


# -- slopes ---


def _spacings(input: Any, spacing: Any, dim: Any, ndim: int) -> tuple[tuple[int, ...], list[Any]]:
    """The dimensions, and for each the distance of its samples or their coordinates."""
    if not ndim and dim is not None and normalize_dims(dim, 0, "gradient") == ():
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions\n  operation: gradient")
    dims = normalize_dims(dim, ndim, "gradient") if ndim else ()
    if spacing is None or isinstance(spacing, NUMBERS):
        return dims, [1 if spacing is None else spacing] * len(dims)
    given = list(spacing)
    if len(given) != len(dims):
        wanted = f"'self.dim() = {ndim}', since dim argument was not given" if dim is None else f"'dim' = {len(dims)}"
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to "
            f"{wanted}, but got a list of length {len(given)}"
        )
    for d, s in zip(dims, given, strict=True):
        if not isinstance(s, Variable):
            continue
        if s._array.ndim != 1:
            raise RuntimeError(
                "torch.gradient expected each element of spacing to have one dimension, but got an element with "
                f"{s._array.ndim} dimensions!"
            )
        if s._array.size != input._array.shape[d]:
            raise RuntimeError(
                f"torch.gradient expected spacing of dimension {d} to have {input._array.shape[d]} coordinates, but "
                f"got {s._array.size}"
            )
    return dims, given


def _even_slope(x: Any, d: int, step: Any, edge_order: int) -> Any:
    def at(i: int) -> Any:
        return _part(x, d, i, i + 1 or None)

    if edge_order == 1:
        first, last = (at(1) - at(0)) / step, (at(-1) - at(-2)) / step
    else:
        first = (-1.5 * at(0) + 2 * at(1) - 0.5 * at(2)) / step
        last = (1.5 * at(-1) - 2 * at(-2) + 0.5 * at(-3)) / step
    return cat([first, (_part(x, d, 2, None) - _part(x, d, None, -2)) / (2 * step), last], d)


def _uneven_slope(x: Any, d: int, places: Any, edge_order: int) -> Any:
    def at(i: int) -> Any:
        return _part(x, d, i, i + 1 or None)

    step = (places[1:] - places[:-1]).reshape([-1 if i == d else 1 for i in range(x._array.ndim)])
    left, right = _part(step, d, None, -1), _part(step, d, 1, None)
    # The slope of the parabola through three samples.
    middle = (
        _part(x, d, None, -2) * (-right / (left * (left + right)))
        + _part(x, d, 1, -1) * ((right - left) / (left * right))
        + _part(x, d, 2, None) * (left / (right * (left + right)))
    )
    if edge_order == 1:
        first = (at(1) - at(0)) / _part(step, d, 0, 1)
        last = (at(-1) - at(-2)) / _part(step, d, -1, None)
    else:
        a, b = _part(step, d, 0, 1), _part(step, d, 1, 2)
        first = -at(0) * (2 * a + b) / (a * (a + b)) + at(1) * (a + b) / (a * b) - at(2) * a / (b * (a + b))
        a, b = _part(step, d, -1, None), _part(step, d, -2, -1)
        last = at(-1) * (2 * a + b) / (a * (a + b)) - at(-2) * (a + b) / (a * b) + at(-3) * a / (b * (a + b))
    return cat([first, middle, last], d)


@numpy_names
def gradient(input: Any, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> tuple[Any, ...]:
    """The slopes of a function that was sampled on a grid, along each of ``dim``: by central differences.

    Args:
        spacing: the distance of samples, one for all or for each dimension; or for each the samples' coordinates.
        dim: the dimensions, all unless given.
        edge_order: 1 or 2, how exact the slope is at both ends.

    Raises:
        RuntimeError: for another ``edge_order``, too few samples, and a ``spacing`` that doesn't fit.
    """
    require_tensor("gradient", "input", input)
    if input._array.dtype == np.uint8:
        raise RuntimeError("torch.gradient does not support uint8 input.\n  fix: x.int()")
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    dims, spacings = _spacings(input, spacing, dim, input._array.ndim)
    for d in dims:
        if input._array.shape[d] <= edge_order:
            raise RuntimeError(
                "torch.gradient expected each dimension size to be at least edge_order+1\n"
                f"  got: size {input._array.shape[d]} in dimension {d}, edge_order {edge_order}"
            )
    return tuple(
        (_uneven_slope if isinstance(s, Variable) else _even_slope)(input, d, s, edge_order)
        for d, s in zip(dims, spacings, strict=True)
    )


# -- integrals ---


def _steps(function: str, y: Any, x: Any, d: int) -> Any:
    """The distances of the samples, in a shape that fits those of ``y``."""
    require_tensor(function, "x", x)
    if x._array.dtype.kind == "b":
        raise RuntimeError(f"{function}: received a bool input for `x`, but bool is not supported")
    ndim, n = y._array.ndim, y._array.shape[d]
    if x._array.ndim == 1:
        if x._array.size != n:
            raise RuntimeError(
                f"{function}: There must be one `x` value for each sample point\n  got: {x._array.size} for {n}"
            )
        x = x.reshape([n if i == d else 1 for i in range(ndim)])
    elif x._array.ndim < ndim:
        x = x.reshape((1,) * (ndim - x._array.ndim) + tuple(x._array.shape))
    at = d if x._array.ndim == ndim else normalize_dim(d - ndim, x._array.ndim, function)
    return _part(x, at, 1, None) - _part(x, at, None, -1)


def _trapezoids(function: str, y: Any, x: Any, dx: Any, dim: int) -> tuple[Any, int]:
    """Twice the area between each two neighbours, and the dimension."""
    require_tensor(function, "y", y)
    if y._array.dtype.kind == "b":
        raise RuntimeError(f"{function}: received a bool input for `y`, but bool is not supported")
    if x is not None and dx is not None:
        raise TypeError(f"{function}() received an invalid combination of arguments: x and dx, give one of them")
    if not y._array.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions\n  operation: {function}")
    d = normalize_dim(dim, y._array.ndim, function)
    step = (1 if dx is None else dx) if x is None else _steps(function, y, x, d)
    return (_part(y, d, 1, None) + _part(y, d, None, -1)) * step, d


def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The integral of samples along ``dim`` by the trapezoidal rule.

    Args:
        y: the samples.
        x: where they were taken: a vector, or a tensor that can be broadcast to ``y``.
        dx: their distance where it is the same throughout, 1 unless given.

    Raises:
        RuntimeError: for bools, and where ``x`` doesn't fit.
    """
    if isinstance(y, Variable) and 0 in y._array.shape:
        d = normalize_dim(dim, y._array.ndim, "trapezoid")
        if not y._array.shape[d]:
            return y.sum(d).to(y._dtype())  # type: ignore[attr-defined]
    areas, d = _trapezoids("trapezoid", y, x, dx, dim)
    if x is None:  # so that small integers don't overflow where two neighbours are added
        return (y.sum(d) - (y.select(d, 0) + y.select(d, -1)) * 0.5) * (1 if dx is None else dx)
    return areas.sum(d) / 2


def trapz(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """Alias of ``trapezoid``."""
    return trapezoid(y, x, dx=dx, dim=dim)


def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The running integral of samples along ``dim``, one result less than samples; see :func:`trapezoid`."""
    areas, d = _trapezoids("cumulative_trapezoid", y, x, dx, dim)
    return areas.cumsum(d) / 2


def combinations(input: Any, r: int = 2, with_replacement: builtins.bool = False) -> Any:
    """All choices of ``r`` elements of a vector, one row each, in the order of ``itertools.combinations``.

    Raises:
        RuntimeError: for a negative ``r`` and for more than one dimension.
    """
    require_tensor("combinations", "input", input)
    if input._array.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input._array.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if not r:
        return input.new_empty((0,))
    n = input._array.size
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    count = math.comb(n + r - 1 if with_replacement else n, r) if n else 0
    chosen = np.fromiter(itertools.chain.from_iterable(choose(range(n), r)), np.int64, count * r)
    backend = input._backend
    return input[wrap(backend.from_host(chosen.reshape(count, r)), backend)]


class CalculusMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    diff = diff
