"""Reductions and normalisations of the elements under a mask: ``torch.masked``.

Elements where the mask is False don't count. Each function puts in their place the number that changes nothing (0 in a
sum, 1 in a product, infinity in a minimum) and calls the function of the same name on the whole tensor.
"""

from __future__ import annotations

import builtins
import math
from typing import Any

from . import ops
from .annex import name_what_is_missing
from .backends.dtypes import FLOATING, bool_, float32, from_numpy_dtype, iinfo, int64
from .backends.dtypes import dtype as DType
from .ops.operands import normalize_dim, require_tensor

__all__ = [
    "amax", "amin", "argmax", "argmin", "cumprod", "cumsum", "log_softmax", "logaddexp", "logsumexp", "mean", "median",
    "norm", "normalize", "prod", "softmax", "softmin", "std", "sum", "var",
]  # fmt: skip
__path__: list[str] = []  # PyTorch has a package here

Dim = int | tuple[int, ...] | list[int] | None


def _mask(input: Any, mask: Any) -> Any:
    """``mask`` in the shape of ``input``, bool."""
    require_tensor("mask", "mask", mask)
    if mask._array.ndim > input._array.ndim:
        raise IndexError(
            "_input_mask expected broadcastable mask (got mask dimensionality higher than of the input)\n"
            f"  got: shapes {tuple(mask._array.shape)} and {tuple(input._array.shape)}"
        )
    if mask._array.shape != input._array.shape:
        mask = mask.expand(tuple(input._array.shape))
    return mask if mask._array.dtype.kind == "b" else mask.bool()


def _filled(input: Any, mask: Any, value: Any) -> Any:
    """``input`` with ``value`` where the mask is False."""
    return input if mask is None else input.masked_fill(~_mask(input, mask), value)


def _lowest(function: str, d: DType) -> Any:
    """The number below all others of a dtype."""
    if d is bool_:
        raise NotImplementedError(f"identity of {function} on torch.bool input\n  fix: x.int()")
    return -math.inf if d.category == FLOATING else iinfo(d).min


def _highest(function: str, d: DType) -> Any:
    if d is bool_:
        raise NotImplementedError(f"identity of {function} on torch.bool input\n  fix: x.int()")
    return math.inf if d.category == FLOATING else iinfo(d).max


def _in_dtype(function: str, input: Any, dtype: DType | None, *, wide: builtins.bool = False) -> Any:
    """``input`` in ``dtype``; ``wide``: integers and bools as int64 unless one is named."""
    require_tensor(function, "input", input)
    if dtype is None and wide and from_numpy_dtype(input._array.dtype).category != FLOATING:
        dtype = int64
    return input if dtype is None else input.to(dtype)


def _dims(function: str, input: Any, dim: Dim) -> tuple[int, ...]:
    """The dimensions to reduce, counted from the front.

    Raises:
        RuntimeError: where one is named twice. IndexError: where one is out of range.
    """
    ndim = input._array.ndim
    if dim is None:
        return tuple(range(ndim))
    found: list[int] = []
    for d in dim if isinstance(dim, (tuple, list)) else (dim,):
        at = normalize_dim(d, ndim, function)
        if at in found:
            raise RuntimeError(f"dim={d} appears multiple times in the list of dims\n  operation: masked.{function}")
        found.append(at)
    return tuple(found)


# -- reductions ---


def sum(
    input: Any, dim: Dim = None, *, keepdim: builtins.bool = False, dtype: DType | None = None, mask: Any = None
) -> Any:
    """The sum of the elements under the mask over ``dim`` (all unless given); 0 where there is none.

    Args:
        mask: True where an element counts; of a shape that can be broadcast to that of ``input``.
    """
    x = _in_dtype("sum", input, dtype, wide=True)
    return ops.sum(_filled(x, mask, 0), _dims("sum", x, dim), keepdim, dtype=from_numpy_dtype(x._array.dtype))


def prod(
    input: Any, dim: Dim = None, *, keepdim: builtins.bool = False, dtype: DType | None = None, mask: Any = None
) -> Any:
    """The product of the elements under the mask over ``dim`` (all unless given); 1 where there is none."""
    x = _in_dtype("prod", input, dtype, wide=True)
    found, dims = _filled(x, mask, 1), _dims("prod", x, dim)
    for d in sorted(dims, reverse=True):
        found = ops.prod(found, d, keepdim, dtype=from_numpy_dtype(x._array.dtype))
    return found


def amax(
    input: Any, dim: Dim = None, *, keepdim: builtins.bool = False, dtype: DType | None = None, mask: Any = None
) -> Any:
    """The largest element under the mask over ``dim`` (all unless given); the lowest number where there is none."""
    x = _in_dtype("amax", input, dtype)
    fill = _lowest("amax", from_numpy_dtype(x._array.dtype))
    return _extreme(ops.amax, "amax", _filled(x, mask, fill), dim, keepdim)


