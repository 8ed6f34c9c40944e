"""Writing and combining by tensors of indices, beyond plain addition, and by positions in the flattened tensor."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.variable import TensorT, Variable, wrap
from .conversion import to_dtype
from .exact_out import takes_out_apart
from .gathering import (
    as_index,
    as_vector,
    check_range,
    check_smaller,
    cut_to,
    index_select,
    require_index,
    require_same_dtype,
)
from .operands import broadcast_shapes, normalize_dim, require_tensor
from .record import Op, apply, check_same_device
from .shape import expand, reshape
from .writing import become

__all__ = [
    "index_copy", "index_fill", "index_reduce", "masked_scatter", "put", "scatter_reduce", "take", "unravel_index",
]  # fmt: skip


# -- combined along one dimension ---

REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


def _reduced_input(
    m: Any, g: Any, input: Any, index: Any, src: Any, out: Any, dim: int, reduce: str, include_self: bool
) -> Any:
    if reduce == "mean":
        grad = g / _count(m, g, input, index, src, dim, include_self)
    elif reduce == "prod":
        # The product without this factor: what comes out where it is 1. A zero is replaced, not divided by.
        ones = m.masked_fill(input, input == 0, 1)
        grad = g * m.scatter_reduce(ones, dim, index, src, reduce, include_self=include_self) / ones
    elif reduce in ("amax", "amin"):
        grad = g / _ties(m, input, index, src, out, dim) * (input == out)
    else:
        grad = g
    return grad if include_self else m.scatter(grad, dim, index, 0)


def _reduced_src(
    m: Any, g: Any, input: Any, index: Any, src: Any, out: Any, dim: int, reduce: str, include_self: bool
) -> Any:
    if reduce == "mean":
        return m.gather(g / _count(m, g, input, index, src, dim, include_self), dim, index)
    if reduce in ("amax", "amin"):
        return m.gather(g / _ties(m, input, index, src, out, dim), dim, index) * (src == m.gather(out, dim, index))
    if reduce == "prod":
        # A zero that is the only one in its product gets the product of the others; other factors divide it.
        zero = src == 0
        zeros = m.scatter_add(input * 0, dim, index, zero * m.new_ones(src, src.shape))
        alone = zero & (m.gather(zeros, dim, index) == 1)
        others = m.scatter_reduce(input, dim, index, m.masked_fill(src, alone, 1), reduce, include_self=include_self)
        divided = m.gather(g * out, dim, index) / m.masked_fill(src, zero, 1)
        return m.where(alone, m.gather(g * others, dim, index), divided)
    return m.gather(g, dim, index)


def _count(m: Any, g: Any, input: Any, index: Any, src: Any, dim: int, include_self: bool) -> Any:
    """How many elements went into each mean; 1 where none did."""
    start = m.new_ones(g, input.shape) if include_self else m.new_zeros(g, input.shape)
    count = m.scatter_add(start, dim, index, m.new_ones(g, src.shape))
    return count if include_self else m.masked_fill(count, count == 0, 1)


def _ties(m: Any, input: Any, index: Any, src: Any, out: Any, dim: int) -> Any:
    """How many elements are equal to the extreme that was found: they share its gradient."""
    chosen = (src == m.gather(out, dim, index)) * m.new_ones(src, src.shape)
    return m.scatter_add((input == out) * m.new_ones(input, input.shape), dim, index, chosen)


SCATTER_REDUCE = Op(
    "scatter_reduce",
    lambda m, input, index, src, dim, reduce, include_self: m.scatter_reduce(
        input, dim, index, src, reduce, include_self=include_self
    ),
    tensors=3,
    input=_reduced_input,
    src=_reduced_src,
    formula=r"\text{the gradient is shared as the values were combined}",
)


@takes_out_apart
@SCATTER_REDUCE
def scatter_reduce(
    input: TensorT,
    dim: int,
    index: Variable,
    src: Variable,
    reduce: str,
    *,
    include_self: bool = True,
    out: Any = None,
) -> TensorT:
    """A copy of ``input`` in which the elements of ``src`` are combined along ``dim`` at ``index``.

    Args:
        reduce: ``"sum"``, ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.
        include_self: whether the elements of ``input`` take part; those that no index names stay in any case.

    Raises:
        RuntimeError: for another reduction, and for an index of the wrong dtype, shape or range.
    """
    require_tensor("scatter_reduce", "input", input)
    require_tensor("scatter_reduce", "src", src)
    require_index("scatter_reduce", index, input)
    if reduce not in REDUCTIONS:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    d = normalize_dim(dim, input._array.ndim, "scatter_reduce")
    require_same_dtype("scatter_reduce", input, src)
    check_smaller("scatter_reduce", index, src, d, "src", True)
    check_smaller("scatter_reduce", index, input, d, "self", False)
    if not (input._array.ndim and index._array.ndim and src._array.ndim):
        flat = scatter_reduce(as_vector(input), 0, as_vector(index), as_vector(src), reduce, include_self=include_self)
        return reshape(flat, tuple(input._array.shape))
    if reduce == "mean" and input._array.dtype.kind == "b":
        raise NotImplementedError("scatter_reduce: the mean of bools is not implemented\n  fix: input.float()")
    check_range("scatter_reduce", index, input._array.shape[d], d)
    cut = cut_to(src, index)
    return apply(SCATTER_REDUCE, (input, as_index(index), cut), (d, reduce, include_self))


@takes_out_apart
def index_reduce(
    input: TensorT,
    dim: int,
    index: Variable,
    source: Variable,
    reduce: str,
    *,
    include_self: bool = True,
    out: Any = None,
) -> TensorT:
    """A copy of ``input`` in which the slices of ``source`` are combined along ``dim`` at ``index``.

    Args:
        reduce: ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.
        include_self: whether the slices of ``input`` take part.

    Raises:
        IndexError: for an index that is not a vector, or out of range.
        RuntimeError: for another reduction, and where shapes or dtypes don't fit.
    """
    require_tensor("index_reduce", "input", input)
    require_tensor("index_reduce", "source", source)
    require_index("index_reduce", index, input)
    if reduce not in REDUCTIONS[1:]:
        raise RuntimeError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    if input._array.dtype.kind == "b":
        raise NotImplementedError('"index_reduce" not implemented for bools\n  fix: x.byte()')
    if index._array.ndim > 1:
        raise IndexError(f"index_reduce_(): Index is supposed to be a vector, got shape {tuple(index._array.shape)}")
    if input._array.dtype != source._array.dtype:
        raise RuntimeError(
            f"index_reduce_(): self ({input._dtype()!r}) and source ({source._dtype()!r}) must have the same scalar "
            "type"
        )
    d = normalize_dim(dim, input._array.ndim, "index_reduce")
    target, given, at = as_vector(input), as_vector(source), as_vector(index)
    n = at._array.shape[0]
    expected = (*target._array.shape[:d], n, *target._array.shape[d + 1 :])
    if tuple(given._array.shape) != expected:
        kind = RuntimeError if source._array.ndim else IndexError  # a 0-d source has no dimension to be sliced along
        raise kind(
            f"index_reduce_(): Number of indices ({n}) should be equal to source.size(dim), and the other sizes to "
            f"those of self\n  expected: a source of shape {expected}\n  got: {tuple(source._array.shape)}"
        )
    check_range("index_reduce", at, target._array.shape[d], d, IndexError)
    if not given._array.size:
        return input.clone()  # type: ignore[attr-defined]
    wide = expand(reshape(at, (1,) * d + (n,) + (1,) * (len(expected) - 1 - d)), expected)
    combined = scatter_reduce(target, d, wide, given, reduce, include_self=include_self)
    return reshape(combined, tuple(input._array.shape))


# -- slices written ---

INDEX_COPY = Op(
    "index_copy",
    lambda m, input, index, source, dim: m.index_put(input, (slice(None),) * dim + (index,), source, False),
    tensors=3,
    input=lambda m, g, index, dim: m.index_fill(g, dim, index, 0),
    source=lambda m, g, index, dim: m.take(g, index, dim),
    formula=r"\text{the source gets the gradient from where it was written; what was there before gets } 0",
)
INDEX_FILL = Op(
    "index_fill",
    lambda m, input, index, value, dim: m.index_fill(input, dim, index, value),
    tensors=3,
    input=lambda m, g, index, dim: m.index_fill(g, dim, index, 0),
    value=lambda m, g, index, dim: m.sum(g - m.index_fill(g, dim, index, 0)),  # once, however often it is named
    formula=r"\text{the value gets the sum of the gradients of where it was written}",
)


@takes_out_apart
@INDEX_COPY
def index_copy(input: TensorT, dim: int, index: Variable, source: Variable, *, out: Any = None) -> TensorT:
    """A copy of ``input`` with the slices of ``source`` written along ``dim`` at ``index``.

    Raises:
        IndexError: for indices out of range, and where the number of slices doesn't fit.
        RuntimeError: for an index or a source of the wrong dtype, or slices of another shape.
    """
    require_tensor("index_copy", "input", input)
    require_tensor("index_copy", "source", source)
    require_tensor("index_copy", "index", index)
    d = normalize_dim(dim, input._array.ndim, "index_copy")
    if index._array.ndim > 1:
        raise IndexError(f"index_copy_(): Index should have dimension 1 or 0 (got {index._array.ndim})")
    if index._array.dtype != np.int64:
        raise RuntimeError(f"index_copy_(): Expected a long tensor for index, but got {index._dtype()!r}")
    if input._array.dtype != source._array.dtype:
        raise RuntimeError(
            "index_copy_(): self and source expected to have the same dtype, but got (self) "
            f"{input._dtype()!r} and (source) {source._dtype()!r}\n  fix: source.to(input.dtype)"
        )
    check_same_device(INDEX_COPY, (input, index, source))
    count = index._array.size
    if not source._array.ndim and count != 1:
        raise IndexError(f"index_copy_(): When source is scalar, index should have one element (got {count})")
    if source._array.ndim != input._array.ndim and source._array.ndim and input._array.ndim:
        raise IndexError(
            "index_copy_(): When source and destination are not scalars, their dimensionality must match. Source "
            f"dimensionality ({source._array.ndim}), destination dimensionality ({input._array.ndim})"
        )
    target, given = as_vector(input), as_vector(source)
    sliced = (*target._array.shape[:d], *target._array.shape[d + 1 :])
    if not source._array.ndim:
        given = reshape(source, (1,) * target._array.ndim)
    if (*given._array.shape[:d], *given._array.shape[d + 1 :]) != sliced:
        raise RuntimeError(
            "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: "
            f"{list(sliced)} at dimension {d} and source slice shape: "
            f"{[*given._array.shape[:d], *given._array.shape[d + 1 :]]} at dimension 0."
        )
    if given._array.shape[d] != count:
        raise IndexError(
            f"index_copy_(): Number of indices ({count}) should be equal to source.size(dim) ({given._array.shape[d]})"
        )
    check_range("index_copy_", index, target._array.shape[d], d, IndexError)
    copied = apply(INDEX_COPY, (target, as_vector(index), given), (d,))
    return reshape(copied, tuple(input._array.shape))


@takes_out_apart
@INDEX_FILL
def index_fill(input: TensorT, dim: int, index: Variable, value: Any, *, out: Any = None) -> TensorT:
    """A copy of ``input`` with ``value``, a number or a 0-d tensor, in the slices along ``dim`` that ``index`` names.

    Raises:
        IndexError: for an index that is not int64, or out of range.
        RuntimeError: for an index that is not a vector, or a value with dimensions.
    """
    require_tensor("index_fill", "input", input)
    require_tensor("index_fill", "index", index)
    if index._array.dtype.kind != "i" or index._array.dtype.itemsize < 4:
        raise IndexError(f"index_fill_(): Expected dtype int64 for index.\n  got: {index._dtype()!r}")
    if index._array.ndim > 1:
        raise RuntimeError(f"Index has to be a vector/scalar\n  got: shape {tuple(index._array.shape)}")
    if isinstance(value, Variable):
        if value._array.ndim:
            raise RuntimeError(
                "index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
                f"{value._array.ndim} dimension(s)."
            )
        value = to_dtype(value, input._dtype())
    elif isinstance(value, complex):
        raise RuntimeError("value cannot be converted to type float without overflow: complex numbers")
    check_same_device(INDEX_FILL, (input, index, value) if isinstance(value, Variable) else (input, index))
    d = normalize_dim(dim, input._array.ndim, "index_fill")
    target, at = as_vector(input), as_vector(index)
    n = target._array.shape[d]
    check_range("index_fill", at, n, d, IndexError, -n)
    return reshape(apply(INDEX_FILL, (target, at, value), (d,)), tuple(input._array.shape))


# -- by position in the flattened tensor ---


def _flat_filled(m: Any, g: Any, at: Any) -> Any:
    """``g`` with zeros at positions of the flattened tensor."""
    return m.reshape(m.index_fill(m.reshape(g, (-1,)), 0, _indices(g, at), 0), g.shape)


def _flat_taken(m: Any, g: Any, at: Any) -> Any:
    return m.take(m.reshape(g, (-1,)), _indices(g, at), 0)


def _indices(g: Any, at: Any) -> Any:
    return wrap(at, g._backend) if isinstance(g, Variable) else at


PUT = Op(
    "put",
    lambda m, input, source, at, accumulate: m.reshape(
        m.index_put(m.reshape(input, (-1,)), (at,), m.reshape(source, (-1,)), accumulate), input.shape
    ),
    tensors=2,
    input=lambda m, g, at, accumulate: g if accumulate else _flat_filled(m, g, at),
    source=lambda m, g, source, at: m.reshape(_flat_taken(m, g, at), source.shape),
    formula=r"\text{the source gets the gradient from where it was written}",
)


def put(input: TensorT, index: Variable, source: Variable, accumulate: bool = False) -> TensorT:
    """A copy of ``input`` with ``source`` written (or added) at positions of the flattened tensor.

    Raises:
        IndexError: for positions out of range, and where there are not as many elements as positions.
        RuntimeError: for an index that is not int64, or a source of another dtype.
    """
    require_tensor("put", "input", input)
    require_tensor("put", "index", index)
    require_tensor("put", "source", source)
    if index._array.dtype != np.int64:
        raise RuntimeError(f"put_(): Expected a long tensor for index, but got {index._dtype()!r}")
    if input._array.dtype != source._array.dtype:
        raise RuntimeError(
            f"put_(): self and source expected to have the same dtype, but got self.dtype = {input._dtype()!r} and "
            f"source.dtype = {source._dtype()!r}"
        )
    if index._array.size != source._array.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source._array.size}, index.numel() = {index._array.size}"
        )
    check_same_device(PUT, (input, index, source))
    at = _positions("put_", input, index)
    return apply(PUT, (input, source), (at, accumulate))


def _positions(function: str, input: Any, index: Any) -> Any:
    """Positions as a vector on the device, those below 0 counted from the end."""
    n = int(input._array.size)
    if index._array.size and not n:
        raise IndexError(f"{function}: tried to take from an empty tensor")
    array = index._array
    if index._backend.device.type == "cpu" and array.size and (array.min() < -n or array.max() >= n):
        bad = int(array.min()) if array.min() < -n else int(array.max())
        raise IndexError(f"out of range: tried to access index {bad} on a tensor of {n} elements.")
    m = input._backend
    flat = m.reshape(array, (-1,))
    return m.where(flat < 0, flat + n, flat)


@takes_out_apart
def take(input: TensorT, index: Variable, *, out: Any = None) -> TensorT:
    """The elements at positions of the flattened ``input``, in the shape of ``index``.

    Raises:
        IndexError: for positions out of range.
        RuntimeError: for an index that is not int64.
    """
    require_tensor("take", "input", input)
    require_tensor("take", "index", index)
    if index._array.dtype != np.int64:
        raise RuntimeError(f"take(): Expected a long tensor for index, but got {index._dtype()!r}\n  fix: index.long()")
    check_same_device(PUT, (input, index))
    at = wrap(_positions("take()", input, index), input._backend)
    return reshape(index_select(reshape(input, -1), 0, at), tuple(index._array.shape))


MASKED_SCATTER = Op(
    "masked_scatter",
    lambda m, input, source, at: m.reshape(
        m.index_put(m.reshape(input, (-1,)), (at,), m.reshape(source, (-1,))[: at.shape[0]], False), input.shape
    ),
    tensors=2,
    input=lambda m, g, at: _flat_filled(m, g, at),
    source=lambda m, g, source, at: _first_taken(m, g, source.shape, at),
    formula=r"\text{the source gets the gradient from where it was written}",
)


def _first_taken(m: Any, g: Any, shape: Any, at: Any) -> Any:
    rest = m.new_zeros(g, (math.prod(shape) - at.shape[0],))
    return m.reshape(m.cat([_flat_taken(m, g, at), rest], 0), shape)


def masked_scatter(input: TensorT, mask: Variable, source: Variable) -> TensorT:
    """A copy of ``input`` with the elements of ``source``, in their order, where the bool ``mask`` holds.

    Raises:
        RuntimeError: for a mask that is not bool, a source of another dtype, or one with too few elements.
    """
    require_tensor("masked_scatter", "input", input)
    require_tensor("masked_scatter", "mask", mask)
    require_tensor("masked_scatter", "source", source)
    if input._array.dtype != source._array.dtype:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got {input._dtype()!r} and "
            f"{source._dtype()!r}"
        )
    if mask._array.dtype.kind != "b":
        raise RuntimeError(
            f"masked_scatter_ only supports boolean masks, but got mask with dtype {mask._dtype()!r}\n"
            "  fix: mask.bool()"
        )
    check_same_device(MASKED_SCATTER, (input, mask, source))
    shape = broadcast_shapes("masked_scatter", tuple(input._array.shape), tuple(mask._array.shape))
    m = input._backend
    at = m.reshape(m.nonzero(m.reshape(m.expand(mask._array, shape), (-1,))), (-1,))
    if at.shape[0] > source._array.size:
        raise RuntimeError(
            "Number of elements of source < number of ones in mask\n"
            f"  got: {source._array.size} elements for {at.shape[0]} places"
        )
    return apply(MASKED_SCATTER, (expand(input, shape), source), (at,))


def unravel_index(indices: Variable, shape: int | Sequence[int]) -> tuple[Any, ...]:
    """Positions in a flattened tensor of ``shape`` as one tensor of coordinates for each dimension.

    Raises:
        TypeError: for indices that are not integers.
        ValueError: for a negative size.
    """
    require_tensor("unravel_index", "indices", indices)
    if indices._array.dtype.kind not in "iu":
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices._dtype()!r}")
    if not isinstance(shape, (int, tuple, list)) or not all(isinstance(n, int) for n in _listed(shape)):
        raise TypeError(f"expected 'shape' to be int or sequence of ints, but got {shape!r}")
    dims, positions = _listed(shape), indices.long()  # type: ignore[attr-defined]
    if any(n < 0 for n in dims):
        raise ValueError(f"'shape' cannot have negative values, but got {tuple(dims)}")
    out = []
    for d, n in enumerate(dims):
        inner = math.prod(dims[d + 1 :])
        out.append(operator.floordiv(positions, inner) % n)
    return tuple(out)


def _listed(shape: Any) -> list[Any]:
    return list(shape) if isinstance(shape, (tuple, list)) else [shape]


class ScatteringMethods(Variable):
    """The functions of this file as methods of ``Tensor``."""

    __slots__ = ()

    index_copy = index_copy
    index_fill = index_fill
    index_reduce = index_reduce
    masked_scatter = masked_scatter
    put = put
    scatter_reduce = scatter_reduce
    take = take

    def index_copy_(self: TensorT, dim: int, index: Variable, source: Variable) -> TensorT:
        """``index_copy`` in place."""
        return become(self, index_copy, dim, index, source)

    def index_fill_(self: TensorT, dim: int, index: Variable, value: Any) -> TensorT:
        """``index_fill`` in place."""
        return become(self, index_fill, dim, index, value)

    def index_reduce_(
        self: TensorT, dim: int, index: Variable, source: Variable, reduce: str, *, include_self: bool = True
    ) -> TensorT:
        """``index_reduce`` in place."""
        return become(self, index_reduce, dim, index, source, reduce, include_self=include_self)

    def masked_scatter_(self: TensorT, mask: Variable, source: Variable) -> TensorT:
        """``masked_scatter`` in place."""
        return become(self, masked_scatter, mask, source)

    def put_(self: TensorT, index: Variable, source: Variable, accumulate: bool = False) -> TensorT:
        """``put`` in place."""
        return become(self, put, index, source, accumulate)

    def scatter_reduce_(
        self: TensorT, dim: int, index: Variable, src: Variable, reduce: str, *, include_self: bool = True
    ) -> TensorT:
        """``scatter_reduce`` in place."""
        return become(self, scatter_reduce, dim, index, src, reduce, include_self=include_self)
