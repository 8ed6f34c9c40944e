"""The largest and the smallest: extremes, sorting, and the norms built on them."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable
from typing import Any, TypeVar

from ..autograd.variable import TensorT, Variable
from ..backends.dtypes import int64
from ..backends.layouts import in_rows, like_first
from .exact_out import takes_exact_out
from .named import pair
from .operands import beneath_names, normalize_dim, numpy_names, require_int, require_tensor
from .pointwise import maximum as elementwise_maximum
from .pointwise import minimum as elementwise_minimum
from .record import Op, apply
from .reduction import Dim, narrow, reduce_dims, restore
from .writing import write_out

__all__ = [
    "amax", "amin", "argmax", "argmin", "argsort", "max", "min", "sort", "topk",
]  # fmt: skip


F = TypeVar("F", bound=Callable[..., Any])

# -- extremes ---


def evenly_whole(m: Any, g: Any, input: Any, out: Any) -> Any:
    """Elements equal to the one result share its gradient equally, those that are NaN where that is NaN."""
    ties = (input == out) | (input != input) & (out != out)
    return m.expand(narrow(m, g / m.sum(ties), g), input.shape) * ties


def _evenly(m: Any, g: Any, input: Any, out: Any, dim: Any, keepdim: Any, shape: Any) -> Any:
    """Equal extremes share the gradient equally."""
    ties = input == restore(m, out, dim, keepdim, shape)
    share = narrow(m, g / m.sum(ties, dim, keepdim), g)  # a count is an int64, with which arrays become float64
    return restore(m, share, dim, keepdim, shape) * ties


AMAX = Op(
    "amax",
    lambda m, input, dim, keepdim: m.amax(input, dim, keepdim),
    node="AmaxBackward0",
    input=_evenly,
    formula=r"\frac{\partial \max_j x_j}{\partial x_i} = \frac{[x_i = \max]}{\#\mathrm{ties}}",
    layout=in_rows,
)
AMIN = Op(
    "amin",
    lambda m, input, dim, keepdim: m.amin(input, dim, keepdim),
    node="AminBackward0",
    input=_evenly,
    formula=r"\frac{\partial \min_j x_j}{\partial x_i} = \frac{[x_i = \min]}{\#\mathrm{ties}}",
    layout=in_rows,
)
MAX = Op(
    "max",
    lambda m, input, dim, keepdim: m.amax(input, dim, keepdim),
    node="MaxBackward1",
    input=evenly_whole,
    formula=r"\frac{\partial \max_j x_j}{\partial x_i} = \frac{[x_i = \max]}{\#\mathrm{ties}}",
)
MIN = Op(
    "min",
    lambda m, input, dim, keepdim: m.amin(input, dim, keepdim),
    node="MinBackward1",
    input=evenly_whole,
    formula=r"\frac{\partial \min_j x_j}{\partial x_i} = \frac{[x_i = \min]}{\#\mathrm{ties}}",
)


def from_distinct(m: Any, g: Any, index: Any, dim: Any, shape: Any) -> Any:
    """The gradient of ``gather`` where no element is taken twice: each one back to where its value came from."""
    return m.gather_backward(g, dim, index, shape, True)


def pick(m: Any, input: Any, index: Any, dim: int, keepdim: builtins.bool) -> Any:
    values = m.gather(input, dim, index)
    return values if keepdim else m.reshape(values, _without(input.shape, dim))


def _without(shape: Any, dim: int) -> tuple[int, ...]:
    return (*shape[:dim], *shape[dim + 1 :])


def from_picked(m: Any, g: Any, index: Any, dim: int, shape: Any) -> Any:
    return from_distinct(m, m.reshape(g, tuple(index.shape)), index, dim, shape)


MAX_DIM = Op(
    "max_dim",
    pick,
    tensors=2,
    node="MaxBackward0",
    input=from_picked,
    formula=r"\frac{\partial \max_j x_j}{\partial x_i} = [i = \arg\max]",
    layout=in_rows,
)
MIN_DIM = Op(
    "min_dim",
    pick,
    tensors=2,
    node="MinBackward0",
    input=from_picked,
    formula=r"\frac{\partial \min_j x_j}{\partial x_i} = [i = \arg\min]",
    layout=in_rows,
)


def _require_sizes(function: str, input: Variable, dim: Any) -> None:
    """Every dimension to reduce must have elements; without any named, the tensor must."""
    require_tensor(function, "input", input)
    dims = reduce_dims(dim, input, function)
    if dims is None:
        require_elements(function, input)
    else:
        for d in dims:
            require_elements(function, input, d)


def require_elements(function: str, input: Variable, dim: Any = None) -> None:
    n = input._array.size if dim is None else input._array.shape[dim] if input._array.ndim else 1
    if n == 0:
        what = "to be specified for input.numel() == 0." if dim is None else f"{dim} to have non-zero size."
        raise (RuntimeError if dim is None and function not in ("argmax", "argmin") else IndexError)(
            f"{function}(): Expected reduction dim {what}\n"
            f"  got: a tensor of shape {tuple(input._array.shape)}, whose {function} is undefined"
        )


@takes_exact_out
@AMAX
@numpy_names
def amax(input: TensorT, dim: Dim = (), keepdim: builtins.bool = False, *, out: Any = None) -> TensorT:
    """The largest element over ``dim`` (all unless given); equal ones share the gradient."""
    _require_sizes("amax", input, dim)
    return apply(AMAX, (input,), (reduce_dims(dim, input, "amax"), keepdim))


@takes_exact_out
@AMIN
@numpy_names
def amin(input: TensorT, dim: Dim = (), keepdim: builtins.bool = False, *, out: Any = None) -> TensorT:
    """The smallest element over ``dim`` (all unless given); equal ones share the gradient."""
    _require_sizes("amin", input, dim)
    return apply(AMIN, (input,), (reduce_dims(dim, input, "amin"), keepdim))


def _takes_extreme_out(function: F) -> F:
    """Serves ``out``; the pair that is found along a dimension must be met in dtype."""
    exact = takes_exact_out(function)

    plain = beneath_names(function)

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not kwargs:
            return plain(*args)
        out = kwargs.pop("out", None)
        if isinstance(out, (tuple, list)):
            return exact(*args, out=out, **kwargs)
        value = function(*args, **kwargs)
        return value if out is None else write_out(function.__name__, out, value)

    return wrapper  # type: ignore[return-value]


def _extreme(whole: Op, along: Op, arg: Op, name: str, elementwise: Any, input: Any, dim: Any, keepdim: Any) -> Any:
    require_tensor(name, "input", input)
    if isinstance(dim, Variable):
        return elementwise(input, dim)
    if dim is None:
        if keepdim:
            raise TypeError(f"{name}() missing 1 required positional argument: 'dim', which keepdim=True needs")
        require_elements(name, input)
        return apply(whole, (input,), (None, False))
    d = normalize_dim(dim, input._array.ndim, name)
    require_elements(name, input, d)
    if not input._array.ndim:
        return _of_number(name, _extreme(whole, along, arg, name, elementwise, input.reshape(1), 0, False))
    index = _arg(arg, input, d, True)
    return pair(name, *_along(along, input, index, d, keepdim))


def _of_number(name: str, found: Any) -> Any:
    """The results for a vector of one element as those for a 0-d tensor."""
    return pair(name, found[0].reshape(()), found[1].reshape(()))


def _along(op: Op, input: Any, index: Any, d: int, keepdim: builtins.bool) -> tuple[Any, Any]:
    values = apply(op, (input, index), (d, keepdim or not input._array.ndim))
    return values, index if keepdim or not input._array.ndim else index.reshape(_without(index._array.shape, d))


@_takes_extreme_out
@MAX
@numpy_names
def max(input: Any, dim: Any = None, keepdim: builtins.bool = False, *, other: Any = None, out: Any = None) -> Any:
    """The largest element; along ``dim`` a pair (values, indices); with a second tensor, ``maximum``.

    Raises:
        RuntimeError: for a tensor without elements.
    """
    return _extreme(MAX, MAX_DIM, ARGMAX, "max", elementwise_maximum, input, dim if other is None else other, keepdim)


@_takes_extreme_out
@MIN
@numpy_names
def min(input: Any, dim: Any = None, keepdim: builtins.bool = False, *, other: Any = None, out: Any = None) -> Any:
    """The smallest element; along ``dim`` a pair (values, indices); with a second tensor, ``minimum``.

    Raises:
        RuntimeError: for a tensor without elements.
    """
    return _extreme(MIN, MIN_DIM, ARGMIN, "min", elementwise_minimum, input, dim if other is None else other, keepdim)


ARGMAX = Op(
    "argmax",
    lambda m, input, dim: m.argmax(input, dim),
    layout=in_rows,
)
ARGMIN = Op(
    "argmin",
    lambda m, input, dim: m.argmin(input, dim),
    layout=in_rows,
)


def _arg(op: Op, input: Any, dim: Any, keepdim: Any) -> Any:
    require_tensor(op.name, "input", input)
    d = None if dim is None or not input._array.ndim else normalize_dim(dim, input._array.ndim, op.name)
    if dim is not None and not input._array.ndim:
        normalize_dim(dim, 0, op.name)
    require_elements(op.name, input, d)
    out = apply(op, (input,), (d,))
    if keepdim and input._array.ndim:
        shape = input._array.shape
        return out.reshape([1] * len(shape) if d is None else [*shape[:d], 1, *shape[d + 1 :]])
    return out


def _not_bool(function: str, input: Any, dim: Any) -> Any:
    require_tensor(function, "input", input)
    if input._array.dtype.kind == "b":
        if dim is not None:
            normalize_dim(dim, input._array.ndim, function)
        raise RuntimeError(f"{function}(): does not support bool input\n  fix: x.int().{function}()")
    return input


@takes_exact_out
@ARGMAX
@numpy_names
def argmax(input: TensorT, dim: int | None = None, keepdim: builtins.bool = False, *, out: Any = None) -> TensorT:
    """The index of the largest element along ``dim`` (of the flattened tensor unless given), int64."""
    return _arg(ARGMAX, _not_bool("argmax", input, dim), dim, keepdim)


@takes_exact_out
@ARGMIN
@numpy_names
def argmin(input: TensorT, dim: int | None = None, keepdim: builtins.bool = False, *, out: Any = None) -> TensorT:
    """The index of the smallest element along ``dim`` (of the flattened tensor unless given), int64."""
    return _arg(ARGMIN, _not_bool("argmin", input, dim), dim, keepdim)


SORT = Op(
    "sort_indices",
    lambda m, input, dim, descending: m.sort(input, dim, descending),
    layout=like_first,
)
SORT_VALUES = Op(
    "sort",
    lambda m, input, index, dim: m.gather(input, dim, index),
    tensors=2,
    node="SortBackward0",
    input=from_distinct,
    formula=r"\text{each gradient returns to where its value came from}",
    layout=like_first,
)
TOPK = Op("topk_indices", lambda m, input, k, dim, largest: m.topk(input, k, dim, largest), layout=in_rows)
TOPK_VALUES = Op(
    "topk",
    lambda m, input, index, dim: m.gather(input, dim, index),
    tensors=2,
    node="TopkBackward0",
    input=from_distinct,
    formula=r"\text{each gradient returns to where its value came from}",
    layout=in_rows,
)


@takes_exact_out
@SORT
@numpy_names
def argsort(
    input: TensorT, dim: int = -1, descending: builtins.bool = False, *, stable: builtins.bool = False, out: Any = None
) -> TensorT:
    """The indices that sort ``input`` along ``dim``, int64; always stable here."""
    require_tensor("argsort", "input", input)
    d = normalize_dim(dim, input._array.ndim, "argsort")
    if not input._array.ndim:
        return input.long() * 0  # type: ignore[attr-defined]
    return apply(SORT, (input,), (d, descending))


@takes_exact_out
@SORT_VALUES
@numpy_names
def sort(
    input: Any, dim: int = -1, descending: builtins.bool = False, *, stable: builtins.bool = False, out: Any = None
) -> Any:
    """``input`` sorted along ``dim``: a pair (values, indices)."""
    require_tensor("sort", "input", input)
    d = normalize_dim(dim, input._array.ndim, "sort")
    if not input._array.ndim:
        return _of_number("sort", sort(input.reshape(1), 0))
    index = argsort(input, d, descending)
    return pair("sort", apply(SORT_VALUES, (input, index), (d,)), index)


@takes_exact_out
@TOPK_VALUES
@numpy_names
def topk(
    input: Any,
    k: int,
    dim: int = -1,
    largest: builtins.bool = True,
    sorted: builtins.bool = True,
    *,
    out: Any = None,
) -> Any:
    """The ``k`` largest (or smallest) elements along ``dim``: a pair (values, indices), always in order.

    Raises:
        RuntimeError: where there are fewer than ``k``, and for bools.
    """
    require_tensor("topk", "input", input)
    require_int("topk", "k", k)
    d = normalize_dim(dim, input._array.ndim, "topk")
    n = input._array.shape[d] if input._array.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError(f"selected index k out of range\n  expected: 0 to {n}, the size of dim {d}\n  got: {k}")
    if not input._array.ndim:
        return pair("topk", input.clone(), input.new_zeros((), dtype=int64))
    if input._array.dtype.kind == "b":
        raise RuntimeError("topk does not support bool dtypes on CPU\n  fix: x.int().topk(k)")
    index = apply(TOPK, (input,), (k, d, largest))
    return pair("topk", apply(TOPK_VALUES, (input, index), (d,)), index)


class OrderingMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    amax = amax
    amin = amin
    max = max
    min = min
    argmax = argmax
    argmin = argmin
    argsort = argsort
    sort = sort
    topk = topk