def amin(
    input: Any, dim: Dim = None, *, keepdim: builtins.bool = False, dtype: DType | None = None, mask: Any = None
) -> Any:
    """The smallest element under the mask over ``dim`` (all unless given); the highest number where there is none."""
    x = _in_dtype("amin", input, dtype)
    fill = _highest("amin", from_numpy_dtype(x._array.dtype))
    return _extreme(ops.amin, "amin", _filled(x, mask, fill), dim, keepdim)


def _extreme(function: Any, name: str, filled: Any, dim: Dim, keepdim: builtins.bool) -> Any:
    if dim is None and not filled._array.size:
        raise IndexError(f"{name}(): Expected reduction dim 0 to have non-zero size.")
    return function(filled, _dims(name, filled, dim), keepdim)


def argmax(
    input: Any,
    dim: int | None = None,
    *,
    keepdim: builtins.bool = False,
    dtype: DType | None = None,
    mask: Any = None,
) -> Any:
    """The index of the largest element under the mask along ``dim`` (of the flattened tensor unless given).

    As PyTorch's, the result has the dtype of the input.
    """
    x = _in_dtype("argmax", input, dtype)
    d = from_numpy_dtype(x._array.dtype)
    return ops.argmax(_filled(x, mask, _lowest("argmax", d)), dim, keepdim).to(d)


def argmin(
    input: Any,
    dim: int | None = None,
    *,
    keepdim: builtins.bool = False,
    dtype: DType | None = None,
    mask: Any = None,
) -> Any:
    """The index of the smallest element under the mask along ``dim`` (of the flattened tensor unless given).

    As PyTorch's, the result has the dtype of the input.
    """
    x = _in_dtype("argmin", input, dtype)
    d = from_numpy_dtype(x._array.dtype)
    return ops.argmin(_filled(x, mask, _highest("argmin", d)), dim, keepdim).to(d)


def _count(input: Any, dim: Dim, keepdim: builtins.bool, mask: Any, d: DType) -> Any:
    """How many elements count."""
    ones = input.detach().new_ones(tuple(input._array.shape)) if mask is None else _mask(input, mask)
    return sum(ones, dim, keepdim=keepdim, dtype=d)


def mean(
    input: Any, dim: Dim = None, *, keepdim: builtins.bool = False, dtype: DType | None = None, mask: Any = None
) -> Any:
    """The mean of the elements under the mask over ``dim`` (all unless given); NaN where there is none.

    Raises:
        ValueError: for integers and bools.
    """
    x = _in_dtype("mean", input, dtype)
    d = from_numpy_dtype(x._array.dtype)
    if d.category != FLOATING:
        raise ValueError(
            "mean(): Could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
            f"Got: {d!r}\n  fix: x.float()"
        )
    if mask is None:
        return ops.mean(x, _dims("mean", x, dim), keepdim)
    return sum(x, dim, keepdim=keepdim, mask=mask) / _count(x, dim, keepdim, mask, d)


def median(
    input: Any, dim: int = -1, *, keepdim: builtins.bool = False, dtype: DType | None = None, mask: Any = None
) -> Any:
    """The median of the elements under the mask along ``dim``, the lower of two; NaN where there is none.

    Raises:
        ValueError: for integers, where nothing in a row is under the mask.
    """
    x = _in_dtype("median", input, dtype)
    d = from_numpy_dtype(x._array.dtype)
    at = normalize_dim(dim, x._array.ndim, "median")
    if d.category == FLOATING:
        return ops.nanmedian(_filled(x, mask, math.nan), at, keepdim)[0]
    if mask is not None and not builtins.bool(_mask(x, mask).any(at).all()):
        raise ValueError("masked median expects no fully masked out rows if dtype is not floating point")
    wide = ops.nanmedian(_filled(x.double(), mask, math.nan), at, keepdim)[0]
    return wide.to(d)


def _spread(
    function: str, input: Any, dim: Any, unbiased: Any, correction: Any, keepdim: Any, dtype: Any, mask: Any
) -> Any:
    require_tensor(function, "input", input)
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    d = dtype if dtype is not None else from_numpy_dtype(input._array.dtype)
    if d.category != FLOATING:
        d = float32
    if input._array.dtype.kind == "b" and dtype is None:
        raise RuntimeError(f"masked.{function}: a bool tensor has no spread\n  fix: x.float()")
    x = input.to(d)
    away = x - sum(x, dim, keepdim=True, mask=mask) / _count(x, dim, True, mask, d)
    degrees = (_count(x, dim, keepdim, mask, d) - correction).clamp(min=0)
    return sum(away * away, dim, keepdim=keepdim, mask=mask) / degrees


def var(
    input: Any,
    dim: Dim = None,
    unbiased: builtins.bool | None = None,
    *,
    correction: float | None = None,
    keepdim: builtins.bool = False,
    dtype: DType | None = None,
    mask: Any = None,
) -> Any:
    """The variance of the elements under the mask over ``dim`` (all unless given); divides by n - correction."""
    return _spread("var", input, dim, unbiased, correction, keepdim, dtype, mask)


