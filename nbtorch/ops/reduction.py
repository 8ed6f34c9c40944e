"""Reductions: sums, means, extremes, norms, and the softmax family, over some or all dimensions."""

from __future__ import annotations

import builtins
import functools
import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ..autograd.variable import TensorT, Variable, wrap
from ..backends.dtypes import dtype as DType
from ..backends.dtypes import get_default_dtype
from ..backends.layouts import in_rows
from .comparison import ne
from .conversion import to_dtype
from .dispatch import PROMOTE, unary
from .exact_out import takes_exact_out, takes_out_as_dtype
from .operands import beneath_names, normalize_dim, normalize_dims, numpy_names, require_tensor
from .record import Op, apply
from .writing import takes_out, write_out

__all__ = [
    "all", "any", "count_nonzero", "log_softmax", "logsumexp", "mean", "prod", "softmax", "std", "sum", "sum_to_size",
    "var",
]  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])
Dim = int | tuple[int, ...] | list[int] | None


def restore(m: Any, g: Any, dim: Any, keepdim: Any, shape: Any) -> Any:
    """The gradient of a reduction, spread over what was reduced."""
    if not keepdim and dim is not None:
        g = m.reshape(g, tuple([1 if i in dim else n for i, n in enumerate(shape)]))
    return m.expand(g, shape)


def _reduced(shape: Any, dim: Any) -> int:
    return math.prod(shape if dim is None else [shape[d] for d in dim])


def reduce_dims(dim: Any, input: Variable, function: str) -> tuple[int, ...] | None:
    """None for all dimensions, else the dims counted from the front; an empty tuple means all, as in PyTorch."""
    if dim is None or (isinstance(dim, (tuple, list)) and not dim):
        return None
    dims = normalize_dims(dim, input._array.ndim, function)
    return dims if dims or input._array.ndim else None


def widen(m: Any, x: Any) -> Any:
    """Arrays of 2-byte floating numbers in float32, in which PyTorch adds them up; others as they are."""
    return m.astype(x, np.float32) if x.dtype.itemsize == 2 and x.dtype.kind in "fV" else x


def narrow(m: Any, result: Any, x: Any) -> Any:
    """``result`` in the dtype of ``x`` again."""
    return result if result.dtype == x.dtype else m.astype(result, x.dtype)


# -- sums and means ---


def _total(m: Any, input: Any, dim: Any, keepdim: Any) -> Any:
    d = input.dtype
    # Array modules sum integers in a dtype of their own choice.
    return m.sum(input, dim, keepdim, d) if d.kind in "iub" else m.sum(input, dim, keepdim)


def _product(m: Any, input: Any, dim: Any, keepdim: Any) -> Any:
    if input.dtype.kind in "iub":
        return m.prod(input, dim, keepdim, input.dtype)
    return narrow(m, m.prod(widen(m, input), dim, keepdim), input)


SUM = Op(
    "sum",
    lambda m, input, dim, keepdim: _total(m, input, dim, keepdim),
    node="SumBackward0",
    input=lambda m, g, shape: m.expand(g, shape),
    formula=r"\frac{\partial \sum_i x_i}{\partial x_i} = 1",
)
SUM_DIM = Op(
    "sum_dim",
    lambda m, input, dim, keepdim: _total(m, input, dim, keepdim),
    node="SumBackward1",
    input=lambda m, g, dim, keepdim, shape: restore(m, g, dim, keepdim, shape),
    formula=r"\frac{\partial \sum_i x_i}{\partial x_i} = 1",
    layout=in_rows,
)


@takes_out_as_dtype
@SUM
@numpy_names
def sum(
    input: TensorT,
    dim: Dim = None,
    keepdim: builtins.bool = False,
    *,
    dtype: DType | None = None,
    out: Any = None,
) -> TensorT:
    """The sum over all elements, or over ``dim``.

    Args:
        dim: one dimension or several; None for all.
        keepdim: keep the reduced dimensions with size 1.
        dtype: convert before summing; integers and bools are summed as int64 otherwise.
    """
    input = for_sum(input, dtype, "sum")
    dims = reduce_dims(dim, input, "sum")
    if dims is None and not keepdim:
        return apply(SUM, (input,), (None, False))
    return apply(SUM_DIM, (input,), (dims if dims is not None else tuple(range(input._array.ndim)), keepdim))


