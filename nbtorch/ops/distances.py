"""Distances between vectors: of all pairs of two sets (cdist), within one set (pdist), of pairs given."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.variable import TensorT
from ..backends.layouts import in_rows
from .matrices import broadcast_batch, expand_batch, mT, type_name
from .norms import linalg_vector_norm
from .operands import require_tensor
from .record import Op, apply, check_same_device

__all__ = ["cdist", "pairwise_distance", "pdist"]

_MODES = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")


def _cdist(m: Any, x1: Any, x2: Any, p: float, product: bool) -> Any:
    if product:
        # |a - b|² = -2 a·b + |a|² + |b|²: one product of matrices, and no differences to keep.
        last = x1.ndim - 1
        first, second = m.sum(x1 * x1, (last,), True), m.sum(x2 * x2, (last,), True)
        left = m.cat((x1 * -2, first, m.ones(first.shape, x1.dtype)), last)
        right = m.cat((x2, m.ones(second.shape, x2.dtype), second), last)
        return m.sqrt(m.maximum(m.matmul(left, right.swapaxes(-2, -1)), 0))
    total: Any = None
    # One column after another: the differences of all columns at once would be many times the result.
    for k in range(x1.shape[-1]):
        size = m.abs(x1[..., :, None, k] - x2[..., None, :, k])
        if p == 0:
            size = m.astype(m.as_array(size != 0), x1.dtype)
        elif p not in (1, math.inf):
            size = size * size if p == 2 else size**p
        total = size if total is None else m.maximum(total, size) if p == math.inf else total + size
    return total if p in (0, 1, math.inf) else m.sqrt(total) if p == 2 else total ** (1 / p)


def _cdist_first(m: Any, g: Any, x1: Any, x2: Any, out: Any, p: float) -> Any:
    if p == 0:
        return x1 * 0
    if p == 2:
        weight = m.masked_fill(g / out, out == 0, 0)
        return x1 * m.sum(weight, (weight.ndim - 1,), True) - m.matmul(weight, x2)
    difference = x1[..., :, None, :] - x2[..., None, :, :]
    g, out = g[..., None], out[..., None]
    if p == 1:
        each = m.sign(difference) * g
    elif p == math.inf:
        each = m.sign(difference) * m.masked_fill(g, m.abs(difference) != out, 0)
    else:
        scale = m.masked_fill(g / out ** (p - 1), out == 0, 0)
        power = m.masked_fill(m.abs(difference) ** (p - 1), difference == 0, 0)
        each = m.sign(difference) * power * scale
    return m.sum(each, (each.ndim - 2,), False)


CDIST = Op(
    "cdist",
    _cdist,
    tensors=2,
    x1=_cdist_first,
    x2=lambda m, g, x1, x2, out, p: _cdist_first(m, mT(m, g), x2, x1, mT(m, out), p),
    formula=r"\frac{\partial d_{ij}}{\partial x_i} = \mathrm{sign}(x_i - y_j)\left(\frac{|x_i - y_j|}{d_{ij}}"
    r"\right)^{p-1}",
    layout=in_rows,
)


def _require_full(x: Any, function: str) -> None:
    if type_name(x) in ("Half", "BFloat16"):
        raise NotImplementedError(
            f"\"{function}\" not implemented for '{type_name(x)}'\n  fix: convert first, for example x.float()"
        )


@CDIST
def cdist(x1: TensorT, x2: TensorT, p: float = 2.0, compute_mode: str | None = None) -> TensorT:
    """The p-distance of every row of x1 to every row of x2: (*, n, k) and (*, r, k) give (*, n, r).

    Args:
        p: the order of the norm, 0 or more.
        compute_mode: whether the Euclidean distance may go by a product of matrices, which is fast and rounds more; by
            default for more than 25 rows.

    Raises:
        RuntimeError: for what is not floating, fewer than 2 dimensions, or rows of different length.
        ValueError: for an unknown ``compute_mode``.
    """
    require_tensor("cdist", "x1", x1)
    require_tensor("cdist", "x2", x2)
    mode = _MODES[0] if compute_mode is None else compute_mode
    if mode not in _MODES:
        raise ValueError(
            f"{compute_mode} is not a valid value for compute_mode\n  expected: one of {', '.join(_MODES)}"
        )
    for name, x in (("X1", x1), ("X2", x2)):
        if x._array.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x._array.ndim}D")
        if x._array.dtype.kind in "iub":
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {type_name(x)}")
    a, b = x1._array.shape, x2._array.shape
    if a[-1] != b[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {a[-1]} X2: {b[-1]}")
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    check_same_device(CDIST, (x1, x2))
    if x1._array.dtype != x2._array.dtype:
        raise RuntimeError(f"expected scalar type {type_name(x1)} but found {type_name(x2)}")
    batch = broadcast_batch("cdist", x1, x2)
    x1, x2 = expand_batch(x1, batch), expand_batch(x2, batch)
    if not a[-1] or not math.prod((*batch, a[-2], b[-2])):
        return x1.sum(-1, keepdim=True) * x2.sum(-1, keepdim=True).transpose(-2, -1)  # type: ignore[attr-defined]
    product = p == 2 and (mode == _MODES[1] or (mode == _MODES[0] and (a[-2] > 25 or b[-2] > 25)))
    if not product:
        _require_full(x1, "cdist")
    return apply(CDIST, (x1, x2), (float(p), product))


def pdist(input: TensorT, p: float = 2.0) -> TensorT:
    """The p-distances of all pairs of rows of a matrix (n, k): n (n - 1) / 2 of them, the first row's first.

    Raises:
        RuntimeError: for what is not a floating matrix, and negative ``p``.
    """
    require_tensor("pdist", "input", input)
    if input._array.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input._array.ndim}D")
    if input._array.dtype.kind in "iub":
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    _require_full(input, "pdist")
    rows, columns = np.triu_indices(input._array.shape[0], 1)
    x: Any = input
    first, second = (x.index_select(0, x.new_tensor(i.tolist()).long()) for i in (rows, columns))
    if not x._array.shape[1]:
        return (first - second).sum(1)
    return linalg_vector_norm(first - second, p, 1)


def pairwise_distance(x1: TensorT, x2: TensorT, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> TensorT:
    """The p-norm of ``x1 - x2 + eps`` over the last dimension."""
    require_tensor("pairwise_distance", "x1", x1)
    require_tensor("pairwise_distance", "x2", x2)
    return linalg_vector_norm(x1 - x2 + eps, p, -1, keepdim)  # type: ignore[operator]
