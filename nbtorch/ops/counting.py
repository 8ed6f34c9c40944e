"""Counting: histograms and how often each whole number comes up."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from ..autograd.variable import Variable
from ..backends.dtypes import float32, float64, from_numpy_dtype, int64
from .creation import linspace
from .exact_out import takes_exact_out
from .named import named
from .operands import require_int, require_tensor
from .record import Op, apply
from .searching import searchsorted
from .shape import reshape

__all__ = ["bincount", "histc", "histogram", "histogramdd"]


def _bincount(m: Any, input: Any, weights: Any, length: int) -> Any:
    if weights is None:
        return m.xp.bincount(input, None, length)
    # One after the other in the dtype of the weights, as PyTorch: the array module's own would sum in float64.
    return m.index_add(m.zeros((length,), weights.dtype), 0, input, weights)


BINCOUNT = Op("bincount", _bincount, tensors=2)


@BINCOUNT
def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each whole number from 0 on comes up in a vector, int64; with ``weights`` the sum of those.

    Args:
        weights: as many as there are elements; the result is float32 for float32 weights, else float64.
        minlength: the least length of the result.

    Raises:
        RuntimeError: for negative numbers and for more than one dimension.
        NotImplementedError: for a dtype that doesn't count.
    """
    require_tensor("bincount", "input", input)
    if input._array.dtype.kind in "fVb":
        raise NotImplementedError(f'"bincount" not implemented for {input._dtype()!r}\n  fix: x.long()')
    if minlength < 0:
        raise RuntimeError(f"minlength should be >= 0\n  got: {minlength}")
    if input._array.ndim == 1 and not input._array.size:
        return input.new_zeros((minlength,), dtype=int64)
    if input._array.ndim != 1 or builtins.bool((input < 0).any()):
        raise RuntimeError(
            "bincount only supports 1-d non-negative integral inputs.\n"
            f"  got: shape {tuple(input._array.shape)}\n  fix: x.flatten()"
        )
    if weights is not None:
        require_tensor("bincount", "weights", weights)
        if weights._array.shape != input._array.shape:
            raise RuntimeError(
                "weights should be 1-d and have the same length as input\n"
                f"  got: shapes {tuple(weights._array.shape)} and {tuple(input._array.shape)}"
            )
        weights = weights.detach()
        weights = weights if weights._array.dtype == np.float32 else weights.double()
    return apply(BINCOUNT, (input.long(), weights), (max(minlength, int(input.max()) + 1),))


# -- histograms ---


def _require_counted(function: str, input: Any) -> None:
    require_tensor(function, "input", input)
    if from_numpy_dtype(input._array.dtype) not in (float32, float64):
        raise NotImplementedError(
            f'"{function}" not implemented for {input._dtype()!r}\n  expected: float32 or float64\n  fix: x.float()'
        )


def _bounds(function: str, values: Any, low: Any, high: Any, which: str) -> tuple[float, float]:
    """The ends of a range, those of the values where none are given, made wider where they are one."""
    if low is None:
        low, high = (float(values.min()), float(values.max())) if values._array.size else (0.0, 1.0)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"torch.{function}: {which}range of [{low:g}, {high:g}] is not finite")
    return (low - 1, high + 1) if low == high and function == "histc" else (low, high)


@takes_exact_out
def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0, *, out: Any = None) -> Any:
    """How many elements fall into each of ``bins`` ranges of equal width between ``min`` and ``max``.

    Elements outside, and NaN, are not counted. Where ``min`` equals ``max``, the range is that of the elements.

    Raises:
        RuntimeError: for ``bins`` below 1, ``max`` below ``min``, a range that is not finite.
        NotImplementedError: for dtypes other than the floating ones.
    """
    require_tensor("histc", "input", input)
    require_int("histc", "bins", bins)
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    if max < min:
        raise RuntimeError("torch.histc: max must be larger than min")
    if input._array.dtype.kind in "iub":
        raise NotImplementedError(f'"histc" not implemented for {input._dtype()!r}\n  fix: x.float()')
    flat: Any = input.detach().reshape(-1)
    given = min != max or min != min
    low, high = _bounds("histc", flat, min if given else None, max if given else None, "")
    flat = flat[(flat >= low) & (flat <= high)]
    place = ((flat - low) * bins / (high - low)).long().clamp(max=bins - 1)
    return bincount(place, minlength=bins).to(input._dtype())


def _edges(function: str, column: Any, bins: Any, low: Any, high: Any, d: int) -> Any:
    """The edges of the bins of one dimension."""
    if not isinstance(bins, int):
        if bins._array.ndim != 1:
            raise RuntimeError(
                f"torch.{function}: bins tensor should have one dimension, but got {bins._array.ndim} dimensions in "
                f"the bins tensor for dimension {d}"
            )
        if not bins._array.size:
            raise RuntimeError(
                f"torch.{function}: bins tensor should have at least 1 element, but got 0 elements in the bins "
                f"tensor for dimension {d}"
            )
        if bins._array.dtype != column._array.dtype:
            raise RuntimeError(
                f"torch.{function}: input tensor and bins tensors should have the same dtype, but got input with "
                f"dtype {column._dtype()!r} and bins for dimension {d} with dtype {bins._dtype()!r}"
            )
        if bins._array.size == 1:
            raise RuntimeError(f"torch.histogram(): bins must be > 0, but got 0 for dimension {d}")
        return bins.detach().clone()
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension {d}")
    if low is not None and high < low:
        raise RuntimeError(
            f"torch.{function}: min should not exceed max, but got min {low:g} max {high:g} for dimension {d}"
        )
    low, high = _bounds(function, column, low, high, f"dimension {d}'s ")
    if low == high:
        low, high = low - 0.5, high + 0.5
    return linspace(low, high, bins + 1, dtype=column._dtype(), device=column.device)