def for_sum(input: Any, dtype: DType | None, function: str) -> Any:
    require_tensor(function, "input", input)
    if dtype is not None:
        return to_dtype(input, dtype)
    return input if input._array.dtype.kind not in "iub" else input.long()


SUM_TO_SIZE = Op(
    "sum_to_size",
    lambda m, input, size: m.sum_to_size(input, size),
    node="SumBackward1",
    input=lambda m, g, shape: m.expand(g, shape),
    formula="1",
)


@SUM_TO_SIZE
def sum_to_size(input: TensorT, *size: Any) -> TensorT:
    """Sums over the dimensions along which ``size`` would be stretched to reach ``input``: broadcasting undone."""
    require_tensor("sum_to_size", "input", input)
    shape = tuple(size[0]) if len(size) == 1 and isinstance(size[0], (tuple, list)) else tuple(size)
    have = tuple(input._array.shape)
    if len(shape) > len(have) or builtins.any(a not in (1, b) for a, b in zip(shape[::-1], have[::-1], strict=False)):
        raise RuntimeError(
            f"size {{{list(shape)}}} is not expandable to size {{{list(have)}}}.\n"
            "  expected: from the right, the sizes of the tensor or 1"
        )
    if shape and shape == have:
        return input
    return apply(SUM_TO_SIZE, (for_sum(input, None, "sum_to_size"),), (shape,))


def _mean(m: Any, g: Any, dim: Any, keepdim: Any, shape: Any) -> Any:
    return restore(m, g / builtins.max(_reduced(shape, dim), 1), dim, keepdim, shape)


MEAN = Op(
    "mean",
    lambda m, input, dim, keepdim: m.mean(input, dim, keepdim),
    node="MeanBackward0",
    input=lambda m, g, dim, keepdim, shape: _mean(m, g, dim, keepdim, shape),
    formula=r"\frac{\partial}{\partial x_i} \frac1n\sum_j x_j = \frac1n",
)
MEAN_DIM = Op(
    "mean_dim",
    lambda m, input, dim, keepdim: m.mean(input, dim, keepdim),
    node="MeanBackward1",
    input=lambda m, g, dim, keepdim, shape: _mean(m, g, dim, keepdim, shape),
    formula=r"\frac{\partial}{\partial x_i} \frac1n\sum_j x_j = \frac1n",
    layout=in_rows,
)


@takes_out_as_dtype
@MEAN
@numpy_names
def mean(
    input: TensorT,
    dim: Dim = None,
    keepdim: builtins.bool = False,
    *,
    dtype: DType | None = None,
    out: Any = None,
) -> TensorT:
    """The mean over all elements, or over ``dim``.

    Raises:
        RuntimeError: for integer and bool tensors, as in PyTorch; convert with ``.float()``.
    """
    require_tensor("mean", "input", input)
    if dtype is not None:
        input = to_dtype(input, dtype)
    require_floating("mean", input)
    dims = reduce_dims(dim, input, "mean")
    if dims is None and keepdim:
        dims = tuple(range(input._array.ndim))
    return apply(MEAN if dims is None else MEAN_DIM, (input,), (dims, keepdim))


def require_floating(function: str, input: Variable) -> None:
    if input._array.dtype.kind in "iub":
        raise RuntimeError(
            f"{function}(): could not infer output dtype. Input dtype must be either a floating point or complex dtype."
            f"\n  expected: a floating dtype\n  got: {input._dtype()!r}\n  fix: x.float().{function}(), or "
            "dtype=torch.float32"
        )


