"""Order statistics: the k-th smallest, medians, modes, quantiles.

Where several elements are equal, the position is that of the element that a stable sort puts there; a mode's is the
last, and on the CPU ``kthvalue`` finds the same one as PyTorch. Gradients go to that position.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ..autograd.variable import TensorT, Variable
from ..backends.dtypes import float32, float64, from_numpy_dtype
from .exact_out import takes_exact_out
from .named import named, pair
from .operands import normalize_dim, numpy_names, require_int, require_tensor
from .ordering import amax, amin, evenly_whole, from_picked, pick, require_elements, sort
from .pointwise import where
from .record import Op, apply

F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["aminmax", "kthvalue", "median", "mode", "msort", "nanmedian", "nanquantile", "quantile"]


@takes_exact_out
@numpy_names
def aminmax(input: Any, *, dim: int | None = None, keepdim: builtins.bool = False, out: Any = None) -> Any:
    """The smallest and the largest element, of all or along ``dim``: a pair (min, max); equal ones share gradients.

    Raises:
        RuntimeError: for a tensor without elements; IndexError where ``dim`` has none.
    """
    require_tensor("aminmax", "input", input)
    if dim is None:
        if not input._array.size:
            raise RuntimeError(
                "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.\n"
                f"  got: a tensor of shape {tuple(input._array.shape)}"
            )
        dims: Any = ()
    else:
        dims = normalize_dim(dim, input._array.ndim, "aminmax")
        require_elements("aminmax", input, dims)
    return named("aminmax", "min", "max")((amin(input, dims, keepdim), amax(input, dims, keepdim)))


@takes_exact_out
def msort(input: TensorT, *, out: Any = None) -> TensorT:
    """``input`` sorted along its first dimension."""
    return sort(input, 0)[0]


# -- the element of a rank ---


def _lanes(m: Any, input: Any, dim: Any) -> tuple[Any, int]:
    """The input and the dimension to look along; all elements in one row where ``dim`` is None."""
    return (m.reshape(input, (-1,)), 0) if dim is None else (input, dim)


def _middle(m: Any, input: Any, dim: Any, skip_nan: Any) -> Any:
    """The position of the median, the lower of two: that of the first NaN where there is one, unless they are skipped.

    One NaN makes the median NaN; skipped, the median is that of the others.
    """
    input, dim = _lanes(m, input, dim)
    order = m.sort(input, dim, False)
    n = input.shape[dim]
    if input.dtype.kind in "iub":
        return m.index(order, (slice(None),) * dim + (slice((n - 1) // 2, (n + 1) // 2),))
    bad = input != input
    missing = m.sum(bad, (dim,), True)
    # NaN is sorted to the end: the first of them stands where the others end.
    rank = (n - 1 - missing) // 2 if skip_nan else m.where(missing > 0, n - missing, (n - 1) // 2 + 0 * missing)
    return m.gather(order, dim, m.maximum(rank, 0))


MEDIAN_INDEX = Op("median_index", _middle)
MEDIAN = Op(
    "median",
    lambda m, input, index: m.reshape(m.gather(m.reshape(input, (-1,)), 0, index), ()),
    tensors=2,
    input=evenly_whole,
    formula=r"\text{elements equal to the median share its gradient}",
)
NANMEDIAN = Op(
    "nanmedian",
    lambda m, input, index: m.reshape(m.gather(m.reshape(input, (-1,)), 0, index), ()),
    tensors=2,
    input=evenly_whole,
    formula=r"\text{elements equal to the median share its gradient}",
)


def _picking(name: str, node: str) -> Op:
    return Op(
        name,
        pick,
        tensors=2,
        node=node,
        input=from_picked,
        formula=r"\text{the gradient goes to the position of the value}",
    )


MEDIAN_DIM = _picking("median_dim", "MedianBackward1")
NANMEDIAN_DIM = _picking("nanmedian_dim", "NanmedianBackward1")
KTHVALUE = _picking("kthvalue", "KthvalueBackward0")
MODE = _picking("mode", "ModeBackward0")


def _choose(op: Op, name: str, indices: Op, input: Any, d: int, keepdim: Any, *static: Any) -> Any:
    """The pair of what is found along a dimension."""
    if not input._array.ndim:
        found = _choose(op, name, indices, input.reshape(1), 0, False, *static)
        return pair(name, found[0].reshape(()), found[1].reshape(()))
    require_elements(name, input, d)
    if input._array.size:
        index = apply(indices, (input,), (d, *static))
    else:
        index = input.new_zeros([1 if i == d else n for i, n in enumerate(input._array.shape)]).long()
    values = apply(op, (input, index), (d, keepdim))
    return pair(name, values, index if keepdim else index.squeeze(d))


def _not_of_bools(function: str, input: Any) -> None:
    require_tensor(function, "input", input)
    if input._array.dtype.kind == "b":
        raise NotImplementedError(f'"{function}" not implemented for torch.bool\n  fix: x.int().{function}(...)')


def _median(whole: Op, along: Op, input: Any, dim: Any, keepdim: Any, skip_nan: builtins.bool) -> Any:
    require_tensor(whole.name, "input", input)
    d = None if dim is None else normalize_dim(dim, input._array.ndim, whole.name)
    _not_of_bools(whole.name, input)
    if d is not None:
        return _choose(along, whole.name, MEDIAN_INDEX, input, d, keepdim, skip_nan)
    if keepdim:
        raise TypeError(f"{whole.name}() missing 1 required positional argument: 'dim', which keepdim=True needs")
    if not input._array.size:
        # PyTorch's result for no element: NaN, and for integers what a NaN becomes when it is made one.
        return input.new_full((), float("nan") if input.is_floating_point() else _NAN_AS_INTEGER.get(input.itemsize, 0))
    return apply(whole, (input, apply(MEDIAN_INDEX, (input,), (None, skip_nan))))


_NAN_AS_INTEGER = {8: -(2**63), 4: -(2**31)}


@takes_exact_out
@MEDIAN
@numpy_names
def median(input: Any, dim: int | None = None, keepdim: builtins.bool = False, *, out: Any = None) -> Any:
    """The median of all elements, the lower of two; along ``dim`` a pair (values, indices). NaN if one is NaN.

    Raises:
        NotImplementedError: for bools. IndexError: where ``dim`` has no elements.
    """
    return _median(MEDIAN, MEDIAN_DIM, input, dim, keepdim, False)


@takes_exact_out
@NANMEDIAN
@numpy_names
def nanmedian(input: Any, dim: int | None = None, keepdim: builtins.bool = False, *, out: Any = None) -> Any:
    """``median`` of the elements that are not NaN.

    Raises:
        NotImplementedError: for bools. IndexError: where ``dim`` has no elements.
    """
    return _median(NANMEDIAN, NANMEDIAN_DIM, input, dim, keepdim, True)


def _kth(m: Any, input: Any, dim: Any, k: Any) -> Any:
    index = m.index(m.sort(input, dim, False), (slice(None),) * dim + (slice(k - 1, k),))
    if m.device.type != "cpu":
        return index
    # On the CPU a row where several elements equal the k-th is gone through as PyTorch goes through it.
    value = m.gather(input, dim, index)
    ties = m.sum((input == value) | (input != input) & (value != value), (dim,), True) > 1
    if not ties.any() or int(ties.sum()) * input.shape[dim] > _MOST_TO_WALK:
        return index
    found = index.swapaxes(dim, -1).reshape(-1).copy()
    rows = input.swapaxes(dim, -1).reshape(found.size, -1)
    for i in np.flatnonzero(ties.swapaxes(dim, -1)):
        row = rows[i] if rows.dtype.kind != "V" else rows[i].astype(np.float32)
        found[i] = _quickselect(np.unique(row, return_inverse=True)[1].tolist(), k - 1)
    return found.reshape(index.swapaxes(dim, -1).shape).swapaxes(dim, -1)


_MOST_TO_WALK = 200_000


def _quickselect(keys: list[int], k: int) -> int:
    """The position of the ``k``-th smallest, found by halving around the median of three.

    Which of several equal ones that is depends on every exchange, so that each is made as PyTorch's kernel makes it.
    """
    order, low, high = list(range(len(keys))), 0, len(keys) - 1

    def swap(a: int, b: int) -> None:
        keys[a], keys[b] = keys[b], keys[a]
        order[a], order[b] = order[b], order[a]

    while high > low:
        if high == low + 1:
            if keys[low] > keys[high]:
                swap(low, high)
            break
        swap((low + high) // 2, low + 1)
        for a, b in ((low + 1, high), (low, high), (low + 1, low)):
            if keys[a] > keys[b]:
                swap(a, b)
        i, j, pivot = low + 1, high, keys[low]
        while True:
            i += 1
            while keys[i] < pivot:
                i += 1
            j -= 1
            while keys[j] > pivot:
                j -= 1
            if j < i:
                break
            swap(i, j)
        swap(low, j)
        if j <= k:
            low = i
        if j >= k:
            high = j - 1
    return order[k]


KTH_INDEX = Op("kthvalue_index", _kth)


def _takes_apart_out(function: F) -> F:
    """Serves ``out``, which must not be the input."""
    exact = takes_exact_out(function)

    @functools.wraps(function)
    def wrapper(input: Any, *args: Any, **kwargs: Any) -> Any:
        out = kwargs.get("out")
        for o in out if isinstance(out, (tuple, list)) else ():
            if o is input or (isinstance(o, Variable) and o._storage is not None and o._storage is input._storage):
                raise RuntimeError(
                    "unsupported operation: some elements of the input tensor and the written-to tensor refer to a "
                    "single memory location. Please clone() the tensor before performing the operation."
                )
        return exact(input, *args, **kwargs)

    return wrapper  # type: ignore[return-value]


@_takes_apart_out
@KTHVALUE
@numpy_names
def kthvalue(input: Any, k: int, dim: int = -1, keepdim: builtins.bool = False, *, out: Any = None) -> Any:
    """The ``k``-th smallest element along ``dim``, counted from 1: a pair (values, indices); NaN is greatest.

    Raises:
        RuntimeError: where there are fewer than ``k``. NotImplementedError: for bools.
    """
    require_tensor("kthvalue", "input", input)
    d = normalize_dim(dim, input._array.ndim, "kthvalue")
    require_int("kthvalue", "k", k)
    require_elements("kthvalue", input, d)
    n = input._array.shape[d] if input._array.ndim else 1
    if not 1 <= k <= n:
        raise RuntimeError(
            f"kthvalue(): selected number k out of range for dimension {d}\n  expected: 1 to {n}\n  got: {k}"
        )
    _not_of_bools("kthvalue", input)
    return _choose(KTHVALUE, "kthvalue", KTH_INDEX, input, d, keepdim, k)


def _most_frequent(m: Any, input: Any, dim: Any) -> Any:
    """The last position of the value that comes up most often, the smallest of several."""
    order = m.sort(input, dim, False)
    values = m.gather(input, dim, order)
    n = input.shape[dim]
    before = (slice(None),) * dim
    places = m.arange(0, n, 1, "int64").reshape((-1,) + (1,) * (input.ndim - 1 - dim))
    changed = values[(*before, slice(1, None))] != values[(*before, slice(None, -1))]
    start = m.where(changed, places[1:], m.zeros((), "int64"))
    start = m.cat([m.zeros((*values.shape[:dim], 1, *values.shape[dim + 1 :]), "int64"), start], dim)
    # How many elements equal to this one stand up to here; the first maximum ends the longest run.
    length = places - m.running("maximum", start, dim)
    end = m.argmax(length, dim).reshape((*values.shape[:dim], 1, *values.shape[dim + 1 :]))
    return m.gather(order, dim, end)


MODE_INDEX = Op("mode_index", _most_frequent)


@takes_exact_out
@MODE
@numpy_names
def mode(input: Any, dim: int = -1, keepdim: builtins.bool = False, *, out: Any = None) -> Any:
    """The most frequent value along ``dim``, the smallest of several: a pair (values, indices).

    Raises:
        IndexError: where ``dim`` has no elements.
    """
    require_tensor("mode", "input", input)
    return _choose(MODE, "mode", MODE_INDEX, input, normalize_dim(dim, input._array.ndim, "mode"), keepdim)


# -- quantiles ---

_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _fractions(function: str, input: Any, q: Any) -> Any:
    """``q`` as a tensor of the dtype of ``input``, checked."""
    if not isinstance(q, Variable):
        if not 0 <= q <= 1:
            raise RuntimeError(f"{function}() q must be in the range [0, 1] but got {q}")
        return input.new_full((), float(q))
    if q._array.ndim > 1:
        raise RuntimeError(f"{function}() q must be a scalar or 1D tensor\n  got: shape {tuple(q._array.shape)}")
    if q._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"{function}() q tensor must be same dtype as the input tensor\n"
            f"  got: {q._dtype()!r} and {input._dtype()!r}"
        )
    if q._backend is not input._backend:
        raise RuntimeError(f"{function}() q tensor must be on the same device as the input tensor")
    if not builtins.bool(_within(q)):
        raise RuntimeError(f"{function}() q values must be in the range [0, 1]")
    return q


def _within(q: Any) -> Any:
    return ((q >= 0) & (q <= 1)).all()


def _quantile(
    function: str, input: Any, q: Any, dim: Any, keepdim: Any, interpolation: str, skip_nan: builtins.bool
) -> Any:
    require_tensor(function, "input", input)
    if not isinstance(q, Variable) and (
        isinstance(q, (builtins.bool, str, list, tuple)) or not hasattr(q, "__float__")
    ):
        raise TypeError(f"{function}(): argument 'q' must be a number or a Tensor, not {type(q).__name__}")
    if not input._array.size:
        raise RuntimeError(f"{function}() input tensor must be non-empty\n  got: shape {tuple(input._array.shape)}")
    if from_numpy_dtype(input._array.dtype) not in (float32, float64):
        raise RuntimeError(
            f"{function}() input tensor must be either float or double dtype\n  got: {input._dtype()!r}\n"
            "  fix: x.float()"
        )
    if interpolation not in _INTERPOLATIONS:
        raise RuntimeError(
            f"{function}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got "
            f"{interpolation}"
        )
    fractions = _fractions(function, input, q)
    ndim = input._array.ndim
    if dim is None or not ndim:
        if dim is not None:
            normalize_dim(dim, 0, function)
        lanes, kept = input.reshape(-1), (1,) * ndim
    else:
        d = normalize_dim(dim, ndim, function)
        lanes, kept = input.movedim(d, -1), tuple(1 if i == d else n for i, n in enumerate(input._array.shape))
    ordered = sort(lanes, -1)[0]
    bad = ordered != ordered
    last = ordered._array.shape[-1] - 1
    if skip_nan:
        ranks = fractions.reshape(-1) * ((~bad).sum(-1, True) - 1).clamp(min=0).to(ordered._dtype())
    else:  # NaN is sorted to the end, so that the last place has one where there is any
        ranks = (fractions.reshape(-1) * last + ordered.new_zeros((*bad._array.shape[:-1], 1))).masked_fill(
            bad[..., -1:], last
        )
    found = _between(ordered, ranks, interpolation)
    # The quantiles stand in the first dimension, where there are several.
    found = found.movedim(-1, 0)
    count = fractions._array.shape
    if keepdim:
        return found.reshape(*count, *kept)
    return found if count else found.squeeze(0)


def _between(ordered: Any, ranks: Any, interpolation: str) -> Any:
    """The values at ``ranks``, which need not be whole."""
    if interpolation in ("lower", "higher", "nearest"):
        whole = {"lower": "floor", "higher": "ceil", "nearest": "round"}[interpolation]
        return ordered.gather(-1, getattr(ranks.detach(), whole)().long())
    floor = ranks.detach().floor()
    below = ordered.gather(-1, floor.long())
    above = ordered.gather(-1, ranks.detach().ceil().long())
    weight = ranks - floor if interpolation == "linear" else ranks.detach() * 0 + 0.5
    step = above - below
    return where(weight < 0.5, below + weight * step, above - step * (1 - weight))


@takes_exact_out
@numpy_names
def quantile(
    input: TensorT,
    q: Any,
    dim: int | None = None,
    keepdim: builtins.bool = False,
    *,
    interpolation: str = "linear",
    out: Any = None,
) -> TensorT:
    """The ``q``-th quantiles of all elements, or along ``dim``; NaN where there is one.

    Args:
        q: a number in [0, 1], or a tensor of them (0-d or 1-d): then they stand in the result's first dimension.
        dim: None for all elements.
        interpolation: between two elements ``linear``, ``lower``, ``higher``, ``midpoint`` or ``nearest``.

    Raises:
        RuntimeError: for a dtype other than float32 and float64, for no elements, for q outside [0, 1].
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False)


@takes_exact_out
@numpy_names
def nanquantile(
    input: TensorT,
    q: Any,
    dim: int | None = None,
    keepdim: builtins.bool = False,
    *,
    interpolation: str = "linear",
    out: Any = None,
) -> TensorT:
    """``quantile`` of the elements that are not NaN."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)


class SelectionMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    aminmax = aminmax
    msort = msort
    median = median
    nanmedian = nanmedian
    kthvalue = kthvalue
    mode = mode
    quantile = quantile
    nanquantile = nanquantile
