"""Searching: places in sorted sequences, distinct elements, membership."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from ..autograd.variable import TensorT, Variable, wrap
from ..backends.dtypes import INTEGER, int64
from .conversion import to_dtype
from .exact_out import takes_exact_out
from .indexing import nonzero
from .operands import NUMBERS, normalize_dim, numpy_names, operand, require_tensor, result_type
from .record import Op, apply, arrays_backend, check_same_device

__all__ = [
    "argwhere", "bucketize", "isin", "nonzero_static", "searchsorted", "unique", "unique_consecutive",
]  # fmt: skip


def _search(m: Any, boundaries: Any, values: Any, sorter: Any, right: Any) -> Any:
    """The place of each value, by halving the range for all of them at once.

    Not the array module's own search: that knows one row alone, and answers otherwise where a row is not sorted.
    """
    n = boundaries.shape[-1]
    low = m.zeros(values.shape, "int64")
    if not n or not values.size:
        return low

    def at(x: Any, places: Any) -> Any:
        return m.take(x, places, 0) if x.ndim == 1 else m.gather(x, x.ndim - 1, places)

    high = low + n
    for _ in range(n.bit_length()):
        middle = low + ((high - low) >> 1)
        place = m.minimum(middle, n - 1)
        seen = at(boundaries, place if sorter is None else at(sorter, place))
        open_ = low < high
        further = open_ & ~(seen > values if right else seen >= values)
        low, high = m.where(further, middle + 1, low), m.where(open_ & ~further, middle, high)
    return low


SEARCHSORTED = Op("searchsorted", _search, tensors=3)


def _one_of(function: str, boundaries: Any, values: Any) -> Any:
    """The values to look up as a tensor, checked against the boundaries."""
    have = tuple(boundaries._array.shape)
    if isinstance(values, (*NUMBERS, np.generic)):
        m = boundaries._backend
        number = operand(values, m, function, "values")
        d = result_type(boundaries, number)
        values = wrap(m.from_host(np.asarray(number, int64.numpy if d.category == INTEGER else d.numpy)), m)
    require_tensor(function, "values", values)
    check_same_device(SEARCHSORTED, (boundaries, values))
    want = tuple(values._array.shape)
    if not have:
        raise RuntimeError(f"torch.{function}(): boundaries tensor should have positive dimension, but got 0 dimension")
    if len(have) > 1 and not want:
        raise RuntimeError(
            f"torch.{function}(): input value can be a scalar only when boundaries tensor dimension is 1, but we got "
            f"boundaries tensor dim({len(have)}) and input value's dim(0) numel(1)"
        )
    if len(have) > 1 and have[:-1] != want[:-1]:
        raise RuntimeError(
            f"torch.{function}(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries "
            f"tensor and input value tensor must match, but we got boundaries tensor {list(have)} and input value "
            f"tensor {list(want)}"
        )
    return values


def _require_sorter(sorter: Any, boundaries: Any) -> None:
    require_tensor("searchsorted", "sorter", sorter)
    if sorter._array.shape != boundaries._array.shape:
        raise RuntimeError(
            "torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor "
            f"{list(boundaries._array.shape)} and got sorter tensor {list(sorter._array.shape)}"
        )
    if sorter._array.dtype != np.int64:
        raise RuntimeError(
            f"torch.searchsorted(): sorter must be a tensor of long dtype but got dtype {sorter._dtype()!r}"
        )
    if sorter._array.size and builtins.bool(((sorter < 0) | (sorter >= boundaries._array.shape[-1])).any()):
        raise RuntimeError("torch.searchsorted(): sorter index out of range")


def _places(function: str, boundaries: Any, values: Any, sorter: Any, right: Any, out_int32: Any) -> Any:
    values = _one_of(function, boundaries, values)
    if boundaries._array.dtype.kind == "b" and values._array.dtype.kind == "b":
        raise NotImplementedError(f'"{function}" not implemented for torch.bool\n  fix: x.int()')
    d = result_type(boundaries, values)
    boundaries, values = to_dtype(boundaries.detach(), d), to_dtype(values.detach(), d)
    found = apply(SEARCHSORTED, (boundaries, values, sorter), (builtins.bool(right),))
    return found.int() if out_int32 else found


@takes_exact_out
@SEARCHSORTED
def searchsorted(
    sorted_sequence: Any,
    input: Any,
    *,
    out_int32: builtins.bool = False,
    right: builtins.bool = False,
    side: str | None = None,
    sorter: Any = None,
    out: Any = None,
) -> Any:
    """The index in ``sorted_sequence`` before which each value would be put to keep the order.

    Args:
        sorted_sequence: one row, or rows in the last dimension.
        input: the values, a tensor or a number; for several rows the leading dimensions must be those of the rows.
        out_int32: int32 rather than int64.
        right: behind elements that are equal, rather than before them.
        side: ``"left"`` or ``"right"``: another way to say ``right``.
        sorter: the indices that sort ``sorted_sequence``, where that isn't sorted.

    Raises:
        RuntimeError: where shapes don't fit, and where ``side`` and ``right`` contradict each other.
    """
    require_tensor("searchsorted", "sorted_sequence", sorted_sequence)
    if side is not None and side not in ("left", "right"):
        raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True"
        )
    if sorter is not None:
        _require_sorter(sorter, sorted_sequence)
    return _places("searchsorted", sorted_sequence, input, sorter, right or side == "right", out_int32)


@takes_exact_out
def bucketize(
    input: Any,
    boundaries: Any,
    *,
    out_int32: builtins.bool = False,
    right: builtins.bool = False,
    out: Any = None,
) -> Any:
    """The index of the bucket between sorted ``boundaries`` in which each element (or the number ``input``) lies.

    Args:
        right: a bucket includes its left boundary, rather than its right one.

    Raises:
        RuntimeError: where ``boundaries`` is not one-dimensional.
    """
    require_tensor("bucketize", "boundaries", boundaries)
    if boundaries._array.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries._array.ndim})")
    return _places("bucketize", boundaries, input, None, right, out_int32)


# -- distinct elements ---


def _groups(m: Any, rows: Any, order: Any) -> tuple[Any, Any, Any]:
    """Equal neighbours among ``rows`` taken in ``order``: the first of each group, the groups of all, their sizes."""
    n = rows.shape[0]
    ordered = rows if order is None else m.take(rows, order, 0)
    differ = ordered[1:] != ordered[:-1]  # a NaN differs from every other
    if differ.ndim > 1:
        differ = m.any(differ, (1,), False)
    first = m.cat([m.ones((1,), np.bool_), differ], 0)
    starts = m.nonzero(first)[:, 0]
    group = m.cumsum(m.astype(first, np.int64), 0) - 1
    if order is not None:
        group = m.scatter(m.zeros((n,), np.int64), 0, order, group)
    ends = m.cat([starts[1:], m.full((1,), n, np.int64)], 0)
    return m.take(ordered, starts, 0), group, ends - starts


def _distinct(m: Any, input: Any, sorted: Any) -> tuple[Any, Any, Any]:
    if not input.shape[0]:
        none = m.zeros((0,), np.int64)
        return m.copy(input), none, none
    order = None
    if sorted and input.ndim == 1:
        order = m.sort(input, 0, False)
    elif sorted:
        keys = input if input.dtype.kind in "iuf" else m.astype(input, np.float32)
        # The first column decides first, and comes last among the keys.
        order = m.xp.lexsort(m.contiguous(m.flip(m.transpose(keys, 0, 1), (0,))))
    return _groups(m, input, order)


UNIQUE = Op("unique", _distinct, outputs=3)


def _unique(
    function: str, input: Any, sorted: builtins.bool, return_inverse: Any, return_counts: Any, dim: int | None
) -> Any:
    require_tensor(function, "input", input)
    input = input.detach()
    shape = tuple(input._array.shape)
    if dim is None:
        values, inverse, counts = apply(UNIQUE, (input.reshape(-1),), (sorted,))
        inverse = inverse.reshape(shape)
    else:
        d = normalize_dim(dim, len(shape), function)
        if not shape:
            raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions\n  operation: {function}")
        if 0 in (*shape[:d], *shape[d + 1 :]):
            raise RuntimeError(
                "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied\n"
                f"  got: shape {shape}, dim {d}"
            )
        front = input.movedim(d, 0)
        rows = front.reshape(shape[d], -1) if shape[d] else front.flatten(1) if len(shape) > 1 else front
        values, inverse, counts = apply(UNIQUE, (rows,), (sorted,))
        values = values.reshape(values._array.shape[0], *shape[:d], *shape[d + 1 :]).movedim(0, d).contiguous()
    found = (values, *((inverse,) if return_inverse else ()), *((counts,) if return_counts else ()))
    return found if len(found) > 1 else values


@UNIQUE
@numpy_names
def unique(
    input: Any,
    sorted: builtins.bool = True,
    return_inverse: builtins.bool = False,
    return_counts: builtins.bool = False,
    dim: int | None = None,
) -> Any:
    """The distinct elements in ascending order; with ``dim`` the distinct slices along it. Each NaN is one of its own.

    Args:
        sorted: they are in order always.
        return_inverse: also where among the distinct ones each element is found.
        return_counts: also how often each comes up.

    Returns:
        The distinct elements, or a tuple with what else was asked for.
    """
    return _unique("unique", input, True, return_inverse, return_counts, dim)


@numpy_names
def unique_consecutive(
    input: Any,
    return_inverse: builtins.bool = False,
    return_counts: builtins.bool = False,
    dim: int | None = None,
) -> Any:
    """``unique`` in which only equal neighbours are made one."""
    return _unique("unique_consecutive", input, False, return_inverse, return_counts, dim)


def _as_tensor(x: Any, d: Any, m: Any) -> Any:
    if not isinstance(x, Variable):
        return wrap(m.from_host(np.asarray(x, d.numpy)), m)
    found: Any = to_dtype(x, d)
    return found.detach()


@takes_exact_out
def isin(
    elements: Any,
    test_elements: Any,
    *,
    assume_unique: builtins.bool = False,
    invert: builtins.bool = False,
    out: Any = None,
) -> Any:
    """Whether each of ``elements`` is among ``test_elements``: bool. One of them may be a number.

    Raises:
        RuntimeError: for bools.
    """
    if not isinstance(elements, Variable) and not isinstance(test_elements, Variable):
        raise TypeError("isin(): one of the arguments 'elements' and 'test_elements' must be Tensor")
    m = arrays_backend((elements, test_elements))
    elements, test_elements = (
        operand(x, m, "isin", name) for x, name in ((elements, "elements"), (test_elements, "test_elements"))
    )
    given = (elements, test_elements)
    if any(isinstance(x, builtins.bool) or (isinstance(x, Variable) and x._array.dtype.kind == "b") for x in given):
        raise RuntimeError("Unsupported input type encountered for isin(): Bool\n  fix: x.int()")
    d = result_type(elements, test_elements)
    if not all(isinstance(x, Variable) for x in given) and d.category == INTEGER:
        d = int64  # a number that the tensor's dtype can't hold is among its elements never
    elements, test_elements = _as_tensor(elements, d, m), _as_tensor(test_elements, d, m)
    check_same_device(SEARCHSORTED, (elements, test_elements))
    known = test_elements.reshape(-1)
    known = known[known == known].sort()[0]  # a NaN equals nothing, and has no place in the order
    n = known._array.size
    if not n:
        found = elements.new_zeros(elements.shape).bool()
    else:
        found = known[searchsorted(known, elements).clamp(max=n - 1)] == elements
    return ~found if invert else found


def argwhere(input: TensorT) -> TensorT:
    """The indices of the nonzero elements, one row each, int64."""
    return nonzero(input)


def nonzero_static(input: TensorT, *, size: int, fill_value: int = -1) -> TensorT:
    """The indices of the first ``size`` nonzero elements, one row each; rows of ``fill_value`` where there are fewer.

    Raises:
        RuntimeError: for a negative ``size``.
    """
    require_tensor("nonzero_static", "input", input)
    if size < 0:
        raise RuntimeError("nonzero_static: 'size' must be an non-negative integer\n  got: " + str(size))
    found = nonzero(input)[:size]
    out = found.new_full((size, input._array.ndim), fill_value)
    out[: found._array.shape[0]] = found
    return out


class SearchingMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    unique = unique
    unique_consecutive = unique_consecutive
    argwhere = argwhere
    nonzero_static = nonzero_static