def _prod_input(m: Any, g: Any, input: Any, out: Any, dim: Any, keepdim: Any, shape: Any) -> Any:
    g = restore(m, g, dim, keepdim, shape)
    zero = input == 0
    if not builtins.bool(getattr(zero, "_array", zero).any()):
        return g * restore(m, out, dim, keepdim, shape) / input
    # With a zero somewhere: the product of all the others, by setting each element to 1 in turn.
    kept = [d for d in range(len(shape)) if dim is not None and d not in dim]
    order = kept + [d for d in range(len(shape)) if d not in kept]
    lanes = m.reshape(m.permute(input, order), (*[shape[d] for d in kept], _reduced(shape, dim)))
    n = lanes.shape[-1]
    spread = m.expand(m.reshape(lanes, (*lanes.shape[:-1], 1, n)), (*lanes.shape[:-1], n, n))
    eye = np.eye(n, dtype=np.bool_)
    one = np.ones((), input._array.dtype if isinstance(input, Variable) else input.dtype)
    replaced = m.where(_constant(m, eye, input), _constant(m, one, input), spread)
    others = m.prod(replaced, len(kept) + 1)
    others = m.permute(m.reshape(others, [shape[d] for d in order]), [order.index(d) for d in range(len(shape))])
    return g * others


def _constant(m: Any, host: Any, like: Any) -> Any:
    """A host array as a constant beside ``like``, be that an array or a tensor."""
    if isinstance(like, Variable):
        return wrap(like._backend.from_host(host), like._backend)
    return m.from_host(host)


PROD = Op(
    "prod",
    lambda m, input, dim, keepdim: _product(m, input, dim, keepdim),
    input=_prod_input,
    formula=r"\frac{\partial \prod_j x_j}{\partial x_i} = \prod_{j \ne i} x_j",
)


PROD_DIM = Op(
    "prod_dim",
    lambda m, input, dim, keepdim: _product(m, input, dim, keepdim),
    node="ProdBackward1",
    input=_prod_input,
    formula=r"\frac{\partial \prod_j x_j}{\partial x_i} = \prod_{j \ne i} x_j",
    layout=in_rows,
)


@takes_out_as_dtype
@PROD
@numpy_names
def prod(
    input: TensorT,
    dim: Dim = None,
    keepdim: builtins.bool = False,
    *,
    dtype: DType | None = None,
    out: Any = None,
) -> TensorT:
    """The product over all elements, or over ``dim``; integers and bools give int64. Exact also at 0."""
    input = for_sum(input, dtype, "prod")
    if dim is None and keepdim:
        raise TypeError("prod(): argument 'dim' must be int, not NoneType\n  expected: a dimension beside keepdim=True")
    d: Any = dim
    dims = None if d is None else reduce_dims((normalize_dim(d, input._array.ndim, "prod"),), input, "prod")
    return apply(PROD if dims is None else PROD_DIM, (input,), (dims, keepdim))


def _centred(m: Any, input: Any, dim: Any) -> Any:
    return input - m.mean(input, dim, True)


def _var(m: Any, input: Any, dim: Any, correction: Any, keepdim: Any) -> Any:
    input = widen(m, input)
    centred = _centred(m, input, dim)
    count = _reduced(input.shape, dim)
    return m.sum(centred * centred, dim, keepdim) / float(builtins.max(count - correction, 0) if count else 0)


def _var_input(m: Any, g: Any, input: Any, dim: Any, correction: Any, keepdim: Any, shape: Any) -> Any:
    g, centred, degrees = restore(m, g, dim, keepdim, shape), _centred(m, input, dim), _reduced(shape, dim) - correction
    # Without a degree of freedom: infinite, and for the mean itself unknown.
    return g * centred * (2 / degrees) if degrees > 0 else g * (centred * centred * math.inf)


VAR = Op(
    "var",
    lambda m, input, dim, correction, keepdim: narrow(m, _var(m, input, dim, correction, keepdim), input),
    input=_var_input,
    formula=r"\frac{\partial\,\mathrm{var}}{\partial x_i} = \frac{2\,(x_i-\bar x)}{n-c}",
    layout=in_rows,
)


def _std_input(m: Any, g: Any, input: Any, out: Any, dim: Any, correction: Any, keepdim: Any, shape: Any) -> Any:
    return _var_input(m, m.where(out == 0, g * 0, g / (out * 2)), input, dim, correction, keepdim, shape)


