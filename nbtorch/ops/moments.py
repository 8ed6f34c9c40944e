"""Moments two at a time, and those of tensors with missing values."""

from __future__ import annotations

import builtins
from typing import Any

from ..autograd.variable import TensorT, Variable
from ..backends.dtypes import dtype as DType
from .comparison import eq
from .exact_out import takes_out_as_dtype
from .operands import numpy_names, require_tensor
from .reduction import Dim, for_sum, mean, std, sum, var

__all__ = ["nanmean", "nansum", "std_mean", "var_mean"]


def _with_mean(
    function: str, spread: Any, input: Any, dim: Any, unbiased: Any, keepdim: builtins.bool, correction: Any
) -> tuple[Any, Any]:
    require_tensor(function, "input", input)
    if isinstance(dim, builtins.bool):  # var_mean(x, False): PyTorch's older spelling
        dim, unbiased = None, dim
    if input._array.dtype.kind in "iub":
        raise RuntimeError(
            f"{function} only support floating point and complex dtypes\n  got: {input._dtype()!r}\n  fix: x.float()"
        )
    return spread(input, dim, unbiased, keepdim, correction=correction), mean(input, dim, keepdim)


@numpy_names
def var_mean(
    input: Any,
    dim: Any = None,
    unbiased: builtins.bool | None = None,
    keepdim: builtins.bool = False,
    *,
    correction: float | None = None,
) -> tuple[Any, Any]:
    """The variance and the mean over all elements, or over ``dim``.

    Raises:
        RuntimeError: for integers and bools.
    """
    return _with_mean("var_mean", var, input, dim, unbiased, keepdim, correction)


@numpy_names
def std_mean(
    input: Any,
    dim: Any = None,
    unbiased: builtins.bool | None = None,
    keepdim: builtins.bool = False,
    *,
    correction: float | None = None,
) -> tuple[Any, Any]:
    """The standard deviation and the mean over all elements, or over ``dim``.

    Raises:
        RuntimeError: for integers and bools.
    """
    return _with_mean("std_mean", std, input, dim, unbiased, keepdim, correction)


def _known(input: Any) -> Any:
    """``input`` with 0 where it is NaN: no gradient goes there."""
    return input.masked_fill(input.detach() != input.detach(), 0)


@numpy_names
def nansum(
    input: TensorT,
    dim: Dim = None,
    keepdim: builtins.bool = False,
    *,
    dtype: DType | None = None,
    out: Any = None,
) -> TensorT:
    """``sum`` of the elements that are not NaN.

    Raises:
        NotImplementedError: for a floating input with an ``out`` of another kind.
    """
    require_tensor("nansum", "input", input)
    if isinstance(out, Variable) and input._dtype().is_floating_point and not out._dtype().is_floating_point:
        raise NotImplementedError(
            f'"nansum_cpu" not implemented for {out._dtype()!r}\n  fix: give an out tensor of a floating dtype'
        )
    return _nansum(input, dim, keepdim, dtype=dtype, out=out)


@takes_out_as_dtype
def _nansum(input: Any, dim: Dim, keepdim: builtins.bool, *, dtype: DType | None, out: Any = None) -> Any:
    if input._array.dtype.kind not in "iub":
        input = _known(input)
    return sum(for_sum(input, dtype, "nansum"), dim, keepdim, dtype=dtype)


@takes_out_as_dtype
@numpy_names
def nanmean(
    input: TensorT,
    dim: Dim = None,
    keepdim: builtins.bool = False,
    *,
    dtype: DType | None = None,
    out: Any = None,
) -> TensorT:
    """``mean`` of the elements that are not NaN; NaN where all are.

    Raises:
        RuntimeError: for integers and bools.
    """
    require_tensor("nanmean", "input", input)
    if input._array.dtype.kind in "iub":
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got {input._dtype()!r}\n"
            "  fix: x.float()"
        )
    if dtype is not None and not dtype.is_floating_point:
        raise RuntimeError(
            "nanmean(): could not infer output dtype. Optional dtype must be either a floating point or complex dtype. "
            f"Got: {dtype!r}"
        )
    return _ratio(nansum(input, dim, keepdim, dtype=dtype), sum(eq(input, input), dim, keepdim))


def _ratio(total: Any, count: Any) -> Any:
    return total / count


class MomentMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    nansum = nansum
    nanmean = nanmean