def std(
    input: Any,
    dim: Dim = None,
    unbiased: builtins.bool | None = None,
    *,
    correction: float | None = None,
    keepdim: builtins.bool = False,
    dtype: DType | None = None,
    mask: Any = None,
) -> Any:
    """The standard deviation of the elements under the mask over ``dim`` (all unless given)."""
    return ops.sqrt(_spread("std", input, dim, unbiased, correction, keepdim, dtype, mask))


def norm(
    input: Any,
    ord: float | None = 2.0,
    dim: Dim = None,
    *,
    keepdim: builtins.bool = False,
    dtype: DType | None = None,
    mask: Any = None,
) -> Any:
    """The norm of order ``ord`` of the elements under the mask over ``dim`` (all unless given).

    Raises:
        RuntimeError: for integers and bools.
    """
    x = _in_dtype("norm", input, dtype)
    order = 2.0 if ord is None else ord
    return ops.norm(_filled(x, mask, 0 if order >= 0 else math.inf), order, _dims("norm", x, dim), keepdim)


def logsumexp(
    input: Any, dim: Dim = None, *, keepdim: builtins.bool = False, dtype: DType | None = None, mask: Any = None
) -> Any:
    """``log(sum(exp(input)))`` of the elements under the mask over ``dim`` (all unless given)."""
    x = _in_dtype("logsumexp", input, dtype)
    d = from_numpy_dtype(x._array.dtype)
    return ops.logsumexp(_filled(x, mask, _lowest("logsumexp", d)), _dims("logsumexp", x, dim), keepdim).to(d)


def logaddexp(
    input: Any, other: Any, *, dtype: DType | None = None, input_mask: Any = None, other_mask: Any = None
) -> Any:
    """``log(exp(input) + exp(other))``, of each only what is under its mask."""
    a, b = _in_dtype("logaddexp", input, dtype), _in_dtype("logaddexp", other, dtype)
    if not (a.is_floating_point() or b.is_floating_point()):
        return ops.logaddexp(a, b)  # which refuses them: nothing would stand for a masked integer
    return ops.logaddexp(_filled(a, input_mask, -math.inf), _filled(b, other_mask, -math.inf))


# -- running results and normalisations ---


def cumsum(input: Any, dim: int, *, dtype: DType | None = None, mask: Any = None) -> Any:
    """The running sum along ``dim`` of the elements under the mask."""
    x = _in_dtype("cumsum", input, dtype)
    return ops.cumsum(_filled(_not_bool("cumsum", x), mask, 0), dim, dtype=from_numpy_dtype(x._array.dtype))


def cumprod(input: Any, dim: int, *, dtype: DType | None = None, mask: Any = None) -> Any:
    """The running product along ``dim`` of the elements under the mask."""
    x = _in_dtype("cumprod", input, dtype)
    return ops.cumprod(_filled(_not_bool("cumprod", x), mask, 1), dim, dtype=from_numpy_dtype(x._array.dtype))


def _not_bool(function: str, x: Any) -> Any:
    if x._array.dtype.kind == "b":
        raise NotImplementedError(f'"masked.{function}" not implemented for torch.bool\n  fix: x.int()')
    return x


def softmax(input: Any, dim: int, *, dtype: DType | None = None, mask: Any = None) -> Any:
    """``softmax`` along ``dim`` of the elements under the mask; 0 for the others, NaN in a row without any."""
    x = _in_dtype("softmax", input, dtype)
    return ops.softmax(_filled(x, mask, _lowest("amax", from_numpy_dtype(x._array.dtype))), dim)


def log_softmax(input: Any, dim: int, *, dtype: DType | None = None, mask: Any = None) -> Any:
    """The logarithm of :func:`softmax`."""
    x = _in_dtype("log_softmax", input, dtype)
    return ops.log_softmax(_filled(x, mask, _lowest("amax", from_numpy_dtype(x._array.dtype))), dim)


def softmin(input: Any, dim: int, *, dtype: DType | None = None, mask: Any = None) -> Any:
    """:func:`softmax` of ``-input``."""
    x = _in_dtype("softmin", input, dtype)
    return ops.softmax(-_filled(x, mask, _highest("amin", from_numpy_dtype(x._array.dtype))), dim)


def normalize(
    input: Any, ord: float, dim: int, *, eps: float = 1e-12, dtype: DType | None = None, mask: Any = None
) -> Any:
    """The elements under the mask divided by their norm of order ``ord`` along ``dim``; 0 for the others."""
    x = _in_dtype("normalize", input, dtype)
    size = norm(x, ord, dim, keepdim=True, mask=mask)
    return _filled(x, mask, 0) / ops.maximum(size, size.detach().new_full((), eps))


name_what_is_missing(globals())