STD = Op(
    "std",
    lambda m, input, dim, correction, keepdim: narrow(m, m.sqrt(_var(m, input, dim, correction, keepdim)), input),
    input=_std_input,
    formula=r"\frac{\partial\,\mathrm{std}}{\partial x_i} = \frac{x_i-\bar x}{(n-c)\,\mathrm{std}}",
    layout=in_rows,
)


def _spread(op: Op, input: Any, dim: Any, unbiased: Any, correction: Any, keepdim: Any) -> Any:
    require_tensor(op.name, "input", input)
    if isinstance(dim, builtins.bool):  # var(x, False): PyTorch's older spelling
        dim, unbiased = None, dim
    require_floating(op.name, input)
    if isinstance(correction, np.generic):
        correction = correction.item()
    c = correction if correction is not None else 1 if unbiased is None or unbiased else 0
    return apply(op, (input,), (reduce_dims(dim, input, op.name), c, keepdim))


@takes_out
@VAR
@numpy_names
def var(
    input: TensorT,
    dim: Any = None,
    unbiased: builtins.bool | None = None,
    keepdim: builtins.bool = False,
    *,
    correction: float | None = None,
    out: Any = None,
) -> TensorT:
    """The variance over all elements, or over ``dim``; divides by n - correction (1 unless given)."""
    return _spread(VAR, input, dim, unbiased, correction, keepdim)


@takes_out
@STD
@numpy_names
def std(
    input: TensorT,
    dim: Any = None,
    unbiased: builtins.bool | None = None,
    keepdim: builtins.bool = False,
    *,
    correction: float | None = None,
    out: Any = None,
) -> TensorT:
    """The standard deviation over all elements, or over ``dim``; divides by n - correction (1 unless given)."""
    return _spread(STD, input, dim, unbiased, correction, keepdim)


# -- truth ---


def _takes_truth_out(function: F) -> F:
    """Serves ``out``, which must be of bool or uint8."""

    plain = beneath_names(function)

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not kwargs:
            return plain(*args)
        out = kwargs.pop("out", None)
        value = function(*args, **kwargs)
        if out is None:
            return value
        if isinstance(out, Variable) and out._array.dtype.kind not in "bu":
            raise RuntimeError(
                f"{function.__name__} only supports bool tensor for result, got: {out._dtype()!r}\n"
                "  fix: give an out tensor of dtype torch.bool"
            )
        return write_out(function.__name__, out, value)

    return wrapper  # type: ignore[return-value]


ANY = Op(
    "any",
    lambda m, input, dim, keepdim: m.any(input, dim, keepdim),
    layout=in_rows,
)
ALL = Op(
    "all",
    lambda m, input, dim, keepdim: m.all(input, dim, keepdim),
    layout=in_rows,
)


@_takes_truth_out
@ANY
@numpy_names
def any(input: TensorT, dim: Dim = None, keepdim: builtins.bool = False, *, out: Any = None) -> TensorT:
    """Whether any element is nonzero: bool (of uint8: uint8)."""
    require_tensor("any", "input", input)
    return _truth(ANY, input, dim, keepdim)


@_takes_truth_out
@ALL
@numpy_names
def all(input: TensorT, dim: Dim = None, keepdim: builtins.bool = False, *, out: Any = None) -> TensorT:
    """Whether all elements are nonzero: bool (of uint8: uint8)."""
    require_tensor("all", "input", input)
    return _truth(ALL, input, dim, keepdim)


def _truth(op: Op, input: Any, dim: Dim, keepdim: builtins.bool) -> Any:
    if isinstance(dim, (tuple, list)) and not dim:  # no dimension: each element by itself
        return ne(input, 0) if input._array.dtype.kind != "u" else ne(input, 0).byte()
    found = apply(op, (input,), (reduce_dims(dim, input, op.name), keepdim))
    return found if input._array.dtype.kind != "u" else found.byte()  # PyTorch's old truth values


@numpy_names
def count_nonzero(input: TensorT, dim: Dim = None) -> TensorT:
    """How many elements are nonzero: int64."""
    return sum(ne(input, 0), dim)


# -- softmax and its kin ---