def _count(function: str, input: Any, bins: Any, range: Any, weight: Any, density: Any) -> tuple[Any, list[Any]]:
    """The histogram of points, whose coordinates stand in the last dimension of ``input``, and the edges."""
    count = input._array.shape[-1]
    if range is not None and len(range) != 2 * count:
        raise RuntimeError(
            f"torch.{function}: for a {count}-dimensional histogram range should have {2 * count} elements, but got "
            f"{len(range)}"
        )
    if weight is not None:
        require_tensor(function, "weight", weight)
        if weight._array.shape != input._array.shape[:-1]:
            raise RuntimeError(
                f"torch.{function}: if weight tensor is provided it should have the same shape as the input tensor "
                f"excluding its innermost dimension, but got input with shape {list(input._array.shape)} and weight "
                f"with shape {list(weight._array.shape)}"
            )
        if weight._array.dtype != input._array.dtype:
            raise RuntimeError(
                f"torch.{function}: if weight tensor is provided, input tensor and weight tensor should have the same "
                f"dtype, but got input({input._dtype()!r}), and weight({weight._dtype()!r})"
            )
        weight = weight.detach().reshape(-1)
    points = input.detach().reshape(-1, count) if input._array.size else input.detach().reshape(0, count)
    edges = []
    for d, b in enumerate(bins):
        low, high = (None, None) if range is None else (float(range[2 * d]), float(range[2 * d + 1]))
        edges.append(_edges(function, points[:, d], b, low, high, d))
    _require_counted(function, input)
    place: Any = None
    inside: Any = None
    for d, edge in enumerate(edges):
        column = points[:, d]
        n = edge._array.size - 1
        # The last bin has its right edge too.
        found = searchsorted(edge, column.contiguous(), right=True).sub(1).clamp(0, n - 1)
        within = (column >= edge[0]) & (column <= edge[-1])
        place = found if place is None else place * n + found
        inside = within if inside is None else inside & within
    sizes = [e._array.size - 1 for e in edges]
    counted = bincount(place[inside], None if weight is None else weight[inside], math.prod(sizes))
    hist = counted.to(input._dtype()).reshape(sizes)
    if density:
        hist = hist / hist.sum()
        for d, edge in enumerate(edges):
            hist = hist / (edge[1:] - edge[:-1]).reshape([-1 if i == d else 1 for i in builtins.range(count)])
    return hist, edges


@takes_exact_out
def histogram(
    input: Any,
    bins: Any,
    *,
    range: Any = None,
    weight: Any = None,
    density: builtins.bool = False,
    out: Any = None,
) -> Any:
    """How many elements fall into each bin: a pair (hist, bin_edges). A bin has its left edge, the last one both.

    Args:
        bins: how many, of equal width, or their edges as a vector.
        range: the first and the last edge; those of the elements unless given.
        weight: what each element counts.
        density: divide, so that the integral over the range is 1.

    Raises:
        RuntimeError: where the bins, the range or the weights don't fit.
    """
    require_tensor("histogram", "input", input)
    if not isinstance(bins, (int, Variable)) or isinstance(bins, builtins.bool):
        raise TypeError(f"histogram(): argument 'bins' must be int or Tensor, not {type(bins).__name__}")
    if isinstance(weight, Variable) and weight._array.shape == input._array.shape:
        weight = reshape(weight, -1)
    hist, edges = _count("histogramdd", input.reshape(-1, 1) if input._array.size else input.reshape(0, 1),
                         (bins,), range, weight, density)  # fmt: skip
    return named("histogram", "hist", "bin_edges")((hist, edges[0]))


def histogramdd(
    input: Any,
    bins: Any,
    *,
    range: Any = None,
    weight: Any = None,
    density: builtins.bool = False,
) -> Any:
    """The histogram of points, whose coordinates stand in the last dimension: a pair (hist, bin_edges).

    Args:
        bins: for each coordinate how many bins, or their edges as a vector; one number for all.
        range: the first and the last edge for each coordinate, one after the other.
        weight: what each point counts.
        density: divide, so that the integral over the range is 1.

    Raises:
        RuntimeError: where the bins, the range or the weights don't fit.
    """
    require_tensor("histogramdd", "input", input)
    if input._array.ndim < 2:
        raise RuntimeError("torch.histogramdd: input tensor should have at least 2 dimensions")
    count = input._array.shape[-1]
    given = (bins,) * count if isinstance(bins, int) else tuple(bins)
    if len(given) != count:
        raise RuntimeError(
            "histogramdd: The size of bins must be equal to the innermost dimension of the input.\n"
            f"  got: {len(given)} bins for {count} coordinates"
        )
    hist, edges = _count("histogramdd", input, given, range, weight, density)
    return named("histogramdd", "hist", "bin_edges")((hist, tuple(edges)))


class CountingMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    bincount = bincount
    histc = histc
    histogram = histogram