LOGSUMEXP = Op(
    "logsumexp",
    lambda m, input, dim, keepdim: narrow(m, m.logsumexp(widen(m, input), dim, keepdim), input),
    input=lambda m, g, input, out, dim, keepdim, shape: (
        restore(m, g, dim, keepdim, shape) * m.exp(input - restore(m, out, dim, keepdim, shape))
    ),
    formula=r"\frac{\partial}{\partial x_i}\ln\sum_j e^{x_j} = \mathrm{softmax}(x)_i",
    layout=in_rows,
)


@takes_out
@LOGSUMEXP
@numpy_names
def logsumexp(
    input: TensorT, dim: int | tuple[int, ...], keepdim: builtins.bool = False, *, out: Any = None
) -> TensorT:
    """``log(sum(exp(input)))`` over ``dim``, without overflow."""
    require_tensor("logsumexp", "input", input)
    if input._array.dtype.kind in "iub":
        input = to_dtype(input, get_default_dtype())
    if dim is None:
        raise TypeError("logsumexp(): argument 'dim' must be tuple of ints, not NoneType")
    dims = normalize_dims(dim if dim != () else None, input._array.ndim, "logsumexp")
    return apply(LOGSUMEXP, (input,), (dims, keepdim)) if input._array.ndim else input.clone()  # type: ignore[attr-defined]


SOFTMAX = Op(
    "softmax",
    lambda m, input, dim: (
        m.softmax(input, dim) if input.dtype.itemsize > 2 else narrow(m, m.softmax(widen(m, input), dim), input)
    ),
    input=lambda m, g, out, dim: m.softmax_backward(g, out, dim),
    formula=r"\frac{\partial L}{\partial x_i} = s_i\,\bigl(g_i - \textstyle\sum_j g_j s_j\bigr)",
    layout=in_rows,
)
LOG_SOFTMAX = Op(
    "log_softmax",
    lambda m, input, dim: (
        m.log_softmax(input, dim) if input.dtype.itemsize > 2 else narrow(m, m.log_softmax(widen(m, input), dim), input)
    ),
    input=lambda m, g, out, dim: m.log_softmax_backward(g, out, dim),
    formula=r"\frac{\partial L}{\partial x_i} = g_i - e^{y_i}\textstyle\sum_j g_j",
    layout=in_rows,
)


def _soft(op: Op, input: Any, dim: Any, dtype: DType | None) -> Any:
    require_tensor(op.name, "input", input)
    if dtype is not None:
        input = to_dtype(input, dtype)
    if dim is None:
        raise TypeError(
            f"{op.name}() received no dim\n  expected: the dimension whose elements sum to 1, usually dim=-1 or dim=1"
        )
    d = normalize_dim(dim, input._array.ndim, op.name)
    if input._array.dtype.kind in "iub":
        raise NotImplementedError(
            f'"{op.name}" not implemented for {input._dtype()!r}\n  expected: a floating dtype\n  fix: x.float()'
        )
    if not input._array.size:
        return input.clone()  # no element, and nothing to take the largest of
    if not input._array.ndim:
        return _soft(op, input.reshape(1), 0, None).reshape(())
    return unary(op, input, PROMOTE, (d,))


@takes_exact_out
@SOFTMAX
@numpy_names
def softmax(input: TensorT, dim: int | None = None, dtype: DType | None = None, *, out: Any = None) -> TensorT:
    """``exp(input)`` divided by its sum over ``dim``: positive, summing to 1."""
    return _soft(SOFTMAX, input, dim, dtype)


@takes_exact_out
@LOG_SOFTMAX
@numpy_names
def log_softmax(input: TensorT, dim: int | None = None, dtype: DType | None = None, *, out: Any = None) -> TensorT:
    """The logarithm of ``softmax``, finite where that would round to 0."""
    return _soft(LOG_SOFTMAX, input, dim, dtype)


class ReductionMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    sum = sum
    sum_to_size = sum_to_size
    mean = mean
    prod = prod
    var = var
    std = std
    any = any
    all = all
    count_nonzero = count_nonzero
    logsumexp = logsumexp
    softmax = softmax
    log_softmax = log_softmax
